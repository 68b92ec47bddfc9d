/*
 * push IMAGES COUNT SEED OUTPUT: COUNT images, pushed in random portions into two contexts that
 * take turns, with wrong calls in between. Every portion is a heap block of exactly its rows,
 * scribbled on and freed as soon as it was pushed. Writes the logits of each image.
 */
#include "push_hooks.h"

#include "program.h"

typedef struct {
    MODEL(_context) *context;
    unsigned char *arena;
    unsigned char *image;
    int32_t *logits;
    uint32_t taken;
} receiver;

static uint32_t state;

/* A number below `limit`. */
static uint32_t any(uint32_t limit)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % limit;
}

static void open_receiver(receiver *r)
{
    r->context = memory(sizeof *r->context);
    r->arena = aligned_memory(MACRO(_ARENA_BYTES));
    r->image = memory(MACRO(_INPUT_BYTES));
    r->logits = memory(MACRO(_CLASSES) * sizeof *r->logits);
    DEMAND(MODEL(_init)(r->context, r->arena, MACRO(_ARENA_BYTES)) == S2C_OK);
}

static void close_receiver(receiver *r)
{
    free(r->logits);
    free(r->image);
    free(r->arena);
    free(r->context);
}

static void begin(receiver *r, FILE *images)
{
    read_bytes(images, r->image, MACRO(_INPUT_BYTES));
    memset(r->arena, (int)any(256), MACRO(_ARENA_BYTES));
    DEMAND(MODEL(_begin)(r->context) == S2C_OK);
    r->taken = 0;
}

static void push(receiver *r)
{
    const uint32_t left = MACRO(_INPUT_ROWS) - r->taken;
    const uint32_t count = any(left < 5u ? left + 1u : 5u);
    const size_t bytes = (size_t)count * MACRO(_INPUT_ROW_BYTES);
    unsigned char *const rows = memory(bytes);

    memcpy(rows, r->image + (size_t)r->taken * MACRO(_INPUT_ROW_BYTES), bytes);
    DEMAND(MODEL(_push_rows)(r->context, rows, left + 1u) == S2C_ERROR_ROWS);
    DEMAND(left == 0u || MODEL(_finish)(r->context, r->logits) == S2C_ERROR_ROWS);
    DEMAND(MODEL(_push_rows)(r->context, NULL, count) == S2C_ERROR_NULL);
    DEMAND(MODEL(_push_rows)(r->context, rows, count) == S2C_OK);
    memset(rows, 0xEE, bytes);
    free(rows);
    r->taken += count;
}

static void finish(receiver *r, FILE *output)
{
    memset(r->logits, 0xEE, MACRO(_CLASSES) * sizeof *r->logits);
    DEMAND(MODEL(_finish)(r->context, r->logits) == S2C_OK);
    write_bytes(output, r->logits, MACRO(_CLASSES) * sizeof *r->logits);
    DEMAND(MODEL(_finish)(r->context, r->logits) == S2C_ERROR_SEQUENCE);
    DEMAND(MODEL(_push_rows)(r->context, r->image, 1u) == S2C_ERROR_SEQUENCE);
}

int main(int argc, char **argv)
{
    DEMAND(argc == 5);
    FILE *const images = fopen(argv[1], "rb");
    FILE *const output = fopen(argv[4], "wb");
    receiver receivers[2];

    DEMAND(images != NULL && output != NULL);
    state = (uint32_t)atoi(argv[3]);
    open_receiver(&receivers[0]);
    open_receiver(&receivers[1]);
    for (int count = atoi(argv[2]); count > 0; count -= 2) {
        begin(&receivers[0], images);
        begin(&receivers[1], images);
        while (receivers[0].taken < MACRO(_INPUT_ROWS) || receivers[1].taken < MACRO(_INPUT_ROWS)) {
            push(&receivers[any(2)]);
        }
        finish(&receivers[0], output);
        finish(&receivers[1], output);
    }
    close_receiver(&receivers[0]);
    close_receiver(&receivers[1]);
    DEMAND(fclose(output) == 0 && fclose(images) == 0);
    return 0;
}
