/* Convolution with uint8 output that skips weights of zero, for cores with the DSP extension. */
#include "s2c_dsp.h"
#include "s2c_kernels.h"
#include "s2c_sparse_dsp.h"
#include "s2c_sparse_dsp_tile.h"

#if S2C_DSP_FPU
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* All output channels of eight pixels. */
static void multiply_tile(const s2c_sparse_tile *tile)
{
    register const void *operands __asm__("r0") = tile;

    __asm__ volatile(
        S2C_SPARSE_ENTER
        S2C_SPARSE_CHANNEL
        "vmov r8, r9, s21, s22\n\t" /* multipliers, out */
        "ldr r10, [r8], #4\n\t"
        "vmov s21, r8\n\t"
        "lsl r10, r10, #8\n\t"
        "vmov r8, r12, s23, s24\n\t" /* stride, zero point */
        S2C_SPARSE_ALL_SUMS
        "smmlar r0, r0, r10, r12\n\t"
        "smmlar r1, r1, r10, r12\n\t"
        "smmlar r2, r2, r10, r12\n\t"
        "smmlar r3, r3, r10, r12\n\t"
        "smmlar r4, r4, r10, r12\n\t"
        "smmlar r5, r5, r10, r12\n\t"
        "smmlar r6, r6, r10, r12\n\t"
        "smmlar r7, r7, r10, r12\n\t"
        "usat r0, #8, r0\n\t"
        "usat r1, #8, r1\n\t"
        "usat r2, #8, r2\n\t"
        "usat r3, #8, r3\n\t"
        "usat r4, #8, r4\n\t"
        "usat r5, #8, r5\n\t"
        "usat r6, #8, r6\n\t"
        "usat r7, #8, r7\n\t"
        "add r10, r8, r8, lsl #1\n\t"
        "add r11, r8, r8, lsl #2\n\t"
        "rsb r12, r8, r8, lsl #3\n\t"
        "strb r1, [r9, r8]\n\t"
        "strb r2, [r9, r8, lsl #1]\n\t"
        "strb r3, [r9, r10]\n\t"
        "strb r4, [r9, r8, lsl #2]\n\t"
        "strb r5, [r9, r11]\n\t"
        "strb r6, [r9, r10, lsl #1]\n\t"
        "strb r7, [r9, r12]\n\t"
        "strb r0, [r9], #1\n\t"
        "vmov s22, r9\n\t"
        "vmov r8, s25\n\t"
        "cmp r9, r8\n\t"
        "bne 1b\n\t"
        S2C_SPARSE_LEAVE
        : "+r"(operands)
        :
        : S2C_SPARSE_CLOBBERS);
}
#endif

/* All output channels of up to eight pixels. */
static void multiply_group(const s2c_conv2d *layer, const uint32_t *columns, uint32_t pixels,
                           uint8_t *out)
{
    const uint32_t *words = s2c_sparse_words(layer);
    const uint32_t stride = layer->window.out_stride_bytes;
    uint32_t acc[S2C_SPARSE_PIXELS];

    for (uint32_t channel = 0; channel < layer->window.out_channels; ++channel) {
        const int32_t multiplier = layer->multiplier[channel] * 256;
        const uint32_t count = s2c_sparse_count(layer, channel);
        uint8_t *to = out + channel;

        s2c_sparse_channel__dsp(words, count, columns, (pixels + 1u) / 2u, layer->bias[channel],
                                acc);
        words += count;
        for (uint32_t p = 0; p < pixels; ++p) {
            *to = (uint8_t)s2c_usat8(s2c_smmlar(acc[p], multiplier, layer->out_zero_point));
            to += stride;
        }
    }
}

void s2c_sparse_conv2d_u8_s8_u8_8x1__dsp(const s2c_conv2d *layer, const uint8_t *const *rows,
                                         int16_t *scratch, uint8_t *out_row)
{
    const uint32_t cols = layer->window.out_cols;
    uint32_t *const columns = (uint32_t *)(void *)scratch;
#if S2C_DSP_FPU
    s2c_sparse_tile tile = s2c_sparse_tile_of(layer, columns);
#endif

    for (uint32_t col = 0; col < cols; col += S2C_SPARSE_PIXELS) {
        const uint32_t pixels = cols - col < S2C_SPARSE_PIXELS ? cols - col : S2C_SPARSE_PIXELS;
        uint8_t *const out = out_row + (size_t)col * layer->window.out_stride_bytes;

        s2c_sparse_columns__dsp(layer, rows, col, pixels, columns);
#if S2C_DSP_FPU
        if (pixels == S2C_SPARSE_PIXELS) {
            tile.out = out;
            tile.out_end = out + layer->window.out_channels;
            multiply_tile(&tile);
            continue;
        }
#endif
        multiply_group(layer, columns, pixels, out);
    }
}
