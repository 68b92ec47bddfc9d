/* Products of up to four columns with one pair of output channels. */
#include "s2c_conv2d_dsp.h"
#include "s2c_dsp.h"
#include "s2c_dsp_lanes.h"

#if S2C_DSP_FPU

/*
 * One, two and three pixels. Several words are loaded by one LDM: fewer instructions, and no
 * more cycles than as many LDR. The number of words is even, because taps are padded to quads.
 * Registers are named, because compilers cannot give so many where r7 is the frame pointer.
 */
static void multiply1(const uint32_t *weights, const uint32_t *columns, uint32_t words,
                      uint32_t *first, uint32_t *both)
{
    const struct {
        const uint32_t *weights;
        const uint32_t *columns;
        const uint32_t *end_of_fours;
        const uint32_t *end;
        uint32_t *first;
        uint32_t *both;
    } operands = {weights, columns, columns + (words & ~3u), columns + words, first, both};
    register const void *arguments __asm__("r0") = &operands;

#define S2C_WORD(a, w)                     \
    "smlad r3, " a ", " w ", r3\n\t"       \
    "sxtb16 " w ", " w "\n\t"              \
    "smlad r4, " a ", " w ", r4\n\t"
    __asm__ volatile(
        "vldmia r0, {s0-s5}\n\t"
        "vmov r1, r2, s4, s5\n\t"
        "ldr r3, [r2]\n\t"
        "ldr r4, [r1]\n\t"
        "vmov r0, r1, s0, s1\n\t"
        "vmov r2, s2\n\t"
        "b 2f\n\t"
        "1:\n\t"
        "ldmia r0!, {r5, r6, r8, r9}\n\t"
        "ldmia r1!, {r10, r11, r12, lr}\n\t"
        S2C_WORD("r10", "r5") S2C_WORD("r11", "r6") S2C_WORD("r12", "r8") S2C_WORD("lr", "r9")
        "2:\n\t"
        "cmp r1, r2\n\t"
        "bne 1b\n\t"
        "vmov r2, s3\n\t"
        "cmp r1, r2\n\t"
        "beq 3f\n\t"
        "ldmia r0, {r5, r6}\n\t"
        "ldmia r1, {r10, r11}\n\t"
        S2C_WORD("r10", "r5") S2C_WORD("r11", "r6")
        "3:\n\t"
        "vmov r1, r2, s4, s5\n\t"
        "str r3, [r2]\n\t"
        "str r4, [r1]\n\t"
        : "+r"(arguments)
        :
        : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "s0", "s1",
          "s2", "s3", "s4", "s5", "cc", "memory");
#undef S2C_WORD
}

static void multiply2(const uint32_t *weights, const uint32_t *columns, uint32_t words,
                      uint32_t *first, uint32_t *both)
{
    const uint32_t *const end = columns + (size_t)2u * words;
    uint32_t s0 = first[0];
    uint32_t s1 = first[1];
    uint32_t t0 = both[0];
    uint32_t t1 = both[1];
    uint32_t a0, a1, w0;

#define S2C_WORD                             \
    "ldr %[w0], [%[w]], #4\n\t"              \
    "ldrd %[a0], %[a1], [%[a]], #8\n\t"      \
    "smlad %[t0], %[a0], %[w0], %[t0]\n\t"   \
    "smlad %[t1], %[a1], %[w0], %[t1]\n\t"   \
    "sxtb16 %[w0], %[w0]\n\t"                \
    "smlad %[s0], %[a0], %[w0], %[s0]\n\t"   \
    "smlad %[s1], %[a1], %[w0], %[s1]\n\t"
    __asm__ volatile(
        "1:\n\t" S2C_WORD S2C_WORD
        "cmp %[a], %[end]\n\t"
        "bne 1b\n\t"
        : [w] "+&r"(weights), [a] "+&r"(columns), [s0] "+&r"(s0), [s1] "+&r"(s1),
          [t0] "+&r"(t0), [t1] "+&r"(t1), [w0] "=&r"(w0), [a0] "=&r"(a0), [a1] "=&r"(a1)
        : [end] "r"(end)
        : "cc", "memory");
#undef S2C_WORD
    first[0] = s0;
    first[1] = s1;
    both[0] = t0;
    both[1] = t1;
}

