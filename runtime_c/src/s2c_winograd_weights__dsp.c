/* Transformed weights of a 3x3 convolution: U = G w G^T, two input channels at a time. */
#include <stddef.h>

#include "s2c_dsp.h"
#include "s2c_winograd_dsp.h"

#define TAPS 3u
#define SIDE 6u

/* G on three words of two signed halves. */
static inline void transform(uint32_t w0, uint32_t w1, uint32_t w2, uint32_t *y, size_t step)
{
    const uint32_t s = s2c_sadd16(w0, w2);
    const uint32_t doubled1 = s2c_sadd16(w1, w1);
    const uint32_t doubled2 = s2c_sadd16(w2, w2);
    const uint32_t t = s2c_sadd16(w0, s2c_sadd16(doubled2, doubled2));

    y[0] = w0;
    y[step] = s2c_sadd16(s, w1);
    y[2u * step] = s2c_ssub16(s, w1);
    y[3u * step] = s2c_sadd16(t, doubled1);
    y[4u * step] = s2c_ssub16(t, doubled1);
    y[5u * step] = w2;
}

/* The 36 words of U for two input channels and one output channel, `step` words apart. */
static void transform_taps(const uint32_t *w, uint32_t *u, size_t step)
{
    uint32_t columns[SIDE][TAPS]; /* [row of G w][column of w] */

    for (uint32_t col = 0; col < TAPS; ++col) {
        transform(w[col], w[TAPS + col], w[2u * TAPS + col], &columns[0][col], TAPS);
    }
    for (uint32_t row = 0; row < SIDE; ++row) {
        transform(columns[row][0], columns[row][1], columns[row][2], u, step);
        u += SIDE * step;
    }
}

void s2c_winograd_weights__dsp(const uint32_t *weights, uint32_t in_channels, uint32_t *u)
{
    const uint32_t quads = in_channels / 4u;
    const size_t step = in_channels;
    uint32_t first[TAPS * TAPS];
    uint32_t second[TAPS * TAPS];

    for (uint32_t half = 0; half < 2u; ++half) {
        for (uint32_t quad = 0; quad < quads; ++quad) {
            const uint32_t *pair = weights + quad;
            uint32_t *const to = u + (size_t)2u * (2u * quad + half);

            for (uint32_t tap = 0; tap < TAPS * TAPS; ++tap) {
                const uint32_t low = s2c_sxtb16(*pair);
                first[tap] = low;
                second[tap] = s2c_sxtb16_ror8(s2c_ssub16(*pair, low));
                pair += quads;
            }
            transform_taps(first, to, step);
            transform_taps(second, to + 1, step);
        }
        weights += (size_t)TAPS * TAPS * quads;
    }
}
