/*
 * Entropy-coded weights: what is in flash, and the functions that decode a tile of output
 * channels into RAM. docs/weight-format.md specifies the format; the decoder that defines it
 * is squeeze2c.entropy.
 */
#ifndef S2C_UNPACK_H
#define S2C_UNPACK_H

#include <stdint.h>

#include "s2c.h"
#include "s2c_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The first byte of every code table. */
#define S2C_PACKED_VERSION 1u

/* The longest code word, in bits. */
#define S2C_UNPACK_CODE_BITS 9u

/* Words and bytes of the table that s2c_unpack_prepare builds in RAM. */
#define S2C_UNPACK_TABLE_WORDS (1u << S2C_UNPACK_CODE_BITS)
#define S2C_UNPACK_TABLE_BYTES (4u * S2C_UNPACK_TABLE_WORDS)

/*
 * One layer. The geometry (taps, channels, counts) is trusted, because it decides how large
 * the buffers are; whatever the arrays hold, nothing outside them is read or written.
 *
 * stream: stream_words little-endian words, the last of which is padding that is never decoded.
 * table: code table, table_bytes long.
 * tile_offset: one per tile, where its codes begin in the stream, in units of
 *   2^offset_shift bytes.
 * bias: out_channels values in units of 2^bias_shift.
 * multiplier_index: indices into `multiplier`, two per byte, even channel in the low half.
 *   NULL: all are 0.
 * multiplier: multiplier_count values.
 * taps: weights per output channel, kernel_rows * kernel_cols * in_channels.
 * offset_shift: at most 7. bias_shift: at most 24.
 */
typedef struct {
    const uint32_t *stream;
    const uint8_t *table;
    const uint16_t *tile_offset;
    const int8_t *bias;
    const uint8_t *multiplier_index;
    const int32_t *multiplier;
    uint32_t stream_words;
    uint32_t taps;
    uint16_t out_channels;
    uint16_t tile_channels;
    uint16_t table_bytes;
    uint8_t offset_shift;
    uint8_t bias_shift;
    uint8_t multiplier_count;
} s2c_packed_layer;

/*
 * Builds the decode table of a layer, S2C_UNPACK_TABLE_WORDS words at `table`.
 * S2C_ERROR_WEIGHTS_CRC where the code table is of another version or is not one. The decode
 * table is then filled with entries that let s2c_unpack_tile end, with worthless weights.
 */
s2c_status s2c_unpack_prepare(const s2c_packed_layer *layer, uint32_t *table);

/*
 * Decodes tile `tile` = output channels [tile * tile_channels, that + n) where n is
 * tile_channels, or what is left of out_channels in the last tile.
 *
 * table: built by s2c_unpack_prepare for the same layer.
 * weights: n * taps bytes, [channel][tap]; no alignment needed.
 * bias, multiplier: n values.
 * S2C_ERROR_WEIGHTS_CRC where the codes end early or an index is out of range: corrupt weights,
 * though not all of those are noticed. S2C_ERROR_ARGUMENT where there is no such tile.
 * What the buffers hold after an error is not specified.
 */
s2c_status s2c_unpack_tile(const s2c_packed_layer *layer, const uint32_t *table, uint32_t tile,
                           int8_t *weights, int32_t *bias, int32_t *multiplier);

/*
 * Brings weights in the order of the portable kernels into that of the kernels for cores with the
 * DSP extension, in place.
 * weights: channels * taps bytes, in memory for an even number of channels of taps padded to quads.
 */
void s2c_pair_tile__dsp(int8_t *weights, uint32_t channels, uint32_t taps);

/*
 * Brings weights in the order of the portable kernels, out_channels of `window`, into that of the
 * kernels for PCs. blocks: S2C_BLOCKED_WEIGHTS_BYTES.
 */
void s2c_block_tile__host(const int8_t *weights, const s2c_window *window, int8_t *blocks);

/* A whole number of blocks of 16 channels, with rows of the window padded to quads. */
#define S2C_BLOCKED_WEIGHTS_BYTES(channels, kernel_rows, row_taps) \
    (((channels) + 15u) / 16u * 16u * (kernel_rows) * (((row_taps) + 3u) / 4u * 4u))

/*
 * Brings weights, biases and multipliers of a tile into the form of the kernels for Helium.
 * weights: as above, in memory for taps padded to blocks of 16. bias: in memory for twice as many
 * numbers as whole quads of channels have, where what the kernels read goes. multiplier: `bias`,
 * plus at least those channels. row_blocks: blocks of 16 channels of an input pixel if the kernel is
 * for 3x3 windows, otherwise 0. scratch: 2 * taps bytes, not more than the kernel has.
 */
void s2c_signed_tile__mve(int8_t *weights, int32_t *bias, const int32_t *multiplier,
                          uint32_t channels, uint32_t taps, uint32_t row_blocks, int8_t *scratch);

#ifdef __cplusplus
}
#endif

#endif /* S2C_UNPACK_H */
