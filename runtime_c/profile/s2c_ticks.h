/*
 * Time of every layer on the device itself; see docs/profiling.md.
 *
 * Add s2c_ticks.c to the firmware, compile the model with -DS2C_HOOKS_HEADER='"s2c_ticks.h"',
 * and around a run:
 *
 *     static uint64_t ticks[NAME_LAYERS];
 *
 *     status = s2c_ticks_start(ticks, NAME_LAYERS, NULL, 0);
 *     ... NAME_run() or NAME_begin() to NAME_finish() ...
 *     s2c_ticks_stop();
 *
 * One model is timed at a time: hooks know no context, so where they write is kept here.
 */
#ifndef S2C_TICKS_H
#define S2C_TICKS_H

#include <stdint.h>

#include "s2c.h"

/* Cores with a cycle counter, DWT->CYCCNT: Cortex-M3 and up. */
#if defined(__ARM_ARCH_7M__) || defined(__ARM_ARCH_7EM__) || defined(__ARM_ARCH_8M_MAIN__) || \
    defined(__ARM_ARCH_8_1M_MAIN__)
#define S2C_TICKS_DWT 1
#else
#define S2C_TICKS_DWT 0
#endif

/* Every Cortex-M has a SysTick, or nearly. */
#if S2C_TICKS_DWT || defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
#define S2C_TICKS_SYSTICK 1
#else
#define S2C_TICKS_SYSTICK 0
#endif

/* A counter that counts up and starts over at zero after 2^bits - 1. */
typedef uint32_t (*s2c_tick_source)(void);

/*
 * Clears ticks[0 .. layers - 1]; from now on the time of every step of layer n is added to
 * ticks[n], less what an empty step takes. A step must take less than 2^bits ticks.
 *
 * With `source` NULL it starts and reads DWT->CYCCNT, whatever `bits`. S2C_ERROR_NULL: `ticks`
 * is NULL. S2C_ERROR_ARGUMENT: no layers, `bits` is not 1 to 32, or there is no such counter or
 * it stands still (Cortex-M0, some emulators); nothing is timed then.
 */
s2c_status s2c_ticks_start(uint64_t *ticks, uint32_t layers, s2c_tick_source source,
                           uint32_t bits);

/* The array is not written any more. */
void s2c_ticks_stop(void);

/* What the hooks call. */
void s2c_ticks_begin(uint32_t layer);
void s2c_ticks_end(uint32_t layer);

#if S2C_TICKS_SYSTICK
/*
 * SysTick as a source of 32 bits, for cores without a cycle counter: at the core's clock, which
 * takes SysTick from the application. Call ..._start first, and ..._interrupt from the handler of
 * SysTick, which has to be enabled: the counter itself has 24 bits.
 */
void s2c_ticks_systick_start(void);
uint32_t s2c_ticks_systick(void);
void s2c_ticks_systick_interrupt(void);
#endif

/* A header of hooks that does more than this includes it and defines these itself first. */
#ifndef S2C_ON_LAYER_BEGIN
#define S2C_ON_LAYER_BEGIN(layer) s2c_ticks_begin(layer)
#define S2C_ON_LAYER_END(layer) s2c_ticks_end(layer)
#endif

#endif /* S2C_TICKS_H */
