/* Softmax in integers. squeeze2c/reference/softmax.py is the same, step by step. */
#include "s2c.h"
#include "s2c_wide.h"

#define MAX_MULTIPLIER 0x7FFFFFFFu
#define MIN_SHIFT 16u
#define MAX_SHIFT 62u
#define HALVINGS_TO_ZERO 32u

/* value * fraction / 2^16, rounded down; fraction < 2^16. */
static uint32_t scale_q16(uint32_t value, uint32_t fraction)
{
    return (value >> 16) * fraction + (((value & 0xFFFFu) * fraction) >> 16);
}

/*
 * 2^-(t / 65536) in Q31, for t < 32 * 65536.
 *
 * The fraction f of t enters 1 - f*(c1 - f*(c2 - f*(c3 - f*(c4 - f*c5)))), fitted to
 * 2^-f on [0, 1] with an error below 6.1e-8; every bracket is positive. Then the whole
 * part of t shifts right. Each product is rounded down once.
 */
static uint32_t power_of_half_q31(uint32_t t)
{
    static const uint32_t coefficients_q31[5] = {2048773u, 19817794u, 118791696u, 515797037u,
                                                 1488516314u};
    const uint32_t fraction = t & 0xFFFFu;
    uint32_t value = coefficients_q31[0];

    for (uint32_t i = 1; i < 5u; ++i) {
        value = coefficients_q31[i] - scale_q16(value, fraction);
    }
    value = 0x80000000u - scale_q16(value, fraction);
    return value >> (t >> 16);
}

#if S2C_NO_LONG_MULTIPLY

/* a * b >> shift, or what is larger than any 21 bits in its place; shift < 47. */
static uint32_t scale(uint32_t a, uint32_t b, uint32_t shift)
{
    const s2c_wide product = s2c_multiply_wide(a, b);

    if (shift >= 32u) {
        return product.high >> (shift - 32u);
    }
    if (product.high >> shift != 0u) {
        return UINT32_MAX;
    }
    return shift == 0u ? product.low : (product.high << (32u - shift)) | (product.low >> shift);
}

/* part / whole in Q16, rounded half up; part <= whole. */
static uint32_t share_q16(uint32_t part, uint64_t whole)
{
    uint64_t rest = part;
    uint32_t quotient = 0;

    if (rest == whole) {
        return 0x10000u;
    }
    for (uint32_t i = 0; i < 16u; ++i) {
        rest += rest;
        quotient += quotient;
        if (rest >= whole) {
            rest -= whole;
            ++quotient;
        }
    }
    return rest + rest >= whole ? quotient + 1u : quotient;
}

#else

static uint32_t scale(uint32_t a, uint32_t b, uint32_t shift)
{
    const uint64_t scaled = ((uint64_t)a * b) >> shift;

    return scaled > UINT32_MAX ? UINT32_MAX : (uint32_t)scaled;
}

static uint32_t share_q16(uint32_t part, uint64_t whole)
{
    return (uint32_t)((((uint64_t)part << 16) + whole / 2u) / whole);
}

#endif

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
        const uint32_t below = (uint32_t)maximum - (uint32_t)logits[i];
        const uint32_t t = scale(below, beta_q, beta_shift - 16u);
        const uint32_t e = (t >> 16) < HALVINGS_TO_ZERO ? power_of_half_q31(t) : 0u;
        probabilities[i] = e;
        sum += e;
    }
    for (uint32_t i = 0; i < count; ++i) {
        /* The largest logit contributes 2^31, so sum is not zero. */
        probabilities[i] = share_q16(probabilities[i], sum);
    }
    return S2C_OK;
}
