/*
 * Internal to the 3x3 convolution by Winograd's algorithm F(4x4, 3x3) in integers.
 *
 * Four rows of output at a time, in tiles of 4 x 4 pixels. With the integer matrices G (6 x 3) and B
 * (6 x 6), a tile takes 36 products per input channel, of U = G w G^T and V = B^T x B, in place of 144:
 *
 *   M = sum over channels of U * V, elementwise;   576 * Y = A^T (f f^T * M) A,
 *
 * with f = 24 * (1/4, -1/6, -1/6, 1/24, 1/24, 1). All of it is exact modulo 2^32, and 576 is
 * 64 times an odd number, which has an inverse: 64 * Y comes out exactly where |Y| < 2^25.
 * |U| <= 7 * 7 * 127 and |V| <= 10 * 10 * 255 / 2, so both fit 16 bits.
 *
 * Tiles of a row are multiplied in groups of four and three. V of a group has the 36 positions one after
 * another, of a position pairs of channels (as halves of a word, in the order of s2c_conv2d_dsp.h), of
 * a pair the tiles. U has chunks of 16 channels, of a chunk the positions, of a position the
 * pairs of channels, of a pair a word of either output channel.
 */
#ifndef S2C_WINOGRAD_DSP_H
#define S2C_WINOGRAD_DSP_H

#include <stdint.h>

#include "s2c_kernels.h"

#define S2C_WINOGRAD_POSITIONS 36u
#define S2C_WINOGRAD_GROUP 4u /* tiles, at most */
#define S2C_WINOGRAD_SUMS 8u  /* words of M at one position */
#define S2C_WINOGRAD_CHUNK_CHANNELS 16u
#define S2C_WINOGRAD_CHUNK_WORDS 16u /* of U, at one position */

/*
 * Groups of the tiles of a row: first those of four, then those of three. Together they may be
 * more tiles than the row has; results of these are dropped.
 */
typedef struct {
    uint32_t fours;
    uint32_t threes;
} s2c_winograd_groups;

static inline s2c_winograd_groups s2c_winograd_groups_of(uint32_t out_cols)
{
    const uint32_t tiles = (out_cols + 3u) / 4u;
    const uint32_t groups = (tiles + 3u) / 4u;
    const uint32_t missing = 4u * groups - tiles;
    s2c_winograd_groups result;

    result.threes = missing < groups ? missing : groups;
    result.fours = groups - result.threes;
    return result;
}

/* V of one group: `tiles` tiles from `tile` on. rows: six. */
void s2c_winograd_input__dsp(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t tile,
                             uint32_t tiles, uint32_t *v);

/* U of one pair of output channels. weights: the pair's, as in s2c_conv2d_dsp.h. */
void s2c_winograd_weights__dsp(const uint32_t *weights, uint32_t in_channels, uint32_t *u);

/*
 * M of one group and one pair of output channels, modulo 2^32: per position `tiles` sums of the
 * first output channel, then those of the second, in S2C_WINOGRAD_SUMS words. in_channels: a multiple
 * of 16.
 */
void s2c_winograd_product__dsp(const uint32_t *u, const uint32_t *v, uint32_t in_channels,
                               uint32_t tiles, uint32_t *m);

/* Where the results of one tile and one output channel go, and how. */
typedef struct {
    const uint32_t *sums; /* of the first position */
    uint32_t zero_point;
    uint8_t *rows[4]; /* pixel 0 of each row of the tile; NULL behind the last row */
    uint32_t stride_bytes;
    uint32_t cols;        /* 1 to 4 */
    uint32_t bias64;      /* 64 * bias */
    uint32_t multiplier4; /* 4 * multiplier */
} s2c_winograd_results;

/* Y = A^T (f f^T * M) A, requantised. */
void s2c_winograd_output__dsp(const s2c_winograd_results *results);

#endif /* S2C_WINOGRAD_DSP_H */
