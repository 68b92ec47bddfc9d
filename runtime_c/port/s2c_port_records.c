/* Buffered output of records: a semihosting call per few bytes would be slow. */
#include "s2c_port_records.h"

#include <string.h>

#include "s2c_port_semihosting.h"

#define BUFFER_BYTES 512u

static struct {
    int32_t handle;
    int open;
    int failed;
    size_t used;
    uint8_t bytes[BUFFER_BYTES];
} output;

static void flush(void)
{
    if (output.open && output.used > 0) {
        if (s2c_semihosting_write(output.handle, output.bytes, output.used) != output.used) {
            output.failed = 1;
        }
    }
    output.used = 0;
}

int s2c_records_open(const char *name)
{
    if (!output.open) {
        output.handle = s2c_semihosting_open(name, S2C_SEMIHOSTING_WRITE);
        output.open = output.handle != -1;
        output.used = 0;
        output.failed = 0;
    }
    return output.open;
}

void s2c_records_append(const void *data, size_t bytes)
{
    const uint8_t *from = (const uint8_t *)data;

    while (bytes > 0) {
        const size_t space = BUFFER_BYTES - output.used;
        const size_t part = bytes < space ? bytes : space;

        memcpy(output.bytes + output.used, from, part);
        output.used += part;
        from += part;
        bytes -= part;
        if (output.used == BUFFER_BYTES) {
            flush();
        }
    }
}

void s2c_records_begin(s2c_record_kind kind, uint32_t first, uint32_t second, uint32_t bytes)
{
    const uint32_t header[4] = {(uint32_t)kind, first, second, bytes};
    s2c_records_append(header, sizeof header);
}

void s2c_records_write(s2c_record_kind kind, uint32_t first, uint32_t second, const void *data,
                       size_t bytes)
{
    s2c_records_begin(kind, first, second, (uint32_t)bytes);
    s2c_records_append(data, bytes);
}

int s2c_records_close(void)
{
    flush();
    if (output.open && s2c_semihosting_close(output.handle) != 0) {
        output.failed = 1;
    }
    output.open = 0;
    return !output.failed;
}
