/*
 * Internal to the convolution kernels that skip weights of zero, on cores with the DSP extension and
 * an FPU: the product of eight columns with all output channels, in assembler.
 *
 * An entry takes 8 instructions: VMOV of its word, which waits in a register of the FPU, UXTAB for the
 * distance, LDM of the words of eight pixels, SXTB of the weight, four SMLAL. r0-r7 hold T of
 * the pairs of pixels, r8-r11 the columns, r12 the weight, lr where the columns are. All else is
 * in s16 and above.
 */
#ifndef S2C_SPARSE_DSP_TILE_H
#define S2C_SPARSE_DSP_TILE_H

#include <stdint.h>

#include "s2c_sparse_dsp.h"

/* Operands, in the order in which they are loaded into s16 and above. */
typedef struct {
    const uint32_t *words;     /* s16 */
    const uint32_t *words_end; /* s17: of the channel in hand */
    const uint32_t *columns;   /* s18 */
    const void *table;         /* s19: half-words */
    const int32_t *bias;       /* s20 */
    const int32_t *multiplier; /* s21 */
    void *out;                 /* s22 */
    uint32_t out_stride_bytes; /* s23 */
    uint32_t zero_point;       /* s24 */
    void *out_end;             /* s25 */
    uint32_t both;             /* s26: 1 + 2^23, which makes two sums of one */
} s2c_sparse_tile;

static inline s2c_sparse_tile s2c_sparse_tile_of(const s2c_conv2d *layer, const uint32_t *columns)
{
    s2c_sparse_tile tile;

    tile.words = s2c_sparse_words(layer);
    tile.words_end = NULL;
    tile.columns = columns;
    tile.table = layer->weights;
    tile.bias = layer->bias;
    tile.multiplier = layer->multiplier;
    tile.out = NULL;
    tile.out_stride_bytes = layer->window.out_stride_bytes;
    tile.zero_point = layer->out_zero_point;
    tile.out_end = NULL;
    tile.both = 1u + ((uint32_t)1 << S2C_SPARSE_FIELD);
    return tile;
}

#define S2C_SPARSE_ENTRY(word, distance, weight) \
    "vmov r12, " word "\n\t"                     \
    "uxtab lr, lr, r12" distance "\n\t"          \
    "ldmia.w lr, {r8, r9, r10, r11}\n\t"         \
    "sxtb.w r12, r12, ror #" weight "\n\t"       \
    "smlal r0, r1, r8, r12\n\t"                  \
    "smlal r2, r3, r9, r12\n\t"                  \
    "smlal r4, r5, r10, r12\n\t"                 \
    "smlal r6, r7, r11, r12\n\t"

/* 64 bytes of code. */
#define S2C_SPARSE_WORD(word) \
    S2C_SPARSE_ENTRY(word, "", "8") S2C_SPARSE_ENTRY(word, ", ror #16", "24")

/*
 * From one output channel to its T, to which 2^22 is added. Begins with label 1, where the next
 * channel is to start. The words that are no whole chunk of sixteen come first, in the last registers: so
 * what is read too much lies before them. r8-r12 and lr are free behind it. ADR counts from
 * whole words, so the section must be aligned to them.
 */
#define S2C_SPARSE_CHANNEL                                                  \
    "1:\n\t"                                                                \
    "vmov r8, r9, s19, s20\n\t"                                             \
    "ldrh r10, [r8], #2\n\t"                                                \
    "ldr r11, [r9], #4\n\t"                                                 \
    "vmov s19, s20, r8, r9\n\t"                                             \
    "vmov r8, s26\n\t"                                                      \
    "mov r0, #0x400000\n\t"                                                 \
    "mov r1, #0\n\t"                                                        \
    "smlal r0, r1, r8, r11\n\t"                                             \
    "vmov r9, s16\n\t"                                                      \
    "mov r2, r0\n\t"                                                        \
    "mov r3, r1\n\t"                                                        \
    "mov r4, r0\n\t"                                                        \
    "mov r5, r1\n\t"                                                        \
    "mov r6, r0\n\t"                                                        \
    "mov r7, r1\n\t"                                                        \
    "add r11, r9, r10, lsl #2\n\t"                                          \
    "vmov s17, r11\n\t"                                                     \
    "sub r10, r10, #1\n\t"                                                  \
    "and r10, r10, #15\n\t"                                                 \
    "add r9, r9, r10, lsl #2\n\t"                                           \
    "sub r9, r9, #60\n\t"                                                   \
    "vmov lr, s18\n\t"                                                      \
    "adr.w r11, 31f\n\t"                                                    \
    "sub r11, r11, r10, lsl #6\n\t"                                         \
    "vldmia r9!, {s0-s15}\n\t"                                              \
    "vmov s16, r9\n\t"                                                      \
    "mov pc, r11\n\t"                                                       \
    ".p2align 2\n\t"                                                        \
    "30:\n\t"                                                               \
    "vldmia r9!, {s0-s15}\n\t"                                              \
    "vmov s16, r9\n\t"                                                      \
    S2C_SPARSE_WORD("s0") S2C_SPARSE_WORD("s1") S2C_SPARSE_WORD("s2")       \
    S2C_SPARSE_WORD("s3") S2C_SPARSE_WORD("s4") S2C_SPARSE_WORD("s5")       \
    S2C_SPARSE_WORD("s6") S2C_SPARSE_WORD("s7") S2C_SPARSE_WORD("s8")       \
    S2C_SPARSE_WORD("s9") S2C_SPARSE_WORD("s10") S2C_SPARSE_WORD("s11")     \
    S2C_SPARSE_WORD("s12") S2C_SPARSE_WORD("s13") S2C_SPARSE_WORD("s14")    \
    "31:\n\t"                                                               \
    S2C_SPARSE_WORD("s15")                                                  \
    "vmov r9, r10, s16, s17\n\t"                                            \
    "cmp r9, r10\n\t"                                                       \
    "bne 30b\n\t"

/* From T of two pixels to both sums. */
#define S2C_SPARSE_SUMS(low, high)             \
    "lsr r11, " low ", #23\n\t"                \
    "orr " high ", r11, " high ", lsl #9\n\t"  \
    "ubfx " low ", " low ", #0, #23\n\t"       \
    "sub " low ", " low ", #0x400000\n\t"

#define S2C_SPARSE_ALL_SUMS                                             \
    S2C_SPARSE_SUMS("r0", "r1") S2C_SPARSE_SUMS("r2", "r3")             \
    S2C_SPARSE_SUMS("r4", "r5") S2C_SPARSE_SUMS("r6", "r7")

/* Before and behind the loop over channels. The frame pointer r7 is in no list of clobbers. */
#define S2C_SPARSE_ENTER "vldmia r0, {s16-s26}\n\tvmov s28, r7\n\t"
#define S2C_SPARSE_LEAVE "vmov r7, s28\n\t"

#define S2C_SPARSE_CLOBBERS                                                                   \
    "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "s0", "s1",    \
        "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13", "s14",    \
        "s15", "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23", "s24", "s25", "s26",   \
        "s28", "cc", "memory"

#endif /* S2C_SPARSE_DSP_TILE_H */
