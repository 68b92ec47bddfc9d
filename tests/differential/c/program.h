/* What the test programs share: the model's names, and files of bytes. */
#ifndef TEST_PROGRAM_H
#define TEST_PROGRAM_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include S2C_HOST_HEADER

#define JOIN_TEXT(a, b) a##b
#define JOIN(a, b) JOIN_TEXT(a, b)
#define MODEL(suffix) JOIN(S2C_HOST_NAME, suffix)
#define MACRO(suffix) JOIN(S2C_HOST_MACRO, suffix)

#define DEMAND(condition)                                            \
    do {                                                             \
        if (!(condition)) {                                          \
            fprintf(stderr, "%s:%d: not %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                 \
        }                                                            \
    } while (0)

/* Memory of exactly `bytes`, so that AddressSanitizer sees the first byte beyond. */
static inline void *memory(size_t bytes)
{
    void *result = malloc(bytes);
    DEMAND(result != NULL);
    return result;
}

static inline void *aligned_memory(size_t bytes)
{
    void *result = aligned_alloc(MACRO(_ARENA_ALIGNMENT), bytes);
    DEMAND(result != NULL);
    return result;
}

static inline void read_bytes(FILE *file, void *to, size_t bytes)
{
    DEMAND(fread(to, 1, bytes, file) == bytes);
}

static inline void write_bytes(FILE *file, const void *from, size_t bytes)
{
    DEMAND(fwrite(from, 1, bytes, file) == bytes);
}

#endif /* TEST_PROGRAM_H */
