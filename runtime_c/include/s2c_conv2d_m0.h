/*
 * Internal to the convolution kernels for Cortex-M0, which multiplies 32 bits by 32 and keeps 32.
 *
 * A word of columns holds two pixels, (first - 128) + 65536 * (second - 128), and one multiplication by a
 * weight serves both. Sums of such products hold two sums as long as each stays within
 * 16 bits: 128 * sum|w| < 2^15. So the taps of a channel come in segments whose weights add up to at most
 * 255 in absolute value. Two taps always do.
 *
 * The sum of products A goes on modulo 2^32 and is written down after each segment. The
 * difference D of two neighbours is lo + 65536 * hi of one segment, so hi is D / 65536 rounded to the
 * nearest, and their total H is exact. Then A = L + 65536 * H modulo 2^32 yields the total L of lo.
 *
 * Columns of eight pixels: four words per tap, pixels 0 and 1 in the first one. An odd number of taps is
 * filled up with a zero. The stream of a channel's weights is, per segment, a word
 * that says how many taps there are, then a word per weight; at the end S2C_M0_END.
 */
#ifndef S2C_CONV2D_M0_H
#define S2C_CONV2D_M0_H

#include <stddef.h>
#include <stdint.h>

#include "s2c_kernels.h"

/* Whether kernels may use GNU assembler for Armv6-M. Armv8-M Baseline has the same instructions. */
#if defined(__GNUC__) && (defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__))
#define S2C_M0_NATIVE 1
#else
#define S2C_M0_NATIVE 0
#endif

#if defined(__GNUC__)
#define S2C_M0_NOINLINE __attribute__((noinline))
#else
#define S2C_M0_NOINLINE
#endif

#define S2C_M0_PIXELS 8u
#define S2C_M0_PAIRS (S2C_M0_PIXELS / 2u)
#define S2C_M0_OFFSET 128u
#define S2C_M0_OFFSETS 0x00800080u

/* Taps of a segment, at most, and what their weights may add up to. */
#define S2C_M0_SEGMENT_TAPS 32u
#define S2C_M0_SEGMENT_WEIGHTS 255u

/*
 * The first word of a segment is the distance from where assembler adds it to pc to where the taps
 * begin, which is backwards, 19 bytes each. So it is ~(19 * words), that word and all weights
 * counted. S2C_M0_END leads to the next instruction.
 */
#define S2C_M0_TAP_BYTES 19u
#define S2C_M0_END 0xFFFFFFFEu

/* Taps of a channel, an even number. */
static inline uint32_t s2c_m0_taps(const s2c_window *window)
{
    const uint32_t taps =
        (uint32_t)window->kernel_rows * window->kernel_cols * window->in_channels;
    return taps + (taps & 1u);
}

/* Columns of output pixels [out_col, out_col + pixels), of eight with repetitions of the last. */
void s2c_columns__m0(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t out_col,
                     uint32_t pixels, uint32_t *columns);

/*
 * The stream of a channel of `taps` weights; how many segments it has, always an even number. Writes
 * at most taps + taps / 2 + 3 words. *total: the sum of the weights.
 */
uint32_t s2c_stream__m0(const int8_t *weights, uint32_t taps, uint32_t *stream, int32_t *total);

/*
 * Sums of eight pixels, modulo 2^32, without bias and with 128 less in every pixel's bytes.
 * parts: scratch of S2C_M0_PAIRS words per segment.
 */
void s2c_sums__m0(const uint32_t *columns, const uint32_t *stream, uint32_t segments,
                  uint32_t *parts, uint32_t *sums);

/* Channels of whole groups with zero point 0, a shift of 24 and no lower limit. */
typedef struct {
    const uint32_t *stream;
    uint32_t *parts;
    const uint32_t *parts_end; /* behind those of all segments */
    uint32_t most;             /* s2c_m0_most(multiplier) */
    uint32_t bias;             /* with what the offset of the pixels amounts to */
    uint32_t stride_bytes;     /* of the output */
    uint32_t half;             /* S2C_M0_HALF */
    uint32_t multiplier;
    uint8_t *out;    /* goes on from group to group */
    uint32_t groups; /* at least 1; 0 afterwards */
    uint32_t frame;  /* of the assembler */
} s2c_m0_run;

void s2c_groups__m0(const uint32_t *columns, s2c_m0_run *run);

#define S2C_M0_HALF 0x00800000u /* of 2^24 */

/*
 * The largest accumulator whose product with the multiplier is below 2^32 - S2C_M0_HALF. With a shift
 * of 24, what is beyond gives 255 just as this does, since the multiplier is below 2^23.
 */
static inline uint32_t s2c_m0_most(uint32_t multiplier)
{
    return (UINT32_MAX - S2C_M0_HALF) / multiplier;
}

/* The result for a sum modulo 2^32 of an accumulator and -bias. */
static inline uint8_t s2c_m0_requantise(uint32_t sum, const s2c_m0_run *run)
{
    uint32_t acc = sum + run->bias;

    acc = acc > (uint32_t)INT32_MAX ? 0u : acc;
    acc = acc > run->most ? run->most : acc;
    return (uint8_t)((acc * run->multiplier + S2C_M0_HALF) >> 24);
}

/* Where a kernel keeps what; see S2C_CONV2D_M0_SCRATCH_BYTES. */
typedef struct {
    uint32_t *columns;
    size_t group_words; /* of the columns of eight pixels */
    uint32_t *stream;
    uint32_t *parts;
} s2c_m0_scratch;

/* `pixels`: how many are computed at once, at most. */
static inline s2c_m0_scratch s2c_m0_scratch_of(const s2c_window *window, uint32_t pixels,
                                               int16_t *scratch)
{
    const uint32_t taps = s2c_m0_taps(window);
    s2c_m0_scratch result;

    result.columns = (uint32_t *)(void *)scratch;
    result.group_words = (size_t)S2C_M0_PAIRS * taps;
    result.stream = result.columns + result.group_words * (pixels / S2C_M0_PIXELS);
    result.parts = result.stream + taps + taps / 2u + 3u;
    return result;
}

/* Columns of up to `pixels` output pixels from `col` on; how many there are. */
static inline uint32_t s2c_m0_expand(const s2c_conv2d *layer, const uint8_t *const *rows,
                                     uint32_t col, uint32_t pixels, const s2c_m0_scratch *scratch)
{
    const uint32_t left = (uint32_t)layer->window.out_cols - col;
    const uint32_t count = left < pixels ? left : pixels;
    uint32_t *to = scratch->columns;

    for (uint32_t done = 0; done < count; done += S2C_M0_PIXELS) {
        const uint32_t rest = count - done;
        s2c_columns__m0(layer, rows, col + done, rest < S2C_M0_PIXELS ? rest : S2C_M0_PIXELS, to);
        to += scratch->group_words;
    }
    return count;
}

/* The kernels, `pixels` (a multiple of eight) at once. */
void s2c_conv2d__m0(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t pixels,
                    int16_t *scratch, uint8_t *out_row);
void s2c_conv2d_sum__m0(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t pixels,
                        int16_t *scratch, uint8_t relu, int32_t *sums);

#endif /* S2C_CONV2D_M0_H */
