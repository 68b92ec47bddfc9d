/* Internal to the convolution kernels: window expansion and the 4 pixels x 2 channels product. */
#ifndef S2C_CONV2D_COLUMNS_H
#define S2C_CONV2D_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

#include "s2c_kernels.h"

#define S2C_TILE_PIXELS 4u
#define S2C_TILE_CHANNELS 2u

/* Length K of an expanded window. */
static inline uint32_t s2c_window_taps(const s2c_window *window)
{
    return (uint32_t)window->kernel_rows * window->kernel_cols * window->in_channels;
}

static inline int16_t *s2c_widen(int16_t *to, const uint8_t *from, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i) {
        to[i] = (int16_t)from[i];
    }
    return to + count;
}

/* Expands the window of output pixel `out_col` to K values in the order of the weights. */
static inline void s2c_expand_window(const s2c_conv2d *layer, const uint8_t *const *rows,
                                     uint32_t out_col, int16_t *column)
{
    const s2c_window *window = &layer->window;
    const uint32_t channels = window->in_channels;
    const int32_t first = (int32_t)(out_col * window->stride_cols) - (int32_t)window->pad_left;
    const int32_t end = first + (int32_t)window->kernel_cols;
    const int inside = first >= 0 && end <= (int32_t)window->in_cols;

    for (uint32_t ky = 0; ky < window->kernel_rows; ++ky) {
        if (inside && window->in_stride_bytes == channels) {
            column = s2c_widen(column, rows[ky] + (size_t)first * channels,
                               window->kernel_cols * channels);
            continue;
        }
        for (int32_t col = first; col < end; ++col) {
            const uint8_t *pixel = layer->pad_pixel;
            if (col >= 0 && col < (int32_t)window->in_cols) {
                pixel = rows[ky] + (size_t)col * window->in_stride_bytes;
            }
            column = s2c_widen(column, pixel, channels);
        }
    }
}

/* Pointers to the expanded windows of neighbouring output pixels. */
typedef struct {
    const int16_t *pixel[S2C_TILE_PIXELS];
    uint32_t pixels; /* how many of them are in the row: 1 to 4 */
} s2c_tile;

/*
 * Expands the windows of up to four pixels from `out_col` on. Places past the end of
 * the row repeat the first pixel, so the product below needs no special case and
 * touches only memory that was written.
 */
static inline s2c_tile s2c_expand_tile(const s2c_conv2d *layer, const uint8_t *const *rows,
                                       uint32_t out_col, int16_t *scratch)
{
    const uint32_t taps = s2c_window_taps(&layer->window);
    const uint32_t left = (uint32_t)layer->window.out_cols - out_col;
    s2c_tile tile;

    tile.pixels = left < S2C_TILE_PIXELS ? left : S2C_TILE_PIXELS;
    for (uint32_t p = 0; p < S2C_TILE_PIXELS; ++p) {
        tile.pixel[p] = scratch;
        if (p < tile.pixels) {
            tile.pixel[p] = scratch + (size_t)p * taps;
            s2c_expand_window(layer, rows, out_col + p, scratch + (size_t)p * taps);
        }
    }
    return tile;
}

/*
 * acc[channel][pixel] of output channels `channel` and `second` (equal where the
 * number of channels is odd), before requantisation.
 *
 * Sums start at the bias, so each partial sum lies between bias plus all negative and
 * bias plus all positive products: the range that the compiler proved to fit int32.
 *
 * The accumulators are scalars with names of their own and both factors are int16_t
 * because that is the form which GCC turns into multiply-add instructions on pairs
 * (vpmaddwd); arrays of accumulators stay scalar code.
 */
static inline void s2c_multiply_tile(const s2c_conv2d *layer, const s2c_tile *tile,
                                     uint32_t channel, uint32_t second,
                                     int32_t acc[S2C_TILE_CHANNELS][S2C_TILE_PIXELS])
{
    const uint32_t taps = s2c_window_taps(&layer->window);
    const int8_t *const weights0 = layer->weights + (size_t)channel * taps;
    const int8_t *const weights1 = layer->weights + (size_t)second * taps;
    const int16_t *const x0 = tile->pixel[0];
    const int16_t *const x1 = tile->pixel[1];
    const int16_t *const x2 = tile->pixel[2];
    const int16_t *const x3 = tile->pixel[3];
    int32_t acc00 = layer->bias[channel];
    int32_t acc01 = acc00;
    int32_t acc02 = acc00;
    int32_t acc03 = acc00;
    int32_t acc10 = layer->bias[second];
    int32_t acc11 = acc10;
    int32_t acc12 = acc10;
    int32_t acc13 = acc10;

    for (uint32_t k = 0; k < taps; ++k) {
        const int16_t w0 = weights0[k];
        const int16_t w1 = weights1[k];
        acc00 += (int32_t)w0 * x0[k];
        acc01 += (int32_t)w0 * x1[k];
        acc02 += (int32_t)w0 * x2[k];
        acc03 += (int32_t)w0 * x3[k];
        acc10 += (int32_t)w1 * x0[k];
        acc11 += (int32_t)w1 * x1[k];
        acc12 += (int32_t)w1 * x2[k];
        acc13 += (int32_t)w1 * x3[k];
    }
    acc[0][0] = acc00;
    acc[0][1] = acc01;
    acc[0][2] = acc02;
    acc[0][3] = acc03;
    acc[1][0] = acc10;
    acc[1][1] = acc11;
    acc[1][2] = acc12;
    acc[1][3] = acc13;
}

#endif /* S2C_CONV2D_COLUMNS_H */
