/* Transformed input of a 3x3 convolution: V = B^T x B, two channels at a time. */
#include <stddef.h>

#include "s2c_dsp.h"
#include "s2c_winograd_dsp.h"

#define SIDE 6u

/*
 * B^T on six words. A word is 65536 * high + low of two signed numbers, which sums, differences and
 * shifts keep; only at the end are they brought apart.
 */
static inline void transform(const uint32_t *x, uint32_t step, uint32_t *y)
{
    const uint32_t x0 = x[0];
    const uint32_t x1 = x[step];
    const uint32_t x2 = x[2u * step];
    const uint32_t x3 = x[3u * step];
    const uint32_t x4 = x[4u * step];
    const uint32_t x5 = x[5u * step];
    const uint32_t a = x4 - (x2 << 2);
    const uint32_t b = x3 - (x1 << 2);
    const uint32_t c = x4 - x2;
    const uint32_t d = x3 - x1;

    y[0] = a + (x0 << 2) - x2;
    y[1] = a + b;
    y[2] = a - b;
    y[3] = c + (d << 1);
    y[4] = c - (d << 1);
    y[5] = x5 - x3 - (d << 2);
}

/* What a tile reads: a pointer to each of its pixels. */
typedef struct {
    const uint8_t *pixels[SIDE][SIDE];
} s2c_winograd_tile;

/*
 * V of one tile and two channels: bytes 0 and 2 of the quad `offset` bytes from the first channel, or
 * 1 and 3 with `odd`. The 36 words are `step` apart.
 */
static S2C_DSP_NOINLINE void transform_tile(const s2c_winograd_tile *tile, uint32_t offset,
                                            uint32_t odd, uint32_t *v, size_t step)
{
    uint32_t columns[SIDE][SIDE]; /* [column of x][row of B^T x] */

    for (uint32_t col = 0; col < SIDE; ++col) {
        uint32_t x[SIDE];
        for (uint32_t row = 0; row < SIDE; ++row) {
            x[row] = s2c_uxtb16(s2c_load_word(tile->pixels[row][col] + offset) >> odd);
        }
        transform(x, 1u, columns[col]);
        S2C_DSP_BARRIER();
    }
    for (uint32_t row = 0; row < SIDE; ++row) {
        uint32_t y[SIDE];
        transform(&columns[0][row], SIDE, y);
        for (uint32_t col = 0; col < SIDE; ++col) {
            *v = s2c_halves(y[col]);
            v += step;
        }
        S2C_DSP_BARRIER();
    }
}

static S2C_DSP_NOINLINE void find_pixels(const s2c_conv2d *layer, const uint8_t *const *rows,
                                         uint32_t tile, s2c_winograd_tile *found)
{
    const s2c_window *const window = &layer->window;
    const int32_t first = (int32_t)(tile * 4u) - (int32_t)window->pad_left;

    for (uint32_t row = 0; row < SIDE; ++row) {
        for (uint32_t col = 0; col < SIDE; ++col) {
            const int32_t at = first + (int32_t)col;
            found->pixels[row][col] = layer->pad_pixel;
            if (at >= 0 && at < (int32_t)window->in_cols) {
                found->pixels[row][col] = rows[row] + (size_t)at * window->in_stride_bytes;
            }
        }
    }
}

void s2c_winograd_input__dsp(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t tile,
                             uint32_t tiles, uint32_t *v)
{
    const uint32_t quads = layer->window.in_channels / 4u;
    const size_t step = (size_t)2u * quads * tiles;
    s2c_winograd_tile found;

    for (uint32_t t = 0; t < tiles; ++t) {
        find_pixels(layer, rows, tile + t, &found);
        for (uint32_t quad = 0; quad < quads; ++quad) {
            uint32_t *const to = v + (size_t)2u * quad * tiles + t;
            transform_tile(&found, 4u * quad, 0u, to, step);
            transform_tile(&found, 4u * quad, 8u, to + tiles, step);
        }
    }
}
