/* Maximum over windows of uint8 pixels for Helium, sixteen channels at a time. */
#include <stddef.h>
#include <string.h>

#include "s2c_conv2d_mve.h"
#include "s2c_kernels.h"

#if S2C_MVE_NATIVE

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
