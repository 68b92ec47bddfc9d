/* Convolution with uint8 output for Cortex-M0. */
#include "s2c_conv2d_m0.h"
#include "s2c_requantise.h"

/* Up to eight pixels with any zero point, shift and lower limit. */
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

/* One output channel of `count` pixels, whose columns are there. out: of the first one. */
static void multiply_channel(const s2c_conv2d *layer, uint32_t channel, uint32_t segments,
                             uint32_t bias, const s2c_m0_scratch *scratch, uint32_t count,
                             uint8_t *out)
{
    const int plain = layer->shift == 24u && layer->out_zero_point == 0u && layer->clamp_min == 0u;
    const size_t stride_bytes = layer->window.out_stride_bytes;
    const uint32_t *columns = scratch->columns;
    uint32_t sums[S2C_M0_PIXELS];
    s2c_m0_run run;

    run.groups = count / S2C_M0_PIXELS;
    run.bias = bias;
    run.out = out;
    if (plain) {
        run.stream = scratch->stream;
        run.parts = scratch->parts;
        run.parts_end = scratch->parts + (size_t)S2C_M0_PAIRS * segments;
        run.multiplier = (uint32_t)layer->multiplier[channel];
        run.most = s2c_m0_most(run.multiplier);
        run.stride_bytes = (uint32_t)stride_bytes;
        run.half = S2C_M0_HALF;
        if (run.groups != 0u) {
            columns += scratch->group_words * run.groups;
            s2c_groups__m0(scratch->columns, &run);
            count %= S2C_M0_PIXELS;
        }
    }
    while (count != 0u) {
        const uint32_t now = count < S2C_M0_PIXELS ? count : S2C_M0_PIXELS;

        s2c_sums__m0(columns, scratch->stream, segments, scratch->parts, sums);
        if (plain) {
            for (uint32_t p = 0; p < now; ++p) {
                *run.out = s2c_m0_requantise(sums[p], &run);
                run.out += stride_bytes;
            }
        } else {
            store_any(layer, sums, bias, channel, now, run.out);
            run.out += now * stride_bytes;
        }
        columns += scratch->group_words;
        count -= now;
    }
}

void s2c_conv2d__m0(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t pixels,
                    int16_t *scratch, uint8_t *out_row)
{
    const s2c_window *const window = &layer->window;
    const uint32_t taps =
        (uint32_t)window->kernel_rows * window->kernel_cols * window->in_channels;
    const s2c_m0_scratch own = s2c_m0_scratch_of(window, pixels, scratch);

    for (uint32_t col = 0; col < window->out_cols; col += pixels) {
        const uint32_t count = s2c_m0_expand(layer, rows, col, pixels, &own);
        const int8_t *weights = layer->weights;
        uint8_t *const out = out_row + (size_t)col * window->out_stride_bytes;

        for (uint32_t channel = 0; channel < window->out_channels; ++channel) {
            int32_t total;
            const uint32_t segments = s2c_stream__m0(weights, taps, own.stream, &total);
            const uint32_t bias = (uint32_t)layer->bias[channel] + S2C_M0_OFFSET * (uint32_t)total;

            multiply_channel(layer, channel, segments, bias, &own, count, out + channel);
            weights += taps;
        }
    }
}
