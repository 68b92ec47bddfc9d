/* Convolution with uint8 output, for Cortex-M3. */
#include "s2c_conv2d_m3.h"
#include "s2c_kernels.h"

/* Requantises one channel of `pixels` pixels. */
static inline void store_channel(const s2c_m3_triple *triple, uint32_t i, const uint32_t *sums,
                                 uint32_t offset, uint8_t *out, size_t stride, uint32_t pixels)
{
    const uint64_t start = triple->start[i];
    const int32_t multiplier = triple->multiplier[i];
    int32_t acc[S2C_M3_PIXELS];

    s2c_m3_sums(sums, i, offset, acc);
    for (uint32_t p = 0; p < pixels; ++p) {
        out[p * stride] =
            (uint8_t)s2c_m3_usat8(s2c_m3_smlal_high(start, acc[p], multiplier));
    }
}

static void store(const s2c_m3_triple *triple, const uint32_t *sums, uint32_t offset, uint8_t *out,
                  size_t stride, uint32_t pixels)
{
    if (pixels == S2C_M3_PIXELS && triple->channels == S2C_M3_CHANNELS) {
        store_channel(triple, 0, sums, offset, out, stride, S2C_M3_PIXELS);
        store_channel(triple, 1, sums, offset, out + 1, stride, S2C_M3_PIXELS);
        store_channel(triple, 2, sums, offset, out + 2, stride, S2C_M3_PIXELS);
        return;
    }
    for (uint32_t i = 0; i < triple->channels; ++i) {
        store_channel(triple, i, sums, offset, out + i, stride, pixels);
    }
}

void s2c_conv2d_u8_s8_u8_4x3__m3(const s2c_conv2d *layer, const uint8_t *const *rows,
                                 int16_t *scratch, uint8_t *out_row)
{
    const s2c_window *const window = &layer->window;
    const uint32_t at_once = (uint32_t)layer->groups * S2C_M3_PIXELS;
    const uint32_t group_words = 2u * s2c_m3_taps(window);
    const uint32_t offset = s2c_m3_offset(layer);
    uint32_t *const words = (uint32_t *)(void *)scratch;
    uint32_t *const columns = s2c_m3_columns_of(window, words);
    const size_t stride = window->out_stride_bytes;

    for (uint32_t col = 0; col < window->out_cols; col += at_once) {
        const uint32_t left = window->out_cols - col;
        const uint32_t pixels = left < at_once ? left : at_once;

        s2c_columns__m3(layer, rows, col, pixels, columns);
        for (uint32_t channel = 0; channel < window->out_channels; channel += S2C_M3_CHANNELS) {
            const s2c_m3_triple triple =
                s2c_m3_triple_of(layer, channel, layer->out_zero_point);
            uint8_t *out = out_row + col * stride + channel;
            const uint32_t *from = columns;

            s2c_stream__m3(layer, channel, words);
            for (uint32_t done = 0; done < pixels; done += S2C_M3_PIXELS) {
                const uint32_t rest = pixels - done;
                s2c_product__m3(words, from);
                store(&triple, words, offset, out, stride,
                      rest < S2C_M3_PIXELS ? rest : S2C_M3_PIXELS);
                from += group_words;
                out += S2C_M3_PIXELS * stride;
            }
        }
    }
}
