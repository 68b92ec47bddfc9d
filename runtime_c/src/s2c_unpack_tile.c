/* Decodes one tile of weights; docs/weight-format.md. */
#include <string.h>

#include "s2c_unpack_entry.h"

/* Whether words may be read and written at any address. Override it to test both ways. */
#ifndef S2C_UNPACK_UNALIGNED
#if defined(__ARM_FEATURE_UNALIGNED) || !defined(__ARM_ARCH)
#define S2C_UNPACK_UNALIGNED 1
#else
#define S2C_UNPACK_UNALIGNED 0
#endif
#endif

/*
 * A round decodes two plain entries, or a plain one and an escape, or an escape. It takes at
 * most 9 + 9 + 7 bits, which is what a window holds, and writes at most 3 + 8 bytes. Powers of
 * two above these, so that cores without a divider are fast too.
 */
#define ROUND_BITS_LOG2 5u
#define ROUND_BYTES_LOG2 4u
#define ESCAPE_BYTES (S2C_ENTRY_PREFIX_WEIGHTS + 1u)

/* Where decoding stands. */
typedef struct {
    const uint32_t *stream;
    const uint32_t *table;
    uint32_t bit;
    uint8_t *out;
    uint32_t left; /* weights still to come */
} cursor;

/* At least 25 bits of the stream from `bit` on. Reads up to the word behind bit's. */
static inline uint32_t window_at(const uint32_t *stream, uint32_t bit)
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
static inline void put_plain(uint8_t *out, uint32_t entry)
{
#if S2C_UNPACK_UNALIGNED
    memcpy(out, &entry, sizeof entry);
#else
    out[0] = (uint8_t)entry;
    out[1] = (uint8_t)(entry >> 8);
    out[2] = (uint8_t)(entry >> 16);
#endif
}

/* Writes ESCAPE_BYTES bytes, of which one more than the prefix count. Returns the bits taken. */
static inline uint32_t put_escape(uint8_t *out, uint32_t entry, uint32_t window)
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
    for (uint32_t i = 1; i < ESCAPE_BYTES; ++i) {
        out[i] = 0u;
    }
#endif
    out[s2c_escape_prefix(entry)] = (uint8_t)(s2c_escape_base(entry) + extra);
    return code_bits + extra_bits;
}

/* Rounds without a test per weight, as long as neither stream nor tile can end in them. */
static void decode_rounds(cursor *at, uint32_t bits)
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
            uint32_t window = window_at(stream, bit);
            uint32_t entry = table[window & S2C_ENTRY_MASK];

            /* An escape takes and gives nothing here, so that it is found once more below. */
            put_plain(out, entry);
            out += s2c_entry_count(entry);
            bit += s2c_entry_bits(entry);
            window >>= s2c_entry_bits(entry);
            entry = table[window & S2C_ENTRY_MASK];
            if (s2c_entry_bits(entry) != 0u) {
                put_plain(out, entry);
                out += s2c_entry_count(entry);
                bit += s2c_entry_bits(entry);
            } else {
                bit += put_escape(out, entry, window);
                out += s2c_escape_prefix(entry) + 1u;
            }
        } while (--rounds != 0u);
    }
    at->bit = bit;
    at->out = out;
    at->left = (uint32_t)(end - out);
}

/* The rest of the tile, entry by entry. 0 where it has more weights than codes. */
static int decode_rest(cursor *at, uint32_t bits)
{
    while (at->left != 0u) {
        uint8_t weights[ESCAPE_BYTES];
        uint32_t window, entry, count;

        if (at->bit >= bits) {
            return 0;
        }
        window = window_at(at->stream, at->bit);
        entry = at->table[window & S2C_ENTRY_MASK];
        if (s2c_entry_bits(entry) != 0u) {
            put_plain(weights, entry);
            count = s2c_entry_count(entry);
            at->bit += s2c_entry_bits(entry);
        } else {
            at->bit += put_escape(weights, entry, window);
            count = s2c_escape_prefix(entry) + 1u;
        }
        /* Weights behind the end of the tile are none. */
        for (uint32_t i = 0; i < count && at->left != 0u; ++i) {
            *at->out++ = weights[i];
            --at->left;
        }
    }
    return 1;
}

/* bias[i] and multiplier[i] of `count` channels from `first` on. 0 where an index is wrong. */
static int unpack_channels(const s2c_packed_layer *layer, uint32_t first, uint32_t count,
                           int32_t *bias, int32_t *multiplier)
{
    for (uint32_t i = 0; i < count; ++i) {
        const uint32_t channel = first + i;
        uint32_t index = 0;

        if (layer->multiplier_index != NULL) {
            const uint32_t pair = layer->multiplier_index[channel >> 1];
            index = (pair >> (4u * (channel & 1u))) & 15u;
        }
        if (index >= layer->multiplier_count) {
            return 0;
        }
        multiplier[i] = layer->multiplier[index];
        bias[i] = layer->bias[channel] * ((int32_t)1 << layer->bias_shift);
    }
    return 1;
}

s2c_status s2c_unpack_tile(const s2c_packed_layer *layer, const uint32_t *table, uint32_t tile,
                           int8_t *weights, int32_t *bias, int32_t *multiplier)
{
    uint32_t first, channels, stream_bits, end;
    cursor at;

    if (layer == NULL || table == NULL || weights == NULL || bias == NULL || multiplier == NULL) {
        return S2C_ERROR_NULL;
    }
    first = tile * layer->tile_channels;
    if (tile >= layer->out_channels || first >= layer->out_channels || layer->stream_words == 0u ||
        layer->bias_shift > 24u || layer->offset_shift > 7u) {
        return S2C_ERROR_ARGUMENT;
    }
    channels = layer->out_channels - first;
    if (channels > layer->tile_channels) {
        channels = layer->tile_channels;
    }
    stream_bits = 32u * (layer->stream_words - 1u);
    end = stream_bits;
    if (first + channels < layer->out_channels) {
        const uint32_t next = (uint32_t)layer->tile_offset[tile + 1u] << (layer->offset_shift + 3u);
        end = next < stream_bits ? next : stream_bits;
    }

    at.stream = layer->stream;
    at.table = table;
    at.bit = (uint32_t)layer->tile_offset[tile] << (layer->offset_shift + 3u);
    at.out = (uint8_t *)weights;
    at.left = channels * layer->taps;
    decode_rounds(&at, stream_bits);
    if (!decode_rest(&at, end) || !unpack_channels(layer, first, channels, bias, multiplier)) {
        return S2C_ERROR_WEIGHTS_CRC;
    }
    return S2C_OK;
}
