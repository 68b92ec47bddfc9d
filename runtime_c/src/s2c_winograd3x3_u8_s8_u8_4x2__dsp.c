/* 3x3 convolution by Winograd's algorithm F(4x4, 3x3), for cores with the DSP extension. */
#include <stddef.h>

#include "s2c_conv2d_dsp.h"
#include "s2c_dsp.h"
#include "s2c_kernels.h"
#include "s2c_winograd_dsp.h"

#define SIDE 6u
#define OUT 4u
#define INVERSE_OF_9 0x38E38E39u /* modulo 2^32 */

/* Where results of one output channel of a group go. */
typedef struct {
    uint8_t *const *rows;
    uint32_t row_count;
    uint32_t col;
    uint32_t offset_bytes;
    uint32_t bias64;
    int32_t multiplier4;
} s2c_winograd_output;

/*
 * A^T with f in it, on six numbers, the results short of the factors 1, 2, 4 and 4.
 * They are part of the last multiplication.
 */
static inline void transform(const uint32_t *m, size_t step, uint32_t *y)
{
    const uint32_t m0 = m[0];
    const uint32_t m1 = m[step];
    const uint32_t m2 = m[2u * step];
    const uint32_t m3 = m[3u * step];
    const uint32_t m4 = m[4u * step];
    const uint32_t m5 = m[5u * step];
    const uint32_t s = m1 + m2;
    const uint32_t d = m1 - m2;
    const uint32_t t = m3 + m4;
    const uint32_t e = m3 - m4;
    const uint32_t e2d = (e << 1) - d;

    y[0] = t - (s << 2) + ((m0 + (m0 << 1)) << 1);
    y[1] = e - (d << 1);
    y[2] = t - s;
    y[3] = e2d + ((m5 + (m5 << 1)) << 1);
}

/* What is missing of 64 * Y in row i, column j: 2^shift(i) * 2^shift(j) / 9. */
static inline uint32_t factor(uint32_t i, uint32_t j)
{
    const uint32_t shifts = (i < 2u ? i : 2u) + (j < 2u ? j : 2u);
    return INVERSE_OF_9 << shifts;
}

/* One tile of one output channel. m: its sums, `step` words from position to position. */
static void finish_tile(const s2c_conv2d *layer, const uint32_t *m, size_t step,
                        const s2c_winograd_output *out)
{
    const uint32_t cols = (uint32_t)layer->window.out_cols - out->col;
    const uint32_t stride = layer->window.out_stride_bytes;
    const uint32_t zero_point = layer->out_zero_point;
    uint32_t columns[SIDE][OUT]; /* [column of M][row of A^T M] */

    for (uint32_t col = 0; col < SIDE; ++col) {
        transform(m + col * step, SIDE * step, columns[col]);
    }
    for (uint32_t row = 0; row < OUT && row < out->row_count; ++row) {
        uint8_t *to = out->rows[row] + (size_t)out->col * stride + out->offset_bytes;
        uint32_t y[OUT];

        transform(&columns[0][row], OUT, y);
        for (uint32_t col = 0; col < OUT; ++col) {
            const uint32_t acc64 = y[col] * factor(row, col) + out->bias64;
            if (col < cols) {
                *to = (uint8_t)s2c_usat8(s2c_smmlar(acc64, out->multiplier4, zero_point));
            }
            to += stride;
        }
    }
}

static void finish_group(const s2c_conv2d *layer, const uint32_t *m, uint32_t tiles,
                         s2c_winograd_output *out)
{
    for (uint32_t t = 0; t < tiles && out->col < layer->window.out_cols; ++t) {
        finish_tile(layer, m + t, (size_t)2u * tiles, out);
        out->col += OUT;
    }
}

/* Both channels of a pair, all groups. u, m: scratch. */
static void multiply_pair(const s2c_conv2d *layer, uint32_t channel, const uint32_t *v,
                          uint32_t *u, uint32_t *m, s2c_winograd_output *out)
{
    const uint32_t in_channels = layer->window.in_channels;
    const uint32_t *const weights = (const uint32_t *)(const void *)layer->weights;
    const uint32_t words = 2u * s2c_dsp_quads(&layer->window);
    const s2c_winograd_groups groups = s2c_winograd_groups_of(layer->window.out_cols);
    uint32_t col = 0;

    s2c_winograd_weights__dsp(weights + (size_t)(channel / 2u) * words, in_channels, u);
    for (uint32_t group = 0; group < groups.fours + groups.threes; ++group) {
        const uint32_t tiles = group < groups.fours ? 4u : 3u;

        s2c_winograd_product__dsp(u, v, in_channels, tiles, m);
        for (uint32_t i = 0; i < 2u && channel + i < layer->window.out_channels; ++i) {
            out->col = col;
            out->offset_bytes = channel + i;
            out->bias64 = (uint32_t)layer->bias[channel + i] << 6;
            out->multiplier4 = layer->multiplier[channel + i] * 4;
            finish_group(layer, m + i * tiles, tiles, out);
        }
        col += OUT * tiles;
        v += (size_t)S2C_WINOGRAD_POSITIONS * (in_channels / 2u) * tiles;
    }
}

void s2c_winograd3x3_u8_s8_u8_4x2__dsp(const s2c_conv2d *layer, const uint8_t *const *rows,
                                       int16_t *scratch, uint8_t *const *out_rows,
                                       uint32_t row_count)
{
    const uint32_t in_channels = layer->window.in_channels;
    const s2c_winograd_groups groups = s2c_winograd_groups_of(layer->window.out_cols);
    uint32_t *const m = (uint32_t *)(void *)scratch;
    uint32_t *const u = m + (size_t)2u * S2C_WINOGRAD_GROUP * S2C_WINOGRAD_POSITIONS;
    uint32_t *const v = u + (size_t)S2C_WINOGRAD_POSITIONS * in_channels;
    s2c_winograd_output out = {out_rows, row_count, 0u, 0u, 0u, 0};
    const uint8_t *six[SIDE];
    uint32_t *to = v;
    uint32_t tile = 0;

    /* Rows that no row of output needs may not be in memory. */
    for (uint32_t i = 0; i < SIDE; ++i) {
        six[i] = rows[i < row_count + 2u ? i : row_count + 1u];
    }
    for (uint32_t group = 0; group < groups.fours + groups.threes; ++group) {
        const uint32_t tiles = group < groups.fours ? 4u : 3u;
        s2c_winograd_input__dsp(layer, six, tile, tiles, to);
        to += (size_t)S2C_WINOGRAD_POSITIONS * (in_channels / 2u) * tiles;
        tile += tiles;
    }
    for (uint32_t channel = 0; channel < layer->window.out_channels; channel += 2u) {
        multiply_pair(layer, channel, v, u, m, &out);
    }
}
