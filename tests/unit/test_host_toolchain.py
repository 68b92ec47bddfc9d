"""Finding and running the PC's compiler."""

from __future__ import annotations

from pathlib import Path

import pytest

from squeeze2c.errors import ToolchainError
from squeeze2c.host import HostCompiler
from tests.support.tools import require_tool

SOURCE = "int answer(void) { return ANSWER; }\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    require_tool("gcc")
    path = tmp_path / "answer.c"
    path.write_text(SOURCE)
    return path


def fake_compiler(path: Path, refused: str) -> str:
    """A compiler that rejects the flag ``refused`` and is gcc otherwise."""
    path.write_text(
        f'#!/bin/sh\nfor a; do [ "$a" = "{refused}" ] && echo "bad flag $a" >&2 && exit 1; done\n'
        'exec gcc "$@"\n'
    )
    path.chmod(0o755)
    return str(path)


def test_missing_compiler_says_how_to_get_one() -> None:
    with pytest.raises(ToolchainError, match="is not installed") as caught:
        HostCompiler.find("no-such-compiler")
    assert caught.value.command == "no-such-compiler"
    assert caught.value.hint is not None and "apt-get install gcc" in caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_name_is_no_compiler(name: str) -> None:
    with pytest.raises(ToolchainError, match="is not installed"):
        HostCompiler.find(name)


def test_default_flags_optimise_for_this_machine() -> None:
    require_tool("gcc")
    found = HostCompiler.find("gcc")
    assert found.flags[0] == "-O3"
    assert found.description.startswith("gcc -O3")


def test_march_native_is_dropped_where_the_compiler_does_not_know_it(tmp_path: Path) -> None:
    require_tool("gcc")
    found = HostCompiler.find(fake_compiler(tmp_path / "cc", "-march=native"))
    assert found.flags == ("-O3",)


def test_flags_that_were_asked_for_are_never_dropped(tmp_path: Path) -> None:
    require_tool("gcc")
    compiler = fake_compiler(tmp_path / "cc", "-march=native")
    with pytest.raises(ToolchainError, match="bad flag -march=native"):
        HostCompiler.find(compiler, ("-march=native",))


def test_a_command_may_have_arguments() -> None:
    require_tool("gcc")
    found = HostCompiler.find("env gcc", ("-O1",))
    assert found.command == ("env", "gcc")
    assert "__VERSION__" in found.identity


def test_a_path_with_spaces_is_a_program(tmp_path: Path) -> None:
    require_tool("gcc")
    (tmp_path / "my tools").mkdir()
    compiler = fake_compiler(tmp_path / "my tools" / "cc", "-never")
    assert HostCompiler.find(compiler, ()).command == (compiler,)


def test_identity_depends_on_instruction_sets() -> None:
    require_tool("gcc")
    assert HostCompiler.find("gcc", ("-O1",)) == HostCompiler.find("gcc", ("-O1",))
    plain, optimised = (HostCompiler.find("gcc", (f,)).identity for f in ("-O0", "-O2"))
    assert plain != optimised


def test_failure_shows_command_and_diagnostics(source: Path, tmp_path: Path) -> None:
    compiler = HostCompiler.find("gcc", ("-O1",))
    with pytest.raises(ToolchainError, match="ANSWER") as caught:
        compiler.build_library([source], [], [], tmp_path / "answer.so")
    assert caught.value.stderr is not None and "undeclared" in caught.value.stderr
    assert caught.value.command is not None and str(source) in caught.value.command
    compiler.build_library([source], [], ["ANSWER=42"], tmp_path / "answer.so")
    assert (tmp_path / "answer.so").exists()
