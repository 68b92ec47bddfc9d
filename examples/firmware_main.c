/*
 * A main program to start from: classify what the camera sees, again and again.
 *
 *     squeeze2c compile model.onnx -o firmware/ --name squeezenet --calibration photos/ ...
 *
 * Add this file, every .c file of firmware/ and of firmware/runtime/ to the project, with both
 * folders on the include path. The four board_ functions are yours to write.
 */
#include <stdint.h>

#include "squeezenet.h"

/* Sets up clocks, camera and display. */
void board_init(void);

/*
 * The next image: SQUEEZENET_INPUT_ROWS x SQUEEZENET_INPUT_COLS pixels, each a red, a green and a
 * blue byte. It must not change until the next call.
 */
const uint8_t *board_next_frame(void);

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

int main(void)
{
    squeezenet_context net;
    s2c_ranked best;

    board_init();
    /* Once after reset: the weights in flash are those that were compiled. */
    expect_ok(squeezenet_check_weights());
    expect_ok(squeezenet_init(&net, &arena, sizeof arena));
    for (;;) {
        expect_ok(squeezenet_run(&net, board_next_frame(), logits));
        expect_ok(squeezenet_top_k(logits, 1, &best));
        expect_ok(squeezenet_softmax(logits, probabilities));
        board_show(best.class_index, (probabilities[best.class_index] * 100u + 32768u) >> 16);
    }
}
