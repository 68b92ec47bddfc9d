/* Transformed weights of a 3x3 convolution, U = G w G^T, for Cortex-M0. */
#include <stddef.h>

#include "s2c_conv2d_m0.h"
#include "s2c_winograd_m0.h"

#define TAPS 3u
#define SIDE 6u

#if S2C_M0_NATIVE
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* w G^T of one channel, then the end of the first tap's weights. */
typedef struct {
    uint32_t rows[TAPS][SIDE];
    const int8_t *end;
} waiting;

/* G on r1, r7, r6; results in r1 to r6. */
#define TRANSFORM                    \
    "adds r2, r1, r6\n\t"            \
    "subs r3, r2, r7\n\t"            \
    "adds r2, r2, r7\n\t"            \
    "lsls r4, r6, #2\n\t"            \
    "adds r4, r4, r1\n\t"            \
    "lsls r7, r7, #1\n\t"            \
    "subs r5, r4, r7\n\t"            \
    "adds r4, r4, r7\n\t"

/* The next three taps; r8: bytes from tap to tap. */
#define ROW                                            \
    "movs r2, #0\n\t"                                  \
    "ldrsb r1, [r0, r2]\n\t"                           \
    "add r0, r0, r8\n\t"                               \
    "ldrsb r7, [r0, r2]\n\t"                           \
    "add r0, r0, r8\n\t"                               \
    "ldrsb r6, [r0, r2]\n\t"                           \
    "add r0, r0, r8\n\t" TRANSFORM                     \
    "mov r7, r9\n\t"                                   \
    "stmia r7!, {r1, r2, r3, r4, r5, r6}\n\t"          \
    "mov r9, r7\n\t"

#define STORE(y) "str " y ", [r0]\n\tadd r0, r0, r11\n\t"

/* r0: U, r11: bytes from position to position. */
#define COLUMN(w0, w1, w2)                             \
    "mov r7, r9\n\t"                                   \
    "ldr r1, [r7, #" w0 "]\n\t"                        \
    "ldr r6, [r7, #" w2 "]\n\t"                        \
    "ldr r7, [r7, #" w1 "]\n\t" TRANSFORM              \
    STORE("r1") STORE("r2") STORE("r3") STORE("r4") STORE("r5") STORE("r6")

/* r9: what waits, r10: U of the channel at hand, r12: its weights, lr: r7, which may be the frame pointer. */
static S2C_M0_NOINLINE void transform_channels(const int8_t *weights, uint32_t step, uint32_t *u,
                                               waiting *memory)
{
    register const int8_t *from __asm__("r0") = weights;
    register uint32_t bytes __asm__("r1") = step;
    register uint32_t *to __asm__("r2") = u;
    register waiting *other __asm__("r3") = memory;

    __asm__ volatile(
        ".syntax unified\n\t"
        "mov lr, r7\n\t"
        "mov r8, r1\n\t"
        "lsls r1, r1, #2\n\t"
        "mov r11, r1\n\t"
        "mov r10, r2\n\t"
        "mov r9, r3\n\t"
        "mov r12, r0\n"
        "1:\n\t" ROW ROW ROW
        "subs r7, #72\n\t"
        "mov r9, r7\n\t"
        "mov r0, r10\n\t"
        COLUMN("0", "24", "48") COLUMN("4", "28", "52") COLUMN("8", "32", "56")
        COLUMN("12", "36", "60") COLUMN("16", "40", "64") COLUMN("20", "44", "68")
        "mov r1, r10\n\t"
        "adds r1, #4\n\t"
        "mov r10, r1\n\t"
        "mov r0, r12\n\t"
        "adds r0, #1\n\t"
        "mov r12, r0\n\t"
        "mov r7, r9\n\t"
        "ldr r7, [r7, #72]\n\t"
        "cmp r0, r7\n\t"
        "beq 2f\n\t"
        "b 1b\n"
        "2:\n\t"
        "mov r7, lr\n\t"
        : "+r"(from), "+r"(bytes), "+r"(to), "+r"(other)
        :
        : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

void s2c_winograd_weights__m0(const int8_t *weights, uint32_t in_channels, uint32_t *u)
{
    waiting memory;

    memory.end = weights + in_channels;
    transform_channels(weights, in_channels, u, &memory);
}

#else

/* G on three numbers, modulo 2^32. */
static inline void transform(uint32_t w0, uint32_t w1, uint32_t w2, uint32_t *y, size_t step)
{
    const uint32_t s = w0 + w2;
    const uint32_t t = w0 + (w2 << 2);
    const uint32_t doubled = w1 << 1;

    y[0] = w0;
    y[step] = s + w1;
    y[2u * step] = s - w1;
    y[3u * step] = t + doubled;
    y[4u * step] = t - doubled;
    y[5u * step] = w2;
}

static inline uint32_t weight_at(const int8_t *weights, size_t at)
{
    return (uint32_t)(int32_t)weights[at];
}

void s2c_winograd_weights__m0(const int8_t *weights, uint32_t in_channels, uint32_t *u)
{
    const size_t step = in_channels;

    for (uint32_t channel = 0; channel < in_channels; ++channel) {
        uint32_t columns[SIDE][TAPS]; /* [column of w G^T][row of w] */
        uint32_t *to = u + channel;
        const int8_t *from = weights + channel;

        for (uint32_t row = 0; row < TAPS; ++row) {
            transform(weight_at(from, 0), weight_at(from, step), weight_at(from, 2u * step),
                      &columns[0][row], TAPS);
            from += TAPS * step;
        }
        for (uint32_t col = 0; col < SIDE; ++col) {
            transform(columns[col][0], columns[col][1], columns[col][2], to, step);
            to += SIDE * step;
        }
    }
}

#endif
