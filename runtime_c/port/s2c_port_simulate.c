/* Runs a generated model over a file of images and records what comes out. */
#include <string.h>

#include "s2c_port.h"
#include "s2c_port_records.h"
#include "s2c_port_semihosting.h"
#include "s2c_port_symbols.h"

/* Real RAM holds anything at power-on; the emulator's zeros would hide a missing initialisation. */
#define GARBAGE 0xA5

/* What the emulator prints for every image: progress, and a sign of life. */
#define IMAGE_DONE "image done\n"

typedef struct {
    uint32_t firmware_bytes;
    uint32_t model_bytes;
} stack_use;

static void update(uint32_t *maximum, uintptr_t high, uintptr_t low)
{
    const uint32_t used = high > low ? (uint32_t)(high - low) : 0;
    *maximum = used > *maximum ? used : *maximum;
}

static s2c_status failed(s2c_stage stage, s2c_status status)
{
    if (status != S2C_OK) {
        s2c_records_write(S2C_RECORD_STATUS, (uint32_t)stage, (uint32_t)status, NULL, 0);
    }
    return status;
}

/* Everything below this frame is the model's; what came before must not count as its own. */
static s2c_status run_measured(const s2c_port_model *model, stack_use *stack)
{
    s2c_status status;

    update(&stack->firmware_bytes, (uintptr_t)s2c_stack_top, s2c_port_lowest_stack_use());
    s2c_port_paint_stack();
    status = model->run();
    update(&stack->model_bytes, s2c_port_stack_pointer(), s2c_port_lowest_stack_use());
    return failed(S2C_STAGE_RUN, status);
}

static int run_images(const s2c_port_model *model, int32_t images)
{
    stack_use stack = {0, 0};
    uint32_t count = 0;

    for (;;) {
        const size_t got = s2c_semihosting_read(images, model->frame, model->frame_bytes);

        if (got == 0) {
            break;
        }
        if (got != model->frame_bytes) {
            return S2C_PORT_EXIT_FILES;
        }
        if (run_measured(model, &stack) != S2C_OK) {
            return S2C_PORT_EXIT_STATUS;
        }
        s2c_records_write(S2C_RECORD_LOGITS, count, 0, model->logits,
                          model->classes * sizeof *model->logits);
        s2c_semihosting_print(IMAGE_DONE);
        ++count;
    }
    update(&stack.firmware_bytes, (uintptr_t)s2c_stack_top, s2c_port_lowest_stack_use());
    s2c_records_write(S2C_RECORD_STACK, stack.firmware_bytes, stack.model_bytes, NULL, 0);
    s2c_records_write(S2C_RECORD_END, count, 0, NULL, 0);
    return S2C_PORT_EXIT_OK;
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
    if (failed(S2C_STAGE_INIT, model->init()) == S2C_OK &&
        failed(S2C_STAGE_CHECK_WEIGHTS, model->check_weights()) == S2C_OK) {
        result = run_images(model, images);
    }
    return s2c_records_close() ? result : S2C_PORT_EXIT_FILES;
}
