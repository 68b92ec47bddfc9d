/* Convolution with uint8 output, for PCs. */
#include "s2c_conv2d_host.h"
#include "s2c_kernels.h"

/* The pixels of `tile` and channels from `channel` on, a block of them or as many as there are. */
static void multiply_block(const s2c_conv2d *layer, const s2c_host_tile *tile, uint32_t channel,
                           int32_t *sums, uint8_t *out)
{
    const s2c_window *const window = &layer->window;
    const uint32_t left = window->out_channels - channel;
    const int8_t *const weights =
        layer->weights + channel / S2C_HOST_LANES * s2c_host_block_bytes(window);
    const int32_t *const bias = s2c_host_block(layer->bias + channel, left, s2c_host_room(sums, 0));
    const int32_t *const multiplier =
        s2c_host_block(layer->multiplier + channel, left, s2c_host_room(sums, 1u));
    const s2c_host_results results = {layer->shift, layer->out_zero_point, layer->clamp_min};
    uint8_t *const bytes = (uint8_t *)s2c_host_room(sums, 2u);

    s2c_multiply__host(tile, weights, bias, sums);
    for (uint32_t p = 0; p < tile->pixels; ++p) {
        if (left >= S2C_HOST_LANES) {
            s2c_host_store_u8(sums + p * S2C_HOST_LANES, multiplier, results, out);
        } else {
            s2c_host_store_u8(sums + p * S2C_HOST_LANES, multiplier, results, bytes);
            memcpy(out, bytes, left);
        }
        out += window->out_stride_bytes;
    }
}

void s2c_conv2d_u8_s8_u8_14x16__host(const s2c_conv2d *layer, const uint8_t *const *rows,
                                     int16_t *scratch, uint8_t *out_row)
{
    const s2c_window *const window = &layer->window;
    int32_t *const sums = (int32_t *)(void *)scratch;
    uint32_t pixels;

    for (uint32_t col = 0; col < window->out_cols; col += pixels) {
        uint8_t *const out = out_row + (size_t)col * window->out_stride_bytes;
        s2c_host_tile tile;

        pixels = s2c_host_next_pixels(window->out_cols - col);
        s2c_tile__host(layer, rows, col, pixels, s2c_host_copies(sums), &tile);
        for (uint32_t channel = 0; channel < window->out_channels; channel += S2C_HOST_LANES) {
            multiply_block(layer, &tile, channel, sums, out + channel);
        }
    }
}
