/* Weights of three output channels as words for SMLAL, for Cortex-M3. */
#include "s2c_conv2d_m3.h"

/* w0 + w1 * 2^21 modulo 2^32. */
static uint32_t both(int32_t w0, int32_t w1)
{
    return (uint32_t)w0 + ((uint32_t)w1 << S2C_M3_FIELD);
}

static uint32_t *three(uint32_t *to, const int8_t *from, uint32_t taps, uint32_t count)
{
    const int8_t *from1 = from + taps;
    const int8_t *from2 = from1 + taps;
    const int8_t *const end = from + count;

    while (from != end) {
        const int32_t w0 = *from++;
        to[0] = both(w0, *from1++);
        to[1] = both(*from2++, w0);
        to += 2;
    }
    return to;
}

/* The same of whole blocks, at least one, and a 0 behind each. */
static uint32_t *three_blocks(uint32_t *to, const int8_t *from, uint32_t taps, uint32_t blocks)
{
#if S2C_M3_NATIVE
    const int8_t *from1 = from + taps;
    const int8_t *from2 = from1 + taps;
    int32_t w0, w1, w2;

#define S2C_TAP                                  \
    "ldrsb %[w0], [%[from]], #1\n\t"             \
    "ldrsb %[w1], [%[from1]], #1\n\t"            \
    "ldrsb %[w2], [%[from2]], #1\n\t"            \
    "add %[w1], %[w0], %[w1], lsl #21\n\t"       \
    "add %[w2], %[w2], %[w0], lsl #21\n\t"       \
    "strd %[w1], %[w2], [%[to]], #8\n\t"
    __asm__ volatile("1:\n\t"
                     S2C_TAP S2C_TAP S2C_TAP S2C_TAP S2C_TAP S2C_TAP S2C_TAP S2C_TAP
                     "str %[zero], [%[to]], #4\n\t"
                     "subs %[blocks], %[blocks], #1\n\t"
                     "bne 1b\n\t"
                     : [to] "+&r"(to), [from] "+&r"(from), [from1] "+&r"(from1),
                       [from2] "+&r"(from2), [w0] "=&r"(w0), [w1] "=&r"(w1), [w2] "=&r"(w2),
                       [blocks] "+&r"(blocks)
                     : [zero] "r"(0)
                     : "cc", "memory");
#undef S2C_TAP
#else
    for (; blocks != 0u; --blocks) {
        to = three(to, from, taps, S2C_M3_BLOCK);
        *to++ = 0u;
        from += S2C_M3_BLOCK;
    }
#endif
    return to;
}

/* The weights of one or two channels, zero for the rest. */
static uint32_t *fewer(uint32_t *to, const int8_t *from, uint32_t taps, uint32_t channels,
                       uint32_t count)
{
    for (uint32_t k = 0; k < count; ++k) {
        to[0] = both(from[k], channels > 1u ? from[k + taps] : 0);
        to[1] = both(0, from[k]);
        to += 2;
    }
    return to;
}

void s2c_stream__m3(const s2c_conv2d *layer, uint32_t channel, uint32_t *scratch)
{
    const uint32_t taps = s2c_m3_taps(&layer->window);
    const uint32_t blocks = (taps + S2C_M3_BLOCK - 1u) / S2C_M3_BLOCK;
    const uint32_t left = layer->window.out_channels - channel;
    const int8_t *from = layer->weights + (size_t)channel * taps;
    uint32_t begun = taps - (blocks - 1u) * S2C_M3_BLOCK;
    uint32_t *to = s2c_m3_begin_stream(scratch, S2C_M3_BLOCK - begun);
    uint32_t first = S2C_M3_FIRST;
    uint32_t part = layer->part_blocks;

    for (uint32_t rest = blocks; rest != 0u;) {
        uint32_t count = 1;

        if (begun != S2C_M3_BLOCK || left < S2C_M3_CHANNELS) {
            to = left >= S2C_M3_CHANNELS ? three(to, from, taps, begun)
                                         : fewer(to, from, taps, left, begun);
            *to++ = 0u;
        } else {
            count = rest < part ? rest : part;
            to = three_blocks(to, from, taps, count);
        }
        from += begun + (count - 1u) * S2C_M3_BLOCK;
        begun = S2C_M3_BLOCK;
        rest -= count;
        part -= count;
        if (rest == 0u) {
            to[-1] = s2c_m3_end_of_part(scratch, first | S2C_M3_LAST);
        } else if (part == 0u) {
            to[-1] = s2c_m3_end_of_part(scratch, first);
            part = layer->part_blocks;
            first = 0u;
        }
    }
}
