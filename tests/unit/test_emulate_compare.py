"""Counting differences between recorded rows and the oracle, and what the result says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from squeeze2c.emulate.compare import LayerComparison
from squeeze2c.emulate.elf import FirmwareImage, Section
from squeeze2c.emulate.records import Record, RecordKind
from squeeze2c.emulate.result import LayerResult, MemoryUse, SimulationResult
from squeeze2c.errors import InternalError
from squeeze2c.ir import Graph
from squeeze2c.reference import evaluate_int
from tests.support.programs import camera_builder, quantised, random_images


@pytest.fixture(scope="module")
def network() -> Graph:
    build = camera_builder(5, 4)
    x = build.conv(build.input, 3, kernel=3, padding=1, relu=True, name="stem")
    return quantised(build.finish(build.conv(x, 2, global_pool=True, name="end")), images=2)


@pytest.fixture
def artifact(network: Graph) -> Any:
    stem, end = network.nodes
    return SimpleNamespace(
        layers=(
            {"name": "stem", "output": stem.output, "shape": [5, 4, 3]},
            {"name": "end", "output": end.output, "shape": [2]},
        )
    )


@pytest.fixture
def image(network: Graph) -> np.ndarray:
    return random_images(network, 1, seed=3)


def _records(network: Graph, image: np.ndarray) -> list[Record]:
    """What correct firmware records, rows from the last to the first."""
    values = evaluate_int(network, image)
    stem, end = network.nodes
    rows = values[stem.output][0]
    records = [
        Record(RecordKind.ROW, 0, row, rows[row].tobytes()) for row in reversed(range(len(rows)))
    ]
    return [*records, Record(RecordKind.LOGITS, 0, 0, values[end.output][0].tobytes())]


def _flipped(record: Record, *places: int) -> Record:
    data = bytearray(record.data)
    for place in places:
        data[place] ^= 0x80
    return Record(record.kind, record.first, record.second, bytes(data))


def test_equal_records(artifact: Any, network: Graph, image: np.ndarray) -> None:
    comparison = LayerComparison(artifact, network)
    images = np.concatenate([image, image])
    comparison.compare(images, 2 * _records(network, image))
    assert comparison.mismatches == [0, 0]
    assert len(comparison.logits) == 2
    assert comparison.bytes_per_image == 5 * 4 * 3 + 2 * 4


def test_bytes_and_logits_are_counted(artifact: Any, network: Graph, image: np.ndarray) -> None:
    records = _records(network, image)
    records[1] = _flipped(records[1], 0, 7, 11)
    records[-1] = _flipped(records[-1], 4, 5)  # two bytes of one logit
    comparison = LayerComparison(artifact, network)
    comparison.compare(image, records)
    assert comparison.mismatches == [3, 1]


def test_a_missing_row_counts_in_full(artifact: Any, network: Graph, image: np.ndarray) -> None:
    comparison = LayerComparison(artifact, network)
    comparison.compare(image, _records(network, image)[1:])
    assert comparison.mismatches == [12, 0]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (Record(RecordKind.ROW, 1, 0, b""), "layer 1, which has none"),
        (Record(RecordKind.ROW, 9, 0, b""), "layer 9, which has none"),
        (Record(RecordKind.ROW, 0, 5, bytes(12)), "row 5 of stem"),
        (Record(RecordKind.ROW, 0, 0, bytes(11)), "11 bytes, not 12"),
        (Record(RecordKind.END, 0, 0, b""), "unexpected record END"),
    ],
)
def test_records_of_another_network_are_refused(
    record: Record, message: str, artifact: Any, network: Graph, image: np.ndarray
) -> None:
    with pytest.raises(InternalError, match=message):
        LayerComparison(artifact, network).compare(image, [record])


def test_a_row_twice_is_refused(artifact: Any, network: Graph, image: np.ndarray) -> None:
    first, *others = _records(network, image)
    with pytest.raises(InternalError, match="twice"):
        LayerComparison(artifact, network).compare(image, [first, first, *others])


def test_memory_adds_up() -> None:
    sections = (
        Section(".vectors", 64, in_flash=True, in_ram=False),
        Section(".harness_text", 1000, in_flash=True, in_ram=False),
        Section(".text", 2000, in_flash=True, in_ram=False),
        Section(".rodata", 3000, in_flash=True, in_ram=False),
        Section(".data", 16, in_flash=True, in_ram=True),
        Section(".arena", 4000, in_flash=False, in_ram=True),
        Section(".frame", 500, in_flash=False, in_ram=True),
        Section(".harness_bss", 60, in_flash=False, in_ram=True),
        Section(".bss", 7, in_flash=False, in_ram=True),
        Section(".stack", 4352, in_flash=False, in_ram=True),
    )
    memory = MemoryUse.measure(FirmwareImage(sections, ()), 300, {"init": 16, "run": 200})
    assert memory.other_bytes == 16 + 7
    assert memory.ram_bytes == 16 + 4000 + 500 + 60 + 7 + 300
    assert memory.flash_bytes == 64 + 1000 + 2000 + 3000 + 16
    assert memory.code_and_constants_bytes == 2000 + 3000 + 16
    layers = (LayerResult("stem", 10, 3), LayerResult("end", 5, 1))
    result = SimulationResult(
        "mps2-an385", "host", "cortex-m3", "gcc", 1, layers, 2, memory, 2900
    )
    document = result.to_json()
    assert document["mismatches"] == 6
    assert (document["ram_bytes"], document["flash_bytes"]) == (4883, 6080)
    assert document["instructions"] is None
    assert document["ram"]["model_stack_bytes"] == 200
    assert document["ram"]["model_stack_bound_bytes"] is None
