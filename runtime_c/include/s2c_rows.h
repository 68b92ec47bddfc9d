/*
 * Row pointers for kernels, from a line buffer: of a feature map's rows as many are in
 * memory as are still needed, row r in slot r % slots. A map that is whole in memory has
 * a slot for each row.
 */
#ifndef S2C_ROWS_H
#define S2C_ROWS_H

#include <stddef.h>
#include <stdint.h>

/* slots: address of slot 0. row_bytes: distance between slots. rows: of the whole map. */
typedef struct {
    const uint8_t *slots;
    uint32_t row_bytes;
    uint32_t slot_count;
    uint32_t rows;
} s2c_line_buffer;

/* Byte offset of the slot of row `row`. */
static inline size_t s2c_slot_offset(uint32_t row, uint32_t slot_count, uint32_t row_bytes)
{
    return (size_t)(row % slot_count) * row_bytes;
}

/* rows[i] points to row first + i, or to `pad_row` where the map has no such row. */
static inline void s2c_rows_padded(const uint8_t **rows, const s2c_line_buffer *in, int32_t first,
                                   uint32_t count, const uint8_t *pad_row)
{
    for (uint32_t i = 0; i < count; ++i) {
        const int32_t row = first + (int32_t)i;
        rows[i] = pad_row;
        if (row >= 0 && row < (int32_t)in->rows) {
            rows[i] = in->slots + s2c_slot_offset((uint32_t)row, in->slot_count, in->row_bytes);
        }
    }
}

/* How many of the rows [row, end) lie one behind the other in two line buffers, at least one. */
static inline uint32_t s2c_rows_joined(uint32_t row, uint32_t end, uint32_t slots,
                                       uint32_t other_slots)
{
    uint32_t count = end - row;

    if (count > slots - row % slots) {
        count = slots - row % slots;
    }
    if (count > other_slots - row % other_slots) {
        count = other_slots - row % other_slots;
    }
    return count;
}

/* Rows of a max-pool's window that exist: [*first, return value), clipped to the map. */
static inline uint32_t s2c_clip_window(int32_t top, uint32_t kernel_rows, uint32_t map_rows,
                                       uint32_t *first)
{
    const int32_t end = top + (int32_t)kernel_rows;
    *first = top > 0 ? (uint32_t)top : 0u;
    return end < (int32_t)map_rows ? (uint32_t)end : map_rows;
}

#endif /* S2C_ROWS_H */
