/*
 * Internal to the products for Helium: their inner loops, four pixels or three by two channels.
 *
 * Sums are in even registers, which is where VMLADAV can leave them: of the first channel in r0,
 * r2, r4 and r6, of the second in r8, r10, r12 and lr. The odd ones hold pointers: r1 to
 * the columns, r3 to weights, r9 to the s2c_mve_product, r11 to biases, r5 to the end of these. r7, which may be the frame pointer, counts turns; it is kept in memory meanwhile.
 */
#ifndef S2C_MVE_ASSEMBLER_H
#define S2C_MVE_ASSEMBLER_H

/* Offsets of the fields of s2c_mve_product. */
#define S2C_AT_COLUMNS "0"
#define S2C_AT_WEIGHTS "4"
#define S2C_AT_BIAS "8"
#define S2C_AT_BIAS_END "12"
#define S2C_AT_TURNS "16"
#define S2C_AT_SKIP "20"
#define S2C_AT_KEPT "24"
#define S2C_AT_ENTRY_0 "28"
#define S2C_AT_ENTRY_1 "32"
#define S2C_AT_ZERO_POINT "36"
#define S2C_AT_OUT "40"
#define S2C_AT_SUMS "56"
#define S2C_AT_LEAST "60"
#define S2C_AT_PIXELS "64"
#define S2C_AT_PARKED "68"
#define S2C_AT_PARKED_4 "84"

#define S2C_LOAD(q, r) "vldrw.u32 " q ", [" r "], #16\n\t"
#define S2C_FIELD(r, at) "ldr.w " r ", [r9, #" at "]\n\t"

/* A block of 16 taps. `mla`: vmladav for the first one, then vmladava, which adds to the sums. */
#define S2C_BLOCK_4(mla)              \
    S2C_LOAD("q0", "r3")              \
    S2C_LOAD("q2", "r1")              \
    mla " r0, q2, q0\n\t"             \
    S2C_LOAD("q1", "r3")              \
    mla " r8, q2, q1\n\t"             \
    S2C_LOAD("q3", "r1")              \
    mla " r2, q3, q0\n\t"             \
    S2C_LOAD("q2", "r1")              \
    mla " r10, q3, q1\n\t"            \
    mla " r4, q2, q0\n\t"             \
    S2C_LOAD("q3", "r1")              \
    mla " r12, q2, q1\n\t"            \
    mla " r6, q3, q0\n\t"             \
    mla " lr, q3, q1\n\t"

#define S2C_BLOCK_3(mla)              \
    S2C_LOAD("q0", "r3")              \
    S2C_LOAD("q2", "r1")              \
    mla " r0, q2, q0\n\t"             \
    S2C_LOAD("q1", "r3")              \
    mla " r8, q2, q1\n\t"             \
    S2C_LOAD("q3", "r1")              \
    mla " r2, q3, q0\n\t"             \
    S2C_LOAD("q2", "r1")              \
    mla " r10, q3, q1\n\t"            \
    mla " r4, q2, q0\n\t"             \
    mla " r12, q2, q1\n\t"

/* Bytes of code of a block: instructions of four bytes each. */
#define S2C_BLOCK_BYTES(group) ((group) == 4u ? 56u : 44u)

/* Where a loop is entered: so late that what is left after whole turns comes first. */
#define S2C_ENTRY(label, at)          \
    "adr.w r2, " label "\n\t"         \
    "add.w r2, r2, r0\n\t"            \
    "orr.w r2, r2, #1\n\t"            \
    "str.w r2, [r9, #" at "]\n\t"

#define S2C_BEGIN                     \
    S2C_FIELD("r3", S2C_AT_WEIGHTS)   \
    S2C_FIELD("r5", S2C_AT_BIAS_END)  \
    S2C_FIELD("r11", S2C_AT_BIAS)

#define S2C_BEGIN_LOOPS                   \
    "str.w r7, [r9, #" S2C_AT_KEPT "]\n\t" \
    S2C_FIELD("r0", S2C_AT_SKIP)          \
    S2C_ENTRY("2f", S2C_AT_ENTRY_0)       \
    S2C_ENTRY("3f", S2C_AT_ENTRY_1)       \
    S2C_BEGIN

