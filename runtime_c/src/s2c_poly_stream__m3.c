/* Weights of an output channel as words, for 3x3 convolutions by polynomials. */
#include "s2c_poly3x3_m3.h"

/* `count` input channels of a kernel row, whose three columns are `channels` weights apart. */
static uint32_t *expand(uint32_t *to, const int8_t *from, uint32_t channels, uint32_t count)
{
    const int8_t *from1 = from + channels;
    const int8_t *from2 = from1 + channels;
    const int8_t *const end = from + count;

    while (from != end) {
        to[0] = (uint32_t)*from1++ + ((uint32_t)*from++ << S2C_M3_FIELD);
        to[1] = (uint32_t)*from2++ << S2C_M3_FIELD;
        to += 2;
    }
    return to;
}

/* The same of whole blocks, at least one, and a 0 behind each. */
static uint32_t *expand_blocks(uint32_t *to, const int8_t *from, uint32_t channels,
                               uint32_t blocks)
{
#if S2C_M3_NATIVE
    const int8_t *from1 = from + channels;
    const int8_t *from2 = from1 + channels;
    int32_t w0, w1, w2;

#define S2C_TAP                                  \
    "ldrsb %[w0], [%[from]], #1\n\t"             \
    "ldrsb %[w1], [%[from1]], #1\n\t"            \
    "ldrsb %[w2], [%[from2]], #1\n\t"            \
    "add %[w1], %[w1], %[w0], lsl #21\n\t"       \
    "lsl %[w2], %[w2], #21\n\t"                  \
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
        to = expand(to, from, channels, S2C_M3_BLOCK);
        *to++ = 0u;
        from += S2C_M3_BLOCK;
    }
#endif
    return to;
}

/* Where in the weights of a channel expansion stands. */
typedef struct {
    const int8_t *row; /* of the kernel */
    uint32_t at;       /* input channel */
    uint32_t channels;
} s2c_poly_position;

static void advance(s2c_poly_position *position, uint32_t count)
{
    position->at += count;
    if (position->at == position->channels) {
        position->at = 0;
        position->row += S2C_POLY_KERNEL * position->channels;
    }
}

/* Taps of a block that is incomplete or goes on in the next kernel row, and a 0. */
static uint32_t *expand_some(uint32_t *to, s2c_poly_position *position, uint32_t left)
{
    while (left != 0u) {
        const uint32_t in_row = position->channels - position->at;
        const uint32_t count = left < in_row ? left : in_row;

        to = expand(to, position->row + position->at, position->channels, count);
        advance(position, count);
        left -= count;
    }
    *to = 0u;
    return to + 1;
}

void s2c_poly_stream__m3(const s2c_conv2d *layer, uint32_t channel, uint32_t *scratch)
{
    const uint32_t channels = layer->window.in_channels;
    const uint32_t taps = S2C_POLY_KERNEL * channels;
    const uint32_t blocks = (taps + S2C_M3_BLOCK - 1u) / S2C_M3_BLOCK;
    s2c_poly_position position = {
        layer->weights + (size_t)channel * taps * S2C_POLY_KERNEL, 0u, channels};
    uint32_t begun = taps - (blocks - 1u) * S2C_M3_BLOCK;
    uint32_t *to = s2c_m3_begin_stream(scratch, S2C_M3_BLOCK - begun);
    uint32_t first = S2C_M3_FIRST;
    uint32_t part = layer->part_blocks;

    for (uint32_t rest = blocks; rest != 0u;) {
        uint32_t count = (channels - position.at) / S2C_M3_BLOCK;

        if (begun != S2C_M3_BLOCK || count == 0u) {
            count = 1;
            to = expand_some(to, &position, begun);
        } else {
            count = count < part ? count : part;
            to = expand_blocks(to, position.row + position.at, channels, count);
            advance(&position, count * S2C_M3_BLOCK);
        }
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
