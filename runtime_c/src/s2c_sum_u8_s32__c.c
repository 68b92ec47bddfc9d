/* Sums of uint8 pixels per channel, portable C. */
#include <stddef.h>

#include "s2c_kernels.h"

void s2c_sum_u8_s32__c(const uint8_t *in_row, uint32_t cols, uint32_t channels,
                       uint32_t stride_bytes, uint8_t zero_point, int32_t *sums)
{
    for (uint32_t x = 0; x < cols; ++x) {
        const uint8_t *const pixel = in_row + (size_t)x * stride_bytes;
        for (uint32_t c = 0; c < channels; ++c) {
            sums[c] += (int32_t)pixel[c] - (int32_t)zero_point;
        }
    }
}
