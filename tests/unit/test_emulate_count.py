"""Counting from marks, without an emulator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from squeeze2c.emulate.count import COUNT_FILE, MARKS, Counter
from squeeze2c.emulate.elf import FirmwareImage
from squeeze2c.errors import ToolchainError

MARKED_LAYERS = 512
IMAGE = FirmwareImage((), ((0x100, 4 * MARKED_LAYERS, MARKS),))


def test_steps_of_a_layer_add_up(tmp_path: Path) -> None:
    """Layer 0 runs in two steps, with layer 1 in between."""
    asked: list[Sequence[str]] = []

    def run(options: Sequence[str]) -> None:
        asked.append(options)
        (tmp_path / COUNT_FILE).write_text("0 10\n1 17\n2 20\n3 120\n0 130\n1 131\n")

    elf = tmp_path / "firmware.elf"
    counts = Counter(tmp_path / "plugin.so").layers(run, elf, IMAGE, 2)
    assert counts == (7 + 1, 100)
    assert asked == [("-plugin", f"plugin.so,out={COUNT_FILE},marks=0x100:1024")]


def test_more_layers_than_marks_are_not_counted(tmp_path: Path) -> None:
    def run(options: Sequence[str]) -> None:
        raise AssertionError("firmware would jump beyond the marks")

    counter = Counter(tmp_path / "plugin.so")
    with pytest.raises(ToolchainError, match=r"513 layers, .* marks for 512"):
        counter.layers(run, tmp_path / "firmware.elf", IMAGE, MARKED_LAYERS + 1)
