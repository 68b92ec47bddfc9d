/* Convolution whose outputs are summed over the pixels of the row, for cores with the DSP extension. */
#include "s2c_conv2d_dsp.h"
#include "s2c_conv2d_dsp_tile.h"
#include "s2c_dsp.h"
#include "s2c_kernels.h"

#if S2C_DSP_FPU
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* Adds the results of four pixels that are not negative to the sums of all pairs of channels. */
static void add_tile(const s2c_dsp_tile *tile)
{
    register const void *operands __asm__("r0") = tile;

    __asm__ volatile(
        S2C_DSP_ENTER
        S2C_DSP_PAIR
        "vmov r8, r9, s20, s21\n\t" /* multipliers, sums */
        "ldmia r8!, {r10, r11}\n\t"
        "vmov s20, r8\n\t"
        "lsl r10, r10, #8\n\t"
        "sub r4, r4, r0\n\t"
        "sub r5, r5, r1\n\t"
        "sub r6, r6, r2\n\t"
        "sub r7, r7, r3\n\t"
        "smmulr r0, r0, r10\n\t"
        "smmulr r1, r1, r10\n\t"
        "smmulr r2, r2, r10\n\t"
        "smmulr r3, r3, r10\n\t"
        "smmulr r4, r4, r11\n\t"
        "smmulr r5, r5, r11\n\t"
        "smmulr r6, r6, r11\n\t"
        "smmulr r7, r7, r11\n\t"
        "usat r0, #31, r0\n\t"
        "usat r1, #31, r1\n\t"
        "usat r2, #31, r2\n\t"
        "usat r3, #31, r3\n\t"
        "usat r4, #31, r4\n\t"
        "usat r5, #31, r5\n\t"
        "usat r6, #31, r6\n\t"
        "usat r7, #31, r7\n\t"
        "ldmia r9, {r10, r11}\n\t"
        "add r0, r0, r1\n\t"
        "add r2, r2, r3\n\t"
        "add r4, r4, r5\n\t"
        "add r6, r6, r7\n\t"
        "add r10, r10, r0\n\t"
        "add r11, r11, r4\n\t"
        "add r10, r10, r2\n\t"
        "add r11, r11, r6\n\t"
        "stmia r9!, {r10, r11}\n\t"
        "vmov s21, r9\n\t"
        "vmov r8, s25\n\t"
        "cmp r9, r8\n\t"
        "bne 1b\n\t"
        S2C_DSP_LEAVE
        : "+r"(operands)
        :
        : S2C_DSP_CLOBBERS);
}
#endif

static uint32_t above_zero(uint32_t result)
{
    return result & 0x80000000u ? 0u : result;
}

/* One pair of channels of up to four pixels; `second`: whether there is a second channel. */
static void add_pair(const s2c_conv2d *layer, uint32_t channel, uint32_t second,
                     const uint32_t *columns, uint32_t pixels, uint8_t relu, int32_t *sums)
{
    const uint32_t words = 2u * s2c_dsp_quads(&layer->window);
    const uint32_t *const weights = (const uint32_t *)(const void *)layer->weights;
    const uint32_t bias[2] = {(uint32_t)layer->bias[channel],
                              second ? (uint32_t)layer->bias[channel + 1u] : 0u};
    const int32_t multiplier0 = layer->multiplier[channel] * 256;
    const int32_t multiplier1 = second ? layer->multiplier[channel + 1u] : 0;
    uint32_t first[S2C_DSP_PIXELS];
    uint32_t second256[S2C_DSP_PIXELS];
    uint32_t sum0 = 0;
    uint32_t sum1 = 0;

    s2c_pair__dsp(weights + (size_t)(channel / 2u) * words, columns, words, pixels, bias, first,
                  second256);
    for (uint32_t p = 0; p < pixels; ++p) {
        const uint32_t result0 = s2c_smmlar(first[p], multiplier0, 0u);
        const uint32_t result1 = s2c_smmlar(second256[p], multiplier1, 0u);
        sum0 += relu ? above_zero(result0) : result0;
        sum1 += relu ? above_zero(result1) : result1;
    }
    sums[channel] += (int32_t)sum0;
    if (second) {
        sums[channel + 1u] += (int32_t)sum1;
    }
}

void s2c_conv2d_sum_u8_s8_s32_4x2__dsp(const s2c_conv2d *layer, const uint8_t *const *rows,
                                       int16_t *scratch, uint8_t relu, int32_t *sums)
{
    const uint32_t channels = layer->window.out_channels;
    const uint32_t cols = layer->window.out_cols;
    uint32_t *const columns = (uint32_t *)(void *)scratch;
#if S2C_DSP_FPU
    s2c_dsp_tile tile = s2c_dsp_tile_of(layer, columns);

    tile.out = sums;
    tile.out_end = sums + (channels & ~1u);
#endif

    for (uint32_t col = 0; col < cols; col += S2C_DSP_PIXELS) {
        const uint32_t pixels = cols - col < S2C_DSP_PIXELS ? cols - col : S2C_DSP_PIXELS;
        uint32_t channel = 0;

        s2c_columns__dsp(layer, rows, col, pixels, columns);
#if S2C_DSP_FPU
        if (pixels == S2C_DSP_PIXELS && channels >= 2u && relu) {
            add_tile(&tile);
            channel = channels & ~1u;
        }
#endif
        for (; channel < channels; channel += 2u) {
            add_pair(layer, channel, channel + 1u < channels, columns, pixels, relu, sums);
        }
    }
}