#define S2C_END_LOOPS S2C_FIELD("r7", S2C_AT_KEPT)

/* What a turn of the loop does. */
#define S2C_TURN_OF_4(block) \
    block("vmladava.s8") block("vmladava.s8") block("vmladava.s8") block("vmladava.s8")
#define S2C_TURN_OF_8(block) S2C_TURN_OF_4(block) S2C_TURN_OF_4(block)

/* The sums of two channels, the loop at `label`. Afterwards weights are those of the next two. */
#define S2C_SUMS(turn, block, label, entry) \
    S2C_FIELD("r1", S2C_AT_COLUMNS)         \
    S2C_FIELD("r7", S2C_AT_TURNS)           \
    block("vmladav.s8")                     \
    S2C_FIELD("pc", entry)                  \
    ".p2align 2\n"                          \
    label ":\n\t" turn(block)               \
    "subs r7, r7, #1\n\t"                   \
    "bne.w " label "b\n\t"

/* Sums to vectors, a lane per pixel. A fourth one repeats the third. */
#define S2C_COLLECT_4(d0, d1, d2, d3)  \
    "vmov " d0 ", r0, r2\n\t"          \
    "vmov " d1 ", r4, r6\n\t"          \
    "vmov " d2 ", r8, r10\n\t"         \
    "vmov " d3 ", r12, lr\n\t"

#define S2C_COLLECT_3(d0, d1, d2, d3)  \
    "vmov " d0 ", r0, r2\n\t"          \
    "vmov " d1 ", r4, r4\n\t"          \
    "vmov " d2 ", r8, r10\n\t"         \
    "vmov " d3 ", r12, r12\n\t"

/*
 * Results of a quad of channels from sums in q4, q5, q0 and q1: what VQRDMULH makes of a sum and 128
 * times a multiplier is the contract's rounding with a shift of 24.
 */
#define S2C_REQUANTISE                                        \
    "ldmia.w r11!, {r0, r2, r4, r6, r8, r10, r12, lr}\n\t"     \
    "vadd.i32 q4, q4, r0\n\t"                                 \
    "vadd.i32 q5, q5, r8\n\t"                                 \
    "vadd.i32 q0, q0, r2\n\t"                                 \
    "vadd.i32 q1, q1, r10\n\t"                                \
    "vqrdmulh.s32 q4, q4, r4\n\t"                             \
    "vqrdmulh.s32 q5, q5, r12\n\t"                            \
    "vqrdmulh.s32 q0, q0, r6\n\t"                             \
    "vqrdmulh.s32 q1, q1, lr\n\t"

#define S2C_RESULTS(turn, block, collect)        \
    S2C_SUMS(turn, block, "2", S2C_AT_ENTRY_0)   \
    collect("d8", "d9", "d10", "d11")            \
    S2C_SUMS(turn, block, "3", S2C_AT_ENTRY_1)   \
    collect("d0", "d1", "d2", "d3")              \
    S2C_REQUANTISE

/* Sixteen results as bytes, the four channels of a pixel in one word. */
#define S2C_NARROW(zero_point)         \
    "vqmovnb.s32 q4, q4\n\t"           \
    "vqmovnt.s32 q4, q0\n\t"           \
    "vqmovnb.s32 q5, q5\n\t"           \
    "vqmovnt.s32 q5, q1\n\t" zero_point \
    "vqmovunb.s16 q4, q4\n\t"          \
    "vqmovunt.s16 q4, q5\n\t"

#define S2C_ADD_ZERO_POINT               \
    S2C_FIELD("r0", S2C_AT_ZERO_POINT)   \
    "vqadd.s16 q4, q4, r0\n\t"           \
    "vqadd.s16 q5, q5, r0\n\t"

/* On to the next quad, at label 1, unless this was the last. */
#define S2C_NEXT_QUAD    \
    "cmp r11, r5\n\t"    \
    "bne.w 1b\n\t"

#define S2C_CLOBBERED                                                                         \
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r11", "r12", "lr", "d0", "d1",      \
        "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9", "d10", "d11", "d12", "d13", "d14", "d15", \
        "cc", "memory"

#endif /* S2C_MVE_ASSEMBLER_H */
