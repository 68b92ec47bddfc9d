/* Products of transformed weights and inputs of a 3x3 convolution, for Cortex-M0. */
#include <stddef.h>

#include "s2c_conv2d_m0.h"
#include "s2c_winograd_m0.h"

#if S2C_M0_NATIVE

/* What waits in memory while the registers are full. */
typedef struct {
    const uint32_t *u_end; /* of the position at hand */
    const uint32_t *u_last; /* of the last position */
    uint32_t u_step;       /* bytes of a position */
    uint32_t frame;        /* r7, which may be the frame pointer */
} waiting;

#define FOUR_TILES(weight)              \
    "ldmia r0!, {r1, r2, r3, r4}\n\t"   \
    "muls r1, " weight ", r1\n\t"       \
    "muls r2, " weight ", r2\n\t"       \
    "muls r3, " weight ", r3\n\t"       \
    "muls r4, " weight ", r4\n\t"       \
    "add r8, r8, r1\n\t"                \
    "add r9, r9, r2\n\t"                \
    "add r10, r10, r3\n\t"              \
    "add r11, r11, r4\n\t"

#define THREE_TILES(weight)             \
    "ldmia r0!, {r1, r2, r3}\n\t"       \
    "muls r1, " weight ", r1\n\t"       \
    "muls r2, " weight ", r2\n\t"       \
    "muls r3, " weight ", r3\n\t"       \
    "add r8, r8, r1\n\t"                \
    "add r9, r9, r2\n\t"                \
    "add r10, r10, r3\n\t"

/* r0: V, r5: U, r6: M, which waits in lr; r12: what waits. */
#define PRODUCT(TILES, store)                                    \
    ".syntax unified\n\t"                                        \
    "mov r12, r4\n\t"                                            \
    "str r7, [r4, #12]\n\t"                                      \
    "mov lr, r6\n"                                               \
    "1:\n\t"                                                     \
    "movs r6, #0\n\t"                                            \
    "mov r8, r6\n\t"                                             \
    "mov r9, r6\n\t"                                             \
    "mov r10, r6\n\t"                                            \
    "mov r11, r6\n"                                              \
    "2:\n\t"                                                     \
    ".rept 8\n\t"                                                \
    "ldmia r5!, {r6, r7}\n\t" TILES("r6") TILES("r7")            \
    ".endr\n\t"                                                  \
    "mov r6, r12\n\t"                                            \
    "ldr r7, [r6]\n\t"                                           \
    "cmp r5, r7\n\t"                                             \
    "beq 3f\n\t"                                                 \
    "b 2b\n"                                                     \
    "3:\n\t"                                                     \
    "mov r1, r8\n\t"                                             \
    "mov r2, r9\n\t"                                             \
    "mov r3, r10\n\t" store                                      \
    "mov lr, r4\n\t"                                             \
    "ldr r7, [r6]\n\t"                                           \
    "ldr r1, [r6, #8]\n\t"                                       \
    "adds r7, r7, r1\n\t"                                        \
    "str r7, [r6]\n\t"                                           \
    "ldr r1, [r6, #4]\n\t"                                       \
    "cmp r5, r1\n\t"                                             \
    "beq 4f\n\t"                                                 \
    "b 1b\n"                                                     \
    "4:\n\t"                                                     \
    "ldr r7, [r6, #12]\n\t"

/* To tiles that are 144 bytes apart. r4: what lr becomes. */
#define STORE_THREE                     \
    "mov r4, lr\n\t"                    \
    "movs r7, #144\n\t"                 \
    "str r1, [r4]\n\t"                  \
    "str r2, [r4, r7]\n\t"              \
    "adds r7, #144\n\t"                 \
    "str r3, [r4, r7]\n\t"              \
    "adds r4, #4\n\t"

#define STORE_FOUR                      \
    STORE_THREE                         \
    "adds r7, #140\n\t"                 \
    "mov r1, r11\n\t"                   \
    "str r1, [r4, r7]\n\t"

/* The compiler does not know how long this is, so no branch of its own may lead across. */
#define DEFINE(name, TILES, store)                                                          \
    static S2C_M0_NOINLINE void name(const uint32_t *u, const uint32_t *v, waiting *other,  \
                                     uint32_t *m)                                           \
    {                                                                                       \
        register const uint32_t *from __asm__("r0") = v;                                    \
        register waiting *memory __asm__("r4") = other;                                     \
        register const uint32_t *weights __asm__("r5") = u;                                 \
        register uint32_t *to __asm__("r6") = m;                                            \
                                                                                            \
        __asm__ volatile(PRODUCT(TILES, store)                                              \
                         : "+r"(from), "+r"(weights), "+r"(to), "+r"(memory)                \
                         :                                                                  \
                         : "r1", "r2", "r3", "r8", "r9", "r10", "r11", "r12", "lr", "cc",   \
                           "memory");                                                       \
    }

DEFINE(multiply4, FOUR_TILES, STORE_FOUR)
DEFINE(multiply3, THREE_TILES, STORE_THREE)

void s2c_winograd_product__m0(const uint32_t *u, const uint32_t *v, uint32_t in_channels,
                              uint32_t tiles, uint32_t *m)
{
    waiting other = {u + in_channels, u + (size_t)S2C_WINOGRAD_POSITIONS * in_channels,
                     in_channels * (uint32_t)sizeof *u, 0};

    if (tiles == S2C_WINOGRAD_GROUP) {
        multiply4(u, v, &other, m);
    } else {
        multiply3(u, v, &other, m);
    }
}

#else

void s2c_winograd_product__m0(const uint32_t *u, const uint32_t *v, uint32_t in_channels,
                              uint32_t tiles, uint32_t *m)
{
    for (uint32_t position = 0; position < S2C_WINOGRAD_POSITIONS; ++position) {
        uint32_t sums[S2C_WINOGRAD_GROUP] = {0};

        for (uint32_t channel = 0; channel < in_channels; ++channel) {
            for (uint32_t t = 0; t < tiles; ++t) {
                sums[t] += u[channel] * *v++;
            }
        }
        for (uint32_t t = 0; t < tiles; ++t) {
            m[t * S2C_WINOGRAD_POSITIONS + position] = sums[t];
        }
        u += in_channels;
    }
}

#endif
