"""What an instruction is: its class, the registers that it reads and writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from squeeze2c.emulate.disassembly import Instruction

CLASSES = (
    "load", "store", "multiply", "simd", "vector_load", "vector_store", "vector", "fpu",
    "divide", "arithmetic", "compare", "move", "branch", "other",
)  # fmt: skip
"""``simd``: several numbers in a core register (SMLAD, UXTB16, USUB8, ...); ``vector``: Helium."""

_LANES = tuple(
    prefix + what
    for prefix in ("s", "u", "q", "uq", "sh", "uh")
    for what in ("add8", "add16", "sub8", "sub16", "asx", "sax")
)
_HALVES = tuple(a + b for a in "bt" for b in "bt")
_NAMES: Mapping[str, str] = {
    "load": "ldr ldrb ldrh ldrsb ldrsh ldrd ldm ldmia ldmdb ldmfd ldmea pop ldrex",
    "store": "str strb strh strd stm stmia stmdb stmfd stmea push strex",
    "multiply": "mul mla mls smull umull smlal umlal umaal smmul smmulr smmla smmlar smmls smmlsr "
    + " ".join(f"smul{h} smla{h} smlal{h}" for h in _HALVES)
    + " smulwb smulwt smlawb smlawt",
    "simd": "smlad smladx smlsd smlsdx smuad smuadx smusd smusdx smlald smlaldx smlsld smlsldx "
    "sxtb16 uxtb16 sxtab16 uxtab16 sel pkhbt pkhtb ssat16 usat16 usad8 usada8 " + " ".join(_LANES),
    "divide": "sdiv udiv",
    "branch": "b bl bx blx cbz cbnz tbb tbh dls dlstp wls wlstp le letp lctp",
    "compare": "cmp cmn tst teq",
    "move": "mov movw movt mvn cpy",
    "arithmetic": "add addw adc sub subw sbc rsb neg and orr orn eor bic lsl lsr asr ror rrx sxtb "
    "sxth uxtb uxth sxtab sxtah uxtab uxtah ubfx sbfx bfi bfc clz rev rev16 revsh rbit ssat usat "
    "qadd qsub qdadd qdsub adr csel csinc csneg csinv cset csetm cinc cneg cinv",
}
_CLASS_OF = {name: kind for kind, names in _NAMES.items() for name in names.split()}
_CONDITIONS = frozenset(
    ("eq", "ne", "cs", "hs", "cc", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le")
)
_BLOCKS = frozenset(
    ("ldm", "ldmia", "ldmdb", "ldmfd", "ldmea", "pop",
     "stm", "stmia", "stmdb", "stmfd", "stmea", "push")
)  # fmt: skip
_VECTOR_OF_ONE = re.compile(r"\bq[0-7]\b")
_FPU_BLOCKS = ("vldm", "vstm", "vpush", "vpop")
_REGISTER = re.compile(r"\b(r1[0-5]|r\d|sb|sl|fp|ip|sp|lr|pc)\b")
_ALIAS = {"sb": "r9", "sl": "r10", "fp": "r11", "ip": "r12", "r13": "sp", "r14": "lr", "r15": "pc"}
_LIST = re.compile(r"\{([^}]*)\}")
_RANGE = re.compile(r"([sd])(\d+)-[sd](\d+)")
_TWO_RESULTS = frozenset(
    ("smull", "umull", "smlal", "umlal", "umaal", "smlald", "smlaldx", "smlsld", "smlsldx")
)
_KEEPS_RESULT = frozenset(("movt", "bfi", "bfc", "smlal", "umlal", "umaal", "smlald", "smlaldx"))
FLAGS = "flags"


@dataclass(frozen=True, slots=True)
class Opcode:
    """An instruction, understood.

    ``name``: without condition, width and the S that sets flags. ``kind``: of :data:`CLASSES`.
    ``transfers``: words that a load or store of several registers moves, else 0.
    ``accumulates``: register that it only adds to, of a multiplication.
    ``address``: registers that a load or store needs for its address.
    """

    name: str
    kind: str
    reads: frozenset[str]
    writes: frozenset[str]
    transfers: int = 0
    accumulates: str | None = None
    address: frozenset[str] = frozenset()
    register_offset: bool = False


def opcode(instruction: Instruction) -> Opcode:
    """Understand ``instruction``; what is in no table becomes ``other``."""
    full = instruction.mnemonic.partition(".")[0]
    if full.startswith("v"):
        return _of_coprocessor(full, instruction.operands)
    name, conditional, sets_flags = _base(full)
    kind = _CLASS_OF.get(name, "other")
    reads, writes, address = _registers(name, kind, instruction.operands)
    if kind == "compare" or sets_flags:
        writes |= {FLAGS}
    if conditional and kind != "branch":
        reads |= {FLAGS, *writes}
    operands = _split(instruction.operands)
    accumulates = None
    if len(operands) == 4 and name not in _TWO_RESULTS and kind in ("multiply", "simd"):
        accumulates = _names(operands[3])[0]
    transfers = len(_expand(instruction.operands)) if name in _BLOCKS else 0
    offset = kind in ("load", "store") and len(_names(_inside(instruction.operands))) > 1
    return Opcode(
        name, kind, frozenset(reads), frozenset(writes), transfers, accumulates,
        frozenset(address), offset,
    )  # fmt: skip


def _base(full: str) -> tuple[str, bool, bool]:
    """Name as in the tables, whether it is conditional, whether it sets flags."""
    if full in _CLASS_OF:
        return full, False, False
    if full[-2:] in _CONDITIONS:  # ahead of the S: BLS is a B
        name = full[:-2]
        if name in _CLASS_OF:
            return name, True, False
        if name[-1:] == "s" and name[:-1] in _CLASS_OF:
            return name[:-1], True, True
    if full[-1:] == "s" and full[:-1] in _CLASS_OF:
        return full[:-1], False, True
    return full, False, False


def _of_coprocessor(full: str, operands: str) -> Opcode:
    """Of the FPU or Helium. Their own registers are not followed."""
    core = frozenset(_names(operands))
    block = next((b for b in _FPU_BLOCKS if full.startswith(b)), None)
    if block is not None:
        kind = "load" if block in ("vldm", "vpop") else "store"
        return Opcode(block, kind, core, frozenset(), _fpu_words(operands), None, core)
    predicates = full.startswith(("vpst", "vpt", "vpnot"))
    vector = predicates or _VECTOR_OF_ONE.search(operands) is not None
    memory = {"vld": "load", "vst": "store"}.get(full[:3])
    if memory is not None:
        return Opcode(full, f"vector_{memory}" if vector else memory, core, frozenset(), 0, None,
                      core)  # fmt: skip
    if vector:
        to_core = _split(operands)[:1]
        written = frozenset(_names(to_core[0])) if to_core else frozenset()
        return Opcode(full, "vector", core - written, written)
    return _moves_of_fpu(full, operands, core)


def _moves_of_fpu(full: str, operands: str, core: frozenset[str]) -> Opcode:
    first = _split(operands)[:1]
    to_core = bool(first and _names(first[0]))
    name = "vmov2" if full == "vmov" and len(_split(operands)) == 4 else full
    return Opcode(name, "fpu", frozenset() if to_core else core, core if to_core else frozenset())


def _registers(name: str, kind: str, operands: str) -> tuple[set[str], set[str], set[str]]:
    """(read, written, of the address)"""
    parts = _split(operands)
    every = set(_names(operands))
    if kind in ("load", "store"):
        return _of_memory(name, kind, operands, parts)
    if kind in ("branch", "compare", "other") or not parts:
        return every, set(), set()
    results = 2 if name in _TWO_RESULTS else 1
    written = {r for part in parts[:results] for r in _names(part)}
    read = {r for part in parts[results:] for r in _names(part)}
    if name in _KEEPS_RESULT or (len(parts) == 2 and kind == "arithmetic" and name != "adr"):
        extends = name.startswith(("sxt", "uxt", "rev", "rbit", "clz", "rsb", "neg"))
        read |= set() if extends else written
    return read, written, set()


def _of_memory(
    name: str, kind: str, operands: str, parts: list[str]
) -> tuple[set[str], set[str], set[str]]:
    if name in _BLOCKS:
        moved = set(_expand(operands))
        base = set(_names(_LIST.sub("", operands))) or {"sp"}
        updated = base if "!" in operands or name in ("push", "pop") else set()
        if kind == "load":
            return base, moved | updated, base
        return base | moved, updated, base
    address = set(_names(_inside(operands)))
    moved = {r for part in parts[: 2 if name in ("ldrd", "strd") else 1] for r in _names(part)}
    behind = operands.rpartition("]")[2]
    updated = {next(iter(_names(_inside(operands))), "")} - {""} if behind.strip() else set()
    if kind == "load":
        return address, moved | updated, address
    return address | moved, updated, address


def _inside(operands: str) -> str:
    """What stands between square brackets: the address."""
    return operands.partition("[")[2].partition("]")[0]


def _names(text: str) -> list[str]:
    return [_ALIAS.get(name, name) for name in _REGISTER.findall(text)]


def _expand(operands: str) -> list[str]:
    """Registers of a list; objdump names each of them."""
    found = _LIST.search(operands)
    return _names(found[1]) if found else []


def _fpu_words(operands: str) -> int:
    found = _LIST.search(operands)
    words = 0
    for part in found[1].split(",") if found else ():
        span = _RANGE.search(part)
        count = int(span[3]) - int(span[2]) + 1 if span else 1
        words += count * (2 if "d" in part else 1)
    return words


def _split(operands: str) -> list[str]:
    """Operands, split at commas that are in no brackets."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(operands):
        if character in "[{":
            depth += 1
        elif character in "]}":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(operands[start:index].strip())
            start = index + 1
    last = operands[start:].strip()
    return [*parts, last] if last else parts
