/*
 * A main program to start from: classify what the camera sees, again and again. Either from a
 * frame in memory or, compiled with -DROWS_FROM_INTERRUPT, row by row as the camera delivers
 * them: then no frame buffer exists.
 *
 *     squeeze2c compile model.onnx -o firmware/ --name squeezenet --calibration photos/ ...
 *
 * Add this file, every .c file of firmware/ and of firmware/runtime/ to the project, with both
 * folders on the include path. The board_ functions are yours to write.
 */
#include <stdint.h>

#include "squeezenet.h"

/* Sets up clocks, camera and display. */
void board_init(void);

#ifdef ROWS_FROM_INTERRUPT

/* Makes the camera send one image, of which every row ends in a call of camera_line_ready. */
void board_start_image(void);

/* Returns when camera_line_ready has been called again, or just has been; may sleep. */
void board_wait(void);

/*
 * Yours to call from the camera's line interrupt, or its DMA's, with SQUEEZENET_INPUT_ROW_BYTES
 * of pixels. They are not needed after it returns.
 */
void camera_line_ready(const uint8_t *row);

#else

/*
 * The next image: SQUEEZENET_INPUT_ROWS x SQUEEZENET_INPUT_COLS pixels, each a red, a green and a
 * blue byte. It must not change until the next call.
 */
const uint8_t *board_next_frame(void);

#endif

/* Shows a class and its probability in percent. */
void board_show(uint32_t class_index, uint32_t percent);

/* Called where going on makes no sense; does not return. */
void board_fail(const char *reason);

/*
 * The network's working memory, and the results. Static: too large for most stacks. To place the
 * arena elsewhere, compile with for example
 * -DSQUEEZENET_ARENA_SECTION='__attribute__((section(".bss.sdram")))'.
 */
SQUEEZENET_DECLARE_ARENA(arena);
static int32_t logits[SQUEEZENET_CLASSES];
static uint32_t probabilities[SQUEEZENET_CLASSES];

static void expect_ok(s2c_status status)
{
    if (status != S2C_OK) {
        board_fail(s2c_status_name(status));
    }
}

static squeezenet_context net;

#ifdef ROWS_FROM_INTERRUPT

/* What the interrupt tells the main program. */
static volatile uint32_t rows_taken;
static volatile s2c_status row_status;

/*
 * The network computes in here as far as the row allows, so give the interrupt a low priority.
 * The next row must not come earlier than this one is done: use a camera that waits, or DMA
 * into two rows in turn and a pixel clock that is slow enough.
 */
void camera_line_ready(const uint8_t *row)
{
    if (row_status == S2C_OK) {
        row_status = squeezenet_push_rows(&net, row, 1);
    }
    ++rows_taken;
}

static void classify(void)
{
    rows_taken = 0;
    row_status = squeezenet_begin(&net);
    expect_ok(row_status);
    board_start_image();
    while (rows_taken < SQUEEZENET_INPUT_ROWS) {
        board_wait();
    }
    expect_ok(row_status);
    expect_ok(squeezenet_finish(&net, logits));
}

#else

static void classify(void)
{
    expect_ok(squeezenet_run(&net, board_next_frame(), logits));
}

#endif

int main(void)
{
    s2c_ranked best;

    board_init();
    /* Once after reset: the weights in flash are those that were compiled. */
    expect_ok(squeezenet_check_weights());
    expect_ok(squeezenet_init(&net, &arena, sizeof arena));
    for (;;) {
        classify();
        expect_ok(squeezenet_top_k(logits, 1, &best));
        expect_ok(squeezenet_softmax(logits, probabilities));
        board_show(best.class_index, (probabilities[best.class_index] * 100u + 32768u) >> 16);
    }
}
