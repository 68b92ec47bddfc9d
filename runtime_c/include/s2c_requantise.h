/* The one place in C that rounds: see docs/quantization-spec.md. */
#ifndef S2C_REQUANTISE_H
#define S2C_REQUANTISE_H

#include <stdint.h>

#include "s2c_wide.h"

/* The number in two's complement; C99 leaves a plain cast to the implementation. */
static inline int32_t s2c_signed(uint32_t word)
{
    return word <= (uint32_t)INT32_MAX ? (int32_t)word : -(int32_t)~word - 1;
}

/* s2c_requantise without a number of 64 bits. */
static inline int32_t s2c_requantise_by_halves(int32_t acc, int32_t multiplier, uint32_t shift)
{
    const s2c_wide product = s2c_multiply_wide((uint32_t)acc, (uint32_t)multiplier);
    const uint32_t rounded = product.low + ((uint32_t)1 << (shift - 1u));
    uint32_t high = product.high;

    /* What was multiplied is acc modulo 2^32. */
    if (acc < 0) {
        high -= (uint32_t)multiplier;
    }
    if (rounded < product.low) {
        ++high;
    }
    return s2c_signed((high << (32u - shift)) | (rounded >> shift));
}

/*
 * floor((acc * multiplier + 2^(shift-1)) / 2^shift): round half up, once.
 * 0 < multiplier < 2^23 and 1 <= shift <= 30, so the result fits 32 bits where
 * multiplier < 2^shift; the compiler proves the range otherwise.
 *
 * Right shift of a negative number is implementation-defined in C99, so the sum is
 * biased to be non-negative first: |acc * multiplier| < 2^54, and 2^62 is a multiple
 * of 2^shift. Compilers reduce this to a multiply, an add and a shift.
 */
static inline int32_t s2c_requantise(int32_t acc, int32_t multiplier, uint32_t shift)
{
#if S2C_NO_LONG_MULTIPLY
    return s2c_requantise_by_halves(acc, multiplier, shift);
#else
    const int64_t product = (int64_t)acc * (int64_t)multiplier;
    const uint64_t biased = (uint64_t)product + ((uint64_t)1 << (shift - 1u)) + ((uint64_t)1 << 62);
    const int64_t quotient = (int64_t)(biased >> shift) - (int64_t)((uint64_t)1 << (62u - shift));
    return (int32_t)quotient;
#endif
}

/*
 * clamp(zero_point + r, minimum, 255). The limits move instead of r, so that the sum
 * cannot overflow for any r.
 */
static inline uint8_t s2c_saturate_u8(int32_t r, uint8_t zero_point, uint8_t minimum)
{
    const int32_t lowest = (int32_t)minimum - (int32_t)zero_point;
    const int32_t highest = 255 - (int32_t)zero_point;
    const int32_t clamped = r < lowest ? lowest : (r > highest ? highest : r);
    return (uint8_t)(clamped + (int32_t)zero_point);
}

#endif /* S2C_REQUANTISE_H */
