/* Transformed weights of a 3x3 convolution: U = G w G^T, two input channels at a time. */
#include <stddef.h>

#include "s2c_dsp.h"
#include "s2c_winograd_dsp.h"

#define TAPS 3u
#define SIDE 6u

#if S2C_DSP_FPU
#pragma GCC diagnostic ignored "-Woverlength-strings"

typedef struct {
    const uint32_t *weights; /* r0: of the first tap */
    uint32_t tap_bytes;      /* r1: from tap to tap */
    uint32_t *u;             /* r2: of the first position; they are 64 bytes apart */
    uint32_t rounding;       /* r3 */
} operands;

/* The three taps of a column of weights; r0 goes to the next column. lr: three taps in bytes. */
#define LOAD_COLUMN             \
    "ldr r4, [r0]\n\t"          \
    "ldr r5, [r0, lr]\n\t"      \
    "ldr r6, [r0, lr, lsl #1]\n\t" \
    "add r0, r0, r1\n\t"

#define FIRST_OF_PAIR      \
    "sxtb16 r4, r4\n\t"    \
    "sxtb16 r5, r5\n\t"    \
    "sxtb16 r6, r6\n\t"

/* (256 * second + first + 128) / 256, rounded down. */
#define SECOND_OF_PAIR            \
    "sadd16 r4, r4, r3\n\t"       \
    "sadd16 r5, r5, r3\n\t"       \
    "sadd16 r6, r6, r3\n\t"       \
    "sxtb16 r4, r4, ror #8\n\t"   \
    "sxtb16 r5, r5, ror #8\n\t"   \
    "sxtb16 r6, r6, ror #8\n\t"

/* G on x0, x1, x2; what comes out is x0, p, m, q, r, x2. */
#define TRANSFORM(x0, x1, x2, p, m, q, r, t)           \
    "sadd16 " t ", " x0 ", " x2 "\n\t"                 \
    "sadd16 " p ", " t ", " x1 "\n\t"                  \
    "ssub16 " m ", " t ", " x1 "\n\t"                  \
    "sadd16 " t ", " x2 ", " x2 "\n\t"                 \
    "sadd16 " t ", " t ", " t "\n\t"                   \
    "sadd16 " t ", " x0 ", " t "\n\t"                  \
    "sadd16 " r ", " x1 ", " x1 "\n\t"                 \
    "sadd16 " q ", " t ", " r "\n\t"                   \
    "ssub16 " r ", " t ", " r "\n\t"

#define COLUMN(PART, s0, s1, s2, s3, s4, s5)                      \
    LOAD_COLUMN PART                                              \
    TRANSFORM("r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12")  \
    "vmov " s0 ", " s1 ", r4, r8\n\t"                             \
    "vmov " s2 ", " s3 ", r9, r10\n\t"                            \
    "vmov " s4 ", " s5 ", r11, r6\n\t"

#define STORE_ROW(x0, x1, x2, a0, a1, a2, a3, a4, a5)        \
    "str " x0 ", [r2, #" a0 "]\n\t"                          \
    "str " x2 ", [r2, #" a5 "]\n\t"                          \
    "sadd16 r11, " x0 ", " x2 "\n\t"                         \
    "sadd16 r12, r11, " x1 "\n\t"                            \
    "ssub16 r11, r11, " x1 "\n\t"                            \
    "str r12, [r2, #" a1 "]\n\t"                             \
    "str r11, [r2, #" a2 "]\n\t"                             \
    "sadd16 r11, " x2 ", " x2 "\n\t"                         \
    "sadd16 r11, r11, r11\n\t"                               \
    "sadd16 r11, " x0 ", r11\n\t"                            \
    "sadd16 " x1 ", " x1 ", " x1 "\n\t"                      \
    "sadd16 r12, r11, " x1 "\n\t"                            \
    "ssub16 r11, r11, " x1 "\n\t"                            \
    "str r12, [r2, #" a3 "]\n\t"                             \
    "str r11, [r2, #" a4 "]\n\t"

#define TWO_ROWS(s0, s1, s6, s7, s12, s13)   \
    "vmov r4, r8, " s0 ", " s1 "\n\t"        \
    "vmov r5, r9, " s6 ", " s7 "\n\t"        \
    "vmov r6, r10, " s12 ", " s13 "\n\t"

