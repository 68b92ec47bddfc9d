/*
 * Compile with -DS2C_HOST_HEADER='"NAME.h"' -DS2C_HOST_NAME=NAME -DS2C_HOST_MACRO=PREFIX,
 * where PREFIX begins the names of the header's macros.
 */
#include "s2c_host_facts.h"

#include S2C_HOST_HEADER

#define JOIN_TEXT(a, b) a##b
#define JOIN(a, b) JOIN_TEXT(a, b)
#define FACT(suffix) ((uint32_t)JOIN(S2C_HOST_MACRO, suffix))

const s2c_host_facts s2c_host_model = {
    (uint32_t)sizeof(JOIN(S2C_HOST_NAME, _context)),
    FACT(_INPUT_ROWS),
    FACT(_INPUT_COLS),
    FACT(_INPUT_CHANNELS),
    FACT(_INPUT_ROW_BYTES),
    FACT(_INPUT_BYTES),
    FACT(_CLASSES),
    FACT(_LAYERS),
    FACT(_ARENA_BYTES),
    FACT(_ARENA_ALIGNMENT),
    FACT(_WEIGHTS_BYTES),
    FACT(_WEIGHTS_CRC32),
    JOIN(S2C_HOST_MACRO, _LOGIT_SCALE),
};
