/* Products of 64 bits in two words, for cores that have no long multiplication. */
#ifndef S2C_WIDE_H
#define S2C_WIDE_H

#include <stdint.h>

/* Whether such products are made of 16-bit ones, so that no library function is called for them. */
#ifndef S2C_NO_LONG_MULTIPLY
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
#define S2C_NO_LONG_MULTIPLY 1
#else
#define S2C_NO_LONG_MULTIPLY 0
#endif
#endif

typedef struct {
    uint32_t high;
    uint32_t low;
} s2c_wide;

/* a * b */
static inline s2c_wide s2c_multiply_wide(uint32_t a, uint32_t b)
{
    const uint32_t bottom = (a & 0xFFFFu) * (b & 0xFFFFu);
    const uint32_t middle = (a >> 16) * (b & 0xFFFFu) + (bottom >> 16);
    const uint32_t upper = (a & 0xFFFFu) * (b >> 16) + (middle & 0xFFFFu);
    s2c_wide product;

    product.low = (upper << 16) | (bottom & 0xFFFFu);
    product.high = (a >> 16) * (b >> 16) + (middle >> 16) + (upper >> 16);
    return product;
}

#endif /* S2C_WIDE_H */
