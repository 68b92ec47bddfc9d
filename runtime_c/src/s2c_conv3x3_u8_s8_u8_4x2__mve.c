/*
 * 3x3 convolution with strides of 1 for Helium. What a row of a window and 16 channels contribute to
 * neighbouring pixels overlaps: six vectors of inputs and six of weights make 24 products.
 */
#include "s2c_conv2d_mve.h"
#include "s2c_mve_assembler.h"

#if S2C_MVE_NATIVE
#pragma GCC diagnostic ignored "-Woverlength-strings"

#include <arm_mve.h>

/* `first`: for the first product of a sum; `mla`: for those that are added. */
#define STEP_4(first, mla)                                       \
    S2C_LOAD("q6", "r1") S2C_LOAD("q0", "r3")                     \
    first " r0, q6, q0\n\t" S2C_LOAD("q3", "r3")                  \
    first " r8, q6, q3\n\t" S2C_LOAD("q7", "r1")                  \
    first " r2, q7, q0\n\t" S2C_LOAD("q1", "r3")                  \
    first " r10, q7, q3\n\t" S2C_LOAD("q4", "r3")                 \
    mla " r0, q7, q1\n\t" S2C_LOAD("q6", "r1")                    \
    mla " r8, q7, q4\n\t"                                        \
    first " r4, q6, q0\n\t" S2C_LOAD("q2", "r3")                  \
    first " r12, q6, q3\n\t" S2C_LOAD("q5", "r3")                 \
    mla " r2, q6, q1\n\t"                                        \
    mla " r10, q6, q4\n\t" S2C_LOAD("q7", "r1")                   \
    mla " r0, q6, q2\n\t"                                        \
    mla " r8, q6, q5\n\t"                                        \
    first " r6, q7, q0\n\t"                                      \
    first " lr, q7, q3\n\t" S2C_LOAD("q6", "r1")                  \
    mla " r4, q7, q1\n\t"                                        \
    mla " r12, q7, q4\n\t"                                       \
    mla " r2, q7, q2\n\t"                                        \
    mla " r10, q7, q5\n\t" S2C_LOAD("q7", "r1")                   \
    mla " r6, q6, q1\n\t"                                        \
    mla " lr, q6, q4\n\t"                                        \
    mla " r4, q6, q2\n\t"                                        \
    mla " r12, q6, q5\n\t"                                       \
    mla " r6, q7, q2\n\t"                                        \
    mla " lr, q7, q5\n\t"

#define STEP_3(first, mla)                                       \
    S2C_LOAD("q6", "r1") S2C_LOAD("q0", "r3")                     \
    first " r0, q6, q0\n\t" S2C_LOAD("q3", "r3")                  \
    first " r8, q6, q3\n\t" S2C_LOAD("q7", "r1")                  \
    first " r2, q7, q0\n\t" S2C_LOAD("q1", "r3")                  \
    first " r10, q7, q3\n\t" S2C_LOAD("q4", "r3")                 \
    mla " r0, q7, q1\n\t" S2C_LOAD("q6", "r1")                    \
    mla " r8, q7, q4\n\t"                                        \
    first " r4, q6, q0\n\t" S2C_LOAD("q2", "r3")                  \
    first " r12, q6, q3\n\t" S2C_LOAD("q5", "r3")                 \
    mla " r2, q6, q1\n\t"                                        \
    mla " r10, q6, q4\n\t" S2C_LOAD("q7", "r1")                   \
    mla " r0, q6, q2\n\t"                                        \
    mla " r8, q6, q5\n\t" S2C_LOAD("q6", "r1")                    \
    mla " r4, q7, q1\n\t"                                        \
    mla " r12, q7, q4\n\t"                                       \
    mla " r2, q7, q2\n\t"                                        \
    mla " r10, q7, q5\n\t"                                       \
    mla " r4, q6, q2\n\t"                                        \
    mla " r12, q6, q5\n\t"

#define STEP_BYTES(group) ((group) == 4u ? 144u : 116u)
#define STEPS_PER_TURN 3u

#define SUMS(step, label, entry)           \
    S2C_FIELD("r1", S2C_AT_COLUMNS)        \
    S2C_FIELD("r7", S2C_AT_TURNS)          \
    step("vmladav.s8", "vmladava.s8")      \
    S2C_FIELD("pc", entry)                 \
    ".p2align 2\n"                         \
    label ":\n\t"                          \
    step("vmladava.s8", "vmladava.s8")     \
    step("vmladava.s8", "vmladava.s8")     \
    step("vmladava.s8", "vmladava.s8")     \
    "subs r7, r7, #1\n\t"                  \
    "bne.w " label "b\n\t"

