/* Calls small functions of the runtime over arrays, so that Python can. */
#include "shim.h"

#include "s2c.h"
#include "s2c_requantise.h"
#include "s2c_rows.h"

void shim_requantise(const int32_t *acc, const int32_t *multiplier, const uint8_t *shift,
                     size_t count, int32_t *out)
{
    for (size_t i = 0; i < count; ++i) {
        out[i] = s2c_requantise(acc[i], multiplier[i], shift[i]);
    }
}

void shim_saturate_u8(const int32_t *r, const uint8_t *zero_point, const uint8_t *minimum,
                      size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; ++i) {
        out[i] = s2c_saturate_u8(r[i], zero_point[i], minimum[i]);
    }
}

void shim_rows_padded(const uint8_t **rows, const uint8_t *map, uint32_t row_bytes,
                      uint32_t map_rows, int32_t first, uint32_t count, const uint8_t *pad_row)
{
    s2c_rows_padded(rows, map, row_bytes, map_rows, first, count, pad_row);
}

void shim_rows_clamped(const uint8_t **rows, const uint8_t *map, uint32_t row_bytes,
                       uint32_t map_rows, int32_t first, uint32_t count)
{
    s2c_rows_clamped(rows, map, row_bytes, map_rows, first, count);
}

void shim_softmax_pairs(const int32_t *logits, size_t pairs, uint32_t beta_q, uint32_t beta_shift,
                        uint32_t *out)
{
    for (size_t i = 0; i < pairs; ++i) {
        (void)s2c_softmax_q16(logits + 2 * i, 2, beta_q, beta_shift, out + 2 * i);
    }
}
