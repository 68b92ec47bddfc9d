/*
 * Hooks of the ticks build: SysTick around the work of every layer. With QEMU's option -icount
 * shift=0 an instruction takes a nanosecond, so ticks are instructions in larger units.
 */
#ifndef S2C_PORT_TICKS_H
#define S2C_PORT_TICKS_H

#include <stdint.h>

/* From one to the other, a record S2C_RECORD_TICKS with `number`. The first finds out what a tick is. */
void s2c_port_ticks_begin(void);
void s2c_port_ticks_end(uint32_t number);

#ifndef S2C_PORT_TICKS_OF_CALLS
#define S2C_ON_LAYER_BEGIN(layer) s2c_port_ticks_begin()
#define S2C_ON_LAYER_END(layer) s2c_port_ticks_end(layer)
#endif

#endif /* S2C_PORT_TICKS_H */
