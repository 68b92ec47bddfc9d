/* From the sums of a 3x3 convolution by Winograd's algorithm to its accumulators, for Cortex-M0. */
#include <stddef.h>

#include "s2c_winograd_m0.h"

#define SIDE 6u
#define OUT 4u
#define INVERSE_OF_9 0x38E38E39u /* modulo 2^32 */

/* A^T with f in it, on six numbers, `step` apart. */
static inline void transform(const uint32_t *m, size_t step, uint32_t *y, size_t y_step)
{
    const uint32_t m1 = m[step];
    const uint32_t m2 = m[2u * step];
    const uint32_t m3 = m[3u * step];
    const uint32_t m4 = m[4u * step];
    const uint32_t s = (m1 + m2) << 2;
    const uint32_t d = (m1 - m2) << 2;
    const uint32_t t = m3 + m4;
    const uint32_t e = (m3 - m4) << 1;

    y[0] = t - s + 6u * m[0];
    y[y_step] = e - d;
    y[2u * y_step] = (t << 2) - s;
    y[3u * y_step] = (e << 2) - d + 24u * m[5u * step];
}

void s2c_winograd_output__m0(const uint32_t *m, uint32_t tiles, uint32_t *acc64)
{
    const size_t step = tiles;
    uint32_t columns[OUT][SIDE]; /* [row of A^T M][column of M] */

    for (uint32_t col = 0; col < SIDE; ++col) {
        transform(m, SIDE * step, &columns[0][col], SIDE);
        m += step;
    }
    for (uint32_t row = 0; row < OUT; ++row) {
        transform(columns[row], 1u, acc64, 1u);
        for (uint32_t col = 0; col < OUT; ++col) {
            acc64[col] *= INVERSE_OF_9;
        }
        acc64 += OUT;
    }
}
