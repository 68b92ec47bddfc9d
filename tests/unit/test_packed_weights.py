"""Which layers can be packed, in which tiles, and what schedules make of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from squeeze2c.entropy import decode_layer
from squeeze2c.errors import InternalError
from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import (
    TILE_BYTES,
    UNPACK_TABLE_BYTES,
    KernelSpec,
    default_tile_channels,
    tile_scratch,
)
from squeeze2c.kernels.catalogue import CONV2D, CONV2D_DSP, WINOGRAD_DSP
from squeeze2c.lower import pack_convolution, pack_weights
from squeeze2c.lower.packed_weights import Convolution, with_tiles
from squeeze2c.memory import collect_buffers, lower_bound_bytes, plan_memory
from squeeze2c.pipeline import build_program
from squeeze2c.schedule import Candidate, Schedule, ScheduleOptions, candidates
from squeeze2c.schedule.cost import decoding_by_stage
from squeeze2c.target import core_named
from tests.support.integer_graphs import with_random_integers
from tests.support.packed import convolutions
from tests.support.programs import camera_builder

CORE = core_named("cortex-m4")


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Maps of 16, 8 and 4 rows; the late layers have most of the weights."""
    build = camera_builder(32, 30)
    x = build.conv(build.input, 8, kernel=3, stride=2, padding=1, relu=True, name="stem")
    x = build.maxpool(x, kernel=2, stride=2, name="pool1")
    x = build.conv(x, 24, kernel=3, padding=1, relu=True, name="middle")
    x = build.maxpool(x, kernel=2, stride=2, name="pool2")
    x = build.conv(x, 100, kernel=3, padding=1, relu=True, name="late")
    last = build.conv(x, 101, global_pool=True, name="last")
    return with_random_integers(build.finish(last), packable=True)


def node_of(graph: Graph, name: str) -> Convolution:
    node = graph.node(name)
    assert isinstance(node, ops.QConv2D | ops.QConvGlobalPool)
    return node


def changed(graph: Graph, name: str, values: np.ndarray) -> Graph:
    """``graph`` with another constant ``name``."""
    assert name in graph.constants
    return replace(graph, constants={**graph.constants, name: values})


def test_packed_weights_are_those_of_the_layer(graph: Graph) -> None:
    packed = pack_weights(graph)
    assert set(packed) >= {"late", "last"}
    for name, layer in packed.items():
        weight, bias, multiplier = (
            graph.constants[c] for c in node_of(graph, name).inputs[1:4]
        )
        decoded, short, index = decode_layer(layer.code)
        np.testing.assert_array_equal(decoded, weight.reshape(len(weight), -1))
        np.testing.assert_array_equal(short.astype(np.int32) << layer.bias_shift, bias)
        np.testing.assert_array_equal(layer.multipliers[index], multiplier)
        assert layer.size_bytes < weight.nbytes + bias.nbytes + multiplier.nbytes
        assert layer.code.tile_channels == default_tile_channels(*decoded.shape)


def test_what_would_not_become_smaller_stays_plain() -> None:
    build = camera_builder(5, 4)
    x = build.conv(build.input, 2, name="tiny")
    tiny = with_random_integers(
        build.finish(build.conv(x, 3, global_pool=True, name="last")), packable=True
    )
    assert pack_weights(tiny) == {}
    assert pack_convolution(tiny, node_of(tiny, "tiny")) is not None


def test_what_cannot_be_packed(graph: Graph) -> None:
    late = node_of(graph, "late")
    _, _, bias, multiplier = late.inputs
    many = (np.arange(100) % 17 + 1000).astype(np.int32)
    wide = graph.constants[bias].copy()
    wide[:2] = (1, 128)
    for unsuitable in (changed(graph, multiplier, many), changed(graph, bias, wide)):
        assert pack_convolution(unsuitable, late) is None
        assert "late" not in pack_weights(unsuitable)
        packed = pack_convolution(graph, late)
        assert packed is not None
        with pytest.raises(InternalError, match="weights of late were packed and cannot be"):
            with_tiles(unsuitable, late, packed, 7)
    sixteen = (np.arange(100) % 16 + 1000).astype(np.int32)
    assert pack_convolution(changed(graph, multiplier, sixteen), late) is not None
    wide[:2] = (-128, 127)
    assert pack_convolution(changed(graph, bias, wide.clip(-128, 127)), late) is not None


