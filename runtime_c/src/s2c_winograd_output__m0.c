/* From the sums of a 3x3 convolution by Winograd's algorithm to its output, for Cortex-M0. */
#include <stddef.h>

#include "s2c_conv2d_m0.h"
#include "s2c_winograd_m0.h"

#define SIDE 6u
#define OUT S2C_WINOGRAD_OUT

/* A^T on six numbers, `step` apart. */
static inline void transform(const uint32_t *m, size_t step, uint32_t *y)
{
    const uint32_t s = m[step] + m[2u * step];
    const uint32_t d = m[step] - m[2u * step];
    const uint32_t t = m[3u * step] + m[4u * step];
    const uint32_t e = m[3u * step] - m[4u * step];
    const uint32_t last = m[5u * step];

    y[0] = m[0] + s + t;
    y[1] = d + (e << 1);
    y[2] = s + (t << 2);
    y[3] = d + (e << 3) + last;
}

void s2c_winograd_sums__m0(uint32_t *m, uint32_t *sums64)
{
    for (uint32_t col = 0; col < SIDE; ++col) {
        /* What was read already is farther ahead than what is written. */
        transform(m + (size_t)SIDE * col, 1u, m + (size_t)OUT * col);
    }
    for (uint32_t row = 0; row < OUT; ++row) {
        transform(m + row, OUT, sums64);
        sums64 += OUT;
    }
}

#if S2C_M0_NATIVE
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* A^T on r1 to r6; results in r1, r2, r4, r5. */
#define TRANSFORM                        \
    "adds r2, r2, r3\n\t"                \
    "lsls r3, r3, #1\n\t"                \
    "subs r3, r2, r3\n\t"                \
    "adds r4, r4, r5\n\t"                \
    "lsls r5, r5, #1\n\t"                \
    "subs r5, r4, r5\n\t"                \
    "adds r1, r1, r2\n\t"                \
    "adds r1, r1, r4\n\t"                \
    "lsls r4, r4, #2\n\t"                \
    "adds r4, r4, r2\n\t"                \
    "lsls r5, r5, #1\n\t"                \
    "adds r2, r3, r5\n\t"                \
    "lsls r5, r5, #2\n\t"                \
    "adds r5, r5, r3\n\t"                \
    "adds r5, r5, r6\n\t"

#define COLUMN                           \
    "ldmia r0!, {r1, r2, r3, r4, r5, r6}\n\t" TRANSFORM \
    "stmia r7!, {r1, r2, r4, r5}\n\t"

/* r0: where it goes, r6: multiplier, r8 to r11: bias64, most, half, stride. */
#define STORE(sum)                       \
    "add " sum ", " sum ", r8\n\t"       \
    "asrs r3, " sum ", #31\n\t"          \
    "bics " sum ", r3\n\t"               \
    "lsrs " sum ", " sum ", #6\n\t"      \
    "cmp " sum ", r9\n\t"                \
    "bls 1f\n\t"                         \
    "mov " sum ", r9\n"                  \
    "1:\n\t"                             \
    "muls " sum ", r6, " sum "\n\t"      \
    "add " sum ", " sum ", r10\n\t"      \
    "lsrs " sum ", " sum ", #24\n\t"     \
    "strb " sum ", [r0]\n\t"             \
    "add r0, r0, r11\n\t"

#define ROW(m0, m1, m2, m3, m4, m5, to)                        \
    "mov r7, r12\n\t"                                          \
    "ldr r1, [r7, #" m0 "]\n\t"                                \
    "ldr r2, [r7, #" m1 "]\n\t"                                \
    "ldr r3, [r7, #" m2 "]\n\t"                                \
    "ldr r4, [r7, #" m3 "]\n\t"                                \
    "ldr r5, [r7, #" m4 "]\n\t"                                \
    "ldr r6, [r7, #" m5 "]\n\t" TRANSFORM                      \
    "mov r7, lr\n\t"                                           \
    "ldr r6, [r7, #16]\n\t"                                    \
    "ldr r0, [r7, #" to "]\n\t"                                \
    STORE("r1") STORE("r2") STORE("r4") STORE("r5")

void S2C_M0_NOINLINE s2c_winograd_output__m0(uint32_t *m, s2c_winograd_tile_results *results)
{
    register uint32_t *from __asm__("r0") = m;
    register s2c_winograd_tile_results *given __asm__("r1") = results;

    __asm__ volatile(
        ".syntax unified\n\t"
        "str r7, [r1, #36]\n\t"
        "mov lr, r1\n\t"
        "mov r12, r0\n\t"
        "mov r7, r0\n\t"
        COLUMN COLUMN COLUMN COLUMN COLUMN COLUMN
        "mov r7, lr\n\t"
        "ldmia r7!, {r1, r2, r3, r4}\n\t"
        "mov r8, r1\n\t"
        "mov r9, r2\n\t"
        "mov r10, r3\n\t"
        "mov r11, r4\n\t"
        ROW("0", "16", "32", "48", "64", "80", "20")
        ROW("4", "20", "36", "52", "68", "84", "24")
        ROW("8", "24", "40", "56", "72", "88", "28")
        ROW("12", "28", "44", "60", "76", "92", "32")
        "ldr r7, [r7, #36]\n\t"
        : "+r"(from), "+r"(given)
        :
        : "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

#else

void s2c_winograd_output__m0(uint32_t *m, s2c_winograd_tile_results *results)
{
    uint32_t sums64[OUT * OUT];
    const uint32_t *sum = sums64;

    s2c_winograd_sums__m0(m, sums64);
    for (uint32_t row = 0; row < OUT; ++row) {
        uint8_t *to = results->rows[row];
        for (uint32_t col = 0; col < OUT; ++col) {
            uint32_t acc = *sum++ + results->bias64;

            acc = acc > (uint32_t)INT32_MAX ? 0u : acc >> 6;
            acc = acc > results->most ? results->most : acc;
            *to = (uint8_t)((acc * results->multiplier + results->half) >> 24);
            to += results->stride_bytes;
        }
    }
}

#endif
