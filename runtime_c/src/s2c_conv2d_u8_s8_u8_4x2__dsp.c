/* Convolution with uint8 output, for cores with the DSP extension. */
#include "s2c_conv2d_dsp.h"
#include "s2c_conv2d_dsp_tile.h"
#include "s2c_dsp.h"
#include "s2c_kernels.h"

#if S2C_DSP_FPU
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* All pairs of channels of four pixels. */
static void multiply_tile(const s2c_dsp_tile *tile)
{
    register const void *operands __asm__("r0") = tile;

    __asm__ volatile(
        S2C_DSP_ENTER
        S2C_DSP_PAIR
        "vmov r8, r9, s20, s21\n\t" /* multipliers, out */
        "ldmia r8!, {r10, r11}\n\t"
        "vmov s20, r8\n\t"
        "lsl r10, r10, #8\n\t"
        "vmov r8, r12, s22, s23\n\t" /* stride, zero point */
        "sub r4, r4, r0\n\t"
        "sub r5, r5, r1\n\t"
        "sub r6, r6, r2\n\t"
        "sub r7, r7, r3\n\t"
        "smmlar r0, r0, r10, r12\n\t"
        "smmlar r1, r1, r10, r12\n\t"
        "smmlar r2, r2, r10, r12\n\t"
        "smmlar r3, r3, r10, r12\n\t"
        "smmlar r4, r4, r11, r12\n\t"
        "smmlar r5, r5, r11, r12\n\t"
        "smmlar r6, r6, r11, r12\n\t"
        "smmlar r7, r7, r11, r12\n\t"
        "usat r0, #8, r0\n\t"
        "usat r1, #8, r1\n\t"
        "usat r2, #8, r2\n\t"
        "usat r3, #8, r3\n\t"
        "usat r4, #8, r4\n\t"
        "usat r5, #8, r5\n\t"
        "usat r6, #8, r6\n\t"
        "usat r7, #8, r7\n\t"
        "orr r0, r0, r4, lsl #8\n\t"
        "orr r1, r1, r5, lsl #8\n\t"
        "orr r2, r2, r6, lsl #8\n\t"
        "orr r3, r3, r7, lsl #8\n\t"
        "add r10, r8, r8, lsl #1\n\t"
        "strh r1, [r9, r8]\n\t"
        "strh r2, [r9, r8, lsl #1]\n\t"
        "strh r3, [r9, r10]\n\t"
        "strh r0, [r9], #2\n\t"
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

/* One pair of channels of up to four pixels; `second`: whether there is a second channel. */
static void multiply_pair(const s2c_conv2d *layer, uint32_t channel, uint32_t second,
                          const uint32_t *columns, uint32_t pixels, uint8_t *out)
{
    const uint32_t words = 2u * s2c_dsp_quads(&layer->window);
    const uint32_t *const weights = (const uint32_t *)(const void *)layer->weights;
    const uint32_t bias[2] = {(uint32_t)layer->bias[channel],
                              second ? (uint32_t)layer->bias[channel + 1u] : 0u};
    const int32_t multiplier0 = layer->multiplier[channel] * 256;
    const int32_t multiplier1 = second ? layer->multiplier[channel + 1u] : 0;
    const uint32_t zero_point = layer->out_zero_point;
    uint32_t first[S2C_DSP_PIXELS];
    uint32_t second256[S2C_DSP_PIXELS];

    s2c_pair__dsp(weights + (size_t)(channel / 2u) * words, columns, words, pixels, bias, first,
                  second256);
    out += channel;
    for (uint32_t p = 0; p < pixels; ++p) {
        out[0] = (uint8_t)s2c_usat8(s2c_smmlar(first[p], multiplier0, zero_point));
        if (second) {
            out[1] = (uint8_t)s2c_usat8(s2c_smmlar(second256[p], multiplier1, zero_point));
        }
        out += layer->window.out_stride_bytes;
    }
}

void s2c_conv2d_u8_s8_u8_4x2__dsp(const s2c_conv2d *layer, const uint8_t *const *rows,
                                  int16_t *scratch, uint8_t *out_row)
{
    const uint32_t channels = layer->window.out_channels;
    const uint32_t cols = layer->window.out_cols;
    uint32_t *const columns = (uint32_t *)(void *)scratch;
#if S2C_DSP_FPU
    s2c_dsp_tile tile = s2c_dsp_tile_of(layer, columns);
#endif

    for (uint32_t col = 0; col < cols; col += S2C_DSP_PIXELS) {
        const uint32_t pixels = cols - col < S2C_DSP_PIXELS ? cols - col : S2C_DSP_PIXELS;
        uint8_t *const out = out_row + (size_t)col * layer->window.out_stride_bytes;
        uint32_t channel = 0;

        s2c_columns__dsp(layer, rows, col, pixels, columns);
#if S2C_DSP_FPU
        if (pixels == S2C_DSP_PIXELS && channels >= 2u) {
            channel = channels & ~1u;
            tile.out = out;
            tile.out_end = out + channel;
            multiply_tile(&tile);
        }
#endif
        for (; channel < channels; channel += 2u) {
            multiply_pair(layer, channel, channel + 1u < channels, columns, pixels, out);
        }
    }
}
