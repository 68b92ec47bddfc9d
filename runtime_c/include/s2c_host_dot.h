/*
 * Sixteen sums of products at once, for kernels that run on a PC: four bytes of input, the same for
 * all sums, with four weights of each.
 *
 * Five forms with the same result for all operands: AVX-512 with VNNI, AVX2, SSE2, vectors of GNU C,
 * and plain C.
 */
#ifndef S2C_HOST_DOT_H
#define S2C_HOST_DOT_H

#include "s2c_host.h"

/* Input bytes that are multiplied at once, per sum. */
#define S2C_HOST_QUAD 4u

/* S2C_HOST_PIXELS: pixels whose sums are in registers at the same time. */

#if defined(S2C_HOST_AVX512)

#define S2C_HOST_PIXELS 14u

typedef __m512i s2c_host_sums;
typedef __m512i s2c_host_quad;
typedef __m512i s2c_host_taps;

S2C_HOST_INLINE void s2c_host_sums_load(s2c_host_sums *sums, const int32_t *from)
{
    *sums = _mm512_loadu_si512(from);
}

S2C_HOST_INLINE void s2c_host_sums_store(int32_t *to, const s2c_host_sums *sums)
{
    _mm512_storeu_si512(to, *sums);
}

/* Four bytes of input. */
S2C_HOST_INLINE s2c_host_quad s2c_host_quad_at(const uint8_t *from)
{
    int32_t bytes;
    memcpy(&bytes, from, sizeof bytes);
    return _mm512_set1_epi32(bytes);
}

/* Four weights of each sum: 64 bytes. */
S2C_HOST_INLINE s2c_host_taps s2c_host_taps_at(const int8_t *from)
{
    return _mm512_loadu_si512(from);
}

/* Adds its four products to each sum. */
S2C_HOST_INLINE void s2c_host_dot(s2c_host_sums *sums, s2c_host_quad quad, s2c_host_taps taps)
{
    *sums = _mm512_dpbusd_epi32(*sums, quad, taps);
}

#elif defined(S2C_HOST_AVX2) || defined(S2C_HOST_SSE2)

/*
 * Without VNNI products are of 16-bit numbers. Bytes 0 and 2 of a word are one pair of them, bytes 1
 * and 3 another.
 */
#if defined(S2C_HOST_AVX2)
#define S2C_HOST_PIXELS 4u
#define S2C_HOST_EACH_PART(x) x(0) x(1)
#define S2C_HOST_PARTS 2u
typedef __m256i s2c_host_part;
#define S2C_HOST_OP(name) _mm256_##name
#define S2C_HOST_AND _mm256_and_si256
#else
#define S2C_HOST_PIXELS 2u
#define S2C_HOST_EACH_PART(x) x(0) x(1) x(2) x(3)
#define S2C_HOST_PARTS 4u
typedef __m128i s2c_host_part;
#define S2C_HOST_OP(name) _mm_##name
#define S2C_HOST_AND _mm_and_si128
#endif

typedef struct {
    s2c_host_part part[S2C_HOST_PARTS];
} s2c_host_sums;

typedef struct {
    s2c_host_part even;
    s2c_host_part odd;
} s2c_host_quad;

typedef struct {
    s2c_host_quad part[S2C_HOST_PARTS];
} s2c_host_taps;

S2C_HOST_INLINE void s2c_host_sums_load(s2c_host_sums *sums, const int32_t *from)
{
    memcpy(sums, from, sizeof *sums);
}

S2C_HOST_INLINE void s2c_host_sums_store(int32_t *to, const s2c_host_sums *sums)
{
    memcpy(to, sums, sizeof *sums);
}

S2C_HOST_INLINE s2c_host_quad s2c_host_quad_at(const uint8_t *from)
{
    s2c_host_quad quad;
    int32_t bytes;
    memcpy(&bytes, from, sizeof bytes);
    quad.even = S2C_HOST_AND(S2C_HOST_OP(set1_epi32)(bytes), S2C_HOST_OP(set1_epi16)(0xFF));
    quad.odd = S2C_HOST_OP(srli_epi16)(S2C_HOST_OP(set1_epi32)(bytes), 8);
    return quad;
}

