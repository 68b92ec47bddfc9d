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
from squeeze2c.schedule import ScheduleOptions
from tests.support.programs import every_operator_graph, generated_files, quantised

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
CASES = [("tiny", name) for name in FILES] + [("tiny_frame", n) for n in ("tiny.h", "tiny.c")]


@pytest.fixture(scope="module")
def folders() -> dict[str, dict[str, bytes]]:
    if os.environ.get(UPDATE) == "1" and not NETWORK.exists():
        NETWORK.write_bytes(dump_graph(quantised(every_operator_graph())))
    network = load_graph(NETWORK)
    return {name: generated_files(network, options=o) for name, o in FOLDERS.items()}


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
    others = {f for f in folders["tiny"] if not f.startswith("runtime/")}
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
