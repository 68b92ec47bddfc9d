/* Windows of pixels as words of two pixels, for Cortex-M0. */
#include "s2c_conv2d_m0.h"

/* `count` taps of two pixels, `to` being the word of the first tap. */
static uint32_t *pair_taps(uint32_t *to, const uint8_t *first, const uint8_t *second,
                           uint32_t count)
{
    for (; count >= 4u; count -= 4u) {
        to[0] = (uint32_t)first[0] + ((uint32_t)second[0] << 16) - S2C_M0_OFFSETS;
        to[4] = (uint32_t)first[1] + ((uint32_t)second[1] << 16) - S2C_M0_OFFSETS;
        to[8] = (uint32_t)first[2] + ((uint32_t)second[2] << 16) - S2C_M0_OFFSETS;
        to[12] = (uint32_t)first[3] + ((uint32_t)second[3] << 16) - S2C_M0_OFFSETS;
        first += 4;
        second += 4;
        to += (size_t)4u * S2C_M0_PAIRS;
    }
    for (; count != 0u; --count) {
        *to = (uint32_t)*first++ + ((uint32_t)*second++ << 16) - S2C_M0_OFFSETS;
        to += S2C_M0_PAIRS;
    }
    return to;
}

/* What a window reads at column `col` of an input row. */
static const uint8_t *pixel_at(const s2c_conv2d *layer, const uint8_t *row, int32_t col)
{
    if (col < 0 || col >= (int32_t)layer->window.in_cols) {
        return layer->pad_pixel;
    }
    return row + (size_t)col * layer->window.in_stride_bytes;
}

static int inside(const s2c_window *window, int32_t first)
{
    return first >= 0 && first + (int32_t)window->kernel_cols <= (int32_t)window->in_cols;
}

/* Windows that begin at input columns `first` and `second`. */
static void pair_windows(const s2c_conv2d *layer, const uint8_t *const *rows, int32_t first,
                         int32_t second, uint32_t *to)
{
    const s2c_window *const window = &layer->window;
    const uint32_t channels = window->in_channels;
    const uint32_t kernel_cols = window->kernel_cols;
    const int whole_rows =
        window->in_stride_bytes == channels && inside(window, first) && inside(window, second);
    const uint32_t steps = whole_rows ? 1u : kernel_cols;
    const uint32_t width = whole_rows ? kernel_cols * channels : channels;

    for (uint32_t ky = 0; ky < window->kernel_rows; ++ky) {
        for (uint32_t kx = 0; kx < steps; ++kx) {
            to = pair_taps(to, pixel_at(layer, rows[ky], first + (int32_t)kx),
                           pixel_at(layer, rows[ky], second + (int32_t)kx), width);
        }
    }
    if ((window->kernel_rows * kernel_cols * channels & 1u) != 0u) {
        *to = 0;
    }
}

void s2c_columns__m0(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t out_col,
                     uint32_t pixels, uint32_t *columns)
{
    const uint32_t stride = layer->window.stride_cols;
    const int32_t left = (int32_t)layer->window.pad_left;

    for (uint32_t p = 0; p < S2C_M0_PIXELS; p += 2u) {
        const uint32_t first = p < pixels ? p : pixels - 1u;
        const uint32_t second = p + 1u < pixels ? p + 1u : pixels - 1u;
        pair_windows(layer, rows, (int32_t)((out_col + first) * stride) - left,
                     (int32_t)((out_col + second) * stride) - left, columns + p / 2u);
    }
}
