/* Internal to the kernels for Cortex-M3: accumulators of 64 bits that hold three fields. */
#ifndef S2C_FIELDS_M3_H
#define S2C_FIELDS_M3_H

#include <stdint.h>

#include "s2c_m3.h"

#define S2C_M3_FIELD 21

/* Of the low and the middle field when a part begins, so that they stay positive. */
#define S2C_M3_FIELD_START (1u << 20)

#define S2C_M3_BLOCK 8u

/* Behind each block of the stream: 0, or where a part ends these flags, and where the sums are. */
#define S2C_M3_LAST 1u
#define S2C_M3_FIRST 2u
#define S2C_M3_END 4u

/*
 * Words of scratch: the sums of the middle, high and low fields of four accumulators, a register that is
 * kept, the start of the accumulators, constants of three channels (s2c_conv2d_m3.h); then the stream: how late to enter the first block, where the sums are,
 * two words per tap, and behind each block what is next.
 */
#define S2C_M3_SUMS 12u
#define S2C_M3_CONSTANTS 21u
#define S2C_M3_STREAM 39u
#define S2C_M3_TAPS 41u

#if S2C_M3_NATIVE

/* Stores the middle, high and low field of an accumulator. */
#define S2C_M3_STORE(low, high)         \
    "ubfx r9, " low ", #0, #21\n\t"  \
    "lsr " low ", " low ", #21\n\t"  \
    "bfi " low ", " high ", #11, #10\n\t" \
    "asr " high ", " high ", #10\n\t" \
    "stmia r8!, {" low ", " high ", r9}\n\t"

/* Adds them to what is there. */
#define S2C_M3_ADD(low, high)           \
    "ldmia r8, {r9, r10, r11}\n\t"   \
    "add r10, r10, " high ", asr #10\n\t" \
    "add r11, r11, " low "\n\t"      \
    "lsr " low ", " low ", #21\n\t"  \
    "sub r11, r11, " low ", lsl #21\n\t" \
    "bfi " low ", " high ", #11, #10\n\t" \
    "add r9, r9, " low "\n\t"        \
    "stmia r8!, {r9, r10, r11}\n\t"

#else

/* Adds the fields of an accumulator to its sums. */
static inline void s2c_m3_fold(uint32_t *sums, uint64_t accumulator)
{
    const uint64_t mask = ((uint64_t)1 << S2C_M3_FIELD) - 1u;
    const uint32_t sign = (uint32_t)(accumulator >> 63) * 0xFFC00000u;

    sums[0] += (uint32_t)((accumulator >> S2C_M3_FIELD) & mask);
    sums[1] += (uint32_t)(accumulator >> (2 * S2C_M3_FIELD)) | sign;
    sums[2] += (uint32_t)(accumulator & mask);
}

/* a * b of signed words, modulo 2^64. */
static inline uint64_t s2c_m3_multiply(uint32_t a, uint32_t b)
{
    return (uint64_t)((int64_t)(int32_t)a * (int32_t)b);
}

#endif

/* The word behind a part. */
static inline uint32_t s2c_m3_end_of_part(const uint32_t *scratch, uint32_t flags)
{
#if S2C_M3_NATIVE
    return (uint32_t)(uintptr_t)scratch | flags;
#else
    (void)scratch;
    return S2C_M3_END | flags;
#endif
}

/* Writes what is before the taps of the stream: `skipped` is missing of the first block. Returns where these are. */
static inline uint32_t *s2c_m3_begin_stream(uint32_t *scratch, uint32_t skipped)
{
    for (uint32_t i = 0; i < 4u; ++i) {
        scratch[S2C_M3_SUMS + 1u + 2u * i] = S2C_M3_FIELD_START;
        scratch[S2C_M3_SUMS + 2u + 2u * i] = S2C_M3_FIELD_START >> (32 - S2C_M3_FIELD);
    }
    scratch[S2C_M3_STREAM] = skipped;
    scratch[S2C_M3_STREAM + 1u] = s2c_m3_end_of_part(scratch, 0u);
    return scratch + S2C_M3_TAPS;
}

#endif /* S2C_FIELDS_M3_H */
