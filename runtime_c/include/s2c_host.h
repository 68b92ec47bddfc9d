/*
 * Requantisation of sixteen sums at once, for kernels that run on a PC.
 *
 * Three forms of each function with the same result for all operands: AVX-512, AVX2, and plain C.
 * Which one is compiled depends on the compiler's flags alone. Without optimisation every vector
 * of every function would have a place of its own on the stack, so that is plain C too.
 */
#ifndef S2C_HOST_H
#define S2C_HOST_H

#include <stdint.h>
#include <string.h>

#include "s2c_requantise.h"

/* One of these, or none. */
#if defined(__OPTIMIZE__) && defined(__AVX512F__) && defined(__AVX512VNNI__)
#define S2C_HOST_AVX512 1
#elif defined(__OPTIMIZE__) && defined(__AVX2__)
#define S2C_HOST_AVX2 1
#elif defined(__OPTIMIZE__) && defined(__SSE2__)
#define S2C_HOST_SSE2 1
#elif defined(__OPTIMIZE__) && defined(__GNUC__) && defined(__LP64__)
#define S2C_HOST_GNU 1
#endif

#if defined(S2C_HOST_AVX512) || defined(S2C_HOST_AVX2) || defined(S2C_HOST_SSE2)
#include <immintrin.h>
#endif

#if defined(__GNUC__) && defined(__OPTIMIZE__)
#define S2C_HOST_INLINE static inline __attribute__((always_inline))
#else
#define S2C_HOST_INLINE static inline
#endif

#define S2C_HOST_LANES 16u

/* What is done to all results of a layer. */
typedef struct {
    uint8_t shift;
    uint8_t zero_point;
    uint8_t minimum;
} s2c_host_results;

#if defined(S2C_HOST_AVX512)

/*
 * s2c_requantise of each lane. The results fit 32 bits, so bits shift to shift + 31 of the products
 * are all that is wanted, and their sign does not matter.
 */
S2C_HOST_INLINE __m512i s2c_host_requantise(const int32_t *acc, const int32_t *multiplier,
                                            uint32_t shift)
{
    const __m512i a = _mm512_loadu_si512(acc);
    const __m512i m = _mm512_loadu_si512(multiplier);
    const __m512i half = _mm512_set1_epi64((long long)1 << (shift - 1u));
    const __m128i right = _mm_cvtsi32_si128((int32_t)shift);
    const __m128i left = _mm_cvtsi32_si128(32 - (int32_t)shift);
    const __m512i even = _mm512_mul_epi32(a, m);
    const __m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(m, 32));
    const __m512i low = _mm512_srl_epi64(_mm512_add_epi64(even, half), right);
    const __m512i high = _mm512_sll_epi64(_mm512_add_epi64(odd, half), left);
    return _mm512_mask_blend_epi32(0xAAAA, low, high);
}

/* s2c_requantise and s2c_saturate_u8 of 16 sums. */
S2C_HOST_INLINE void s2c_host_store_u8(const int32_t *acc, const int32_t *multiplier,
                                       s2c_host_results results, uint8_t *to)
{
    const __m512i r = s2c_host_requantise(acc, multiplier, results.shift);
    const __m512i zero = _mm512_set1_epi32(results.zero_point);
    const __m512i lowest = _mm512_set1_epi32((int32_t)results.minimum - results.zero_point);
    const __m512i highest = _mm512_set1_epi32(255 - (int32_t)results.zero_point);
    const __m512i clamped = _mm512_min_epi32(_mm512_max_epi32(r, lowest), highest);
    const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_add_epi32(clamped, zero));
    memcpy(to, &bytes, sizeof bytes);
}

/* sums[i] += the larger of `least` and s2c_requantise of 16 sums. */
S2C_HOST_INLINE void s2c_host_add(const int32_t *acc, const int32_t *multiplier, uint32_t shift,
                                  int32_t least, int32_t *sums)
{
    const __m512i r = _mm512_max_epi32(s2c_host_requantise(acc, multiplier, shift),
                                       _mm512_set1_epi32(least));
    _mm512_storeu_si512(sums, _mm512_add_epi32(_mm512_loadu_si512(sums), r));
}

