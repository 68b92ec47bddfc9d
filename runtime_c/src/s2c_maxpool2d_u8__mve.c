/* Maximum over windows of uint8 pixels for Helium, sixteen channels at a time. */
#include <stddef.h>
#include <string.h>

#include "s2c_conv2d_mve.h"
#include "s2c_kernels.h"

#if S2C_MVE_NATIVE

#include <arm_mve.h>

#define NEXT(q, r) "vldrb.u8 " q ", [%[" r "]], #16\n\t"
#define KEEP                        \
    "vldrb.u8 q3, [%[out]]\n\t"     \
    "vmax.u8 q0, q0, q3\n\t"

/* One column, or three; the last vector is as long as channels are left. */
#define ONE(keep)                                                                       \
    __asm__ volatile("dlstp.8 lr, %[channels]\n"                                        \
                     "1:\n\t" NEXT("q0", "from") keep "vstrb.8 q0, [%[out]], #16\n\t"    \
                     "letp lr, 1b\n\t"                                                  \
                     : [out] "+&r"(out), [from] "+&r"(from)                             \
                     : [channels] "r"(channels)                                         \
                     : "lr", "d0", "d1", "d6", "d7", "memory")

#define THREE(keep)                                                                     \
    __asm__ volatile("dlstp.8 lr, %[channels]\n"                                        \
                     "1:\n\t" NEXT("q0", "from") NEXT("q1", "middle")                    \
                     "vmax.u8 q0, q0, q1\n\t" NEXT("q2", "right")                        \
                     "vmax.u8 q0, q0, q2\n\t" keep "vstrb.8 q0, [%[out]], #16\n\t"       \
                     "letp lr, 1b\n\t"                                                  \
                     : [out] "+&r"(out), [from] "+&r"(from), [middle] "+&r"(middle),    \
                       [right] "+&r"(right)                                             \
                     : [channels] "r"(channels)                                         \
                     : "lr", "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "memory")

static inline uint8x16_t largest(const uint8_t *left, const uint8_t *middle, const uint8_t *right)
{
    return vmaxq_u8(vmaxq_u8(vld1q_u8(left), vld1q_u8(middle)), vld1q_u8(right));
}

/* Three rows of three columns in whole vectors, for `pixels` windows side by side. */
static S2C_MVE_NOINLINE void nine_pixels(const s2c_window *window, const uint8_t *const *rows,
                                         size_t first_bytes, uint32_t pixels, uint8_t *out)
{
    const uint32_t stride_bytes = window->in_stride_bytes;
    const uint32_t step = window->stride_cols * stride_bytes;
    const uint8_t *row_0 = rows[0] + first_bytes;
    const uint8_t *row_1 = rows[1] + first_bytes;
    const uint8_t *row_2 = rows[2] + first_bytes;

    for (; pixels != 0u; --pixels) {
        const uint8_t *left_0 = row_0;
        const uint8_t *left_1 = row_1;
        const uint8_t *left_2 = row_2;
        const uint8_t *middle_0 = left_0 + stride_bytes;
        const uint8_t *middle_1 = left_1 + stride_bytes;
        const uint8_t *middle_2 = left_2 + stride_bytes;
        const uint8_t *right_0 = middle_0 + stride_bytes;
        const uint8_t *right_1 = middle_1 + stride_bytes;
        const uint8_t *right_2 = middle_2 + stride_bytes;
        uint8_t *to = out;

        for (uint32_t blocks = window->in_channels / S2C_MVE_BLOCK; blocks != 0u; --blocks) {
            const uint8x16_t most =
                vmaxq_u8(largest(left_0, middle_0, right_0), largest(left_1, middle_1, right_1));
            vst1q_u8(to, vmaxq_u8(most, largest(left_2, middle_2, right_2)));
            left_0 += S2C_MVE_BLOCK;
            left_1 += S2C_MVE_BLOCK;
            left_2 += S2C_MVE_BLOCK;
            middle_0 += S2C_MVE_BLOCK;
            middle_1 += S2C_MVE_BLOCK;
            middle_2 += S2C_MVE_BLOCK;
            right_0 += S2C_MVE_BLOCK;
            right_1 += S2C_MVE_BLOCK;
            right_2 += S2C_MVE_BLOCK;
            to += S2C_MVE_BLOCK;
        }
        row_0 += step;
        row_1 += step;
        row_2 += step;
        out += window->out_stride_bytes;
    }
}

/* How many windows from the one at column `first` on, at most `pixels`, end inside the row. */
static uint32_t windows_inside(const s2c_window *window, int32_t first, uint32_t pixels)
{
    uint32_t count;

    if (first < 0 || first + 3 > (int32_t)window->in_cols || window->kernel_cols != 3u) {
        return 0;
    }
    count = ((uint32_t)window->in_cols - 3u - (uint32_t)first) / window->stride_cols + 1u;
    return count < pixels ? count : pixels;
}

static inline void one_column(uint8_t *out, const uint8_t *from, uint32_t channels, uint32_t keep)
{
    if (keep != 0u) {
        ONE(KEEP);
    } else {
        ONE("");
    }
}

static inline void three_columns(uint8_t *out, const uint8_t *from, uint32_t stride_bytes,
                                 uint32_t channels, uint32_t keep)
{
    const uint8_t *middle = from + stride_bytes;
    const uint8_t *right = middle + stride_bytes;

    if (keep != 0u) {
        THREE(KEEP);
    } else {
        THREE("");
    }
}

#else

static void one_column(uint8_t *out, const uint8_t *from, uint32_t channels, uint32_t keep)
{
    for (uint32_t c = 0; c < channels; ++c) {
        if (keep == 0u || from[c] > out[c]) {
            out[c] = from[c];
        }
    }
}

static void three_columns(uint8_t *out, const uint8_t *from, uint32_t stride_bytes,
                          uint32_t channels, uint32_t keep)
{
    one_column(out, from, channels, keep);
    one_column(out, from + stride_bytes, channels, 1u);
    one_column(out, from + 2u * (size_t)stride_bytes, channels, 1u);
}

#endif

/* Windows at column `left` and so on, `pixels` of them, as far as they are inside the row. */
static void any_pixels(const s2c_window *window, const uint8_t *const *rows, uint32_t row_count,
                       uint32_t keep, int32_t left, uint32_t pixels, uint8_t *out)
{
    const int32_t in_cols = (int32_t)window->in_cols;
    const uint32_t channels = window->in_channels;
    const uint32_t stride_bytes = window->in_stride_bytes;

    for (; pixels != 0u; --pixels) {
        const int32_t right = left + (int32_t)window->kernel_cols;
        const int32_t first = left > 0 ? left : 0;
        const int32_t end = right < in_cols ? right : in_cols;
        uint32_t kept = keep;

        for (uint32_t i = 0; i < row_count; ++i) {
            const uint8_t *from = rows[i] + (size_t)first * stride_bytes;
            if (end - first == 3) {
                three_columns(out, from, stride_bytes, channels, kept);
            } else {
                for (int32_t col = first; col < end; ++col) {
                    one_column(out, from, channels, kept != 0u || col > first);
                    from += stride_bytes;
                }
            }
            kept = 1u;
        }
        if (kept == 0u) {
            memset(out, 0, channels);
        }
        left += (int32_t)window->stride_cols;
        out += window->out_stride_bytes;
    }
}

void s2c_maxpool2d_u8__mve(const s2c_window *window, const uint8_t *const *rows,
                           uint32_t row_count, uint32_t keep, uint8_t *out_row)
{
    const uint32_t cols = window->out_cols;
    const int32_t left = -(int32_t)window->pad_left;

#if S2C_MVE_NATIVE
    if (row_count == 3u && keep == 0u && window->in_channels % S2C_MVE_BLOCK == 0u) {
        const uint32_t stride = window->stride_cols;
        const uint32_t outside = (window->pad_left + stride - 1u) / stride;
        const uint32_t before = cols < outside ? cols : outside;
        const int32_t first = left + (int32_t)(before * stride);
        const uint32_t inside = windows_inside(window, first, cols - before);
        uint8_t *const out = out_row + (size_t)before * window->out_stride_bytes;

        any_pixels(window, rows, row_count, keep, left, before, out_row);
        if (inside != 0u) {
            nine_pixels(window, rows, (size_t)first * window->in_stride_bytes, inside, out);
        }
        any_pixels(window, rows, row_count, keep, first + (int32_t)(inside * stride),
                   cols - before - inside, out + (size_t)inside * window->out_stride_bytes);
        return;
    }
#endif
    any_pixels(window, rows, row_count, keep, left, cols, out_row);
}
