#ifndef SHIM_H
#define SHIM_H

#include <stddef.h>
#include <stdint.h>

void shim_requantise(const int32_t *acc, const int32_t *multiplier, const uint8_t *shift,
                     size_t count, int32_t *out);
void shim_saturate_u8(const int32_t *r, const uint8_t *zero_point, const uint8_t *minimum,
                      size_t count, uint8_t *out);
size_t shim_slot_offset(uint32_t row, uint32_t slot_count, uint32_t row_bytes);
void shim_rows_padded(const uint8_t **rows, const uint8_t *slots, uint32_t row_bytes,
                      uint32_t slot_count, uint32_t map_rows, int32_t first, uint32_t count,
                      const uint8_t *pad_row);
uint32_t shim_rows_joined(uint32_t row, uint32_t end, uint32_t slots, uint32_t other_slots);
uint32_t shim_clip_window(int32_t top, uint32_t kernel_rows, uint32_t map_rows, uint32_t *first);
void shim_input_bytes(uint8_t *to, const uint8_t *from, uint32_t count);
void shim_input_bgr888(uint8_t *to, const uint8_t *from, uint32_t count);
void shim_input_rgb565le(uint8_t *to, const uint8_t *from, uint32_t count);
void shim_input_rgb565be(uint8_t *to, const uint8_t *from, uint32_t count);
void shim_input_grey8(uint8_t *to, const uint8_t *from, uint32_t count);
void shim_softmax_pairs(const int32_t *logits, size_t pairs, uint32_t beta_q, uint32_t beta_shift,
                        uint32_t *out);

#endif
