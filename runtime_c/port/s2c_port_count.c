/* Marks for the plugin that counts instructions: enough for 512 layers. */
#include "s2c_port_count.h"

/* An array of 0x4770, which is "bx lr". Only its addresses are of interest. */
__asm__(".section .text.s2c_port_marks, \"ax\", %progbits\n"
        ".balign 4\n"
        ".global s2c_port_marks\n"
        ".thumb_func\n"
        ".type s2c_port_marks, %function\n"
        "s2c_port_marks:\n"
        ".rept 1024\n"
        "bx lr\n"
        ".endr\n"
        ".size s2c_port_marks, . - s2c_port_marks\n"
        ".text\n");
