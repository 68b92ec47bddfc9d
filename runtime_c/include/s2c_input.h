/*
 * Image rows on their way into a line buffer: the pixel formats that cameras deliver.
 *
 * Every function writes `count` pixels of three bytes, red, green, blue, to `to`;
 * s2c_input_bytes copies `count` bytes as they are. The NumPy twin, which specifies what
 * the network sees, is squeeze2c/frontend/input_format.py.
 */
#ifndef S2C_INPUT_H
#define S2C_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void s2c_input_bytes(uint8_t *to, const uint8_t *from, uint32_t count)
{
#if defined(__ARM_FEATURE_MVE) && defined(__GNUC__)
    /* Sixteen bytes at a time, the last of them as many as are left; small libraries take each alone. */
    if (count != 0u) {
        __asm__ volatile("dlstp.8 lr, %[count]\n"
                         "1:\n\t"
                         "vldrb.u8 q0, [%[from]], #16\n\t"
                         "vstrb.8 q0, [%[to]], #16\n\t"
                         "letp lr, 1b\n\t"
                         : [to] "+&r"(to), [from] "+&r"(from)
                         : [count] "r"(count)
                         : "lr", "d0", "d1", "memory");
    }
#else
    memcpy(to, from, count);
#endif
}

static inline void s2c_input_bgr888(uint8_t *to, const uint8_t *from, uint32_t count)
{
    for (size_t i = 0; i < count; ++i) {
        to[3u * i] = from[3u * i + 2u];
        to[3u * i + 1u] = from[3u * i + 1u];
        to[3u * i + 2u] = from[3u * i];
    }
}

/* Red in the five highest bits. The highest bits of a colour also fill its lowest ones. */
static inline void s2c_input_pixel565(uint8_t *to, uint32_t high, uint32_t low)
{
    const uint32_t red = high >> 3;
    const uint32_t green = ((high & 7u) << 3) | (low >> 5);
    const uint32_t blue = low & 31u;

    to[0] = (uint8_t)((red << 3) | (red >> 2));
    to[1] = (uint8_t)((green << 2) | (green >> 4));
    to[2] = (uint8_t)((blue << 3) | (blue >> 2));
}

static inline void s2c_input_rgb565le(uint8_t *to, const uint8_t *from, uint32_t count)
{
    for (size_t i = 0; i < count; ++i) {
        s2c_input_pixel565(to + 3u * i, from[2u * i + 1u], from[2u * i]);
    }
}

static inline void s2c_input_rgb565be(uint8_t *to, const uint8_t *from, uint32_t count)
{
    for (size_t i = 0; i < count; ++i) {
        s2c_input_pixel565(to + 3u * i, from[2u * i], from[2u * i + 1u]);
    }
}

static inline void s2c_input_grey8(uint8_t *to, const uint8_t *from, uint32_t count)
{
    for (size_t i = 0; i < count; ++i) {
        to[3u * i] = from[i];
        to[3u * i + 1u] = from[i];
        to[3u * i + 2u] = from[i];
    }
}

#endif /* S2C_INPUT_H */
