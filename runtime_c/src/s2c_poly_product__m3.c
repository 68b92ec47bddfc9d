/* Pairs of neighbouring pixels times one output channel. See s2c_poly3x3_m3.h. */
#include "s2c_poly3x3_m3.h"

#if S2C_M3_NATIVE
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* 48 bytes of code, 24 products. */
#define S2C_TAP4                     \
    "ldrd r8, r9, [r12], #8\n\t"     \
    "ldrd r10, r11, [lr], #8\n\t"    \
    "smlal r0, r1, r10, r8\n\t"      \
    "smlal r0, r1, r11, r9\n\t"      \
    "smlal r2, r3, r11, r8\n\t"      \
    "ldrd r10, r11, [lr], #8\n\t"    \
    "smlal r2, r3, r10, r9\n\t"      \
    "smlal r4, r5, r10, r8\n\t"      \
    "smlal r4, r5, r11, r9\n\t"      \
    "smlal r6, r7, r11, r8\n\t"      \
    "ldr r10, [lr], #4\n\t"          \
    "smlal r6, r7, r10, r9\n\t"

/* 36 bytes of code, 18 products. */
#define S2C_TAP3                     \
    "ldrd r8, r9, [r12], #8\n\t"     \
    "ldrd r10, r11, [lr], #8\n\t"    \
    "smlal r0, r1, r10, r8\n\t"      \
    "smlal r0, r1, r11, r9\n\t"      \
    "smlal r2, r3, r11, r8\n\t"      \
    "ldrd r10, r11, [lr], #8\n\t"    \
    "smlal r2, r3, r10, r9\n\t"      \
    "smlal r4, r5, r10, r8\n\t"      \
    "smlal r4, r5, r11, r9\n\t"

#define S2C_ENTER(address)                                        \
    "ldrd r9, r8, [r12], #8\n\t"                                  \
    "adr r10, 1f\n\t"                                             \
    address                                                       \
    "orr r9, r9, #1\n\t"                                          \
    "str r7, [r8, #48]\n\t"                                       \
    "add r8, r8, #52\n\t"                                         \
    "ldmia r8, {r0, r1, r2, r3, r4, r5, r6, r7}\n\t"              \
    "bx r9\n\t"                                                   \
    ".balign 4\n\t"                                               \
    "1:\n\t"

#define S2C_BLOCK(tap)                                            \
    tap tap tap tap tap tap tap tap                               \
    "ldr r8, [r12], #4\n\t"                                       \
    "cmp r8, #0\n\t"                                              \
    "beq 1b\n\t"                                                  \
    "lsls r9, r8, #31\n\t" /* carry: the first part; negative: the last one */ \
    "bic r8, r8, #3\n\t"                                          \
    "bcs 2f\n\t"

#define S2C_AGAIN(skipped)                                        \
    "add r8, r8, #" skipped "\n\t"                                \
    "ldmia r8, {r0, r1, r2, r3, r4, r5, r6, r7}\n\t"              \
    "b 1b\n\t"

#define S2C_OPERANDS                                              \
    : "+r"(stream), "+r"(from)                                    \
    :                                                             \
    : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "cc", "memory"

/*
 * r0-r7: an accumulator per pair of pixels. r12 is the stream, lr the pixels; r8 to r11 hold words
 * of them. Nothing is left, so the stream says when a part ends, and where the sums are.
 * The frame pointer r7 waits behind these.
 */
void s2c_poly_product4__m3(uint32_t *scratch, const uint32_t *pixels)
{
    register const uint32_t *stream __asm__("r12") = scratch + S2C_M3_STREAM;
    register const uint32_t *from __asm__("lr") = pixels;

    __asm__ volatile(
        S2C_ENTER("add r9, r9, r9, lsl #1\n\tadd r9, r10, r9, lsl #4\n\t")
        S2C_BLOCK(S2C_TAP4)
        S2C_M3_ADD("r0", "r1") S2C_M3_ADD("r2", "r3") S2C_M3_ADD("r4", "r5") S2C_M3_ADD("r6", "r7")
        "bmi 4f\n\t"
        "b 3f\n\t"
        "2:\n\t"
        S2C_M3_STORE("r0", "r1") S2C_M3_STORE("r2", "r3") S2C_M3_STORE("r4", "r5")
        S2C_M3_STORE("r6", "r7")
        "bmi 4f\n\t"
        "3:\n\t"
        S2C_AGAIN("4")
        "4:\n\t"
        "ldr r7, [r8]\n\t"
        S2C_OPERANDS);
}

void s2c_poly_product3__m3(uint32_t *scratch, const uint32_t *pixels)
{
    register const uint32_t *stream __asm__("r12") = scratch + S2C_M3_STREAM;
    register const uint32_t *from __asm__("lr") = pixels;

    __asm__ volatile(
        S2C_ENTER("add r9, r9, r9, lsl #3\n\tadd r9, r10, r9, lsl #2\n\t")
        S2C_BLOCK(S2C_TAP3)
        S2C_M3_ADD("r0", "r1") S2C_M3_ADD("r2", "r3") S2C_M3_ADD("r4", "r5")
        "bmi 4f\n\t"
        "b 3f\n\t"
        "2:\n\t"
        S2C_M3_STORE("r0", "r1") S2C_M3_STORE("r2", "r3") S2C_M3_STORE("r4", "r5")
        "bmi 4f\n\t"
        "3:\n\t"
        S2C_AGAIN("16")
        "4:\n\t"
        "ldr r7, [r8, #12]\n\t"
        S2C_OPERANDS);
}

#else

static void multiply(uint32_t *scratch, const uint32_t *pixels, uint32_t pairs)
{
    const uint64_t start =
        (uint64_t)scratch[S2C_M3_SUMS + 2u] << 32 | scratch[S2C_M3_SUMS + 1u];
    const uint32_t *stream = scratch + S2C_M3_TAPS;
    uint32_t count = S2C_M3_BLOCK - scratch[S2C_M3_STREAM];
    uint32_t flags = 0;
    uint64_t acc[4] = {start, start, start, start};

    memset(scratch, 0, S2C_M3_SUMS * sizeof *scratch);
    while ((flags & S2C_M3_LAST) == 0u) {
        for (; count != 0u; --count) {
            for (uint32_t j = 0; j < pairs; ++j) {
                acc[j] += s2c_m3_multiply(pixels[j], stream[0]);
                acc[j] += s2c_m3_multiply(pixels[j + 1u], stream[1]);
            }
            pixels += pairs + 1u;
            stream += 2;
        }
        flags = *stream++;
        count = S2C_M3_BLOCK;
        for (uint32_t j = 0; j < pairs && flags != 0u; ++j) {
            s2c_m3_fold(scratch + (size_t)3u * j, acc[j]);
            acc[j] = start;
        }
    }
}

void s2c_poly_product4__m3(uint32_t *scratch, const uint32_t *pixels)
{
    multiply(scratch, pixels, 4);
}

void s2c_poly_product3__m3(uint32_t *scratch, const uint32_t *pixels)
{
    multiply(scratch, pixels, 3);
}

#endif
