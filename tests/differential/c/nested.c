/*
 * nested IMAGES OUTPUT: while the first image is being computed, the second one is computed as
 * a whole before and after every step and after every row, with a context and an arena of its
 * own, as an interrupt would. Writes the logits of the first image and how many complete runs
 * of the second one there were; each of those must give the same logits.
 */
#include "nested_hooks.h"

#include "program.h"

static int depth;
static uint32_t nested_runs;
static unsigned char *inner_image;
static int32_t *inner_logits, *inner_expected;
static MODEL(_context) inner, outer;

static void run_inner(void)
{
    memset(inner_logits, 0, MACRO(_CLASSES) * sizeof *inner_logits);
    DEMAND(MODEL(_run)(&inner, inner_image, inner_logits) == S2C_OK);
}

void interrupt(void)
{
    if (depth != 0) {
        return;
    }
    depth = 1;
    run_inner();
    DEMAND(memcmp(inner_logits, inner_expected, MACRO(_CLASSES) * sizeof *inner_logits) == 0);
    ++nested_runs;
    depth = 0;
}

int main(int argc, char **argv)
{
    DEMAND(argc == 3);
    FILE *const images = fopen(argv[1], "rb");
    FILE *const output = fopen(argv[2], "wb");
    DEMAND(images != NULL && output != NULL);
    const size_t logits_bytes = MACRO(_CLASSES) * sizeof(int32_t);
    unsigned char *const image = memory(MACRO(_INPUT_BYTES));
    unsigned char *const arena = aligned_memory(MACRO(_ARENA_BYTES));
    unsigned char *const inner_arena = aligned_memory(MACRO(_ARENA_BYTES));
    int32_t *const logits = memory(logits_bytes);

    inner_image = memory(MACRO(_INPUT_BYTES));
    inner_logits = memory(logits_bytes);
    inner_expected = memory(logits_bytes);
    read_bytes(images, image, MACRO(_INPUT_BYTES));
    read_bytes(images, inner_image, MACRO(_INPUT_BYTES));
    DEMAND(MODEL(_init)(&outer, arena, MACRO(_ARENA_BYTES)) == S2C_OK);
    DEMAND(MODEL(_init)(&inner, inner_arena, MACRO(_ARENA_BYTES)) == S2C_OK);

    depth = 1;
    run_inner();
    memcpy(inner_expected, inner_logits, logits_bytes);
    depth = 0;
    DEMAND(MODEL(_run)(&outer, image, logits) == S2C_OK);
    write_bytes(output, logits, logits_bytes);
    write_bytes(output, inner_expected, logits_bytes);
    write_bytes(output, &nested_runs, sizeof nested_runs);
    DEMAND(fclose(output) == 0 && fclose(images) == 0);
    return 0;
}
