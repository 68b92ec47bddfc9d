/* Ticks of SysTick as records, and what a tick is. */
#include "s2c_port_ticks.h"

#include "s2c_port.h"
#include "s2c_port_records.h"
#include "s2c_ticks.h"

static struct {
    int running;
    uint32_t begin;
} clock;

static void record(uint32_t number, uint32_t ticks)
{
    s2c_records_write(S2C_RECORD_TICKS, number, ticks, NULL, 0);
}

/* Two instructions per turn, and a few more. */
static void known_loop(uint32_t turns)
{
    __asm__ volatile(".syntax unified\n\t"
                     ".balign 4\n"
                     "1:\n\t"
                     "subs %0, #1\n\t"
                     "bne 1b\n\t"
                     : "+l"(turns)
                     :
                     : "cc");
}

/* How many ticks a loop of known length takes, and how many an empty span does, many times over. */
static void calibrate(void)
{
    uint32_t begin = s2c_ticks_systick();
    uint32_t sum = 0;

    known_loop(S2C_PORT_TICKS_LOOP);
    record(S2C_PORT_TICKS_OF_LOOP, s2c_ticks_systick() - begin);
    for (uint32_t i = 0; i < S2C_PORT_TICKS_SPANS; ++i) {
        known_loop(1u + i % 64u); /* so that spans begin anywhere within a tick */
        begin = s2c_ticks_systick();
        sum += s2c_ticks_systick() - begin;
    }
    record(S2C_PORT_TICKS_OF_SPANS, sum);
}

void s2c_port_ticks_begin(void)
{
    if (!clock.running) {
        s2c_ticks_systick_start();
        clock.running = 1;
        calibrate();
    }
    clock.begin = s2c_ticks_systick();
}

void s2c_port_ticks_end(uint32_t number)
{
    const uint32_t end = s2c_ticks_systick();

    record(number, end - clock.begin);
}

uint64_t s2c_port_ticks_call(uint32_t stage, s2c_port_function function, uintptr_t a, uintptr_t b,
                             uintptr_t c)
{
    uintptr_t result;

    s2c_port_ticks_begin();
    result = ((uintptr_t(*)(uintptr_t, uintptr_t, uintptr_t))function)(a, b, c);
    s2c_port_ticks_end(stage);
    return (uint32_t)result;
}
