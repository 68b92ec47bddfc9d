/*
 * Internal to the convolution kernels for Helium (Cortex-M55, M85), whose vectors multiply signed
 * bytes. So columns hold `x - 128`, and biases 128 times the sum of a channel's weights more.
 *
 * Columns of a group of 3 or 4 neighbouring pixels lie in blocks of 16 taps: block 0 of every
 * pixel of the group, then block 1 of every pixel, and so on. For 3x3 windows they lie per row of
 * the window and 16 channels as the input's pixels do, two more than the group has.
 */
#ifndef S2C_CONV2D_MVE_H
#define S2C_CONV2D_MVE_H

#include <stddef.h>
#include <stdint.h>

#include "s2c_kernels.h"
#include "s2c_requantise.h"

#if defined(__ARM_FEATURE_MVE) && defined(__GNUC__)
#define S2C_MVE_NATIVE 1
#else
#define S2C_MVE_NATIVE 0
#endif

/* For what runs in the inner loop of another function, whose registers would not suffice for both. */
#if defined(__GNUC__)
#define S2C_MVE_NOINLINE __attribute__((noinline))
#else
#define S2C_MVE_NOINLINE
#endif

#define S2C_MVE_BLOCK 16u
#define S2C_MVE_QUAD 4u
#define S2C_MVE_SHIFT 24u
/* Multipliers come shifted so far, for an instruction that rounds off 31 bits. */
#define S2C_MVE_MULTIPLIER_SHIFT 7u

/* Blocks of 16 that `taps` take. */
static inline uint32_t s2c_mve_blocks(uint32_t taps)
{
    return (taps + S2C_MVE_BLOCK - 1u) / S2C_MVE_BLOCK;
}

static inline uint32_t s2c_mve_taps(const s2c_window *window)
{
    return (uint32_t)window->kernel_rows * window->kernel_cols * window->in_channels;
}

/* Groups of a row: first some of four pixels, then some of three; the last may have fewer. */
typedef struct {
    uint32_t fours;
    uint32_t threes;
} s2c_mve_groups;

static inline s2c_mve_groups s2c_mve_groups_of(uint32_t cols)
{
    const uint32_t all = (cols + 3u) / 4u;
    const uint32_t spare = 4u * all - cols;
    const uint32_t threes = spare < all ? spare : all;
    const s2c_mve_groups groups = {all - threes, threes};
    return groups;
}

/*
 * What the product of a group's columns with the weights reads; the assembler knows the offsets of
 * the fields. All channels are whole quads to it: of an incomplete one it reads what lies
 * behind the weights and biases, and writes to a place of its own.
 */
typedef struct {
    const int8_t *columns;
    const int8_t *weights;
    const int32_t *bias; /* of quads, with multipliers */
    const int32_t *bias_end;
    uint32_t turns;      /* of the loop over blocks */
    uint32_t skip_bytes; /* of its first turn, in code */
    uint32_t kept;
    uint32_t entries[2];
    uint32_t zero_point;
    uint32_t out[4]; /* see s2c_mve_before */
    int32_t *sums;
    int32_t least;
    uint32_t pixels;
    int32_t parked[8];
    uint32_t blocks; /* of 16 weights of a channel */
} s2c_mve_product;

/* The address four bytes before `to`, from where a store goes on to `to`. */
static inline uint32_t s2c_mve_before(const void *to)
{
    return (uint32_t)(uintptr_t)to - S2C_MVE_QUAD;
}

/*
 * What all groups of a row share. The loop does `per_turn` of `steps` in a turn, whose code is
 * `step_bytes` long; the first step is no part of it.
 */
void s2c_mve_begin__mve(s2c_mve_product *product, const s2c_conv2d *layer, const int8_t *columns,
                        uint32_t steps, uint32_t per_turn, uint32_t step_bytes);

/* Quads from `first_quad` on, `count` of them, at least one. */
void s2c_mve_select__mve(s2c_mve_product *product, const s2c_conv2d *layer, uint32_t first_quad,
                         uint32_t count);

/*
 * From how many columns of a row on, counted from its first, the rows of a window can be read in
 * whole vectors, and no pixel is a whole one: what a camera's rows usually are.
 */
uint32_t s2c_columns_whole__mve(const s2c_window *window);

/*
 * Columns of `group` pixels from `out_col` on, of which the first `pixels` are in the row; the
 * others repeat the last of these. `whole`: see above. `scratch`: see S2C_CONV2D_MVE_SCRATCH_BYTES.
 */
void s2c_columns__mve(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t out_col,
                      uint32_t pixels, uint32_t group, uint32_t whole, int8_t *scratch);

/* Whether windows are single pixels of whole blocks, one behind the other. */
static inline int s2c_mve_alone(const s2c_window *window)
{
    return window->kernel_rows == 1u && window->kernel_cols == 1u && window->stride_cols == 1u &&
           window->pad_left == 0u && window->out_cols <= window->in_cols &&
           window->in_channels % S2C_MVE_BLOCK == 0u;
}

/* Their columns, from the pixel at `from` on. */
void s2c_pixels__mve(const s2c_window *window, const uint8_t *from, uint32_t group,
                     int8_t *columns);

/* Where the bias of a channel is in the array of quads, and behind it by two its multiplier. */
static inline size_t s2c_mve_bias_at(uint32_t channel)
{
    const uint32_t in_quad = channel % S2C_MVE_QUAD;
    return (size_t)(channel - in_quad) * 2u + in_quad % 2u * S2C_MVE_QUAD + in_quad / 2u;
}

/* Result of a channel from its accumulator, in C. */
static inline int32_t s2c_mve_result(const s2c_conv2d *layer, uint32_t channel, int32_t acc)
{
    const int32_t multiplier = layer->bias[s2c_mve_bias_at(channel) + 2u];
    return s2c_requantise(acc, multiplier / (1 << S2C_MVE_MULTIPLIER_SHIFT), layer->shift);
}

/* The first block of a channel's weights; those of two channels take turns. */
static inline const int8_t *s2c_mve_weights_of(const s2c_conv2d *layer, uint32_t channel)
{
    const uint32_t padded = s2c_mve_blocks(s2c_mve_taps(&layer->window)) * S2C_MVE_BLOCK;
    return layer->weights + (size_t)(channel - channel % 2u) * padded +
           channel % 2u * S2C_MVE_BLOCK;
}

/*
 * acc of a channel for pixel `pixel` of a group, in C. A partial sum is what the sum would be if the
 * taps to come were 128, so it is within the proven range.
 */
static inline int32_t s2c_mve_sum(const s2c_conv2d *layer, const int8_t *columns, uint32_t group,
                                  uint32_t pixel, uint32_t channel)
{
    const uint32_t taps = s2c_mve_taps(&layer->window);
    const int8_t *weights = s2c_mve_weights_of(layer, channel);
    const int8_t *column = columns + pixel * S2C_MVE_BLOCK;
    int32_t acc = layer->bias[s2c_mve_bias_at(channel)];

    for (uint32_t k = 0; k < taps; k += S2C_MVE_BLOCK) {
        const uint32_t count = taps - k < S2C_MVE_BLOCK ? taps - k : S2C_MVE_BLOCK;
        for (uint32_t i = 0; i < count; ++i) {
            acc += (int32_t)weights[i] * column[i];
        }
        weights += 2u * S2C_MVE_BLOCK;
        column += group * S2C_MVE_BLOCK;
    }
    return acc;
}

#endif /* S2C_CONV2D_MVE_H */
