/* Semihosting: files and the end of the program on the machine that runs the emulator. */
#ifndef S2C_PORT_SEMIHOSTING_H
#define S2C_PORT_SEMIHOSTING_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    S2C_SEMIHOSTING_READ = 1, /* fopen's "rb" */
    S2C_SEMIHOSTING_WRITE = 5 /* fopen's "wb" */
} s2c_semihosting_mode;

/* A handle, or -1. `name` is a string literal. */
int32_t s2c_semihosting_open(const char *name, s2c_semihosting_mode mode);
int32_t s2c_semihosting_close(int32_t handle);
/* Bytes that were read; 0 at the end of the file and on errors. */
size_t s2c_semihosting_read(int32_t handle, void *data, size_t bytes);
/* Bytes that were written. */
size_t s2c_semihosting_write(int32_t handle, const void *data, size_t bytes);
/* Prints on the emulator's console. */
void s2c_semihosting_print(const char *text);
/* Ends the emulator's process with exit code `code`. */
__attribute__((noreturn)) void s2c_semihosting_exit(uint32_t code);

#endif /* S2C_PORT_SEMIHOSTING_H */
