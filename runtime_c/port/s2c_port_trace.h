/* Hooks of the trace build: every row of every layer becomes a record. */
#ifndef S2C_PORT_TRACE_H
#define S2C_PORT_TRACE_H

#include <stdint.h>

void s2c_port_trace_row(uint32_t layer, uint32_t row, const uint8_t *data, uint32_t cols,
                        uint32_t channels, uint32_t stride_bytes);

#define S2C_ON_ROW(layer, row, data, cols, channels, stride_bytes) \
    s2c_port_trace_row((layer), (row), (data), (cols), (channels), (stride_bytes))

#endif /* S2C_PORT_TRACE_H */
