/* Convolution with uint8 output for Cortex-M0. */
#include "s2c_conv2d_m0.h"
#include "s2c_requantise.h"

#define HALF 0x00800000u /* of 2^24 */

/*
 * Zero point 0 and a shift of 24: what would be beyond 255 is so before it is multiplied, and then
 * the product with the rounding stays below 2^32. 0 < multiplier < 2^23.
 */
static void store_plain(const uint32_t *sums, uint32_t bias, uint32_t multiplier, uint32_t most,
                        uint32_t pixels, uint8_t *out, size_t stride_bytes)
{
    for (uint32_t p = 0; p < pixels; ++p) {
        uint32_t acc = sums[p] + bias;
        acc = acc > (uint32_t)INT32_MAX ? 0u : acc;
        acc = acc > most ? most : acc;
        *out = (uint8_t)((acc * multiplier + HALF) >> 24);
        out += stride_bytes;
    }
}

static S2C_M0_NOINLINE void store_any(const s2c_conv2d *layer, const uint32_t *sums, uint32_t bias,
                                      uint32_t channel, uint32_t pixels, uint8_t *out)
{
    for (uint32_t p = 0; p < pixels; ++p) {
        const int32_t r = s2c_requantise_by_halves(s2c_signed(sums[p] + bias),
                                                   layer->multiplier[channel], layer->shift);
        *out = s2c_saturate_u8(r, layer->out_zero_point, layer->clamp_min);
        out += layer->window.out_stride_bytes;
    }
}

void s2c_conv2d__m0(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t pixels,
                    int16_t *scratch, uint8_t *out_row)
{
    const s2c_window *const window = &layer->window;
    const uint32_t taps =
        (uint32_t)window->kernel_rows * window->kernel_cols * window->in_channels;
    const size_t stride_bytes = window->out_stride_bytes;
    const int plain = layer->shift == 24u && layer->out_zero_point == 0u && layer->clamp_min == 0u;
    const s2c_m0_scratch own = s2c_m0_scratch_of(window, pixels, scratch);
    uint32_t sums[S2C_M0_PIXELS];

    for (uint32_t col = 0; col < window->out_cols; col += pixels) {
        const uint32_t count = s2c_m0_expand(layer, rows, col, pixels, &own);
        const int8_t *weights = layer->weights;

        for (uint32_t channel = 0; channel < window->out_channels; ++channel) {
            int32_t total;
            const uint32_t segments = s2c_stream__m0(weights, taps, own.stream, &total);
            const uint32_t multiplier = (uint32_t)layer->multiplier[channel];
            const uint32_t bias = (uint32_t)layer->bias[channel] + S2C_M0_OFFSET * (uint32_t)total;
            const uint32_t most = plain ? (UINT32_MAX - HALF) / multiplier : 0u;
            const uint32_t *columns = own.columns;
            uint8_t *out = out_row + (size_t)col * stride_bytes + channel;

            for (uint32_t done = 0; done < count; done += S2C_M0_PIXELS) {
                const uint32_t rest = count - done;
                const uint32_t now = rest < S2C_M0_PIXELS ? rest : S2C_M0_PIXELS;

                s2c_sums__m0(columns, own.stream, segments, own.parts, sums);
                if (plain) {
                    store_plain(sums, bias, multiplier, most, now, out, stride_bytes);
                } else {
                    store_any(layer, sums, bias, channel, now, out);
                }
                columns += own.group_words;
                out += S2C_M0_PIXELS * stride_bytes;
            }
            weights += taps;
        }
    }
}
