/* Sums of eight pixels and one output channel, for Cortex-M0. */
#include "s2c_conv2d_m0.h"

#if S2C_M0_NATIVE

#define TAP(weight)                     \
    "ldmia r0!, {r1, r2, r3, r4}\n\t"   \
    "muls r1, " weight ", r1\n\t"       \
    "muls r2, " weight ", r2\n\t"       \
    "muls r3, " weight ", r3\n\t"       \
    "muls r4, " weight ", r4\n\t"       \
    "add r8, r8, r1\n\t"                \
    "add r9, r9, r2\n\t"                \
    "add r10, r10, r3\n\t"              \
    "add r11, r11, r4\n\t"

/* S2C_M0_TWO_TAPS_BYTES of code. */
#define TWO_TAPS "ldmia r5!, {r6, r7}\n\t" TAP("r6") TAP("r7")

/* The sums after each segment. r7 may be the frame pointer, so it waits in r12. */
static S2C_M0_NOINLINE void multiply(const uint32_t *columns, const uint32_t *stream,
                                     uint32_t *parts)
{
    register const uint32_t *from __asm__("r0") = columns;
    register const uint32_t *weights __asm__("r5") = stream;
    register uint32_t *to __asm__("r6") = parts;

    __asm__ volatile(
        ".syntax unified\n\t"
        "mov r12, r7\n\t"
        "mov lr, r6\n\t"
        "movs r6, #0\n\t"
        "mov r8, r6\n\t"
        "mov r9, r6\n\t"
        "mov r10, r6\n\t"
        "mov r11, r6\n"
        "1:\n\t"
        "ldmia r5!, {r6}\n\t"
        "add pc, pc, r6\n\t" /* pc is behind the branch */
        "b 2f\n\t"
        ".rept 16\n\t" TWO_TAPS ".endr\n\t"
        "mov r6, lr\n\t"
        "mov r1, r8\n\t"
        "mov r2, r9\n\t"
        "mov r3, r10\n\t"
        "mov r4, r11\n\t"
        "stmia r6!, {r1, r2, r3, r4}\n\t"
        "mov lr, r6\n\t"
        "b 1b\n"
        "2:\n\t"
        "mov r7, r12\n\t"
        : "+r"(from), "+r"(weights), "+r"(to)
        :
        : "r1", "r2", "r3", "r4", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

/* One more segment: high += D / 65536, rounded to the nearest by the carry that is shifted out. */
#define SEGMENT(now, before, high, at)               \
    "ldr " now ", [r0, #" at "]\n\t"                 \
    "subs " before ", " now ", " before "\n\t"       \
    "asrs " before ", " before ", #16\n\t"           \
    "adcs " high ", " high ", " before "\n\t"

/* Four pixels. */
static S2C_M0_NOINLINE void add_up(const uint32_t *parts, const uint32_t *end, uint32_t *sums)
{
    register const uint32_t *from __asm__("r0") = parts;
    register const uint32_t *last __asm__("r1") = end;
    register uint32_t *to __asm__("r2") = sums;

    __asm__ volatile(
        ".syntax unified\n\t"
        "mov r12, r1\n\t"
        "mov lr, r2\n\t"
        "movs r1, #0\n\t"
        "movs r2, #0\n\t"
        "movs r5, #0\n\t"
        "movs r6, #0\n"
        "1:\n\t"
        SEGMENT("r3", "r1", "r5", "0")
        SEGMENT("r4", "r2", "r6", "4")
        SEGMENT("r1", "r3", "r5", "16")
        SEGMENT("r2", "r4", "r6", "20")
        "adds r0, #32\n\t"
        "cmp r0, r12\n\t"
        "bne 1b\n\t"
        "mov r0, lr\n\t"
        "lsls r3, r5, #16\n\t"
        "subs r1, r1, r3\n\t"
        "lsls r3, r6, #16\n\t"
        "subs r3, r2, r3\n\t"
        "str r1, [r0]\n\t"
        "str r5, [r0, #4]\n\t"
        "str r3, [r0, #8]\n\t"
        "str r6, [r0, #12]\n\t"
        : "+r"(from), "+r"(last), "+r"(to)
        :
        : "r3", "r4", "r5", "r6", "r12", "lr", "cc", "memory");
}

void s2c_sums__m0(const uint32_t *columns, const uint32_t *stream, uint32_t segments,
                  uint32_t *parts, uint32_t *sums)
{
    const uint32_t *const end = parts + (size_t)S2C_M0_PAIRS * segments;

    multiply(columns, stream, parts);
    add_up(parts, end, sums);
    add_up(parts + 2, end + 2, sums + 4);
}

#else

/* D / 65536 rounded to the nearest, as a number modulo 2^32. */
static uint32_t high_of(uint32_t difference)
{
    const uint32_t high = (difference >> 16) + ((difference >> 15) & 1u);
    return high - ((difference >> 31) << 16);
}

void s2c_sums__m0(const uint32_t *columns, const uint32_t *stream, uint32_t segments,
                  uint32_t *parts, uint32_t *sums)
{
    uint32_t total[S2C_M0_PAIRS] = {0};
    uint32_t high[S2C_M0_PAIRS] = {0};

    (void)segments;
    while (*stream != S2C_M0_END) {
        const uint32_t skipped = *stream++ / S2C_M0_TWO_TAPS_BYTES;
        for (uint32_t pair = 0; pair < S2C_M0_PAIRS; ++pair) {
            parts[pair] = total[pair];
        }
        for (uint32_t tap = 2u * skipped; tap < S2C_M0_SEGMENT_TAPS; ++tap) {
            const uint32_t weight = *stream++;
            for (uint32_t pair = 0; pair < S2C_M0_PAIRS; ++pair) {
                total[pair] += *columns++ * weight;
            }
        }
        for (uint32_t pair = 0; pair < S2C_M0_PAIRS; ++pair) {
            high[pair] += high_of(total[pair] - parts[pair]);
        }
    }
    for (uint32_t pair = 0; pair < S2C_M0_PAIRS; ++pair) {
        sums[2u * pair] = total[pair] - (high[pair] << 16);
        sums[2u * pair + 1u] = high[pair];
    }
}

#endif
