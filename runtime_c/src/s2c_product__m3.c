/* Four columns times three output channels, for Cortex-M3. See s2c_conv2d_m3.h. */
#include "s2c_conv2d_m3.h"

#if S2C_M3_NATIVE

#define S2C_TAP                      \
    "ldrd r8, r9, [r12], #8\n\t"     \
    "ldrd r10, r11, [lr], #8\n\t"    \
    "smlal r0, r1, r10, r8\n\t"      \
    "smlal r2, r3, r11, r8\n\t"      \
    "smlal r4, r5, r10, r9\n\t"      \
    "smlal r6, r7, r11, r9\n\t"

/* Stores the middle, high and low field of an accumulator. */
#define S2C_STORE(low, high)         \
    "ubfx r9, " low ", #0, #21\n\t"  \
    "lsr " low ", " low ", #21\n\t"  \
    "bfi " low ", " high ", #11, #10\n\t" \
    "asr " high ", " high ", #10\n\t" \
    "stmia r8!, {" low ", " high ", r9}\n\t"

/* Adds them to what is there. */
#define S2C_ADD(low, high)           \
    "ldmia r8, {r9, r10, r11}\n\t"   \
    "add r10, r10, " high ", asr #10\n\t" \
    "add r11, r11, " low "\n\t"      \
    "lsr " low ", " low ", #21\n\t"  \
    "sub r11, r11, " low ", lsl #21\n\t" \
    "bfi " low ", " high ", #11, #10\n\t" \
    "add r9, r9, " low "\n\t"        \
    "stmia r8!, {r9, r10, r11}\n\t"

/*
 * r0-r7: the accumulators of A with both pairs of pixels, then of B. r12 is the stream, lr the
 * columns; r8 to r11 hold words of them. Nothing is left, so the stream says when a
 * part ends, and where the sums are. The frame pointer r7 waits behind these.
 */
void s2c_product__m3(uint32_t *scratch, const uint32_t *columns)
{
    register const uint32_t *stream __asm__("r12") = scratch + S2C_M3_STREAM;
    register const uint32_t *from __asm__("lr") = columns;

    __asm__ volatile(
        "ldrd r9, r8, [r12], #8\n\t"
        "adr r10, 1f\n\t"
        "add r9, r9, r10\n\t"
        "str r7, [r8, #48]\n\t"
        "add r8, r8, #52\n\t"
        "ldmia r8, {r0, r1, r2, r3, r4, r5, r6, r7}\n\t"
        "bx r9\n\t"
        ".balign 4\n\t"
        "1:\n\t"
        S2C_TAP S2C_TAP S2C_TAP S2C_TAP S2C_TAP S2C_TAP S2C_TAP S2C_TAP
        "ldr r8, [r12], #4\n\t"
        "cmp r8, #0\n\t"
        "beq 1b\n\t"
        "lsls r9, r8, #31\n\t" /* carry: the first part; negative: the last one */
        "bic r8, r8, #3\n\t"
        "bcs 2f\n\t"
        S2C_ADD("r0", "r1") S2C_ADD("r2", "r3") S2C_ADD("r4", "r5") S2C_ADD("r6", "r7")
        "bmi 4f\n\t"
        "b 3f\n\t"
        "2:\n\t"
        S2C_STORE("r0", "r1") S2C_STORE("r2", "r3") S2C_STORE("r4", "r5") S2C_STORE("r6", "r7")
        "bmi 4f\n\t"
        "3:\n\t"
        "add r8, r8, #4\n\t"
        "ldmia r8, {r0, r1, r2, r3, r4, r5, r6, r7}\n\t"
        "b 1b\n\t"
        "4:\n\t"
        "ldr r7, [r8]\n\t"
        : "+r"(stream), "+r"(from)
        :
        : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "cc", "memory");
}

#else

/* Adds the fields of an accumulator to its sums. */
static void fold(uint32_t *sums, uint64_t accumulator)
{
    const uint64_t mask = ((uint64_t)1 << S2C_M3_FIELD) - 1u;
    const uint32_t sign = (uint32_t)(accumulator >> 63) * 0xFFC00000u;

    sums[0] += (uint32_t)((accumulator >> S2C_M3_FIELD) & mask);
    sums[1] += (uint32_t)(accumulator >> (2 * S2C_M3_FIELD)) | sign;
    sums[2] += (uint32_t)(accumulator & mask);
}

/* a * b of signed words, modulo 2^64. */
static uint64_t multiply(uint32_t a, uint32_t b)
{
    return (uint64_t)((int64_t)(int32_t)a * (int32_t)b);
}

void s2c_product__m3(uint32_t *scratch, const uint32_t *columns)
{
    const uint64_t start =
        (uint64_t)scratch[S2C_M3_SUMS + 2u] << 32 | scratch[S2C_M3_SUMS + 1u];
    const uint32_t *stream = scratch + S2C_M3_TAPS;
    uint32_t count = S2C_M3_BLOCK - scratch[S2C_M3_STREAM] / 24u;
    uint32_t flags = 0;
    uint64_t acc0 = start;
    uint64_t acc1 = start;
    uint64_t acc2 = start;
    uint64_t acc3 = start;

    memset(scratch, 0, S2C_M3_SUMS * sizeof *scratch);
    while ((flags & S2C_M3_LAST) == 0u) {
        for (; count != 0u; --count) {
            acc0 += multiply(columns[0], stream[0]);
            acc1 += multiply(columns[1], stream[0]);
            acc2 += multiply(columns[0], stream[1]);
            acc3 += multiply(columns[1], stream[1]);
            columns += 2;
            stream += 2;
        }
        flags = *stream++;
        count = S2C_M3_BLOCK;
        if (flags != 0u) {
            fold(scratch, acc0);
            fold(scratch + 3, acc1);
            fold(scratch + 6, acc2);
            fold(scratch + 9, acc3);
            acc0 = acc1 = acc2 = acc3 = start;
        }
    }
}

#endif
