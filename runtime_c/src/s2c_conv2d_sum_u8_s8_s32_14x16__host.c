/* Convolution whose outputs are summed over the pixels of the row, for PCs. */
#include "s2c_conv2d_host.h"
#include "s2c_kernels.h"

/* The pixels of `tile` and channels from `channel` on, a block of them or as many as there are. */
static void multiply_block(const s2c_conv2d *layer, const s2c_host_tile *tile, uint32_t channel,
                           int32_t *sums, int32_t least, int32_t *totals)
{
    const s2c_window *const window = &layer->window;
    const uint32_t left = window->out_channels - channel;
    const int8_t *const weights =
        layer->weights + channel / S2C_HOST_LANES * s2c_host_block_bytes(window);
    const int32_t *const bias = s2c_host_block(layer->bias + channel, left, s2c_host_room(sums, 0));
    const int32_t *const multiplier =
        s2c_host_block(layer->multiplier + channel, left, s2c_host_room(sums, 1u));
    int32_t *const total = s2c_host_room(sums, 2u);
    const size_t total_bytes = (left < S2C_HOST_LANES ? left : S2C_HOST_LANES) * sizeof total[0];

    s2c_multiply__host(tile, weights, bias, sums);
    memset(total, 0, S2C_HOST_LANES * sizeof total[0]);
    memcpy(total, totals, total_bytes);
    for (uint32_t p = 0; p < tile->pixels; ++p) {
        s2c_host_add(sums + p * S2C_HOST_LANES, multiplier, layer->shift, least, total);
    }
    memcpy(totals, total, total_bytes);
}

void s2c_conv2d_sum_u8_s8_s32_14x16__host(const s2c_conv2d *layer, const uint8_t *const *rows,
                                          int16_t *scratch, uint8_t relu, int32_t *sums)
{
    const s2c_window *const window = &layer->window;
    int32_t *const of_tile = (int32_t *)(void *)scratch;
    uint32_t pixels;

    for (uint32_t col = 0; col < window->out_cols; col += pixels) {
        s2c_host_tile tile;

        pixels = s2c_host_next_pixels(window->out_cols - col);
        s2c_tile__host(layer, rows, col, pixels, s2c_host_copies(of_tile), &tile);
        for (uint32_t channel = 0; channel < window->out_channels; channel += S2C_HOST_LANES) {
            multiply_block(layer, &tile, channel, of_tile, relu ? 0 : INT32_MIN, sums + channel);
        }
    }
}
