/* Windows of neighbouring pixels, for PCs. */
#include "s2c_conv2d_host.h"

/* `count` pixels of an input row from column `col` on, which may lie outside, without gaps. */
static void copy_pixels(const s2c_conv2d *layer, const uint8_t *row, int32_t col, uint32_t count,
                        uint8_t *to)
{
    const s2c_window *const window = &layer->window;
    const int32_t in_cols = (int32_t)window->in_cols;
    const int32_t end = col + (int32_t)count;
    const size_t channels = window->in_channels;

    while (col < end) {
        const int inside = col >= 0 && col < in_cols;
        uint32_t run = 1;

        if (inside && window->in_stride_bytes == channels) {
            run = (uint32_t)((end < in_cols ? end : in_cols) - col);
        }
        memcpy(to, inside ? row + (size_t)col * window->in_stride_bytes : layer->pad_pixel,
               run * channels);
        to += run * channels;
        col += (int32_t)run;
    }
}

void s2c_tile__host(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t out_col,
                    uint32_t pixels, uint8_t *scratch, s2c_host_tile *tile)
{
    const s2c_window *const window = &layer->window;
    const uint32_t channels = window->in_channels;
    const uint32_t stride = window->stride_cols;
    const uint32_t cols = (pixels - 1u) * stride + window->kernel_cols;
    const int32_t first = (int32_t)(out_col * stride) - (int32_t)window->pad_left;
    const int without_gaps = window->kernel_cols == 1u || window->in_stride_bytes == channels;
    size_t past; /* bytes behind the last segment that its last quad reads */
    size_t room; /* bytes of the row behind the last segment */

    tile->row_count = window->kernel_rows;
    tile->quads = s2c_host_quads(window);
    tile->pixels = pixels;
    tile->rows = rows;
    tile->copies = scratch;
    past = (size_t)tile->quads * S2C_HOST_QUAD - (size_t)window->kernel_cols * channels;
    if (first >= 0 && first + (int32_t)cols <= (int32_t)window->in_cols && without_gaps) {
        room = (size_t)((int32_t)window->in_cols - first - (int32_t)cols) * window->in_stride_bytes;
        if (past <= room) {
            tile->offset = (size_t)first * window->in_stride_bytes;
            tile->step = (size_t)stride * window->in_stride_bytes;
            tile->pitch = 0;
            return;
        }
    }
    tile->rows = NULL;
    tile->offset = 0;
    tile->step = (size_t)stride * channels;
    tile->pitch = (size_t)cols * channels + past;
    for (uint32_t ky = 0; ky < window->kernel_rows; ++ky) {
        uint8_t *const copy = scratch + ky * tile->pitch;
        copy_pixels(layer, rows[ky], first, cols, copy);
        memset(copy + (size_t)cols * channels, 0, past);
    }
}
