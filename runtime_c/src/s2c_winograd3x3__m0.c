/* 3x3 convolution by Winograd's algorithm F(4x4, 3x3), for Cortex-M0. */
#include <stddef.h>

#include "s2c_conv2d_m0.h"
#include "s2c_requantise.h"
#include "s2c_winograd_m0.h"

#define SIDE 6u
#define OUT S2C_WINOGRAD_OUT

/* A tile of which only `cols` columns of `row_count` rows are wanted. */
static void store_part(const uint8_t (*bytes)[OUT], uint8_t *const *out_rows, size_t offset,
                       size_t stride, uint32_t row_count, uint32_t cols)
{
    for (uint32_t row = 0; row < row_count; ++row) {
        uint8_t *to = out_rows[row] + offset;
        for (uint32_t col = 0; col < cols; ++col) {
            *to = bytes[row][col];
            to += stride;
        }
    }
}

/* A tile with any zero point, shift and lower limit. */
static S2C_M0_NOINLINE void requantise_tile(const s2c_conv2d *layer, uint32_t channel, uint32_t *m,
                                            uint8_t (*bytes)[OUT])
{
    const uint32_t bias64 = (uint32_t)layer->bias[channel] << 6;
    uint32_t sums64[OUT * OUT];
    const uint32_t *sum = sums64;

    s2c_winograd_sums__m0(m, sums64);
    for (uint32_t row = 0; row < OUT; ++row) {
        for (uint32_t col = 0; col < OUT; ++col) {
            const int32_t acc = s2c_signed(*sum++ + bias64) / 64; /* a multiple of 64 */
            bytes[row][col] = s2c_saturate_u8(
                s2c_requantise_by_halves(acc, layer->multiplier[channel], layer->shift),
                layer->out_zero_point, layer->clamp_min);
        }
    }
}

/* A band: four rows of output, or what is left of them. */
typedef struct {
    uint8_t *const *out_rows;
    uint32_t row_count;
} s2c_winograd_band;

/* One output channel of a band, all groups. u, m: scratch. Returns what follows V. */
static const uint32_t *multiply_channel(const s2c_conv2d *layer, uint32_t channel,
                                        const uint32_t *v, const uint32_t *u, uint32_t *m,
                                        const s2c_winograd_band *band)
{
    const s2c_window *const window = &layer->window;
    const size_t stride = window->out_stride_bytes;
    const s2c_winograd_groups groups = s2c_winograd_groups_of(window->out_cols);
    const int plain = layer->shift == 24u && layer->out_zero_point == 0u && layer->clamp_min == 0u;
    uint8_t bytes[OUT][OUT];
    s2c_winograd_tile_results results;
    uint32_t col = 0;

    results.bias64 = (uint32_t)layer->bias[channel] << 6;
    results.multiplier = (uint32_t)layer->multiplier[channel];
    results.most = plain ? s2c_m0_most(results.multiplier) : 0u;
    results.half = S2C_M0_HALF;
    for (uint32_t group = 0; group < groups.fours + groups.threes; ++group) {
        const uint32_t tiles = group < groups.fours ? 4u : 3u;

        s2c_winograd_product__m0(u, v, window->in_channels, tiles, m);
        for (uint32_t t = 0; t < tiles && col < window->out_cols; ++t) {
            const uint32_t left = window->out_cols - col;
            const int whole = left >= OUT && band->row_count == OUT && plain;
            const size_t offset = (size_t)col * stride + channel;
            uint32_t *const tile = m + (size_t)S2C_WINOGRAD_POSITIONS * t;

            for (uint32_t row = 0; row < OUT; ++row) {
                results.rows[row] = whole ? band->out_rows[row] + offset : bytes[row];
            }
            results.stride_bytes = whole ? (uint32_t)stride : 1u;
            if (plain) {
                s2c_winograd_output__m0(tile, &results);
            } else {
                requantise_tile(layer, channel, tile, bytes);
            }
            if (!whole) {
                store_part((const uint8_t(*)[OUT])bytes, band->out_rows, offset, stride,
                           band->row_count, left < OUT ? left : OUT);
            }
            col += OUT;
        }
        v += (size_t)S2C_WINOGRAD_POSITIONS * window->in_channels * tiles;
    }
    return v;
}

static s2c_winograd_band band_from(uint32_t first, uint8_t *const *out_rows, uint32_t row_count)
{
    const uint32_t left = row_count - first;
    const s2c_winograd_band band = {out_rows + first, left < OUT ? left : OUT};

    return band;
}

/* V of a band whose first input row is rows[0]; returns what follows it. m: scratch. */
static uint32_t *transform_band(const s2c_conv2d *layer, const uint8_t *const *rows,
                                uint32_t row_count, uint32_t *v, uint32_t *m)
{
    const s2c_winograd_groups groups = s2c_winograd_groups_of(layer->window.out_cols);
    const uint8_t *six[SIDE];
    uint32_t tile = 0;

    /* Rows that no row of output needs may not be in memory. */
    for (uint32_t i = 0; i < SIDE; ++i) {
        six[i] = rows[i < row_count + 2u ? i : row_count + 1u];
    }
    for (uint32_t group = 0; group < groups.fours + groups.threes; ++group) {
        const uint32_t tiles = group < groups.fours ? 4u : 3u;
        s2c_winograd_input__m0(layer, six, tile, tiles, v, m);
        v += (size_t)S2C_WINOGRAD_POSITIONS * layer->window.in_channels * tiles;
        tile += tiles;
    }
    return v;
}

void s2c_winograd3x3__m0(const s2c_conv2d *layer, const uint8_t *const *rows, int16_t *scratch,
                         uint8_t *const *out_rows, uint32_t row_count)
{
    const uint32_t in_channels = layer->window.in_channels;
    uint32_t *const m = (uint32_t *)(void *)scratch;
    uint32_t *const u = m + (size_t)S2C_WINOGRAD_GROUP * S2C_WINOGRAD_POSITIONS;
    uint32_t *const v = u + (size_t)S2C_WINOGRAD_POSITIONS * in_channels;
    const int8_t *weights = layer->weights;
    uint32_t *to = v;

    for (uint32_t first = 0; first < row_count; first += OUT) {
        const s2c_winograd_band band = band_from(first, out_rows, row_count);
        to = transform_band(layer, rows + first, band.row_count, to, m);
    }
    for (uint32_t channel = 0; channel < layer->window.out_channels; ++channel) {
        const uint32_t *from = v;

        s2c_winograd_weights__m0(weights, in_channels, u);
        for (uint32_t first = 0; first < row_count; first += OUT) {
            const s2c_winograd_band band = band_from(first, out_rows, row_count);
            from = multiply_channel(layer, channel, from, u, m, &band);
        }
        weights += (size_t)9u * in_channels;
    }
}
