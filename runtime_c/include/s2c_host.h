/*
 * Sixteen 32-bit numbers at once, for kernels that run on a PC.
 *
 * Three forms of each function with the same result for all operands: AVX-512 with VNNI, AVX2, and
 * portable C for everything else. Which one is compiled depends on the compiler's flags alone.
 */
#ifndef S2C_HOST_H
#define S2C_HOST_H

#include <stdint.h>
#include <string.h>

#include "s2c_requantise.h"

#if defined(__AVX512F__) && defined(__AVX512VNNI__)
#define S2C_HOST_AVX512 1
#define S2C_HOST_AVX2 0
#elif defined(__AVX2__)
#define S2C_HOST_AVX512 0
#define S2C_HOST_AVX2 1
#else
#define S2C_HOST_AVX512 0
#define S2C_HOST_AVX2 0
#endif

#if S2C_HOST_AVX512 || S2C_HOST_AVX2
#include <immintrin.h>
#endif

#if defined(__GNUC__)
#define S2C_HOST_INLINE static inline __attribute__((always_inline))
#else
#define S2C_HOST_INLINE static inline
#endif

#define S2C_HOST_LANES 16u
/* Input bytes that are multiplied at once, per lane. */
#define S2C_HOST_QUAD 4u

#if S2C_HOST_AVX512

/* Pixels whose sums are in registers at the same time. */
#define S2C_HOST_PIXELS 14u

typedef __m512i s2c_lanes;
typedef __m512i s2c_host_quad;
typedef __m512i s2c_host_taps;

S2C_HOST_INLINE s2c_lanes s2c_lanes_load(const int32_t *from)
{
    return _mm512_loadu_si512(from);
}

/* The same four bytes of input for all lanes. */
S2C_HOST_INLINE s2c_host_quad s2c_host_quad_at(const uint8_t *from)
{
    int32_t bytes;
    memcpy(&bytes, from, sizeof bytes);
    return _mm512_set1_epi32(bytes);
}

/* Four weights for each lane: 64 bytes. */
S2C_HOST_INLINE s2c_host_taps s2c_host_taps_at(const int8_t *from)
{
    return _mm512_loadu_si512(from);
}

/* sums + the four products of each lane, modulo 2^32. */
S2C_HOST_INLINE s2c_lanes s2c_host_dot(s2c_lanes sums, s2c_host_quad quad, s2c_host_taps taps)
{
    return _mm512_dpbusd_epi32(sums, quad, taps);
}

S2C_HOST_INLINE s2c_lanes s2c_lanes_add(s2c_lanes a, s2c_lanes b)
{
    return _mm512_add_epi32(a, b);
}

/* The larger of `a` and `least`, lane by lane. */
S2C_HOST_INLINE s2c_lanes s2c_lanes_at_least(s2c_lanes a, int32_t least)
{
    return _mm512_max_epi32(a, _mm512_set1_epi32(least));
}

/*
 * s2c_requantise of each lane. The results fit 32 bits, so bits shift to shift + 31 of the products
 * are all that is wanted, and their sign does not matter.
 */
S2C_HOST_INLINE s2c_lanes s2c_lanes_requantise(s2c_lanes acc, s2c_lanes multiplier, uint32_t shift)
{
    const __m512i half = _mm512_set1_epi64((long long)1 << (shift - 1u));
    const __m128i right = _mm_cvtsi32_si128((int32_t)shift);
    const __m128i left = _mm_cvtsi32_si128(32 - (int32_t)shift);
    const __m512i even = _mm512_mul_epi32(acc, multiplier);
    const __m512i odd =
        _mm512_mul_epi32(_mm512_srli_epi64(acc, 32), _mm512_srli_epi64(multiplier, 32));
    const __m512i low = _mm512_srl_epi64(_mm512_add_epi64(even, half), right);
    const __m512i high = _mm512_sll_epi64(_mm512_add_epi64(odd, half), left);
    return _mm512_mask_blend_epi32(0xAAAA, low, high);
}

/* s2c_saturate_u8 of each lane, as 16 bytes. */
S2C_HOST_INLINE void s2c_lanes_store_u8(uint8_t *to, s2c_lanes r, uint8_t zero_point,
                                        uint8_t minimum)
{
    const __m512i zero = _mm512_set1_epi32(zero_point);
    const __m512i lowest = _mm512_set1_epi32((int32_t)minimum - (int32_t)zero_point);
    const __m512i highest = _mm512_set1_epi32(255 - (int32_t)zero_point);
    const __m512i clamped = _mm512_min_epi32(_mm512_max_epi32(r, lowest), highest);
    const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_add_epi32(clamped, zero));
    memcpy(to, &bytes, sizeof bytes);
}

