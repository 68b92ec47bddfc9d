/*
 * Hooks for the PC: copy every output row of every layer into buffers of the caller.
 *
 * Not part of the shipped runtime: squeeze2c.host names this file in S2C_HOOKS_HEADER
 * when it builds a model to compare with the oracle.
 */
#ifndef S2C_TRACE_H
#define S2C_TRACE_H

#include <stdint.h>

/*
 * Where the rows of one layer go: `rows` x `cols` x `channels` bytes at `data`, without
 * gaps. `times[row]` counts how often a row was reported. `rows` is 0 for a layer that
 * reports none.
 */
typedef struct {
    uint8_t *data;
    uint8_t *times;
    uint32_t rows;
    uint32_t cols;
    uint32_t channels;
} s2c_trace_layer;

/*
 * Rows that this thread computes go to `layers` from now on, until a call with NULL.
 * Several threads may trace at the same time.
 */
void s2c_trace_begin(const s2c_trace_layer *layers, uint32_t count);

/* Ends the trace of this thread. Returns how many rows fitted no buffer: 0 if all is well. */
uint32_t s2c_trace_end(void);

void s2c_trace_row(uint32_t layer, uint32_t row, const uint8_t *data, uint32_t cols,
                   uint32_t channels, uint32_t stride_bytes);

#define S2C_ON_ROW(layer, row, data, cols, channels, stride_bytes)                      \
    s2c_trace_row((uint32_t)(layer), (uint32_t)(row), (data), (uint32_t)(cols),         \
                  (uint32_t)(channels), (uint32_t)(stride_bytes))

#endif /* S2C_TRACE_H */