/* All vectors are in use, so sums of the first two channels wait in memory. Three pixels have four. */
#define PARK_4 "stmia.w r1, {r0, r2, r4, r6, r8, r10, r12, lr}\n\t"
#define PARK_3         \
    "mov r6, r4\n\t"   \
    "mov lr, r12\n\t" PARK_4

#define ZERO_POINT                       \
    S2C_FIELD("r0", S2C_AT_ZERO_POINT)   \
    "cbz r0, 4f\n\t"                     \
    "vqadd.s16 q4, q4, r0\n\t"           \
    "vqadd.s16 q5, q5, r0\n"             \
    "4:\n\t"

/* The usual number of channels where maps are largest: 16, so three steps. */
#define THREE_STEPS(step, label, entry)    \
    S2C_FIELD("r1", S2C_AT_COLUMNS)        \
    step("vmladav.s8", "vmladava.s8")      \
    step("vmladava.s8", "vmladava.s8")     \
    step("vmladava.s8", "vmladava.s8")

#define PRODUCT(n, begin, sums, end, zero_point)                                  \
    __asm__ volatile(begin                                            \
                     "1:\n\t" sums(STEP_##n, "2", S2C_AT_ENTRY_0)     \
                     "add.w r1, r9, #" S2C_AT_PARKED "\n\t" PARK_##n  \
                     sums(STEP_##n, "3", S2C_AT_ENTRY_1)              \
                     S2C_COLLECT_##n("d0", "d1", "d2", "d3")          \
                     "vldrw.u32 q4, [r9, #" S2C_AT_PARKED "]\n\t"      \
                     "vldrw.u32 q5, [r9, #" S2C_AT_PARKED_4 "]\n\t"    \
                     "vldrw.u32 q7, [r9, #" S2C_AT_OUT "]\n\t"         \
                     S2C_REQUANTISE S2C_NARROW(zero_point)            \
                     "vstrw.32 q4, [q7, #4]!\n\t"                     \
                     "vstrw.32 q7, [r9, #" S2C_AT_OUT "]\n\t"          \
                     S2C_NEXT_QUAD end                                \
                     :                                                \
                     : "r"(at)                                        \
                     : S2C_CLOBBERED)

#define S2C_MVE_MULTIPLY multiply

static void multiply(s2c_mve_product *product, uint32_t group)
{
    register s2c_mve_product *at __asm__("r9") = product;

    if (group == 4u && product->blocks == 9u && product->zero_point == 0u) {
        PRODUCT(4, S2C_BEGIN, THREE_STEPS, "", "");
    } else if (group == 4u) {
        PRODUCT(4, S2C_BEGIN_LOOPS, SUMS, S2C_END_LOOPS, ZERO_POINT);
    } else {
        PRODUCT(3, S2C_BEGIN_LOOPS, SUMS, S2C_END_LOOPS, ZERO_POINT);
    }
}

#endif

/* 16 channels of a pixel, less 128. */
static inline void copy_block(int8_t *to, const uint8_t *from)
{
#if S2C_MVE_NATIVE
    vst1q_u8((uint8_t *)to, veorq_u8(vld1q_u8(from), vdupq_n_u8(0x80)));
#else
    for (uint32_t k = 0; k < S2C_MVE_BLOCK; ++k) {
        to[k] = (int8_t)((int32_t)from[k] - 128);
    }
#endif
}

/* Pixels of a row from `first` on, padded, for `wide` places: of each 16 channels all of them. */
static void copy_padded(const s2c_conv2d *layer, const uint8_t *row, int32_t first, uint32_t wide,
                        int8_t *to)
{
    const s2c_window *window = &layer->window;
    const uint32_t blocks = window->in_channels / S2C_MVE_BLOCK;

    for (uint32_t p = 0; p < wide; ++p) {
        const int32_t col = first + (int32_t)p;
        const uint8_t *from = layer->pad_pixel;
        int8_t *at = to + p * S2C_MVE_BLOCK;

        if (col >= 0 && col < (int32_t)window->in_cols) {
            from = row + (size_t)col * window->in_stride_bytes;
        }
        for (uint32_t block = 0; block < blocks; ++block) {
            copy_block(at, from);
            from += S2C_MVE_BLOCK;
            at += wide * S2C_MVE_BLOCK;
        }
    }
}

/* The same where no pixel is padding. */
static void copy_inside(const s2c_conv2d *layer, const uint8_t *row, uint32_t first, uint32_t wide,
                        int8_t *to)
{
    const s2c_window *window = &layer->window;
    const uint32_t stride_bytes = window->in_stride_bytes;
    const uint8_t *from = row + (size_t)first * stride_bytes;

    for (uint32_t left = window->in_channels; left != 0u; left -= S2C_MVE_BLOCK) {
        const uint8_t *pixel = from;
        for (uint32_t p = 0; p < 5u; ++p) {
            copy_block(to, pixel);
            pixel += stride_bytes;
            to += S2C_MVE_BLOCK;
        }
        if (wide == 6u) {
            copy_block(to, pixel);
            to += S2C_MVE_BLOCK;
        }
        from += S2C_MVE_BLOCK;
    }
}

/* As s2c_mve_sum, for columns and weights of 3x3 windows. */
static int32_t sum_of(const s2c_conv2d *layer, const int8_t *columns, uint32_t group,
                      uint32_t pixel, uint32_t channel)
{
    const uint32_t steps = 3u * layer->window.in_channels / S2C_MVE_BLOCK;
    const int8_t *weights = s2c_mve_weights_of(layer, channel);
    const int8_t *column = columns + pixel * S2C_MVE_BLOCK;
    int32_t acc = layer->bias[s2c_mve_bias_at(channel)];

    for (uint32_t step = 0; step < steps; ++step) {
        for (uint32_t kx = 0; kx < 3u; ++kx) {
            for (uint32_t i = 0; i < S2C_MVE_BLOCK; ++i) {
                acc += (int32_t)weights[i] * column[kx * S2C_MVE_BLOCK + i];
            }
            weights += 2u * S2C_MVE_BLOCK;
        }
        column += (group + 2u) * S2C_MVE_BLOCK;
    }
    return acc;
}

#define S2C_MVE_SUM_OF sum_of
#include "s2c_mve_outputs.h"

/*
 * `count` groups of `group` pixels each from `col` on. Where the row ends within the last one, it
 * begins earlier, and computes some pixels once more; unless it is longer than the row.
 */
static void groups_of(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t col,
                      uint32_t count, uint32_t group, int8_t *columns, uint8_t *out_row)
{
    const s2c_window *window = &layer->window;
    const uint32_t cols = window->out_cols;
    const uint32_t wide = group + 2u;
    const size_t row_bytes = (size_t)wide * window->in_channels;
#if S2C_MVE_NATIVE
    const int plain = layer->shift != S2C_MVE_SHIFT || layer->clamp_min != 0u;
    const int words = s2c_mve_stores_words(window, out_row);
    s2c_mve_product product;

    s2c_mve_begin__mve(&product, layer, columns, 3u * window->in_channels / S2C_MVE_BLOCK,
                       STEPS_PER_TURN, STEP_BYTES(group));
    s2c_mve_select__mve(&product, layer, 0, window->out_channels / S2C_MVE_QUAD);
#else
    const int plain = 1;
#endif
    for (; count != 0u; --count) {
        const uint32_t last = cols > group ? cols - group : 0u;
        const uint32_t from = col < last ? col : last;
        const uint32_t pixels = cols < group ? cols : group;
        const int32_t first = (int32_t)from - (int32_t)window->pad_left;
        uint8_t *const out = out_row + (size_t)from * window->out_stride_bytes;

        for (uint32_t ky = 0; ky < 3u; ++ky) {
            int8_t *const to = columns + ky * row_bytes;
            if (first >= 0 && first + (int32_t)wide <= (int32_t)window->in_cols) {
                copy_inside(layer, rows[ky], (uint32_t)first, wide, to);
            } else {
                copy_padded(layer, rows[ky], first, wide, to);
            }
        }
        if (plain) {
            s2c_mve_outputs_plain(layer, columns, group, pixels, out);
        }
#if S2C_MVE_NATIVE
        else {
            s2c_mve_outputs(&product, layer, words && pixels == group, group, pixels, out);
        }
#endif
        col += group;
    }
}

void s2c_conv3x3_u8_s8_u8_4x2__mve(const s2c_conv2d *layer, const uint8_t *const *rows,
                                   int16_t *scratch, uint8_t *out_row)
{
    const s2c_mve_groups groups = s2c_mve_groups_of(layer->window.out_cols);
    if (groups.fours != 0u) {
        groups_of(layer, rows, 0, groups.fours, 4u, (int8_t *)scratch, out_row);
    }
    if (groups.threes != 0u) {
        groups_of(layer, rows, 4u * groups.fours, groups.threes, 3u, (int8_t *)scratch, out_row);
    }
}
