/*
 * Internal to the convolution kernels that skip weights of zero.
 *
 * Two pixels share a word, a0 + a1 * 2^23, so one SMLAL multiplies both with a weight and adds to
 * 64 bits: T = S0 + S1 * 2^23, from which both sums come back exactly if -2^22 <= S < 2^22.
 * Eight pixels are four such words, and every weight that is not zero takes 8 instructions.
 *
 * Weights: a table of the words of each output channel (uint16_t), padded with zeros to at
 * least S2C_SPARSE_LEAD_BYTES and to whole words, then the words of all channels. A word holds two
 * entries of two bytes each: 16 times the distance from the tap of the entry before (or from tap
 * 0), and the weight. Distances beyond 15 are bridged by entries with a weight of zero.
 * Every channel has a word at least.
 *
 * Columns: four words per tap, of pixels 0 and 1, 2 and 3, 4 and 5, 6 and 7; so the distance in
 * an entry is one in bytes.
 */
#ifndef S2C_SPARSE_DSP_H
#define S2C_SPARSE_DSP_H

#include <stddef.h>
#include <stdint.h>

#include "s2c_kernels.h"

#define S2C_SPARSE_PIXELS 8u
#define S2C_SPARSE_PAIRS 4u
#define S2C_SPARSE_LEAD_BYTES 64u
#define S2C_SPARSE_FIELD 23u
#define S2C_SPARSE_HALF ((uint32_t)1 << 22)

/* How many words an output channel has. The table is an array of words, two numbers each. */
static inline uint32_t s2c_sparse_count(const s2c_conv2d *layer, uint32_t channel)
{
    const uint32_t *const table = (const uint32_t *)(const void *)layer->weights;
    return (table[channel / 2u] >> (16u * (channel % 2u))) & 0xFFFFu;
}

/* The words of the first output channel. */
static inline const uint32_t *s2c_sparse_words(const s2c_conv2d *layer)
{
    const uint32_t table = ((uint32_t)layer->window.out_channels + 1u) / 2u * 4u;
    const uint32_t lead = table < S2C_SPARSE_LEAD_BYTES ? S2C_SPARSE_LEAD_BYTES : table;

    return (const uint32_t *)(const void *)(layer->weights + lead);
}

/*
 * Writes the columns of output pixels [out_col, out_col + pixels), pixels <= S2C_SPARSE_PIXELS. The
 * last pixel of an odd number is paired with itself. Words of pairs without a pixel are left as they are.
 */
void s2c_sparse_columns__dsp(const s2c_conv2d *layer, const uint8_t *const *rows,
                             uint32_t out_col, uint32_t pixels, uint32_t *columns);

/*
 * Sums of one output channel, modulo 2^32: acc[p] of 2 * pairs pixels, beginning at `bias`.
 * words: `count` words of the channel, which may be read from S2C_SPARSE_LEAD_BYTES before.
 */
void s2c_sparse_channel__dsp(const uint32_t *words, uint32_t count, const uint32_t *columns,
                             uint32_t pairs, int32_t bias, uint32_t *acc);

#endif /* S2C_SPARSE_DSP_H */
