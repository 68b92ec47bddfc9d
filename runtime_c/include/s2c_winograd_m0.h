/*
 * Internal to the 3x3 convolution by Winograd's algorithm for Cortex-M0; see s2c_winograd_dsp.h for
 * the algorithm, and for the groups that the tiles of a row form.
 *
 * Here every number has a word of its own, and output channels come one by one. V of a group has
 * the 36 positions one after another, of a position the channels, of a channel the tiles. U has the
 * channels of each position, M the positions of each tile. Positions go column by column.
 *
 * As nothing has to fit 16 bits, V already has the factors f of M in it, and 1 / 9 modulo 2^32: then
 * A^T M A is 64 * Y.
 */
#ifndef S2C_WINOGRAD_M0_H
#define S2C_WINOGRAD_M0_H

#include <stdint.h>

#include "s2c_kernels.h"
#include "s2c_winograd_dsp.h"

/* V of one group: `tiles` tiles from `tile` on. rows: six. in_channels: a multiple of 2. scratch: 36 words. */
void s2c_winograd_input__m0(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t tile,
                            uint32_t tiles, uint32_t *v, uint32_t *scratch);

/* U of one output channel. */
void s2c_winograd_weights__m0(const int8_t *weights, uint32_t in_channels, uint32_t *u);

/* M of one group and output channel, modulo 2^32. in_channels: a multiple of 16. tiles: 3 or 4. */
void s2c_winograd_product__m0(const uint32_t *u, const uint32_t *v, uint32_t in_channels,
                              uint32_t tiles, uint32_t *m);

#define S2C_WINOGRAD_OUT 4u

/* Results of the tiles of an output channel, with zero point 0, a shift of 24 and no lower limit. */
typedef struct {
    uint32_t bias64; /* 64 * bias */
    uint32_t most;   /* s2c_m0_most(multiplier) */
    uint32_t half;   /* S2C_M0_HALF */
    uint32_t stride_bytes;
    uint32_t multiplier;
    uint8_t *rows[S2C_WINOGRAD_OUT]; /* where the tile's results go */
    uint32_t frame;                  /* of the assembler */
} s2c_winograd_tile_results;

/* m: of one tile, is overwritten. */
void s2c_winograd_output__m0(uint32_t *m, s2c_winograd_tile_results *results);

/* 64 * Y[row][column] of one tile, modulo 2^32. m is overwritten. */
void s2c_winograd_sums__m0(uint32_t *m, uint32_t *sums64);

/* The kernels, with as many rows as there is scratch for. */
void s2c_winograd3x3__m0(const s2c_conv2d *layer, const uint8_t *const *rows, int16_t *scratch,
                         uint8_t *const *out_rows, uint32_t row_count);

#endif /* S2C_WINOGRAD_M0_H */
