/* Columns for Helium: windows of neighbouring pixels as signed bytes, in blocks of 16 taps. */
#include <string.h>

#include "s2c_conv2d_mve.h"

#if S2C_MVE_NATIVE
#include <arm_mve.h>
#endif

/* `blocks` times 16 bytes less 128 each, to places `to_bytes` apart. */
static inline int8_t *spread(int8_t *to, const uint8_t *from, uint32_t blocks, uint32_t to_bytes)
{
#if S2C_MVE_NATIVE
    const uint8x16_t flip = vdupq_n_u8(0x80);

    for (uint32_t i = 0; i < blocks; ++i) {
        vst1q_u8((uint8_t *)to, veorq_u8(vld1q_u8(from), flip));
        from += S2C_MVE_BLOCK;
        to += to_bytes;
    }
#else
    for (uint32_t i = 0; i < blocks; ++i) {
        for (uint32_t k = 0; k < S2C_MVE_BLOCK; ++k) {
            to[k] = (int8_t)((int32_t)from[k] - 128);
        }
        from += S2C_MVE_BLOCK;
        to += to_bytes;
    }
#endif
    return to;
}

/* `readable`: bytes from `from` on that exist, at least `count`. May write up to 15 more than `count`. */
static inline uint8_t *append(uint8_t *to, const uint8_t *from, uint32_t count, size_t readable)
{
#if S2C_MVE_NATIVE
    const uint32_t blocks = s2c_mve_blocks(count);

    if (readable >= (size_t)blocks * S2C_MVE_BLOCK) {
        uint8_t *at = to;
        for (uint32_t i = 0; i < blocks; ++i) {
            vst1q_u8(at, vld1q_u8(from));
            from += S2C_MVE_BLOCK;
            at += S2C_MVE_BLOCK;
        }
        return to + count;
    }
#else
    (void)readable;
#endif
    memcpy(to, from, count);
    return to + count;
}

/* A window that may be anywhere, one after another tap at `to`. */
static void gather(const s2c_conv2d *layer, const uint8_t *const *rows, int32_t first, uint8_t *to)
{
    const s2c_window *window = &layer->window;
    const uint32_t channels = window->in_channels;
    const uint32_t stride_bytes = window->in_stride_bytes;
    const int32_t in_cols = (int32_t)window->in_cols;
    const int32_t end = first + (int32_t)window->kernel_cols;
    const int inside = first >= 0 && end <= in_cols && stride_bytes == channels;

    for (uint32_t ky = 0; ky < window->kernel_rows; ++ky) {
        if (inside) {
            const uint8_t *const from = rows[ky] + (size_t)first * channels;
            to = append(to, from, window->kernel_cols * channels,
                        (size_t)(in_cols - first) * channels);
            continue;
        }
        for (int32_t col = first; col < end; ++col) {
            const uint8_t *from = layer->pad_pixel;
            size_t readable = channels;
            if (col >= 0 && col < in_cols) {
                from = rows[ky] + (size_t)col * stride_bytes;
                readable += (size_t)(in_cols - 1 - col) * stride_bytes;
            }
            to = append(to, from, channels, readable);
        }
    }
}

/* The same where pixels are whole blocks, to where they belong. */
static inline void place(const s2c_conv2d *layer, const uint8_t *const *rows, int32_t first,
                         int8_t *to, uint32_t to_bytes)
{
    const s2c_window *window = &layer->window;
    const uint32_t blocks = window->in_channels / S2C_MVE_BLOCK;
    const uint32_t stride_bytes = window->in_stride_bytes;
    const int32_t in_cols = (int32_t)window->in_cols;
    const int32_t end = first + (int32_t)window->kernel_cols;

    if (first >= 0 && end <= in_cols && stride_bytes == window->in_channels) {
        for (uint32_t ky = 0; ky < window->kernel_rows; ++ky) {
            to = spread(to, rows[ky] + (size_t)first * stride_bytes,
                        window->kernel_cols * blocks, to_bytes);
        }
        return;
    }
    for (uint32_t ky = 0; ky < window->kernel_rows; ++ky) {
        for (int32_t col = first; col < end; ++col) {
            const uint8_t *from = layer->pad_pixel;
            if (col >= 0 && col < in_cols) {
                from = rows[ky] + (size_t)col * stride_bytes;
            }
            to = spread(to, from, blocks, to_bytes);
        }
    }
}

void s2c_columns__mve(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t out_col,
                      uint32_t pixels, uint32_t group, int8_t *scratch)
{
    const s2c_window *window = &layer->window;
    const uint32_t taps =
        (uint32_t)window->kernel_rows * window->kernel_cols * window->in_channels;
    const uint32_t blocks = s2c_mve_blocks(taps);
    const uint32_t to_bytes = group * S2C_MVE_BLOCK;
    int32_t first = (int32_t)(out_col * window->stride_cols) - (int32_t)window->pad_left;

    for (uint32_t p = 0; p < group; ++p) {
        int8_t *const to = scratch + p * S2C_MVE_BLOCK;
        if (window->in_channels % S2C_MVE_BLOCK == 0u) {
            place(layer, rows, first, to, to_bytes);
        } else {
            uint8_t *const gathered = (uint8_t *)scratch + 4u * S2C_MVE_BLOCK * blocks;
            gather(layer, rows, first, gathered);
#if !S2C_MVE_NATIVE
            memset(gathered + taps, 0, S2C_MVE_BLOCK * blocks - taps);
#endif
            (void)spread(to, gathered, blocks, to_bytes);
        }
        if (p + 1u < pixels) {
            first += (int32_t)window->stride_cols;
        }
    }
}
