/* Names of status codes. */
#include "s2c.h"

const char *s2c_status_name(s2c_status status)
{
    switch (status) {
    case S2C_OK:
        return "ok";
    case S2C_ERROR_NULL:
        return "null pointer";
    case S2C_ERROR_ARENA_SIZE:
        return "arena too small";
    case S2C_ERROR_ARENA_ALIGNMENT:
        return "arena misaligned";
    case S2C_ERROR_NOT_INITIALISED:
        return "not initialised";
    case S2C_ERROR_WEIGHTS_CRC:
        return "weights corrupt";
    case S2C_ERROR_ARGUMENT:
        return "argument out of range";
    case S2C_ERROR_SEQUENCE:
        return "called in the wrong order";
    case S2C_ERROR_ROWS:
        return "wrong number of rows";
    default:
        return "unknown status";
    }
}
