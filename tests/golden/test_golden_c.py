"""Generated text against files that a person has read.

After an intended change, S2C_UPDATE_GOLDEN=1 rewrites network and files; read the diff.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from squeeze2c.ir import dump_graph, load_graph
from tests.support.programs import every_operator_graph, generated_files, quantised

GOLDEN = Path(__file__).parent / "tiny"
NETWORK = Path(__file__).parent / "tiny.npz"
"""The quantised network itself: what the quantizer finds may differ between processors."""

UPDATE = "S2C_UPDATE_GOLDEN"
FILES = (
    "tiny.h",
    "tiny.c",
    "tiny_weights.h",
    "tiny_weights.c",
    "CMakeLists.txt",
    "Makefile",
    "README.md",
    "manifest.json",
)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    if os.environ.get(UPDATE) == "1":
        NETWORK.write_bytes(dump_graph(quantised(every_operator_graph())))
    return generated_files(load_graph(NETWORK))


@pytest.mark.parametrize("name", FILES)
def test_generated_text_is_the_golden_text(files: dict[str, bytes], name: str) -> None:
    golden = GOLDEN / name
    if os.environ.get(UPDATE) == "1":
        golden.parent.mkdir(exist_ok=True)
        golden.write_bytes(files[name])
    assert files[name].decode() == golden.read_text(encoding="utf-8")


def test_every_generated_file_is_known(files: dict[str, bytes]) -> None:
    others = {f for f in files if not f.startswith(("runtime/", "reference/"))}
    assert others == set(FILES)


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
