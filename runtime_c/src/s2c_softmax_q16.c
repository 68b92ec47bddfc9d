/* Softmax in integers. squeeze2c/reference/softmax.py is the same, step by step. */
#include "s2c.h"

#define MAX_MULTIPLIER 0x7FFFFFFFu
#define MIN_SHIFT 16u
#define MAX_SHIFT 62u
#define HALVINGS_TO_ZERO 32u

/*
 * 2^-(t / 65536) in Q31, for t < 32 * 65536.
 *
 * The fraction f of t enters 1 - f*(c1 - f*(c2 - f*(c3 - f*(c4 - f*c5)))), fitted to
 * 2^-f on [0, 1] with an error below 6.1e-8; every bracket is positive. Then the whole
 * part of t shifts right. All products fit 64 bits; each is rounded down once.
 */
static uint32_t power_of_half_q31(uint32_t t)
{
    static const uint32_t coefficients_q31[5] = {2048773u, 19817794u, 118791696u, 515797037u,
                                                 1488516314u};
    const uint64_t fraction = t & 0xFFFFu;
    uint32_t value = coefficients_q31[0];

    for (uint32_t i = 1; i < 5u; ++i) {
        value = coefficients_q31[i] - (uint32_t)((value * fraction) >> 16);
    }
    value = 0x80000000u - (uint32_t)((value * fraction) >> 16);
    return value >> (t >> 16);
}

static int32_t largest(const int32_t *values, uint32_t count)
{
    int32_t result = values[0];
    for (uint32_t i = 1; i < count; ++i) {
        result = values[i] > result ? values[i] : result;
    }
    return result;
}

s2c_status s2c_softmax_q16(const int32_t *logits, uint32_t count, uint32_t beta_q,
                           uint32_t beta_shift, uint32_t *probabilities)
{
    if (logits == NULL || probabilities == NULL) {
        return S2C_ERROR_NULL;
    }
    if (count == 0u || beta_q > MAX_MULTIPLIER || beta_shift < MIN_SHIFT ||
        beta_shift > MAX_SHIFT) {
        return S2C_ERROR_ARGUMENT;
    }
    const int32_t maximum = largest(logits, count);
    uint64_t sum = 0;

    for (uint32_t i = 0; i < count; ++i) {
        /* Below 2^32 times 2^31: the product fits. */
        const uint64_t below = (uint64_t)((int64_t)maximum - (int64_t)logits[i]);
        const uint64_t t = (below * beta_q) >> (beta_shift - 16u);
        const uint32_t e =
            (t >> 16) < HALVINGS_TO_ZERO ? power_of_half_q31((uint32_t)t) : 0u;
        probabilities[i] = e;
        sum += e;
    }
    for (uint32_t i = 0; i < count; ++i) {
        /* The largest logit contributes 2^31, so sum is not zero. */
        probabilities[i] = (uint32_t)((((uint64_t)probabilities[i] << 16) + sum / 2u) / sum);
    }
    return S2C_OK;
}
