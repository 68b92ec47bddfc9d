/* Stack high-water mark: paint what is free, look later how far down the paint is gone. */
#include "s2c_port.h"
#include "s2c_port_symbols.h"


/*
 * The compiler may read the stack pointer before it saves registers below it. Leaving these
 * bytes without paint only means that a smaller use of the stack is reported as this one.
 */
#define OWN_FRAME_BYTES 64u

/* Nothing further down is in use: no interrupts, and Arm has no red zone. */
void s2c_port_paint_stack(void)
{
    volatile uint32_t *const end = s2c_port_register(s2c_port_stack_pointer() - OWN_FRAME_BYTES);

    for (volatile uint32_t *word = s2c_stack_bottom; word < end; ++word) {
        *word = S2C_PORT_PAINT;
    }
}

uintptr_t s2c_port_lowest_stack_use(void)
{
    const volatile uint32_t *word = s2c_stack_bottom;

    while (word < (const volatile uint32_t *)s2c_stack_top && *word == S2C_PORT_PAINT) {
        ++word;
    }
    return (uintptr_t)word;
}
