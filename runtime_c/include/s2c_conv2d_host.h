/*
 * Internal to the convolution kernels for PCs.
 *
 * Weights come in blocks of 16 output channels. A row of the window is a segment of kernel_cols * in_channels
 * bytes, padded with zeros to quads of four; a block holds, row by row and quad by quad, the four
 * weights of each of its channels. Where pixels follow one another without a gap, a segment of
 * input is just as contiguous, so the product reads it where it is.
 */
#ifndef S2C_CONV2D_HOST_H
#define S2C_CONV2D_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "s2c_host.h"
#include "s2c_kernels.h"

/* The windows of up to S2C_HOST_PIXELS neighbouring pixels. */
typedef struct {
    const uint8_t *const *rows; /* NULL: the rows are copies, `pitch` bytes apart */
    const uint8_t *copies;
    size_t pitch;
    size_t offset; /* of the first segment in each of `rows` */
    size_t step;   /* from the segment of one pixel to that of the next */
    uint32_t row_count;
    uint32_t quads; /* of a segment */
    uint32_t pixels;
} s2c_host_tile;

static inline uint32_t s2c_host_quads(const s2c_window *window)
{
    return ((uint32_t)window->kernel_cols * window->in_channels + S2C_HOST_QUAD - 1u) /
           S2C_HOST_QUAD;
}

/* Bytes of the weights of a block of channels. */
static inline size_t s2c_host_block_bytes(const s2c_window *window)
{
    return (size_t)window->kernel_rows * s2c_host_quads(window) * S2C_HOST_QUAD * S2C_HOST_LANES;
}

/* How many pixels to compute next of `left`, which are still to compute: tiles of equal size. */
static inline uint32_t s2c_host_next_pixels(uint32_t left)
{
    const uint32_t tiles = (left + S2C_HOST_PIXELS - 1u) / S2C_HOST_PIXELS;
    return (left + tiles - 1u) / tiles;
}

/*
 * The windows of pixels [out_col, out_col + pixels), copied to `scratch` where they reach over an end
 * of the row or have gaps.
 */
s2c_host_tile s2c_tile__host(const s2c_conv2d *layer, const uint8_t *const *rows,
                             uint32_t out_col, uint32_t pixels, uint8_t *scratch);

/* sums[p] of each pixel of `tile` and the block of channels with these weights. */
void s2c_multiply__host(const s2c_host_tile *tile, const int8_t *weights, s2c_lanes start,
                        s2c_lanes *sums);

/* 16 numbers of channels [channel, channel + 16) of `from`, which ends at `channels`; 0 behind. */
static inline s2c_lanes s2c_host_channels(const int32_t *from, uint32_t channel, uint32_t channels)
{
    int32_t some[S2C_HOST_LANES] = {0};

    if (channels - channel >= S2C_HOST_LANES) {
        return s2c_lanes_load(from + channel);
    }
    memcpy(some, from + channel, (size_t)(channels - channel) * sizeof some[0]);
    return s2c_lanes_load(some);
}

#endif /* S2C_CONV2D_HOST_H */
