"""SqueezeNet at its real sizes: how little memory streaming needs, found how quickly."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from squeeze2c.errors import DoesNotFitError
from squeeze2c.frontend import LoadedModel, Preprocess, read_onnx
from squeeze2c.ir import Graph
from squeeze2c.lower import pack_weights
from squeeze2c.passes import run_passes
from squeeze2c.pipeline import Built, build_program
from squeeze2c.schedule import INPUT_STAGE, Candidate, ScheduleOptions, choose
from squeeze2c.target import Core, core_named
from tests.support.integer_graphs import with_random_integers
from tests.support.onnx_models import squeezenet

M4 = core_named("cortex-m4")
NETWORKS = {
    # version, rows and columns, bypasses: most bytes of arena
    ("1.1", 224, False): 49_152,
    ("1.0", 224, False): 77_824,
    ("1.1", 128, False): 36_864,
    # Every bypass keeps two rows of a whole Fire module waiting.
    ("1.1", 224, True): 102_400,
}
TFLITE_MICRO_BYTES = 1_022_832
"""What whole feature maps of v1.1 take there, input included."""


def network(version: str, size: int, bypass: bool) -> Graph:
    model = squeezenet(version, input_size=size, bypass=bypass)
    loaded = LoadedModel(Path("net.onnx"), "0" * 64, model)
    return with_random_integers(run_passes(read_onnx(loaded), Preprocess()))


@pytest.fixture(scope="module", params=NETWORKS, ids=str)
def case(request: pytest.FixtureRequest) -> tuple[Graph, Built, int]:
    """A network, its program without a budget, and the most its arena may have."""
    graph = network(*request.param)
    return graph, build_program(graph, M4, "net"), NETWORKS[request.param]


def test_the_arena_is_small(case: tuple[Graph, Built, int]) -> None:
    _, built, limit = case
    program = built.program
    assert built.candidates[0].arena_bytes <= limit
    assert program.lower_bound_bytes <= program.arena_bytes <= 1.05 * program.lower_bound_bytes
    assert program.push
    assert program.steps.count(len(program.layers)) == program.input.rows


def test_more_memory_buys_speed(case: tuple[Graph, Built, int]) -> None:
    """From the smallest budget that works up to whole feature maps."""
    found = case[1].candidates
    assert len(found) >= 5
    assert found[-1].kind == "layerwise"
    smallest = found[0].arena_bytes
    assert choose(found, smallest - 1) is None
    chosen = [choose(found, budget) for budget in (smallest, 4 * smallest, 1 << 21)]
    costs = [c.instructions for c in chosen if c]
    assert len(costs) == 3
    assert costs[0] > costs[1] > costs[2]


def test_the_smallest_budget_is_named_and_works() -> None:
    graph = network("1.1", 128, False)
    with pytest.raises(DoesNotFitError) as caught:
        build_program(graph, M4, "net", ScheduleOptions(ram_bytes=16_384))
    needed = caught.value.needed_bytes
    assert str(needed) in (caught.value.hint or "")
    built = build_program(graph, M4, "net", ScheduleOptions(ram_bytes=needed))
    assert built.chosen.arena_bytes == built.candidates[0].arena_bytes
    beside = built.program.interface_bytes
    assert beside == 4 * 1000 + 3 * 128
    assert built.chosen.arena_bytes + beside < needed
    assert needed <= built.chosen.arena_bytes + beside + 2048
    with pytest.raises(DoesNotFitError):
        build_program(graph, M4, "net", ScheduleOptions(ram_bytes=needed - 1))


def test_scheduling_is_quick() -> None:
    graph = network("1.1", 224, False)
    start = time.process_time()
    build_program(graph, M4, "net")
    assert time.process_time() - start < 10


def test_what_v11_keeps_of_each_map() -> None:
    """The rows of a window, one row of whatever is not read through one."""
    built = build_program(network("1.1", 224, False), M4, "net", ScheduleOptions("stream"))
    schedule = built.candidates[0].schedule
    rows = {name: b.capacity_rows for name, b in schedule.line_buffers.items()}
    assert rows[schedule.input] == 3
    squeezed = [stage for stage in schedule.stages if "squeeze1x1" in stage.node]
    assert len(squeezed) == 8
    assert {rows[stage.output] for stage in squeezed} == {3}
    pooled = [stage for stage in schedule.stages if stage.pool]
    assert [rows[stage.inputs[0].buffer] for stage in pooled] == [1, 1, 1]
    assert all(schedule.running[schedule.stages.index(stage)] for stage in pooled)
    assert max(rows.values()) == 3
    assert sum(step.stage == INPUT_STAGE for step in schedule.steps) == 224


def test_layerwise_holds_whole_maps() -> None:
    """Nearly what others need: streaming is what makes the difference."""
    graph = network("1.1", 224, False)
    pushed = build_program(graph, M4, "net", ScheduleOptions("layerwise", "push")).program
    frame = build_program(graph, M4, "net", ScheduleOptions("layerwise")).program
    assert 0.8 * TFLITE_MICRO_BYTES < pushed.arena_bytes < TFLITE_MICRO_BYTES
    assert frame.arena_bytes <= pushed.arena_bytes
    streamed = build_program(graph, M4, "net", ScheduleOptions(input_mode="frame")).program
    assert streamed.arena_bytes < frame.arena_bytes / 15


Families = dict[str, tuple[Candidate, ...]]


def families_for(core: Core) -> Families:
    """Schedules of v1.1 at 224 x 224, plain and with all weights packed in a few bits each."""
    loaded = LoadedModel(Path("net.onnx"), "0" * 64, squeezenet("1.1"))
    graph = run_passes(read_onnx(loaded), Preprocess())
    integer = with_random_integers(graph, packable=True)
    packed = pack_weights(integer)
    assert len(packed) == 26
    # Weights of a few bits have many zeros, which plain weights of eight bits have not.
    dense = with_random_integers(graph)
    return {
        "plain": build_program(dense, core, "net").candidates,
        "packed": build_program(integer, core, "net", packed=packed).candidates,
    }


@pytest.fixture(scope="module")
def families() -> Families:
    """With the kernels for the DSP extension."""
    return families_for(M4)


@pytest.fixture(scope="module")
def portable_families() -> Families:
    return families_for(Core("any", ()))


def chosen_within(kib: int, families: Families) -> tuple[Candidate, Candidate]:
    """Plain and packed."""
    plain, packed = (choose(family, (kib - 1) * 1024) for family in families.values())
    assert plain is not None and packed is not None
    return plain, packed


@pytest.mark.parametrize(
    ("kib", "most_times_plain"), [(64, 1.15), (96, 1.08), (128, 1.05), (256, 1.04)]
)
def test_packed_weights_cost_little(
    kib: int, most_times_plain: float, portable_families: Families
) -> None:
    plain, packed = chosen_within(kib, portable_families)
    assert packed.instructions <= most_times_plain * plain.instructions


@pytest.mark.parametrize(
    ("kib", "most_times_plain"), [(64, 1.65), (96, 1.33), (128, 1.29), (256, 1.11)]
)
def test_decoding_weighs_more_beside_faster_kernels(
    kib: int, most_times_plain: float, families: Families, portable_families: Families
) -> None:
    """Decoding and tiles take instructions and memory that those kernels do not save."""
    plain, packed = chosen_within(kib, families)
    assert packed.instructions <= most_times_plain * plain.instructions
    assert packed.instructions < chosen_within(kib, portable_families)[0].instructions / 2.9


def test_strips_of_packed_layers_grow_where_the_weights_are(
    families: Families,
) -> None:
    chosen = choose(families["packed"], 127 * 1024)
    assert chosen is not None
    strips = chosen.schedule.strip_rows
    assert strips[0] < strips[-1]
