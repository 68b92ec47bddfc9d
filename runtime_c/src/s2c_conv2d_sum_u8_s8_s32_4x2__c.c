/* Convolution whose outputs are summed over the pixels of the row, portable C. */
#include "s2c_conv2d_columns.h"
#include "s2c_kernels.h"
#include "s2c_requantise.h"

static int32_t sum_pixels(const s2c_conv2d *layer, uint32_t channel, const int32_t *acc,
                          uint32_t pixels, uint8_t relu)
{
    int32_t sum = 0;
    for (uint32_t p = 0; p < pixels; ++p) {
        const int32_t r = s2c_requantise(acc[p], layer->multiplier[channel], layer->shift);
        sum += relu && r < 0 ? 0 : r;
    }
    return sum;
}

void s2c_conv2d_sum_u8_s8_s32_4x2__c(const s2c_conv2d *layer, const uint8_t *const *rows,
                                     int16_t *scratch, uint8_t relu, int32_t *sums)
{
    const uint32_t channels = layer->window.out_channels;
    int32_t acc[S2C_TILE_CHANNELS][S2C_TILE_PIXELS];

    for (uint32_t col = 0; col < layer->window.out_cols; col += S2C_TILE_PIXELS) {
        const s2c_tile tile = s2c_expand_tile(layer, rows, col, scratch);

        for (uint32_t channel = 0; channel < channels; channel += S2C_TILE_CHANNELS) {
            const uint32_t second = channel + 1u < channels ? channel + 1u : channel;
            s2c_multiply_tile(layer, &tile, channel, second, acc);
            sums[channel] += sum_pixels(layer, channel, acc[0], tile.pixels, relu);
            if (second != channel) {
                sums[second] += sum_pixels(layer, second, acc[1], tile.pixels, relu);
            }
        }
    }
}
