/* Neighbouring pixels of a row as words of two, for 3x3 convolutions by polynomials. */
#include "s2c_poly3x3_m3.h"

/* What the windows read at column `col` of an input row. */
static const uint8_t *pixel_at(const s2c_conv2d *layer, const uint8_t *row, int32_t col)
{
    if (col < 0 || col >= (int32_t)layer->window.in_cols) {
        return layer->pad_pixel;
    }
    return row + (size_t)col * layer->window.in_stride_bytes;
}

/* One pair of all channels, `step` words apart. */
static void join(uint32_t *to, uint32_t step, const uint8_t *left, const uint8_t *right,
                 uint32_t channels)
{
    const uint8_t *const end = left + channels;

    while (left != end) {
        *to = *left++ | (uint32_t)*right++ << S2C_M3_FIELD;
        to += step;
    }
}

/* `step` pairs from column `col` on. */
static void join_group(const s2c_conv2d *layer, const uint8_t *row, int32_t col, uint32_t *to,
                       uint32_t step)
{
    for (uint32_t i = 0; i < step; ++i) {
        join(to + i, step, pixel_at(layer, row, col), pixel_at(layer, row, col + 1),
             layer->window.in_channels);
        col += 2;
    }
}

void s2c_poly_pixels__m3(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t row_count,
                         uint32_t *pixels)
{
    const s2c_poly_groups groups = s2c_poly_groups_of(layer->window.out_cols);
    int32_t col = -(int32_t)layer->window.pad_left;

    for (uint32_t group = 0; group < groups.fours + groups.threes; ++group) {
        const uint32_t step = group < groups.fours ? 5u : 4u;
        for (uint32_t row = 0; row < row_count; ++row) {
            join_group(layer, rows[row], col, pixels, step);
            pixels += (size_t)step * layer->window.in_channels;
        }
        col += 2 * (int32_t)(step - 1u);
    }
}
