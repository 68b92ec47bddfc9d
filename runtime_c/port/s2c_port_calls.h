/* Hooks of the calls build: SysTick around the harness's calls of the model, which is as it ships. */
#ifndef S2C_PORT_CALLS_H
#define S2C_PORT_CALLS_H

#define S2C_PORT_TICKS_OF_CALLS
#include "s2c_port_ticks.h"

#define S2C_PORT_CALL(stage, function, a, b, c) \
    s2c_port_ticks_call((uint32_t)(stage), (function), (a), (b), (c))

#endif /* S2C_PORT_CALLS_H */
