/*
 * Port layer: what firmware needs beneath a generated model to run in the emulator.
 *
 * Board facts come from the linker script (templates/firmware/link.ld.j2) as symbols, so
 * these files are the same for every board. None of this is part of a generated folder.
 */
#ifndef S2C_PORT_H
#define S2C_PORT_H

#include <stdint.h>

#include "s2c.h"

/* Places an object in the memory for large buffers; start-up code does not clear it. */
#define S2C_PORT_BULK(name) __attribute__((section(".bss.s2c_bulk." name)))

/* A function of the generated model, whatever its parameters: s2c_port_call knows how to pass them. */
typedef void (*s2c_port_function)(void);

/*
 * The generated model, in a form that needs none of its names. Where the image is pushed,
 * `input` holds one row, and `run` is NULL; otherwise it holds the image, and begin,
 * push_rows and finish are NULL.
 */
typedef struct {
    s2c_port_function init;
    s2c_port_function check_weights;
    s2c_port_function run;
    s2c_port_function begin;
    s2c_port_function push_rows;
    s2c_port_function finish;
    s2c_port_function top_k;
    s2c_port_function softmax;
    void *context;
    void *arena;
    uint32_t arena_bytes;
    uint8_t *input;
    uint32_t input_bytes;
    uint32_t inputs; /* of which an image is made */
    int32_t *logits;
    uint32_t classes;
    s2c_ranked *best; /* `best_count` entries */
    uint32_t best_count;
} s2c_port_model;

/* Exit codes of the firmware, none that QEMU uses; squeeze2c/emulate/outcome.py reads them. */
typedef enum {
    S2C_PORT_EXIT_OK = 0,
    S2C_PORT_EXIT_STATUS = 65, /* the model returned a status other than S2C_OK: see the record */
    S2C_PORT_EXIT_FAULT = 66,  /* the core took a fault: see the record */
    S2C_PORT_EXIT_FILES = 67   /* the image or result file could not be used */
} s2c_port_exit_code;

/* Files in the emulator's working directory: images one after another, and records. */
#define S2C_PORT_IMAGES_FILE "images.bin"
#define S2C_PORT_RESULTS_FILE "results.bin"

/* Runs `model` for every image of the images file. Returns an exit code. */
int s2c_port_simulate(const s2c_port_model *model);

/* Defined by the generated main.c. */
int main(void);

/* MPU: faults on every write (on Armv7-M: on every access) to [first, end). */
void s2c_port_forbid(uint32_t index, uintptr_t first, uintptr_t end);
/* Turns the MPU on; everything that is not forbidden stays as it is without. */
void s2c_port_enable_mpu(void);

/* What unused stack is filled with. */
#define S2C_PORT_PAINT 0xDEADBEEF

/* Paints the stack from its lowest word to a little below the caller's frame. */
void s2c_port_paint_stack(void);
/* The lowest word of the stack that lost its paint. */
uintptr_t s2c_port_lowest_stack_use(void);

/*
 * Calls `function` with up to three arguments, a freshly painted stack beneath it. Low word
 * of the result: what it returned; high word: bytes of stack that it used.
 */
uint64_t s2c_port_call(s2c_port_function function, uintptr_t a, uintptr_t b, uintptr_t c);

/* The same without a look at the stack, in the build that times calls: see s2c_port_calls.h. */
uint64_t s2c_port_ticks_call(uint32_t stage, s2c_port_function function, uintptr_t a, uintptr_t b,
                             uintptr_t c);

/* The stack pointer. */
static inline uintptr_t s2c_port_stack_pointer(void)
{
    uintptr_t sp;
    __asm__ volatile("mov %0, sp" : "=r"(sp));
    return sp;
}

/* A register of the core, or any other word at a fixed address. */
static inline volatile uint32_t *s2c_port_register(uintptr_t address)
{
    return (volatile uint32_t *)address;
}

static inline void s2c_port_barrier(void)
{
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

#endif /* S2C_PORT_H */
