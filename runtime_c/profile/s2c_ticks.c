/* Time of every layer; the only file of the runtime with variables of its own. */
#include "s2c_ticks.h"

/* Empty steps, of which the fastest is what a step costs. */
#define TRIALS 8u

static struct {
    uint64_t *ticks; /* NULL: not timing */
    uint32_t layers;
    s2c_tick_source source;
    uint32_t mask;
    uint32_t begin;
    uint32_t empty;
} timing;

#if S2C_TICKS_DWT

#define DEMCR 0xE000EDFCu
#define DEMCR_TRCENA (1u << 24)
#define DWT_CTRL 0xE0001000u
#define DWT_CYCCNT 0xE0001004u
#define DWT_LAR 0xE0001FB0u /* Cortex-M7: locked after reset */
#define DWT_UNLOCK 0xC5ACCE55u
#define DWT_CTRL_CYCCNTENA 1u
#define A_MOMENT 16u

#endif

#if S2C_TICKS_SYSTICK

#define SYSTICK_CTRL 0xE000E010u
#define SYSTICK_LOAD 0xE000E014u
#define SYSTICK_VAL 0xE000E018u
#define SYSTICK_RUN 7u /* enabled, with interrupt, at the core's clock */
#define SYSTICK_BITS 24u
#define SYSTICK_MASK 0xFFFFFFu
#define ICSR 0xE000ED04u
#define ICSR_PENDSTSET (1u << 26)

static volatile uint32_t systick_wraps;

static volatile uint32_t *core_register(uintptr_t address)
{
    return (volatile uint32_t *)address;
}

void s2c_ticks_systick_start(void)
{
    *core_register(SYSTICK_CTRL) = 0;
    systick_wraps = 0;
    *core_register(SYSTICK_LOAD) = SYSTICK_MASK;
    *core_register(SYSTICK_VAL) = 0;
    *core_register(SYSTICK_CTRL) = SYSTICK_RUN;
}

void s2c_ticks_systick_interrupt(void)
{
    systick_wraps = systick_wraps + 1u;
}

/* SysTick counts down, and asks for its interrupt as it arrives at zero. */
uint32_t s2c_ticks_systick(void)
{
    uint32_t wraps;
    uint32_t value;

    do {
        wraps = systick_wraps;
        value = *core_register(SYSTICK_VAL);
        if ((*core_register(ICSR) & ICSR_PENDSTSET) != 0u) {
            /* It has wrapped where interrupts are off, or a moment ago. */
            value = *core_register(SYSTICK_VAL);
            return ((wraps + 1u) << SYSTICK_BITS) + ((0u - value) & SYSTICK_MASK);
        }
    } while (wraps != systick_wraps);
    return (wraps << SYSTICK_BITS) + ((0u - value) & SYSTICK_MASK);
}

#endif

#if S2C_TICKS_DWT

static uint32_t cycle_counter(void)
{
    return *core_register(DWT_CYCCNT);
}

/* Returns 0 where the counter stands still. */
static int start_cycle_counter(void)
{
    uint32_t before;

    *core_register(DEMCR) |= DEMCR_TRCENA;
    *core_register(DWT_LAR) = DWT_UNLOCK;
    *core_register(DWT_CYCCNT) = 0;
    *core_register(DWT_CTRL) |= DWT_CTRL_CYCCNTENA;
    before = cycle_counter();
    for (volatile uint32_t i = 0; i < A_MOMENT; ++i) {
    }
    return cycle_counter() != before;
}

#endif

/* The counter of the core, or NULL. */
static s2c_tick_source default_source(void)
{
#if S2C_TICKS_DWT
    return start_cycle_counter() ? cycle_counter : NULL;
#else
    return NULL;
#endif
}

s2c_status s2c_ticks_start(uint64_t *ticks, uint32_t layers, s2c_tick_source source,
                           uint32_t bits)
{
    uint64_t trial = 0;
    uint32_t empty = UINT32_MAX;

    timing.ticks = NULL;
    if (ticks == NULL) {
        return S2C_ERROR_NULL;
    }
    if (source == NULL) {
        source = default_source();
        bits = 32u;
    }
    if (source == NULL || layers == 0u || bits == 0u || bits > 32u) {
        return S2C_ERROR_ARGUMENT;
    }
    timing.source = source;
    timing.mask = UINT32_MAX >> (32u - bits);
    timing.layers = 1;
    timing.empty = 0;
    timing.ticks = &trial;
    for (uint32_t i = 0; i < TRIALS; ++i) {
        trial = 0;
        s2c_ticks_begin(0);
        s2c_ticks_end(0);
        if (trial < empty) {
            empty = (uint32_t)trial;
        }
    }
    for (uint32_t layer = 0; layer < layers; ++layer) {
        ticks[layer] = 0;
    }
    timing.empty = empty;
    timing.layers = layers;
    timing.ticks = ticks;
    return S2C_OK;
}

void s2c_ticks_stop(void)
{
    timing.ticks = NULL;
}

void s2c_ticks_begin(uint32_t layer)
{
    (void)layer;
    if (timing.ticks != NULL) {
        timing.begin = timing.source();
    }
}

void s2c_ticks_end(uint32_t layer)
{
    if (timing.ticks != NULL) {
        const uint32_t taken = (timing.source() - timing.begin) & timing.mask;

        if (layer < timing.layers) {
            timing.ticks[layer] += taken > timing.empty ? taken - timing.empty : 0u;
        }
    }
}
