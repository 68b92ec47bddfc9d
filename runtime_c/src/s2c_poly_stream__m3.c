/* Weights of an output channel as words, for 3x3 convolutions by polynomials. */
#include "s2c_poly3x3_m3.h"

/* `count` input channels of a kernel row, whose three columns are `channels` weights apart. */
static uint32_t *expand(uint32_t *to, const int8_t *from, uint32_t channels, uint32_t count)
{
    const int8_t *from1 = from + channels;
    const int8_t *from2 = from1 + channels;
    const int8_t *const end = from + count;

#if S2C_M3_NATIVE
    if (count == S2C_M3_BLOCK) {
        int32_t w0, w1, w2;
#define S2C_TAP                                  \
    "ldrsb %[w0], [%[from]], #1\n\t"             \
    "ldrsb %[w1], [%[from1]], #1\n\t"            \
    "ldrsb %[w2], [%[from2]], #1\n\t"            \
    "add %[w1], %[w1], %[w0], lsl #21\n\t"       \
    "lsl %[w2], %[w2], #21\n\t"                  \
    "strd %[w1], %[w2], [%[to]], #8\n\t"
        __asm__ volatile(S2C_TAP S2C_TAP S2C_TAP S2C_TAP S2C_TAP S2C_TAP S2C_TAP S2C_TAP
                         : [to] "+&r"(to), [from] "+&r"(from), [from1] "+&r"(from1),
                           [from2] "+&r"(from2), [w0] "=&r"(w0), [w1] "=&r"(w1), [w2] "=&r"(w2)
                         :
                         : "memory");
#undef S2C_TAP
        return to;
    }
#endif
    while (from != end) {
        to[0] = (uint32_t)*from1++ + ((uint32_t)*from++ << S2C_M3_FIELD);
        to[1] = (uint32_t)*from2++ << S2C_M3_FIELD;
        to += 2;
    }
    return to;
}

void s2c_poly_stream__m3(const s2c_conv2d *layer, uint32_t channel, uint32_t *scratch)
{
    const uint32_t channels = layer->window.in_channels;
    const uint32_t taps = S2C_POLY_KERNEL * channels;
    const uint32_t blocks = (taps + S2C_M3_BLOCK - 1u) / S2C_M3_BLOCK;
    const int8_t *row = layer->weights + (size_t)channel * taps * S2C_POLY_KERNEL;
    uint32_t left = taps - (blocks - 1u) * S2C_M3_BLOCK;
    uint32_t *to = s2c_m3_begin_stream(scratch, S2C_M3_BLOCK - left);
    uint32_t at = 0;
    uint32_t first = S2C_M3_FIRST;
    uint32_t part = layer->part_blocks;

    for (uint32_t block = blocks; block-- != 0u;) {
        while (left != 0u) {
            const uint32_t count = left < channels - at ? left : channels - at;
            to = expand(to, row + at, channels, count);
            at += count;
            left -= count;
            if (at == channels) {
                at = 0;
                row += S2C_POLY_KERNEL * channels;
            }
        }
        left = S2C_M3_BLOCK;
        if (block == 0u) {
            *to = s2c_m3_end_of_part(scratch, first | S2C_M3_LAST);
        } else if (--part == 0u) {
            *to++ = s2c_m3_end_of_part(scratch, first);
            part = layer->part_blocks;
            first = 0u;
        } else {
            *to++ = 0u;
        }
    }
}
