/* Maximum over windows of uint8 pixels, portable C. */
#include <stddef.h>
#include <string.h>

#include "s2c_kernels.h"

static void keep_maximum(uint8_t *out, const uint8_t *in, uint32_t channels)
{
    for (uint32_t c = 0; c < channels; ++c) {
        out[c] = in[c] > out[c] ? in[c] : out[c];
    }
}

void s2c_maxpool2d_u8__c(const s2c_window *window, const uint8_t *const *rows, uint32_t row_count,
                         uint32_t keep, uint8_t *out_row)
{
    const uint32_t channels = window->in_channels;
    const int32_t in_cols = (int32_t)window->in_cols;

    for (uint32_t x = 0; x < window->out_cols; ++x) {
        const int32_t left = (int32_t)(x * window->stride_cols) - (int32_t)window->pad_left;
        const int32_t right = left + (int32_t)window->kernel_cols;
        const int32_t first = left > 0 ? left : 0;
        const int32_t end = right < in_cols ? right : in_cols;
        uint8_t *const out = out_row + (size_t)x * window->out_stride_bytes;

        if (keep == 0u) {
            memset(out, 0, channels);
        }
        for (uint32_t i = 0; i < row_count; ++i) {
            for (int32_t col = first; col < end; ++col) {
                keep_maximum(out, rows[i] + (size_t)col * window->in_stride_bytes, channels);
            }
        }
    }
}
