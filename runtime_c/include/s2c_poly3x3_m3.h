/*
 * Internal to the 3x3 convolution by polynomials: three products per SMLAL, for which windows are
 * not expanded. X is 2^21.
 *
 * Neighbouring pixels of a row share a word P(j) = a[2j] + a[2j+1] * X, the weights of a kernel row
 * two words A = w1 + w0 * X and B = w2 * X. Of P(j) * A + P(j+1) * B the middle field is
 *   a[2j] w0 + a[2j+1] w1 + a[2j+2] w2,  output 2j,
 * the high field a[2j+1] w0 + a[2j+3] w2, to which the low field of the next pair, a[2j+2] w1, adds
 * up to output 2j+1. See s2c_conv2d_m3.h for what fields hold.
 */
#ifndef S2C_POLY3X3_M3_H
#define S2C_POLY3X3_M3_H

#include <stddef.h>
#include <stdint.h>

#include "s2c_fields_m3.h"
#include "s2c_kernels.h"
#include "s2c_m3.h"
#include "s2c_requantise.h"

#define S2C_POLY_KERNEL 3u

/* A row of `cols` pixels of output is so many groups of four pairs, and behind these of three. */
typedef struct {
    uint32_t fours;
    uint32_t threes;
} s2c_poly_groups;

static inline s2c_poly_groups s2c_poly_groups_of(uint32_t cols)
{
    const uint32_t pairs = cols / 2u + 1u;
    const uint32_t count = (pairs + 3u) / 4u;
    const uint32_t over = 4u * count - pairs;
    s2c_poly_groups groups;

    groups.threes = over < count ? over : count;
    groups.fours = count - groups.threes;
    return groups;
}

/* Words that a row of input takes for one channel: each group has one more than its pairs. */
static inline uint32_t s2c_poly_row_words(s2c_poly_groups groups)
{
    return 5u * groups.fours + 4u * groups.threes;
}

/* Where the pairs of pixels begin in scratch. */
static inline uint32_t *s2c_poly_pixels_of(uint32_t channels, uint32_t *scratch)
{
    const uint32_t taps = S2C_POLY_KERNEL * channels;
    return scratch + S2C_M3_TAPS + 2u * taps + (taps + S2C_M3_BLOCK - 1u) / S2C_M3_BLOCK;
}

/* Pairs of pixels of `row_count` rows of input. Of every group: row by row its words of each channel. */
void s2c_poly_pixels__m3(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t row_count,
                         uint32_t *pixels);

/* Writes the stream of one output channel. */
void s2c_poly_stream__m3(const s2c_conv2d *layer, uint32_t channel, uint32_t *scratch);

/* Multiplies four or three pairs of pixels; leaves the sums in scratch. */
void s2c_poly_product4__m3(uint32_t *scratch, const uint32_t *pixels);
void s2c_poly_product3__m3(uint32_t *scratch, const uint32_t *pixels);

#endif /* S2C_POLY3X3_M3_H */
