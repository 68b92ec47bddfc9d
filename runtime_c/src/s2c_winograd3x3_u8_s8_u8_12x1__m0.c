/* 3x3 convolution by Winograd's algorithm for Cortex-M0, up to twelve rows at once. */
#include "s2c_winograd_m0.h"

void s2c_winograd3x3_u8_s8_u8_12x1__m0(const s2c_conv2d *layer, const uint8_t *const *rows,
                                       int16_t *scratch, uint8_t *const *out_rows,
                                       uint32_t row_count)
{
    s2c_winograd3x3__m0(layer, rows, scratch, out_rows, row_count);
}
