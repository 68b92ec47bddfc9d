/* Runs a generated model over a file of images and records what comes out. */
#include <string.h>

#include "s2c_hooks.h"
#include "s2c_port.h"
#include "s2c_port_records.h"
#include "s2c_port_semihosting.h"
#include "s2c_port_symbols.h"

/* Real RAM holds anything at power-on; the emulator's zeros would hide a missing initialisation. */
#define GARBAGE 0xA5

/* What the emulator prints for every image: progress, and a sign of life. */
#define IMAGE_DONE "image done\n"

#define STAGES 9u

/* How functions of the model are called; a header of hooks may know another way. */
#ifndef S2C_PORT_CALL
#define S2C_PORT_CALL(stage, function, a, b, c) s2c_port_call((function), (a), (b), (c))
#endif

/* High-water marks by s2c_stage, in bytes. */
static uint32_t stack_bytes[STAGES];

static void keep_maximum(s2c_stage stage, uint32_t bytes)
{
    if (bytes > stack_bytes[stage]) {
        stack_bytes[stage] = bytes;
    }
}

/* The whole firmware's stack, from what is painted now. */
static void look_at_stack(void)
{
    keep_maximum(S2C_STAGE_FIRMWARE, (uint32_t)((uintptr_t)s2c_stack_top -
                                                s2c_port_lowest_stack_use()));
}

/* Calls a function of the model and measures its stack. Returns 0 where it reports an error. */
static int ok(s2c_stage stage, s2c_port_function function, uintptr_t a, uintptr_t b, uintptr_t c)
{
    uint64_t result;
    s2c_status status;

    look_at_stack();
    result = S2C_PORT_CALL(stage, function, a, b, c);
    look_at_stack();
    keep_maximum(stage, (uint32_t)(result >> 32));
    status = (s2c_status)(uint32_t)result;
    if (status != S2C_OK) {
        s2c_records_write(S2C_RECORD_STATUS, (uint32_t)stage, (uint32_t)status, NULL, 0);
    }
    return status == S2C_OK;
}

static void write_stack(void)
{
    look_at_stack();
    for (uint32_t stage = 0; stage < STAGES; ++stage) {
        s2c_records_write(S2C_RECORD_STACK, stage, stack_bytes[stage], NULL, 0);
    }
}

/* From `inputs` inputs of the file to logits. The first input has been read. */
static int run_image(const s2c_port_model *model, int32_t images)
{
    const uintptr_t context = (uintptr_t)model->context;
    const uintptr_t input = (uintptr_t)model->input;
    const uintptr_t logits = (uintptr_t)model->logits;

    if (model->run != NULL) {
        return ok(S2C_STAGE_RUN, model->run, context, input, logits) ? S2C_PORT_EXIT_OK
                                                                     : S2C_PORT_EXIT_STATUS;
    }
    if (!ok(S2C_STAGE_BEGIN, model->begin, context, 0, 0)) {
        return S2C_PORT_EXIT_STATUS;
    }
    for (uint32_t row = 0; row < model->inputs; ++row) {
        if (row > 0u && s2c_semihosting_read(images, model->input, model->input_bytes) !=
                            model->input_bytes) {
            return S2C_PORT_EXIT_FILES;
        }
        if (!ok(S2C_STAGE_PUSH_ROWS, model->push_rows, context, input, 1u)) {
            return S2C_PORT_EXIT_STATUS;
        }
    }
    return ok(S2C_STAGE_FINISH, model->finish, context, logits, 0) ? S2C_PORT_EXIT_OK
                                                                   : S2C_PORT_EXIT_STATUS;
}

static int run_images(const s2c_port_model *model, int32_t images)
{
    for (uint32_t count = 0;; ++count) {
        const size_t got = s2c_semihosting_read(images, model->input, model->input_bytes);
        int result;

        if (got == 0) {
            write_stack();
            s2c_records_write(S2C_RECORD_END, count, 0, NULL, 0);
            return S2C_PORT_EXIT_OK;
        }
        if (got != model->input_bytes) {
            return S2C_PORT_EXIT_FILES;
        }
        result = run_image(model, images);
        if (result != S2C_PORT_EXIT_OK) {
            return result;
        }
        s2c_records_write(S2C_RECORD_LOGITS, count, 0, model->logits,
                          model->classes * sizeof *model->logits);
        /* For their stack: whether they are right, the kernels' tests say. */
        if (!ok(S2C_STAGE_TOP_K, model->top_k, (uintptr_t)model->logits, model->best_count,
                (uintptr_t)model->best) ||
            !ok(S2C_STAGE_SOFTMAX, model->softmax, (uintptr_t)model->logits,
                (uintptr_t)model->logits, 0)) {
            return S2C_PORT_EXIT_STATUS;
        }
        s2c_semihosting_print(IMAGE_DONE);
    }
}

int s2c_port_simulate(const s2c_port_model *model)
{
    int32_t images;
    int result = S2C_PORT_EXIT_STATUS;

    if (!s2c_records_open(S2C_PORT_RESULTS_FILE)) {
        return S2C_PORT_EXIT_FILES;
    }
    images = s2c_semihosting_open(S2C_PORT_IMAGES_FILE, S2C_SEMIHOSTING_READ);
    if (images == -1) {
        return S2C_PORT_EXIT_FILES;
    }
    memset(model->arena, GARBAGE, model->arena_bytes);
    if (ok(S2C_STAGE_INIT, model->init, (uintptr_t)model->context, (uintptr_t)model->arena,
           model->arena_bytes) &&
        ok(S2C_STAGE_CHECK_WEIGHTS, model->check_weights, 0, 0, 0)) {
        result = run_images(model, images);
    }
    return s2c_records_close() ? result : S2C_PORT_EXIT_FILES;
}
