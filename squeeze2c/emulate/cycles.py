"""Estimates of cycles: documented models of cores, applied to blocks of instructions.

Nothing here is measured on silicon. Flash wait states, caches, write buffers and wrong predictions
of branches are not modelled; ``docs/profiling.md`` has the formulas and what they leave out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from squeeze2c.emulate.opcode import Opcode
from squeeze2c.target import Core

_DIVIDE = 7
_PLAIN_MULTIPLY: Mapping[str, int] = {}
_M3_MULTIPLY = {"mla": 2, "mls": 2, "smull": 4, "umull": 4, "smlal": 6, "umlal": 6}
"""3 to 5 and 4 to 7 cycles, depending on the data; these are the middle."""


@dataclass(frozen=True, slots=True)
class BlockCycles:
    """Cycles of a block from its first to its last instruction, and more if it is then left."""

    straight: int
    taken: int


Model = Callable[[Sequence[Opcode]], BlockCycles]


def models_for(core: Core) -> tuple[str, ...]:
    """Which of :data:`MODELS` say something about code for ``core``, its own first."""
    if core.mve:
        return ("cortex-m55",)
    if core.dsp:
        return ("cortex-m7", "cortex-m4") if core.name == "cortex-m7" else (
            "cortex-m4", "cortex-m7",
        )  # fmt: skip
    return (core.name,)


def _in_turn(
    block: Sequence[Opcode], multiply: Mapping[str, int], pipelined_loads: bool
) -> BlockCycles:
    """Cores that issue one instruction after the other (Cortex-M0, M3, M4)."""
    cycles = 0
    previous: Opcode | None = None
    for now in block:
        cycles += _single(now, previous, multiply, pipelined_loads)
        previous = now
    return BlockCycles(cycles, 2)


def _single(
    now: Opcode, previous: Opcode | None, multiply: Mapping[str, int], pipelined_loads: bool
) -> int:
    if now.transfers:
        return 1 + now.transfers
    if now.name in ("ldrd", "strd"):
        return 3
    if now.kind == "load":
        behind_load = (
            previous is not None
            and previous.kind == "load"
            and not previous.transfers
            and not previous.writes & now.address
        )
        return 1 if pipelined_loads and behind_load else 2
    if now.kind == "store":
        return 2 if now.register_offset or not pipelined_loads else 1
    if now.kind == "divide":
        return _DIVIDE
    if now.name == "vmov2":
        return 2
    return multiply.get(now.name, 1)


def cortex_m0(block: Sequence[Opcode]) -> BlockCycles:
    """Loads and stores 2, several registers 1 + N, taken branches 3, a one-cycle multiplier."""
    return _in_turn(block, _PLAIN_MULTIPLY, pipelined_loads=False)


def cortex_m3(block: Sequence[Opcode]) -> BlockCycles:
    """As :func:`cortex_m4`, but long multiplications take 4 (SMULL) and 6 (SMLAL), MLA 2."""
    return _in_turn(block, _M3_MULTIPLY, pipelined_loads=True)


def cortex_m4(block: Sequence[Opcode]) -> BlockCycles:
    """1 each, but: load 2, or 1 directly behind a load that it does not depend on; store with a
    register as offset 2; LDRD and STRD 3; N registers 1 + N; division 7; taken branch 3.
    """
    return _in_turn(block, _PLAIN_MULTIPLY, pipelined_loads=True)


def cortex_m55(block: Sequence[Opcode]) -> BlockCycles:
    """Scalar instructions as on :func:`cortex_m4`. A vector instruction takes two cycles for its
    four beats, of which one overlaps with a vector instruction of another unit in front of it.
    """
    units = {"vector_load": "memory", "vector_store": "memory", "vector": "arithmetic"}
    cycles = 0
    previous: Opcode | None = None
    for now in block:
        unit = units.get(now.kind)
        if unit is None:
            cycles += _single(now, previous, _PLAIN_MULTIPLY, pipelined_loads=True)
        else:
            before = units.get(previous.kind) if previous is not None else None
            cycles += 1 if before is not None and before != unit else 2
        previous = now
    loops = bool(block) and block[-1].name in ("le", "letp")
    return BlockCycles(cycles, 0 if loops else 2)


def cortex_m7(block: Sequence[Opcode]) -> BlockCycles:
    """Two instructions per cycle, in order.

    Both issue together unless the second needs what the first computes, or both are stores, a
    load and a store, multiplications, divisions, branches or of the FPU. Results serve an
    instruction one cycle later, those of loads and multiplications two (sums that are only added
    to: one), of divisions seven. Loads and stores of N registers issue alone and take (N + 1) / 2
    cycles. Branches are predicted; one that is taken costs a cycle.
    """
    ready: dict[str, int] = {}
    issued: list[Opcode] = []
    cycle = 0
    for now in block:
        earliest = max((_ready(ready, register, now) for register in now.reads), default=0)
        if earliest > cycle or not _goes_with(now, issued):
            cycle = max(earliest, cycle + 1 if issued else cycle)
            issued = []
        issued.append(now)
        if now.transfers:
            cycle += (now.transfers + 1) // 2
            issued = []
        multiplies = _unit(now) == "multiplier"
        for register in now.writes:
            ready[register] = cycle + _latency(now)
            ready[f"sum {register}"] = cycle + 1 if multiplies else ready[register]
    return BlockCycles(cycle + (1 if issued else 0), 1)


def _ready(ready: Mapping[str, int], register: str, now: Opcode) -> int:
    """When ``register`` can be read; one that is only added to comes through a short cut."""
    return ready.get(f"sum {register}" if register == now.accumulates else register, 0)


def _latency(now: Opcode) -> int:
    if now.kind == "divide":
        return _DIVIDE
    if _unit(now) in ("multiplier", "fpu"):
        return 2
    if now.kind == "load":
        return 1 if now.transfers else 2
    return 1


def _goes_with(now: Opcode, issued: Sequence[Opcode]) -> bool:
    if not issued:
        return True
    if len(issued) == 2 or now.transfers:
        return False
    first = issued[0]
    memory = ("load", "store")
    if first.kind in memory and now.kind in memory:
        return first.kind == now.kind == "load"
    return not (_unit(first) == _unit(now) != "any")


def _unit(code: Opcode) -> str:
    """What there is one of."""
    multiplies = code.kind == "multiply" or code.name.startswith(("smla", "smls", "smua", "smus"))
    if multiplies:
        return "multiplier"
    return code.kind if code.kind in ("branch", "fpu", "divide") else "any"


MODELS: Mapping[str, Model] = {
    "cortex-m0": cortex_m0,
    "cortex-m3": cortex_m3,
    "cortex-m4": cortex_m4,
    "cortex-m7": cortex_m7,
    "cortex-m55": cortex_m55,
}
