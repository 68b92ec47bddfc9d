"""The data behind ``squeeze2c inspect``: sizes and counts of a model, without calibration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from squeeze2c._version import __version__
from squeeze2c.frontend import Preprocess, load_onnx, read_onnx
from squeeze2c.ir import Graph
from squeeze2c.lower import CProgram, identifier
from squeeze2c.passes import run_passes
from squeeze2c.quantize.skeleton import integer_skeleton
from squeeze2c.report.planning import Planner, RamUse
from squeeze2c.target import BOARDS, KIB, Board, core_named

CODE_ESTIMATE_BYTES = 36 * KIB
"""Flash that the network's code and start-up take beside the parameters, rounded up."""


@dataclass(frozen=True, slots=True)
class InspectedLayer:
    """``inputs``, ``shape``: rows, columns, channels, or (classes,) for the logits."""

    name: str
    kind: str
    onnx_nodes: tuple[str, ...]
    inputs: tuple[tuple[int, ...], ...]
    shape: tuple[int, ...]
    macs: int
    parameters_bytes: int


@dataclass(frozen=True, slots=True)
class InspectedTensor:
    """A feature map: rows, columns, channels, and its bytes at 8 bits."""

    name: str
    shape: tuple[int, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class BoardFit:
    """What the network needs on a board, and what the board has.

    Flash: parameters and :data:`CODE_ESTIMATE_BYTES`. RAM: of the schedule that compile
    would choose for the board; see :class:`~squeeze2c.report.planning.RamUse`.
    """

    name: str
    core: str
    flash_needed_bytes: int
    flash_bytes: int
    ram_needed_bytes: int
    ram_bytes: int
    schedule: str
    input: str

    @property
    def fits(self) -> bool:
        return self.flash_needed_bytes <= self.flash_bytes and self.ram_needed_bytes <= (
            self.ram_bytes
        )


@dataclass(frozen=True, slots=True)
class Inspection:
    """A model in numbers. ``parameters``: weights and biases; ``tensors``: the largest first.

    ``arena_bytes`` and what goes with it: as compile chooses without a budget; ``plans``:
    the smallest of every way to run the network.
    """

    name: str
    source_file: str
    source_sha256: str
    target: str
    input_shape: tuple[int, ...]
    classes: int
    softmax: bool
    macs: int
    parameters: int
    parameters_bytes: int
    arena_bytes: int
    lower_bound_bytes: int
    input_bytes: int
    plans: tuple[RamUse, ...]
    layers: tuple[InspectedLayer, ...]
    tensors: tuple[InspectedTensor, ...]
    boards: tuple[BoardFit, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON types, under the names that ``manifest.json`` uses."""
        rows, cols, channels = self.input_shape
        return {
            "squeeze2c_version": __version__,
            "name": self.name,
            "source": {"file": self.source_file, "sha256": self.source_sha256},
            "target": self.target,
            "input": {"rows": rows, "cols": cols, "channels": channels},
            "output": {"classes": self.classes, "softmax": self.softmax},
            "macs": self.macs,
            "parameters": self.parameters,
            "flash": {"parameters_bytes": self.parameters_bytes},
            "ram": {
                "arena_bytes": self.arena_bytes,
                "lower_bound_bytes": self.lower_bound_bytes,
                "input_bytes": self.input_bytes,
            },
            "plans": [
                {**asdict(plan), "needed_bytes": plan.needed_bytes} for plan in self.plans
            ],
            "layers": [asdict(layer) for layer in self.layers],
            "tensors": [asdict(tensor) for tensor in self.tensors],
            "boards": [{**asdict(board), "fits": board.fits} for board in self.boards],
        }


def inspect_model(
    model: Path | str,
    *,
    input_shape: tuple[int, int, int, int] | None = None,
    preprocess: Preprocess | None = None,
    target: str = "host",
) -> Inspection:
    """Read the ONNX file ``model`` and plan it for ``target`` and for every board.

    All sizes are those that compiling arrives at, except that pad rows of layers
    whose input has no ReLU in front may differ by a few bytes: they depend on
    calibration. ``input_shape`` (1, channels, rows, cols) pins dynamic dimensions.

    Raises :class:`~squeeze2c.errors.Squeeze2cError` as reading and the passes do.
    """
    core = core_named(target)
    loaded = load_onnx(model)
    graph = run_passes(read_onnx(loaded, input_shape), preprocess or Preprocess())
    skeleton = integer_skeleton(graph, zeros_only=False)
    name = identifier(loaded.path.stem)
    planner = Planner(skeleton, name)
    program = planner.program(core.name)
    return Inspection(
        name=name,
        source_file=loaded.path.name,
        source_sha256=loaded.sha256,
        target=core.name,
        input_shape=graph.input_value.type.shape[1:],
        classes=program.classes,
        softmax=graph.softmax,
        macs=program.macs,
        parameters=sum(array.size for array in graph.constants.values()),
        parameters_bytes=program.parameters_bytes,
        arena_bytes=program.arena_bytes,
        lower_bound_bytes=program.lower_bound_bytes,
        input_bytes=program.input_row_bytes,
        plans=planner.ways(core.name),
        layers=tuple(_layers(program)),
        tensors=_tensors(skeleton),
        boards=tuple(_fit(board, planner) for board in BOARDS.values()),
    )


def _layers(program: CProgram) -> Iterator[InspectedLayer]:
    for layer in program.layers:
        yield InspectedLayer(
            name=layer.name,
            kind=layer.kind,
            onnx_nodes=layer.provenance.onnx_nodes,
            inputs=tuple((s.rows, s.cols, s.channels) for s in layer.sources),
            shape=layer.output_shape,
            macs=layer.macs,
            parameters_bytes=layer.parameters_bytes,
        )


def _tensors(skeleton: Graph) -> tuple[InspectedTensor, ...]:
    maps = (v for v in skeleton.values.values() if len(v.type.shape) == 4)
    tensors = (InspectedTensor(v.name, v.type.shape[1:], v.type.size_bytes) for v in maps)
    return tuple(sorted(tensors, key=lambda t: (-t.size_bytes, t.name)))


def _fit(board: Board, planner: Planner) -> BoardFit:
    # The stack may be in a memory of its own; then the estimate is on the safe side.
    use = planner.for_board(board)
    parameters_bytes = planner.program(board.core).parameters_bytes
    return BoardFit(
        name=board.name,
        core=board.core,
        flash_needed_bytes=parameters_bytes + CODE_ESTIMATE_BYTES,
        flash_bytes=board.flash.size_bytes,
        ram_needed_bytes=use.needed_bytes,
        ram_bytes=board.bulk.size_bytes,
        schedule=use.schedule,
        input=use.input,
    )
