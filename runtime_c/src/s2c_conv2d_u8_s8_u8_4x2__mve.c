/* Convolution for Helium: four or three pixels by two output channels, 16 taps an instruction. */
#include "s2c_conv2d_mve.h"
#include "s2c_mve_assembler.h"

#if S2C_MVE_NATIVE
#pragma GCC diagnostic ignored "-Woverlength-strings"

#define BLOCKS_PER_TURN 4u

/* Every store leaves the four addresses in q7 at the next quad. Macros, because of their labels. */
#define STORE "vstrw.32 q4, [q7, #4]!\n\t"

#define ANY(n, zero_point)                                                    \
    __asm__ volatile(S2C_BEGIN_LOOPS "vldrw.u32 q7, [r9, #" S2C_AT_OUT "]\n"  \
                     "1:\n\t" S2C_RESULTS(S2C_TURN_OF_4, S2C_BLOCK_##n, S2C_COLLECT_##n) \
                     S2C_NARROW(zero_point) STORE S2C_NEXT_QUAD S2C_END_LOOPS \
                     :                                                       \
                     : "r"(at)                                               \
                     : S2C_CLOBBERED)
/*
 * With one block or two, columns of the first stay in q0 to q3. Sums of one channel, whose weights
 * are in `w`:
 */
#define FIRST_3(w)               \
    "vmladav.s8 r0, q0, " w "\n\t" \
    "vmladav.s8 r2, q1, " w "\n\t" \
    "vmladav.s8 r4, q2, " w "\n\t"
#define FIRST_4(w) FIRST_3(w) "vmladav.s8 r6, q3, " w "\n\t"
#define SECOND_3(w)               \
    "vmladav.s8 r8, q0, " w "\n\t"  \
    "vmladav.s8 r10, q1, " w "\n\t" \
    "vmladav.s8 r12, q2, " w "\n\t"
#define SECOND_4(w) SECOND_3(w) "vmladav.s8 lr, q3, " w "\n\t"

/* Biases and multipliers of two channels, and their results in the halves of `a`. */
#define HALF(a, b)                            \
    "ldmia.w r11!, {r0, r2, r4, r6}\n\t"       \
    "vadd.i32 " a ", " a ", r0\n\t"           \
    "vadd.i32 " b ", " b ", r2\n\t"           \
    "vqrdmulh.s32 " a ", " a ", r4\n\t"       \
    "vqrdmulh.s32 " b ", " b ", r6\n\t"       \
    "vqmovnb.s32 " a ", " a "\n\t"            \
    "vqmovnt.s32 " a ", " b "\n\t"

#define ONE_BLOCK(n)                                                         \
    __asm__ volatile(S2C_FIELD("r3", S2C_AT_WEIGHTS)                         \
                     S2C_FIELD("r1", S2C_AT_COLUMNS)                         \
                     S2C_FIELD("r11", S2C_AT_BIAS)                           \
                     S2C_FIELD("r5", S2C_AT_BIAS_END)                        \
                     "vldrw.u32 q0, [r1]\n\t"                                \
                     "vldrw.u32 q1, [r1, #16]\n\t"                           \
                     "vldrw.u32 q2, [r1, #32]\n\t"                           \
                     "vldrw.u32 q3, [r1, #48]\n\t"                           \
                     "vldrw.u32 q7, [r9, #" S2C_AT_OUT "]\n"                 \
                     "1:\n\t"                                                \
                     "vldrw.u32 q4, [r3]\n\t" FIRST_##n("q4")                \
                     "vldrw.u32 q5, [r3, #32]\n\t" SECOND_##n("q5")          \
                     S2C_COLLECT_##n("d8", "d9", "d10", "d11")               \
                     HALF("q4", "q5")                                        \
                     "vldrw.u32 q5, [r3, #16]\n\t" FIRST_##n("q5")           \
                     "vldrw.u32 q6, [r3, #48]\n\t" SECOND_##n("q6")          \
                     S2C_COLLECT_##n("d10", "d11", "d12", "d13")             \
                     HALF("q5", "q6")                                        \
                     "vqmovunb.s16 q4, q4\n\t"                               \
                     "vqmovunt.s16 q4, q5\n\t" STORE                         \
                     "add.w r3, r3, #64\n\t"                                 \
                     S2C_NEXT_QUAD                                           \
                     :                                                       \
                     : "r"(at)                                               \
                     : S2C_CLOBBERED)

/* Two blocks: what the second one adds to sums of channels with weights `first` and `second`. */
#define ADD(column, at, r, s, first, second)             \
    "vldrw.u32 " column ", [r1, #" at "]\n\t"            \
    "vmladava.s8 " r ", " column ", " first "\n\t"       \
    "vmladava.s8 " s ", " column ", " second "\n\t"
#define SECOND_BLOCK_3(column, first, second)            \
    ADD(column, "48", "r0", "r8", first, second)         \
    ADD(column, "64", "r2", "r10", first, second)        \
    ADD(column, "80", "r4", "r12", first, second)
#define SECOND_BLOCK_4(column, first, second)            \
    ADD(column, "64", "r0", "r8", first, second)         \
    ADD(column, "80", "r2", "r10", first, second)        \
    ADD(column, "96", "r4", "r12", first, second)        \
    ADD(column, "112", "r6", "lr", first, second)

#define TWO_BLOCKS(n)                                                        \
    __asm__ volatile(S2C_FIELD("r1", S2C_AT_COLUMNS) S2C_BEGIN               \
                     "vldrw.u32 q0, [r1]\n\t"                                \
                     "vldrw.u32 q1, [r1, #16]\n\t"                           \
                     "vldrw.u32 q2, [r1, #32]\n\t"                           \
                     "vldrw.u32 q3, [r1, #48]\n"                             \
                     "1:\n\t"                                                \
                     "vldrw.u32 q4, [r3]\n\t" FIRST_##n("q4")                \
                     "vldrw.u32 q5, [r3, #64]\n\t" SECOND_##n("q5")          \
                     "vldrw.u32 q6, [r3, #32]\n\t"                           \
                     "vldrw.u32 q7, [r3, #96]\n\t"                           \
                     SECOND_BLOCK_##n("q4", "q6", "q7")                      \
                     S2C_COLLECT_##n("d8", "d9", "d10", "d11")               \
                     HALF("q4", "q5")                                        \
                     "vldrw.u32 q5, [r3, #16]\n\t" FIRST_##n("q5")           \
                     "vldrw.u32 q6, [r3, #80]\n\t" SECOND_##n("q6")          \
                     "vldrw.u32 q5, [r3, #48]\n\t"                           \
                     "vldrw.u32 q6, [r3, #112]\n\t"                          \
                     SECOND_BLOCK_##n("q7", "q5", "q6")                      \
                     S2C_COLLECT_##n("d10", "d11", "d12", "d13")             \
                     HALF("q5", "q6")                                        \
                     "vldrw.u32 q7, [r9, #" S2C_AT_OUT "]\n\t"               \
                     "vqmovunb.s16 q4, q4\n\t"                               \
                     "vqmovunt.s16 q4, q5\n\t" STORE                         \
                     "vstrw.32 q7, [r9, #" S2C_AT_OUT "]\n\t"                \
                     "add.w r3, r3, #128\n\t" S2C_NEXT_QUAD                  \
                     :                                                       \
                     : "r"(at)                                               \
                     : S2C_CLOBBERED)

static void multiply_four(s2c_mve_product *product)
{
    register s2c_mve_product *at __asm__("r9") = product;

    if (product->zero_point != 0u) {
        ANY(4, S2C_ADD_ZERO_POINT);
    } else if (product->blocks == 1u) {
        ONE_BLOCK(4);
    } else if (product->blocks == 2u) {
        TWO_BLOCKS(4);
    } else {
        ANY(4, "");
    }
}

static void multiply_three(s2c_mve_product *product)
{
    register s2c_mve_product *at __asm__("r9") = product;

    if (product->zero_point != 0u) {
        ANY(3, S2C_ADD_ZERO_POINT);
    } else if (product->blocks == 1u) {
        ONE_BLOCK(3);
    } else if (product->blocks == 2u) {
        TWO_BLOCKS(3);
    } else {
        ANY(3, "");
    }
}

#define S2C_MVE_MULTIPLY multiply

static void multiply(s2c_mve_product *product, uint32_t group)
{
    if (group == 4u) {
        multiply_four(product);
    } else {
        multiply_three(product);
    }
}

#endif

#define S2C_MVE_SUM_OF s2c_mve_sum
#include "s2c_mve_outputs.h"

/* `count` groups of `group` pixels each from `col` on, as far as the row goes. */
static void groups_of(const s2c_conv2d *layer, const uint8_t *const *rows, uint32_t col,
                      uint32_t count, uint32_t group, int8_t *columns, uint8_t *out)
{
    const uint32_t cols = layer->window.out_cols;
    const size_t group_bytes = (size_t)group * layer->window.out_stride_bytes;
    const int alone = s2c_mve_alone(&layer->window);
    const uint32_t whole = s2c_columns_whole__mve(&layer->window);
#if S2C_MVE_NATIVE
    const int plain = layer->shift != S2C_MVE_SHIFT || layer->clamp_min != 0u;
    const int words = s2c_mve_stores_words(&layer->window, out);
    s2c_mve_product product;

    s2c_mve_begin__mve(&product, layer, columns, s2c_mve_blocks(s2c_mve_taps(&layer->window)),
                       BLOCKS_PER_TURN, S2C_BLOCK_BYTES(group));
    s2c_mve_select__mve(&product, layer, 0, layer->window.out_channels / S2C_MVE_QUAD);
#else
    const int plain = 1;
#endif
    for (; count != 0u; --count) {
        const uint32_t pixels = cols - col < group ? cols - col : group;
        if (alone && pixels == group) {
            s2c_pixels__mve(&layer->window, rows[0] + (size_t)col * layer->window.in_stride_bytes,
                            group, columns);
        } else {
            s2c_columns__mve(layer, rows, col, pixels, group, whole, columns);
        }
        if (plain) {
            s2c_mve_outputs_plain(layer, columns, group, pixels, out);
        }
#if S2C_MVE_NATIVE
        else {
            s2c_mve_outputs(&product, layer, words, group, pixels, out);
        }
#endif
        col += group;
        out += group_bytes;
    }
}

void s2c_conv2d_u8_s8_u8_4x2__mve(const s2c_conv2d *layer, const uint8_t *const *rows,
                                  int16_t *scratch, uint8_t *out_row)
{
    const s2c_mve_groups groups = s2c_mve_groups_of(layer->window.out_cols);
    const uint32_t col = 4u * groups.fours;

    if (groups.fours != 0u) {
        groups_of(layer, rows, 0, groups.fours, 4u, (int8_t *)scratch, out_row);
    }
    if (groups.threes != 0u) {
        groups_of(layer, rows, col, groups.threes, 3u, (int8_t *)scratch,
                  out_row + (size_t)col * layer->window.out_stride_bytes);
    }
}
