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

/* 16 bytes as they are. */
static inline void copy_block(uint8_t *to, const uint8_t *from)
{
#if S2C_MVE_NATIVE
    vst1q_u8(to, vld1q_u8(from));
#else
    memcpy(to, from, S2C_MVE_BLOCK);
#endif
}

/* `count` bytes, at least one; the last vector is as long as bytes are left. */
static inline uint8_t *append(uint8_t *to, const uint8_t *from, uint32_t count)
{
    uint8_t *const end = to + count;
#if S2C_MVE_NATIVE
    __asm__ volatile("dlstp.8 lr, %[count]\n"
                     "1:\n\t"
                     "vldrb.u8 q0, [%[from]], #16\n\t"
                     "vstrb.8 q0, [%[to]], #16\n\t"
                     "letp lr, 1b\n\t"
                     : [to] "+&r"(to), [from] "+&r"(from)
                     : [count] "r"(count)
                     : "lr", "d0", "d1", "memory");
#else
    memcpy(to, from, count);
#endif
    return end;
}

/* A window that may be anywhere, one after another tap at `to`. */
static S2C_MVE_NOINLINE void gather(const s2c_conv2d *layer, const uint8_t *const *rows, int32_t first, uint8_t *to)
{
    const s2c_window *window = &layer->window;
    const uint32_t channels = window->in_channels;
    const uint32_t stride_bytes = window->in_stride_bytes;
    const int32_t in_cols = (int32_t)window->in_cols;
    const int32_t end = first + (int32_t)window->kernel_cols;
    const int inside = first >= 0 && end <= in_cols && stride_bytes == channels;

    for (uint32_t ky = 0; ky < window->kernel_rows; ++ky) {
        if (inside) {
            to = append(to, rows[ky] + (size_t)first * channels, window->kernel_cols * channels);
            continue;
        }
        for (int32_t col = first; col < end; ++col) {
            const uint8_t *from = layer->pad_pixel;
            if (col >= 0 && col < in_cols) {
                from = rows[ky] + (size_t)col * stride_bytes;
            }
            to = append(to, from, channels);
        }
    }
}

