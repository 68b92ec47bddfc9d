/* Products of up to S2C_HOST_PIXELS windows with 16 output channels, for PCs. */
#include "s2c_conv2d_host.h"

#if S2C_HOST_PIXELS == 14u
#define S2C_EACH_PIXEL(x) x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7) x(8) x(9) x(10) x(11) x(12) x(13)
#elif S2C_HOST_PIXELS == 4u
#define S2C_EACH_PIXEL(x) x(0) x(1) x(2) x(3)
#elif S2C_HOST_PIXELS == 2u
#define S2C_EACH_PIXEL(x) x(0) x(1)
#else
#define S2C_EACH_PIXEL(x) x(0)
#endif

/*
 * `pixels` is a constant wherever this is called, so that only sums that are needed remain; each has
 * a name, so that it stays in a register.
 */
S2C_HOST_INLINE void multiply(const s2c_host_tile *tile, const int8_t *weights, const int32_t *bias,
                              uint32_t pixels, int32_t *sums)
{
    const size_t step = tile->step;
    const uint32_t quads = tile->quads;

#define S2C_SUM(i)          \
    s2c_host_sums sum##i;   \
    s2c_host_sums_load(&sum##i, bias);
    S2C_EACH_PIXEL(S2C_SUM)
#undef S2C_SUM

    for (uint32_t ky = 0; ky < tile->row_count; ++ky) {
        const uint8_t *from =
            tile->rows ? tile->rows[ky] + tile->offset : tile->copies + ky * tile->pitch;

        for (uint32_t quad = 0; quad < quads; ++quad) {
            const s2c_host_taps taps = s2c_host_taps_at(weights);

#define S2C_ADD(i)                                                              \
    if (pixels > i##u) {                                                        \
        s2c_host_dot(&sum##i, s2c_host_quad_at(from + i##u * step), taps);      \
    }
            S2C_EACH_PIXEL(S2C_ADD)
#undef S2C_ADD
            from += S2C_HOST_QUAD;
            weights += S2C_HOST_QUAD * S2C_HOST_LANES;
        }
    }

#define S2C_STORE(i)                                       \
    if (pixels > i##u) {                                   \
        s2c_host_sums_store(sums + i##u * S2C_HOST_LANES, &sum##i); \
    }
    S2C_EACH_PIXEL(S2C_STORE)
#undef S2C_STORE
}

void s2c_multiply__host(const s2c_host_tile *tile, const int8_t *weights, const int32_t *bias,
                        int32_t *sums)
{
    switch (tile->pixels) {
#define S2C_CASE(i)                                         \
    case i##u + 1u:                                         \
        multiply(tile, weights, bias, i##u + 1u, sums);    \
        break;
        S2C_EACH_PIXEL(S2C_CASE)
#undef S2C_CASE
    default:
        break;
    }
}
