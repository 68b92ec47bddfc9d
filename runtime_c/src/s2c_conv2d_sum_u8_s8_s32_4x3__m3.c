/* Convolution whose outputs are summed over the pixels of the row, for Cortex-M3. */
#include "s2c_conv2d_m3.h"
#include "s2c_kernels.h"

/* The sum of the results of `pixels` pixels of one channel; with `relu` of those above 0. */
static inline uint32_t sum_channel(const s2c_m3_triple *triple, uint32_t i, const uint32_t *sums,
                                   uint32_t offset, uint32_t pixels, uint8_t relu)
{
    const uint64_t start = triple->start[i];
    const int32_t multiplier = triple->multiplier[i];
    int32_t acc[S2C_M3_PIXELS];
    uint32_t sum = 0;

    s2c_m3_sums(sums, i, offset, acc);
    for (uint32_t p = 0; p < pixels; ++p) {
        const uint32_t result = s2c_m3_smlal_high(start, acc[p], multiplier);
        sum += relu && (result & 0x80000000u) != 0u ? 0u : result;
    }
    return sum;
}

static void add(const s2c_m3_triple *triple, const uint32_t *words, uint32_t offset,
                uint32_t pixels, uint8_t relu, uint32_t *total)
{
    if (pixels == S2C_M3_PIXELS && relu) {
        total[0] += sum_channel(triple, 0, words, offset, S2C_M3_PIXELS, 1);
        total[1] += sum_channel(triple, 1, words, offset, S2C_M3_PIXELS, 1);
        total[2] += sum_channel(triple, 2, words, offset, S2C_M3_PIXELS, 1);
        return;
    }
    for (uint32_t i = 0; i < S2C_M3_CHANNELS; ++i) {
        total[i] += sum_channel(triple, i, words, offset, pixels, relu);
    }
}

void s2c_conv2d_sum_u8_s8_s32_4x3__m3(const s2c_conv2d *layer, const uint8_t *const *rows,
                                      int16_t *scratch, uint8_t relu, int32_t *sums)
{
    const s2c_window *const window = &layer->window;
    const uint32_t at_once = (uint32_t)layer->groups * S2C_M3_PIXELS;
    const uint32_t group_words = 2u * s2c_m3_taps(window);
    const uint32_t offset = s2c_m3_offset(layer);
    uint32_t *const words = (uint32_t *)(void *)scratch;
    uint32_t *const columns = s2c_m3_columns_of(window, words);

    for (uint32_t col = 0; col < window->out_cols; col += at_once) {
        const uint32_t left = window->out_cols - col;
        const uint32_t pixels = left < at_once ? left : at_once;

        s2c_columns__m3(layer, rows, col, pixels, columns);
        for (uint32_t channel = 0; channel < window->out_channels; channel += S2C_M3_CHANNELS) {
            const s2c_m3_triple triple = s2c_m3_triple_of(layer, channel, 0);
            const uint32_t *from = columns;
            uint32_t total[S2C_M3_CHANNELS] = {0, 0, 0};

            s2c_stream__m3(layer, channel, words);
            for (uint32_t done = 0; done < pixels; done += S2C_M3_PIXELS) {
                const uint32_t rest = pixels - done;
                s2c_product__m3(words, from);
                add(&triple, words, offset, rest < S2C_M3_PIXELS ? rest : S2C_M3_PIXELS, relu,
                    total);
                from += group_words;
            }
            for (uint32_t i = 0; i < triple.channels; ++i) {
                sums[channel + i] = (int32_t)((uint32_t)sums[channel + i] + total[i]);
            }
        }
    }
}
