/* Convolution whose outputs are summed over the pixels of the row, for Cortex-M0. */
#include "s2c_conv2d_m0.h"
#include "s2c_requantise.h"

/*
 * s2c_requantise with a shift of 24 for 0 <= acc < 2^20 - 2^12: with 12 bits of the multiplier at a time,
 * no product reaches 2^32, and rounding down twice is rounding down once.
 */
static inline uint32_t requantise_small(uint32_t acc, uint32_t multiplier)
{
    const uint32_t low = (acc * (multiplier & 0xFFFu) + S2C_M0_HALF) >> 12;
    return (acc * (multiplier >> 12) + low) >> 12;
}

#define SMALL 0x000FF000u

/* Results of up to eight pixels, added up. */
static uint32_t sum_pixels(const uint32_t *sums, uint32_t bias, int32_t multiplier, uint32_t shift,
                           uint32_t pixels, uint32_t relu)
{
    uint32_t sum = 0;

    for (uint32_t p = 0; p < pixels; ++p) {
        const uint32_t word = sums[p] + bias;
        const int32_t acc = s2c_signed(word);
        if (word < SMALL && shift == 24u) {
            sum += requantise_small(word, (uint32_t)multiplier);
            continue;
        }
        if (relu != 0u && acc <= 0) {
            continue; /* what is negative rounds to 0 at most */
        }
        sum += (uint32_t)s2c_requantise_by_halves(acc, multiplier, shift);
    }
    return sum;
}

void s2c_conv2d_sum__m0(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t pixels,
                        int16_t *scratch, uint8_t relu, int32_t *sums)
{
    const s2c_window *const window = &layer->window;
    const uint32_t taps =
        (uint32_t)window->kernel_rows * window->kernel_cols * window->in_channels;
    const s2c_m0_scratch own = s2c_m0_scratch_of(window, pixels, scratch);
    uint32_t eight[S2C_M0_PIXELS];

    for (uint32_t col = 0; col < window->out_cols; col += pixels) {
        const uint32_t count = s2c_m0_expand(layer, rows, col, pixels, &own);
        const int8_t *weights = layer->weights;

        for (uint32_t channel = 0; channel < window->out_channels; ++channel) {
            int32_t total;
            const uint32_t segments = s2c_stream__m0(weights, taps, own.stream, &total);
            const uint32_t bias = (uint32_t)layer->bias[channel] + S2C_M0_OFFSET * (uint32_t)total;
            const uint32_t *columns = own.columns;
            uint32_t sum = (uint32_t)sums[channel];

            for (uint32_t done = 0; done < count; done += S2C_M0_PIXELS) {
                const uint32_t rest = count - done;
                const uint32_t now = rest < S2C_M0_PIXELS ? rest : S2C_M0_PIXELS;

                s2c_sums__m0(columns, own.stream, segments, own.parts, eight);
                sum += sum_pixels(eight, bias, layer->multiplier[channel], layer->shift, now, relu);
                columns += own.group_words;
            }
            sums[channel] = s2c_signed(sum);
            weights += taps;
        }
    }
}
