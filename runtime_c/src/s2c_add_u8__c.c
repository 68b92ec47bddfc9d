/* Elementwise sum of two uint8 rows, portable C. */
#include <stddef.h>

#include "s2c_kernels.h"
#include "s2c_requantise.h"

void s2c_add_u8__c(const s2c_add *layer, const uint8_t *a_row, const uint8_t *b_row,
                   uint8_t *out_row)
{
    for (uint32_t x = 0; x < layer->cols; ++x) {
        const uint8_t *const a = a_row + (size_t)x * layer->a_stride_bytes;
        const uint8_t *const b = b_row + (size_t)x * layer->b_stride_bytes;
        uint8_t *const out = out_row + (size_t)x * layer->out_stride_bytes;

        for (uint32_t c = 0; c < layer->channels; ++c) {
            /* a equal to its zero point is one of the inputs, so each term alone fits too. */
            const int32_t term_a = ((int32_t)a[c] - layer->a_zero_point) * layer->a_multiplier;
            const int32_t term_b = ((int32_t)b[c] - layer->b_zero_point) * layer->b_multiplier;
            const int32_t r = s2c_requantise(term_a + term_b, 1, layer->shift);
            out[c] = s2c_saturate_u8(r, layer->out_zero_point, layer->clamp_min);
        }
    }
}
