/* Convolution whose outputs are summed and whose weights of zero are skipped, for cores with the DSP extension. */
#include "s2c_dsp.h"
#include "s2c_kernels.h"
#include "s2c_requantise.h"
#include "s2c_sparse_dsp.h"
#include "s2c_sparse_dsp_tile.h"

#if S2C_DSP_FPU
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* Adds the results of eight pixels that are not negative to the sums of all output channels. */
static void add_tile(const s2c_sparse_tile *tile)
{
    register const void *operands __asm__("r0") = tile;

    __asm__ volatile(
        S2C_SPARSE_ENTER
        S2C_SPARSE_CHANNEL
        "vmov r8, r9, s21, s22\n\t" /* multipliers, sums */
        "ldr r10, [r8], #4\n\t"
        "vmov s21, r8\n\t"
        "lsl r10, r10, #8\n\t"
        S2C_SPARSE_ALL_SUMS
        "smmulr r0, r0, r10\n\t"
        "smmulr r1, r1, r10\n\t"
        "smmulr r2, r2, r10\n\t"
        "smmulr r3, r3, r10\n\t"
        "smmulr r4, r4, r10\n\t"
        "smmulr r5, r5, r10\n\t"
        "smmulr r6, r6, r10\n\t"
        "smmulr r7, r7, r10\n\t"
        "usat r0, #31, r0\n\t"
        "usat r1, #31, r1\n\t"
        "usat r2, #31, r2\n\t"
        "usat r3, #31, r3\n\t"
        "usat r4, #31, r4\n\t"
        "usat r5, #31, r5\n\t"
        "usat r6, #31, r6\n\t"
        "usat r7, #31, r7\n\t"
        "ldr r10, [r9]\n\t"
        "add r0, r0, r1\n\t"
        "add r2, r2, r3\n\t"
        "add r4, r4, r5\n\t"
        "add r6, r6, r7\n\t"
        "add r0, r0, r2\n\t"
        "add r4, r4, r6\n\t"
        "add r10, r10, r0\n\t"
        "add r10, r10, r4\n\t"
        "str r10, [r9], #4\n\t"
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

static uint32_t above_zero(uint32_t result)
{
    return result & 0x80000000u ? 0u : result;
}

/* All output channels of up to eight pixels. */
static void add_group(const s2c_conv2d *layer, const uint32_t *columns, uint32_t pixels,
                      uint8_t relu, int32_t *sums)
{
    const uint32_t *words = s2c_sparse_words(layer);
    uint32_t acc[S2C_SPARSE_PIXELS];

    for (uint32_t channel = 0; channel < layer->window.out_channels; ++channel) {
        const int32_t multiplier = layer->multiplier[channel] * 256;
        const uint32_t count = s2c_sparse_count(layer, channel);
        uint32_t sum = 0;

        s2c_sparse_channel__dsp(words, count, columns, (pixels + 1u) / 2u, layer->bias[channel],
                                acc);
        words += count;
        for (uint32_t p = 0; p < pixels; ++p) {
            const uint32_t result = s2c_smmlar(acc[p], multiplier, 0u);
            sum += relu ? above_zero(result) : result;
        }
        sums[channel] += s2c_signed(sum);
    }
}

void s2c_sparse_conv2d_sum_u8_s8_s32_8x1__dsp(const s2c_conv2d *layer,
                                              const uint8_t *const *rows, int16_t *scratch,
                                              uint8_t relu, int32_t *sums)
{
    const uint32_t cols = layer->window.out_cols;
    uint32_t *const columns = (uint32_t *)(void *)scratch;
#if S2C_DSP_FPU
    s2c_sparse_tile tile = s2c_sparse_tile_of(layer, columns);

    tile.out = sums;
    tile.out_end = sums + layer->window.out_channels;
#endif

    for (uint32_t col = 0; col < cols; col += S2C_SPARSE_PIXELS) {
        const uint32_t pixels = cols - col < S2C_SPARSE_PIXELS ? cols - col : S2C_SPARSE_PIXELS;

        s2c_sparse_columns__dsp(layer, rows, col, pixels, columns);
#if S2C_DSP_FPU
        if (pixels == S2C_SPARSE_PIXELS && relu) {
            add_tile(&tile);
            continue;
        }
#endif
        add_group(layer, columns, pixels, relu, sums);
    }
}
