/*
 * Internal to the convolution kernels for cores with the DSP extension and an FPU: the product
 * of four columns with all pairs of output channels, in assembler.
 *
 * The inner loop takes 11 instructions for 16 multiplications: one LDM for the words of four pixels, one
 * VMOV for the weights, which wait in registers of the FPU sixteen words at a time, eight
 * SMLAD and one SXTB16. That leaves no register over: r0-r3 hold S0 of the four pixels, r4-r7 T,
 * r8-r11 the columns, r12 the weights, lr where the columns are. All else is in s16 and above.
 */
#ifndef S2C_CONV2D_DSP_TILE_H
#define S2C_CONV2D_DSP_TILE_H

#include <stdint.h>

#include "s2c_conv2d_dsp.h"

/* Operands, in the order in which they are loaded into s16 and above. */
typedef struct {
    const uint32_t *weights;     /* s16 */
    const uint32_t *columns_end; /* s17: of whole chunks of S2C_DSP_CHUNK words per pixel */
    const uint32_t *columns;     /* s18 */
    const int32_t *bias;         /* s19 */
    const int32_t *multiplier;   /* s20 */
    void *out;                   /* s21 */
    uint32_t out_stride_bytes;   /* s22 */
    uint32_t zero_point;         /* s23 */
    uint32_t rest;               /* s24: words per pixel behind the last whole chunk, halved */
    void *out_end;               /* s25 */
} s2c_dsp_tile;

#define S2C_DSP_CHUNK 16u

/* Fills in what all tiles of a layer have in common, but for the output. */
static inline s2c_dsp_tile s2c_dsp_tile_of(const s2c_conv2d *layer, const uint32_t *columns)
{
    const uint32_t words = 2u * s2c_dsp_quads(&layer->window);
    s2c_dsp_tile tile;

    tile.weights = (const uint32_t *)(const void *)layer->weights;
    tile.columns_end = columns + (size_t)(words & ~(S2C_DSP_CHUNK - 1u)) * S2C_DSP_PIXELS;
    tile.columns = columns;
    tile.bias = layer->bias;
    tile.multiplier = layer->multiplier;
    tile.out = NULL;
    tile.out_stride_bytes = layer->window.out_stride_bytes;
    tile.zero_point = layer->out_zero_point;
    tile.rest = words % S2C_DSP_CHUNK / 2u;
    tile.out_end = NULL;
    return tile;
}

#define S2C_DSP_WORD(weights)           \
    "vmov r12, " weights "\n\t"         \
    "ldmia lr!, {r8, r9, r10, r11}\n\t" \
    "smlad r4, r8, r12, r4\n\t"         \
    "smlad r5, r9, r12, r5\n\t"         \
    "smlad r6, r10, r12, r6\n\t"        \
    "smlad r7, r11, r12, r7\n\t"        \
    "sxtb16 r12, r12\n\t"               \
    "smlad r0, r8, r12, r0\n\t"         \
    "smlad r1, r9, r12, r1\n\t"         \
    "smlad r2, r10, r12, r2\n\t"        \
    "smlad r3, r11, r12, r3\n\t"

/* Enters the chunk of label 30 so late that only the words from `first` on are multiplied. */
#define S2C_DSP_REST(label, first, entry)  \
    label ":\n\t"                          \
    "vldmia r8!, {" first "-s15}\n\t"      \
    "vmov s16, r8\n\t"                     \
    "b " entry "\n\t"

/*
 * From one pair of channels to its sums: S0 in r0-r3, T in r4-r7. Begins with label 1, where the
 * next pair is to start. r8-r12 and lr are free behind it.
 */
#define S2C_DSP_PAIR                                                    \
    "1:\n\t"                                                            \
    "vmov r8, s19\n\t"                                                  \
    "ldmia r8!, {r0, r10}\n\t"                                          \
    "vmov s19, r8\n\t"                                                  \
    "add r4, r0, r10, lsl #8\n\t"                                       \
    "mov r1, r0\n\t"                                                    \
    "mov r2, r0\n\t"                                                    \
    "mov r3, r0\n\t"                                                    \
    "mov r5, r4\n\t"                                                    \
    "mov r6, r4\n\t"                                                    \
    "mov r7, r4\n\t"                                                    \
    "vmov lr, s18\n\t"                                                  \
    "b 31f\n\t"                                                         \
    "30:\n\t"                                                           \
    "vldmia r8!, {s0-s15}\n\t"                                          \
    "vmov s16, r8\n\t"                                                  \
    S2C_DSP_WORD("s0") S2C_DSP_WORD("s1")                               \
    "17:\n\t" S2C_DSP_WORD("s2") S2C_DSP_WORD("s3")                     \
    "16:\n\t" S2C_DSP_WORD("s4") S2C_DSP_WORD("s5")                     \
    "15:\n\t" S2C_DSP_WORD("s6") S2C_DSP_WORD("s7")                     \
    "14:\n\t" S2C_DSP_WORD("s8") S2C_DSP_WORD("s9")                     \
    "13:\n\t" S2C_DSP_WORD("s10") S2C_DSP_WORD("s11")                   \
    "12:\n\t" S2C_DSP_WORD("s12") S2C_DSP_WORD("s13")                   \
    "11:\n\t" S2C_DSP_WORD("s14") S2C_DSP_WORD("s15")                   \
    "31:\n\t"                                                           \
    "vmov r8, r9, s16, s17\n\t"                                         \
    "cmp lr, r9\n\t"                                                    \
    "blo 30b\n\t"                                                       \
    "bhi 32f\n\t"                                                       \
    "vmov r9, s24\n\t"                                                  \
    "tbb [pc, r9]\n\t"                                                  \
    "29:\n\t"                                                           \
    ".byte (20f - 29b) / 2, (21f - 29b) / 2, (22f - 29b) / 2\n\t"       \
    ".byte (23f - 29b) / 2, (24f - 29b) / 2, (25f - 29b) / 2\n\t"       \
    ".byte (26f - 29b) / 2, (27f - 29b) / 2\n\t"                        \
    S2C_DSP_REST("21", "s14", "11b") S2C_DSP_REST("22", "s12", "12b")   \
    S2C_DSP_REST("23", "s10", "13b") S2C_DSP_REST("24", "s8", "14b")    \
    S2C_DSP_REST("25", "s6", "15b") S2C_DSP_REST("26", "s4", "16b")     \
    S2C_DSP_REST("27", "s2", "17b")                                     \
    "20:\n\t"                                                           \
    "32:\n\t"

/* Before and behind the loop over pairs. The frame pointer r7 is in no list of clobbers. */
#define S2C_DSP_ENTER "vldmia r0, {s16-s25}\n\tvmov s26, r7\n\t"
#define S2C_DSP_LEAVE "vmov r7, s26\n\t"

#define S2C_DSP_CLOBBERS                                                                      \
    "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "s0", "s1",    \
        "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13", "s14",    \
        "s15", "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23", "s24", "s25", "s26",   \
        "cc", "memory"

#endif /* S2C_CONV2D_DSP_TILE_H */
