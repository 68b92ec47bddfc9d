/* Semihosting calls, as "Semihosting for AArch32 and AArch64" (Arm) defines them. */
#include "s2c_port_semihosting.h"

#include <string.h>

#define SYS_OPEN 0x01u
#define SYS_CLOSE 0x02u
#define SYS_WRITE0 0x04u
#define SYS_WRITE 0x05u
#define SYS_READ 0x06u
#define SYS_EXIT_EXTENDED 0x20u

#define STOPPED_APPLICATION_EXIT 0x20026u

static int32_t call(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
}

int32_t s2c_semihosting_open(const char *name, s2c_semihosting_mode mode)
{
    const uintptr_t block[3] = {(uintptr_t)name, (uintptr_t)mode, strlen(name)};
    return call(SYS_OPEN, block);
}

int32_t s2c_semihosting_close(int32_t handle)
{
    const uintptr_t block[1] = {(uintptr_t)handle};
    return call(SYS_CLOSE, block);
}

/* Both calls return the number of bytes that they left over. */
static size_t transfer(uint32_t operation, int32_t handle, uintptr_t data, size_t bytes)
{
    const uintptr_t block[3] = {(uintptr_t)handle, data, bytes};
    const int32_t left = call(operation, block);
    return left < 0 || (size_t)left > bytes ? 0 : bytes - (size_t)left;
}

size_t s2c_semihosting_read(int32_t handle, void *data, size_t bytes)
{
    return transfer(SYS_READ, handle, (uintptr_t)data, bytes);
}

size_t s2c_semihosting_write(int32_t handle, const void *data, size_t bytes)
{
    return transfer(SYS_WRITE, handle, (uintptr_t)data, bytes);
}

void s2c_semihosting_print(const char *text)
{
    (void)call(SYS_WRITE0, text);
}

void s2c_semihosting_exit(uint32_t code)
{
    const uintptr_t block[2] = {STOPPED_APPLICATION_EXIT, code};

    for (;;) {
        (void)call(SYS_EXIT_EXTENDED, block);
    }
}
