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

/* V of one tile and two channels; the 36 words are `step` apart. */
static void transform_tile(const uint32_t *x, uint32_t *v, size_t step)
{
    uint32_t columns[SIDE][SIDE]; /* [column of x][row of B^T x] */

    for (uint32_t col = 0; col < SIDE; ++col) {
        transform(x + col, SIDE, columns[col]);
    }
    for (uint32_t row = 0; row < SIDE; ++row) {
        uint32_t y[SIDE];
        transform(&columns[0][row], SIDE, y);
        for (uint32_t col = 0; col < SIDE; ++col) {
            *v = s2c_halves(y[col]);
            v += step;
        }
    }
}

void s2c_winograd_input__dsp(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t tile,
                             uint32_t tiles, uint32_t *v)
{
    const s2c_window *const window = &layer->window;
    const uint32_t quads = window->in_channels / 4u;
    const size_t step = (size_t)2u * quads * tiles;
    const uint8_t *from[SIDE][SIDE];
    uint32_t even[SIDE * SIDE];
    uint32_t odd[SIDE * SIDE];

    for (uint32_t t = 0; t < tiles; ++t) {
        const int32_t first = (int32_t)((tile + t) * 4u) - (int32_t)window->pad_left;

        for (uint32_t row = 0; row < SIDE; ++row) {
            for (uint32_t col = 0; col < SIDE; ++col) {
                const int32_t at = first + (int32_t)col;
                from[row][col] = layer->pad_pixel;
                if (at >= 0 && at < (int32_t)window->in_cols) {
                    from[row][col] = rows[row] + (size_t)at * window->in_stride_bytes;
                }
            }
        }
        for (uint32_t quad = 0; quad < quads; ++quad) {
            uint32_t *const to = v + (size_t)2u * quad * tiles + t;
            for (uint32_t i = 0; i < SIDE * SIDE; ++i) {
                const uint32_t x = s2c_load_word(from[i / SIDE][i % SIDE] + (size_t)4u * quad);
                even[i] = s2c_uxtb16(x);
                odd[i] = s2c_uxtb16_ror8(x);
            }
            transform_tile(even, to, step);
            transform_tile(odd, to + tiles, step);
        }
    }
}
