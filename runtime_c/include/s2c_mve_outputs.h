/*
 * Internal to the convolution kernels for Helium: where the bytes of a group's pixels go. Who includes
 * this names two functions of his own: S2C_MVE_SUM_OF, with the signature of s2c_mve_sum, and
 * S2C_MVE_MULTIPLY, which computes the product of a group.
 */
#ifndef S2C_MVE_OUTPUTS_H
#define S2C_MVE_OUTPUTS_H

#include <string.h>

#include "s2c_conv2d_mve.h"

#ifdef S2C_MVE_SUM_OF

/* In C: for other compilers, for other shifts, and for layers with a lower limit. */
static inline void s2c_mve_outputs_plain(const s2c_conv2d *layer, const int8_t *columns,
                                         uint32_t group, uint32_t pixels, uint8_t *out)
{
    for (uint32_t p = 0; p < pixels; ++p) {
        for (uint32_t o = 0; o < layer->window.out_channels; ++o) {
            const int32_t acc = S2C_MVE_SUM_OF(layer, columns, group, p, o);
            out[o] = s2c_saturate_u8(s2c_mve_result(layer, o, acc), layer->out_zero_point,
                                     layer->clamp_min);
        }
        out += layer->window.out_stride_bytes;
    }
}

#endif

#ifdef S2C_MVE_MULTIPLY

/* Quads whose results cannot be stored as words, or are not all wanted, one by one. */
static inline void s2c_mve_outputs_apart(s2c_mve_product *product, const s2c_conv2d *layer,
                                         uint32_t group, uint32_t pixels, uint8_t *out)
{
    const uint32_t channels = layer->window.out_channels;
    uint32_t words[4];

    for (uint32_t c = 0; c < channels; c += S2C_MVE_QUAD) {
        const uint32_t count = channels - c < S2C_MVE_QUAD ? channels - c : S2C_MVE_QUAD;
        s2c_mve_select__mve(product, layer, c / S2C_MVE_QUAD, 1u);
        for (uint32_t p = 0; p < 4u; ++p) {
            product->out[p] = s2c_mve_before(&words[p < group ? p : group - 1u]);
        }
        S2C_MVE_MULTIPLY(product, group);
        for (uint32_t p = 0; p < pixels; ++p) {
            memcpy(out + (size_t)p * layer->window.out_stride_bytes + c, &words[p], count);
        }
    }
}

/* Whether all results of a row can be stored as words: whole quads of channels, aligned. */
static inline int s2c_mve_stores_words(const s2c_window *window, const uint8_t *out_row)
{
    const uintptr_t together =
        (uintptr_t)out_row | window->out_stride_bytes | window->out_channels;
    return (together & 3u) == 0u;
}

/* A group of `pixels` pixels; `words`: see above. All channels were selected where that is so. */
static inline void s2c_mve_outputs(s2c_mve_product *product, const s2c_conv2d *layer, int words,
                                   uint32_t group, uint32_t pixels, uint8_t *out)
{
    const uint32_t stride_bytes = layer->window.out_stride_bytes;
    uint32_t at = s2c_mve_before(out);

    if (!words) {
        s2c_mve_outputs_apart(product, layer, group, pixels, out);
        return;
    }
    /* Those behind the end of the row repeat its last pixel. */
    product->out[0] = at;
    at += pixels > 1u ? stride_bytes : 0u;
    product->out[1] = at;
    at += pixels > 2u ? stride_bytes : 0u;
    product->out[2] = at;
    at += pixels > 3u ? stride_bytes : 0u;
    product->out[3] = at;
    S2C_MVE_MULTIPLY(product, group);
}

#endif

#endif /* S2C_MVE_OUTPUTS_H */