/* The same where pixels are whole blocks, to where they belong. */
static S2C_MVE_NOINLINE void place(const s2c_conv2d *layer, const uint8_t *const *rows, int32_t first,
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

/* The windows of a group, all of them inside the row, where the channels are no whole blocks. */
static S2C_MVE_NOINLINE void gather_inside(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t first,
                          uint32_t group, int8_t *scratch)
{
    const s2c_window *window = &layer->window;
    const uint32_t blocks = s2c_mve_blocks(s2c_mve_taps(window));
    const uint32_t segment = (uint32_t)window->kernel_cols * window->in_channels;
    const uint32_t step = (uint32_t)window->stride_cols * window->in_channels;
    uint8_t *const gathered = (uint8_t *)scratch + 4u * S2C_MVE_BLOCK * blocks;
    size_t at = (size_t)first * window->in_channels;

    for (uint32_t p = 0; p < group; ++p) {
        uint8_t *to = gathered;
        /* What a row writes too much, the next one overwrites. */
        for (uint32_t ky = 0; ky < window->kernel_rows; ++ky) {
            const uint8_t *const from = rows[ky] + at;
            for (uint32_t k = 0; k < segment; k += S2C_MVE_BLOCK) {
                copy_block(to + k, from + k);
            }
            to += segment;
        }
        (void)spread(scratch, gathered, blocks, group * S2C_MVE_BLOCK);
        scratch += S2C_MVE_BLOCK;
        at += step;
    }
}

/* The same for three rows of up to 16 taps each that fill two blocks: 3x3 of three channels. */
static S2C_MVE_NOINLINE void gather_three(const s2c_conv2d *layer, const uint8_t *const *rows,
                                          uint32_t first, uint32_t group, int8_t *scratch)
{
    const s2c_window *window = &layer->window;
    const uint32_t segment = (uint32_t)window->kernel_cols * window->in_channels;
    const uint32_t step = (uint32_t)window->stride_cols * window->in_channels;
    const size_t at = (size_t)first * window->in_channels;
    const uint8_t *top = rows[0] + at;
    const uint8_t *middle = rows[1] + at;
    const uint8_t *bottom = rows[2] + at;
    uint8_t *const gathered = (uint8_t *)scratch + 8u * S2C_MVE_BLOCK;

    for (uint32_t p = 0; p < group; ++p) {
        copy_block(gathered, top);
        copy_block(gathered + segment, middle);
        copy_block(gathered + 2u * segment, bottom);
        (void)spread(scratch, gathered, 1u, 0u);
        (void)spread(scratch + group * S2C_MVE_BLOCK, gathered + S2C_MVE_BLOCK, 1u, 0u);
        scratch += S2C_MVE_BLOCK;
        top += step;
        middle += step;
        bottom += step;
    }
}

void s2c_pixels__mve(const s2c_window *window, const uint8_t *from, uint32_t group, int8_t *columns)
{
    const uint32_t step = window->in_stride_bytes;

    for (uint32_t left = window->in_channels; left != 0u; left -= S2C_MVE_BLOCK) {
        const uint8_t *pixel = from;
        for (uint32_t p = 0; p < 3u; ++p) {
            (void)spread(columns, pixel, 1u, 0u);
            columns += S2C_MVE_BLOCK;
            pixel += step;
        }
        if (group == 4u) {
            (void)spread(columns, pixel, 1u, 0u);
            columns += S2C_MVE_BLOCK;
        }
        from += S2C_MVE_BLOCK;
    }
}

/* Windows that begin at column `first`, all of them inside the row, for a group at once. */
static void whole_group(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t first,
                        uint32_t group, int8_t *scratch)
{
    const s2c_window *window = &layer->window;
    const uint32_t segment = (uint32_t)window->kernel_cols * window->in_channels;

    if (window->kernel_rows == 3u && segment <= S2C_MVE_BLOCK &&
        s2c_mve_blocks(s2c_mve_taps(window)) == 2u) {
        gather_three(layer, rows, first, group, scratch);
    } else {
        gather_inside(layer, rows, first, group, scratch);
    }
}

uint32_t s2c_columns_whole__mve(const s2c_window *window)
{
    const uint32_t segment = (uint32_t)window->kernel_cols * window->in_channels;
    const uint32_t read = s2c_mve_blocks(segment) * S2C_MVE_BLOCK;
    const uint32_t row = (uint32_t)window->in_cols * window->in_channels;

    if (window->in_stride_bytes != window->in_channels || read > row ||
        window->in_channels % S2C_MVE_BLOCK == 0u) {
        return 0;
    }
    return (row - read) / window->in_channels + 1u;
}

/* Window by window, wherever they are. */
static S2C_MVE_NOINLINE void by_window(const s2c_conv2d *layer, const uint8_t *const *rows,
                                       int32_t first, uint32_t pixels, uint32_t group,
                                       int8_t *scratch)
{
    const s2c_window *window = &layer->window;
    const uint32_t blocks = s2c_mve_blocks(s2c_mve_taps(window));
    const uint32_t to_bytes = group * S2C_MVE_BLOCK;

    for (uint32_t p = 0; p < group; ++p) {
        int8_t *const to = scratch + p * S2C_MVE_BLOCK;
        if (window->in_channels % S2C_MVE_BLOCK == 0u) {
            place(layer, rows, first, to, to_bytes);
        } else {
            uint8_t *const gathered = (uint8_t *)scratch + 4u * S2C_MVE_BLOCK * blocks;
            gather(layer, rows, first, gathered);
            (void)spread(to, gathered, blocks, to_bytes);
        }
        if (p + 1u < pixels) {
            first += (int32_t)window->stride_cols;
        }
    }
}

void s2c_columns__mve(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t out_col,
                      uint32_t pixels, uint32_t group, uint32_t whole, int8_t *scratch)
{
    const s2c_window *window = &layer->window;
    const int32_t first = (int32_t)(out_col * window->stride_cols) - (int32_t)window->pad_left;

    if (pixels == group && first >= 0 &&
        (uint32_t)first + (group - 1u) * window->stride_cols < whole) {
        whole_group(layer, rows, (uint32_t)first, group, scratch);
        return;
    }
    by_window(layer, rows, first, pixels, group, scratch);
}
