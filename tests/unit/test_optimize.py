"""Code for speed or for size: build files, manifest, and what is set aside for code."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.errors import UsageError
from squeeze2c.export import read_artifact, write_folder
from squeeze2c.packing import WeightsOptions
from squeeze2c.pipeline import build_program, compile_model
from squeeze2c.target import core_named
from tests.support.programs import every_operator_graph, files_of, quantised
from tests.support.tools import require_tool


@pytest.fixture(scope="module")
def folders() -> Mapping[str, Mapping[str, bytes]]:
    """The files of one network, by what it is optimised for."""
    graph = quantised(every_operator_graph())
    built = build_program(graph, core_named("cortex-m4"), "tiny")
    return {aim: files_of(built, graph, optimize=aim) for aim in ("speed", "size")}


def test_the_c_is_the_same(folders: Mapping[str, Mapping[str, bytes]]) -> None:
    differing = {
        path for path, content in folders["size"].items() if folders["speed"][path] != content
    }
    assert differing == {"CMakeLists.txt", "Makefile", "manifest.json"}


@pytest.mark.parametrize(("aim", "flag"), [("speed", "-O3"), ("size", "-Os")])
def test_build_files_ask_for_it(
    aim: str, flag: str, folders: Mapping[str, Mapping[str, bytes]]
) -> None:
    makefile = folders[aim]["Makefile"].decode()
    assert f"CFLAGS ?= {flag}\n" in makefile
    assert f'CFLAGS="{flag} -mthumb' in makefile
    assert f"$<$<NOT:$<CONFIG:Debug>>:{flag}>" in folders[aim]["CMakeLists.txt"].decode()


@pytest.mark.parametrize(
    ("aim", "build_type", "last"),
    [("speed", "", "-O3"), ("speed", "Debug", None), ("size", "Release", "-Os")],
)
def test_cmake_passes_it_on(
    aim: str, build_type: str, last: str | None,
    folders: Mapping[str, Mapping[str, bytes]], tmp_path: Path,
) -> None:  # fmt: skip
    """Behind the flags of CMake's own build types, but a debugger's build stays one."""
    cmake = require_tool("cmake")
    require_tool("make")
    write_folder(tmp_path / "out", folders[aim])
    build = tmp_path / "build"
    subprocess.run(
        [cmake, "-G", "Unix Makefiles", "-S", tmp_path / "out", "-B", build,
         "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", f"-DCMAKE_BUILD_TYPE={build_type}"],
        check=True, capture_output=True,
    )  # fmt: skip
    commands = json.loads((build / "compile_commands.json").read_text())
    for entry in commands:
        levels = [flag for flag in entry["command"].split() if flag.startswith("-O")]
        assert levels[-1:] == ([last] if last else [])


@pytest.mark.parametrize(("aim", "flag"), [("speed", "-O3"), ("size", "-Os")])
def test_the_manifest_says_so(
    aim: str, flag: str, folders: Mapping[str, Mapping[str, bytes]], tmp_path: Path
) -> None:
    write_folder(tmp_path / "out", folders[aim])
    artifact = read_artifact(tmp_path / "out")
    assert (artifact.optimize, artifact.optimisation) == (aim, flag)
    assert json.loads(folders[aim]["manifest.json"])["build"]["optimize"] == aim


def test_folders_of_before_are_for_speed(
    folders: Mapping[str, Mapping[str, bytes]], tmp_path: Path
) -> None:
    write_folder(tmp_path / "out", folders["size"])
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    del manifest["build"]["optimize"]
    (tmp_path / "out" / "manifest.json").write_text(json.dumps(manifest))
    assert read_artifact(tmp_path / "out").optimisation == "-O3"


def test_less_is_set_aside_for_smaller_code() -> None:
    for packed in (False, True):
        speed = WeightsOptions(flash_bytes=1 << 20).with_code(None, packed)
        size = WeightsOptions(flash_bytes=1 << 20, optimize="size").with_code(None, packed)
        assert speed.code_bytes - size.code_bytes == 7 * 1024
        assert size.with_code(5000, packed).code_bytes == speed.with_code(5000, packed).code_bytes


def test_other_aims_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown aim 'fun'"):
        compile_model(
            tmp_path / "any.onnx", tmp_path / "out", calibration=np.zeros((1, 8, 8, 3), np.uint8),
            optimize="fun",
        )
