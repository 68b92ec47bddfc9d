/* Addresses that the linker script defines. Only the address of each symbol means anything. */
#ifndef S2C_PORT_SYMBOLS_H
#define S2C_PORT_SYMBOLS_H

#include <stdint.h>

extern uint32_t s2c_data_load[];
extern uint32_t s2c_data_start[];
extern uint32_t s2c_data_end[];
extern uint32_t s2c_bss_start[];
extern uint32_t s2c_bss_end[];

/* Downwards from s2c_stack_top to s2c_stack_bottom; below that the guard, which faults. */
extern uint32_t s2c_stack_guard[];
extern uint32_t s2c_stack_bottom[];
extern uint32_t s2c_stack_top[];

/* Memory that the emulator has and the board has not; empty where both agree. */
extern uint32_t s2c_fence_start[];
extern uint32_t s2c_fence_end[];

#endif /* S2C_PORT_SYMBOLS_H */
