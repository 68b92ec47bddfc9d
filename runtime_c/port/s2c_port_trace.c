/* Rows of layers to the result file. */
#include "s2c_port_trace.h"

#include "s2c_port_records.h"

void s2c_port_trace_row(uint32_t layer, uint32_t row, const uint8_t *data, uint32_t cols,
                        uint32_t channels, uint32_t stride_bytes)
{
    s2c_records_begin(S2C_RECORD_ROW, layer, row, cols * channels);
    for (uint32_t col = 0; col < cols; ++col) {
        s2c_records_append(data + (size_t)col * stride_bytes, channels);
    }
}
