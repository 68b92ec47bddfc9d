/* Decoded weights, biases and multipliers as the kernels for Helium read them. */
#include <string.h>

#include "s2c_conv2d_mve.h"
#include "s2c_unpack.h"

#if S2C_MVE_NATIVE
#include <arm_mve.h>
#endif

/*
 * Transposes a matrix of blocks of 16 bytes in place. Where block i goes, i * rows modulo the
 * number of blocks less 1, makes cycles; each is followed once, from its least block.
 */
static void transpose(void *blocks, uint32_t rows, uint32_t cols)
{
    uint8_t *const at = (uint8_t *)blocks;
    const uint32_t last = rows * cols - 1u;

    for (uint32_t start = 1; start < last; ++start) {
        uint32_t i = start * rows % last;
        while (i > start) {
            i = i * rows % last;
        }
        if (i < start) {
            continue;
        }
        uint8_t carried[S2C_MVE_BLOCK];
        memcpy(carried, at + S2C_MVE_BLOCK * start, sizeof carried);
        do {
            uint8_t next[S2C_MVE_BLOCK];
            i = i * rows % last;
            memcpy(next, at + S2C_MVE_BLOCK * i, sizeof next);
            memcpy(at + S2C_MVE_BLOCK * i, carried, sizeof carried);
            memcpy(carried, next, sizeof next);
        } while (i != start);
    }
}

/* 16 weights, or `count` and then zeros; their sum, in addition to `sum`. */
static inline int32_t copy_weights(int8_t *to, const int8_t *from, uint32_t count, int32_t sum)
{
    if (count < S2C_MVE_BLOCK) {
        memset(to, 0, S2C_MVE_BLOCK);
        memcpy(to, from, count);
        from = to;
    }
#if S2C_MVE_NATIVE
    const int8x16_t weights = vld1q_s8(from);
    vst1q_s8(to, weights);
    return vaddvaq_s8(sum, weights);
#else
    memmove(to, from, S2C_MVE_BLOCK);
    for (uint32_t i = 0; i < S2C_MVE_BLOCK; ++i) {
        sum += to[i];
    }
    return sum;
#endif
}

/* A channel's blocks to every second place from `to` on; the sum of its weights. */
static int32_t place_channel(int8_t *to, const int8_t *from, uint32_t taps)
{
    int32_t sum = 0;

    for (uint32_t k = 0; k < taps; k += S2C_MVE_BLOCK) {
        sum = copy_weights(to, from + k, taps - k, sum);
        to += 2u * S2C_MVE_BLOCK;
    }
    return sum;
}

/* The same for 3x3 windows: of a row of the window first the three columns of 16 channels. */
static int32_t place_channel_3x3(int8_t *to, const int8_t *from, uint32_t row_blocks)
{
    const uint32_t pixel = row_blocks * S2C_MVE_BLOCK;
    int32_t sum = 0;

    for (uint32_t row = 0; row < 3u; ++row) {
        for (uint32_t k = 0; k < pixel; k += S2C_MVE_BLOCK) {
            for (uint32_t col = 0; col < 3u; ++col) {
                sum = copy_weights(to, from + col * pixel + k, S2C_MVE_BLOCK, sum);
                to += 2u * S2C_MVE_BLOCK;
            }
        }
        from += 3u * pixel;
    }
    return sum;
}

/* Biases and multipliers as s2c_kernels.h says. */
static void place_quads(int32_t *bias, const int32_t *multiplier, uint32_t channels)
{
    const uint32_t quads = (channels + S2C_MVE_QUAD - 1u) / S2C_MVE_QUAD;
    int32_t *const moved = bias + (size_t)S2C_MVE_QUAD * quads;

    memmove(moved, multiplier, channels * sizeof *bias);
    memset(bias + channels, 0, (S2C_MVE_QUAD * quads - channels) * sizeof *bias);
    memset(moved + channels, 0, (S2C_MVE_QUAD * quads - channels) * sizeof *bias);
    /* Quads of both take turns, then channels 0 and 2 come before 1 and 3. */
    transpose(bias, 2u, quads);
    for (uint32_t q = 0; q < quads; ++q) {
        int32_t *const quad = bias + (size_t)2u * S2C_MVE_QUAD * q;
        int32_t from[2u * S2C_MVE_QUAD];
        memcpy(from, quad, sizeof from);
        for (uint32_t i = 0; i < 2u; ++i) {
            quad[4u * i] = from[i];
            quad[4u * i + 1u] = from[i + 2u];
            quad[4u * i + 2u] = (int32_t)((uint32_t)from[i + 4u] << S2C_MVE_MULTIPLIER_SHIFT);
            quad[4u * i + 3u] = (int32_t)((uint32_t)from[i + 6u] << S2C_MVE_MULTIPLIER_SHIFT);
        }
    }
}

void s2c_signed_tile__mve(int8_t *weights, int32_t *bias, const int32_t *multiplier,
                          uint32_t channels, uint32_t taps, uint32_t row_blocks, int8_t *scratch)
{
    const uint32_t padded = S2C_MVE_BLOCK * s2c_mve_blocks(taps);

    /* From the last pair on, because channels move apart. */
    for (uint32_t o = (channels + 1u) / 2u * 2u; o != 0u;) {
        o -= 2u;
        const uint32_t count = channels - o < 2u ? 1u : 2u;
        int8_t *const pair = weights + (size_t)o * padded;

        memcpy(scratch, weights + (size_t)o * taps, (size_t)count * taps);
        if (count == 1u) {
            memset(pair, 0, 2u * (size_t)padded);
        }
        for (uint32_t i = 0; i < count; ++i) {
            int8_t *const to = pair + i * S2C_MVE_BLOCK;
            const int8_t *const from = scratch + (size_t)i * taps;
            const int32_t sum = row_blocks != 0u ? place_channel_3x3(to, from, row_blocks)
                                                 : place_channel(to, from, taps);

            /* Unsigned, because it may leave int32 where codes are damaged. */
            bias[o + i] = s2c_signed((uint32_t)bias[o + i] + 128u * (uint32_t)sum);
        }
    }
    place_quads(bias, multiplier, channels);
}
