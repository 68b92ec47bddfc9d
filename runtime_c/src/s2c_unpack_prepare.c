/* Code table in flash to decode table in RAM; docs/weight-format.md, "Code table". */
#include "s2c_unpack_entry.h"

#define HEADER_BYTES 4u
#define PREFIX_BYTES 2u

/* A code table whose size has been found right. */
typedef struct {
    const uint8_t *prefixes; /* two bytes each, of all but the empty one */
    const uint8_t *nibbles;  /* extra bits of every segment, then lengths */
    uint32_t segments;
    uint32_t prefix_count;
    uint32_t lowest; /* first weight of the first segment, as a byte */
} code_table;

static uint32_t nibble(const code_table *code, uint32_t index)
{
    return (uint32_t)(code->nibbles[index >> 1] >> (4u * (index & 1u))) & 15u;
}

static int read_header(const s2c_packed_layer *layer, code_table *code)
{
    const uint8_t *const bytes = layer->table;
    uint32_t size;

    if (layer->table_bytes < HEADER_BYTES || bytes[0] != S2C_PACKED_VERSION) {
        return 0;
    }
    code->segments = bytes[1];
    code->prefix_count = bytes[2];
    code->lowest = bytes[3];
    if (code->segments == 0u || code->prefix_count == 0u) {
        return 0;
    }
    code->prefixes = bytes + HEADER_BYTES;
    size = HEADER_BYTES + PREFIX_BYTES * (code->prefix_count - 1u);
    size += (code->segments * (code->prefix_count + 1u) + 1u) / 2u;
    if (size != layer->table_bytes) {
        return 0;
    }
    code->nibbles = code->prefixes + PREFIX_BYTES * (code->prefix_count - 1u);
    return 1;
}

/* The first code word of every length; 0 where the lengths are no complete code. */
static int first_codes(const code_table *code, uint32_t *next)
{
    const uint32_t words = code->segments * code->prefix_count;
    uint32_t count[S2C_UNPACK_CODE_BITS + 1u] = {0};
    uint32_t taken = 0;

    for (uint32_t i = 0; i < words; ++i) {
        const uint32_t length = nibble(code, code->segments + i);
        if (length > S2C_UNPACK_CODE_BITS) {
            return 0;
        }
        ++count[length];
    }
    next[0] = 0;
    for (uint32_t length = 1; length <= S2C_UNPACK_CODE_BITS; ++length) {
        next[length] = taken >> (S2C_UNPACK_CODE_BITS - length);
        taken += count[length] << (S2C_UNPACK_CODE_BITS - length);
    }
    return taken == S2C_UNPACK_TABLE_WORDS;
}

/* The lowest `bits` bits of `value` in reverse order. */
static uint32_t reversed(uint32_t value, uint32_t bits)
{
    static const uint8_t nibbles[16] = {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15};
    const uint32_t nine = ((uint32_t)nibbles[value & 15u] << 5) |
                          ((uint32_t)nibbles[(value >> 4) & 15u] << 1) | ((value >> 8) & 1u);
    return nine >> (S2C_UNPACK_CODE_BITS - bits);
}

/* The entry of the word prefix + (base + extra bits). */
static uint32_t make_entry(uint32_t first, uint32_t prefix, uint32_t base, uint32_t extra_bits,
                           uint32_t length)
{
    if (extra_bits == 0u && prefix < S2C_ENTRY_PLAIN_WEIGHTS) {
        const uint32_t last = base << (8u * prefix);
        return (prefix == 0u ? base : first | last) | ((prefix + 1u) << 26) | (length << 28);
    }
    return first | (base << 8) | (prefix << 16) | (length << 19) | (extra_bits << 23);
}

/* Every word at every index that ends in its code word; 0 where the table is not valid. */
static int fill(const code_table *code, uint32_t *next, uint32_t *table)
{
    uint32_t word = code->segments;

    for (uint32_t p = 0; p < code->prefix_count; ++p) {
        const uint8_t *const prefix = code->prefixes + PREFIX_BYTES * (p - (p != 0u));
        const uint32_t first = p != 0u ? prefix[0] : 0u;
        const uint32_t count = p != 0u ? prefix[1] : 0u;
        uint32_t base = code->lowest ^ 0x80u; /* counted from -128 */

        if (count > S2C_ENTRY_PREFIX_WEIGHTS || (p != 0u && count == 0u)) {
            return 0;
        }
        for (uint32_t segment = 0; segment < code->segments; ++segment) {
            const uint32_t extra_bits = nibble(code, segment);
            const uint32_t length = nibble(code, word++);
            const uint32_t after = base + (1u << extra_bits);

            if (extra_bits > S2C_ENTRY_EXTRA_BITS || after > 256u) {
                return 0;
            }
            if (length != 0u) {
                const uint32_t entry = make_entry(first, count, base ^ 0x80u, extra_bits, length);
                for (uint32_t i = reversed(next[length]++, length); i < S2C_UNPACK_TABLE_WORDS;
                     i += 1u << length) {
                    table[i] = entry;
                }
            }
            base = after;
        }
    }
    return 1;
}

/* Appends plain words as long as weights and bits suffice. */
static void join(uint32_t *table)
{
    /* Falling order: what follows index i is found at a smaller index, not yet joined. */
    for (uint32_t index = S2C_UNPACK_TABLE_WORDS; index-- > 0u;) {
        uint32_t joined = table[index];
        uint32_t bits = s2c_entry_bits(joined);
        uint32_t count = s2c_entry_count(joined);

        while (count - 1u < S2C_ENTRY_PLAIN_WEIGHTS - 1u && bits < S2C_UNPACK_CODE_BITS) {
            const uint32_t next = table[index >> bits];
            const uint32_t place = 8u * count;

            bits += s2c_entry_bits(next);
            count += s2c_entry_count(next);
            if (s2c_entry_bits(next) == 0u || bits > S2C_UNPACK_CODE_BITS ||
                count > S2C_ENTRY_PLAIN_WEIGHTS) {
                break;
            }
            /* Bits and counts add up, and weights move behind those that are there. */
            joined += (next & 0xFC000000u) + ((next & 0xFFFFFFu) << place);
        }
        table[index] = joined;
    }
}

s2c_status s2c_unpack_prepare(const s2c_packed_layer *layer, uint32_t *table)
{
    uint32_t next[S2C_UNPACK_CODE_BITS + 1u];
    code_table code;

    if (layer == NULL || table == NULL) {
        return S2C_ERROR_NULL;
    }
    if (read_header(layer, &code) && first_codes(&code, next) && fill(&code, next, table)) {
        join(table);
        return S2C_OK;
    }
    for (uint32_t i = 0; i < S2C_UNPACK_TABLE_WORDS; ++i) {
        table[i] = make_entry(0u, 0u, 0u, 0u, S2C_UNPACK_CODE_BITS);
    }
    return S2C_ERROR_WEIGHTS_CRC;
}
