/* Recorder behind s2c_trace.h. Its state belongs to the thread, because hooks get no context. */
#include "s2c_trace.h"

#include <stddef.h>
#include <string.h>

#if defined(__GNUC__)
#define THREAD_LOCAL __thread
#else
#define THREAD_LOCAL _Thread_local
#endif

static THREAD_LOCAL const s2c_trace_layer *trace_layers;
static THREAD_LOCAL uint32_t trace_count;
static THREAD_LOCAL uint32_t trace_refused;

void s2c_trace_begin(const s2c_trace_layer *layers, uint32_t count)
{
    trace_layers = layers;
    trace_count = layers == NULL ? 0u : count;
    trace_refused = 0;
}

uint32_t s2c_trace_end(void)
{
    const uint32_t refused = trace_refused;
    s2c_trace_begin(NULL, 0);
    return refused;
}

void s2c_trace_row(uint32_t layer, uint32_t row, const uint8_t *data, uint32_t cols,
                   uint32_t channels, uint32_t stride_bytes)
{
    if (trace_layers == NULL) {
        return;
    }
    if (layer >= trace_count || row >= trace_layers[layer].rows ||
        cols != trace_layers[layer].cols || channels != trace_layers[layer].channels) {
        ++trace_refused;
        return;
    }
    const s2c_trace_layer *const to = &trace_layers[layer];
    const size_t row_bytes = (size_t)cols * channels;
    uint8_t *out = to->data + (size_t)row * row_bytes;

    to->times[row] = (uint8_t)(to->times[row] + (to->times[row] < UINT8_MAX));
    if (stride_bytes == channels) {
        memcpy(out, data, row_bytes);
        return;
    }
    for (uint32_t col = 0; col < cols; ++col) {
        memcpy(out, data + (size_t)col * stride_bytes, channels);
        out += channels;
    }
}
