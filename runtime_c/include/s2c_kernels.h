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
    uint16_t groups;      /* for kernels __m3 alone */
    uint16_t part_blocks; /* for kernels __m3 alone */
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

/*
 * The same in two calls, so that several sets of output channels share the first one: the input
 * rows are transformed into the scratch, which then is multiplied with the weights of `layer`.
 */
void s2c_winograd3x3_transform__dsp(const s2c_conv2d *layer, const uint8_t *const *rows,
                                    uint32_t row_count, int16_t *scratch);
void s2c_winograd3x3_multiply__dsp(const s2c_conv2d *layer, int16_t *scratch,
                                   uint8_t *const *out_rows, uint32_t row_count);

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
 * Both once more, skipping weights of zero. weights: a table of uint16_t, the words of each output channel,
 * filled up to 64 bytes and to whole words; then these words, of two entries each:
 * 16 times the distance from the tap before, at most 15, and the weight. See s2c_sparse_dsp.h.
 * Aligned to 4 bytes.
 * Preconditions besides those of all convolutions: shift is 24, clamp_min is 0, and
 * -2^22 <= acc < 2^22 for every input and channel.
 */
void s2c_sparse_conv2d_u8_s8_u8_8x1__dsp(const s2c_conv2d *layer, const uint8_t *const *rows,
                                         int16_t *scratch, uint8_t *out_row);
void s2c_sparse_conv2d_sum_u8_s8_s32_8x1__dsp(const s2c_conv2d *layer,
                                              const uint8_t *const *rows, int16_t *scratch,
                                              uint8_t relu, int32_t *sums);

/* Their scratch: eight expanded columns of K taps. */
#define S2C_SPARSE_CONV2D_8X1_SCRATCH_BYTES(k) (16u * (uint32_t)(k))

/*
 * Both for PCs. weights: by block of 16 output channels, row of the window, quad of the taps of that row,
 * channel of the block, and tap of the quad; what fills up the last block and the last quad
 * of a row is zero. No other preconditions than those of the portable kernels.
 */
void s2c_conv2d_u8_s8_u8_14x16__host(const s2c_conv2d *layer, const uint8_t *const *rows,
                                     int16_t *scratch, uint8_t *out_row);
void s2c_conv2d_sum_u8_s8_s32_14x16__host(const s2c_conv2d *layer, const uint8_t *const *rows,
                                          int16_t *scratch, uint8_t relu, int32_t *sums);

/*
 * Their scratch: sums of 14 pixels and 16 channels, room for three more blocks, and what these pixels
 * read of each row of the window, with zeros up to the last quad. The last is not needed
 * where windows have one column, there is no padding, and in_channels is a multiple of 4.
 */
#define S2C_CONV2D_14X16_IN_PLACE_BYTES (17u * 64u)
#define S2C_CONV2D_14X16_SCRATCH_BYTES(kernel_rows, kernel_cols, stride_cols, in_channels) \
    (S2C_CONV2D_14X16_IN_PLACE_BYTES +                                                     \
     (kernel_rows) * (13u * (stride_cols) * (in_channels) +                                \
                      ((kernel_cols) * (in_channels) + 3u) / 4u * 4u))

/*
 * The same for cores that multiply 32 by 32 bits but lack the DSP extension (Cortex-M3), weights in plain order.
 * K taps of an output channel are taken in blocks of 8, of which the first is incomplete where K is no
 * multiple of 8; part_blocks blocks are a part, of which the last may be shorter.
 * groups: of four pixels, that are expanded at once; scratch is
 * S2C_CONV2D_4X3_SCRATCH_BYTES(K, groups).
 * Preconditions besides those of portable kernels: shift is 24, clamp_min is 0, groups and part_blocks are not 0,
 * and of every part of two channels of each triple (channels 0 and 1, 0 and 2) the sum of all products
 * lies in [-2^20, 2^20) for every input, as it does in parts of two blocks, and the sum over all parts
 * plus 2^20 for each of them is below 2^31.
 */
void s2c_conv2d_u8_s8_u8_4x3__m3(const s2c_conv2d *layer, const uint8_t *const *rows,
                                 int16_t *scratch, uint8_t *out_row);
