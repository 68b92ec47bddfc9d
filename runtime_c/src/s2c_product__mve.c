/* Set-up of the products for Helium. */
#include "s2c_conv2d_mve.h"
#include "s2c_mve_assembler.h"

void s2c_mve_begin__mve(s2c_mve_product *product, const s2c_conv2d *layer, uint32_t group,
                        const int8_t *columns)
{
    const s2c_window *window = &layer->window;
    const uint32_t taps =
        (uint32_t)window->kernel_rows * window->kernel_cols * window->in_channels;
    const uint32_t blocks = s2c_mve_blocks(taps);
    const uint32_t turns = (blocks + 2u) / S2C_BLOCKS_PER_TURN;

    product->columns = columns;
    product->advance_bytes = 2u * S2C_MVE_BLOCK * blocks;
    product->to_multiplier_bytes = (uint32_t)((uintptr_t)layer->multiplier -
                                              (uintptr_t)layer->bias) -
                                   S2C_MVE_QUAD * (uint32_t)sizeof(int32_t);
    /* The first block is no part of the loop. */
    product->turns = turns != 0u ? turns : 1u;
    product->skip_bytes =
        (S2C_BLOCKS_PER_TURN * product->turns - (blocks - 1u)) * S2C_BLOCK_BYTES(group);
    product->zero_point = layer->out_zero_point;
}

void s2c_mve_select__mve(s2c_mve_product *product, const s2c_conv2d *layer, uint32_t first_quad,
                         uint32_t count)
{
    product->weights = layer->weights + (size_t)first_quad * 2u * product->advance_bytes;
    product->weights_2 = product->weights + product->advance_bytes;
    product->bias = layer->bias + (size_t)first_quad * S2C_MVE_QUAD;
    product->bias_end = product->bias + (size_t)count * S2C_MVE_QUAD;
}
