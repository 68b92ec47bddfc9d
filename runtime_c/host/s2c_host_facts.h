/*
 * What the compiler made of a generated header, for squeeze2c.host to compare with the
 * manifest. Not part of the shipped runtime.
 */
#ifndef S2C_HOST_FACTS_H
#define S2C_HOST_FACTS_H

#include <stdint.h>

typedef struct {
    uint32_t context_bytes;
    uint32_t input_rows;
    uint32_t input_cols;
    uint32_t input_channels;
    uint32_t input_row_bytes;
    uint32_t input_bytes;
    uint32_t classes;
    uint32_t layers;
    uint32_t arena_bytes;
    uint32_t arena_alignment;
    uint32_t weights_bytes;
    uint32_t weights_crc32;
    float logit_scale;
} s2c_host_facts;

extern const s2c_host_facts s2c_host_model;

#endif /* S2C_HOST_FACTS_H */
