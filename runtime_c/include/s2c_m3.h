/*
 * Internal to the kernels for cores that multiply 32 by 32 bits, but lack the DSP extension (Cortex-M3):
 * instructions as functions. Everywhere else they are C with the same results.
 */
#ifndef S2C_M3_H
#define S2C_M3_H

#include <stdint.h>
#include <string.h>

#if defined(__thumb2__) && defined(__GNUC__) && defined(__ARM_ARCH) && __ARM_ARCH >= 7
#define S2C_M3_NATIVE 1
#else
#define S2C_M3_NATIVE 0
#endif

#if defined(__GNUC__)
#define S2C_M3_NOINLINE __attribute__((noinline))
#else
#define S2C_M3_NOINLINE
#endif

/* The signed number `value` held within 0 and 255. */
static inline uint32_t s2c_m3_usat8(uint32_t value)
{
#if S2C_M3_NATIVE
    uint32_t result;
    __asm__("usat %0, #8, %1" : "=r"(result) : "r"(value) : "cc");
    return result;
#else
    return value & 0x80000000u ? 0u : (value > 255u ? 255u : value);
#endif
}

/* The upper word of start + a * b modulo 2^64. */
static inline uint32_t s2c_m3_smlal_high(uint64_t start, int32_t a, int32_t b)
{
    return (uint32_t)((start + (uint64_t)((int64_t)a * b)) >> 32);
}

/* The four bytes at `from`, the first one lowest; no alignment needed. */
static inline uint32_t s2c_m3_load_word(const uint8_t *from)
{
    uint32_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

static inline void s2c_m3_store_word(uint8_t *to, uint32_t word)
{
    memcpy(to, &word, sizeof word);
}

#endif /* S2C_M3_H */
