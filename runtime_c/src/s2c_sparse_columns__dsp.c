/* Windows of pixels as words of two pixels, for kernels that skip weights of zero. */
#include "s2c_dsp.h"
#include "s2c_sparse_dsp.h"

static uint32_t pack(uint32_t first, uint32_t second)
{
    return (first & 255u) | (second & 255u) << S2C_SPARSE_FIELD;
}

/* `count` taps of two pixels; a word of the result in every S2C_SPARSE_PAIRS. */
static void pack_run(uint32_t *to, const uint8_t *first, const uint8_t *second, uint32_t count)
{
    for (; count >= 4u; count -= 4u) {
        const uint32_t x = s2c_load_word(first);
        const uint32_t y = s2c_load_word(second);
        to[0] = pack(x, y);
        to[S2C_SPARSE_PAIRS] = pack(x >> 8, y >> 8);
        to[2u * S2C_SPARSE_PAIRS] = pack(x >> 16, y >> 16);
        to[3u * S2C_SPARSE_PAIRS] = pack(x >> 24, y >> 24);
        to += 4u * S2C_SPARSE_PAIRS;
        first += 4;
        second += 4;
    }
    for (; count != 0u; --count) {
        *to = pack(*first++, *second++);
        to += S2C_SPARSE_PAIRS;
    }
}

/* What a window reads at column `col` of an input row. */
static const uint8_t *pixel_at(const s2c_conv2d *layer, const uint8_t *row, int32_t col)
{
    if (col < 0 || col >= (int32_t)layer->window.in_cols) {
        return layer->pad_pixel;
    }
    return row + (size_t)col * layer->window.in_stride_bytes;
}

void s2c_sparse_columns__dsp(const s2c_conv2d *layer, const uint8_t *const *rows,
                             uint32_t out_col, uint32_t pixels, uint32_t *columns)
{
    const s2c_window *const window = &layer->window;
    const int32_t stride = window->stride_cols;
    const int32_t left = (int32_t)out_col * stride - (int32_t)window->pad_left;

    for (uint32_t pixel = 0; pixel < pixels; pixel += 2u) {
        const int32_t first = left + (int32_t)pixel * stride;
        const int32_t second = pixel + 1u < pixels ? first + stride : first;
        const int whole_rows = first >= 0 &&
                               second + window->kernel_cols <= (int32_t)window->in_cols &&
                               window->in_stride_bytes == window->in_channels;
        const uint32_t run = (whole_rows ? window->kernel_cols : 1u) * (uint32_t)window->in_channels;
        const int32_t runs = whole_rows ? 1 : window->kernel_cols;
        uint32_t *to = columns + pixel / 2u;

        for (uint32_t ky = 0; ky < window->kernel_rows; ++ky) {
            for (int32_t kx = 0; kx < runs; ++kx) {
                pack_run(to, pixel_at(layer, rows[ky], first + kx),
                         pixel_at(layer, rows[ky], second + kx), run);
                to += (size_t)run * S2C_SPARSE_PAIRS;
            }
        }
    }
}
