"""``docs/supported-ops.md`` is what the constraint table generates."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import onnx

from squeeze2c.frontend.constraints import ALTERNATIVES, OPERATORS
from squeeze2c.frontend.fold import FOLDED
from squeeze2c.frontend.import_ops import IMPORTERS
from squeeze2c.frontend.supported_ops import supported_ops_markdown

COMMAND = "python -m squeeze2c.frontend.supported_ops docs/supported-ops.md"


def test_committed_page_is_generated(checkout: Path) -> None:
    page = (checkout / "docs" / "supported-ops.md").read_text(encoding="utf-8")
    assert page == supported_ops_markdown(), f"run {COMMAND}"


def test_command_writes_the_page(tmp_path: Path, checkout: Path) -> None:
    page = tmp_path / "page.md"
    command = [sys.executable, "-m", "squeeze2c.frontend.supported_ops"]
    subprocess.run([*command, str(page)], cwd=checkout, check=True)
    shown = subprocess.run(command, cwd=checkout, check=True, capture_output=True, text=True)
    assert page.read_text(encoding="utf-8") == supported_ops_markdown() == shown.stdout


def test_page_names_every_operator_and_rule() -> None:
    page = supported_ops_markdown()
    for operator in OPERATORS.values():
        section = page.partition(f"### {operator.name}\n\nBecomes {operator.becomes}, if\n")[2]
        section = section.partition("\n#")[0]
        for rule in operator.rules:
            assert f"- {rule.text}\n" in section
    for name in (*FOLDED, *ALTERNATIVES):
        assert name in page


def test_tables_name_onnx_operators() -> None:
    known = {schema.name for schema in onnx.defs.get_all_schemas() if not schema.domain}
    assert set(OPERATORS) | set(FOLDED) | set(ALTERNATIVES) <= known
    assert not set(OPERATORS) & set(ALTERNATIVES)


def test_rule_attributes_exist_in_onnx() -> None:
    for operator in OPERATORS.values():
        history = onnx.defs.get_all_schemas_with_history()
        versions = [s for s in history if s.name == operator.name and not s.domain]
        names = {a for schema in versions for a in schema.attributes}
        assert {rule.attribute for rule in operator.rules if rule.attribute} <= names


def test_every_operator_has_an_importer() -> None:
    assert set(IMPORTERS) == set(OPERATORS)