def test_other_tiles_hold_the_same_weights(graph: Graph) -> None:
    late = node_of(graph, "late")
    packed = pack_convolution(graph, late)
    assert packed is not None
    assert with_tiles(graph, late, packed, packed.code.tile_channels) is packed
    other = with_tiles(graph, late, packed, 33)
    assert (other.code.tile_channels, other.code.tiles) == (33, 4)
    for one, same in zip(decode_layer(packed.code), decode_layer(other.code), strict=True):
        np.testing.assert_array_equal(one, same)


@pytest.mark.parametrize("columns", [8, 24, 26, 4609])
@pytest.mark.parametrize(
    ("kernel", "weights"), [(CONV2D, 5 * 27), (CONV2D_DSP, 6 * 28), (WINOGRAD_DSP, 6 * 28)]
)
def test_tiles_lie_behind_the_columns_of_the_kernel(
    columns: int, kernel: KernelSpec, weights: int
) -> None:
    scratch = tile_scratch(kernel, columns, taps=27, tile_channels=5)
    assert columns <= scratch.decoded_offset_bytes < columns + 4
    assert scratch.decoded_offset_bytes % 4 == 0
    decoded = UNPACK_TABLE_BYTES + 5 * (4 + 4) + weights
    assert scratch.size_bytes == scratch.decoded_offset_bytes + decoded


def family(graph: Graph, quick: bool = True) -> tuple[Candidate, ...]:
    tiles = {name: layer.code.tile_channels for name, layer in pack_weights(graph).items()}

    def at_least(schedule: Schedule) -> int:
        return lower_bound_bytes(collect_buffers(graph, schedule)) if quick else 0

    return candidates(
        graph, CORE, True, "auto", lambda s: plan_memory(graph, s).arena_bytes,
        packed=tiles, at_least_bytes=at_least,
    )  # fmt: skip


def test_the_lower_bound_only_spares_plans(graph: Graph) -> None:
    assert family(graph) == family(graph, quick=False)


def test_memory_buys_larger_tiles_and_fewer_decodings(graph: Graph) -> None:
    found = family(graph)
    tiles = [dict((s.node, s.tile_channels) for s in c.schedule.stages) for c in found]
    assert tiles[0]["late"] < tiles[-1]["late"]
    decoding = [sum(decoding_by_stage(graph, c.schedule)) for c in found]
    assert decoding[-1] == min(decoding) < decoding[0] / 3


def test_codes_follow_the_tiles_of_the_schedule(graph: Graph) -> None:
    packed = pack_weights(graph)
    built = build_program(graph, CORE, "net", ScheduleOptions(ram_bytes=1 << 20), packed=packed)
    tiles = {stage.node: stage.tile_channels for stage in built.chosen.schedule.stages}
    assert tiles["late"] > packed["late"].code.tile_channels
    for layer in built.program.layers:
        if layer.name in packed:
            assert layer.conv is not None and layer.conv.packed is not None
            assert layer.conv.packed.tile_channels == tiles[layer.name]
            assert layer.conv.packed.scratch.size_bytes == layer.scratch_bytes
    assert set(convolutions(graph)) >= set(packed)


def test_tiles_grow_with_their_bytes() -> None:
    channels = [default_tile_channels(256, 576, size) for size in TILE_BYTES]
    assert channels == [8, 12, 20, 28, 40, 56]
    assert default_tile_channels(5, 576, TILE_BYTES[-1]) == 5
    assert default_tile_channels(64, 5000) == 8
