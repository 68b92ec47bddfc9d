/* Products of up to eight columns with one output channel whose zeros are skipped. */
#include "s2c_dsp.h"
#include "s2c_sparse_dsp.h"
#include "s2c_sparse_dsp_tile.h"

#if S2C_DSP_FPU
#pragma GCC diagnostic ignored "-Woverlength-strings"

/*
 * As in s2c_sparse_dsp_tile.h, but for one to four pairs of pixels and eight words at a time. T are in r0
 * to r7, the columns in r8 to r11, a word and its weight in r12.
 */
typedef struct {
    const uint32_t *words;   /* s16 */
    uint32_t count;          /* s17 */
    const uint32_t *columns; /* s18 */
    int32_t bias;            /* s19 */
    uint32_t both;           /* s20: 1 + 2^23, which makes two sums of one */
    uint32_t *sums;          /* s21 */
} channel_operands;

/* With less than four pairs r11 is free for the word. */
#define S2C_WORD(word, load, products)  \
    "vmov r11, " word "\n\t"            \
    "uxtab lr, lr, r11\n\t"             \
    load                                \
    "sxtb.w r12, r11, ror #8\n\t"       \
    products                            \
    "uxtab lr, lr, r11, ror #16\n\t"    \
    load                                \
    "sxtb.w r12, r11, ror #24\n\t"      \
    products

#define S2C_PRODUCT1 "smlal r0, r1, r8, r12\n\t"
#define S2C_PRODUCT2 S2C_PRODUCT1 "smlal r2, r3, r9, r12\n\t"
#define S2C_PRODUCT3 S2C_PRODUCT2 "smlal r4, r5, r10, r12\n\t"
#define S2C_WORD1(word) S2C_WORD(word, "ldr.w r8, [lr]\n\t", S2C_PRODUCT1)
#define S2C_WORD2(word) S2C_WORD(word, "ldmia.w lr, {r8, r9}\n\t", S2C_PRODUCT2)
#define S2C_WORD3(word) S2C_WORD(word, "ldmia.w lr, {r8, r9, r10}\n\t", S2C_PRODUCT3)
#define S2C_WORD4(word) S2C_SPARSE_WORD(word)

#define S2C_COPY1 ""
#define S2C_COPY2 "mov r2, r0\n\tmov r3, r1\n\t"
#define S2C_COPY3 S2C_COPY2 "mov r4, r0\n\tmov r5, r1\n\t"
#define S2C_COPY4 S2C_COPY3 "vmov s22, r7\n\tmov r6, r0\n\tmov r7, r1\n\t"
#define S2C_STORE1 "stmia r8, {r0, r1}\n\t"
#define S2C_STORE2 "stmia r8, {r0, r1, r2, r3}\n\t"
#define S2C_STORE3 "stmia r8, {r0, r1, r2, r3, r4, r5}\n\t"
#define S2C_STORE4 "stmia r8, {r0, r1, r2, r3, r4, r5, r6, r7}\n\tvmov r7, s22\n\t"

