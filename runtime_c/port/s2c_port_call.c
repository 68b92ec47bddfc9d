/*
 * s2c_port_call, in assembly so that the stack pointer at the call is known to the word: it
 * paints everything beneath, calls, and looks how far down the paint is gone. The instruction
 * after the call has a name because the plugin that counts instructions watches it.
 */
#include "s2c_port.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

__asm__(".syntax unified\n"
        ".section .text.s2c_port_call, \"ax\", %progbits\n"
        ".balign 4\n"
        ".global s2c_port_call\n"
        ".thumb_func\n"
        ".type s2c_port_call, %function\n"
        "s2c_port_call:\n"
        "push {r4, r5, r6, lr}\n"
        "ldr r4, =s2c_stack_bottom\n"
        "ldr r5, =" TEXT(S2C_PORT_PAINT) "\n"
        "mov r6, sp\n"
        "1:\n"
        "cmp r4, r6\n"
        "bhs 2f\n"
        "str r5, [r4]\n"
        "adds r4, #4\n"
        "b 1b\n"
        "2:\n"
        "mov r4, r0\n"
        "mov r0, r1\n"
        "mov r1, r2\n"
        "mov r2, r3\n"
        "blx r4\n"
        ".global s2c_port_returned\n"
        ".thumb_func\n"
        ".type s2c_port_returned, %function\n"
        "s2c_port_returned:\n"
        "ldr r1, =s2c_stack_bottom\n"
        "3:\n"
        "cmp r1, r6\n"
        "bhs 4f\n"
        "ldr r2, [r1]\n"
        "cmp r2, r5\n"
        "bne 4f\n"
        "adds r1, #4\n"
        "b 3b\n"
        "4:\n"
        "subs r1, r6, r1\n"
        "pop {r4, r5, r6, pc}\n"
        ".ltorg\n"
        ".size s2c_port_call, . - s2c_port_call\n"
        ".text\n");
