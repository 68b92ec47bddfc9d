/*
 * run_all IMAGES COUNT OUTPUT: every function of the API on COUNT images. Writes all rows of
 * all layers in the order in which they are computed, each after the numbers of its layer and
 * of itself; then the number of layers twice, the logits and the probabilities.
 */
#include "run_all_hooks.h"

#include "program.h"

/* How much smaller than promised the arena is: to see that the sanitiser watches. */
#ifndef ARENA_SHORTAGE
#define ARENA_SHORTAGE 0
#endif

static FILE *output;

static void write_numbers(uint32_t first, uint32_t second)
{
    const uint32_t numbers[2] = {first, second};
    write_bytes(output, numbers, sizeof numbers);
}

void on_row(unsigned layer, unsigned row, const unsigned char *data, unsigned cols,
            unsigned channels, unsigned stride_bytes)
{
    write_numbers(layer, row);
    for (unsigned col = 0; col < cols; ++col) {
        write_bytes(output, data + (size_t)col * stride_bytes, channels);
    }
}

int main(int argc, char **argv)
{
    DEMAND(argc == 4);
    FILE *const images = fopen(argv[1], "rb");
    output = fopen(argv[3], "wb");
    DEMAND(images != NULL && output != NULL);

    MODEL(_context) *const context = memory(sizeof *context);
    unsigned char *const arena = aligned_memory(MACRO(_ARENA_BYTES) - ARENA_SHORTAGE);
    unsigned char *const image = memory(MACRO(_INPUT_BYTES));
    int32_t *const logits = memory(MACRO(_CLASSES) * sizeof *logits);
    uint32_t *const probabilities = memory(MACRO(_CLASSES) * sizeof *probabilities);
    s2c_ranked *const ranked = memory(MACRO(_CLASSES) * sizeof *ranked);

    DEMAND(MODEL(_check_weights)() == S2C_OK);
    memset(arena, 0xEE, MACRO(_ARENA_BYTES) - ARENA_SHORTAGE);
    DEMAND(MODEL(_init)(context, arena, MACRO(_ARENA_BYTES)) == S2C_OK);
    for (int count = atoi(argv[2]); count > 0; --count) {
        read_bytes(images, image, MACRO(_INPUT_BYTES));
        DEMAND(MODEL(_run)(context, image, logits) == S2C_OK);
        write_numbers(MACRO(_LAYERS), MACRO(_LAYERS));
        write_bytes(output, logits, MACRO(_CLASSES) * sizeof *logits);
        DEMAND(MODEL(_softmax)(logits, probabilities) == S2C_OK);
        write_bytes(output, probabilities, MACRO(_CLASSES) * sizeof *probabilities);
        DEMAND(MODEL(_top_k)(logits, MACRO(_CLASSES), ranked) == S2C_OK);
    }
    DEMAND(fclose(output) == 0 && fclose(images) == 0);
    free(ranked);
    free(probabilities);
    free(logits);
    free(image);
    free(arena);
    free(context);
    return 0;
}