S2C_HOST_INLINE s2c_host_taps s2c_host_taps_at(const int8_t *from)
{
    s2c_host_taps taps;
    s2c_host_part bytes;
#define S2C_PART(i)                                                                             \
    memcpy(&bytes, from + i##u * sizeof bytes, sizeof bytes);                                   \
    taps.part[i].even = S2C_HOST_OP(srai_epi16)(S2C_HOST_OP(slli_epi16)(bytes, 8), 8);          \
    taps.part[i].odd = S2C_HOST_OP(srai_epi16)(bytes, 8);
    S2C_HOST_EACH_PART(S2C_PART)
#undef S2C_PART
    return taps;
}

S2C_HOST_INLINE void s2c_host_dot(s2c_host_sums *sums, s2c_host_quad quad, s2c_host_taps taps)
{
#define S2C_PART(i)                                                                             \
    sums->part[i] = S2C_HOST_OP(add_epi32)(                                                      \
        sums->part[i], S2C_HOST_OP(madd_epi16)(quad.even, taps.part[i].even));                   \
    sums->part[i] = S2C_HOST_OP(add_epi32)(                                                      \
        sums->part[i], S2C_HOST_OP(madd_epi16)(quad.odd, taps.part[i].odd));
    S2C_HOST_EACH_PART(S2C_PART)
#undef S2C_PART
}

#elif defined(S2C_HOST_GNU)

#define S2C_HOST_PIXELS 4u

typedef int32_t s2c_host_part __attribute__((vector_size(16)));

typedef struct {
    s2c_host_part part[4];
} s2c_host_sums;

typedef struct {
    int32_t byte[S2C_HOST_QUAD];
} s2c_host_quad;

/* By sum / 4, tap and sum % 4. */
typedef struct {
    s2c_host_part part[4][S2C_HOST_QUAD];
} s2c_host_taps;

S2C_HOST_INLINE void s2c_host_sums_load(s2c_host_sums *sums, const int32_t *from)
{
    memcpy(sums, from, sizeof *sums);
}

S2C_HOST_INLINE void s2c_host_sums_store(int32_t *to, const s2c_host_sums *sums)
{
    memcpy(to, sums, sizeof *sums);
}

S2C_HOST_INLINE s2c_host_quad s2c_host_quad_at(const uint8_t *from)
{
    const s2c_host_quad quad = {{from[0], from[1], from[2], from[3]}};
    return quad;
}

S2C_HOST_INLINE s2c_host_taps s2c_host_taps_at(const int8_t *from)
{
    s2c_host_taps taps;
#define S2C_TAP(i, k)                                                                           \
    taps.part[i][k] =                                                                           \
        (s2c_host_part){from[16 * i + k], from[16 * i + 4 + k], from[16 * i + 8 + k],           \
                        from[16 * i + 12 + k]};
#define S2C_PART(i) S2C_TAP(i, 0) S2C_TAP(i, 1) S2C_TAP(i, 2) S2C_TAP(i, 3)
    S2C_PART(0) S2C_PART(1) S2C_PART(2) S2C_PART(3)
#undef S2C_PART
#undef S2C_TAP
    return taps;
}

S2C_HOST_INLINE void s2c_host_dot(s2c_host_sums *sums, s2c_host_quad quad, s2c_host_taps taps)
{
#define S2C_PART(i)                                                                             \
    sums->part[i] += quad.byte[0] * taps.part[i][0];                                             \
    sums->part[i] += quad.byte[1] * taps.part[i][1];                                             \
    sums->part[i] += quad.byte[2] * taps.part[i][2];                                             \
    sums->part[i] += quad.byte[3] * taps.part[i][3];
    S2C_PART(0) S2C_PART(1) S2C_PART(2) S2C_PART(3)
#undef S2C_PART
}

#else

#define S2C_HOST_PIXELS 1u

typedef struct {
    int32_t sum[S2C_HOST_LANES];
} s2c_host_sums;

typedef const uint8_t *s2c_host_quad;
typedef const int8_t *s2c_host_taps;

S2C_HOST_INLINE void s2c_host_sums_load(s2c_host_sums *sums, const int32_t *from)
{
    memcpy(sums->sum, from, sizeof sums->sum);
}

S2C_HOST_INLINE void s2c_host_sums_store(int32_t *to, const s2c_host_sums *sums)
{
    memcpy(to, sums->sum, sizeof sums->sum);
}

S2C_HOST_INLINE s2c_host_quad s2c_host_quad_at(const uint8_t *from)
{
    return from;
}

S2C_HOST_INLINE s2c_host_taps s2c_host_taps_at(const int8_t *from)
{
    return from;
}

S2C_HOST_INLINE void s2c_host_dot(s2c_host_sums *sums, s2c_host_quad quad, s2c_host_taps taps)
{
    for (uint32_t i = 0; i < S2C_HOST_LANES; ++i) {
        sums->sum[i] += quad[0] * taps[0] + quad[1] * taps[1] + quad[2] * taps[2] +
                        quad[3] * taps[3];
        taps += S2C_HOST_QUAD;
    }
}

#endif

#endif /* S2C_HOST_DOT_H */
