/* Convolution with uint8 output, for Cortex-M3. */
#include "s2c_conv2d_m3.h"
#include "s2c_kernels.h"

/* Results of up to four pixels and three channels, from the sums in scratch. */
static void store_some(const uint32_t *scratch, uint8_t *out, size_t stride, uint32_t pixels,
                       uint32_t channels)
{
    for (uint32_t p = 0; p < pixels; ++p) {
        for (uint32_t i = 0; i < channels; ++i) {
            out[i] = (uint8_t)s2c_m3_usat8(s2c_m3_result(scratch, i, p));
        }
        out += stride;
    }
}

#if S2C_M3_NATIVE

#define S2C_RESULT(sum, multiplier, channel, start) \
    "ldrd r6, r7, [r12, #" start "]\n\t"            \
    "smlal r6, r7, " sum ", " multiplier "\n\t"     \
    "usat r7, #8, r7\n\t"                           \
    "strb r7, [lr, #" channel "]\n\t"

static S2C_M3_NOINLINE void store_group(uint32_t *scratch, uint8_t *out, size_t stride)
{
    register uint32_t *words __asm__("r12") = scratch;
    register uint8_t *to __asm__("lr") = out;
    register size_t step __asm__("r11") = stride;

    __asm__ volatile(
        S2C_M3_FINISH_BEGIN
        S2C_M3_FINISH_PAIR("0", "8", "24", "32", S2C_RESULT, "add lr, lr, r11\n\t")
        S2C_M3_FINISH_PAIR("12", "20", "36", "44", S2C_RESULT, "add lr, lr, r11\n\t")
        S2C_M3_FINISH_END
        : "+r"(to)
        : "r"(words), "r"(step)
        : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "memory");
}

#else

static void store_group(const uint32_t *scratch, uint8_t *out, size_t stride)
{
    store_some(scratch, out, stride, S2C_M3_PIXELS, S2C_M3_CHANNELS);
}

#endif

void s2c_conv2d_u8_s8_u8_4x3__m3(const s2c_conv2d *layer, const uint8_t *const *rows,
                                 int16_t *scratch, uint8_t *out_row)
{
    const s2c_window *const window = &layer->window;
    const uint32_t at_once = (uint32_t)layer->groups * S2C_M3_PIXELS;
    const uint32_t group_words = 2u * s2c_m3_taps(window);
    const size_t stride = window->out_stride_bytes;
    uint32_t *const words = (uint32_t *)(void *)scratch;
    uint32_t *const columns = s2c_m3_columns_of(window, words);

    for (uint32_t col = 0; col < window->out_cols; col += at_once) {
        const uint32_t left = window->out_cols - col;
        const uint32_t pixels = left < at_once ? left : at_once;

        s2c_columns__m3(layer, rows, col, pixels, columns);
        for (uint32_t channel = 0; channel < window->out_channels; channel += S2C_M3_CHANNELS) {
            const uint32_t channels =
                s2c_m3_constants(layer, channel, layer->out_zero_point, words);
            const uint32_t whole = channels == S2C_M3_CHANNELS ? S2C_M3_PIXELS : ~0u;
            uint8_t *out = out_row + col * stride + channel;
            const uint32_t *from = columns;

            s2c_stream__m3(layer, channel, words);
            for (uint32_t rest = pixels; rest != 0u;) {
                s2c_product__m3(words, from);
                if (rest >= whole) {
                    store_group(words, out, stride);
                } else {
                    store_some(words, out, stride, rest < S2C_M3_PIXELS ? rest : S2C_M3_PIXELS,
                               channels);
                }
                from += group_words;
                out += S2C_M3_PIXELS * stride;
                rest -= rest < S2C_M3_PIXELS ? rest : S2C_M3_PIXELS;
            }
        }
    }
}
