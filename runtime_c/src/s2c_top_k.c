/* The k largest logits, by insertion into the caller's list. */
#include "s2c.h"

s2c_status s2c_top_k(const int32_t *logits, uint32_t count, uint32_t k, s2c_ranked *out)
{
    if (logits == NULL || out == NULL) {
        return S2C_ERROR_NULL;
    }
    if (k == 0u || k > count) {
        return S2C_ERROR_ARGUMENT;
    }
    uint32_t ranked = 0;
    for (uint32_t i = 0; i < count; ++i) {
        if (ranked == k && logits[i] <= out[k - 1u].logit) {
            continue;
        }
        uint32_t place = ranked < k ? ranked++ : k - 1u;
        for (; place > 0u && out[place - 1u].logit < logits[i]; --place) {
            out[place] = out[place - 1u];
        }
        out[place].class_index = i;
        out[place].logit = logits[i];
    }
    return S2C_OK;
}
