/*
 * corrupt IMAGE SEED: flips single bits of every constant array. The check of the weights must
 * notice each; a run ends with logits or with S2C_ERROR_WEIGHTS_CRC, and stays within its
 * memory, which the sanitiser watches. corrupt_arrays.h lists ARRAY(symbol) for each array.
 */
#define _DEFAULT_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "program.h"

#include S2C_WEIGHTS_HEADER

typedef struct {
    const char *name;
    const void *data;
    size_t bytes;
} array;

#define ARRAY(symbol) {#symbol, symbol, sizeof symbol},
static const array arrays[] = {
#include "corrupt_arrays.h"
};

static MODEL(_context) *context;
static unsigned char *image;

/* Constants may be written to from now on. */
static void make_writable(const array *which)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = (uintptr_t)which->data / page * page;
    const uintptr_t end = (uintptr_t)which->data + which->bytes;

    DEMAND(mprotect((void *)first, end - first, PROT_READ | PROT_WRITE) == 0);
}

static s2c_status run(int32_t *logits)
{
    const s2c_status status = MODEL(_run)(context, image, logits);

    /* Either way the next image can begin. */
    DEMAND(status == S2C_OK || status == S2C_ERROR_WEIGHTS_CRC);
    return status;
}

int main(int argc, char **argv)
{
    DEMAND(argc == 3);
    const size_t bytes = MACRO(_CLASSES) * sizeof(int32_t);
    FILE *const file = fopen(argv[1], "rb");
    int32_t *const expected = memory(bytes);
    int32_t *const logits = memory(bytes);
    unsigned char *const arena = aligned_memory(MACRO(_ARENA_BYTES));
    unsigned noticed = 0;

    DEMAND(file != NULL);
    image = memory(MACRO(_INPUT_BYTES));
    read_bytes(file, image, MACRO(_INPUT_BYTES));
    DEMAND(fclose(file) == 0);
    srand((unsigned)atoi(argv[2]));
    context = memory(sizeof *context);
    DEMAND(MODEL(_init)(context, arena, MACRO(_ARENA_BYTES)) == S2C_OK);
    DEMAND(MODEL(_check_weights)() == S2C_OK && run(expected) == S2C_OK);

    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; ++i) {
        volatile unsigned char *const data = (volatile unsigned char *)(uintptr_t)arrays[i].data;
        /* The order of steps is no weights: a run trusts it. */
        const int runs = strstr(arrays[i].name, "_steps") == NULL;

        make_writable(&arrays[i]);
        for (int turn = 0; turn < 8; ++turn) {
            const size_t any = (size_t)rand() % arrays[i].bytes;
            const size_t at = turn == 0 ? 0 : turn == 1 ? arrays[i].bytes - 1 : any;
            const unsigned char bit = (unsigned char)(1u << (rand() % 8));

            data[at] ^= bit;
            DEMAND(MODEL(_check_weights)() == S2C_ERROR_WEIGHTS_CRC);
            const int refused = runs && run(logits) != S2C_OK;
            /* The first byte of a code table is its version. */
            DEMAND(refused || turn != 0 || strstr(arrays[i].name, "_code_table") == NULL);
            noticed += (unsigned)refused;
            data[at] ^= bit;
        }
    }
    DEMAND(MODEL(_check_weights)() == S2C_OK);
    DEMAND(run(logits) == S2C_OK && memcmp(logits, expected, bytes) == 0);
    printf("%u\n", noticed);
    free(arena);
    free(logits);
    free(expected);
    free(image);
    free(context);
    return 0;
}
