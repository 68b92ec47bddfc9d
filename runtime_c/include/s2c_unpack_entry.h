/*
 * Entries of the decode table: shared by who builds it and who reads it. Not for applications.
 *
 * The next S2C_UNPACK_CODE_BITS bits of the stream are the index. An entry is either
 *
 *   plain    bits 0..23 one to three weights, first one lowest; unused bytes are 0
 *            bits 26..27 how many
 *            bits 28..31 bits of the stream that they take, 1 to 9
 *   escape   bits 26..31 are 0
 *            bits 0..7 first weight of the prefix
 *            bits 8..15 base: the last weight is base + extra bits
 *            bits 16..18 weights in the prefix, 0 to 7; all but its first are 0
 *            bits 19..22 bits of the code word, 1 to 9
 *            bits 23..25 extra bits behind it, 0 to 7
 */
#ifndef S2C_UNPACK_ENTRY_H
#define S2C_UNPACK_ENTRY_H

#include <stdint.h>
#include <string.h>

#include "s2c_unpack.h"

/* Whether words may be read and written at any address. Override it to test both ways. */
#ifndef S2C_UNPACK_UNALIGNED
#if defined(__ARM_FEATURE_UNALIGNED) || !defined(__ARM_ARCH)
#define S2C_UNPACK_UNALIGNED 1
#else
#define S2C_UNPACK_UNALIGNED 0
#endif
#endif

/* Keeps compilers from computing what only escapes need before they are met. */
#if defined(__GNUC__) || defined(__clang__)
#define S2C_UNPACK_LIKELY(condition) __builtin_expect((condition), 1)
#else
#define S2C_UNPACK_LIKELY(condition) (condition)
#endif

#define S2C_ENTRY_MASK (S2C_UNPACK_TABLE_WORDS - 1u)
#define S2C_ENTRY_PLAIN_WEIGHTS 3u
#define S2C_ENTRY_PREFIX_WEIGHTS 7u
#define S2C_ENTRY_EXTRA_BITS 7u
#define S2C_ESCAPE_BYTES (S2C_ENTRY_PREFIX_WEIGHTS + 1u)

/* Bits that a plain entry takes; 0 for an escape. */
static inline uint32_t s2c_entry_bits(uint32_t entry)
{
    return entry >> 28;
}

static inline uint32_t s2c_entry_count(uint32_t entry)
{
    return (entry >> 26) & 3u;
}

static inline uint32_t s2c_escape_base(uint32_t entry)
{
    return (entry >> 8) & 0xFFu;
}

static inline uint32_t s2c_escape_prefix(uint32_t entry)
{
    return (entry >> 16) & 7u;
}

static inline uint32_t s2c_escape_code_bits(uint32_t entry)
{
    return (entry >> 19) & 15u;
}

static inline uint32_t s2c_escape_extra_bits(uint32_t entry)
{
    return (entry >> 23) & 7u;
}

/* At least 25 bits of the stream from `bit` on. Reads up to the word behind bit's. */
static inline uint32_t s2c_unpack_window(const uint32_t *stream, uint32_t bit)
{
#if S2C_UNPACK_UNALIGNED
    uint32_t window;
    memcpy(&window, (const uint8_t *)stream + (bit >> 3), sizeof window);
    return window >> (bit & 7u);
#else
    const uint32_t *const words = stream + (bit >> 5);
    const uint32_t shift = bit & 31u;
    return (words[0] >> shift) | ((words[1] << 1) << (31u - shift));
#endif
}

/* Writes four bytes, of which three count. */
static inline void s2c_put_plain(uint8_t *out, uint32_t entry)
{
#if S2C_UNPACK_UNALIGNED
    memcpy(out, &entry, sizeof entry);
#else
    out[0] = (uint8_t)entry;
    out[1] = (uint8_t)(entry >> 8);
    out[2] = (uint8_t)(entry >> 16);
#endif
}

/* Writes S2C_ESCAPE_BYTES bytes, of which one more than the prefix count. Returns the bits taken. */
static inline uint32_t s2c_put_escape(uint8_t *out, uint32_t entry, uint32_t window)
{
    const uint32_t code_bits = s2c_escape_code_bits(entry);
    const uint32_t extra_bits = s2c_escape_extra_bits(entry);
    const uint32_t extra = (window >> code_bits) & ((1u << extra_bits) - 1u);
#if S2C_UNPACK_UNALIGNED
    const uint32_t prefix = entry & 0xFFu;
    const uint32_t zeros = 0u;
    memcpy(out, &prefix, sizeof prefix);
    memcpy(out + 4, &zeros, sizeof zeros);
#else
    out[0] = (uint8_t)entry;
    for (uint32_t i = 1; i < S2C_ESCAPE_BYTES; ++i) {
        out[i] = 0u;
    }
#endif
    out[s2c_escape_prefix(entry)] = (uint8_t)(s2c_escape_base(entry) + extra);
    return code_bits + extra_bits;
}

/* Where decoding stands. */
typedef struct {
    const uint32_t *stream;
    const uint32_t *table;
    uint32_t bit;
    uint8_t *out;
    uint32_t left; /* weights still to come */
} s2c_unpack_cursor;

/*
 * Decodes as far as neither the stream, of `bits` bits, nor the tile can end on the way. A file
 * of its own: inlined into its caller, compilers run out of registers.
 */
void s2c_unpack_rounds(s2c_unpack_cursor *at, uint32_t bits);

#endif /* S2C_UNPACK_ENTRY_H */
