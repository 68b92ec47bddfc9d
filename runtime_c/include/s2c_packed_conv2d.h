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

/* The same for kernels that read pairs of channels, whose taps are padded to quads. */
#define S2C_PACKED_CONV2D_PAIRED_BYTES(channels, taps)                     \
    (S2C_UNPACK_TABLE_BYTES + (channels) * 2u * (uint32_t)sizeof(int32_t) + \
     ((channels) + 1u) / 2u * 2u * (((taps) + 3u) / 4u * 4u))

/* The same for kernels that read blocks of channels: plain weights, then blocks. */
#define S2C_PACKED_CONV2D_BLOCKED_BYTES(channels, kernel_rows, row_taps)        \
    (S2C_PACKED_CONV2D_BYTES(channels, (kernel_rows) * (row_taps)) +            \
     S2C_BLOCKED_WEIGHTS_BYTES(channels, kernel_rows, row_taps))

/* The same for kernels for Helium, with whole quads of channels of whole blocks of taps. */
#define S2C_PACKED_CONV2D_MVE_BYTES(channels, taps)                                            \
    (S2C_UNPACK_TABLE_BYTES +                                                                  \
     ((channels) + 3u) / 4u * 4u * (2u * (uint32_t)sizeof(int32_t) + ((taps) + 15u) / 16u * 16u))

/* Builds the decode table of `packed` at the beginning of `decoded`. See s2c_unpack_prepare. */
static inline s2c_status s2c_packed_conv2d_begin(const s2c_packed_layer *packed, void *decoded)
{
    return s2c_unpack_prepare(packed, (uint32_t *)decoded);
}

/* Where the weights of a tile are decoded to, aligned to 4 bytes. */
static inline int8_t *s2c_packed_conv2d_weights(const s2c_packed_layer *packed, void *decoded)
{
    return (int8_t *)((int32_t *)decoded + S2C_UNPACK_TABLE_WORDS + 2u * packed->tile_channels);
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
    int8_t *const weights = s2c_packed_conv2d_weights(packed, decoded);
    const uint32_t left = packed->out_channels - tile * packed->tile_channels;

    part->window.out_channels =
        (uint16_t)(left < packed->tile_channels ? left : packed->tile_channels);
    part->weights = weights;
    part->bias = bias;
    part->multiplier = multiplier;
    return s2c_unpack_tile(packed, table, tile, weights, bias, multiplier);
}

/* The same for kernels that read pairs of channels. */
static inline s2c_status s2c_packed_conv2d_paired_tile(const s2c_packed_layer *packed,
                                                       void *decoded, uint32_t tile,
                                                       s2c_conv2d *part)
{
    const s2c_status status = s2c_packed_conv2d_tile(packed, decoded, tile, part);

    if (status == S2C_OK) {
        s2c_pair_tile__dsp(s2c_packed_conv2d_weights(packed, decoded), part->window.out_channels,
                           packed->taps);
    }
    return status;
}

/* The same for kernels that read blocks of channels. */
static inline s2c_status s2c_packed_conv2d_blocked_tile(const s2c_packed_layer *packed,
                                                        void *decoded, uint32_t tile,
                                                        s2c_conv2d *part)
{
    int8_t *const weights = s2c_packed_conv2d_weights(packed, decoded);
    int8_t *const blocks = weights + packed->tile_channels * packed->taps;
    const s2c_status status = s2c_packed_conv2d_tile(packed, decoded, tile, part);

    if (status == S2C_OK) {
        s2c_block_tile__host(weights, &part->window, blocks);
        part->weights = blocks;
    }
    return status;
}

/*
 * The same for kernels for Helium. `row_blocks`: blocks of 16 channels of an input pixel for those
 * that are for 3x3 windows, otherwise 0. `scratch`: the kernel's, which is free meanwhile.
 */
static inline s2c_status s2c_packed_conv2d_signed_tile(const s2c_packed_layer *packed,
                                                       void *decoded, uint32_t tile,
                                                       uint32_t row_blocks, void *scratch,
                                                       s2c_conv2d *part)
{
    int32_t *const bias = (int32_t *)decoded + S2C_UNPACK_TABLE_WORDS;
    int32_t *const multiplier = bias + (packed->tile_channels + 3u) / 4u * 4u;
    int8_t *const weights = (int8_t *)(multiplier + (multiplier - bias));
    const uint32_t left = packed->out_channels - tile * packed->tile_channels;
    const uint32_t channels = left < packed->tile_channels ? left : packed->tile_channels;
    const s2c_status status =
        s2c_unpack_tile(packed, (uint32_t *)decoded, tile, weights, bias, multiplier);

    part->window.out_channels = (uint16_t)channels;
    part->weights = weights;
    part->bias = bias;
    part->multiplier = bias;
    if (status == S2C_OK) {
        s2c_signed_tile__mve(weights, bias, multiplier, channels, packed->taps, row_blocks,
                             (int8_t *)scratch);
    }
    return status;
}

static inline s2c_status s2c_packed_conv2d_mve_tile(const s2c_packed_layer *packed, void *decoded,
                                                    uint32_t tile, void *scratch,
                                                    s2c_conv2d *part)
{
    return s2c_packed_conv2d_signed_tile(packed, decoded, tile, 0u, scratch, part);
}

static inline s2c_status s2c_packed_conv2d_mve3x3_tile(const s2c_packed_layer *packed,
                                                       void *decoded, uint32_t tile,
                                                       void *scratch, s2c_conv2d *part)
{
    return s2c_packed_conv2d_signed_tile(packed, decoded, tile, part->window.in_channels / 16u,
                                         scratch, part);
}

#endif /* S2C_PACKED_CONV2D_H */
