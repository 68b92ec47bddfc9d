/* Maximum over windows of uint8 pixels, four channels at a time, for cores without the DSP extension. */
#include <stddef.h>

#include "s2c_kernels.h"
#include "s2c_m3.h"

#define HIGH_BITS 0x80808080u

/*
 * The larger of each pair of bytes. A byte of `below` keeps its high bit where x is not
 * smaller than y in the lower seven bits; high bits decide where they differ.
 */
static inline uint32_t larger(uint32_t x, uint32_t y)
{
    const uint32_t below = (x | HIGH_BITS) - (y & ~HIGH_BITS);
    const uint32_t differ = x ^ y;
    const uint32_t keeps = ((differ & x) | (~differ & below)) & HIGH_BITS;
    const uint32_t mask = (keeps << 1) - (keeps >> 7);

    return y ^ (differ & mask);
}

static inline uint32_t larger_byte(uint32_t x, uint32_t y)
{
    return x > y ? x : y;
}

static void one_column(uint8_t *out, const uint8_t *from, uint32_t channels, uint32_t keep)
{
    uint32_t c = 0;

    for (; c + 4u <= channels; c += 4u) {
        const uint32_t x = s2c_m3_load_word(from + c);
        s2c_m3_store_word(out + c, keep ? larger(x, s2c_m3_load_word(out + c)) : x);
    }
    for (; c < channels; ++c) {
        out[c] = (uint8_t)larger_byte(from[c], keep ? out[c] : 0u);
    }
}

/* The usual window: three columns and with `keep` what there is. */
static void three_columns(uint8_t *out, const uint8_t *left, uint32_t stride_bytes,
                          uint32_t channels, uint32_t keep)
{
    const uint8_t *middle = left + stride_bytes;
    const uint8_t *right = middle + stride_bytes;

    for (; channels >= 4u; channels -= 4u) {
        uint32_t most = larger(s2c_m3_load_word(left), s2c_m3_load_word(middle));
        most = larger(most, s2c_m3_load_word(right));
        s2c_m3_store_word(out, keep ? larger(most, s2c_m3_load_word(out)) : most);
        left += 4;
        middle += 4;
        right += 4;
        out += 4;
    }
    for (; channels != 0u; --channels) {
        const uint32_t most = larger_byte(larger_byte(*left++, *middle++), *right++);
        *out = (uint8_t)larger_byte(most, keep ? *out : 0u);
        ++out;
    }
}

void s2c_maxpool2d_u8__m3(const s2c_window *window, const uint8_t *const *rows,
                          uint32_t row_count, uint32_t keep, uint8_t *out_row)
{
    const uint32_t channels = window->in_channels;
    const uint32_t stride_bytes = window->in_stride_bytes;
    const int32_t in_cols = (int32_t)window->in_cols;
    int32_t left = -(int32_t)window->pad_left;
    uint8_t *out = out_row;

    for (uint32_t x = 0; x < window->out_cols; ++x) {
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
