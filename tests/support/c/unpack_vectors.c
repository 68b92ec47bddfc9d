/* Decodes the layers of unpack_vectors.h; the exit code is 0 where everything is as it should be. */
#include "s2c_unpack.h"

typedef struct {
    s2c_packed_layer packed;
    uint32_t crc; /* of weights, biases and multipliers, tile by tile */
} vector;

#include "unpack_vectors.h"

static uint32_t table[S2C_UNPACK_TABLE_WORDS];
static int8_t weights[MAX_TILE_BYTES + 1u];
static int32_t bias[MAX_TILE_CHANNELS];
static int32_t multiplier[MAX_TILE_CHANNELS];

int main(void)
{
    for (uint32_t i = 0; i < sizeof vectors / sizeof vectors[0]; ++i) {
        const s2c_packed_layer *const layer = &vectors[i].packed;
        int8_t *const out = weights + (i & 1u);
        uint32_t crc = 0;

        if (s2c_unpack_prepare(layer, table) != S2C_OK) {
            return 2;
        }
        for (uint32_t tile = 0; tile * layer->tile_channels < layer->out_channels; ++tile) {
            const uint32_t left = layer->out_channels - tile * layer->tile_channels;
            const uint32_t channels = left < layer->tile_channels ? left : layer->tile_channels;

            if (s2c_unpack_tile(layer, table, tile, out, bias, multiplier) != S2C_OK) {
                return 3;
            }
            crc = s2c_crc32(crc, out, (size_t)channels * layer->taps);
            crc = s2c_crc32(crc, bias, 4u * (size_t)channels);
            crc = s2c_crc32(crc, multiplier, 4u * (size_t)channels);
        }
        if (crc != vectors[i].crc) {
            return 1;
        }
    }
    return 0;
}
