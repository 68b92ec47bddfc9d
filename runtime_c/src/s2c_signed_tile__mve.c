/* Decoded weights, biases and multipliers as the kernels for Helium read them. */
#include <string.h>

#include "s2c_conv2d_mve.h"
#include "s2c_unpack.h"

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

/* One channel, padded; the sum of its weights. */
static int32_t pad_channel(int8_t *to, const int8_t *from, uint32_t taps, uint32_t padded)
{
    int32_t sum = 0;

    if (padded != taps) {
        memmove(to, from, taps);
        memset(to + taps, 0, padded - taps);
    }
    for (uint32_t k = 0; k < taps; ++k) {
        sum += to[k];
    }
    return sum;
}

void s2c_signed_tile__mve(int8_t *weights, int32_t *bias, const int32_t *multiplier,
                          uint32_t channels, uint32_t taps, uint32_t row_blocks)
{
    const uint32_t padded = S2C_MVE_BLOCK * s2c_mve_blocks(taps);
    const uint32_t quads = (channels + S2C_MVE_QUAD - 1u) / S2C_MVE_QUAD;

    /* From the last channel on, because channels move apart. */
    for (uint32_t o = channels; o != 0u;) {
        --o;
        int8_t *const own = weights + (size_t)o * padded;
        const int32_t sum = pad_channel(own, weights + (size_t)o * taps, taps, padded);

        /* Unsigned, because it may leave int32 where codes are damaged. */
        bias[o] = (int32_t)((uint32_t)bias[o] + 128u * (uint32_t)sum);
        for (uint32_t row = 0; row < 3u && row_blocks != 0u; ++row) {
            transpose(own + (size_t)row * 3u * row_blocks * S2C_MVE_BLOCK, 3u, row_blocks);
        }
    }
    /* Blocks of two channels take turns. What an odd one has for a second is never read as such. */
    for (uint32_t o = 0; o < channels; o += 2u) {
        transpose(weights + (size_t)o * padded, 2u, padded / S2C_MVE_BLOCK);
    }
    /* Quads of biases and of multipliers take turns, then channels 0 and 2 come before 1 and 3. */
    int32_t *const moved = bias + (size_t)S2C_MVE_QUAD * quads;
    memmove(moved, multiplier, channels * sizeof *bias);
    memset(bias + channels, 0, (S2C_MVE_QUAD * quads - channels) * sizeof *bias);
    memset(moved + channels, 0, (S2C_MVE_QUAD * quads - channels) * sizeof *bias);
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
