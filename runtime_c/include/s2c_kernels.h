/*
 * squeeze2c kernels: each call computes one row of one feature map.
 *
 * Conventions for all kernels
 *  - Feature maps are rows of pixels; a pixel is its channels, contiguous (NHWC).
 *  - `rows` holds one pointer per kernel row, top to bottom, each to pixel 0 of an
 *    input row. A row of vertical padding points to a constant row: the pad row.
 *    So ring buffers and padding need no code in the kernel.
 *  - `*_stride_bytes` is the distance between neighbouring pixels of a row. It is at
 *    least the number of channels, and more where a row is a slice of a concatenation.
 *  - Pointers to uint8_t data need no alignment; scratch is aligned to 4 bytes.
 *  - Names: operation _ input type _ weight type _ output type _ tile (pixels x
 *    channels) __ architecture.
 */
#ifndef S2C_KERNELS_H
#define S2C_KERNELS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Geometry along a row, shared by convolution and pooling. */
typedef struct {
    uint16_t in_cols;
    uint16_t out_cols;
    uint16_t in_channels;
    uint16_t out_channels;
    uint16_t in_stride_bytes;
    uint16_t out_stride_bytes;
    uint8_t kernel_rows;
    uint8_t kernel_cols;
    uint8_t stride_cols;
    uint8_t pad_left;
} s2c_window;

/*
 * Convolution: constants of one layer, all in flash.
 *
 *   acc = bias[o] + sum over taps of weights[o][ky][kx][c] * x
 *   r   = (acc * multiplier[o] + 2^(shift-1)) >> shift
 *
 * weights: [out_channels][kernel_rows][kernel_cols][in_channels].
 * pad_pixel: in_channels bytes, what columns outside the row read. Never NULL.
 * Preconditions, proven by the compiler: |acc| < 2^31 for every input,
 * 0 < multiplier < 2^23, 1 <= shift <= 30.
 */
typedef struct {
    s2c_window window;
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multiplier;
    const uint8_t *pad_pixel;
    uint8_t shift;
    uint8_t out_zero_point;
    uint8_t clamp_min;
} s2c_conv2d;

/* Scratch of the convolution kernels: four expanded columns of K = kernel_rows * kernel_cols * in_channels. */
#define S2C_CONV2D_4X2_SCRATCH_BYTES(k) (4u * (uint32_t)sizeof(int16_t) * (uint32_t)(k))

/*
 * Scratch of the convolution kernels that read pairs of channels: taps are padded to quads, and
 * windows are gathered first where the channels of the input are not a multiple of 4.
 */
#define S2C_CONV2D_4X2_PAIRED_SCRATCH_BYTES(k, in_channels) \
    (((k) + 3u) / 4u * 4u * ((in_channels) % 4u == 0u ? 8u : 12u))

/*
 * Scratch of the convolution kernels for Cortex-M0: columns of `pixels`, and the weights and
 * partial sums of one output channel. k is rounded up to an even number.
 */
#define S2C_CONV2D_M0_SCRATCH_BYTES(k, pixels) (((k) + (k) % 2u) * (2u * (pixels) + 14u) + 28u)

/* out_row[x][o] = clamp(out_zero_point + r, clamp_min, 255). */
void s2c_conv2d_u8_s8_u8_4x2__c(const s2c_conv2d *layer, const uint8_t *const *rows,
                                int16_t *scratch, uint8_t *out_row);

/*
 * The same for cores with the DSP extension. weights: pairs of output channels, in 16-bit numbers
 * of which each is 256 * second + first of one tap, modulo 2^16; the second of an
 * odd number of channels is zero. Taps are padded with zeros to quads of four. Per pair:
 * of each quad taps 0 and 2, then of each quad taps 1 and 3. Aligned to 4 bytes.
 * Preconditions besides those above: shift is 24, clamp_min is 0, and -2^23 <= acc < 2^23 for
 * every input and every channel of odd index.
 */
void s2c_conv2d_u8_s8_u8_4x2__dsp(const s2c_conv2d *layer, const uint8_t *const *rows,
                                  int16_t *scratch, uint8_t *out_row);

/* The same for Cortex-M0, so many pixels at once. Weights are not below -127. */
void s2c_conv2d_u8_s8_u8_8x1__m0(const s2c_conv2d *layer, const uint8_t *const *rows,
                                 int16_t *scratch, uint8_t *out_row);
void s2c_conv2d_u8_s8_u8_16x1__m0(const s2c_conv2d *layer, const uint8_t *const *rows,
                                  int16_t *scratch, uint8_t *out_row);
void s2c_conv2d_u8_s8_u8_88x1__m0(const s2c_conv2d *layer, const uint8_t *const *rows,
                                  int16_t *scratch, uint8_t *out_row);
void s2c_conv2d_u8_s8_u8_224x1__m0(const s2c_conv2d *layer, const uint8_t *const *rows,
                                   int16_t *scratch, uint8_t *out_row);

/*
 * 3x3 convolutions with strides of 1, `row_count` rows of output at a time, 1 to 4, by Winograd's algorithm.
 * Weights and preconditions as above, and: in_channels is a multiple of 16, |acc| < 2^25 for
 * every input and channel.
 * rows: the row_count + 2 input rows of these rows of output. out_rows: row_count pointers.
 */
