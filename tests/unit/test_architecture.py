"""Imports run one way, as ``docs/architecture.md`` says."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "squeeze2c"
GROUND_FLOOR = (
    "ir", "errors", "target", "resources", "progress", "cache", "entropy", "_version",
)  # fmt: skip
STAGES = (
    "frontend", "passes", "reference", "quantize", "entropy", "kernels", "schedule", "memory",
    "lower", "codegen", "export", "host", "emulate", "verification", "report", "planning",
    "assembly", "packing", "pipeline", "cli",
)
TOP = ("__init__", "__main__")
OPTIONAL = ("torch", "onnxruntime", "onnx2torch", "matplotlib", "skimage", "sklearn", "torchvision")


def stage_of(path: Path) -> str:
    """The package or top-level module that the file ``path`` belongs to."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def allowed(stage: str) -> set[str]:
    """What the modules of ``stage`` may import of this project."""
    if stage in TOP:
        return {*GROUND_FLOOR, *STAGES, *TOP}
    if stage in GROUND_FLOOR:
        return set(GROUND_FLOOR)
    return {*GROUND_FLOOR, *STAGES[: STAGES.index(stage) + 1]}


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import, wherever in the file it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            if node.level:
                yield node.lineno, "." * node.level + (node.module or "")
            elif node.module == "squeeze2c":
                yield from ((node.lineno, f"squeeze2c.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module or ""


def violations(source: str, stage: str) -> list[str]:
    """Imports in ``source``, a module of ``stage``, that run the wrong way."""
    found = []
    for line, name in imports(ast.parse(source)):
        first, _, rest = name.partition(".")
        if not first:
            found.append(f"{line}: relative import of {name}")
        elif first == "squeeze2c" and (rest.split(".")[0] or "__init__") not in allowed(stage):
            found.append(f"{line}: {stage} imports {name}")
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


def test_every_module_has_its_place() -> None:
    known = {*GROUND_FLOOR, *STAGES, *TOP, "_data"}
    assert {stage_of(path) for path in FILES} <= known


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    assert not violations(path.read_text(encoding="utf-8"), stage_of(path))


@pytest.mark.parametrize(
    ("stage", "source"),
    [
        ("ir", "from squeeze2c.frontend import read_onnx"),
        ("passes", "import squeeze2c.reference.columns"),
        ("schedule", "from squeeze2c.memory import plan_memory"),
        ("lower", "def f():\n    from squeeze2c import pipeline"),
        ("host", "import squeeze2c"),
        ("host", "from squeeze2c import compile_model"),
        ("quantize", "from .layer import quantise_layer"),
        ("errors", "from squeeze2c.cli import main"),
    ],
)
def test_wrong_imports_are_seen(stage: str, source: str) -> None:
    assert len(violations(source, stage)) == 1


@pytest.mark.parametrize(
    ("stage", "source"),
    [
        ("ir", "from squeeze2c.errors import InternalError"),
        ("memory", "from squeeze2c.memory.buffers import LiveRange"),
        ("memory", "from squeeze2c import schedule\nimport numpy, os.path"),
        ("cli", "from squeeze2c.pipeline import compile_model"),
        ("__init__", "from squeeze2c.pipeline import compile_model"),
    ],
)
def test_right_imports_pass(stage: str, source: str) -> None:
    assert violations(source, stage) == []


def test_the_stages_are_those_of_the_documentation(checkout: Path) -> None:
    text = (checkout / "docs" / "architecture.md").read_text(encoding="utf-8")
    for stage in STAGES:
        path = PACKAGE / stage
        assert path.is_dir() or path.with_suffix(".py").is_file()
        assert f"`{stage}/`" in text or f"`squeeze2c/{stage}.py`" in text, stage


def test_optional_packages_are_not_needed_to_start() -> None:
    """Everything imports where the extras are not installed."""
    script = (
        "import sys, importlib, pkgutil\n"
        f"sys.modules.update(dict.fromkeys({OPTIONAL!r}))\n"
        "import squeeze2c\n"
        "for m in pkgutil.walk_packages(squeeze2c.__path__, 'squeeze2c.'):\n"
        "    if not m.name.endswith('__main__'):\n"
        "        importlib.import_module(m.name)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
