/* Windows of pixels as words of two pixels, for Cortex-M3. */
#include "s2c_conv2d_m3.h"

/* What a window reads at column `col` of an input row. */
static const uint8_t *pixel_at(const s2c_conv2d *layer, const uint8_t *row, int32_t col)
{
    if (col < 0 || col >= (int32_t)layer->window.in_cols) {
        return layer->pad_pixel;
    }
    return row + (size_t)col * layer->window.in_stride_bytes;
}

static uint32_t *join(uint32_t *to, const uint8_t *const *from, uint32_t count)
{
    const uint8_t *from0 = from[0];
    const uint8_t *from1 = from[1];
    const uint8_t *from2 = from[2];
    const uint8_t *from3 = from[3];
    const uint8_t *const end = from0 + count;

    while (from0 != end) {
        to[0] = *from0++ | (uint32_t)*from1++ << S2C_M3_FIELD;
        to[1] = *from2++ | (uint32_t)*from3++ << S2C_M3_FIELD;
        to += 2;
    }
    return to;
}

static uint32_t *expand_group(const s2c_conv2d *layer, const uint8_t *const *rows,
                              uint32_t out_col, uint32_t pixels, uint32_t *to)
{
    const s2c_window *const window = &layer->window;
    const int32_t stride = (int32_t)window->stride_cols;
    const int32_t kernel_cols = (int32_t)window->kernel_cols;
    const int32_t first = (int32_t)out_col * stride - (int32_t)window->pad_left;
    const int32_t end = first + (int32_t)(pixels - 1u) * stride + kernel_cols;
    const int whole_rows = first >= 0 && end <= (int32_t)window->in_cols &&
                           window->in_stride_bytes == window->in_channels;
    const int32_t steps = whole_rows ? 1 : kernel_cols;
    const uint32_t count = (whole_rows ? window->kernel_cols : 1u) * window->in_channels;
    const uint8_t *from[S2C_M3_PIXELS];

    for (uint32_t ky = 0; ky < window->kernel_rows; ++ky) {
        for (int32_t kx = 0; kx < steps; ++kx) {
            for (uint32_t p = 0; p < S2C_M3_PIXELS; ++p) {
                const int32_t right = p < pixels ? (int32_t)p * stride : 0;
                from[p] = pixel_at(layer, rows[ky], first + right + kx);
            }
            to = join(to, from, count);
        }
    }
    return to;
}

void s2c_columns__m3(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t out_col,
                     uint32_t pixels, uint32_t *columns)
{
    for (uint32_t done = 0; done < pixels; done += S2C_M3_PIXELS) {
        const uint32_t left = pixels - done;
        columns = expand_group(layer, rows, out_col + done,
                               left < S2C_M3_PIXELS ? left : S2C_M3_PIXELS, columns);
    }
}
