/* Windows of pixels as words of two taps, for cores with the DSP extension. */
#include "s2c_conv2d_dsp.h"
#include "s2c_dsp.h"

typedef struct {
    uint32_t *even; /* taps 0 and 2 of each quad */
    uint32_t *odd;  /* taps 1 and 3 */
} s2c_column_halves;

/* Four pixels at once; from[p] has `quads` times four bytes. */
static s2c_column_halves widen4(s2c_column_halves to, const uint8_t *const *from, uint32_t quads)
{
    const uint8_t *from0 = from[0];
    const uint8_t *from1 = from[1];
    const uint8_t *from2 = from[2];
    const uint8_t *from3 = from[3];

    for (uint32_t i = 0; i < quads; ++i) {
        const uint32_t x0 = s2c_load_word(from0);
        const uint32_t x1 = s2c_load_word(from1);
        const uint32_t x2 = s2c_load_word(from2);
        const uint32_t x3 = s2c_load_word(from3);
        to.even[0] = s2c_uxtb16(x0);
        to.even[1] = s2c_uxtb16(x1);
        to.even[2] = s2c_uxtb16(x2);
        to.even[3] = s2c_uxtb16(x3);
        to.odd[0] = s2c_uxtb16_ror8(x0);
        to.odd[1] = s2c_uxtb16_ror8(x1);
        to.odd[2] = s2c_uxtb16_ror8(x2);
        to.odd[3] = s2c_uxtb16_ror8(x3);
        from0 += 4;
        from1 += 4;
        from2 += 4;
        from3 += 4;
        to.even += 4;
        to.odd += 4;
    }
    return to;
}

static s2c_column_halves widen(s2c_column_halves to, const uint8_t *const *from, uint32_t quads,
                           uint32_t pixels)
{
    if (pixels == S2C_DSP_PIXELS) {
        return widen4(to, from, quads);
    }
    for (uint32_t i = 0; i < quads; ++i) {
        for (uint32_t p = 0; p < pixels; ++p) {
            const uint32_t x = s2c_load_word(from[p] + (size_t)i * 4u);
            *to.even++ = s2c_uxtb16(x);
            *to.odd++ = s2c_uxtb16_ror8(x);
        }
    }
    return to;
}

static uint8_t *copy_bytes(uint8_t *to, const uint8_t *from, uint32_t count)
{
    for (; count >= 4u; count -= 4u) {
        s2c_store_word(to, s2c_load_word(from));
        to += 4;
        from += 4;
    }
    while (count-- != 0u) {
        *to++ = *from++;
    }
    return to;
}

/* What a window reads at column `col` of an input row. */
static const uint8_t *pixel_at(const s2c_conv2d *layer, const uint8_t *row, int32_t col)
{
    if (col < 0 || col >= (int32_t)layer->window.in_cols) {
        return layer->pad_pixel;
    }
    return row + (size_t)col * layer->window.in_stride_bytes;
}

/* The window of one pixel, row by row, as bytes. */
static void gather(const s2c_conv2d *layer, const uint8_t *const *rows, int32_t first,
                   int whole_rows, uint8_t *to)
{
    const s2c_window *const window = &layer->window;
    const uint32_t taps =
        (uint32_t)window->kernel_rows * window->kernel_cols * window->in_channels;

    for (uint32_t ky = 0; ky < window->kernel_rows; ++ky) {
        if (whole_rows) {
            to = copy_bytes(to, pixel_at(layer, rows[ky], first),
                            (uint32_t)window->kernel_cols * window->in_channels);
            continue;
        }
        for (int32_t kx = 0; kx < (int32_t)window->kernel_cols; ++kx) {
            to = copy_bytes(to, pixel_at(layer, rows[ky], first + kx), window->in_channels);
        }
    }
    for (uint32_t i = taps; i % 4u != 0u; ++i) {
        *to++ = 0;
    }
}

void s2c_columns__dsp(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t out_col,
                      uint32_t pixels, uint32_t *columns)
{
    const s2c_window *const window = &layer->window;
    const uint32_t quads = s2c_dsp_quads(window);
    const uint32_t stride = window->stride_cols;
    const uint32_t channels = window->in_channels;
    const int32_t kernel_cols = (int32_t)window->kernel_cols;
    const int32_t first = (int32_t)(out_col * stride) - (int32_t)window->pad_left;
    const int32_t end = first + (int32_t)((pixels - 1u) * stride) + kernel_cols;
    const int whole_rows =
        first >= 0 && end <= (int32_t)window->in_cols && window->in_stride_bytes == channels;
    s2c_column_halves to = {columns, columns + (size_t)quads * pixels};
    const uint8_t *from[S2C_DSP_PIXELS];

    if (channels % 4u != 0u) {
        uint8_t *bytes = (uint8_t *)(columns + (size_t)2u * quads * pixels);
        for (uint32_t p = 0; p < pixels; ++p) {
            from[p] = bytes;
            gather(layer, rows, first + (int32_t)(p * stride), whole_rows, bytes);
            bytes += (size_t)4u * quads;
        }
        (void)widen(to, from, quads, pixels);
        return;
    }
    for (uint32_t ky = 0; ky < window->kernel_rows; ++ky) {
        const int32_t steps = whole_rows ? 1 : kernel_cols;
        const uint32_t width = whole_rows ? (uint32_t)kernel_cols : 1u;
        for (int32_t kx = 0; kx < steps; ++kx) {
            for (uint32_t p = 0; p < pixels; ++p) {
                from[p] = pixel_at(layer, rows[ky], first + (int32_t)(p * stride) + kx);
            }
            to = widen(to, from, width * channels / 4u, pixels);
        }
    }
}
