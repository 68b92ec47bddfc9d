/*
 * squeeze2c runtime: types and helpers that every generated model shares.
 *
 * C99, no heap, no recursion, no stdio, no mutable globals.
 */
#ifndef S2C_H
#define S2C_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define S2C_RUNTIME_VERSION 1

/* Weights are stored as little-endian words and read as bytes. */
#if defined(__BYTE_ORDER__) && defined(__ORDER_LITTLE_ENDIAN__)
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "squeeze2c: generated weights are little-endian"
#endif
#endif

/* Fails to compile where `condition` is false. `name` must be unique in its scope. */
#define S2C_STATIC_ASSERT(condition, name) \
    typedef char s2c_static_assert_##name[(condition) ? 1 : -1]

/* Alignment of an object, in bytes; before the type. Define it yourself for other compilers. */
#ifndef S2C_ALIGNED
#if defined(__GNUC__) || defined(__clang__) || defined(__ICCARM__) || defined(__ARMCC_VERSION)
#define S2C_ALIGNED(bytes) __attribute__((aligned(bytes)))
#elif defined(_MSC_VER)
#define S2C_ALIGNED(bytes) __declspec(align(bytes))
#else
#define S2C_ALIGNED(bytes) _Alignas(bytes)
#endif
#endif

typedef enum {
    S2C_OK = 0,
    S2C_ERROR_NULL = 1,            /* a pointer argument is NULL */
    S2C_ERROR_ARENA_SIZE = 2,      /* the arena is smaller than the model needs */
    S2C_ERROR_ARENA_ALIGNMENT = 3, /* the arena is not aligned as the model needs */
    S2C_ERROR_NOT_INITIALISED = 4, /* the context was never initialised */
    S2C_ERROR_WEIGHTS_CRC = 5,     /* the weights in memory are not those that were generated */
    S2C_ERROR_ARGUMENT = 6,        /* an argument is out of range */
    S2C_ERROR_SEQUENCE = 7,        /* functions called in the wrong order */
    S2C_ERROR_ROWS = 8             /* more rows than the image has, or not all of them yet */
} s2c_status;

/* A short English name of `status`, for logs. Never NULL. */
const char *s2c_status_name(s2c_status status);

/* One entry of a top-k list. */
typedef struct {
    uint32_t class_index;
    int32_t logit;
} s2c_ranked;

/*
 * The k largest logits in falling order; equal logits keep the order of their index.
 * logits: `count` values. out: `k` entries, 1 <= k <= count.
 */
s2c_status s2c_top_k(const int32_t *logits, uint32_t count, uint32_t k, s2c_ranked *out);

/*
 * Softmax in fixed point: probabilities[i] is about exp(l_i) / sum(exp(l)) in Q16
 * (65536 = 1), where l_i = logits[i] * logit_scale.
 *
 * beta_q: the compile-time constant round(logit_scale * log2(e) * 2^beta_shift),
 * given by the generated header; at most 2^31 - 1, and beta_shift is 16 to 62.
 * The result may overwrite the logits. Uses 64-bit integers, no floating point; the
 * NumPy twin, with its error bound, is squeeze2c.reference.softmax.
 */
s2c_status s2c_softmax_q16(const int32_t *logits, uint32_t count, uint32_t beta_q,
                           uint32_t beta_shift, uint32_t *probabilities);

/* CRC-32 (IEEE 802.3, reflected, as zlib). Start with crc = 0; chain calls by passing the result. */
uint32_t s2c_crc32(uint32_t crc, const void *data, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif /* S2C_H */
