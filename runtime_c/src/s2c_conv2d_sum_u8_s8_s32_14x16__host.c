/* Convolution whose outputs are summed over the pixels of the row, for PCs. */
#include "s2c_conv2d_host.h"
#include "s2c_kernels.h"

void s2c_conv2d_sum_u8_s8_s32_14x16__host(const s2c_conv2d *layer, const uint8_t *const *rows,
                                          int16_t *scratch, uint8_t relu, int32_t *sums)
{
    const s2c_window *const window = &layer->window;
    const uint32_t channels = window->out_channels;
    const uint32_t cols = window->out_cols;
    const size_t block_bytes = s2c_host_block_bytes(window);
    const int32_t least = relu ? 0 : INT32_MIN;
    s2c_lanes of_pixels[S2C_HOST_PIXELS];
    int32_t some[S2C_HOST_LANES];
    uint32_t pixels;

    for (uint32_t col = 0; col < cols; col += pixels) {
        const int8_t *weights = layer->weights;
        s2c_host_tile tile;

        pixels = s2c_host_next_pixels(cols - col);
        tile = s2c_tile__host(layer, rows, col, pixels, (uint8_t *)scratch);
        for (uint32_t channel = 0; channel < channels; channel += S2C_HOST_LANES) {
            const uint32_t left = channels - channel;
            const s2c_lanes multiplier = s2c_host_channels(layer->multiplier, channel, channels);
            s2c_lanes total = s2c_host_channels(sums, channel, channels);

            s2c_multiply__host(&tile, weights, s2c_host_channels(layer->bias, channel, channels),
                               of_pixels);
            for (uint32_t p = 0; p < pixels; ++p) {
                const s2c_lanes r = s2c_lanes_requantise(of_pixels[p], multiplier, layer->shift);
                total = s2c_lanes_add(total, s2c_lanes_at_least(r, least));
            }
            s2c_lanes_store(some, total);
            memcpy(sums + channel, some,
                   (left < S2C_HOST_LANES ? left : S2C_HOST_LANES) * sizeof some[0]);
            weights += block_bytes;
        }
    }
}
