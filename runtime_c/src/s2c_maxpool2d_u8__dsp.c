/* Maximum over windows of uint8 pixels, four channels at a time, for cores with the DSP extension. */
#include <stddef.h>

#include "s2c_dsp.h"
#include "s2c_kernels.h"

/* What neighbouring columns of one row do to one pixel of output. */
typedef struct {
    const uint8_t *from;
    uint32_t stride_bytes;
    uint32_t channels;
    uint32_t keep;
} pool_row;

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void one_column(uint8_t *out, const pool_row *row, const uint8_t *from, uint32_t keep)
{
    uint32_t c = 0;

    for (; c + 4u <= row->channels; c += 4u) {
        const uint32_t x = s2c_load_word(from + c);
        s2c_store_word(out + c, keep ? s2c_umax8(x, s2c_load_word(out + c)) : x);
    }
    for (; c < row->channels; ++c) {
        out[c] = (uint8_t)larger(from[c], keep ? out[c] : 0u);
    }
}

/* The usual window: three columns and what is kept, a word of which is in registers. */
static void three_columns(uint8_t *out, const pool_row *row)
{
    const uint8_t *left = row->from;
    const uint8_t *middle = left + row->stride_bytes;
    const uint8_t *right = middle + row->stride_bytes;
    /* A row that keeps nothing takes its first column twice instead. */
    const uint8_t *kept = row->keep ? out : left;
    const uint8_t *const end = out + row->channels;
    const uint8_t *const end_of_words = out + (row->channels & ~3u);

    while (out < end_of_words) {
        uint32_t x = s2c_umax8(s2c_load_word(left), s2c_load_word(middle));
        x = s2c_umax8(x, s2c_load_word(right));
        s2c_store_word(out, s2c_umax8(x, s2c_load_word(kept)));
        left += 4;
        middle += 4;
        right += 4;
        kept += 4;
        out += 4;
    }
    for (; out < end; ++out) {
        *out = (uint8_t)larger(larger(*left++, *middle++), larger(*right++, *kept++));
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
    pool_row row = {NULL, window->in_stride_bytes, window->in_channels, 0u};

    for (uint32_t x = 0; x < window->out_cols; ++x) {
        const int32_t left = (int32_t)(x * window->stride_cols) - (int32_t)window->pad_left;
        const int32_t right = left + (int32_t)window->kernel_cols;
        const int32_t first = left > 0 ? left : 0;
        const int32_t end = right < in_cols ? right : in_cols;
        uint8_t *const out = out_row + (size_t)x * window->out_stride_bytes;

        row.keep = keep;
        for (uint32_t i = 0; i < row_count; ++i) {
            row.from = rows[i] + (size_t)first * row.stride_bytes;
            if (end - first == 3) {
                three_columns(out, &row);
            } else {
                const uint8_t *from = row.from;
                for (int32_t col = first; col < end; ++col) {
                    one_column(out, &row, from, row.keep || col > first);
                    from += row.stride_bytes;
                }
            }
            row.keep = 1u;
        }
        if (row.keep == 0u) {
            clear(out, row.channels);
        }
    }
}