S2C_HOST_INLINE void s2c_lanes_store(int32_t *to, s2c_lanes lanes)
{
    _mm512_storeu_si512(to, lanes);
}

#elif S2C_HOST_AVX2

#define S2C_HOST_PIXELS 4u

typedef struct {
    __m256i low;
    __m256i high;
} s2c_lanes;

/* Bytes 0 and 2, and bytes 1 and 3, as pairs of 16-bit numbers. */
typedef struct {
    __m256i even;
    __m256i odd;
} s2c_host_quad;

typedef struct {
    s2c_host_quad low;
    s2c_host_quad high;
} s2c_host_taps;

S2C_HOST_INLINE s2c_lanes s2c_lanes_load(const int32_t *from)
{
    s2c_lanes lanes;
    memcpy(&lanes.low, from, sizeof lanes.low);
    memcpy(&lanes.high, from + 8, sizeof lanes.high);
    return lanes;
}

S2C_HOST_INLINE s2c_host_quad s2c_host_quad_at(const uint8_t *from)
{
    s2c_host_quad quad;
    int32_t bytes;
    memcpy(&bytes, from, sizeof bytes);
    quad.even = _mm256_and_si256(_mm256_set1_epi32(bytes), _mm256_set1_epi16(0xFF));
    quad.odd = _mm256_srli_epi16(_mm256_set1_epi32(bytes), 8);
    return quad;
}

S2C_HOST_INLINE s2c_host_quad s2c_host_signed_quads(const int8_t *from)
{
    s2c_host_quad quads;
    __m256i bytes;
    memcpy(&bytes, from, sizeof bytes);
    quads.even = _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8);
    quads.odd = _mm256_srai_epi16(bytes, 8);
    return quads;
}

S2C_HOST_INLINE s2c_host_taps s2c_host_taps_at(const int8_t *from)
{
    s2c_host_taps taps;
    taps.low = s2c_host_signed_quads(from);
    taps.high = s2c_host_signed_quads(from + 32);
    return taps;
}

S2C_HOST_INLINE __m256i s2c_host_dot8(__m256i sums, s2c_host_quad quad, s2c_host_quad taps)
{
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(quad.even, taps.even));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(quad.odd, taps.odd));
}

S2C_HOST_INLINE s2c_lanes s2c_host_dot(s2c_lanes sums, s2c_host_quad quad, s2c_host_taps taps)
{
    sums.low = s2c_host_dot8(sums.low, quad, taps.low);
    sums.high = s2c_host_dot8(sums.high, quad, taps.high);
    return sums;
}

S2C_HOST_INLINE s2c_lanes s2c_lanes_add(s2c_lanes a, s2c_lanes b)
{
    a.low = _mm256_add_epi32(a.low, b.low);
    a.high = _mm256_add_epi32(a.high, b.high);
    return a;
}

S2C_HOST_INLINE s2c_lanes s2c_lanes_at_least(s2c_lanes a, int32_t least)
{
    a.low = _mm256_max_epi32(a.low, _mm256_set1_epi32(least));
    a.high = _mm256_max_epi32(a.high, _mm256_set1_epi32(least));
    return a;
}

S2C_HOST_INLINE __m256i s2c_host_requantise8(__m256i acc, __m256i multiplier, uint32_t shift)
{
    const __m256i half = _mm256_set1_epi64x((long long)1 << (shift - 1u));
    const __m128i right = _mm_cvtsi32_si128((int32_t)shift);
    const __m128i left = _mm_cvtsi32_si128(32 - (int32_t)shift);
    const __m256i even = _mm256_mul_epi32(acc, multiplier);
    const __m256i odd =
        _mm256_mul_epi32(_mm256_srli_epi64(acc, 32), _mm256_srli_epi64(multiplier, 32));
    const __m256i low = _mm256_srl_epi64(_mm256_add_epi64(even, half), right);
    const __m256i high = _mm256_sll_epi64(_mm256_add_epi64(odd, half), left);
    return _mm256_blend_epi32(low, high, 0xAA);
}

S2C_HOST_INLINE s2c_lanes s2c_lanes_requantise(s2c_lanes acc, s2c_lanes multiplier, uint32_t shift)
{
    acc.low = s2c_host_requantise8(acc.low, multiplier.low, shift);
    acc.high = s2c_host_requantise8(acc.high, multiplier.high, shift);
    return acc;
}

