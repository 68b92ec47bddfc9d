/*
 * SMLAD on four words at once, where there is no SMLAD: firmware that is verified on a PC need not
 * take longer than it must.
 *
 * S2C_DSP_LANES says whether these functions exist. With S2C_DSP_EMULATE kernels are compiled
 * as the instructions one by one, as for 32 bits, without optimisation, and by compilers other than GCC
 * and Clang.
 */
#ifndef S2C_DSP_LANES_H
#define S2C_DSP_LANES_H

#include "s2c_dsp.h"

#if !S2C_DSP_NATIVE && defined(__GNUC__) && defined(__LP64__) && defined(__OPTIMIZE__) && \
    !defined(S2C_DSP_EMULATE)
#define S2C_DSP_LANES 1
#else
#define S2C_DSP_LANES 0
#endif

#if S2C_DSP_LANES

#if defined(__SSE2__)
#include <emmintrin.h>

typedef __m128i s2c_dsp_lanes;

static inline s2c_dsp_lanes s2c_lanes_all(uint32_t word)
{
    return _mm_set1_epi32((int32_t)word);
}

/* s2c_smlad of each lane. */
static inline s2c_dsp_lanes s2c_lanes_smlad(s2c_dsp_lanes a, s2c_dsp_lanes b, s2c_dsp_lanes acc)
{
    return _mm_add_epi32(acc, _mm_madd_epi16(a, b));
}

/* s2c_sxtb16 of each lane. */
static inline s2c_dsp_lanes s2c_lanes_sxtb16(s2c_dsp_lanes a)
{
    return _mm_srai_epi16(_mm_slli_epi16(a, 8), 8);
}

#else

typedef uint32_t s2c_dsp_lanes __attribute__((vector_size(16)));
typedef int32_t s2c_dsp_signed_lanes __attribute__((vector_size(16)));

static inline s2c_dsp_lanes s2c_lanes_all(uint32_t word)
{
    const s2c_dsp_lanes lanes = {word, word, word, word};
    return lanes;
}

/* s2c_smlad of each lane. GNU C shifts signed numbers arithmetically. */
static inline s2c_dsp_lanes s2c_lanes_smlad(s2c_dsp_lanes a, s2c_dsp_lanes b, s2c_dsp_lanes acc)
{
    const s2c_dsp_signed_lanes a_low = (s2c_dsp_signed_lanes)(a << 16) >> 16;
    const s2c_dsp_signed_lanes b_low = (s2c_dsp_signed_lanes)(b << 16) >> 16;
    const s2c_dsp_signed_lanes a_high = (s2c_dsp_signed_lanes)a >> 16;
    const s2c_dsp_signed_lanes b_high = (s2c_dsp_signed_lanes)b >> 16;
    return acc + (s2c_dsp_lanes)a_low * (s2c_dsp_lanes)b_low +
           (s2c_dsp_lanes)a_high * (s2c_dsp_lanes)b_high;
}

/* s2c_sxtb16 of each lane. */
static inline s2c_dsp_lanes s2c_lanes_sxtb16(s2c_dsp_lanes a)
{
    const s2c_dsp_lanes bytes = a & s2c_lanes_all(0x00FF00FFu);
    return bytes | ((bytes & s2c_lanes_all(0x00800080u)) << 1) * s2c_lanes_all(0xFFu);
}

#endif

static inline s2c_dsp_lanes s2c_lanes_load4(const uint32_t *from)
{
    s2c_dsp_lanes lanes;
    memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

static inline void s2c_lanes_store4(uint32_t *to, s2c_dsp_lanes lanes)
{
    memcpy(to, &lanes, sizeof lanes);
}

/* `count` words, 1 to 4, of `left` that there are; whatever in the other lanes. */
static inline s2c_dsp_lanes s2c_lanes_load(const uint32_t *from, uint32_t count, uint32_t left)
{
    uint32_t some[4] = {0};

    if (left >= 4u) {
        return s2c_lanes_load4(from);
    }
    for (uint32_t i = 0; i < count; ++i) {
        some[i] = from[i];
    }
    return s2c_lanes_load4(some);
}

#endif

#endif /* S2C_DSP_LANES_H */
