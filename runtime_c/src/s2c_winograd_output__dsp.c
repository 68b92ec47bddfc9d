/* From the sums of a 3x3 convolution by Winograd's algorithm to its output. */
#include <stddef.h>

#include "s2c_dsp.h"
#include "s2c_winograd_dsp.h"

#if S2C_DSP_FPU
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* A column of M, `at` bytes from the first one; its four results into one register of each row. */
#define COLUMN(at0, at1, at2, at3, at4, at5, y0, y1, y2, y3) \
    "ldr r1, [r0, #" at0 "]\n\t"                             \
    "ldr r2, [r0, #" at1 "]\n\t"                             \
    "ldr r3, [r0, #" at2 "]\n\t"                             \
    "ldr r4, [r0, #" at3 "]\n\t"                             \
    "ldr r5, [r0, #" at4 "]\n\t"                             \
    "ldr r6, [r0, #" at5 "]\n\t" TRANSFORM                   \
    "vmov " y0 ", r1\n\t"                                    \
    "vmov " y1 ", r5\n\t"                                    \
    "vmov " y2 ", r3\n\t"                                    \
    "vmov " y3 ", r2\n\t"

/*
 * A^T with f in it, on r1 to r6. Results, short of the factors 1, 2, 4 and 4: r1, r5, r3, r2.
 * With s, d the sum and difference of the second and third number, t, e those of the next two.
 */
#define TRANSFORM                    \
    "add r8, r2, r3\n\t"             \
    "sub r2, r2, r3\n\t"             \
    "add r3, r4, r5\n\t"             \
    "sub r4, r4, r5\n\t"             \
    "sub r5, r3, r8, lsl #2\n\t"     \
    "add r1, r1, r1, lsl #1\n\t"     \
    "add r1, r5, r1, lsl #1\n\t"     \
    "sub r3, r3, r8\n\t"             \
    "sub r5, r4, r2, lsl #1\n\t"     \
    "rsb r2, r2, r4, lsl #1\n\t"     \
    "add r6, r6, r6, lsl #1\n\t"     \
    "add r2, r2, r6, lsl #1\n\t"

#define REQUANTISE(y)                          \
    "mla " y ", " y ", lr, r11\n\t"            \
    "smmlar " y ", " y ", r12, r0\n\t"         \
    "usat " y ", #8, " y "\n\t"

/* A row of the tile, whose pointer is in `out`. lr: what makes 64 * Y of a row, but for its columns. */
#define ROW(s0, s1, s2, s3, s4, s5, out)             \
    "vmov r8, " out "\n\t"                           \
    "cmp r8, #0\n\t"                                 \
    "beq 2f\n\t"                                     \
    "vmov r1, r2, " s0 ", " s1 "\n\t"                \
    "vmov r3, r4, " s2 ", " s3 "\n\t"                \
    "vmov r5, r6, " s4 ", " s5 "\n\t" TRANSFORM      \
    "lsl r5, r5, #1\n\t"                             \
    "lsl r3, r3, #2\n\t"                             \
    "lsl r2, r2, #2\n\t"                             \
    REQUANTISE("r1") REQUANTISE("r5")                \
    REQUANTISE("r3") REQUANTISE("r2")                \
    "vmov r8, " out "\n\t"                           \
    "vmov r9, r10, s28, s29\n\t"                     \
    "strb r1, [r8]\n\t"                              \
    "cmp r10, #2\n\t"                                \
    "blo 1f\n\t"                                     \
    "strb r5, [r8, r9]\n\t"                          \
    "beq 1f\n\t"                                     \
    "strb r3, [r8, r9, lsl #1]\n\t"                  \
    "cmp r10, #4\n\t"                                \
    "blo 1f\n\t"                                     \
    "add r9, r9, r9, lsl #1\n\t"                     \
    "strb r2, [r8, r9]\n\t"                          \
    "1:\n\t"

void s2c_winograd_output__dsp(const s2c_winograd_results *results)
{
    register const void *arguments __asm__("r0") = results;

    __asm__ volatile(
        "ldmia r0!, {r9, r10}\n\t"
        "vldmia r0, {s24-s31}\n\t"
        "mov r0, r9\n\t"
        COLUMN("0", "192", "384", "576", "768", "960", "s0", "s6", "s12", "s18")
        COLUMN("32", "224", "416", "608", "800", "992", "s1", "s7", "s13", "s19")
        COLUMN("64", "256", "448", "640", "832", "1024", "s2", "s8", "s14", "s20")
        COLUMN("96", "288", "480", "672", "864", "1056", "s3", "s9", "s15", "s21")
        COLUMN("128", "320", "512", "704", "896", "1088", "s4", "s10", "s16", "s22")
        COLUMN("160", "352", "544", "736", "928", "1120", "s5", "s11", "s17", "s23")
        "mov r0, r10\n\t"
        "vmov r11, r12, s30, s31\n\t"
        "movw lr, #0x8E39\n\t" /* 1 / 9 modulo 2^32 */
        "movt lr, #0x38E3\n\t"
        ROW("s0", "s1", "s2", "s3", "s4", "s5", "s24")
        "lsl lr, lr, #1\n\t"
        ROW("s6", "s7", "s8", "s9", "s10", "s11", "s25")
        "lsl lr, lr, #1\n\t"
        ROW("s12", "s13", "s14", "s15", "s16", "s17", "s26")
        ROW("s18", "s19", "s20", "s21", "s22", "s23", "s27")
        "2:\n\t"
        : "+r"(arguments)
        :
        : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "s0", "s1",
          "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15",
          "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23", "s24", "s25", "s26", "s27", "s28",
          "s29", "s30", "s31", "cc", "memory");
}

#else

#define SIDE 6u
#define OUT 4u
#define INVERSE_OF_9 0x38E38E39u /* modulo 2^32 */

/* A^T with f in it, on six numbers, `step` apart; the results short of the factors 1, 2, 4 and 4. */
static void transform(const uint32_t *m, uint32_t step, uint32_t *y)
{
    const uint32_t s = m[step] + m[2u * step];
    const uint32_t d = m[step] - m[2u * step];
    const uint32_t t = m[3u * step] + m[4u * step];
    const uint32_t e = m[3u * step] - m[4u * step];

    y[0] = t - 4u * s + 6u * m[0];
    y[1] = e - 2u * d;
    y[2] = t - s;
    y[3] = 2u * e - d + 6u * m[5u * step];
}

/* What is missing of 64 * Y in row i, column j. */
static uint32_t factor(uint32_t i, uint32_t j)
{
    const uint32_t shifts = (i < 2u ? i : 2u) + (j < 2u ? j : 2u);
    return INVERSE_OF_9 << shifts;
}

void s2c_winograd_output__dsp(const s2c_winograd_results *results)
{
    uint32_t columns[SIDE][OUT]; /* [column of M][row of A^T M] */

    for (uint32_t col = 0; col < SIDE; ++col) {
        transform(results->sums + (size_t)S2C_WINOGRAD_SUMS * col, S2C_WINOGRAD_SUMS * SIDE,
                  columns[col]);
    }
    for (uint32_t row = 0; row < OUT && results->rows[row] != NULL; ++row) {
        uint8_t *to = results->rows[row];
        uint32_t y[OUT];

        transform(&columns[0][row], OUT, y);
        for (uint32_t col = 0; col < results->cols; ++col) {
            const uint32_t acc64 = y[col] * factor(row, col) + results->bias64;
            *to = (uint8_t)s2c_usat8(
                s2c_smmlar(acc64, (int32_t)results->multiplier4, results->zero_point));
            to += results->stride_bytes;
        }
    }
}

#endif
