/* Convolution for Helium: four or three pixels by two output channels, 16 taps an instruction. */
#include <string.h>

#include "s2c_conv2d_mve.h"
#include "s2c_mve_assembler.h"
#include "s2c_requantise.h"

#if S2C_MVE_NATIVE

/* Sixteen results as bytes, the four channels of a pixel in one word. */
#define NARROW(zero_point)             \
    "vqmovnb.s32 q4, q4\n\t"           \
    "vqmovnt.s32 q4, q5\n\t"           \
    "vqmovnb.s32 q0, q0\n\t"           \
    "vqmovnt.s32 q0, q1\n\t" zero_point \
    "vqmovunb.s16 q4, q4\n\t"          \
    "vqmovunt.s16 q4, q0\n\t"

#define ZERO_POINT                       \
    S2C_FIELD("r0", S2C_AT_ZERO_POINT)   \
    "vqadd.s16 q4, q4, r0\n\t"           \
    "vqadd.s16 q0, q0, r0\n\t"

/* Every store leaves the four addresses in q7 at the next quad. A macro, because of its labels. */
#define PRODUCT(block, collect, zero_point)                           \
    __asm__ volatile(S2C_BEGIN                                        \
                     "vldrw.u32 q7, [r9, #" S2C_AT_OUT "]\n"          \
                     "1:\n\t" S2C_RESULTS(block, collect)             \
                     NARROW(zero_point)                               \
                     "vstrw.32 q4, [q7, #4]!\n\t"                     \
                     S2C_NEXT_QUAD S2C_END                            \
                     :                                                \
                     : "r"(at)                                        \
                     : S2C_CLOBBERED)

static void multiply(s2c_mve_product *product, uint32_t group)
{
    register s2c_mve_product *at __asm__("r9") = product;

    if (product->zero_point == 0u) {
        if (group == 4u) {
            PRODUCT(S2C_BLOCK_4, S2C_COLLECT_4, "");
        } else {
            PRODUCT(S2C_BLOCK_3, S2C_COLLECT_3, "");
        }
    } else if (group == 4u) {
        PRODUCT(S2C_BLOCK_4, S2C_COLLECT_4, ZERO_POINT);
    } else {
        PRODUCT(S2C_BLOCK_3, S2C_COLLECT_3, ZERO_POINT);
    }
}

/* Quads whose results cannot be stored as words, or are not all wanted, one by one. */
static void multiply_apart(s2c_mve_product *product, const s2c_conv2d *layer, uint32_t group,
                           uint32_t pixels, uint32_t first_channel, uint8_t *out)
{
    const uint32_t channels = layer->window.out_channels;
    uint32_t words[4];

    for (uint32_t c = first_channel; c < channels; c += S2C_MVE_QUAD) {
        const uint32_t count = channels - c < S2C_MVE_QUAD ? channels - c : S2C_MVE_QUAD;
        s2c_mve_select__mve(product, layer, c / S2C_MVE_QUAD, 1u);
        for (uint32_t p = 0; p < 4u; ++p) {
            product->out[p] = s2c_mve_before(&words[p < group ? p : group - 1u]);
        }
        multiply(product, group);
        for (uint32_t p = 0; p < pixels; ++p) {
            memcpy(out + (size_t)p * layer->window.out_stride_bytes + c, &words[p], count);
        }
    }
}

static void all_channels(s2c_mve_product *product, const s2c_conv2d *layer, uint32_t group,
                         uint32_t pixels, uint8_t *out)
{
    const uint32_t stride_bytes = layer->window.out_stride_bytes;
    uint32_t quads = layer->window.out_channels / S2C_MVE_QUAD;

    if ((((uintptr_t)out | stride_bytes) & 3u) != 0u) {
        quads = 0;
    }
    if (quads != 0u) {
        /* Those behind the end of the row repeat its last pixel. */
        for (uint32_t p = 0; p < 4u; ++p) {
            const uint32_t pixel = p < pixels ? p : pixels - 1u;
            product->out[p] = s2c_mve_before(out + (size_t)pixel * stride_bytes);
        }
        s2c_mve_select__mve(product, layer, 0, quads);
        multiply(product, group);
    }
    multiply_apart(product, layer, group, pixels, S2C_MVE_QUAD * quads, out);
}

#endif

/* In C: for other compilers, for other shifts, and for layers with a lower limit. */
static void all_channels_plain(const s2c_conv2d *layer, const int8_t *columns, uint32_t group,
                               uint32_t pixels, uint8_t *out)
{
    const s2c_window *window = &layer->window;
    const uint32_t taps =
        (uint32_t)window->kernel_rows * window->kernel_cols * window->in_channels;

    for (uint32_t p = 0; p < pixels; ++p) {
        for (uint32_t o = 0; o < window->out_channels; ++o) {
            const int32_t acc = s2c_mve_sum(layer, columns, taps, group, p, o);
            const int32_t multiplier = layer->multiplier[o] / (1 << S2C_MVE_MULTIPLIER_SHIFT);
            out[o] = s2c_saturate_u8(s2c_requantise(acc, multiplier, layer->shift),
                                     layer->out_zero_point, layer->clamp_min);
        }
        out += window->out_stride_bytes;
    }
}

/* `count` groups of `group` pixels each from `col` on, as far as the row goes. */
static void groups_of(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t col,
                      uint32_t count, uint32_t group, int8_t *columns, uint8_t *out)
{
    const uint32_t cols = layer->window.out_cols;
    const size_t group_bytes = (size_t)group * layer->window.out_stride_bytes;
#if S2C_MVE_NATIVE
    const int plain = layer->shift != S2C_MVE_SHIFT || layer->clamp_min != 0u;
    s2c_mve_product product;

    s2c_mve_begin__mve(&product, layer, group, columns);
#endif
    for (; count != 0u; --count) {
        const uint32_t pixels = cols - col < group ? cols - col : group;
        s2c_columns__mve(layer, rows, col, pixels, group, columns);
#if S2C_MVE_NATIVE
        if (!plain) {
            all_channels(&product, layer, group, pixels, out);
        } else {
            all_channels_plain(layer, columns, group, pixels, out);
        }
#else
        all_channels_plain(layer, columns, group, pixels, out);
#endif
        col += group;
        out += group_bytes;
    }
}

void s2c_conv2d_u8_s8_u8_4x2__mve(const s2c_conv2d *layer, const uint8_t *const *rows,
                                  int16_t *scratch, uint8_t *out_row)
{
    const s2c_mve_groups groups = s2c_mve_groups_of(layer->window.out_cols);
    const uint32_t col = 4u * groups.fours;

    if (groups.fours != 0u) {
        groups_of(layer, rows, 0, groups.fours, 4u, (int8_t *)scratch, out_row);
    }
    if (groups.threes != 0u) {
        groups_of(layer, rows, col, groups.threes, 3u, (int8_t *)scratch,
                  out_row + (size_t)col * layer->window.out_stride_bytes);
    }
}
