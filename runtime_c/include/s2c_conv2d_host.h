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

#include "s2c_host_dot.h"
#include "s2c_kernels.h"

/* What scratch is made for: S2C_HOST_PIXELS is no more in any form. */
#define S2C_HOST_MOST_PIXELS 14u

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
 * tile: the windows of pixels [out_col, out_col + pixels), copied to `scratch` where they reach over an end
 * of the row or have gaps.
 */
void s2c_tile__host(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t out_col,
                    uint32_t pixels, uint8_t *scratch, s2c_host_tile *tile);

/*
 * Sums of the pixels of `tile` and the block of channels with these weights, 16 numbers per pixel, and
 * before any product the 16 numbers at `bias`.
 */
void s2c_multiply__host(const s2c_host_tile *tile, const int8_t *weights, const int32_t *bias,
                        int32_t *sums);

/* The block of numbers at `from`, or a copy in `room` where only `left` of them exist. */
static inline const int32_t *s2c_host_block(const int32_t *from, uint32_t left, int32_t *room)
{
    if (left >= S2C_HOST_LANES) {
        return from;
    }
    memset(room, 0, S2C_HOST_LANES * sizeof room[0]);
    memcpy(room, from, left * sizeof room[0]);
    return room;
}

/* Parts of the scratch: sums of a tile, room for three blocks of numbers, copies of windows. */
static inline int32_t *s2c_host_room(int32_t *sums, uint32_t block)
{
    return sums + (S2C_HOST_MOST_PIXELS + block) * S2C_HOST_LANES;
}

static inline uint8_t *s2c_host_copies(int32_t *sums)
{
    return (uint8_t *)s2c_host_room(sums, 3u);
}

#endif /* S2C_CONV2D_HOST_H */
