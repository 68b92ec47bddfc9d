/* Transformed input of a 3x3 convolution, two channels at a time, for Cortex-M0. */
#include <stddef.h>

#include "s2c_conv2d_m0.h"
#include "s2c_winograd_m0.h"

#define SIDE 6u

/*
 * B^T on six words. A word is 65536 * high + low of two signed numbers, which sums, differences and
 * shifts keep; only at the end are they brought apart.
 */
static inline void transform(const uint32_t *x, uint32_t step, uint32_t *y)
{
    const uint32_t x1 = x[step];
    const uint32_t x2 = x[2u * step];
    const uint32_t x3 = x[3u * step];
    const uint32_t x4 = x[4u * step];
    const uint32_t a = x4 - (x2 << 2);
    const uint32_t b = x3 - (x1 << 2);
    const uint32_t c = x4 - x2;
    const uint32_t d = (x3 - x1) << 1;

    y[0] = a + (x[0] << 2) - x2;
    y[1] = a + b;
    y[2] = a - b;
    y[3] = c + d;
    y[4] = c - d;
    y[5] = x[5u * step] - x3 - (d << 1);
}

/* What a tile reads: a pointer to each of its pixels. */
typedef struct {
    const uint8_t *pixels[SIDE][SIDE];
} s2c_winograd_tile;

/* f of both directions, and 1 / 9 modulo 2^32: what M would be multiplied with afterwards. */
#define INVERSE_OF_9 0x38E38E39u
#define FACTORS(f) 6u * (f), 0u - 4u * (f), 0u - 4u * (f), (f), (f), 24u * (f)

static const uint32_t factors[SIDE * SIDE] = {
    FACTORS(6u * INVERSE_OF_9),      FACTORS(0u - 4u * INVERSE_OF_9),
    FACTORS(0u - 4u * INVERSE_OF_9), FACTORS(INVERSE_OF_9),
    FACTORS(INVERSE_OF_9),           FACTORS(24u * INVERSE_OF_9),
};

/* Two channels of one tile; positions are `step` words apart, the channels `tiles`. x_b: for x B. */
static S2C_M0_NOINLINE void transform_tile(const s2c_winograd_tile *tile, uint32_t channel,
                                           uint32_t tiles, uint32_t *v, size_t step,
                                           uint32_t *x_b)
{
    const uint32_t *factor = factors;

    for (uint32_t row = 0; row < SIDE; ++row) {
        uint32_t x[SIDE];
        for (uint32_t col = 0; col < SIDE; ++col) {
            const uint8_t *const from = tile->pixels[row][col] + channel;
            x[col] = (uint32_t)from[0] + ((uint32_t)from[1] << 16);
        }
        transform(x, 1u, x_b + (size_t)SIDE * row);
    }
    for (uint32_t col = 0; col < SIDE; ++col) {
        uint32_t y[SIDE];
        transform(x_b + col, SIDE, y);
        for (uint32_t row = 0; row < SIDE; ++row) {
            const uint32_t half = y[row] & 0xFFFFu;
            const uint32_t low = half - ((half & 0x8000u) << 1);
            const uint32_t high = (y[row] - low) >> 16;
            v[0] = low * *factor;
            v[tiles] = (high - ((high & 0x8000u) << 1)) * *factor++;
            v += step;
        }
    }
}

static S2C_M0_NOINLINE void find_pixels(const s2c_conv2d *layer, const uint8_t *const *rows,
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

void s2c_winograd_input__m0(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t tile,
                            uint32_t tiles, uint32_t *v, uint32_t *scratch)
{
    const uint32_t channels = layer->window.in_channels;
    const size_t step = (size_t)channels * tiles;
    s2c_winograd_tile found;

    for (uint32_t t = 0; t < tiles; ++t) {
        uint32_t *to = v + t;
        find_pixels(layer, rows, tile + t, &found);
        for (uint32_t channel = 0; channel < channels; channel += 2u) {
            transform_tile(&found, channel, tiles, to, step, scratch);
            to += (size_t)2u * tiles;
        }
    }
}
