/* Four columns times three output channels, for Cortex-M3. See s2c_conv2d_m3.h. */
#include "s2c_conv2d_m3.h"
#include "s2c_fields_m3.h"

#if S2C_M3_NATIVE

#define S2C_TAP                      \
    "ldrd r8, r9, [r12], #8\n\t"     \
    "ldrd r10, r11, [lr], #8\n\t"    \
    "smlal r0, r1, r10, r8\n\t"      \
    "smlal r2, r3, r11, r8\n\t"      \
    "smlal r4, r5, r10, r9\n\t"      \
    "smlal r6, r7, r11, r9\n\t"

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
        "add r9, r9, r9, lsl #1\n\t" /* a tap takes 24 bytes of code */
        "add r9, r10, r9, lsl #3\n\t"
        "orr r9, r9, #1\n\t"
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
        S2C_M3_ADD("r0", "r1") S2C_M3_ADD("r2", "r3") S2C_M3_ADD("r4", "r5") S2C_M3_ADD("r6", "r7")
        "bmi 4f\n\t"
        "b 3f\n\t"
        "2:\n\t"
        S2C_M3_STORE("r0", "r1") S2C_M3_STORE("r2", "r3") S2C_M3_STORE("r4", "r5") S2C_M3_STORE("r6", "r7")
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

void s2c_product__m3(uint32_t *scratch, const uint32_t *columns)
{
    const uint64_t start =
        (uint64_t)scratch[S2C_M3_SUMS + 2u] << 32 | scratch[S2C_M3_SUMS + 1u];
    const uint32_t *stream = scratch + S2C_M3_TAPS;
    uint32_t count = S2C_M3_BLOCK - scratch[S2C_M3_STREAM];
    uint32_t flags = 0;
    uint64_t acc0 = start;
    uint64_t acc1 = start;
    uint64_t acc2 = start;
    uint64_t acc3 = start;

    memset(scratch, 0, S2C_M3_SUMS * sizeof *scratch);
    while ((flags & S2C_M3_LAST) == 0u) {
        for (; count != 0u; --count) {
            acc0 += s2c_m3_multiply(columns[0], stream[0]);
            acc1 += s2c_m3_multiply(columns[1], stream[0]);
            acc2 += s2c_m3_multiply(columns[0], stream[1]);
            acc3 += s2c_m3_multiply(columns[1], stream[1]);
            columns += 2;
            stream += 2;
        }
        flags = *stream++;
        count = S2C_M3_BLOCK;
        if (flags != 0u) {
            s2c_m3_fold(scratch, acc0);
            s2c_m3_fold(scratch + 3, acc1);
            s2c_m3_fold(scratch + 6, acc2);
            s2c_m3_fold(scratch + 9, acc3);
            acc0 = acc1 = acc2 = acc3 = start;
        }
    }
}

#endif
