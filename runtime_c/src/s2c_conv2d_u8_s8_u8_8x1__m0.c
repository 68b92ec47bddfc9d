/* Convolution with uint8 output for Cortex-M0, 8 pixels at once. */
#include "s2c_conv2d_m0.h"

void s2c_conv2d_u8_s8_u8_8x1__m0(const s2c_conv2d *layer, const uint8_t *const *rows,
                                 int16_t *scratch, uint8_t *out_row)
{
    s2c_conv2d__m0(layer, rows, 8u, scratch, out_row);
}
