"""The layerwise schedule and the places of feature maps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squeeze2c.errors import InternalError
from squeeze2c.ir import DType, Graph, Layout, Padding, QuantParams, TensorType, Value, Window, ops
from squeeze2c.kernels import scratch_bytes, select_kernel
from squeeze2c.kernels.catalogue import ADD, CONV2D, CONV2D_DSP, CONV2D_SUM, MAXPOOL2D
from squeeze2c.reference import evaluate_int
from squeeze2c.schedule import (
    INPUT_STAGE,
    output_rows,
    place_feature_maps,
    schedule_layerwise,
)
from squeeze2c.target import CORES, Core, core_named
from tests.support.programs import every_operator_graph, quantised, random_images


def concat_graph(
    channels: dict[str, int], concats: dict[str, tuple[str, ...]], image: int = 3
) -> Graph:
    """Nothing but feature maps of 2 x 2 pixels and concatenations of them."""
    sizes = {"image": image, **channels}
    for name, inputs in concats.items():
        sizes[name] = sum(sizes[i] for i in inputs)
    values = {
        name: Value(name, TensorType(DType.UINT8, (1, 2, 2, n), Layout.NHWC), quant=QuantParams(1))
        for name, n in sizes.items()
    }
    nodes = tuple(ops.QConcat(name=n, inputs=i, output=n) for n, i in concats.items())
    return Graph("maps", nodes, values, {}, "image", "image")


def test_every_layer_once_in_order() -> None:
    graph = quantised(every_operator_graph())
    schedule = schedule_layerwise(graph, Core("any", ()))
    expected = [n.name for n in graph.nodes if not isinstance(n, ops.QConcat)]
    assert [s.node for s in schedule.stages] == expected
    assert [step.stage for step in schedule.steps] == list(range(len(expected)))
    kernels = {s.node: s.kernel for s in schedule.stages}
    assert kernels["stem"] == CONV2D
    assert kernels["pool"] == MAXPOOL2D
    assert kernels["bypass"] == ADD
    assert kernels["classifier"] == CONV2D_SUM


def test_steps_compute_all_rows() -> None:
    graph = quantised(every_operator_graph())
    computed = evaluate_int(graph, random_images(graph, 1))
    schedule = schedule_layerwise(graph, core_named("host"))
    assert schedule.strip_rows == tuple(stage.rows for stage in schedule.stages)
    for step in schedule.steps:
        node = graph.node(schedule.stages[step.stage].node)
        assert (step.first_row, step.input_row) == (0, None)
        assert step.rows == output_rows(graph, node)
        if computed[node.output].ndim == 4:
            assert step.rows == computed[node.output].shape[1]


@pytest.mark.parametrize("push", [False, True])
def test_maps_are_whole(push: bool) -> None:
    """Only with push is the image among them: it is collected first."""
    graph = quantised(every_operator_graph())
    schedule = schedule_layerwise(graph, core_named("host"), push)
    maps = {"stem", "pool", "fire/concat", "signed", "bypass"}
    assert set(schedule.line_buffers) == maps | ({graph.input} if push else set())
    for name, buffer in schedule.line_buffers.items():
        kind = graph.values[name].type
        assert (buffer.capacity_rows, buffer.rows) == (kind.height, kind.height)
        assert buffer.row_bytes == kind.width * kind.channels
        assert buffer.size_bytes == kind.size_bytes
    received = [step for step in schedule.steps if step.stage == INPUT_STAGE]
    assert [(s.first_row, s.rows) for s in received] == [(r, 1) for r in range(13 * push)]
    assert schedule.steps[: len(received)] == tuple(received)


def test_scratch_is_four_expanded_windows() -> None:
    graph = quantised(every_operator_graph())
    stem, pool = graph.node("stem"), graph.node("pool")
    assert scratch_bytes(graph, stem, CONV2D) == 4 * 2 * (3 * 3 * 3)
    assert scratch_bytes(graph, pool, MAXPOOL2D) == 0


def test_scratch_for_pairs_of_channels_has_whole_quads() -> None:
    graph = quantised(every_operator_graph())
    # Three channels are no whole word: 28 taps, and four windows of them as bytes.
    assert scratch_bytes(graph, graph.node("stem"), CONV2D_DSP) == 4 * 2 * 28 + 4 * 28
    assert scratch_bytes(graph, graph.node("signed"), CONV2D_DSP) == 4 * 2 * (3 * 3 * 8)


@pytest.mark.parametrize("core", CORES.values(), ids=lambda c: c.name)
def test_kernels_are_those_of_the_architecture(core: Core) -> None:
    graph = quantised(every_operator_graph())
    arch = {node.name: select_kernel(graph, node, core).arch for node in graph.nodes
            if not isinstance(node, ops.QConcat)}  # fmt: skip
    features = {
        "host": core.pc, "mve": core.mve, "dsp": core.dsp, "m3": core.long_multiply,
        "m0": core.short_multiply,
    }  # fmt: skip
    wanted = next((name for name, has in features.items() if has), "c")
    for name in ("stem", "pool", "fire/expand3x3", "classifier"):
        assert arch[name] == wanted
    assert arch["bypass"] == "c"


@pytest.mark.parametrize("core", CORES.values(), ids=lambda c: c.name)
def test_every_quantised_operator_has_a_kernel(core: Core) -> None:
    graph = quantised(every_operator_graph())
    for node in graph.nodes:
        if isinstance(node, ops.QConcat):
            with pytest.raises(InternalError, match="no kernel for QConcat"):
                select_kernel(graph, node, core)
        else:
            assert select_kernel(graph, node, core).symbol.startswith("s2c_")


def test_maps_stand_alone_without_concatenation() -> None:
    placements = place_feature_maps(concat_graph({"a": 5}, {}))
    assert placements["a"].buffer == "a"
    assert (placements["a"].channel_offset, placements["a"].pixel_bytes) == (0, 5)
    assert placements["image"].buffer == "image"


def test_concatenated_maps_are_slices() -> None:
    placements = place_feature_maps(concat_graph({"a": 5, "b": 2, "c": 1}, {"y": ("b", "a", "c")}))
    places = {n: (p.buffer, p.channel_offset, p.pixel_bytes) for n, p in placements.items()}
    assert places["b"] == ("y", 0, 8)
    assert places["a"] == ("y", 2, 8)
    assert places["c"] == ("y", 7, 8)
    assert places["y"] == ("y", 0, 8)


def test_nested_concatenations_add_their_offsets() -> None:
    graph = concat_graph(
        {"a": 5, "b": 2, "c": 1, "d": 4}, {"inner": ("a", "b"), "outer": ("c", "inner", "d")}
    )
    placements = place_feature_maps(graph)
    assert {p.buffer for n, p in placements.items() if n != "image"} == {"outer"}
    offsets = {n: p.channel_offset for n, p in placements.items()}
    assert offsets == {"image": 0, "c": 0, "inner": 1, "a": 1, "b": 6, "d": 8, "outer": 0}
    assert {p.pixel_bytes for n, p in placements.items() if n != "image"} == {12}


def test_logits_have_no_place() -> None:
    graph = quantised(every_operator_graph())
    assert graph.output not in place_feature_maps(graph)


@given(
    st.integers(1, 40), st.integers(1, 7), st.integers(1, 5), st.integers(0, 6), st.integers(0, 6)
)
def test_windows_are_counted(
    size: int, kernel: int, stride: int, before: int, after: int
) -> None:
    """Against a count by hand of the starts from which a whole window fits."""
    if size + before + after < kernel:
        return
    starts = range(-before, size + after - kernel + 1, stride)
    rows = Window((kernel, 1), (stride, 1), Padding(before, 0, after, 0))
    cols = Window((1, kernel), (1, stride), Padding(0, before, 0, after))
    assert rows.count(size, 0) == len(starts)
    assert cols.count(size, 1) == len(starts)


def test_rows_of_a_summing_layer_are_those_it_sums_over() -> None:
    graph = quantised(every_operator_graph())
    node = graph.node("classifier")
    assert output_rows(graph, node) == graph.values[node.inputs[0]].type.height
    assert graph.values[node.output].type.shape == (1, 4)
    assert np.prod(graph.values[node.output].type.shape) == 4