static void multiply3(const uint32_t *weights, const uint32_t *columns, uint32_t words,
                      uint32_t *first, uint32_t *both)
{
    const struct {
        const uint32_t *weights;
        const uint32_t *columns;
        const uint32_t *end;
        uint32_t *first;
        uint32_t *both;
    } operands = {weights, columns, columns + (size_t)3u * words, first, both};
    register const void *arguments __asm__("r0") = &operands;

#define S2C_WORD                \
    "ldr r8, [r0], #4\n\t"      \
    "ldmia r1!, {r9, r10, r11}\n\t" \
    "smlad r3, r9, r8, r3\n\t"  \
    "smlad r4, r10, r8, r4\n\t" \
    "smlad r5, r11, r8, r5\n\t" \
    "sxtb16 r8, r8\n\t"         \
    "smlad r6, r9, r8, r6\n\t"  \
    "smlad r12, r10, r8, r12\n\t" \
    "smlad lr, r11, r8, lr\n\t"
    __asm__ volatile(
        "vldmia r0, {s0-s4}\n\t"
        "vmov r1, r2, s3, s4\n\t"
        "ldmia r2, {r3, r4, r5}\n\t"
        "ldmia r1, {r6, r12, lr}\n\t"
        "vmov r0, r1, s0, s1\n\t"
        "vmov r2, s2\n\t"
        "1:\n\t" S2C_WORD S2C_WORD
        "cmp r1, r2\n\t"
        "bne 1b\n\t"
        "vmov r1, r2, s3, s4\n\t"
        "stmia r2, {r3, r4, r5}\n\t"
        "stmia r1, {r6, r12, lr}\n\t"
        : "+r"(arguments)
        :
        : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "s0", "s1",
          "s2", "s3", "s4", "cc", "memory");
#undef S2C_WORD
}

#endif

#if S2C_DSP_LANES

static void multiply(const uint32_t *weights, const uint32_t *columns, uint32_t words,
                     uint32_t pixels, uint32_t *first, uint32_t *both)
{
    s2c_dsp_lanes of_first = s2c_lanes_load(first, pixels, pixels);
    s2c_dsp_lanes of_both = s2c_lanes_load(both, pixels, pixels);
    uint32_t sums[S2C_DSP_PIXELS];
    /* So often four words can be loaded, whatever those behind the pixels at hand are. */
    const uint32_t whole = words * pixels < 4u ? 0u : (words * pixels - 4u) / pixels + 1u;
    uint32_t i = 0;

    for (; i < whole; ++i) {
        const s2c_dsp_lanes pair = s2c_lanes_all(weights[i]);
        const s2c_dsp_lanes column = s2c_lanes_load4(columns);

        of_both = s2c_lanes_smlad(column, pair, of_both);
        of_first = s2c_lanes_smlad(column, s2c_lanes_sxtb16(pair), of_first);
        columns += pixels;
    }
    for (; i < words; ++i) {
        const s2c_dsp_lanes pair = s2c_lanes_all(weights[i]);
        const s2c_dsp_lanes column = s2c_lanes_load(columns, pixels, pixels);

        of_both = s2c_lanes_smlad(column, pair, of_both);
        of_first = s2c_lanes_smlad(column, s2c_lanes_sxtb16(pair), of_first);
        columns += pixels;
    }
    s2c_lanes_store4(sums, of_first);
    memcpy(first, sums, pixels * sizeof sums[0]);
    s2c_lanes_store4(sums, of_both);
    memcpy(both, sums, pixels * sizeof sums[0]);
}

#else

static void multiply(const uint32_t *weights, const uint32_t *columns, uint32_t words,
                     uint32_t pixels, uint32_t *first, uint32_t *both)
{
    for (uint32_t i = 0; i < words; ++i) {
        const uint32_t pair = weights[i];
        const uint32_t low = s2c_sxtb16(pair);
        for (uint32_t p = 0; p < pixels; ++p) {
            both[p] = s2c_smlad(columns[p], pair, both[p]);
            first[p] = s2c_smlad(columns[p], low, first[p]);
        }
        columns += pixels;
    }
}

#endif

void s2c_pair__dsp(const uint32_t *weights, const uint32_t *columns, uint32_t words,
                   uint32_t pixels, const uint32_t bias[2], uint32_t *first, uint32_t *second256)
{
    for (uint32_t p = 0; p < pixels; ++p) {
        first[p] = bias[0];
        second256[p] = bias[0] + (bias[1] << 8);
    }
    switch (pixels) {
#if S2C_DSP_FPU
    case 1:
        multiply1(weights, columns, words, first, second256);
        break;
    case 2:
        multiply2(weights, columns, words, first, second256);
        break;
    case 3:
        multiply3(weights, columns, words, first, second256);
        break;
#endif
    default:
        multiply(weights, columns, words, pixels, first, second256);
        break;
    }
    for (uint32_t p = 0; p < pixels; ++p) {
        second256[p] -= first[p];
    }
}
