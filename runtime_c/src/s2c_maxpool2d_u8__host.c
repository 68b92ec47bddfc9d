/* Maximum over windows of uint8 pixels, for PCs. */
#include <stddef.h>
#include <string.h>

#include "s2c_kernels.h"

/* Channels whose maximum is in registers; loops of so many bytes become a vector. */
#define S2C_CHUNK 64u

typedef struct {
    const uint8_t *const *rows;
    uint32_t row_count;
    size_t offset; /* of the first column of the window */
    uint32_t cols;
    size_t stride_bytes;
    uint32_t keep;
} s2c_pool_window;

static void chunk_maximum(const s2c_pool_window *window, size_t channel, uint8_t *out)
{
    uint8_t most[S2C_CHUNK] = {0};

    if (window->keep) {
        memcpy(most, out, S2C_CHUNK);
    }
    for (uint32_t i = 0; i < window->row_count; ++i) {
        const uint8_t *in = window->rows[i] + window->offset + channel;

        for (uint32_t col = 0; col < window->cols; ++col) {
            for (uint32_t c = 0; c < S2C_CHUNK; ++c) {
                most[c] = in[c] > most[c] ? in[c] : most[c];
            }
            in += window->stride_bytes;
        }
    }
    memcpy(out, most, S2C_CHUNK);
}

static void maximum(const s2c_pool_window *window, size_t channel, size_t channels, uint8_t *out)
{
    if (!window->keep) {
        memset(out, 0, channels - channel);
    }
    for (uint32_t i = 0; i < window->row_count; ++i) {
        const uint8_t *in = window->rows[i] + window->offset + channel;

        for (uint32_t col = 0; col < window->cols; ++col) {
            for (size_t c = 0; c < channels - channel; ++c) {
                out[c] = in[c] > out[c] ? in[c] : out[c];
            }
            in += window->stride_bytes;
        }
    }
}

void s2c_maxpool2d_u8__host(const s2c_window *window, const uint8_t *const *rows,
                            uint32_t row_count, uint32_t keep, uint8_t *out_row)
{
    const size_t channels = window->in_channels;
    const int32_t in_cols = (int32_t)window->in_cols;
    s2c_pool_window inside = {rows, row_count, 0, 0, window->in_stride_bytes, keep};

    for (uint32_t x = 0; x < window->out_cols; ++x) {
        const int32_t left = (int32_t)(x * window->stride_cols) - (int32_t)window->pad_left;
        const int32_t right = left + (int32_t)window->kernel_cols;
        const int32_t first = left > 0 ? left : 0;
        uint8_t *const out = out_row + (size_t)x * window->out_stride_bytes;
        size_t channel = 0;

        inside.offset = (size_t)first * window->in_stride_bytes;
        inside.cols = (uint32_t)((right < in_cols ? right : in_cols) - first);
        for (; channel + S2C_CHUNK <= channels; channel += S2C_CHUNK) {
            chunk_maximum(&inside, channel, out + channel);
        }
        if (channel < channels) {
            maximum(&inside, channel, channels, out + channel);
        }
    }
}
