/* Set-up of the products for Helium. */
#include "s2c_conv2d_mve.h"

#if S2C_MVE_NATIVE
/* The offsets in s2c_mve_assembler.h, which are text. A size below 0 does not compile. */
#define OFFSET(field, bytes) \
    typedef char offset_of_##field[offsetof(s2c_mve_product, field) == (bytes) ? 1 : -1]
OFFSET(columns, 0u);
OFFSET(weights, 4u);
OFFSET(bias, 8u);
OFFSET(bias_end, 12u);
OFFSET(turns, 16u);
OFFSET(skip_bytes, 20u);
OFFSET(kept, 24u);
OFFSET(entries, 28u);
OFFSET(zero_point, 36u);
OFFSET(out, 40u);
OFFSET(sums, 56u);
OFFSET(least, 60u);
OFFSET(pixels, 64u);
OFFSET(parked, 68u);
#endif

void s2c_mve_begin__mve(s2c_mve_product *product, const s2c_conv2d *layer, const int8_t *columns,
                        uint32_t steps, uint32_t per_turn, uint32_t step_bytes)
{
    const uint32_t turns = (steps - 1u + per_turn - 1u) / per_turn;

    product->columns = columns;
    product->blocks = s2c_mve_blocks(s2c_mve_taps(&layer->window));
    product->turns = turns != 0u ? turns : 1u;
    product->skip_bytes = (per_turn * product->turns - (steps - 1u)) * step_bytes;
    product->zero_point = layer->out_zero_point;
}

void s2c_mve_select__mve(s2c_mve_product *product, const s2c_conv2d *layer, uint32_t first_quad,
                         uint32_t count)
{
    product->weights =
        layer->weights + (size_t)first_quad * S2C_MVE_QUAD * S2C_MVE_BLOCK * product->blocks;
    product->bias = layer->bias + (size_t)first_quad * 2u * S2C_MVE_QUAD;
    product->bias_end = product->bias + (size_t)count * 2u * S2C_MVE_QUAD;
}
