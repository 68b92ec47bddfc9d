"""Generated text against files that a person has read.

After an intended change, S2C_UPDATE_GOLDEN=1 rewrites the files, and the network where it
was deleted; read the diff.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from squeeze2c.ir import dump_graph, load_graph
from squeeze2c.schedule import (
    ScheduleOptions,
    collect_stages,
    place_feature_maps,
    schedule_stream,
)
from squeeze2c.target import core_named
from tests.support.integer_graphs import with_random_integers
from tests.support.packed import built_program, convolutions, pack_in_tiles
from tests.support.programs import every_operator_graph, files_of, generated_files, quantised

GOLDEN = Path(__file__).parent
NETWORK = Path(__file__).parent / "tiny.npz"
"""The quantised network itself: what the quantizer finds may differ between processors."""

UPDATE = "S2C_UPDATE_GOLDEN"
FOLDERS = {
    "tiny": ScheduleOptions(),
    # Everything else that the templates can print: whole maps, the image in the caller's memory.
    "tiny_frame": ScheduleOptions("layerwise", "frame"),
}
FILES = (
    "tiny.h",
    "tiny.c",
    "tiny_weights.h",
    "tiny_weights.c",
    "CMakeLists.txt",
    "Makefile",
    "README.md",
    "manifest.json",
    "reference/schedule.json",
)
CODE = ("tiny.h", "tiny.c")
CASES = [
    *(("tiny", name) for name in FILES),
    *(("tiny_frame", name) for name in CODE),
    *(("tiny_packed", name) for name in (*CODE, "tiny_weights.c")),
]


@pytest.fixture(scope="module")
def folders() -> dict[str, dict[str, bytes]]:
    if os.environ.get(UPDATE) == "1" and not NETWORK.exists():
        NETWORK.write_bytes(dump_graph(quantised(every_operator_graph())))
    network = load_graph(NETWORK)
    made = {name: generated_files(network, options=o) for name, o in FOLDERS.items()}
    return made | {"tiny_packed": packed_files()}


def packed_files() -> dict[str, bytes]:
    """The same layers with few-valued weights: packed in tiles of 3 channels, the stem plain."""
    graph = with_random_integers(every_operator_graph(), packable=True)
    tiles = {name: 3 for name in convolutions(graph) if name != "stem"}
    placements = place_feature_maps(graph)
    stages = collect_stages(graph, placements, core_named("cortex-m4"), tiles)
    strips = [min(2, stage.rows) for stage in stages]
    running = [stage.pool for stage in stages]
    schedule = schedule_stream(graph, placements, stages, strips, running, True)
    packed = pack_in_tiles(graph, tiles)
    return files_of(built_program(graph, schedule, packed, "tiny"), graph)


@pytest.mark.parametrize(("folder", "name"), CASES)
def test_generated_text_is_the_golden_text(
    folders: dict[str, dict[str, bytes]], folder: str, name: str
) -> None:
    golden, text = GOLDEN / folder / name, folders[folder][name]
    if os.environ.get(UPDATE) == "1":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_bytes(text)
    assert text.decode() == golden.read_text(encoding="utf-8")


def test_every_generated_file_is_known(folders: dict[str, dict[str, bytes]]) -> None:
    others = {f for f in folders["tiny"] if not f.startswith(("runtime/", "profile/"))}
    assert others == {*FILES, "reference/oracle.npz", "reference/model.onnx"}


_DIGESTS = """
import hashlib
from tests.support.programs import every_operator_graph, generated_files, quantised
for path, content in generated_files(quantised(every_operator_graph())).items():
    print(path, hashlib.sha256(content).hexdigest())
"""


def test_bytes_do_not_depend_on_the_hash_seed(checkout: Path) -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", _DIGESTS],
            cwd=checkout,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
