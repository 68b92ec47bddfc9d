/* Decoded weights, biases and multipliers as the kernels for Helium read them. */
#include <string.h>

#include "s2c_conv2d_mve.h"
#include "s2c_unpack.h"

void s2c_signed_tile__mve(int8_t *weights, int32_t *bias, int32_t *multiplier, uint32_t channels,
                          uint32_t taps)
{
    const uint32_t padded = S2C_MVE_BLOCK * s2c_mve_blocks(taps);

    /* From the last channel on, because channels move apart. */
    for (uint32_t o = channels; o != 0u;) {
        --o;
        int8_t *const own = weights + (size_t)o * padded;
        int32_t sum = 0;

        if (padded != taps) {
            memmove(own, weights + (size_t)o * taps, taps);
            memset(own + taps, 0, padded - taps);
        }
        for (uint32_t k = 0; k < padded; ++k) {
            sum += own[k];
        }
        /* Unsigned, because it may leave int32 where codes are damaged. */
        bias[o] = (int32_t)((uint32_t)bias[o] + 128u * (uint32_t)sum);
        multiplier[o] = (int32_t)((uint32_t)multiplier[o] << S2C_MVE_MULTIPLIER_SHIFT);
    }
}
