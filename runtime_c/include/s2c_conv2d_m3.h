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
#include "s2c_requantise.h"

#define S2C_M3_PIXELS 4u
#define S2C_M3_CHANNELS 3u

/*
 * Constants of three channels: 256 times their multipliers; what a sum times that is added to, 64 bits
 * each, first of the three channels of the first pixel of a pair, then of the second one, whose sums have no offset;
 * sums of results.
 */
#define S2C_M3_STARTS (S2C_M3_CONSTANTS + 3u)
#define S2C_M3_TOTALS (S2C_M3_CONSTANTS + 15u)

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

/*
 * Writes the constants of the channels from `channel` on and clears the sums of results. Returns how many
 * channels there are, at most three. Channels that are missing have constants of the first one.
 */
static inline uint32_t s2c_m3_constants(const s2c_conv2d *layer, uint32_t channel,
                                        uint8_t zero_point, uint32_t *scratch)
{
    const uint32_t left = layer->window.out_channels - channel;
    const uint32_t channels = left < S2C_M3_CHANNELS ? left : S2C_M3_CHANNELS;
    const int64_t offset = (int64_t)s2c_m3_offset(layer);

    for (uint32_t i = 0; i < S2C_M3_CHANNELS; ++i) {
        const uint32_t at = i < channels ? channel + i : channel;
        const int32_t multiplier = layer->multiplier[at] * 256;
        const int64_t bias = layer->bias[at];
        const uint64_t half = ((uint64_t)zero_point << 32) + ((uint64_t)1 << 31);
        const uint64_t first = half + (uint64_t)((bias - offset) * multiplier);
        const uint64_t second = half + (uint64_t)(bias * multiplier);
        uint32_t *const to = scratch + S2C_M3_STARTS + 2u * i;

        scratch[S2C_M3_CONSTANTS + i] = (uint32_t)multiplier;
        to[0] = (uint32_t)first;
        to[1] = (uint32_t)(first >> 32);
        to[6] = (uint32_t)second;
        to[7] = (uint32_t)(second >> 32);
        scratch[S2C_M3_TOTALS + i] = 0;
    }
    return channels;
}

/* The result of channel i, 0 to 2, of pixel p, 0 to 3, requantised, zero point included. */
static inline uint32_t s2c_m3_result(const uint32_t *scratch, uint32_t i, uint32_t p)
{
    const uint32_t *const a = scratch + 3u * (p / 2u); /* middle, high, low */
    const uint32_t *const b = a + 6;
    const uint32_t second = p % 2u;
    const uint32_t *const start = scratch + S2C_M3_STARTS + 6u * second + 2u * i;
    uint32_t sum;

    if (i == 0u) {
        sum = second ? b[1] : a[2];
    } else if (i == 1u) {
        sum = second ? a[1] : a[0] - b[1];
    } else {
        sum = second ? b[0] - a[2] : b[2];
    }
    return s2c_m3_smlal_high((uint64_t)start[1] << 32 | start[0], s2c_signed(sum),
                             (int32_t)scratch[S2C_M3_CONSTANTS + i]);
}

#if S2C_M3_NATIVE

/*
 * Sums of a pair of pixels, six results: registers of the operands of `finish`, its channel, and where
 * its start is. r12 is scratch, r8 to r10 multipliers, r6 and r7 are free for `finish`.
 */
#define S2C_M3_FINISH_PAIR(a, a_low, b, b_low, finish, between) \
    "ldrd r0, r1, [r12, #" a "]\n\t"     \
    "ldr r2, [r12, #" a_low "]\n\t"      \
    "ldrd r3, r4, [r12, #" b "]\n\t"     \
    "ldr r5, [r12, #" b_low "]\n\t"      \
    "sub r0, r0, r4\n\t"                 \
    "sub r3, r3, r2\n\t"                 \
    finish("r2", "r8", "0", "96")        \
    finish("r0", "r9", "1", "104")       \
    finish("r5", "r10", "2", "112")      \
    between                              \
    finish("r4", "r8", "0", "120")       \
    finish("r1", "r9", "1", "128")       \
    finish("r3", "r10", "2", "136")      \
    between

#define S2C_M3_FINISH_BEGIN              \
    "str r7, [r12, #48]\n\t"             \
    "ldrd r8, r9, [r12, #84]\n\t"        \
    "ldr r10, [r12, #92]\n\t"

#define S2C_M3_FINISH_END "ldr r7, [r12, #48]\n\t"

#endif

#endif /* S2C_CONV2D_M3_H */
