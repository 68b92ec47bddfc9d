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

/* Three rows of three columns, in whole vectors. */
static S2C_MVE_NOINLINE void nine_pixels(uint8_t *out, const uint8_t *const *rows,
                                         size_t first_bytes, uint32_t stride_bytes,
                                         uint32_t channels)
{
    const uint8_t *left_0 = rows[0] + first_bytes;
    const uint8_t *left_1 = rows[1] + first_bytes;
    const uint8_t *left_2 = rows[2] + first_bytes;
    const uint8_t *middle_0 = left_0 + stride_bytes;
    const uint8_t *middle_1 = left_1 + stride_bytes;
    const uint8_t *middle_2 = left_2 + stride_bytes;
    const uint8_t *right_0 = middle_0 + stride_bytes;
    const uint8_t *right_1 = middle_1 + stride_bytes;
    const uint8_t *right_2 = middle_2 + stride_bytes;

    for (uint32_t blocks = channels / S2C_MVE_BLOCK; blocks != 0u; --blocks) {
        const uint8x16_t most =
            vmaxq_u8(largest(left_0, middle_0, right_0), largest(left_1, middle_1, right_1));
        vst1q_u8(out, vmaxq_u8(most, largest(left_2, middle_2, right_2)));
        left_0 += S2C_MVE_BLOCK;
        left_1 += S2C_MVE_BLOCK;
        left_2 += S2C_MVE_BLOCK;
        middle_0 += S2C_MVE_BLOCK;
        middle_1 += S2C_MVE_BLOCK;
        middle_2 += S2C_MVE_BLOCK;
        right_0 += S2C_MVE_BLOCK;
        right_1 += S2C_MVE_BLOCK;
        right_2 += S2C_MVE_BLOCK;
        out += S2C_MVE_BLOCK;
    }
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

void s2c_maxpool2d_u8__mve(const s2c_window *window, const uint8_t *const *rows,
                           uint32_t row_count, uint32_t keep, uint8_t *out_row)
{
    const int32_t in_cols = (int32_t)window->in_cols;
    const int32_t kernel_cols = (int32_t)window->kernel_cols;
    const uint32_t channels = window->in_channels;
    const uint32_t stride_bytes = window->in_stride_bytes;
    int32_t left = -(int32_t)window->pad_left;
    uint8_t *out = out_row;

    for (uint32_t x = window->out_cols; x != 0u; --x) {
        const int32_t right = left + kernel_cols;
        const int32_t first = left > 0 ? left : 0;
        const int32_t end = right < in_cols ? right : in_cols;
        uint32_t kept = keep;

#if S2C_MVE_NATIVE
        if (row_count == 3u && end - first == 3 && kept == 0u && channels % S2C_MVE_BLOCK == 0u) {
            nine_pixels(out, rows, (size_t)first * stride_bytes, stride_bytes, channels);
            left += (int32_t)window->stride_cols;
            out += window->out_stride_bytes;
            continue;
        }
#endif
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
