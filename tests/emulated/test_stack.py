"""The stack bound holds: on every board, for every function, whatever the library takes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.emulate import simulate
from squeeze2c.emulate.callgraph import read_call_graph
from squeeze2c.emulate.stack import library_bytes, stack_bound
from squeeze2c.emulate.toolchain import LIBRARIES, find_toolchain
from squeeze2c.export import Artifact
from squeeze2c.ir import Graph
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.target import BOARDS, CORES, core_named
from tests.emulated.conftest import MakeArtifact
from tests.emulated.edits import MODEL
from tests.emulated.library_frames import stack_by_function
from tests.support.programs import generated_files
from tests.support.tools import require_tool

pytestmark = pytest.mark.emulated

CROSS = [core for core in CORES.values() if core.gcc_flags]
# A board per core; tests of boards check the bound on the others.
TARGETS = {board.core: name for name, board in reversed(BOARDS.items())}
TARGETS["cortex-m0"] = TARGETS["cortex-m3"]
PUSHED = {"init", "check_weights", "begin", "push_rows", "finish", "top_k", "softmax"}
LIBRARY = (
    "memcpy", "memset", "memmove", "__aeabi_memcpy", "__aeabi_memcpy4", "__aeabi_memset",
    "__aeabi_memclr", "__aeabi_memclr4", "__aeabi_lmul", "__aeabi_uldivmod", "__aeabi_ldivmod",
    "__aeabi_uidiv", "__aeabi_uidivmod", "__aeabi_idiv", "__aeabi_idivmod", "__aeabi_llsl",
    "__aeabi_llsr", "__aeabi_lasr", "__gnu_thumb1_case_uqi", "__gnu_thumb1_case_shi",
    "__gnu_thumb1_case_si",
)  # fmt: skip


@pytest.mark.parametrize(("core", "board"), TARGETS.items())
def test_the_bound_holds_on_every_core(
    core: str, board: str, make_artifact: MakeArtifact, tiny: Graph, images: np.ndarray
) -> None:
    """And is not far from what is measured."""
    bound = stack_bound(generated_files(tiny, core, MODEL), MODEL, core_named(core))
    assert bound is not None
    result = simulate(make_artifact(core), board, images[:1], count_instructions=False)
    measured = result.memory.function_stack_bytes
    assert set(measured) == PUSHED
    for function, used in measured.items():
        assert used <= bound.functions[function], function
    assert result.stack_bound_bytes == bound.bytes < 2048
    assert bound.functions["push_rows"] - measured["push_rows"] <= 64


@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2", "-Os"])
@pytest.mark.parametrize(("core", "board"), [("cortex-m0", "mps2-an385"), ("host", "mps3-an547")])
def test_the_bound_holds_at_every_optimisation(
    level: str, core: str, board: str, make_artifact: MakeArtifact, images: np.ndarray
) -> None:
    artifact = make_artifact(core, options=ScheduleOptions(input_mode="frame"))
    result = simulate(
        artifact, board, images[:1], optimisation=level, count_instructions=False
    )
    assert set(result.memory.function_stack_bytes) == {
        "init", "check_weights", "run", "top_k", "softmax"
    }  # fmt: skip
    assert result.stack_bound_bytes is not None
    assert result.memory.model_stack_bytes <= result.stack_bound_bytes
    assert "stack_measured_bytes" not in _manifest_ram(artifact)


def test_the_measurement_goes_into_the_manifest(
    make_artifact: MakeArtifact, images: np.ndarray
) -> None:
    artifact = make_artifact("cortex-m4")
    for board in ("stm32f405", "mps2-an386"):
        result = simulate(artifact, board, images[:1], count_instructions=False)
        ram = _manifest_ram(artifact)
        assert ram["stack_measured_bytes"] == result.memory.model_stack_bytes
        assert ram["stack_measured_board"] == board


def _manifest_ram(artifact: Artifact) -> dict[str, object]:
    document = json.loads((artifact.folder / "manifest.json").read_text(encoding="utf-8"))
    ram: dict[str, object] = document["ram"]
    return ram


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library[0])
@pytest.mark.parametrize("core", CROSS, ids=lambda core: core.name)
def test_allowances_for_the_library_are_enough(
    core: object, library: tuple[str, tuple[str, ...]], tmp_path: Path
) -> None:
    require_tool("arm-none-eabi-objdump")
    toolchain = find_toolchain()
    assert hasattr(core, "gcc_flags")
    (tmp_path / "start.c").write_text("int main(void) { return 0; }\n", encoding="utf-8")
    wanted = [f"-Wl,-u,{name}" for name in LIBRARY]
    toolchain.run(
        [*core.gcc_flags, *library[1], "-nostartfiles", "-Wl,-e,main", *wanted,
         "-Wl,--unresolved-symbols=ignore-all", "start.c", "-o", "library.elf"],
        tmp_path,
    )
    found = stack_by_function(tmp_path / "library.elf")
    checked = [name for name in LIBRARY if name in found]
    assert len(checked) > 12
    assert {name: found[name] for name in checked if found[name] > library_bytes(name)} == {}


def test_helpers_that_the_call_graph_omits_are_found(tmp_path: Path) -> None:
    """GCC calls a function for a jump table on a Cortex-M0, and its call graph says nothing."""
    cases = "\n".join(f"    case {i}: return g({i * i % 7}) + {i};" for i in range(12))
    (tmp_path / "jump.c").write_text(
        f"int g(int);\nint f(int x);\nint f(int x)\n{{\n    switch (x) {{\n{cases}\n    }}\n"
        "    return 0;\n}\n",
        encoding="utf-8",
    )
    flags = [*core_named("cortex-m0").gcc_flags, "-Os", "-fcallgraph-info=su"]
    find_toolchain().run([*flags, "-c", "jump.c", "-o", "jump.o"], tmp_path)
    seen: list[str] = []

    def allowance(name: str) -> int:
        seen.append(name)
        return 1000 if name.startswith("__gnu_thumb1_case") else 0

    assert "thumb1" not in (tmp_path / "jump.ci").read_text(encoding="utf-8")
    assert read_call_graph([tmp_path / "jump.o"], allowance).depth("f").stack_bytes >= 1000
    assert "g" in seen
