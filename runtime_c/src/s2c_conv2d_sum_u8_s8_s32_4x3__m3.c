/* Convolution whose outputs are summed over the pixels of the row, for Cortex-M3. */
#include "s2c_conv2d_m3.h"
#include "s2c_kernels.h"

/* Adds the results of up to four pixels to the totals of three channels; with `relu` those above 0. */
static void add_some(uint32_t *scratch, uint32_t pixels, uint8_t relu)
{
    for (uint32_t i = 0; i < S2C_M3_CHANNELS; ++i) {
        for (uint32_t p = 0; p < pixels; ++p) {
            const uint32_t result = s2c_m3_result(scratch, i, p);
            scratch[S2C_M3_TOTALS + i] += relu && (result & 0x80000000u) != 0u ? 0u : result;
        }
    }
}

#if S2C_M3_NATIVE

#define S2C_RESULT(sum, multiplier, channel, start) \
    "ldrd r6, r7, [r12, #" start "]\n\t"            \
    "smlal r6, r7, " sum ", " multiplier "\n\t"     \
    "usat " sum ", #31, r7\n\t"

/* Both results of each channel onto its total. */
#define S2C_TOTALS                   \
    "add r2, r2, r4\n\t"             \
    "add r0, r0, r1\n\t"             \
    "add r5, r5, r3\n\t"             \
    "ldrd r3, r4, [r12, #144]\n\t"   \
    "ldr r1, [r12, #152]\n\t"        \
    "add r3, r3, r2\n\t"             \
    "add r4, r4, r0\n\t"             \
    "add r1, r1, r5\n\t"             \
    "strd r3, r4, [r12, #144]\n\t"   \
    "str r1, [r12, #152]\n\t"

/* Of four pixels, with ReLU. */
static S2C_M3_NOINLINE void add_group(uint32_t *scratch)
{
    register uint32_t *words __asm__("r12") = scratch;

    __asm__ volatile(
        S2C_M3_FINISH_BEGIN
        S2C_M3_FINISH_PAIR("0", "8", "24", "32", S2C_RESULT, "") S2C_TOTALS
        S2C_M3_FINISH_PAIR("12", "20", "36", "44", S2C_RESULT, "") S2C_TOTALS
        S2C_M3_FINISH_END
        :
        : "r"(words)
        : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "memory");
}

#else

static void add_group(uint32_t *scratch)
{
    add_some(scratch, S2C_M3_PIXELS, 1);
}

#endif

void s2c_conv2d_sum_u8_s8_s32_4x3__m3(const s2c_conv2d *layer, const uint8_t *const *rows,
                                      int16_t *scratch, uint8_t relu, int32_t *sums)
{
    const s2c_window *const window = &layer->window;
    const uint32_t at_once = (uint32_t)layer->groups * S2C_M3_PIXELS;
    const uint32_t group_words = 2u * s2c_m3_taps(window);
    const uint32_t whole = relu ? S2C_M3_PIXELS : ~0u;
    uint32_t *const words = (uint32_t *)(void *)scratch;
    uint32_t *const columns = s2c_m3_columns_of(window, words);

    for (uint32_t col = 0; col < window->out_cols; col += at_once) {
        const uint32_t left = window->out_cols - col;
        const uint32_t pixels = left < at_once ? left : at_once;

        s2c_columns__m3(layer, rows, col, pixels, columns);
        for (uint32_t channel = 0; channel < window->out_channels; channel += S2C_M3_CHANNELS) {
            const uint32_t channels = s2c_m3_constants(layer, channel, 0, words);
            const uint32_t *from = columns;

            s2c_stream__m3(layer, channel, words);
            for (uint32_t rest = pixels; rest != 0u;) {
                s2c_product__m3(words, from);
                if (rest >= whole) {
                    add_group(words);
                } else {
                    add_some(words, rest < S2C_M3_PIXELS ? rest : S2C_M3_PIXELS, relu);
                }
                from += group_words;
                rest -= rest < S2C_M3_PIXELS ? rest : S2C_M3_PIXELS;
            }
            for (uint32_t i = 0; i < channels; ++i) {
                sums[channel + i] =
                    s2c_signed((uint32_t)sums[channel + i] + words[S2C_M3_TOTALS + i]);
            }
        }
    }
}
