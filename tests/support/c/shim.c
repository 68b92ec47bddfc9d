/* Calls small functions of the runtime over arrays, so that Python can. */
#include "shim.h"

#include "s2c.h"
#include "s2c_input.h"
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

size_t shim_slot_offset(uint32_t row, uint32_t slot_count, uint32_t row_bytes)
{
    return s2c_slot_offset(row, slot_count, row_bytes);
}

void shim_rows_padded(const uint8_t **rows, const uint8_t *slots, uint32_t row_bytes,
                      uint32_t slot_count, uint32_t map_rows, int32_t first, uint32_t count,
                      const uint8_t *pad_row)
{
    const s2c_line_buffer in = {slots, row_bytes, slot_count, map_rows};

    s2c_rows_padded(rows, &in, first, count, pad_row);
}

uint32_t shim_rows_joined(uint32_t row, uint32_t end, uint32_t slots, uint32_t other_slots)
{
    return s2c_rows_joined(row, end, slots, other_slots);
}

uint32_t shim_clip_window(int32_t top, uint32_t kernel_rows, uint32_t map_rows, uint32_t *first)
{
    return s2c_clip_window(top, kernel_rows, map_rows, first);
}

void shim_input_bytes(uint8_t *to, const uint8_t *from, uint32_t count)
{
    s2c_input_bytes(to, from, count);
}

void shim_input_bgr888(uint8_t *to, const uint8_t *from, uint32_t count)
{
    s2c_input_bgr888(to, from, count);
}

void shim_input_rgb565le(uint8_t *to, const uint8_t *from, uint32_t count)
{
    s2c_input_rgb565le(to, from, count);
}

void shim_input_rgb565be(uint8_t *to, const uint8_t *from, uint32_t count)
{
    s2c_input_rgb565be(to, from, count);
}

void shim_input_grey8(uint8_t *to, const uint8_t *from, uint32_t count)
{
    s2c_input_grey8(to, from, count);
}

void shim_softmax_pairs(const int32_t *logits, size_t pairs, uint32_t beta_q, uint32_t beta_shift,
                        uint32_t *out)
{
    for (size_t i = 0; i < pairs; ++i) {
        (void)s2c_softmax_q16(logits + 2 * i, 2, beta_q, beta_shift, out + 2 * i);
    }
}