void s2c_winograd3x3_u8_s8_u8_4x2__dsp(const s2c_conv2d *layer, const uint8_t *const *rows,
                                       int16_t *scratch, uint8_t *const *out_rows,
                                       uint32_t row_count);

#define S2C_WINOGRAD3X3_ROWS 4u
/* Fewer rows than these are computed faster one by one. */
#define S2C_WINOGRAD3X3_LEAST_ROWS 3u

/* Its scratch; `tiles`: s2c_winograd_groups_of(out_cols), 4 * fours + 3 * threes. */
#define S2C_WINOGRAD3X3_SCRATCH_BYTES(in_channels, tiles) \
    (36u * ((in_channels) * (2u * (tiles) + 4u) + 32u))

/*
 * The same for Cortex-M0. |acc| < 2^25 for every input and channel, in_channels is a multiple of
 * 16, weights as s2c_conv2d_u8_s8_u8_16x1__m0 takes them.
 */
void s2c_winograd3x3_u8_s8_u8_4x1__m0(const s2c_conv2d *layer, const uint8_t *const *rows,
                                      int16_t *scratch, uint8_t *const *out_rows,
                                      uint32_t row_count);

/* Up to 12 rows at once, whose weights are transformed once. */
void s2c_winograd3x3_u8_s8_u8_12x1__m0(const s2c_conv2d *layer, const uint8_t *const *rows,
                                       int16_t *scratch, uint8_t *const *out_rows,
                                       uint32_t row_count);

/* `tiles`: of each four rows, as above. */
#define S2C_WINOGRAD3X3_M0_SCRATCH_BYTES(in_channels, tiles) \
    (144u * ((in_channels) * ((tiles) + 1u) + 4u))

/*
 * sums[o] += r (max(r, 0) where relu is not 0), over all pixels of the row.
 * The caller clears `sums` before the first row; the compiler proves that int32 suffices.
 */
void s2c_conv2d_sum_u8_s8_s32_4x2__c(const s2c_conv2d *layer, const uint8_t *const *rows,
                                     int16_t *scratch, uint8_t relu, int32_t *sums);

/* The same for cores with the DSP extension, with weights and preconditions as above. */
void s2c_conv2d_sum_u8_s8_s32_4x2__dsp(const s2c_conv2d *layer, const uint8_t *const *rows,
                                       int16_t *scratch, uint8_t relu, int32_t *sums);

/* The same for Cortex-M0, so many pixels at once. Weights are not below -127. */
void s2c_conv2d_sum_u8_s8_s32_8x1__m0(const s2c_conv2d *layer, const uint8_t *const *rows,
                                      int16_t *scratch, uint8_t relu, int32_t *sums);
void s2c_conv2d_sum_u8_s8_s32_16x1__m0(const s2c_conv2d *layer, const uint8_t *const *rows,
                                       int16_t *scratch, uint8_t relu, int32_t *sums);
void s2c_conv2d_sum_u8_s8_s32_88x1__m0(const s2c_conv2d *layer, const uint8_t *const *rows,
                                       int16_t *scratch, uint8_t relu, int32_t *sums);

/*
 * out_row[x][c] = maximum over the columns of the window and over `row_count` of its rows;
 * with `keep` not 0 also over what out_row holds, so that a window may come row by row.
 * Columns outside the row do not take part. in_channels == out_channels. Every window
 * holds at least one column that is inside.
 */
void s2c_maxpool2d_u8__c(const s2c_window *window, const uint8_t *const *rows, uint32_t row_count,
                         uint32_t keep, uint8_t *out_row);

/* The same for cores with the DSP extension. */
void s2c_maxpool2d_u8__dsp(const s2c_window *window, const uint8_t *const *rows,
                           uint32_t row_count, uint32_t keep, uint8_t *out_row);

/* The same for Cortex-M0. */
void s2c_maxpool2d_u8__m0(const s2c_window *window, const uint8_t *const *rows, uint32_t row_count,
                          uint32_t keep, uint8_t *out_row);

/* sums[c] += in_row[x][c] - zero_point, over all pixels of the row. */
void s2c_sum_u8_s32__c(const uint8_t *in_row, uint32_t cols, uint32_t channels,
                       uint32_t stride_bytes, uint8_t zero_point, int32_t *sums);

/* Elementwise sum of two rows; see squeeze2c.ir.ops.QAdd for the equation. |r| < 2^31 proven. */
typedef struct {
    uint16_t cols;
    uint16_t channels;
    uint16_t a_stride_bytes;
    uint16_t b_stride_bytes;
    uint16_t out_stride_bytes;
    uint8_t a_zero_point;
    uint8_t b_zero_point;
    uint8_t out_zero_point;
    uint8_t clamp_min;
    uint8_t shift;
    int32_t a_multiplier;
    int32_t b_multiplier;
} s2c_add;

void s2c_add_u8__c(const s2c_add *layer, const uint8_t *a_row, const uint8_t *b_row,
                   uint8_t *out_row);

#ifdef __cplusplus
}
#endif

#endif /* S2C_KERNELS_H */
