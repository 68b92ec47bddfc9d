/* Maximum over windows of uint8 pixels, for Cortex-M0. */
#include <stddef.h>

#include "s2c_conv2d_m0.h"
#include "s2c_kernels.h"

/* One column of a window into a pixel of output, and into what that holds with `keep`. */
static void one_column(uint8_t *out, const uint8_t *from, uint32_t channels, uint32_t keep)
{
    for (uint32_t c = 0; c < channels; ++c) {
        const uint8_t kept = keep != 0u ? out[c] : 0u;
        out[c] = from[c] > kept ? from[c] : kept;
    }
}

#if S2C_M0_NATIVE

#define LARGER(from)                       \
    "ldrb r6, [" from ", r4]\n\t"          \
    "cmp r6, r5\n\t"                       \
    "bls 2f\n\t"                           \
    "movs r5, r6\n"                        \
    "2:\n\t"

/* Three columns; r4 counts channels up to 0. */
#define MAXIMA(keep)                                                                       \
    __asm__ volatile(".syntax unified\n"                                                  \
                     "1:\n\t"                                                             \
                     "ldrb r5, [r0, r4]\n\t" LARGER("r1") LARGER("r2") keep               \
                     "strb r5, [r3, r4]\n\t"                                              \
                     "adds r4, #1\n\t"                                                    \
                     "bne 1b\n\t"                                                         \
                     : "+r"(left), "+r"(middle), "+r"(right), "+r"(to), "+r"(at)          \
                     :                                                                    \
                     : "r5", "r6", "cc", "memory")

static S2C_M0_NOINLINE void three_columns(uint8_t *out, const uint8_t *from, uint32_t stride_bytes,
                                          uint32_t channels, uint32_t keep)
{
    register const uint8_t *left __asm__("r0") = from + channels;
    register const uint8_t *middle __asm__("r1") = from + stride_bytes + channels;
    register const uint8_t *right __asm__("r2") = from + (size_t)2u * stride_bytes + channels;
    register uint8_t *to __asm__("r3") = out + channels;
    register uint32_t at __asm__("r4") = 0u - channels;

    if (keep != 0u) {
        MAXIMA(LARGER("r3"));
    } else {
        MAXIMA("");
    }
}

#else

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* The usual window. */
static void three_columns(uint8_t *out, const uint8_t *from, uint32_t stride_bytes,
                          uint32_t channels, uint32_t keep)
{
    const uint8_t *const middle = from + stride_bytes;
    const uint8_t *const right = middle + stride_bytes;

    for (uint32_t c = 0; c < channels; ++c) {
        const uint32_t most = larger(larger(from[c], middle[c]), right[c]);
        out[c] = (uint8_t)larger(most, keep != 0u ? out[c] : 0u);
    }
}

#endif

static void clear(uint8_t *out, uint32_t channels)
{
    for (uint32_t c = 0; c < channels; ++c) {
        out[c] = 0;
    }
}

void s2c_maxpool2d_u8__m0(const s2c_window *window, const uint8_t *const *rows, uint32_t row_count,
                          uint32_t keep, uint8_t *out_row)
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
            clear(out, channels);
        }
        left += (int32_t)window->stride_cols;
        out += window->out_stride_bytes;
    }
}
