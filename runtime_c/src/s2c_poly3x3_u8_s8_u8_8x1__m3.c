/* 3x3 convolution with strides of 1 by polynomials, three products per SMLAL. */
#include "s2c_kernels.h"
#include "s2c_poly3x3_m3.h"

/* One output channel: what a sum times `multiplier` is added to, and where results go. */
typedef struct {
    uint64_t start;
    int32_t multiplier;
    uint32_t stride;
    uint32_t left; /* pixels of the row that are still to be stored */
    uint32_t high; /* of the last pair before, of which the second output is not stored yet */
    uint8_t *out;
} s2c_poly_channel;

static inline uint8_t requantise(const s2c_poly_channel *to, uint32_t sum)
{
    return (uint8_t)s2c_m3_usat8(s2c_m3_smlal_high(to->start, s2c_signed(sum), to->multiplier));
}

/* Sums of a pair are middle, high, low. All pixels of `pairs` pairs are in the row. */
static inline void store_whole(s2c_poly_channel *to, const uint32_t *sums, uint32_t pairs)
{
    uint8_t *out = to->out;
    uint32_t high = to->high;

    for (uint32_t j = 0; j < pairs; ++j) {
        out[0] = requantise(to, high + sums[2]);
        out[to->stride] = requantise(to, sums[0]);
        high = sums[1];
        out += 2u * to->stride;
        sums += 3;
    }
    to->out = out;
    to->high = high;
    to->left -= 2u * pairs;
}

/* The last pair may be outside, or its second pixel. */
static void store_some(s2c_poly_channel *to, const uint32_t *sums, uint32_t pairs)
{
    for (uint32_t j = 0; j < pairs && to->left != 0u; ++j) {
        *to->out = requantise(to, to->high + sums[2]);
        to->out += to->stride;
        to->high = sums[1];
        if (--to->left != 0u) {
            *to->out = requantise(to, sums[0]);
            to->out += to->stride;
            --to->left;
        }
        sums += 3;
    }
}

static inline void store(s2c_poly_channel *to, const uint32_t *sums, uint32_t pairs)
{
    if (to->left >= 2u * pairs) {
        store_whole(to, sums, pairs);
    } else {
        store_some(to, sums, pairs);
    }
}

/* The first pair of a row completes nothing before it. */
static inline void store_first(s2c_poly_channel *to, const uint32_t *sums, uint32_t pairs)
{
    *to->out = requantise(to, sums[0]);
    to->out += to->stride;
    to->high = sums[1];
    --to->left;
    store(to, sums + 3, pairs - 1u);
}

void s2c_poly3x3_u8_s8_u8_8x1__m3(const s2c_conv2d *layer, const uint8_t *const *rows,
                                  int16_t *scratch, uint8_t *const *out_rows, uint32_t row_count)
{
    const s2c_window *const window = &layer->window;
    const uint32_t channels = window->in_channels;
    const uint32_t blocks = (S2C_POLY_KERNEL * channels + S2C_M3_BLOCK - 1u) / S2C_M3_BLOCK;
    const uint32_t parts = (blocks + layer->part_blocks - 1u) / layer->part_blocks;
    const s2c_poly_groups groups = s2c_poly_groups_of(window->out_cols);
    const size_t in_rows = row_count + S2C_POLY_KERNEL - 1u;
    uint32_t *const words = (uint32_t *)(void *)scratch;
    uint32_t *const pixels = s2c_poly_pixels_of(channels, words);

    s2c_poly_pixels__m3(layer, rows, (uint32_t)in_rows, pixels);
    for (uint32_t channel = 0; channel < window->out_channels; ++channel) {
        const int32_t multiplier = layer->multiplier[channel] * 256;
        const int64_t bias = (int64_t)layer->bias[channel] - (int64_t)parts * S2C_M3_FIELD_START;
        s2c_poly_channel to;

        to.start = (uint64_t)(bias * multiplier) + ((uint64_t)layer->out_zero_point << 32) +
                   ((uint64_t)1 << 31);
        to.multiplier = multiplier;
        to.stride = window->out_stride_bytes;
        s2c_poly_stream__m3(layer, channel, words);
        for (uint32_t row = 0; row < row_count; ++row) {
            const uint32_t *from = pixels + (size_t)row * 5u * channels;

            to.out = out_rows[row] + channel;
            to.left = window->out_cols;
            to.high = 0;
            for (uint32_t group = 0; group < groups.fours; ++group) {
                s2c_poly_product4__m3(words, from);
                if (group == 0u) {
                    store_first(&to, words, 4);
                } else {
                    store(&to, words, 4);
                }
                from += in_rows * 5u * channels;
            }
            from -= (size_t)row * channels;
            for (uint32_t group = 0; group < groups.threes; ++group) {
                s2c_poly_product3__m3(words, from);
                if ((groups.fours | group) == 0u) {
                    store_first(&to, words, 3);
                } else {
                    store(&to, words, 3);
                }
                from += in_rows * 4u * channels;
            }
        }
    }
}
