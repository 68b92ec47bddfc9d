/*
 * Convolutions whose weights are packed: a tile of output channels is decoded into RAM, and the
 * same kernels as ever compute its channels.
 */
#ifndef S2C_PACKED_CONV2D_H
#define S2C_PACKED_CONV2D_H

#include <stdint.h>

#include "s2c_kernels.h"
#include "s2c_unpack.h"

/*
 * What decoding needs besides the kernel's scratch, for tiles of `channels` output channels of
 * `taps` weights each. In order: decode table, biases, multipliers, weights.
 */
#define S2C_PACKED_CONV2D_BYTES(channels, taps) \
    (S2C_UNPACK_TABLE_BYTES + (channels) * (2u * (uint32_t)sizeof(int32_t) + (taps)))

/* Builds the decode table of `packed` at the beginning of `decoded`. See s2c_unpack_prepare. */
static inline s2c_status s2c_packed_conv2d_begin(const s2c_packed_layer *packed, void *decoded)
{
    return s2c_unpack_prepare(packed, (uint32_t *)decoded);
}

/*
 * Decodes tile `tile` of `packed` to `decoded`, which is aligned to 4 bytes and was begun.
 * `part`, a copy of the layer, then is a convolution of the tile's channels alone.
 * After an error (see s2c_unpack_tile) `part` must not be computed.
 */
static inline s2c_status s2c_packed_conv2d_tile(const s2c_packed_layer *packed, void *decoded,
                                                uint32_t tile, s2c_conv2d *part)
{
    uint32_t *const table = (uint32_t *)decoded;
    int32_t *const bias = (int32_t *)decoded + S2C_UNPACK_TABLE_WORDS;
    int32_t *const multiplier = bias + packed->tile_channels;
    int8_t *const weights = (int8_t *)(multiplier + packed->tile_channels);
    const uint32_t left = packed->out_channels - tile * packed->tile_channels;

    part->window.out_channels =
        (uint16_t)(left < packed->tile_channels ? left : packed->tile_channels);
    part->weights = weights;
    part->bias = bias;
    part->multiplier = multiplier;
    return s2c_unpack_tile(packed, table, tile, weights, bias, multiplier);
}

#endif /* S2C_PACKED_CONV2D_H */
