/* Set-up of the products for Helium. */
#include "s2c_conv2d_mve.h"

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
