/* Convolution whose outputs are summed over the pixels of the row, for Cortex-M0, 8 pixels at once. */
#include "s2c_conv2d_m0.h"

void s2c_conv2d_sum_u8_s8_s32_8x1__m0(const s2c_conv2d *layer, const uint8_t *const *rows,
                                      int16_t *scratch, uint8_t relu, int32_t *sums)
{
    s2c_conv2d_sum__m0(layer, rows, 8u, scratch, relu, sums);
}
