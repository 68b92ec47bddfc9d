/* Decoded weights into pairs of channels, where they are. */
#include <stddef.h>
#include <string.h>

#include "s2c_dsp.h"
#include "s2c_unpack.h"

#define EVEN_BYTES 0x00FF00FFu

/* Moves every channel to where it begins with its taps padded to quads, the last channel first. */
static void pad_taps(uint8_t *weights, uint32_t channels, uint32_t taps, uint32_t padded)
{
    for (uint32_t channel = channels; channel-- > 0u;) {
        uint8_t *const to = weights + (size_t)channel * padded;
        memmove(to, weights + (size_t)channel * taps, taps);
        memset(to + taps, 0, padded - taps);
    }
}

/*
 * first, second: bytes of two channels, which become the even and the odd halves of the pair:
 * 256 * second + first, with the borrow of a negative first from the byte above.
 */
static void pair_channels(uint8_t *first, uint8_t *second, uint32_t quads)
{
    for (uint32_t i = 0; i < quads; ++i) {
        const uint32_t low = s2c_load_word(first);
        const uint32_t high = s2c_load_word(second);
        const uint32_t even = s2c_sadd16((high & EVEN_BYTES) << 8, s2c_sxtb16(low));
        const uint32_t odd = s2c_sadd16(high & ~EVEN_BYTES, s2c_sxtb16_ror8(low));

        s2c_store_word(first, even);
        s2c_store_word(second, odd);
        first += 4;
        second += 4;
    }
}

void s2c_pair_tile__dsp(int8_t *weights, uint32_t channels, uint32_t taps)
{
    uint8_t *const bytes = (uint8_t *)weights;
    const uint32_t padded = (taps + 3u) / 4u * 4u;

    if (padded != taps) {
        pad_taps(bytes, channels, taps, padded);
    }
    if (channels % 2u != 0u) {
        memset(bytes + (size_t)channels * padded, 0, padded);
    }
    for (uint32_t channel = 0; channel < channels; channel += 2u) {
        uint8_t *const first = bytes + (size_t)channel * padded;
        pair_channels(first, first + padded, padded / 4u);
    }
}
