/*
 * Instructions of the DSP extension (Cortex-M4, M7, M33 and larger) as functions.
 *
 * On a core with the extension each is one instruction; everywhere else it is portable C with
 * the same result for all operands. So kernels for these cores compile, and can be tested,
 * on any machine.
 */
#ifndef S2C_DSP_H
#define S2C_DSP_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
#define S2C_DSP_NATIVE 1
#else
#define S2C_DSP_NATIVE 0
#endif

/* Whether kernels may use inline assembler that keeps constants in registers of the FPU. */
#if S2C_DSP_NATIVE && defined(__thumb2__) && defined(__ARM_FP)
#define S2C_DSP_FPU 1
#else
#define S2C_DSP_FPU 0
#endif

/*
 * What stands before it stays before it. Compilers that unroll a loop would load all of its numbers
 * first, and then have registers for none of them.
 */
#if defined(__GNUC__)
#define S2C_DSP_BARRIER() __asm__ volatile("" ::: "memory")
#define S2C_DSP_NOINLINE __attribute__((noinline))
#else
#define S2C_DSP_BARRIER() ((void)0)
#define S2C_DSP_NOINLINE
#endif

/* The four bytes at `from`, the first one lowest; no alignment needed. */
static inline uint32_t s2c_load_word(const uint8_t *from)
{
    uint32_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

static inline void s2c_store_word(uint8_t *to, uint32_t word)
{
    memcpy(to, &word, sizeof word);
}

/* The low and the high half of a word as signed numbers. */
static inline int32_t s2c_low_half(uint32_t word)
{
    const int32_t half = (int32_t)(word & 0xFFFFu);
    return half - ((half & 0x8000) << 1);
}

static inline int32_t s2c_high_half(uint32_t word)
{
    return s2c_low_half(word >> 16);
}

/* Bytes 0 and 2 as unsigned halves. */
static inline uint32_t s2c_uxtb16(uint32_t word)
{
#if S2C_DSP_NATIVE
    uint32_t result;
    __asm__("uxtb16 %0, %1" : "=r"(result) : "r"(word));
    return result;
#else
    return word & 0x00FF00FFu;
#endif
}

/* Bytes 1 and 3 as unsigned halves. */
static inline uint32_t s2c_uxtb16_ror8(uint32_t word)
{
#if S2C_DSP_NATIVE
    uint32_t result;
    __asm__("uxtb16 %0, %1, ror #8" : "=r"(result) : "r"(word));
    return result;
#else
    return (word >> 8) & 0x00FF00FFu;
#endif
}

/* Bytes 0 and 2 as signed halves. */
static inline uint32_t s2c_sxtb16(uint32_t word)
{
#if S2C_DSP_NATIVE
    uint32_t result;
    __asm__("sxtb16 %0, %1" : "=r"(result) : "r"(word));
    return result;
#else
    const uint32_t bytes = word & 0x00FF00FFu;
    return bytes | ((bytes & 0x00800080u) << 1) * 0xFFu;
#endif
}

/* Bytes 1 and 3 as signed halves. */
static inline uint32_t s2c_sxtb16_ror8(uint32_t word)
{
#if S2C_DSP_NATIVE
    uint32_t result;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(word));
    return result;
#else
    return s2c_sxtb16(word >> 8);
#endif
}

/* Sums of halves, each modulo 2^16. */
static inline uint32_t s2c_sadd16(uint32_t a, uint32_t b)
{
#if S2C_DSP_NATIVE
    uint32_t result;
    __asm__("sadd16 %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
#else
    return ((a + b) & 0x0000FFFFu) | ((a & 0xFFFF0000u) + (b & 0xFFFF0000u));
#endif
}

/* Differences of halves, each modulo 2^16. */
static inline uint32_t s2c_ssub16(uint32_t a, uint32_t b)
{
#if S2C_DSP_NATIVE
    uint32_t result;
    __asm__("ssub16 %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
#else
    return ((a - b) & 0x0000FFFFu) | ((a & 0xFFFF0000u) - (b & 0xFFFF0000u));
#endif
}

/* The halves `high` and `low` of 65536 * high + low, both signed. */
static inline uint32_t s2c_halves(uint32_t sum)
{
#if S2C_DSP_NATIVE
    uint32_t result;
    __asm__("pkhbt %0, %1, %2" : "=r"(result) : "r"(sum), "r"(sum + 0x8000u));
    return result;
#else
    return (sum & 0x0000FFFFu) | ((sum + 0x8000u) & 0xFFFF0000u);
#endif
}

/* acc + low * low + high * high of signed halves, modulo 2^32. */
static inline uint32_t s2c_smlad(uint32_t a, uint32_t b, uint32_t acc)
{
#if S2C_DSP_NATIVE
    uint32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(acc));
    return result;
#else
    const int32_t low = s2c_low_half(a) * s2c_low_half(b);
    const int32_t high = s2c_high_half(a) * s2c_high_half(b);
    return acc + (uint32_t)low + (uint32_t)high;
#endif
}

/* base + (a * b + 2^31) / 2^32, rounded down; the sum modulo 2^32. */
static inline uint32_t s2c_smmlar(uint32_t a, int32_t b, uint32_t base)
{
#if S2C_DSP_NATIVE
    uint32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(base));
    return result;
#else
    const int64_t signed_a = (int64_t)a - (int64_t)((uint64_t)(a & 0x80000000u) << 1);
    const uint64_t product = (uint64_t)(signed_a * b);
    return base + (uint32_t)((product + 0x80000000u) >> 32);
#endif
}

/* The signed number `value` held within 0 and 255. */
static inline uint32_t s2c_usat8(uint32_t value)
{
#if S2C_DSP_NATIVE
    uint32_t result;
    __asm__("usat %0, #8, %1" : "=r"(result) : "r"(value) : "cc");
    return result;
#else
    return value & 0x80000000u ? 0u : (value > 255u ? 255u : value);
#endif
}

/* The larger of each pair of unsigned bytes. */
static inline uint32_t s2c_umax8(uint32_t a, uint32_t b)
{
#if S2C_DSP_NATIVE
    uint32_t result;
    __asm__("usub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b) : "cc");
    return result;
#else
    /* Bit 7 of each byte: no borrow from a - b, so a >= b there. */
    const uint32_t difference = ((a | 0x80808080u) - (b & 0x7F7F7F7Fu));
    const uint32_t at_least = ((a & ~b) | (~(a ^ b) & difference)) & 0x80808080u;
    const uint32_t mask = (at_least >> 7) * 0xFFu;
    return (a & mask) | (b & ~mask);
#endif
}

#endif /* S2C_DSP_H */
