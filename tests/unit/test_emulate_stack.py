"""Stack bounds: sums over call graphs, what cannot be bounded, and what goes into manifests."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from squeeze2c.emulate import record
from squeeze2c.emulate.callgraph import CallGraph, CompiledUnit
from squeeze2c.emulate.record import record_stack, with_ram_facts
from squeeze2c.emulate.stack import OTHER_LIBRARY_BYTES, library_bytes, stack_bound
from squeeze2c.errors import InternalError, ToolchainError
from squeeze2c.target import core_named
from tests.support.programs import every_operator_graph, generated_files, quantised
from tests.support.tools import require_tool

HOST = core_named("host")


def _node(title: str, label: str = "") -> str:
    text = rf"{title}\nfile.c:1:2\n{label}" if label else rf"{title}\n<built-in>"
    return f'node: {{ title: "{title}" label: "{text}" }}\n'


def _edge(caller: str, callee: str) -> str:
    return f'edge: {{ sourcename: "{caller}" targetname: "{callee}" label: "file.c:3:4" }}\n'


def _graph(*texts: str) -> CallGraph:
    graph = CallGraph(lambda name: {"memcpy": 20}.get(name, 1000))
    for text in texts:
        graph.add(CompiledUnit(text))
    return graph


def test_frames_add_up_along_the_deepest_path_over_files() -> None:
    first = (
        _node("run", "16 bytes (static)")
        + _node("a.c:inner", "8 bytes (static)")
        + _node("kernel")
        + _edge("run", "a.c:inner")
        + _edge("run", "memcpy")
        + _edge("a.c:inner", "kernel")
    )
    second = _node("kernel", "100 bytes (static)") + _node("memcpy") + _edge("kernel", "memcpy")
    for texts in ((first, second), (second, first)):
        depth = _graph(*texts).depth("run")
        assert depth.stack_bytes == 16 + 8 + 100 + 20
        assert depth.path == ("run", "inner", "kernel", "memcpy")


def test_static_functions_of_two_files_are_two_functions() -> None:
    graph = _graph(
        _node("one", "0 bytes (static)")
        + _node("a.c:f", "8 bytes (static)")
        + _edge("one", "a.c:f"),
        _node("two", "0 bytes (static)")
        + _node("b.c:f", "40 bytes (static)")
        + _edge("two", "b.c:f"),
    )
    assert (graph.depth("one").stack_bytes, graph.depth("two").stack_bytes) == (8, 40)
    assert graph.has("one") and not graph.has("memcpy")


def test_a_function_of_a_header_counts_with_what_it_takes_anywhere() -> None:
    small = _node("a.h:f", "8 bytes (static)") + _node("g", "8 bytes (static)")
    large = _node("a.h:f", "24 bytes (static)") + _edge("a.h:f", "memcpy")
    for texts in ((small, large), (large, small)):
        caller = _node("run", "0 bytes (static)") + _edge("run", "a.h:f")
        assert _graph(caller, *texts).depth("run").stack_bytes == 24 + 20


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_node("run", "8 bytes (static)") + _edge("run", "run"), "recursion: run calls run"),
        (
            _node("run", "8 bytes (static)") + _node("x.c:f", "8 bytes (static)")
            + _node("x.c:g", "8 bytes (static)") + _edge("run", "x.c:f")
            + _edge("x.c:f", "x.c:g") + _edge("x.c:g", "x.c:f"),
            "recursion: f calls g calls f",
        ),
        (
            _node("run", "8 bytes (static)") + _edge("run", "__indirect_call"),
            "run calls a function through a pointer",
        ),
        (_node("run", "64 bytes (dynamic)"), "stack of run is not known"),
        (_node("run", "64 bytes (dynamic,bounded)"), "stack of run is not known"),
    ],
)  # fmt: skip
def test_what_cannot_be_bounded_is_a_bug(text: str, message: str) -> None:
    with pytest.raises(InternalError, match=message):
        _graph(text).depth("run")


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return generated_files(quantised(every_operator_graph()), "host")


@pytest.fixture(scope="module")
def cc() -> None:
    require_tool("cc")


def test_the_bound_of_a_generated_folder(files: dict[str, bytes], cc: None) -> None:
    bound = stack_bound(files, "tiny", HOST)
    assert bound is not None
    assert {"init", "run", "begin", "push_rows", "finish", "top_k"} < set(bound.functions)
    assert bound.bytes == bound.functions["run"] >= bound.functions["push_rows"]
    assert 128 < bound.bytes < 2048
    assert bound.path[0] == "tiny_run"
    assert "cc" in bound.compiler


DIG = """uint32_t dig(uint32_t n);
uint32_t dig(uint32_t n)
{
    volatile uint32_t hole[9];
    hole[n % 9u] = n;
    return n == 0u ? 0u : hole[0] * dig(n - 1u) + hole[1];
}
"""
LEAP = """void leap(void (*const *to)(void));
void leap(void (*const *to)(void))
{
    to[0]();
    to[1]();
}
"""
SWELL = """void swell(uint32_t n);
void swell(uint32_t n)
{
    volatile uint8_t hole[n];
    hole[0] = 1;
}
"""


@pytest.mark.parametrize(
    ("definition", "call", "message"),
    [
        (DIG, "(void)dig(count);", "recursion: dig"),
        (LEAP, "leap((void (*const *)(void))(const void *)rows);", "through a pointer"),
        (SWELL, "swell(count);", "stack of swell is not known"),
    ],
    ids=["recursion", "pointer", "variable length"],
)
def test_c_without_a_bound(
    definition: str, call: str, message: str, files: dict[str, bytes], cc: None
) -> None:
    marker = "\ns2c_status tiny_push_rows("
    head, tail = files["tiny.c"].decode().split(marker)
    tail = tail.replace("    return S2C_OK;", f"    {call}\n    return S2C_OK;", 1)
    changed = f"{head}\n{definition}{marker}{tail}"
    with pytest.raises(InternalError, match=message):
        stack_bound({**files, "tiny.c": changed.encode()}, "tiny", HOST)


def test_code_is_measured(files: dict[str, bytes], cc: None) -> None:
    """More code takes more bytes; parameters do not count."""
    bound = stack_bound(files, "tiny", HOST)
    table = b"const unsigned char tiny_more[4096] = {1};\n"
    larger = stack_bound({**files, "tiny.c": files["tiny.c"] + table}, "tiny", HOST)
    weights = {"tiny_weights.c": files["tiny_weights.c"] + table}
    same = stack_bound({**files, **weights}, "tiny", HOST)
    assert bound is not None and larger is not None and same is not None
    assert 1000 < bound.code_bytes == same.code_bytes
    assert 4096 <= larger.code_bytes - bound.code_bytes < 4096 + 256


def test_broken_c_is_a_toolchain_error(files: dict[str, bytes], cc: None) -> None:
    with pytest.raises(ToolchainError, match="planted"):
        stack_bound({**files, "tiny.c": b"#error planted\n"}, "tiny", HOST)


@pytest.mark.parametrize("target", ["host", "cortex-m0", "cortex-m55"])
def test_no_compiler_no_bound(
    target: str, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert stack_bound(files, "tiny", core_named(target)) is None


def test_a_compiler_without_call_graphs_gives_no_bound(
    files: dict[str, bytes], cc: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """GCC before version 10, or Clang."""
    fake = tmp_path / "cc"
    fake.write_text(
        '#!/bin/sh\ncase "$*" in *-fcallgraph-info*) exit 1;; esac\n'
        f'exec {require_tool("cc")} "$@"\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert stack_bound(files, "tiny", HOST) is None


def test_an_unknown_library_function_gets_the_largest_allowance() -> None:
    known = ("memcpy", "__aeabi_memclr8", "__aeabi_lmul", "__aeabi_uidivmod")
    assert max(map(library_bytes, known)) < library_bytes("__mystery") == OTHER_LIBRARY_BYTES
    assert library_bytes("memcpy_of_another_kind") == OTHER_LIBRARY_BYTES


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    """An artifact, as far as recording is concerned."""
    text = json.dumps({"name": "net", "ram": {"arena_bytes": 64}}, indent=2)
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    return SimpleNamespace(folder=tmp_path)


def test_facts_go_into_the_manifest(folder: Any) -> None:
    file = folder.folder / "manifest.json"
    mode = file.stat().st_mode
    record_stack(folder, 300, "stm32f405")
    record_stack(folder, 200, "mps2-an386")
    assert json.loads(file.read_text(encoding="utf-8")) == {
        "name": "net",
        "ram": {
            "arena_bytes": 64, "stack_measured_bytes": 200, "stack_measured_board": "mps2-an386",
        },
    }  # fmt: skip
    assert file.stat().st_mode == mode
    assert [path.name for path in folder.folder.iterdir()] == ["manifest.json"]
    assert json.loads(with_ram_facts(file.read_text(), stack_bound_bytes=None))["ram"][
        "stack_bound_bytes"
    ] is None


@pytest.mark.parametrize("refuses", ["replace", "fdopen"])
def test_a_folder_that_cannot_be_written_stays_as_it_is(
    refuses: str, folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("read-only")

    before = (folder.folder / "manifest.json").read_bytes()
    patched: Callable[..., None] = refuse
    monkeypatch.setattr(record.os, refuses, patched)
    record_stack(folder, 300, "stm32f405")
    assert (folder.folder / "manifest.json").read_bytes() == before
    assert [path.name for path in folder.folder.iterdir()] == ["manifest.json"]
