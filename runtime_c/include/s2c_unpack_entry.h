/*
 * Entries of the decode table: shared by who builds it and who reads it.
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

#include "s2c_unpack.h"

#define S2C_ENTRY_MASK (S2C_UNPACK_TABLE_WORDS - 1u)
#define S2C_ENTRY_PLAIN_WEIGHTS 3u
#define S2C_ENTRY_PREFIX_WEIGHTS 7u
#define S2C_ENTRY_EXTRA_BITS 7u

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

#endif /* S2C_UNPACK_ENTRY_H */
