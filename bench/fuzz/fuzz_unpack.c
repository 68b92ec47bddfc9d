/*
 * libFuzzer harness of the decoder of packed weights.
 *
 * An input is a layer: nine bytes of geometry, then code table, tile offsets, biases, multiplier
 * indices and stream, as long as the input lasts, then zeros. All arrays lie in memory of
 * exactly their size, so that AddressSanitizer sees the first byte too many.
 *
 * Few random code tables are complete codes. An input may ask for its own to be completed;
 * then every result is also compared with a decoder that reads bit by bit.
 */
#include <stdlib.h>
#include <string.h>

#include "s2c_unpack.h"

/* The decoder once more, built for cores that cannot read words at odd addresses. */
s2c_status aligned_unpack_prepare(const s2c_packed_layer *layer, uint32_t *table);
s2c_status aligned_unpack_tile(const s2c_packed_layer *layer, const uint32_t *table, uint32_t tile,
                               int8_t *weights, int32_t *bias, int32_t *multiplier);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CODE_BITS S2C_UNPACK_CODE_BITS
#define CHECK(condition) ((condition) ? (void)0 : abort())

typedef struct {
    const uint8_t *data;
    size_t left;
} source;

static uint8_t next_byte(source *from)
{
    if (from->left == 0u) {
        return 0u;
    }
    --from->left;
    return *from->data++;
}

/* `bytes` bytes of the input in memory of exactly that size. */
static void *take(source *from, size_t bytes)
{
    uint8_t *const memory = malloc(bytes != 0u ? bytes : 1u);
    CHECK(memory != NULL);
    for (size_t i = 0; i < bytes; ++i) {
        memory[i] = next_byte(from);
    }
    return memory;
}

static uint32_t get_nibble(const uint8_t *nibbles, uint32_t index)
{
    return (uint32_t)(nibbles[index >> 1] >> (4u * (index & 1u))) & 15u;
}

static void set_nibble(uint8_t *nibbles, uint32_t index, uint32_t value)
{
    const uint32_t shift = 4u * (index & 1u);
    const uint32_t others = nibbles[index >> 1] & (0xF0u >> shift);
    nibbles[index >> 1] = (uint8_t)(others | (value << shift));
}

/* Makes a valid table of `bytes` bytes with as few changes as a short function can. */
static void complete(uint8_t *table, uint32_t bytes)
{
    uint32_t segments, prefixes, free_codes = 1u << CODE_BITS;
    uint8_t *nibbles;
    int32_t value;

    if (bytes < 8u) {
        return;
    }
    table[0] = S2C_PACKED_VERSION;
    prefixes = 1u + table[2] % 8u;
    while (prefixes > 1u && 4u + 2u * (prefixes - 1u) + prefixes + 1u > bytes) {
        --prefixes;
    }
    segments = 2u * (bytes - 4u - 2u * (prefixes - 1u)) / (prefixes + 1u);
    segments = segments > 255u ? 255u : segments;
    table[1] = (uint8_t)segments;
    table[2] = (uint8_t)prefixes;
    nibbles = table + 4u + 2u * (prefixes - 1u);
    for (uint32_t p = 1; p < prefixes; ++p) {
        table[3u + 2u * p] = (uint8_t)(1u + table[3u + 2u * p] % 7u);
    }
    value = (int8_t)table[3];
    for (uint32_t s = 0; s < segments; ++s) {
        uint32_t extra = get_nibble(nibbles, s) % 8u;
        while (extra > 0u && value + (1 << extra) + (int32_t)(segments - s - 1u) > 128) {
            --extra;
        }
        set_nibble(nibbles, s, extra);
        value += 1 << extra;
    }
    for (uint32_t i = 0; i < segments * prefixes; ++i) {
        const uint32_t length = get_nibble(nibbles, segments + i) % (CODE_BITS + 1u);
        const uint32_t codes = length != 0u ? (1u << CODE_BITS) >> length : 0u;
        set_nibble(nibbles, segments + i, codes <= free_codes ? length : 0u);
        free_codes -= codes <= free_codes ? codes : 0u;
    }
    for (uint32_t i = 0; i < segments * prefixes && free_codes != 0u; ++i) {
        if (get_nibble(nibbles, segments + i) == 0u) {
            uint32_t length = 1;
            while ((1u << CODE_BITS) >> length > free_codes) {
                ++length;
            }
            set_nibble(nibbles, segments + i, length);
            free_codes -= (1u << CODE_BITS) >> length;
        }
    }
}

/* The stream's bit number `bit`. */
static uint32_t bit_of(const s2c_packed_layer *layer, uint32_t bit)
{
    return (layer->stream[bit / 32u] >> (bit % 32u)) & 1u;
}

/*
 * Weights of a tile, read bit by bit. The table is valid. Returns how many there are before
 * the bits in front of the padding end.
 */
