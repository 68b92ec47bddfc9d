"""From a loaded ONNX model to a :class:`~squeeze2c.ir.Graph`."""

from __future__ import annotations

from collections.abc import Sequence

import onnx

from squeeze2c.errors import UnsupportedModelError
from squeeze2c.frontend.constraints import check
from squeeze2c.frontend.fold import fold
from squeeze2c.frontend.import_ops import Draft, import_node
from squeeze2c.frontend.load import LoadedModel
from squeeze2c.frontend.model_rules import (
    MODEL_RULES,
    check_output,
    static_input_shape,
    true_inputs,
)
from squeeze2c.frontend.node import OnnxNode, Scope
from squeeze2c.ir import Graph, unique_name, verify_graph

InputShape = tuple[int, int, int, int]


def read_onnx(loaded: LoadedModel, input_shape: InputShape | None = None) -> Graph:
    """The float graph of a model: NCHW feature maps, OIHW weights, static shapes.

    Nodes that do not contribute to the output are left out, operators on constants are
    computed. Values are called as the ONNX tensors that they equal, which
    ``Value.source`` repeats; constants are float32 whatever the file holds. Nodes are
    called as the ONNX nodes; those without a name get the operator and the position in
    the file, as in ``Conv_3``. A final Softmax is still there.

    ``input_shape`` (batch, channels, rows, columns) pins sizes that the model leaves
    open. Raises :class:`UnsupportedModelError` or :class:`ShapeError`, naming the node,
    where the model breaks a rule of ``docs/supported-ops.md``, :class:`ModelLoadError`
    where a tensor is damaged, :class:`UsageError` where ``input_shape`` makes no sense.
    """
    path = str(loaded.path)
    model = loaded.proto
    for rule in MODEL_RULES:
        rule.enforce(model, path)
    graph = model.graph
    source = true_inputs(graph)[0]
    output = graph.output[0].name

    names = _node_names(graph.node)
    live = _live(graph.node, output)
    scope = Scope(
        path=path,
        opset=loaded.opset,
        output=output,
        initializers={tensor.name: tensor for tensor in graph.initializer},
        consumers=_consumers([graph.node[i] for i in live]),
    )
    tensors = {name for node in graph.node for name in (*node.input, *node.output)}
    draft = Draft(scope, {*names, *tensors, source.name})
    draft.tensor(source.name, static_input_shape(source, path, input_shape))
    for index in live:
        node = OnnxNode(graph.node[index], names[index], scope)
        array = fold(node)
        if array is not None:
            scope.arrays[node.output] = array
            continue
        check(node)
        import_node(node, draft)

    if output not in scope.shapes or not draft.nodes:
        raise UnsupportedModelError(
            f"output {output!r} is not computed from input {source.name!r}", where=path
        )
    check_output(output, scope.shapes[output], path)
    result = Graph(
        name=graph.name,
        nodes=tuple(draft.nodes),
        values=draft.values,
        constants=draft.constants,
        input=source.name,
        output=output,
    )
    verify_graph(result)
    return result


def _node_names(nodes: Sequence[onnx.NodeProto]) -> list[str]:
    """A unique name for each node: its own, or one made of operator and position."""
    given = {node.name for node in nodes if node.name}
    seen: set[str] = set()
    result = []
    for index, node in enumerate(nodes):
        if node.name and node.name not in seen:
            name = node.name
        else:
            name = unique_name(node.name or f"{node.op_type}_{index}", seen | given)
        seen.add(name)
        result.append(name)
    return result


def _live(nodes: Sequence[onnx.NodeProto], output: str) -> list[int]:
    """Positions, in order, of the nodes that contribute to ``output``."""
    wanted = {output}
    live = []
    for index in range(len(nodes) - 1, -1, -1):
        if wanted.intersection(name for name in nodes[index].output if name):
            wanted.update(name for name in nodes[index].input if name)
            live.append(index)
    return live[::-1]


def _consumers(nodes: Sequence[onnx.NodeProto]) -> dict[str, tuple[onnx.NodeProto, ...]]:
    result: dict[str, tuple[onnx.NodeProto, ...]] = {}
    for node in nodes:
        for name in set(node.input):
            result[name] = (*result.get(name, ()), node)
    return result
