/*
 * Internal to the convolution kernels for cores with the DSP extension.
 *
 * Weights come in pairs of output channels, 16 bits per tap: 256 * second + first, modulo 2^16.
 * SMLAD of such halves accumulates T = 256 * S1 + S0, SMLAD of their low bytes (SXTB16) S0;
 * T - S0 is 256 * S1, which is the operand that one SMMLAR requantises.
 *
 * The taps of a pair are padded with zeros to quads of four. Its first half holds, quad by quad, a word
 * of taps 0 and 2, its second half a word of taps 1 and 3: what UXTB16 makes of four bytes
 * of input. Columns have the same order; word by word those of all pixels of a tile.
 */
#ifndef S2C_CONV2D_DSP_H
#define S2C_CONV2D_DSP_H

#include <stddef.h>
#include <stdint.h>

#include "s2c_kernels.h"

#define S2C_DSP_PIXELS 4u

/* Quads of taps of an output channel. */
static inline uint32_t s2c_dsp_quads(const s2c_window *window)
{
    const uint32_t taps =
        (uint32_t)window->kernel_rows * window->kernel_cols * window->in_channels;
    return (taps + 3u) / 4u;
}

/*
 * Writes the columns of output pixels [out_col, out_col + pixels), pixels <= S2C_DSP_PIXELS.
 * Where the channels of the input are not a multiple of 4, quads * pixels words behind the
 * columns are used too.
 */
void s2c_columns__dsp(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t out_col,
                      uint32_t pixels, uint32_t *columns);

/*
 * Sums of one pair of channels: first[p] and second256[p] (S0 and 256 * S1) of every pixel,
 * each beginning at its bias. words: per pixel and pair, two per quad.
 */
void s2c_pair__dsp(const uint32_t *weights, const uint32_t *columns, uint32_t words,
                   uint32_t pixels, const uint32_t bias[2], uint32_t *first, uint32_t *second256);

#endif /* S2C_CONV2D_DSP_H */
