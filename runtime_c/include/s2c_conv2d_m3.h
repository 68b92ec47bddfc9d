/*
 * Internal to the convolution kernels for Cortex-M3: four pixels and three output channels by
 * SMLAL, three products at a time. X is 2^21.
 *
 * Two pixels share a word P = a0 + a1 * X, three channels two words A = w0 + w1 * X and B = w2 + w0 * X.
 * The sums over all taps of
 *   P * A  are  a0 w0, a0 w1 + a1 w0, a1 w1   in fields of 21, 21 and 22 bits,
 *   P * B  are  a0 w2, a0 w0 + a1 w2, a1 w0,
 * and all six sums of the two pixels follow from these by two subtractions. Fields are exact
 * while each holds within [-2^20, 2^20): so many taps are a part. Its fields are added to
 * sums of 32 bits, where the differences are exact again, modulo 2^32.
 */
#ifndef S2C_CONV2D_M3_H
#define S2C_CONV2D_M3_H

#include <stddef.h>
#include <stdint.h>

#include "s2c_fields_m3.h"
#include "s2c_kernels.h"
#include "s2c_m3.h"

#define S2C_M3_PIXELS 4u
#define S2C_M3_CHANNELS 3u

/* Three channels of a layer; some may be missing. */
typedef struct {
    uint32_t channel;
    uint32_t channels;
    int32_t multiplier[S2C_M3_CHANNELS]; /* times 256 */
    uint64_t start[S2C_M3_CHANNELS];     /* what a sum times multiplier is added to */
} s2c_m3_triple;

static inline uint32_t s2c_m3_taps(const s2c_window *window)
{
    return (uint32_t)window->kernel_rows * window->kernel_cols * window->in_channels;
}

/* Where the columns begin in scratch. */
static inline uint32_t *s2c_m3_columns_of(const s2c_window *window, uint32_t *scratch)
{
    const uint32_t taps = s2c_m3_taps(window);
    return scratch + S2C_M3_TAPS + 2u * taps + (taps + S2C_M3_BLOCK - 1u) / S2C_M3_BLOCK;
}

/*
 * Expands the windows of `pixels` output pixels from `out_col` on, in groups of four: per tap two words P.
 * Pixels that are missing repeat the first one.
 */
void s2c_columns__m3(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t out_col,
                     uint32_t pixels, uint32_t *columns);

/* Writes the stream of the channels from `channel` on. */
void s2c_stream__m3(const s2c_conv2d *layer, uint32_t channel, uint32_t *scratch);

/* Multiplies a group of columns; leaves the sums in scratch. */
void s2c_product__m3(uint32_t *scratch, const uint32_t *columns);

/* Of the sums of 32 bits of low and middle fields. */
static inline uint32_t s2c_m3_offset(const s2c_conv2d *layer)
{
    const uint32_t blocks = (s2c_m3_taps(&layer->window) + S2C_M3_BLOCK - 1u) / S2C_M3_BLOCK;
    const uint32_t parts = (blocks + layer->part_blocks - 1u) / layer->part_blocks;
    return parts * S2C_M3_FIELD_START;
}

/* Constants of the channels from `channel` on. */
static inline s2c_m3_triple s2c_m3_triple_of(const s2c_conv2d *layer, uint32_t channel,
                                             uint8_t zero_point)
{
    const uint32_t left = layer->window.out_channels - channel;
    s2c_m3_triple triple;

    triple.channel = channel;
    triple.channels = left < S2C_M3_CHANNELS ? left : S2C_M3_CHANNELS;
    for (uint32_t i = 0; i < S2C_M3_CHANNELS; ++i) {
        const uint32_t at = i < triple.channels ? channel + i : channel;
        const int32_t multiplier = layer->multiplier[at] * 256;
        triple.multiplier[i] = multiplier;
        triple.start[i] = (uint64_t)((int64_t)layer->bias[at] * multiplier) +
                          ((uint64_t)zero_point << 32) + ((uint64_t)1 << 31);
    }
    return triple;
}

/* Sums of channel i of the triple, of all four pixels, before the bias. */
static inline void s2c_m3_sums(const uint32_t *sums, uint32_t i, uint32_t offset,
                               int32_t acc[S2C_M3_PIXELS])
{
    for (uint32_t pair = 0; pair < 2u; ++pair) {
        const uint32_t *const a = sums + 3u * pair;
        const uint32_t *const b = a + 6;
        uint32_t acc0;
        uint32_t acc1;

        if (i == 0u) {
            acc0 = a[2] - offset;
            acc1 = b[1];
        } else if (i == 1u) {
            acc0 = a[0] - offset - b[1];
            acc1 = a[1];
        } else {
            acc0 = b[2] - offset;
            acc1 = b[0] - a[2];
        }
        acc[2u * pair] = (int32_t)acc0;
        acc[2u * pair + 1u] = (int32_t)acc1;
    }
}

#endif /* S2C_CONV2D_M3_H */
