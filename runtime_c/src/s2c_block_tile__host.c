/* Decoded weights into blocks of channels. */
#include <string.h>

#include "s2c_conv2d_host.h"
#include "s2c_unpack.h"

void s2c_block_tile__host(const int8_t *weights, const s2c_window *window, int8_t *blocks)
{
    const uint32_t row_taps = (uint32_t)window->kernel_cols * window->in_channels;
    const size_t taps = (size_t)row_taps * window->kernel_rows;
    const uint32_t quads = s2c_host_quads(window);
    const size_t block_bytes = s2c_host_block_bytes(window);
    const uint32_t channels = window->out_channels;

    memset(blocks, 0, (channels + S2C_HOST_LANES - 1u) / S2C_HOST_LANES * block_bytes);
    for (uint32_t channel = 0; channel < channels; ++channel) {
        const int8_t *from = weights + channel * taps;
        int8_t *to = blocks + channel / S2C_HOST_LANES * block_bytes +
                     channel % S2C_HOST_LANES * S2C_HOST_QUAD;

        for (uint32_t ky = 0; ky < window->kernel_rows; ++ky) {
            for (uint32_t quad = 0; quad < quads; ++quad) {
                const uint32_t left = row_taps - quad * S2C_HOST_QUAD;

                memcpy(to, from + (size_t)quad * S2C_HOST_QUAD,
                       left < S2C_HOST_QUAD ? left : S2C_HOST_QUAD);
                to += S2C_HOST_QUAD * S2C_HOST_LANES;
            }
            from += row_taps;
        }
    }
}
