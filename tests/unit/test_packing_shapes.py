"""What shapes prove about the size of weights, before there are images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from squeeze2c.errors import DoesNotFitError
from squeeze2c.frontend import Preprocess
from squeeze2c.ir import Graph, GraphBuilder
from squeeze2c.lower import CProgram, PackedWeights
from squeeze2c.packing import ShapeSizes, WeightsOptions, check_shapes
from squeeze2c.packing.options import CODE_MARGIN_BYTES
from squeeze2c.passes import run_passes
from squeeze2c.planning import STACK_RESERVE_BYTES, Builder
from squeeze2c.progress import silent
from squeeze2c.quantize.skeleton import integer_skeleton
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.target import core_named
from tests.support.programs import quantised
from tests.support.pruned import pruned_graph

CODE_BYTES = 5000


@pytest.fixture(scope="module")
def skeleton() -> Graph:
    build = GraphBuilder(16, 16, 3, seed=1)
    x = build.relu(build.conv(build.input, 32, kernel=3))
    x = build.relu(build.conv(x, 64, kernel=3))
    x = build.relu(build.conv(x, 40, kernel=1))
    graph = build.finish(build.gap(x))
    return integer_skeleton(run_passes(graph, Preprocess()))


class Programs:
    """Builds programs, and notes which layers of them are packed."""

    def __init__(self) -> None:
        options = ScheduleOptions(ram_bytes=1 << 20)
        self.builder = Builder(core_named("host"), options, "net", silent)
        self.packed: list[set[str]] = []

    def __call__(self, graph: Graph, packed: Mapping[str, PackedWeights]) -> CProgram:
        self.packed.append(set(packed))
        return self.builder.program(graph, packed)


def check(skeleton: Graph, options: WeightsOptions) -> tuple[ShapeSizes | None, Programs]:
    programs = Programs()
    sizes, _ = check_shapes(skeleton, programs, lambda program: CODE_BYTES, options)
    return sizes, programs


def packed_sizes(skeleton: Graph) -> ShapeSizes:
    sizes, _ = check(skeleton, WeightsOptions("packed"))
    assert sizes is not None
    return sizes


def test_sizes_are_those_of_real_programs(skeleton: Graph) -> None:
    sizes, program = packed_sizes(skeleton), Programs()
    assert [layer.weights for layer in sizes.layers] == sorted(
        (layer.weights for layer in sizes.layers), reverse=True
    )
    assert sizes.without_codes(0) == program(skeleton, {}).parameters_bytes
    for count in range(1, len(sizes.layers) + 1):
        zeros = program(skeleton, sizes.first(count)).parameters_bytes
        # Schedules cut layers into tiles of their own, and each tile has an offset.
        assert abs(zeros - sizes.without_codes(count)) <= 8 * count


@pytest.mark.parametrize("mode", ["auto", "plain"])
def test_nothing_is_packed_where_plain_weights_fit(skeleton: Graph, mode: str) -> None:
    plain = packed_sizes(skeleton).without_codes(0)
    for options in (
        WeightsOptions(mode), WeightsOptions(mode, budget_bytes=plain),
        WeightsOptions(mode, flash_bytes=plain + CODE_BYTES + CODE_MARGIN_BYTES),
    ):  # fmt: skip
        sizes, programs = check(skeleton, options)
        assert sizes is None
        assert programs.packed == [set()]


def test_plain_weights_that_do_not_fit(skeleton: Graph) -> None:
    plain = packed_sizes(skeleton).without_codes(0)
    with pytest.raises(DoesNotFitError, match="packed needs less") as caught:
        check(skeleton, WeightsOptions("plain", budget_bytes=plain - 1))
    assert caught.value.needed_bytes == plain
    assert caught.value.largest is not None


def test_auto_plans_with_no_more_packed_layers_than_the_limit_demands(skeleton: Graph) -> None:
    all_sizes = packed_sizes(skeleton)
    for needed in range(1, len(all_sizes.layers) + 1):
        limit = all_sizes.without_codes(needed)
        sizes, programs = check(skeleton, WeightsOptions(budget_bytes=limit))
        assert sizes is not None
        assert programs.packed[-1] == set(all_sizes.first(needed))


@pytest.mark.parametrize("mode", ["auto", "packed"])
def test_what_no_weights_can_meet(skeleton: Graph, mode: str) -> None:
    sizes = packed_sizes(skeleton)
    least = sizes.without_codes(len(sizes.layers))
    with pytest.raises(DoesNotFitError, match="without the weights") as caught:
        check(skeleton, WeightsOptions(mode, budget_bytes=least - 1))
    assert caught.value.needed_bytes == least
    with pytest.raises(DoesNotFitError, match="set aside") as caught:
        check(skeleton, WeightsOptions(mode, flash_bytes=least + CODE_BYTES))
    assert caught.value.where == "--flash"


def test_tiles_need_ram_too(skeleton: Graph) -> None:
    sizes = packed_sizes(skeleton)
    tight = Programs()
    plainly = Programs().builder.build(skeleton, {})
    smallest = plainly.candidates[0].arena_bytes + plainly.program.interface_bytes
    tight.builder = Builder(
        core_named("host"),
        replace(ScheduleOptions(), ram_bytes=smallest + STACK_RESERVE_BYTES),
        "net", silent,
    )  # fmt: skip
    with pytest.raises(DoesNotFitError) as caught:
        check_shapes(skeleton, tight, lambda program: None, WeightsOptions("packed"))
    assert caught.value.where == "--ram"
    plain, _ = check_shapes(skeleton, tight, lambda program: None, WeightsOptions())
    assert plain is None and sizes.layers


def test_zeros_make_plain_weights_smaller() -> None:
    """They are known before calibration, so what fits without them is not packed."""
    graph = pruned_graph(35, 47, 0.2)
    skeleton, plain = (integer_skeleton(graph, zeros_only=z) for z in (True, False))
    programs = Programs()
    programs.builder = Builder(
        core_named("cortex-m4"), ScheduleOptions(ram_bytes=1 << 20), "net", silent
    )
    with_zeros, without = (programs(g, {}).parameters_bytes for g in (skeleton, plain))
    assert without < 0.8 * with_zeros
    for limit, packed in ((without, False), (without - 1, True)):
        options = WeightsOptions(budget_bytes=limit)
        sizes, _ = check_shapes(skeleton, programs, lambda program: CODE_BYTES, options, plain)
        assert (sizes is not None) == packed
        assert sizes is None or sizes.without_codes(0) == without
    integer = quantised(graph, images=2)
    assert programs(integer, {}).parameters_bytes <= without
