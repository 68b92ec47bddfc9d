/* Vector table, reset and faults of any Cortex-M. */
#include "s2c_port.h"
#include "s2c_port_records.h"
#include "s2c_port_semihosting.h"
#include "s2c_port_symbols.h"
#include "s2c_ticks.h"

#define CCR 0xE000ED14u
#define CFSR 0xE000ED28u
#define HFSR 0xE000ED2Cu
#define MMFAR 0xE000ED34u
#define BFAR 0xE000ED38u
#define CPACR 0xE000ED88u

#define CCR_UNALIGN_TRP (1u << 3)
#define CPACR_FPU_FULL_ACCESS (0xFu << 20)

/* Words that the core stacks on an exception, without those of the FPU. */
#define STACKED_WORDS 8u
#define STACKED_LR 5u
#define STACKED_PC 6u

#define EXCEPTIONS 15u

typedef struct {
    void *initial_sp;
    void (*handler[EXCEPTIONS])(void);
} vector_table;

void s2c_port_reset(void);
void s2c_port_fault(void);
void s2c_port_report_fault(const uint32_t *frame);

/* Builds that read SysTick enable its interrupt, no other: whatever else is not reset is a fault. */
__attribute__((section(".vectors"), used)) const vector_table s2c_port_vectors = {
    .initial_sp = s2c_stack_top,
    .handler = {s2c_port_reset, s2c_port_fault, s2c_port_fault, s2c_port_fault, s2c_port_fault,
                s2c_port_fault, s2c_port_fault, s2c_port_fault, s2c_port_fault, s2c_port_fault,
                s2c_port_fault, s2c_port_fault, s2c_port_fault, s2c_port_fault,
                s2c_ticks_systick_interrupt},
};

/* Not inlined into reset: the compiler may keep constants in FPU registers throughout. */
__attribute__((noinline, noreturn)) static void start(void)
{
    const uint32_t *load = s2c_data_load;

    for (uint32_t *to = s2c_data_start; to < s2c_data_end; ++to) {
        *to = *load++;
    }
    for (uint32_t *to = s2c_bss_start; to < s2c_bss_end; ++to) {
        *to = 0;
    }
    s2c_port_forbid(0, (uintptr_t)s2c_stack_guard, (uintptr_t)s2c_stack_bottom);
    s2c_port_forbid(1, (uintptr_t)s2c_fence_start, (uintptr_t)s2c_fence_end);
    s2c_port_enable_mpu();
    s2c_port_paint_stack();
    s2c_semihosting_exit((uint32_t)main());
}

__attribute__((noreturn, used)) void s2c_port_reset(void)
{
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    *s2c_port_register(CPACR) |= CPACR_FPU_FULL_ACCESS;
#endif
#if defined(__ARM_ARCH_6M__)
    /* A Cortex-M0 faults on every unaligned access; the larger core that emulates it shall too. */
    *s2c_port_register(CCR) |= CCR_UNALIGN_TRP;
#endif
    s2c_port_barrier();
    start();
}

/* The stack may be what is broken: keep its pointer as an argument and start over at the top. */
__attribute__((naked, used)) void s2c_port_fault(void)
{
    __asm__ volatile("mrs r0, msp\n\t"
                     "ldr r1, =s2c_stack_top\n\t"
                     "mov sp, r1\n\t"
                     "ldr r1, =s2c_port_report_fault\n\t"
                     "bx r1\n\t"
                     ".ltorg");
}

__attribute__((noreturn, used)) void s2c_port_report_fault(const uint32_t *frame)
{
    s2c_fault_record fault = {0};
    const int stacked =
        frame >= s2c_stack_bottom && frame + STACKED_WORDS <= (const uint32_t *)s2c_stack_top;
    uint32_t exception;

    __asm__ volatile("mrs %0, ipsr" : "=r"(exception));
    fault.exception = exception;
    fault.pc = stacked ? frame[STACKED_PC] : 0;
    fault.lr = stacked ? frame[STACKED_LR] : 0;
    fault.sp = (uint32_t)(uintptr_t)frame;
    fault.cfsr = *s2c_port_register(CFSR);
    fault.hfsr = *s2c_port_register(HFSR);
    fault.mmfar = *s2c_port_register(MMFAR);
    fault.bfar = *s2c_port_register(BFAR);
    fault.stack_bottom = (uint32_t)(uintptr_t)s2c_stack_bottom;
    (void)s2c_records_open(S2C_PORT_RESULTS_FILE);
    s2c_records_write(S2C_RECORD_FAULT, 0, 0, &fault, sizeof fault);
    (void)s2c_records_close();
    s2c_semihosting_exit(S2C_PORT_EXIT_FAULT);
}