void s2c_conv2d_sum_u8_s8_s32_4x3__m3(const s2c_conv2d *layer, const uint8_t *const *rows,
                                      int16_t *scratch, uint8_t relu, int32_t *sums);

/*
 * 3x3 convolutions with strides of 1, `row_count` rows of output at a time, 1 to `groups`. Weights as
 * above, and preconditions, but for: of every part of each channel the sum of all products lies in
 * [-2^20, 2^20) for every input. A tap is three weights here, those of a kernel row.
 * rows: the row_count + 2 input rows of these rows of output. out_rows: row_count pointers.
 * Scratch: S2C_POLY3X3_SCRATCH_BYTES, of which `row_words` are 5 * fours + 4 * threes of
 * s2c_poly_groups_of(out_cols).
 */
void s2c_poly3x3_u8_s8_u8_8x1__m3(const s2c_conv2d *layer, const uint8_t *const *rows,
                                  int16_t *scratch, uint8_t *const *out_rows, uint32_t row_count);

#define S2C_POLY3X3_ROWS 4u
#define S2C_POLY3X3_SCRATCH_BYTES(in_channels, row_words, row_count)             \
    (164u + 24u * (in_channels) + (3u * (in_channels) + 7u) / 8u * 4u + \
     4u * (in_channels) * (row_words) * ((row_count) + 2u))

#define S2C_CONV2D_4X3_SCRATCH_BYTES(k, groups) \
    (164u + 8u * (k) + ((k) + 7u) / 8u * 4u + 8u * (k) * (groups))

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

/* The same for PCs. */
void s2c_maxpool2d_u8__host(const s2c_window *window, const uint8_t *const *rows,
                            uint32_t row_count, uint32_t keep, uint8_t *out_row);

/* The same for Cortex-M0. */
void s2c_maxpool2d_u8__m0(const s2c_window *window, const uint8_t *const *rows, uint32_t row_count,
                          uint32_t keep, uint8_t *out_row);

/* The same for cores with unaligned loads and without the DSP extension. */
void s2c_maxpool2d_u8__m3(const s2c_window *window, const uint8_t *const *rows,
                          uint32_t row_count, uint32_t keep, uint8_t *out_row);

/*
 * For Helium (Cortex-M55, M85): the same results with other constants. Taps of a channel are padded
 * with zeros to blocks of 16; blocks of two channels take turns. With B[o] = bias[o] + 128 * sum(weights[o]) and
 * M[o] = 128 * multiplier[o], the array `bias` holds per quad of channels B0 B2 M0 M2 B1 B3 M1 M3,
 * and `multiplier` is not read. Weights are aligned to 4 bytes; both arrays hold whole quads of
 * channels, whatever is in those that do not exist. No further preconditions.
 */
void s2c_conv2d_u8_s8_u8_4x2__mve(const s2c_conv2d *layer, const uint8_t *const *rows,
                                  int16_t *scratch, uint8_t *out_row);
void s2c_conv2d_sum_u8_s8_s32_4x2__mve(const s2c_conv2d *layer, const uint8_t *const *rows,
                                       int16_t *scratch, uint8_t relu, int32_t *sums);

/*
 * 3x3 convolutions with strides of 1, where in_channels is a multiple of 16. The order of
 * blocks of a channel is [kernel_row][in_channels / 16][kernel_col].
 */
void s2c_conv3x3_u8_s8_u8_4x2__mve(const s2c_conv2d *layer, const uint8_t *const *rows,
                                   int16_t *scratch, uint8_t *out_row);

#define S2C_CONV3X3_MVE_SCRATCH_BYTES(in_channels) (18u * (in_channels))

void s2c_maxpool2d_u8__mve(const s2c_window *window, const uint8_t *const *rows,
                           uint32_t row_count, uint32_t keep, uint8_t *out_row);

/*
 * Their scratch: columns in blocks of 16 bytes, and a window that is gathered first where the
 * channels of the input are not a multiple of 16.
 */
#define S2C_CONV2D_MVE_SCRATCH_BYTES(k, in_channels) \
    (((k) + 15u) / 16u * 16u * ((in_channels) % 16u == 0u ? 4u : 5u) + \
     ((in_channels) % 16u == 0u ? 0u : 16u))

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
