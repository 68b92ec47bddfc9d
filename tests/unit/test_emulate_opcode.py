"""Instructions as objdump writes them: classes, registers, and what models say they cost."""

from __future__ import annotations

import pytest

from squeeze2c.emulate.cycles import MODELS, BlockCycles, models_for
from squeeze2c.emulate.disassembly import parse, straight
from squeeze2c.emulate.opcode import CLASSES, FLAGS, Opcode, opcode
from squeeze2c.target import core_named

LISTING = """
firmware.elf:     file format elf32-littlearm

00001aca <s2c_kernel>:
    1aca:\tfb2b 330c \tsmlad\tr3, fp, ip, r3
    1ace:\te8be 0f00 \tldmia.w\tlr!, {r8, r9, sl, fp}
    1ad2:\t4801      \tldr\tr0, [pc, #4]\t@ (1ad8 <s2c_kernel+0xe>)
    1ad4:\td202      \tbcs.n\t1adc <s2c_kernel+0x12>
    1ad6:\tbf00      \tnop
    1ad8:\t0800004c \t.word\t0x0800004c
    1adc:\te7fe      \tb.n\t1adc <s2c_kernel+0x12>
"""


def code(text: str) -> Opcode:
    """The instruction that is written ``mnemonic operands``."""
    mnemonic, _, operands = text.partition(" ")
    (instruction,) = parse(f"  10:\t0000 \t{mnemonic}\t{operands}\n").values()
    return opcode(instruction)


def cycles(model: str, *block: str) -> BlockCycles:
    return MODELS[model]([code(text) for text in block])


def test_a_listing_is_read() -> None:
    found = parse(LISTING)
    assert list(found) == [0x1ACA, 0x1ACE, 0x1AD2, 0x1AD4, 0x1AD6, 0x1ADC]
    assert [i.size_bytes for i in found.values()] == [4, 4, 2, 2, 2, 2]
    assert found[0x1AD2].operands == "r0, [pc, #4]"
    assert [i.address for i in straight(found, 0x1ACE, 2)] == [0x1ACE, 0x1AD2]
    with pytest.raises(KeyError):
        straight(found, 0x1AD6, 2)


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("ldr.w r0, [r1, r2, lsl #2]", "load", "ldr"),
        ("ldrbne r0, [r1]", "load", "ldrb"),
        ("pop {r4, pc}", "load", "pop"),
        ("vldmia lr!, {s0-s15}", "load", "vldm"),
        ("vldrw.u32 q0, [r1], #16", "vector_load", "vldrw"),
        ("vstrb.32 q0, [r1, q2]", "vector_store", "vstrb"),
        ("vmladava.s8 r4, q0, q1", "vector", "vmladava"),
        ("strh.w r0, [r1, #2]!", "store", "strh"),
        ("muls r0, r1", "multiply", "mul"),
        ("mls r0, r1, r2, r3", "multiply", "mls"),
        ("smlal r0, r1, r2, r3", "multiply", "smlal"),
        ("smmlar r0, r1, r2, r3", "multiply", "smmlar"),
        ("smlad r0, r1, r2, r0", "simd", "smlad"),
        ("sxtb16 ip, ip", "simd", "sxtb16"),
        ("usub8 r0, r1, r2", "simd", "usub8"),
        ("udiv r0, r1, r2", "divide", "udiv"),
        ("bls.n 10", "branch", "b"),
        ("bl 10", "branch", "bl"),
        ("cbnz r3, 10", "branch", "cbnz"),
        ("tbb [pc, r0]", "branch", "tbb"),
        ("le lr, 10", "branch", "le"),
        ("cmp r0, #3", "compare", "cmp"),
        ("movs r0, #3", "move", "mov"),
        ("movweq r0, #3", "move", "movw"),
        ("adds r4, #4", "arithmetic", "add"),
        ("bics r4, r5", "arithmetic", "bic"),
        ("teq r4, r5", "compare", "teq"),
        ("usat r0, #8, r0", "arithmetic", "usat"),
        ("vmov r12, s0", "fpu", "vmov"),
        ("vmov r1, r2, s4, s5", "fpu", "vmov2"),
        ("itt ne", "other", "itt"),
        ("nop", "other", "nop"),
    ],
)
def test_class_and_name(text: str, kind: str, name: str) -> None:
    found = code(text)
    assert (found.kind, found.name) == (kind, name)
    assert kind in CLASSES


