/* The loop that decodes nearly all weights; docs/weight-format.md, "Decode table". */
#include "s2c_unpack_entry.h"

/*
 * A round decodes two plain entries, or a plain one and an escape, or an escape. It takes at
 * most 9 + 9 + 7 bits, which is what a window holds, and writes at most 3 + 8 bytes. Powers of
 * two above these, so that cores without a divider are fast too.
 */
#define ROUND_BITS_LOG2 5u
#define ROUND_BYTES_LOG2 4u

void s2c_unpack_rounds(s2c_unpack_cursor *at, uint32_t bits)
{
    const uint32_t *const stream = at->stream;
    const uint32_t *const table = at->table;
    uint32_t bit = at->bit;
    uint8_t *out = at->out;
    uint8_t *const end = out + at->left;

    while (bit < bits) {
        const uint32_t by_bytes = (uint32_t)(end - out) >> ROUND_BYTES_LOG2;
        const uint32_t by_bits = (bits - bit) >> ROUND_BITS_LOG2;
        uint32_t rounds = by_bytes < by_bits ? by_bytes : by_bits;

        if (rounds == 0u) {
            break;
        }
        do {
            uint32_t window = s2c_unpack_window(stream, bit);
            uint32_t entry = table[window & S2C_ENTRY_MASK];

            /* An escape takes and gives nothing here, so that it is found once more below. */
            s2c_put_plain(out, entry);
            out += s2c_entry_count(entry);
            bit += s2c_entry_bits(entry);
            window >>= s2c_entry_bits(entry);
            entry = table[window & S2C_ENTRY_MASK];
            if (S2C_UNPACK_LIKELY(s2c_entry_bits(entry) != 0u)) {
                s2c_put_plain(out, entry);
                out += s2c_entry_count(entry);
                bit += s2c_entry_bits(entry);
            } else {
                bit += s2c_put_escape(out, entry, window);
                out += s2c_escape_prefix(entry) + 1u;
            }
        } while (--rounds != 0u);
    }
    at->bit = bit;
    at->out = out;
    at->left = (uint32_t)(end - out);
}
