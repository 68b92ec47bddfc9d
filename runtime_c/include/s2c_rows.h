/* Row pointers for kernels: one per kernel row, from a feature map that is whole in memory. */
#ifndef S2C_ROWS_H
#define S2C_ROWS_H

#include <stddef.h>
#include <stdint.h>

/*
 * rows[i] points to row first + i of the map, or to `pad_row` where the map has no such row.
 * map: pixel 0 of row 0. row_bytes: distance between rows.
 */
static inline void s2c_rows_padded(const uint8_t **rows, const uint8_t *map, uint32_t row_bytes,
                                   uint32_t map_rows, int32_t first, uint32_t count,
                                   const uint8_t *pad_row)
{
    for (uint32_t i = 0; i < count; ++i) {
        const int32_t row = first + (int32_t)i;
        const int inside = row >= 0 && row < (int32_t)map_rows;
        rows[i] = inside ? map + (size_t)row * row_bytes : pad_row;
    }
}

/*
 * The same for max-pooling: a row outside the map becomes the nearest one inside. Every
 * window holds a row that is inside, so that one is in the window already, and a maximum
 * does not change when an operand is repeated.
 */
static inline void s2c_rows_clamped(const uint8_t **rows, const uint8_t *map, uint32_t row_bytes,
                                    uint32_t map_rows, int32_t first, uint32_t count)
{
    const int32_t last = (int32_t)map_rows - 1;
    for (uint32_t i = 0; i < count; ++i) {
        const int32_t row = first + (int32_t)i;
        const int32_t inside = row < 0 ? 0 : (row > last ? last : row);
        rows[i] = map + (size_t)inside * row_bytes;
    }
}

#endif /* S2C_ROWS_H */
