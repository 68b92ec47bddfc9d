/* Memory protection unit: regions that fault, everything else as if it were off. */
#include "s2c_port.h"

#define MPU_CTRL 0xE000ED94u
#define MPU_RNR 0xE000ED98u
#define MPU_RBAR 0xE000ED9Cu
#define MPU_RASR_OR_RLAR 0xE000EDA0u
#define MPU_MAIR0 0xE000EDC0u

#define CTRL_ENABLE 1u
#define CTRL_DEFAULT_MAP 4u

#ifdef S2C_PORT_ARMV8M

/* Armv8-M knows no forbidden region for privileged code; read-only catches the writes. */
#define RBAR_READ_ONLY (2u << 1)
#define RBAR_EXECUTE_NEVER 1u
#define RLAR_ENABLE 1u
#define LINE_MASK 0x1Fu
#define MAIR_NORMAL_UNCACHED 0x44u

static void program(uintptr_t first, uintptr_t end)
{
    *s2c_port_register(MPU_MAIR0) = MAIR_NORMAL_UNCACHED;
    *s2c_port_register(MPU_RBAR) = (uint32_t)first | RBAR_READ_ONLY | RBAR_EXECUTE_NEVER;
    *s2c_port_register(MPU_RASR_OR_RLAR) = ((uint32_t)(end - 1u) & ~LINE_MASK) | RLAR_ENABLE;
}

#else

#define RASR_ENABLE 1u
#define RASR_EXECUTE_NEVER (1u << 28)
#define RASR_SIZE_SHIFT 1u

/* Access permission 0 is none at all. The size field s stands for 2^(s+1) bytes. */
static void program(uintptr_t first, uintptr_t end)
{
    uint32_t size = 0;

    while (((uintptr_t)2u << size) < end - first) {
        ++size;
    }
    *s2c_port_register(MPU_RBAR) = (uint32_t)first;
    *s2c_port_register(MPU_RASR_OR_RLAR) =
        RASR_EXECUTE_NEVER | (size << RASR_SIZE_SHIFT) | RASR_ENABLE;
}

#endif

void s2c_port_forbid(uint32_t index, uintptr_t first, uintptr_t end)
{
    if (first < end) {
        *s2c_port_register(MPU_RNR) = index;
        program(first, end);
    }
}

/* Not during faults (HFNMIENA stays 0), so that a fault on the guard can be reported. */
void s2c_port_enable_mpu(void)
{
    *s2c_port_register(MPU_CTRL) = CTRL_DEFAULT_MAP | CTRL_ENABLE;
    s2c_port_barrier();
}