@pytest.mark.parametrize(
    ("text", "reads", "writes"),
    [
        ("add.w r0, r1, sl", {"r1", "r10"}, {"r0"}),
        ("adds r4, #4", {"r4"}, {"r4", FLAGS}),
        ("uxtb r0, r1", {"r1"}, {"r0"}),
        ("ldr r0, [r1], #4", {"r1"}, {"r0", "r1"}),
        ("ldr r0, [r1, #4]!", {"r1"}, {"r0", "r1"}),
        ("str r0, [r1, r2]", {"r0", "r1", "r2"}, set()),
        ("ldrd r0, r1, [sp, #8]", {"sp"}, {"r0", "r1"}),
        ("push {r4, lr}", {"r4", "lr", "sp"}, {"sp"}),
        ("ldmia.w lr!, {r8, r9}", {"lr"}, {"r8", "r9", "lr"}),
        ("smlal r0, r1, r2, r3", {"r0", "r1", "r2", "r3"}, {"r0", "r1"}),
        ("smull r0, r1, r2, r3", {"r2", "r3"}, {"r0", "r1"}),
        ("movt r0, #4", {"r0"}, {"r0"}),
        ("moveq r0, r1", {"r0", "r1", FLAGS}, {"r0"}),
        ("cmp r0, r1", {"r0", "r1"}, {FLAGS}),
        ("vmov r12, s0", set(), {"r12"}),
        ("vmov s0, r12", {"r12"}, set()),
    ],
)
def test_registers(text: str, reads: set[str], writes: set[str]) -> None:
    found = code(text)
    assert (found.reads, found.writes) == (reads, writes)


def test_words_of_transfers() -> None:
    assert code("ldmia.w lr!, {r8, r9, sl, fp}").transfers == 4
    assert code("vldmia lr!, {s0-s15}").transfers == 16
    assert code("vpush {d8-d9}").transfers == 4
    assert code("ldr r0, [r1]").transfers == 0


@pytest.mark.parametrize(
    ("model", "block", "straight"),
    [
        ("cortex-m4", ["ldr r0, [r4]", "ldr r1, [r4]", "ldr r2, [r1]"], 2 + 1 + 2),
        ("cortex-m4", ["ldr r0, [r4]", "add r1, r1, r0", "ldr r2, [r4]"], 2 + 1 + 2),
        ("cortex-m4", ["str r0, [r1, #4]", "str r0, [r1, r2]", "strd r0, r1, [r2]"], 1 + 2 + 3),
        ("cortex-m4", ["ldmia.w lr!, {r8, r9, sl, fp}", "vldmia lr!, {s0-s15}"], 5 + 17),
        ("cortex-m4", ["smlad r0, r1, r2, r0", "smlal r0, r1, r2, r3", "sdiv r0, r1, r2"], 9),
        ("cortex-m3", ["smlal r0, r1, r2, r3", "smull r0, r1, r2, r3", "mla r0, r1, r2, r0"], 12),
        ("cortex-m0", ["ldr r0, [r4]", "ldr r1, [r4]", "str r0, [r4]", "muls r0, r1"], 7),
        ("cortex-m55", ["vldrb.8 q0, [r0]", "vmladava.s8 r4, q0, q1", "vmladava.s8 r6, q0, q2"], 5),
        # Two by two, in order.
        ("cortex-m7", ["add r0, r1, r2", "add r3, r4, r5", "add r6, r7, r8"], 2),
        ("cortex-m7", ["add r0, r1, r2", "add r3, r0, r5"], 2),
        ("cortex-m7", ["ldr r0, [r1]", "ldr r2, [r3]"], 1),
        ("cortex-m7", ["ldr r0, [r1]", "str r2, [r3]"], 2),
        ("cortex-m7", ["ldr r0, [r1]", "add r2, r0, r3"], 3),
        ("cortex-m7", ["smlad r0, r1, r2, r0", "smlad r0, r3, r4, r0"], 2),
        ("cortex-m7", ["smlad r0, r1, r2, r0", "add r3, r0, r4"], 3),
        ("cortex-m7", ["smlad r0, r1, r2, r0", "sxtb16 ip, ip"], 1),
        ("cortex-m7", ["ldmia.w lr!, {r8, r9, sl, fp}", "add r0, r1, r2"], 3),
        ("cortex-m7", [], 0),
    ],
)
def test_cycles_of_a_block(model: str, block: list[str], straight: int) -> None:
    assert cycles(model, *block).straight == straight


def test_cycles_of_branches() -> None:
    assert cycles("cortex-m4", "bne.n 10") == BlockCycles(1, 2)
    assert cycles("cortex-m7", "cmp r0, #3", "bne.n 10") == BlockCycles(1, 1)
    assert cycles("cortex-m55", "le lr, 10").taken == 0


def test_which_models_suit_a_core() -> None:
    named = {name: models_for(core_named(name)) for name in ("m0", "m3", "m4", "m7", "m33", "m55")}
    assert named == {
        "m0": ("cortex-m0",),
        "m3": ("cortex-m3",),
        "m4": ("cortex-m4", "cortex-m7"),
        "m7": ("cortex-m7", "cortex-m4"),
        "m33": ("cortex-m4", "cortex-m7"),
        "m55": ("cortex-m55",),
    }
