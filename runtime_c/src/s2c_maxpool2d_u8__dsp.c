/* Maximum over windows of uint8 pixels, four channels at a time, for cores with the DSP extension. */
#include <stddef.h>

#include "s2c_dsp.h"
#include "s2c_kernels.h"

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* One column of a window into a pixel of output, and into what that holds with `keep`. */
static void one_column(uint8_t *out, const uint8_t *from, uint32_t channels, uint32_t keep)
{
    uint32_t c = 0;

    for (; c + 4u <= channels; c += 4u) {
        const uint32_t x = s2c_load_word(from + c);
        s2c_store_word(out + c, keep ? s2c_umax8(x, s2c_load_word(out + c)) : x);
    }
    for (; c < channels; ++c) {
        out[c] = (uint8_t)larger(from[c], keep ? out[c] : 0u);
    }
}

#if S2C_DSP_NATIVE

#define LARGER                            \
    "usub8 %[z], %[x], %[y]\n\t"          \
    "sel %[x], %[x], %[y]\n\t"

#define THREE_WORDS                       \
    "ldr %[x], [%[left]], #4\n\t"         \
    "ldr %[y], [%[middle]], #4\n\t" LARGER \
    "ldr %[y], [%[right]], #4\n\t" LARGER

#define STORE "str %[x], [%[out]], #4\n\t"
#define KEEP "ldr %[y], [%[out]]\n\t" LARGER

/* `pairs` times two words, at least one. A macro, because `keep` decides on instructions. */
#define MAXIMA(keep)                                                                          \
    __asm__ volatile("1:\n\t" THREE_WORDS keep STORE                                          \
                     THREE_WORDS keep STORE                                                   \
                     "subs %[pairs], %[pairs], #1\n\t"                                         \
                     "bne 1b\n\t"                                                             \
                     : [out] "+&r"(out), [left] "+&r"(left), [middle] "+&r"(middle),          \
                       [right] "+&r"(right), [pairs] "+&r"(pairs), [x] "=&r"(x), [y] "=&r"(y), \
                       [z] "=&r"(z)                                                           \
                     :                                                                        \
                     : "cc", "memory")

#endif

/* The usual window: three columns and with `keep` what there is, a word of which is in registers. */
static void three_columns(uint8_t *out, const uint8_t *left, uint32_t stride_bytes,
                          uint32_t channels, uint32_t keep)
{
    const uint8_t *middle = left + stride_bytes;
    const uint8_t *right = middle + stride_bytes;
#if S2C_DSP_NATIVE
    uint32_t pairs = channels / 8u;
    uint32_t x, y, z;

    if (pairs != 0u && keep != 0u) {
        MAXIMA(KEEP);
    } else if (pairs != 0u) {
        MAXIMA("");
    }
    channels %= 8u;
#endif
    for (; channels >= 4u; channels -= 4u) {
        uint32_t most = s2c_umax8(s2c_load_word(left), s2c_load_word(middle));
        most = s2c_umax8(most, s2c_load_word(right));
        s2c_store_word(out, keep ? s2c_umax8(most, s2c_load_word(out)) : most);
        left += 4;
        middle += 4;
        right += 4;
        out += 4;
    }
    for (; channels != 0u; --channels) {
        const uint32_t most = larger(larger(*left++, *middle++), *right++);
        *out = (uint8_t)larger(most, keep ? *out : 0u);
        ++out;
    }
}

static void clear(uint8_t *out, uint32_t channels)
{
    for (uint32_t c = 0; c < channels; ++c) {
        out[c] = 0;
    }
}

void s2c_maxpool2d_u8__dsp(const s2c_window *window, const uint8_t *const *rows,
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
            clear(out, channels);
        }
        left += (int32_t)window->stride_cols;
        out += window->out_stride_bytes;
    }
}