#elif defined(S2C_HOST_AVX2)

S2C_HOST_INLINE __m256i s2c_host_load8(const int32_t *from)
{
    __m256i lanes;
    memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

/* Eight lanes; see above. */
S2C_HOST_INLINE __m256i s2c_host_requantise(const int32_t *acc, const int32_t *multiplier,
                                            uint32_t shift)
{
    const __m256i a = s2c_host_load8(acc);
    const __m256i m = s2c_host_load8(multiplier);
    const __m256i half = _mm256_set1_epi64x((long long)1 << (shift - 1u));
    const __m128i right = _mm_cvtsi32_si128((int32_t)shift);
    const __m128i left = _mm_cvtsi32_si128(32 - (int32_t)shift);
    const __m256i even = _mm256_mul_epi32(a, m);
    const __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(m, 32));
    const __m256i low = _mm256_srl_epi64(_mm256_add_epi64(even, half), right);
    const __m256i high = _mm256_sll_epi64(_mm256_add_epi64(odd, half), left);
    return _mm256_blend_epi32(low, high, 0xAA);
}

S2C_HOST_INLINE __m256i s2c_host_saturate(__m256i r, s2c_host_results results)
{
    const __m256i zero = _mm256_set1_epi32(results.zero_point);
    const __m256i lowest = _mm256_set1_epi32((int32_t)results.minimum - results.zero_point);
    const __m256i highest = _mm256_set1_epi32(255 - (int32_t)results.zero_point);
    return _mm256_add_epi32(_mm256_min_epi32(_mm256_max_epi32(r, lowest), highest), zero);
}

S2C_HOST_INLINE void s2c_host_store_u8(const int32_t *acc, const int32_t *multiplier,
                                       s2c_host_results results, uint8_t *to)
{
    const __m256i low =
        s2c_host_saturate(s2c_host_requantise(acc, multiplier, results.shift), results);
    const __m256i high =
        s2c_host_saturate(s2c_host_requantise(acc + 8, multiplier + 8, results.shift), results);
    /* Packing leaves lanes 0-3, 8-11, 4-7, 12-15. */
    const __m256i halves = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xD8);
    const __m128i bytes =
        _mm_packus_epi16(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
    memcpy(to, &bytes, sizeof bytes);
}

S2C_HOST_INLINE void s2c_host_add(const int32_t *acc, const int32_t *multiplier, uint32_t shift,
                                  int32_t least, int32_t *sums)
{
    for (uint32_t i = 0; i < S2C_HOST_LANES; i += 8u) {
        const __m256i r = _mm256_max_epi32(
            s2c_host_requantise(acc + i, multiplier + i, shift), _mm256_set1_epi32(least));
        const __m256i sum = _mm256_add_epi32(s2c_host_load8(sums + i), r);
        memcpy(sums + i, &sum, sizeof sum);
    }
}

#else

S2C_HOST_INLINE void s2c_host_store_u8(const int32_t *acc, const int32_t *multiplier,
                                       s2c_host_results results, uint8_t *to)
{
    for (uint32_t i = 0; i < S2C_HOST_LANES; ++i) {
        const int32_t r = s2c_requantise(acc[i], multiplier[i], results.shift);
        to[i] = s2c_saturate_u8(r, results.zero_point, results.minimum);
    }
}

S2C_HOST_INLINE void s2c_host_add(const int32_t *acc, const int32_t *multiplier, uint32_t shift,
                                  int32_t least, int32_t *sums)
{
    for (uint32_t i = 0; i < S2C_HOST_LANES; ++i) {
        const int32_t r = s2c_requantise(acc[i], multiplier[i], shift);
        sums[i] += r > least ? r : least;
    }
}

#endif

#endif /* S2C_HOST_H */
