/* Transformed weights of a 3x3 convolution, U = G w G^T, for Cortex-M0. */
#include <stddef.h>

#include "s2c_conv2d_m0.h"
#include "s2c_winograd_m0.h"

#define TAPS 3u
#define SIDE 6u

/* G on three numbers, modulo 2^32. */
static inline void transform(uint32_t w0, uint32_t w1, uint32_t w2, uint32_t *y, size_t step)
{
    const uint32_t s = w0 + w2;
    const uint32_t t = w0 + (w2 << 2);
    const uint32_t doubled = w1 << 1;

    y[0] = w0;
    y[step] = s + w1;
    y[2u * step] = s - w1;
    y[3u * step] = t + doubled;
    y[4u * step] = t - doubled;
    y[5u * step] = w2;
}

static inline uint32_t weight_at(const int8_t *weights, size_t at)
{
    return (uint32_t)(int32_t)weights[at];
}

void s2c_winograd_weights__m0(const int8_t *weights, uint32_t in_channels, uint32_t *u)
{
    const size_t step = in_channels;

    for (uint32_t channel = 0; channel < in_channels; ++channel) {
        uint32_t columns[SIDE][TAPS]; /* [column of w G^T][row of w] */
        uint32_t *to = u + channel;
        const int8_t *from = weights + channel;

        for (uint32_t row = 0; row < TAPS; ++row) {
            transform(weight_at(from, 0), weight_at(from, step), weight_at(from, 2u * step),
                      &columns[0][row], TAPS);
            from += TAPS * step;
        }
        for (uint32_t col = 0; col < SIDE; ++col) {
            transform(columns[col][0], columns[col][1], columns[col][2], to, step);
            to += SIDE * step;
        }
    }
}
