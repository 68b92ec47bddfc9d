/* Sums of eight pixels and one output channel, for Cortex-M0. */
#include "s2c_conv2d_m0.h"

#if S2C_M0_NATIVE
#pragma GCC diagnostic ignored "-Woverlength-strings"

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

/*
 * Writes down the sums after each segment. r0: columns, r5: stream, r6: parts, which wait in lr. Two
 * taps have 2 * S2C_M0_TAP_BYTES of code, and there are S2C_M0_SEGMENT_TAPS.
 */
#define SEGMENTS                                                     \
    "mov lr, r6\n\t"                                                 \
    "movs r6, #0\n\t"                                                \
    "mov r8, r6\n\t"                                                 \
    "mov r9, r6\n\t"                                                 \
    "mov r10, r6\n\t"                                                \
    "mov r11, r6\n\t"                                                \
    "b 1f\n\t"                                                       \
    ".rept 16\n\t"                                                   \
    "ldmia r5!, {r6, r7}\n\t" TAP("r6") TAP("r7")                    \
    ".endr\n\t"                                                      \
    "mov r6, lr\n\t"                                                 \
    "mov r1, r8\n\t"                                                 \
    "mov r2, r9\n\t"                                                 \
    "mov r3, r10\n\t"                                                \
    "mov r4, r11\n\t"                                                \
    "stmia r6!, {r1, r2, r3, r4}\n\t"                                \
    "mov lr, r6\n"                                                   \
    "1:\n\t"                                                         \
    "ldmia r5!, {r6}\n\t"                                            \
    "add pc, pc, r6\n\t" /* what is read of pc is 4 bytes ahead */

/* One more segment: high += D / 65536, rounded to the nearest by the carry that is shifted out. */
#define SEGMENT(now, before, high, at)               \
    "ldr " now ", [r0, #" at "]\n\t"                 \
    "subs " before ", " now ", " before "\n\t"       \
    "asrs " before ", " before ", #16\n\t"           \
    "adcs " high ", " high ", " before "\n\t"

/* r0: parts, r7: their end. Sums of four pixels in r1, r5, r2, r6. */
#define FOUR_SUMS                                    \
    "movs r1, #0\n\t"                                \
    "movs r2, #0\n\t"                                \
    "movs r5, #0\n\t"                                \
    "movs r6, #0\n"                                  \
    "1:\n\t"                                         \
    SEGMENT("r3", "r1", "r5", "0")                   \
    SEGMENT("r4", "r2", "r6", "4")                   \
    SEGMENT("r1", "r3", "r5", "16")                  \
    SEGMENT("r2", "r4", "r6", "20")                  \
    "adds r0, #32\n\t"                               \
    "cmp r0, r7\n\t"                                 \
    "bne 1b\n\t"                                     \
    "lsls r3, r5, #16\n\t"                           \
    "subs r1, r1, r3\n\t"                            \
    "lsls r3, r6, #16\n\t"                           \
    "subs r2, r2, r3\n\t"