static uint32_t decode_slowly(const s2c_packed_layer *layer, uint32_t bit, uint8_t *out,
                              uint32_t count)
{
    const uint32_t segments = layer->table[1], prefixes = layer->table[2];
    const uint8_t *const nibbles = layer->table + 4u + 2u * (prefixes - 1u);
    const uint32_t bits = 32u * (layer->stream_words - 1u);
    uint32_t done = 0;

    while (done < count) {
        uint32_t code = 0, first = 0, word = 0, length = 0, base = layer->table[3], extra, value = 0;

        if (bit >= bits) {
            return done;
        }
        for (;;) {
            uint32_t words = 0;
            ++length;
            CHECK(length <= CODE_BITS);
            code = 2u * code + bit_of(layer, bit++);
            for (uint32_t i = 0; i < segments * prefixes; ++i) {
                words += get_nibble(nibbles, segments + i) == length;
            }
            if (code - first < words) {
                break;
            }
            first = 2u * (first + words);
        }
        for (uint32_t rank = code - first;; ++word) {
            if (get_nibble(nibbles, segments + word) == length && rank-- == 0u) {
                break;
            }
        }
        if (word >= segments) {
            const uint8_t *const prefix = layer->table + 2u + 2u * (word / segments);
            for (uint32_t i = 0; i < prefix[1] && done < count; ++i) {
                out[done++] = i == 0u ? prefix[0] : 0u;
            }
        }
        for (uint32_t s = 0; s < word % segments; ++s) {
            base += 1u << get_nibble(nibbles, s);
        }
        extra = get_nibble(nibbles, word % segments);
        for (uint32_t i = 0; i < extra; ++i) {
            value |= bit_of(layer, bit++) << i;
        }
        if (done < count) {
            out[done++] = (uint8_t)(base + value);
        }
    }
    return count;
}

static void check_tile(const s2c_packed_layer *layer, const uint32_t *table, uint32_t tile,
                       int valid)
{
    const uint32_t first = tile * layer->tile_channels;
    const uint32_t left = layer->out_channels - first;
    const uint32_t channels = left < layer->tile_channels ? left : layer->tile_channels;
    const size_t count = (size_t)channels * layer->taps;
    int8_t *const weights[2] = {calloc(count, 1), calloc(count, 1)};
    int32_t *const bias[2] = {calloc(channels, 4), calloc(channels, 4)};
    int32_t *const multiplier[2] = {calloc(channels, 4), calloc(channels, 4)};
    uint8_t *const slow = calloc(count, 1);
    const s2c_status status =
        s2c_unpack_tile(layer, table, tile, weights[0], bias[0], multiplier[0]);

    CHECK(status == S2C_OK || status == S2C_ERROR_WEIGHTS_CRC || status == S2C_ERROR_ARGUMENT);
    CHECK(aligned_unpack_tile(layer, table, tile, weights[1], bias[1], multiplier[1]) == status);
    if (status == S2C_OK) {
        CHECK(memcmp(weights[0], weights[1], count) == 0);
        CHECK(memcmp(bias[0], bias[1], 4u * (size_t)channels) == 0);
        CHECK(memcmp(multiplier[0], multiplier[1], 4u * (size_t)channels) == 0);
        if (valid) {
            const uint32_t bit = (uint32_t)layer->tile_offset[tile] << (layer->offset_shift + 3u);
            const size_t found = decode_slowly(layer, bit, slow, (uint32_t)count);
            /* The last entry may hold two words that begin behind the end. */
            CHECK(found == count || found + 2u >= count);
            CHECK(memcmp(weights[0], slow, found) == 0);
        }
    }
    for (int i = 0; i < 2; ++i) {
        free(weights[i]);
        free(bias[i]);
        free(multiplier[i]);
    }
    free(slow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint32_t table[S2C_UNPACK_TABLE_WORDS], same[S2C_UNPACK_TABLE_WORDS];
    static int32_t multipliers[16];
    source from = {data, size};
    s2c_packed_layer layer = {0};
    const uint32_t flags = next_byte(&from);
    const uint32_t taps = next_byte(&from);
    const uint32_t channels = next_byte(&from);
    const uint32_t tile_channels = next_byte(&from);
    const uint32_t shifts = next_byte(&from);
    const uint32_t table_bytes = next_byte(&from);
    const uint32_t table_more = next_byte(&from);
    const uint32_t words = next_byte(&from);
    const uint32_t count = next_byte(&from);
    uint8_t *code;
    void *offsets, *bias, *index, *stream;
    uint32_t tiles;
    s2c_status status;

    layer.taps = 1u + taps % 97u;
    layer.out_channels = (uint16_t)(1u + channels % 40u);
    layer.tile_channels = (uint16_t)(1u + tile_channels % 20u);
    layer.table_bytes = (uint16_t)(table_bytes + 16u * (table_more % 16u));
    layer.offset_shift = (uint8_t)(shifts & 7u);
    layer.bias_shift = (uint8_t)(shifts >> 3);
    layer.multiplier_count = (uint8_t)(count % 17u);
    layer.stream_words = words;
    layer.multiplier = multipliers;
    tiles = (layer.out_channels + layer.tile_channels - 1u) / layer.tile_channels;
    code = take(&from, layer.table_bytes);
    offsets = take(&from, 2u * (size_t)tiles);
    bias = take(&from, layer.out_channels);
    index = take(&from, (layer.out_channels + 1u) / 2u);
    stream = take(&from, 4u * (size_t)words);
    if ((flags & 1u) != 0u) {
        complete(code, layer.table_bytes);
    }
    layer.table = code;
    layer.tile_offset = offsets;
    layer.bias = bias;
    layer.multiplier_index = (flags & 2u) != 0u ? index : NULL;
    layer.stream = stream;

    status = s2c_unpack_prepare(&layer, table);
    CHECK(status == S2C_OK || status == S2C_ERROR_WEIGHTS_CRC);
    CHECK(aligned_unpack_prepare(&layer, same) == status);
    CHECK(memcmp(table, same, sizeof table) == 0);
    for (uint32_t tile = 0; tile < tiles; ++tile) {
        check_tile(&layer, table, tile, status == S2C_OK);
    }
    CHECK(s2c_unpack_tile(&layer, table, tiles, (int8_t *)stream, (int32_t *)same,
                          (int32_t *)same) == S2C_ERROR_ARGUMENT);
    free(code);
    free(offsets);
    free(bias);
    free(index);
    free(stream);
    return 0;
}