/* bytes: the code of a word. r7, which may be the frame pointer, is in no list of clobbers. */
#define S2C_MULTIPLY(pairs, bytes)                                                            \
    static void multiply##pairs(const channel_operands *channel)                              \
    {                                                                                         \
        register const void *operands __asm__("r0") = channel;                                \
                                                                                              \
        __asm__ volatile(                                                                     \
            "vldmia r0, {s16-s21}\n\t"                                                        \
            "vmov r8, r9, s16, s17\n\t"                                                       \
            "vmov r10, r11, s19, s20\n\t"                                                     \
            "mov r0, #0x400000\n\t"                                                           \
            "mov r1, #0\n\t"                                                                  \
            "smlal r0, r1, r10, r11\n\t"                                                      \
            S2C_COPY##pairs                                                                   \
            "vmov lr, s18\n\t"                                                                \
            "add r10, r8, r9, lsl #2\n\t"                                                     \
            "vmov s17, r10\n\t"                                                               \
            "sub r9, r9, #1\n\t"                                                              \
            "and r9, r9, #7\n\t"                                                              \
            "add r8, r8, r9, lsl #2\n\t"                                                      \
            "sub r8, r8, #28\n\t"                                                             \
            "mov r10, #" bytes "\n\t"                                                         \
            "adr.w r11, 31f\n\t"                                                              \
            "mls r11, r9, r10, r11\n\t"                                                       \
            "vldmia r8!, {s0-s7}\n\t"                                                         \
            "vmov s16, r8\n\t"                                                                \
            "mov pc, r11\n\t"                                                                 \
            ".p2align 2\n\t"                                                                  \
            "30:\n\t"                                                                         \
            "vldmia r8!, {s0-s7}\n\t"                                                         \
            "vmov s16, r8\n\t"                                                                \
            S2C_WORD##pairs("s0") S2C_WORD##pairs("s1") S2C_WORD##pairs("s2")                 \
            S2C_WORD##pairs("s3") S2C_WORD##pairs("s4") S2C_WORD##pairs("s5")                 \
            S2C_WORD##pairs("s6")                                                             \
            "31:\n\t"                                                                         \
            S2C_WORD##pairs("s7")                                                             \
            "vmov r8, r9, s16, s17\n\t"                                                       \
            "cmp r8, r9\n\t"                                                                  \
            "bne 30b\n\t"                                                                     \
            "vmov r8, s21\n\t"                                                                \
            S2C_STORE##pairs                                                                  \
            : "+r"(operands)                                                                  \
            :                                                                                 \
            : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr",      \
              "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s16", "s17", "s18", "s19",     \
              "s20", "s21", "s22", "cc", "memory");                                           \
    }

S2C_MULTIPLY(1, "36")
S2C_MULTIPLY(2, "44")
S2C_MULTIPLY(3, "52")
S2C_MULTIPLY(4, "64")

#endif

/* Both sums of a pair from T in two words, to which 2^22 was added. */
static void split(uint32_t *sums)
{
    const uint32_t low = sums[0];

    sums[0] = (low & (2u * S2C_SPARSE_HALF - 1u)) - S2C_SPARSE_HALF;
    sums[1] = sums[1] << (32u - S2C_SPARSE_FIELD) | low >> S2C_SPARSE_FIELD;
}

static uint32_t multiply_entry(uint64_t *sums, const uint32_t *columns, uint32_t tap,
                               uint32_t pairs, uint32_t entry)
{
    const int32_t weight = (int32_t)(entry >> 8) - (int32_t)((entry & 0x8000u) >> 7);

    tap += entry % 256u / 16u;
    for (uint32_t p = 0; p < pairs; ++p) {
        const uint32_t column = columns[(size_t)tap * S2C_SPARSE_PAIRS + p];
        sums[p] += (uint64_t)((int64_t)column * weight);
    }
    return tap;
}

static void multiply(const uint32_t *words, uint32_t count, const uint32_t *columns,
                     uint32_t pairs, int32_t bias, uint32_t *acc)
{
    const uint64_t first = ((uint64_t)bias << S2C_SPARSE_FIELD) + (uint64_t)bias + S2C_SPARSE_HALF;
    uint64_t sums[S2C_SPARSE_PAIRS] = {first, first, first, first};
    uint32_t tap = 0;

    for (uint32_t i = 0; i < count; ++i) {
        tap = multiply_entry(sums, columns, tap, pairs, words[i] & 0xFFFFu);
        tap = multiply_entry(sums, columns, tap, pairs, words[i] >> 16);
    }
    for (uint32_t p = 0; p < pairs; ++p) {
        acc[2u * p] = (uint32_t)sums[p];
        acc[2u * p + 1u] = (uint32_t)(sums[p] >> 32);
    }
}

void s2c_sparse_channel__dsp(const uint32_t *words, uint32_t count, const uint32_t *columns,
                             uint32_t pairs, int32_t bias, uint32_t *acc)
{
#if S2C_DSP_FPU
    const channel_operands operands = {
        words, count, columns, bias, 1u + ((uint32_t)1 << S2C_SPARSE_FIELD), acc};
#endif
    switch (pairs) {
#if S2C_DSP_FPU
    case 1:
        multiply1(&operands);
        break;
    case 2:
        multiply2(&operands);
        break;
    case 3:
        multiply3(&operands);
        break;
    case 4:
        multiply4(&operands);
        break;
#endif
    default:
        multiply(words, count, columns, pairs, bias, acc);
        break;
    }
    for (uint32_t p = 0; p < pairs; ++p) {
        split(acc + (size_t)2u * p);
    }
}
