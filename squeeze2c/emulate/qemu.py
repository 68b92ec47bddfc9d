"""Runs firmware in QEMU, watched: it may end well, end badly, or not end at all."""

from __future__ import annotations

import queue
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from squeeze2c.errors import ToolchainError
from squeeze2c.target import Board

EMULATOR = "qemu-system-arm"
INSTALL_EMULATOR = "apt install qemu-system-arm"
IMAGES_FILE, RESULTS_FILE = "images.bin", "results.bin"
IMAGE_DONE = b"image done\n"
SLOWEST_MACS_PER_S = 1e6
"""For time-outs only: far below the slowest core's speed on a busy machine."""
PATIENCE_S = 60.0
"""For starting up, checking the weights and writing results, whatever their size."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: exit code of the process, what it printed, the result file."""

    exit_code: int
    console: str
    results: Path


def find_emulator() -> str:
    """Path of the emulator. Raises :class:`ToolchainError` where it is missing."""
    found = shutil.which(EMULATOR)
    if found is None:
        raise ToolchainError(
            f"{EMULATOR} is not installed", where="simulation", hint=INSTALL_EMULATOR
        )
    return found


def time_limit_s(macs: int) -> float:
    """The longest that one image of so many multiply-accumulates may take, in seconds."""
    return PATIENCE_S + macs / SLOWEST_MACS_PER_S


def run_firmware(
    elf: Path,
    board: Board,
    images: np.ndarray,
    limit_s: float,
    image_done: Callable[[], None],
    options: Sequence[str] = (),
) -> Outcome:
    """Run the firmware ``elf`` over ``images`` uint8 (n, ...), the bytes that a camera delivers.

    Works in the folder of ``elf``, with QEMU's further ``options``. Calls
    ``image_done`` after each image. Raises :class:`ToolchainError` where the
    emulator is missing or shows no sign of life for ``limit_s`` seconds; the
    caller judges the exit code.
    """
    emulator = find_emulator()
    results = elf.parent / RESULTS_FILE
    results.unlink(missing_ok=True)
    np.ascontiguousarray(images).tofile(elf.parent / IMAGES_FILE)
    command = [emulator, "-M", board.machine, "-display", "none", "-monitor", "none"]
    command += ["-serial", "none", "-semihosting-config", "enable=on,target=native"]
    command += ["-kernel", elf.name, *options]
    console: list[bytes] = []
    with subprocess.Popen(
        command,
        cwd=elf.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            assert process.stdout is not None
            for line in _lines(process.stdout, limit_s):
                if line == IMAGE_DONE:
                    image_done()
                else:
                    console.append(line)
            exit_code = process.wait(PATIENCE_S)
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            raise ToolchainError(
                f"no sign of life from the firmware for {limit_s:,.0f} s: stopped",
                command=" ".join(command),
                stderr=b"".join(console).decode(errors="replace"),
                where=f"{EMULATOR} -M {board.machine}",
            ) from error
        finally:
            process.kill()
    return Outcome(exit_code, b"".join(console).decode(errors="replace"), results)


def _lines(stream: IO[bytes], limit_s: float) -> Iterator[bytes]:
    """Lines of ``stream`` to its end. Raises TimeoutError where one takes ``limit_s`` to come.

    A thread reads, because not every system can wait for a pipe with a time limit.
    """
    lines: queue.Queue[bytes] = queue.Queue()

    def read() -> None:
        for line in stream:
            lines.put(line)
        lines.put(b"")

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=limit_s)
        except queue.Empty as error:
            raise TimeoutError from error
        if not line:
            return
        yield line
