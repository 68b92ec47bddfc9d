/* Convolution and sum over pixels for Helium, as the convolution. */
#include <string.h>

#include "s2c_conv2d_mve.h"
#include "s2c_mve_assembler.h"

#define LEAST_OF_ALL (-2147483647 - 1)

#if S2C_MVE_NATIVE
#pragma GCC diagnostic ignored "-Woverlength-strings"

#define BLOCKS_PER_TURN 8u

/* Pixels behind the end of the row are not added: lanes of P0 that are off. */
#define PRODUCT(n)                                                                     \
    __asm__ volatile(S2C_BEGIN_LOOPS                                                   \
                     S2C_FIELD("r0", S2C_AT_LEAST)                                     \
                     S2C_FIELD("r2", S2C_AT_PIXELS)                                    \
                     "vdup.32 q6, r0\n\t"                                              \
                     "vctp.32 r2\n"                                                    \
                     "1:\n\t" S2C_RESULTS(S2C_TURN_OF_8, S2C_BLOCK_##n, S2C_COLLECT_##n) \
                     S2C_FIELD("r8", S2C_AT_SUMS)                                      \
                     "vmax.s32 q4, q4, q6\n\t"                                         \
                     "vmax.s32 q0, q0, q6\n\t"                                         \
                     "vmax.s32 q5, q5, q6\n\t"                                         \
                     "vmax.s32 q1, q1, q6\n\t"                                         \
                     "ldmia.w r8, {r0, r2, r4, r6}\n\t"                                \
                     "vpstttt\n\t"                                                     \
                     "vaddvat.s32 r0, q4\n\t"                                          \
                     "vaddvat.s32 r2, q5\n\t"                                          \
                     "vaddvat.s32 r4, q0\n\t"                                          \
                     "vaddvat.s32 r6, q1\n\t"                                          \
                     "stmia.w r8!, {r0, r2, r4, r6}\n\t"                               \
                     "str.w r8, [r9, #" S2C_AT_SUMS "]\n\t"                            \
                     S2C_NEXT_QUAD S2C_END_LOOPS                                       \
                     :                                                                 \
                     : "r"(at)                                                         \
                     : S2C_CLOBBERED)

static void multiply(s2c_mve_product *product, uint32_t group)
{
    register s2c_mve_product *at __asm__("r9") = product;

    if (group == 4u) {
        PRODUCT(4);
    } else {
        PRODUCT(3);
    }
}

static void all_channels(s2c_mve_product *product, const s2c_conv2d *layer, uint32_t group,
                         int32_t *sums)
{
    const uint32_t quads = layer->window.out_channels / S2C_MVE_QUAD;
    const uint32_t left = layer->window.out_channels % S2C_MVE_QUAD;
    int32_t some[S2C_MVE_QUAD] = {0, 0, 0, 0};

    if (quads != 0u) {
        product->sums = sums;
        s2c_mve_select__mve(product, layer, 0, quads);
        multiply(product, group);
    }
    if (left != 0u) {
        memcpy(some, sums + S2C_MVE_QUAD * quads, left * sizeof *sums);
        product->sums = some;
        s2c_mve_select__mve(product, layer, quads, 1u);
        multiply(product, group);
        memcpy(sums + S2C_MVE_QUAD * quads, some, left * sizeof *sums);
    }
}

#endif

/* In C: for other compilers, and for other shifts. */
static void all_channels_plain(const s2c_conv2d *layer, const int8_t *columns, uint32_t group,
                               uint32_t pixels, int32_t least, int32_t *sums)
{
    for (uint32_t o = 0; o < layer->window.out_channels; ++o) {
        for (uint32_t p = 0; p < pixels; ++p) {
            const int32_t acc = s2c_mve_sum(layer, columns, group, p, o);
            const int32_t result = s2c_mve_result(layer, o, acc);
            sums[o] += result > least ? result : least;
        }
    }
}

static void groups_of(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t col,
                      uint32_t count, uint32_t group, int8_t *columns, int32_t least,
                      int32_t *sums)
{
    const uint32_t cols = layer->window.out_cols;
    const int alone = s2c_mve_alone(&layer->window);
    const uint32_t whole = s2c_columns_whole__mve(&layer->window);
#if S2C_MVE_NATIVE
    const int plain = layer->shift != S2C_MVE_SHIFT;
    s2c_mve_product product;

    s2c_mve_begin__mve(&product, layer, columns, s2c_mve_blocks(s2c_mve_taps(&layer->window)),
                       BLOCKS_PER_TURN, S2C_BLOCK_BYTES(group));
    product.least = least;
#else
    const int plain = 1;
#endif
    for (; count != 0u; --count) {
        const uint32_t pixels = cols - col < group ? cols - col : group;
        if (alone && pixels == group) {
            s2c_pixels__mve(&layer->window, rows[0] + (size_t)col * layer->window.in_stride_bytes,
                            group, columns);
        } else {
            s2c_columns__mve(layer, rows, col, pixels, group, whole, columns);
        }
        if (plain) {
            all_channels_plain(layer, columns, group, pixels, least, sums);
        }
#if S2C_MVE_NATIVE
        else {
            product.pixels = pixels;
            all_channels(&product, layer, group, sums);
        }
#endif
        col += group;
    }
}

void s2c_conv2d_sum_u8_s8_s32_4x2__mve(const s2c_conv2d *layer, const uint8_t *const *rows,
                                       int16_t *scratch, uint8_t relu, int32_t *sums)
{
    const s2c_mve_groups groups = s2c_mve_groups_of(layer->window.out_cols);
    const int32_t least = relu != 0u ? 0 : LEAST_OF_ALL;

    if (groups.fours != 0u) {
        groups_of(layer, rows, 0, groups.fours, 4u, (int8_t *)scratch, least, sums);
    }
    if (groups.threes != 0u) {
        groups_of(layer, rows, 4u * groups.fours, groups.threes, 3u, (int8_t *)scratch, least,
                  sums);
    }
}
