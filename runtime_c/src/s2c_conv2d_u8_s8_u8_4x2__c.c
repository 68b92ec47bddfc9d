/* Convolution with uint8 output, portable C. */
#include "s2c_conv2d_columns.h"
#include "s2c_kernels.h"
#include "s2c_requantise.h"

static void store_channel(const s2c_conv2d *layer, uint32_t channel, const int32_t *acc,
                          uint32_t pixels, uint8_t *out)
{
    for (uint32_t p = 0; p < pixels; ++p) {
        const int32_t r = s2c_requantise(acc[p], layer->multiplier[channel], layer->shift);
        out[(size_t)p * layer->window.out_stride_bytes + channel] =
            s2c_saturate_u8(r, layer->out_zero_point, layer->clamp_min);
    }
}

void s2c_conv2d_u8_s8_u8_4x2__c(const s2c_conv2d *layer, const uint8_t *const *rows,
                                int16_t *scratch, uint8_t *out_row)
{
    const uint32_t channels = layer->window.out_channels;
    int32_t acc[S2C_TILE_CHANNELS][S2C_TILE_PIXELS];

    for (uint32_t col = 0; col < layer->window.out_cols; col += S2C_TILE_PIXELS) {
        const s2c_tile tile = s2c_expand_tile(layer, rows, col, scratch);
        uint8_t *const out = out_row + (size_t)col * layer->window.out_stride_bytes;

        for (uint32_t channel = 0; channel < channels; channel += S2C_TILE_CHANNELS) {
            const uint32_t second = channel + 1u < channels ? channel + 1u : channel;
            s2c_multiply_tile(layer, &tile, channel, second, acc);
            store_channel(layer, channel, acc[0], tile.pixels, out);
            store_channel(layer, second, acc[1], tile.pixels, out);
        }
    }
}
