/* The one place in C that rounds: see docs/quantization-spec.md. */
#ifndef S2C_REQUANTISE_H
#define S2C_REQUANTISE_H

#include <stdint.h>

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
    const int64_t product = (int64_t)acc * (int64_t)multiplier;
    const uint64_t biased = (uint64_t)product + ((uint64_t)1 << (shift - 1u)) + ((uint64_t)1 << 62);
    const int64_t quotient = (int64_t)(biased >> shift) - (int64_t)((uint64_t)1 << (62u - shift));
    return (int32_t)quotient;
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