/* s2c_sums__m0 of whole parts; r12: r7, which may be the frame pointer. */
static S2C_M0_NOINLINE void multiply(const uint32_t *columns, const uint32_t *stream,
                                     uint32_t *parts)
{
    register const uint32_t *from __asm__("r0") = columns;
    register const uint32_t *weights __asm__("r5") = stream;
    register uint32_t *to __asm__("r6") = parts;

    __asm__ volatile(
        ".syntax unified\n\t"
        "mov r12, r7\n\t" SEGMENTS
        "mov r7, r12\n\t"
        : "+r"(from), "+r"(weights), "+r"(to)
        :
        : "r1", "r2", "r3", "r4", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

/* Four pixels. */
static S2C_M0_NOINLINE void add_up(const uint32_t *parts, const uint32_t *end, uint32_t *sums)
{
    register const uint32_t *from __asm__("r0") = parts;
    register const uint32_t *last __asm__("r1") = end;
    register uint32_t *to __asm__("r2") = sums;

    __asm__ volatile(
        ".syntax unified\n\t"
        "mov r12, r7\n\t"
        "mov lr, r2\n\t"
        "mov r7, r1\n\t" FOUR_SUMS
        "mov r0, lr\n\t"
        "str r1, [r0]\n\t"
        "str r5, [r0, #4]\n\t"
        "str r2, [r0, #8]\n\t"
        "str r6, [r0, #12]\n\t"
        "mov r7, r12\n\t"
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

/* A pixel of output. r3: where it goes, r7: multiplier, r8 to r11: most, bias, stride, half. */
#define STORE(sum)                       \
    "add " sum ", " sum ", r9\n\t"       \
    "asrs r4, " sum ", #31\n\t"          \
    "bics " sum ", r4\n\t"               \
    "cmp " sum ", r8\n\t"                \
    "bls 2f\n\t"                         \
    "mov " sum ", r8\n"                  \
    "2:\n\t"                             \
    "muls " sum ", r7, " sum "\n\t"      \
    "add " sum ", " sum ", r11\n\t"      \
    "lsrs " sum ", " sum ", #24\n\t"     \
    "strb " sum ", [r3]\n\t"             \
    "add r3, r3, r10\n\t"

/* Stores four pixels; r0 points to the run then. */
#define FOUR_PIXELS                                     \
    FOUR_SUMS                                           \
    "mov r0, r12\n\t"                                   \
    "ldr r7, [r0, #28]\n\t"                             \
    "ldr r3, [r0, #32]\n\t"                             \
    STORE("r1") STORE("r5") STORE("r2") STORE("r6")     \
    "str r3, [r0, #32]\n\t"

void S2C_M0_NOINLINE s2c_groups__m0(const uint32_t *columns, s2c_m0_run *run)
{
    register const uint32_t *from __asm__("r0") = columns;
    register s2c_m0_run *given __asm__("r1") = run;

    __asm__ volatile(
        ".syntax unified\n\t"
        "str r7, [r1, #40]\n\t"
        "mov r12, r1\n"
        "3:\n\t"
        "ldr r5, [r1]\n\t"
        "ldr r6, [r1, #4]\n\t" SEGMENTS
        "mov lr, r0\n\t"
        "mov r6, r12\n\t"
        "ldr r0, [r6, #4]\n\t"
        "ldr r7, [r6, #8]\n\t"
        "adds r6, #12\n\t"
        "ldmia r6!, {r1, r2, r3, r4}\n\t"
        "mov r8, r1\n\t"
        "mov r9, r2\n\t"
        "mov r10, r3\n\t"
        "mov r11, r4\n\t" FOUR_PIXELS
        "ldr r7, [r0, #8]\n\t"
        "adds r7, #8\n\t"
        "ldr r0, [r0, #4]\n\t"
        "adds r0, #8\n\t" FOUR_PIXELS
        "mov r1, r12\n\t"
        "mov r0, lr\n\t"
        "ldr r2, [r1, #36]\n\t"
        "subs r2, #1\n\t"
        "str r2, [r1, #36]\n\t"
        "beq 4f\n\t"
        "b 3b\n"
        "4:\n\t"
        "ldr r7, [r1, #40]\n\t"
        : "+r"(from), "+r"(given)
        :
        : "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
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
        const uint32_t words = ~*stream++ / S2C_M0_TAP_BYTES;
        for (uint32_t pair = 0; pair < S2C_M0_PAIRS; ++pair) {
            parts[pair] = total[pair];
        }
        for (uint32_t tap = 1; tap < words; ++tap) {
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

void s2c_groups__m0(const uint32_t *columns, s2c_m0_run *run)
{
    const uint32_t segments = (uint32_t)(run->parts_end - run->parts) / S2C_M0_PAIRS;
    uint32_t sums[S2C_M0_PIXELS];
    uint32_t taps = 0;

    for (const uint32_t *at = run->stream; *at != S2C_M0_END;) {
        const uint32_t words = ~*at / S2C_M0_TAP_BYTES;
        taps += words - 1u;
        at += words;
    }
    for (; run->groups != 0u; --run->groups) {
        s2c_sums__m0(columns, run->stream, segments, run->parts, sums);
        for (uint32_t p = 0; p < S2C_M0_PIXELS; ++p) {
            *run->out = s2c_m0_requantise(sums[p], run);
            run->out += run->stride_bytes;
        }
        columns += (size_t)S2C_M0_PAIRS * taps;
    }
}

#endif
