"""Firmware that goes wrong ends with an error that says what happened, and never hangs."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from squeeze2c.emulate import qemu, simulate
from squeeze2c.errors import ArtifactError, InternalError, ToolchainError
from tests.emulated.conftest import MakeArtifact
from tests.emulated.edits import LAST, MODEL, insert_at_end, replace_once

pytestmark = pytest.mark.emulated


def _write(address: int) -> str:
    return f"*(volatile uint32_t *){address:#x}u = 1u;"


RECURSION = (
    "\nstatic uint32_t dig(uint32_t depth)\n{\n    volatile uint32_t hole[64] = {depth};\n"
    "    return depth == 0u ? 0u : hole[0] + dig(depth - 1u) + hole[1];\n}\n"
)


def _recursive(text: str) -> str:
    """The last function of ``text`` needs some 100 KB of stack."""
    marker = f"\ns2c_status {LAST}("
    return insert_at_end("if (dig(400u) == 0u) { return S2C_ERROR_ARGUMENT; }")(
        text.replace(marker, RECURSION + marker, 1)
    )


@pytest.mark.parametrize(
    ("board", "target", "edit", "message"),
    [
        pytest.param(
            "stm32f405", "cortex-m4", insert_at_end(_write(0x2002_0000)),
            r"access forbidden by the MPU at address 0x20020000 \(beyond the board's 131,072 bytes "
            rf"of RAM\), by the instruction at 0x0800[0-9a-f]{{4}} in {LAST}",
            id="behind the RAM",
        ),
        pytest.param(
            "stm32f446", "cortex-m4", insert_at_end(_write(0x2002_FFFC)),
            r"MPU at address 0x2002fffc", id="last word of the emulator's RAM",
        ),
        pytest.param(
            "mps2-an386", "cortex-m4", _recursive, r"stack overflow", id="stack overflow, Armv7-M"
        ),
        pytest.param(
            "mps2-an385", "cortex-m0", _recursive, r"stack overflow", id="stack overflow, M0 code"
        ),
        pytest.param(
            "mps3-an547", "cortex-m55", _recursive, r"stack overflow", id="stack overflow, Armv8-M"
        ),
        pytest.param(
            "mps2-an385", "cortex-m0",
            insert_at_end("*(volatile uint32_t *)(uintptr_t)((uint8_t *)logits + 2) = 1u;"),
            r"unaligned access", id="unaligned access of M0 code",
        ),
        pytest.param(
            "mps2-an505", "cortex-m33", insert_at_end('__asm__ volatile("udf #0");'),
            rf"undefined instruction, by the instruction at 0x[0-9a-f]+ in {LAST}",
            id="undefined instruction",
        ),
        pytest.param(
            "mps2-an500", "cortex-m7", insert_at_end(_write(0xF000_0000)),
            r"(bus error|forbidden).* at address 0xf0000000", id="no memory",
        ),
    ],
)
def test_faults_are_explained(
    board: str,
    target: str,
    edit: Callable[[str], str],
    message: str,
    make_artifact: MakeArtifact,
    images: np.ndarray,
) -> None:
    with pytest.raises(InternalError, match=message) as caught:
        simulate(make_artifact(target, edit=edit), board, images[:1])
    assert caught.value.where == f"{MODEL} on {board}"


def test_the_last_word_of_ram_is_usable(make_artifact: MakeArtifact, images: np.ndarray) -> None:
    edit = insert_at_end(_write(0x2001_FFFC))
    assert simulate(make_artifact(edit=edit), "stm32f405", images[:1]).mismatches == 0


def test_corrupt_weights_are_reported(make_artifact: MakeArtifact, images: np.ndarray) -> None:
    def flip_one_bit(text: str) -> str:
        start = text.index("= {")
        word = re.search(r"0x[0-9A-Fa-f]{8}", text[start:])
        assert word
        changed = text[start:].replace(word[0], f"{int(word[0], 16) ^ 0x10:#010x}", 1)
        return text[:start] + changed

    artifact = make_artifact(file=f"{MODEL}_weights.c", edit=flip_one_bit)
    message = f"{MODEL}_check_weights returned S2C_ERROR_WEIGHTS_CRC"
    with pytest.raises(ArtifactError, match=message):
        simulate(artifact, "mps2-an386", images)


def test_other_statuses_are_reported(make_artifact: MakeArtifact, images: np.ndarray) -> None:
    artifact = make_artifact(edit=insert_at_end("return S2C_ERROR_ARGUMENT;"))
    with pytest.raises(InternalError, match=f"{LAST} returned S2C_ERROR_ARGUMENT"):
        simulate(artifact, "mps2-an386", images)


def test_endless_firmware_is_stopped(
    make_artifact: MakeArtifact, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qemu, "PATIENCE_S", 1.0)
    artifact = make_artifact(edit=insert_at_end("for (volatile uint32_t i = 0;; ++i) {}"))
    with pytest.raises(ToolchainError, match="no sign of life"):
        simulate(artifact, "mps2-an386", images)


def test_a_row_that_is_never_completed_counts(
    make_artifact: MakeArtifact, images: np.ndarray
) -> None:
    artifact = make_artifact(
        edit=replace_once("S2C_ON_ROW(0u, row,", "if (row != 2u) S2C_ON_ROW(0u, row,")
    )
    result = simulate(artifact, "mps2-an386", images[:1])
    rows, cols, channels = artifact.layers[0]["shape"]
    assert rows > 2
    assert result.mismatches == result.layers[0].mismatches == cols * channels


def test_a_row_that_is_completed_twice_is_a_bug(
    make_artifact: MakeArtifact, images: np.ndarray
) -> None:
    artifact = make_artifact(edit=replace_once("S2C_ON_ROW(0u, row,", "S2C_ON_ROW(0u, row / 2u,"))
    with pytest.raises(InternalError, match=r"row 0 of stem was computed twice"):
        simulate(artifact, "mps2-an386", images[:1])


def test_generated_code_that_does_not_compile_shows_the_compiler_message(
    make_artifact: MakeArtifact, images: np.ndarray
) -> None:
    artifact = make_artifact(edit=insert_at_end("nonsense;"))
    with pytest.raises(ToolchainError, match="nonsense"):
        simulate(artifact, "mps2-an386", images)
