/* Firmware that times the layers of the model `tiny` as docs/profiling.md shows, by SysTick. */
#include "s2c_port.h"
#include "s2c_port_records.h"
#include "s2c_ticks.h"
#include "tiny.h"

#define DEFAULT_COUNTER 1000u /* its record holds what s2c_ticks_start says without a source */

TINY_DECLARE_ARENA(arena);
static uint8_t image[TINY_INPUT_BYTES];
static int32_t logits[TINY_CLASSES];
static uint64_t ticks[TINY_LAYERS];
static tiny_context context;

int main(void)
{
    s2c_status status;

    (void)s2c_records_open(S2C_PORT_RESULTS_FILE);
    status = s2c_ticks_start(ticks, TINY_LAYERS, NULL, 0);
    s2c_records_write(S2C_RECORD_TICKS, DEFAULT_COUNTER, (uint32_t)status, NULL, 0);
    s2c_ticks_stop();
    s2c_ticks_systick_start();
    status = s2c_ticks_start(ticks, TINY_LAYERS, s2c_ticks_systick, 32);
    if (status == S2C_OK) {
        status = tiny_init(&context, &arena, sizeof arena);
    }
    if (status == S2C_OK) {
        status = tiny_run(&context, image, logits);
    }
    s2c_ticks_stop();
    for (uint32_t layer = 0; layer < TINY_LAYERS; ++layer) {
        s2c_records_write(S2C_RECORD_TICKS, layer, (uint32_t)ticks[layer], NULL, 0);
    }
    (void)s2c_records_close();
    return (int)status;
}
