/* 3x3 convolution by Winograd's algorithm F(4x4, 3x3), for Cortex-M0. */
#include <stddef.h>

#include "s2c_conv2d_m0.h"
#include "s2c_requantise.h"
#include "s2c_winograd_m0.h"

#define SIDE 6u
#define OUT 4u

/* How the accumulators of an output channel become bytes. */
typedef struct {
    uint32_t bias64; /* 64 * bias */
    uint32_t multiplier;
    uint32_t most; /* the largest accumulator that matters; 0 where layer says more */
    const s2c_conv2d *layer;
} requantiser;

/* Zero point 0 and a shift of 24; see s2c_m0_most. */
static inline uint8_t requantise_plain(const requantiser *how, uint32_t acc64)
{
    uint32_t acc = acc64 + how->bias64;

    acc = acc > (uint32_t)INT32_MAX ? 0u : acc >> 6;
    acc = acc > how->most ? how->most : acc;
    return (uint8_t)((acc * how->multiplier + S2C_M0_HALF) >> 24);
}

static S2C_M0_NOINLINE uint8_t requantise_any(const requantiser *how, uint32_t acc64)
{
    const s2c_conv2d *const layer = how->layer;
    const int32_t acc = s2c_signed(acc64 + how->bias64) / 64; /* a multiple of 64 */

    return s2c_saturate_u8(
        s2c_requantise_by_halves(acc, (int32_t)how->multiplier, layer->shift),
        layer->out_zero_point, layer->clamp_min);
}

/* One tile; rows: where its first pixels go. */
static void store_tile(const requantiser *how, const uint32_t *acc64, uint8_t *const *rows,
                       uint32_t row_count, size_t offset, uint32_t cols)
{
    const size_t stride = how->layer->window.out_stride_bytes;

    for (uint32_t row = 0; row < row_count; ++row) {
        uint8_t *to = rows[row] + offset;
        for (uint32_t col = 0; col < cols; ++col) {
            *to = how->most != 0u ? requantise_plain(how, acc64[col])
                                  : requantise_any(how, acc64[col]);
            to += stride;
        }
        acc64 += OUT;
    }
}

/* One output channel, all groups. u, m: scratch. */
static void multiply_channel(const s2c_conv2d *layer, uint32_t channel, const uint32_t *v,
                             const uint32_t *u, uint32_t *m, uint8_t *const *out_rows,
                             uint32_t row_count)
{
    const s2c_window *const window = &layer->window;
    const s2c_winograd_groups groups = s2c_winograd_groups_of(window->out_cols);
    const uint32_t multiplier = (uint32_t)layer->multiplier[channel];
    const int plain = layer->shift == 24u && layer->out_zero_point == 0u && layer->clamp_min == 0u;
    const requantiser how = {(uint32_t)layer->bias[channel] << 6, multiplier,
                             plain ? s2c_m0_most(multiplier) : 0u, layer};
    uint32_t acc64[OUT * OUT];
    uint32_t col = 0;

    for (uint32_t group = 0; group < groups.fours + groups.threes; ++group) {
        const uint32_t tiles = group < groups.fours ? 4u : 3u;

        s2c_winograd_product__m0(u, v, window->in_channels, tiles, m);
        for (uint32_t t = 0; t < tiles && col < window->out_cols; ++t) {
            const uint32_t left = window->out_cols - col;
            s2c_winograd_output__m0(m + t, tiles, acc64);
            store_tile(&how, acc64, out_rows, row_count,
                       (size_t)col * window->out_stride_bytes + channel, left < OUT ? left : OUT);
            col += OUT;
        }
        v += (size_t)S2C_WINOGRAD_POSITIONS * window->in_channels * tiles;
    }
}

void s2c_winograd3x3_u8_s8_u8_4x1__m0(const s2c_conv2d *layer, const uint8_t *const *rows,
                                      int16_t *scratch, uint8_t *const *out_rows,
                                      uint32_t row_count)
{
    const uint32_t in_channels = layer->window.in_channels;
    const s2c_winograd_groups groups = s2c_winograd_groups_of(layer->window.out_cols);
    uint32_t *const m = (uint32_t *)(void *)scratch;
    uint32_t *const u = m + (size_t)S2C_WINOGRAD_GROUP * S2C_WINOGRAD_POSITIONS;
    uint32_t *const v = u + (size_t)S2C_WINOGRAD_POSITIONS * in_channels;
    const int8_t *weights = layer->weights;
    const uint8_t *six[SIDE];
    uint32_t *to = v;
    uint32_t tile = 0;

    /* Rows that no row of output needs may not be in memory. */
    for (uint32_t i = 0; i < SIDE; ++i) {
        six[i] = rows[i < row_count + 2u ? i : row_count + 1u];
    }
    for (uint32_t group = 0; group < groups.fours + groups.threes; ++group) {
        const uint32_t tiles = group < groups.fours ? 4u : 3u;
        s2c_winograd_input__m0(layer, six, tile, tiles, to);
        to += (size_t)S2C_WINOGRAD_POSITIONS * in_channels * tiles;
        tile += tiles;
    }
    for (uint32_t channel = 0; channel < layer->window.out_channels; ++channel) {
        s2c_winograd_weights__m0(weights, in_channels, u);
        multiply_channel(layer, channel, v, u, m, out_rows, row_count);
        weights += (size_t)9u * in_channels;
    }
}