/* All of one output channel; columns wait in registers of the FPU, six values each. */
#define OUTPUT_CHANNEL(PART)                                                          \
    COLUMN(PART, "s0", "s1", "s2", "s3", "s4", "s5")                                  \
    COLUMN(PART, "s6", "s7", "s8", "s9", "s10", "s11")                                \
    COLUMN(PART, "s12", "s13", "s14", "s15", "s16", "s17")                            \
    "sub r0, r0, lr\n\t"                                                              \
    TWO_ROWS("s0", "s1", "s6", "s7", "s12", "s13")                                    \
    STORE_ROW("r4", "r5", "r6", "0", "64", "128", "192", "256", "320")                \
    STORE_ROW("r8", "r9", "r10", "384", "448", "512", "576", "640", "704")            \
    TWO_ROWS("s2", "s3", "s8", "s9", "s14", "s15")                                    \
    STORE_ROW("r4", "r5", "r6", "768", "832", "896", "960", "1024", "1088")           \
    STORE_ROW("r8", "r9", "r10", "1152", "1216", "1280", "1344", "1408", "1472")      \
    TWO_ROWS("s4", "s5", "s10", "s11", "s16", "s17")                                  \
    STORE_ROW("r4", "r5", "r6", "1536", "1600", "1664", "1728", "1792", "1856")       \
    STORE_ROW("r8", "r9", "r10", "1920", "1984", "2048", "2112", "2176", "2240")

/* Two input channels of both output channels. */
static void transform_pair(const uint32_t *weights, uint32_t quads, uint32_t *u)
{
    const operands given = {weights, 4u * quads, u, 0x00800080u};
    register const void *arguments __asm__("r0") = &given;

    __asm__ volatile(
        "ldmia r0, {r0, r1, r2, r3}\n\t"
        "add lr, r1, r1, lsl #1\n\t"
        OUTPUT_CHANNEL(FIRST_OF_PAIR)
        "add r2, r2, #4\n\t"
        OUTPUT_CHANNEL(SECOND_OF_PAIR)
        : "+r"(arguments)
        :
        : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "s0", "s1",
          "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15",
          "s16", "s17", "cc", "memory");
}

#else

/* G on three words of two signed halves. */
static void transform(uint32_t w0, uint32_t w1, uint32_t w2, uint32_t *y, uint32_t step)
{
    const uint32_t s = s2c_sadd16(w0, w2);
    const uint32_t doubled1 = s2c_sadd16(w1, w1);
    const uint32_t doubled2 = s2c_sadd16(w2, w2);
    const uint32_t t = s2c_sadd16(w0, s2c_sadd16(doubled2, doubled2));

    y[0] = w0;
    y[step] = s2c_sadd16(s, w1);
    y[2u * step] = s2c_ssub16(s, w1);
    y[3u * step] = s2c_sadd16(t, doubled1);
    y[4u * step] = s2c_ssub16(t, doubled1);
    y[5u * step] = w2;
}

/* Two input channels of one output channel. */
static void transform_taps(const uint32_t *w, uint32_t *u)
{
    uint32_t columns[SIDE][TAPS]; /* [row of G w][column of w] */

    for (uint32_t col = 0; col < TAPS; ++col) {
        transform(w[col], w[TAPS + col], w[2u * TAPS + col], &columns[0][col], TAPS);
    }
    for (uint32_t row = 0; row < SIDE; ++row) {
        transform(columns[row][0], columns[row][1], columns[row][2], u,
                  S2C_WINOGRAD_CHUNK_WORDS);
        u += SIDE * S2C_WINOGRAD_CHUNK_WORDS;
    }
}

static void transform_pair(const uint32_t *weights, uint32_t quads, uint32_t *u)
{
    uint32_t first[TAPS * TAPS];
    uint32_t second[TAPS * TAPS];

    for (uint32_t tap = 0; tap < TAPS * TAPS; ++tap) {
        const uint32_t low = s2c_sxtb16(*weights);
        first[tap] = low;
        second[tap] = s2c_sxtb16_ror8(s2c_ssub16(*weights, low));
        weights += quads;
    }
    transform_taps(first, u);
    transform_taps(second, u + 1);
}

#endif

void s2c_winograd_weights__dsp(const uint32_t *weights, uint32_t in_channels, uint32_t *u)
{
    const uint32_t quads = in_channels / 4u;
    const uint32_t chunk = S2C_WINOGRAD_POSITIONS * S2C_WINOGRAD_CHUNK_WORDS;

    for (uint32_t half = 0; half < 2u; ++half) {
        for (uint32_t quad = 0; quad < quads; ++quad) {
            transform_pair(weights + quad, quads,
                           u + quad / 4u * chunk + quad % 4u * 4u + half * 2u);
        }
        weights += (size_t)TAPS * TAPS * quads;
    }
}
