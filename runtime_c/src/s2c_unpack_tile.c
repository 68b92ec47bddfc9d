/* Decodes one tile of weights; docs/weight-format.md. */
#include "s2c_unpack_entry.h"

/* The rest of the tile, entry by entry. 0 where it has more weights than codes. */
static int decode_rest(s2c_unpack_cursor *at, uint32_t bits)
{
    while (at->left != 0u) {
        uint8_t weights[S2C_ESCAPE_BYTES];
        uint32_t window, entry, count;

        if (at->bit >= bits) {
            return 0;
        }
        window = s2c_unpack_window(at->stream, at->bit);
        entry = at->table[window & S2C_ENTRY_MASK];
        if (s2c_entry_bits(entry) != 0u) {
            s2c_put_plain(weights, entry);
            count = s2c_entry_count(entry);
            at->bit += s2c_entry_bits(entry);
        } else {
            at->bit += s2c_put_escape(weights, entry, window);
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
    s2c_unpack_cursor at;

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
    s2c_unpack_rounds(&at, stream_bits);
    if (!decode_rest(&at, end) || !unpack_channels(layer, first, channels, bias, multiplier)) {
        return S2C_ERROR_WEIGHTS_CRC;
    }
    return S2C_OK;
}
