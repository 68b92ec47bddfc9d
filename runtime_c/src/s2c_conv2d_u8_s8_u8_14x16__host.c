/* Convolution with uint8 output, for PCs. */
#include "s2c_conv2d_host.h"
#include "s2c_kernels.h"

void s2c_conv2d_u8_s8_u8_14x16__host(const s2c_conv2d *layer, const uint8_t *const *rows,
                                     int16_t *scratch, uint8_t *out_row)
{
    const s2c_window *const window = &layer->window;
    const uint32_t channels = window->out_channels;
    const uint32_t cols = window->out_cols;
    const size_t block_bytes = s2c_host_block_bytes(window);
    s2c_lanes sums[S2C_HOST_PIXELS];
    uint8_t bytes[S2C_HOST_LANES];
    uint32_t pixels;

    for (uint32_t col = 0; col < cols; col += pixels) {
        uint8_t *const out_pixels = out_row + (size_t)col * window->out_stride_bytes;
        const int8_t *weights = layer->weights;
        s2c_host_tile tile;

        pixels = s2c_host_next_pixels(cols - col);
        tile = s2c_tile__host(layer, rows, col, pixels, (uint8_t *)scratch);
        for (uint32_t channel = 0; channel < channels; channel += S2C_HOST_LANES) {
            const uint32_t left = channels - channel;
            const s2c_lanes multiplier = s2c_host_channels(layer->multiplier, channel, channels);
            uint8_t *out = out_pixels + channel;

            s2c_multiply__host(&tile, weights, s2c_host_channels(layer->bias, channel, channels),
                               sums);
            for (uint32_t p = 0; p < pixels; ++p) {
                const s2c_lanes r = s2c_lanes_requantise(sums[p], multiplier, layer->shift);

                if (left >= S2C_HOST_LANES) {
                    s2c_lanes_store_u8(out, r, layer->out_zero_point, layer->clamp_min);
                } else {
                    s2c_lanes_store_u8(bytes, r, layer->out_zero_point, layer->clamp_min);
                    memcpy(out, bytes, left);
                }
                out += window->out_stride_bytes;
            }
            weights += block_bytes;
        }
    }
}
