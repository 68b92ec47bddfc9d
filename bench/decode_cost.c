/*
 * Decodes every tile of every layer in layers.h, and compares the weights' CRC.
 * Whoever counts instructions watches the marks.
 */
#include "s2c_unpack.h"

typedef struct {
    s2c_packed_layer packed;
    uint32_t crc;
} bench_layer;

#include "layers.h"

#define LAYERS (sizeof layers / sizeof layers[0])

static uint32_t table[S2C_UNPACK_TABLE_WORDS];
static int8_t weights[MAX_TILE_BYTES];
static int32_t bias[MAX_TILE_CHANNELS];
static int32_t multiplier[MAX_TILE_CHANNELS];

__attribute__((noinline)) void mark_begin(void)
{
    __asm__ volatile("nop");
}

__attribute__((noinline)) void mark_end(void)
{
    __asm__ volatile("nop");
}

int main(void)
{
    for (uint32_t i = 0; i < LAYERS; ++i) {
        const s2c_packed_layer *const layer = &layers[i].packed;
        uint32_t crc = 0;
        s2c_status status;

        mark_begin();
        status = s2c_unpack_prepare(layer, table);
        mark_end();
        if (status != S2C_OK) {
            return 1;
        }
        for (uint32_t tile = 0; tile * layer->tile_channels < layer->out_channels; ++tile) {
            const uint32_t left = layer->out_channels - tile * layer->tile_channels;
            const uint32_t channels = left < layer->tile_channels ? left : layer->tile_channels;

            mark_begin();
            status = s2c_unpack_tile(layer, table, tile, weights, bias, multiplier);
            mark_end();
            if (status != S2C_OK) {
                return 2;
            }
            crc = s2c_crc32(crc, weights, (size_t)channels * layer->taps);
        }
        if (crc != layers[i].crc) {
            return 3;
        }
    }
    return 0;
}