S2C_HOST_INLINE void s2c_lanes_store_u8(uint8_t *to, s2c_lanes r, uint8_t zero_point,
                                        uint8_t minimum)
{
    const __m256i zero = _mm256_set1_epi32(zero_point);
    const __m256i lowest = _mm256_set1_epi32((int32_t)minimum - (int32_t)zero_point);
    const __m256i highest = _mm256_set1_epi32(255 - (int32_t)zero_point);
    const __m256i low =
        _mm256_add_epi32(_mm256_min_epi32(_mm256_max_epi32(r.low, lowest), highest), zero);
    const __m256i high =
        _mm256_add_epi32(_mm256_min_epi32(_mm256_max_epi32(r.high, lowest), highest), zero);
    /* Lanes 0-3, 8-11, 4-7, 12-15 as 16-bit numbers, put in order. */
    const __m256i halves = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xD8);
    const __m128i bytes =
        _mm_packus_epi16(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
    memcpy(to, &bytes, sizeof bytes);
}

S2C_HOST_INLINE void s2c_lanes_store(int32_t *to, s2c_lanes lanes)
{
    memcpy(to, &lanes.low, sizeof lanes.low);
    memcpy(to + 8, &lanes.high, sizeof lanes.high);
}

#else

#define S2C_HOST_PIXELS 4u

typedef struct {
    int32_t lane[S2C_HOST_LANES];
} s2c_lanes;

typedef struct {
    uint8_t byte[S2C_HOST_QUAD];
} s2c_host_quad;

typedef struct {
    const int8_t *weights;
} s2c_host_taps;

S2C_HOST_INLINE s2c_lanes s2c_lanes_load(const int32_t *from)
{
    s2c_lanes lanes;
    memcpy(lanes.lane, from, sizeof lanes.lane);
    return lanes;
}

S2C_HOST_INLINE s2c_host_quad s2c_host_quad_at(const uint8_t *from)
{
    s2c_host_quad quad;
    memcpy(quad.byte, from, sizeof quad.byte);
    return quad;
}

S2C_HOST_INLINE s2c_host_taps s2c_host_taps_at(const int8_t *from)
{
    s2c_host_taps taps;
    taps.weights = from;
    return taps;
}

S2C_HOST_INLINE s2c_lanes s2c_host_dot(s2c_lanes sums, s2c_host_quad quad, s2c_host_taps taps)
{
    for (uint32_t i = 0; i < S2C_HOST_LANES; ++i) {
        const int8_t *const w = taps.weights + S2C_HOST_QUAD * i;
        const int32_t products = quad.byte[0] * w[0] + quad.byte[1] * w[1] +
                                 quad.byte[2] * w[2] + quad.byte[3] * w[3];
        sums.lane[i] += products;
    }
    return sums;
}

S2C_HOST_INLINE s2c_lanes s2c_lanes_add(s2c_lanes a, s2c_lanes b)
{
    for (uint32_t i = 0; i < S2C_HOST_LANES; ++i) {
        a.lane[i] += b.lane[i];
    }
    return a;
}

S2C_HOST_INLINE s2c_lanes s2c_lanes_at_least(s2c_lanes a, int32_t least)
{
    for (uint32_t i = 0; i < S2C_HOST_LANES; ++i) {
        a.lane[i] = a.lane[i] > least ? a.lane[i] : least;
    }
    return a;
}

S2C_HOST_INLINE s2c_lanes s2c_lanes_requantise(s2c_lanes acc, s2c_lanes multiplier, uint32_t shift)
{
    for (uint32_t i = 0; i < S2C_HOST_LANES; ++i) {
        acc.lane[i] = s2c_requantise(acc.lane[i], multiplier.lane[i], shift);
    }
    return acc;
}

S2C_HOST_INLINE void s2c_lanes_store_u8(uint8_t *to, s2c_lanes r, uint8_t zero_point,
                                        uint8_t minimum)
{
    for (uint32_t i = 0; i < S2C_HOST_LANES; ++i) {
        to[i] = s2c_saturate_u8(r.lane[i], zero_point, minimum);
    }
}

S2C_HOST_INLINE void s2c_lanes_store(int32_t *to, s2c_lanes lanes)
{
    memcpy(to, lanes.lane, sizeof lanes.lane);
}

#endif

#endif /* S2C_HOST_H */
