/* Weights of an output channel as a stream of segments, for Cortex-M0. */
#include "s2c_conv2d_m0.h"
#include "s2c_requantise.h"

static uint32_t magnitude(int32_t weight)
{
    return (uint32_t)(weight < 0 ? -weight : weight);
}

/* How the taps of a segment begin. */
static uint32_t entry(const uint32_t *segment, const uint32_t *end)
{
    const uint32_t taps = (uint32_t)(end - segment) - 1u;
    return (S2C_M0_SEGMENT_TAPS - taps) / 2u * S2C_M0_TWO_TAPS_BYTES;
}

uint32_t s2c_stream__m0(const int8_t *weights, uint32_t taps, uint32_t *stream, int32_t *total)
{
    uint32_t *segment = stream;
    uint32_t *to = stream + 1;
    uint32_t *limit = to + S2C_M0_SEGMENT_TAPS;
    uint32_t left = S2C_M0_SEGMENT_WEIGHTS;
    uint32_t segments = 1;
    uint32_t sum = 0;

    for (uint32_t k = 0; k < taps; k += 2u) {
        const int32_t first = weights[k];
        const int32_t second = k + 1u < taps ? weights[k + 1u] : 0;
        const uint32_t size = magnitude(first) + magnitude(second);

        if (size > left || to == limit) {
            *segment = entry(segment, to);
            segment = to++;
            limit = to + S2C_M0_SEGMENT_TAPS;
            left = S2C_M0_SEGMENT_WEIGHTS;
            ++segments;
        }
        left -= size;
        sum += (uint32_t)first + (uint32_t)second;
        *to++ = (uint32_t)first;
        *to++ = (uint32_t)second;
    }
    *segment = entry(segment, to);
    if (segments % 2u != 0u) {
        *to++ = S2C_M0_SEGMENT_TAPS / 2u * S2C_M0_TWO_TAPS_BYTES;
        ++segments;
    }
    *to = S2C_M0_END;
    *total = s2c_signed(sum);
    return segments;
}
