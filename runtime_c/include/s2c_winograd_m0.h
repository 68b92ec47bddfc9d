/*
 * Internal to the 3x3 convolution by Winograd's algorithm for Cortex-M0; see s2c_winograd_dsp.h for
 * the algorithm, and for the groups that the tiles of a row form.
 *
 * Here every number has a word of its own, and output channels come one by one. V of a group has
 * the 36 positions one after another, of a position the channels, of a channel the tiles. U has the
 * channels of each position, M the tiles of each position.
 */
#ifndef S2C_WINOGRAD_M0_H
#define S2C_WINOGRAD_M0_H

#include <stdint.h>

#include "s2c_kernels.h"
#include "s2c_winograd_dsp.h"

/* V of one group: `tiles` tiles from `tile` on. rows: six. in_channels: a multiple of 2. */
void s2c_winograd_input__m0(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t tile,
                            uint32_t tiles, uint32_t *v);

/* U of one output channel. */
void s2c_winograd_weights__m0(const int8_t *weights, uint32_t in_channels, uint32_t *u);

/* M of one group and output channel, modulo 2^32. in_channels: a multiple of 16. tiles: 3 or 4. */
void s2c_winograd_product__m0(const uint32_t *u, const uint32_t *v, uint32_t in_channels,
                              uint32_t tiles, uint32_t *m);

/* acc[row][column] of one tile, 64 times, without bias. m: of its first position; `tiles` apart. */
void s2c_winograd_output__m0(const uint32_t *m, uint32_t tiles, uint32_t *acc64);

#endif /* S2C_WINOGRAD_M0_H */
