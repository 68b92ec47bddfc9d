/* 3x3 convolution by Winograd's algorithm F(4x4, 3x3), for cores with the DSP extension. */
#include <stddef.h>

#include "s2c_conv2d_dsp.h"
#include "s2c_dsp.h"
#include "s2c_kernels.h"
#include "s2c_winograd_dsp.h"

#define SIDE 6u
#define OUT 4u

/* One output channel of a group of tiles, from output pixel `col` on. sums: of its first tile. */
static void finish_group(const s2c_conv2d *layer, uint32_t channel, const uint32_t *sums,
                         uint32_t tiles, uint32_t col, uint8_t *const *out_rows,
                         uint32_t row_count)
{
    const uint32_t cols = layer->window.out_cols;
    const uint32_t stride = layer->window.out_stride_bytes;
    s2c_winograd_results results;

    results.sums = sums;
    results.zero_point = layer->out_zero_point;
    results.stride_bytes = stride;
    results.bias64 = (uint32_t)layer->bias[channel] << 6;
    results.multiplier4 = (uint32_t)layer->multiplier[channel] * 4u;
    for (uint32_t row = 0; row < OUT; ++row) {
        results.rows[row] = NULL;
        if (row < row_count) {
            results.rows[row] = out_rows[row] + (size_t)col * stride + channel;
        }
    }
    for (uint32_t t = 0; t < tiles && col < cols; ++t) {
        results.cols = cols - col < OUT ? cols - col : OUT;
        s2c_winograd_output__dsp(&results);
        ++results.sums;
        col += OUT;
        for (uint32_t row = 0; row < row_count; ++row) {
            results.rows[row] += (size_t)OUT * stride;
        }
    }
}

/* The parts of the scratch: V of all groups, U of a pair of output channels, M of a group. */
typedef struct {
    uint32_t *m;
    uint32_t *u;
    uint32_t *v;
} winograd_scratch;

static winograd_scratch scratch_of(const s2c_conv2d *layer, int16_t *scratch)
{
    winograd_scratch parts;

    parts.m = (uint32_t *)(void *)scratch;
    parts.u = parts.m + (size_t)S2C_WINOGRAD_SUMS * S2C_WINOGRAD_POSITIONS;
    parts.v = parts.u + (size_t)S2C_WINOGRAD_POSITIONS * layer->window.in_channels;
    return parts;
}

/* Both channels of a pair, all groups. */
static void multiply_pair(const s2c_conv2d *layer, uint32_t channel, winograd_scratch scratch,
                          uint8_t *const *out_rows, uint32_t row_count)
{
    const uint32_t in_channels = layer->window.in_channels;
    const uint32_t *const weights = (const uint32_t *)(const void *)layer->weights;
    const uint32_t words = 2u * s2c_dsp_quads(&layer->window);
    const s2c_winograd_groups groups = s2c_winograd_groups_of(layer->window.out_cols);
    const uint32_t *v = scratch.v;
    uint32_t *const m = scratch.m;
    uint32_t col = 0;

    s2c_winograd_weights__dsp(weights + (size_t)(channel / 2u) * words, in_channels, scratch.u);
    for (uint32_t group = 0; group < groups.fours + groups.threes; ++group) {
        const uint32_t tiles = group < groups.fours ? 4u : 3u;

        s2c_winograd_product__dsp(scratch.u, v, in_channels, tiles, m);
        finish_group(layer, channel, m, tiles, col, out_rows, row_count);
        if (channel + 1u < layer->window.out_channels) {
            finish_group(layer, channel + 1u, m + tiles, tiles, col, out_rows, row_count);
        }
        col += OUT * tiles;
        v += (size_t)S2C_WINOGRAD_POSITIONS * (in_channels / 2u) * tiles;
    }
}

void s2c_winograd3x3_transform__dsp(const s2c_conv2d *layer, const uint8_t *const *rows,
                                    uint32_t row_count, int16_t *scratch)
{
    const s2c_winograd_groups groups = s2c_winograd_groups_of(layer->window.out_cols);
    const uint8_t *six[SIDE];
    uint32_t *v = scratch_of(layer, scratch).v;
    uint32_t tile = 0;

    /* Rows that no row of output needs may not be in memory. */
    for (uint32_t i = 0; i < SIDE; ++i) {
        six[i] = rows[i < row_count + 2u ? i : row_count + 1u];
    }
    for (uint32_t group = 0; group < groups.fours + groups.threes; ++group) {
        const uint32_t tiles = group < groups.fours ? 4u : 3u;
        s2c_winograd_input__dsp(layer, six, tile, tiles, v);
        v += (size_t)S2C_WINOGRAD_POSITIONS * (layer->window.in_channels / 2u) * tiles;
        tile += tiles;
    }
}

void s2c_winograd3x3_multiply__dsp(const s2c_conv2d *layer, int16_t *scratch,
                                   uint8_t *const *out_rows, uint32_t row_count)
{
    for (uint32_t channel = 0; channel < layer->window.out_channels; channel += 2u) {
        multiply_pair(layer, channel, scratch_of(layer, scratch), out_rows, row_count);
    }
}

void s2c_winograd3x3_u8_s8_u8_4x2__dsp(const s2c_conv2d *layer, const uint8_t *const *rows,
                                       int16_t *scratch, uint8_t *const *out_rows,
                                       uint32_t row_count)
{
    s2c_winograd3x3_transform__dsp(layer, rows, row_count, scratch);
    s2c_winograd3x3_multiply__dsp(layer, scratch, out_rows, row_count);
}
