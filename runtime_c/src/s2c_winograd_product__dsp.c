/* Products of transformed weights and inputs of a 3x3 convolution. */
#include <stddef.h>

#include "s2c_dsp.h"
#include "s2c_dsp_lanes.h"
#include "s2c_winograd_dsp.h"

/* Words from chunk to chunk of U. */
#define CHUNK_STEP (S2C_WINOGRAD_POSITIONS * S2C_WINOGRAD_CHUNK_WORDS)

#if S2C_DSP_FPU
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* In the order in which they are loaded into s16 and above. */
typedef struct {
    const uint32_t *u;     /* s16 */
    const uint32_t *v_end; /* s17: of the position at hand */
    uint32_t *m;           /* s18 */
    uint32_t *m_end;       /* s19 */
    uint32_t v_step;       /* s20: bytes of a position */
    uint32_t u_back;       /* s21: bytes from behind the last chunk of a position to the next one */
    const uint32_t *v;     /* s22 */
} operands;

#define FOUR_TILES(first, second)       \
    "vmov r12, " first "\n\t"           \
    "ldmia lr!, {r8, r9, r10, r11}\n\t" \
    "smlad r0, r8, r12, r0\n\t"         \
    "smlad r1, r9, r12, r1\n\t"         \
    "smlad r2, r10, r12, r2\n\t"        \
    "smlad r3, r11, r12, r3\n\t"        \
    "vmov r12, " second "\n\t"          \
    "smlad r4, r8, r12, r4\n\t"         \
    "smlad r5, r9, r12, r5\n\t"         \
    "smlad r6, r10, r12, r6\n\t"        \
    "smlad r7, r11, r12, r7\n\t"

#define THREE_TILES(first, second)             \
    "vmov r11, r12, " first ", " second "\n\t" \
    "ldmia lr!, {r8, r9, r10}\n\t"             \
    "smlad r0, r8, r11, r0\n\t"                \
    "smlad r1, r9, r11, r1\n\t"                \
    "smlad r2, r10, r11, r2\n\t"               \
    "smlad r3, r8, r12, r3\n\t"                \
    "smlad r4, r9, r12, r4\n\t"                \
    "smlad r5, r10, r12, r5\n\t"

/* All positions: r0 to r7 are sums, lr is where V is, and the frame pointer r7 is put by in s26. */
#define PRODUCT(TILES, clear_more, store)                                         \
    "vldmia r0, {s16-s22}\n\t"                                                    \
    "vmov s26, r7\n\t"                                                            \
    "vmov lr, s22\n\t"                                                            \
    "1:\n\t"                                                                      \
    "mov r0, #0\n\t"                                                              \
    "mov r1, #0\n\t"                                                              \
    "mov r2, #0\n\t"                                                              \
    "mov r3, #0\n\t"                                                              \
    "mov r4, #0\n\t"                                                              \
    "mov r5, #0\n\t"                                                              \
    clear_more                                                                    \
    "2:\n\t"                                                                      \
    "vmov r8, s16\n\t"                                                            \
    "vldmia r8, {s0-s15}\n\t"                                                     \
    "add r8, r8, #2304\n\t"                                                       \
    "vmov s16, r8\n\t"                                                            \
    TILES("s0", "s1") TILES("s2", "s3") TILES("s4", "s5") TILES("s6", "s7")       \
    TILES("s8", "s9") TILES("s10", "s11") TILES("s12", "s13") TILES("s14", "s15") \
    "vmov r9, r10, s17, s18\n\t"                                                  \
    "cmp lr, r9\n\t"                                                              \
    "bne 2b\n\t"                                                                  \
    "stmia r10, " store "\n\t"                                                    \
    "add r10, r10, #32\n\t"                                                       \
    "vmov r11, r12, s19, s20\n\t"                                                 \
    "add r9, r9, r12\n\t"                                                         \
    "vmov r8, s16\n\t"                                                            \
    "vmov r12, s21\n\t"                                                           \
    "sub r8, r8, r12\n\t"                                                         \
    "vmov s16, r8\n\t"                                                            \
    "vmov s17, s18, r9, r10\n\t"                                                  \
    "cmp r10, r11\n\t"                                                            \
    "bne 1b\n\t"                                                                  \
    "vmov r7, s26\n\t"

#define CLOBBERS                                                                             \
    "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "s0", "s1",   \
        "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13", "s14",   \
        "s15", "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s26", "cc", "memory"

static void multiply4(const operands *given)
{
    register const void *arguments __asm__("r0") = given;

    __asm__ volatile(PRODUCT(FOUR_TILES, "mov r6, #0\n\tmov r7, #0\n\t", "{r0-r7}")
                     : "+r"(arguments)
                     :
                     : CLOBBERS);
}

static void multiply3(const operands *given)
{
    register const void *arguments __asm__("r0") = given;

    __asm__ volatile(PRODUCT(THREE_TILES, "", "{r0-r5}") : "+r"(arguments) : : CLOBBERS);
}

void s2c_winograd_product__dsp(const uint32_t *u, const uint32_t *v, uint32_t in_channels,
                               uint32_t tiles, uint32_t *m)
{
    const uint32_t position = in_channels / 2u * tiles;
    const uint32_t chunks = in_channels / S2C_WINOGRAD_CHUNK_CHANNELS;
    const operands given = {
        u,
        v + position,
        m,
        m + (size_t)S2C_WINOGRAD_SUMS * S2C_WINOGRAD_POSITIONS,
        4u * position,
        4u * (chunks * CHUNK_STEP - S2C_WINOGRAD_CHUNK_WORDS),
        v,
    };

    if (tiles == S2C_WINOGRAD_GROUP) {
        multiply4(&given);
    } else {
        multiply3(&given);
    }
}

#elif S2C_DSP_LANES

void s2c_winograd_product__dsp(const uint32_t *u, const uint32_t *v, uint32_t in_channels,
                               uint32_t tiles, uint32_t *m)
{
    uint32_t left = S2C_WINOGRAD_POSITIONS * in_channels / 2u * tiles;

    for (uint32_t position = 0; position < S2C_WINOGRAD_POSITIONS; ++position) {
        s2c_dsp_lanes first = s2c_lanes_all(0u);
        s2c_dsp_lanes second = s2c_lanes_all(0u);
        uint32_t sums[S2C_WINOGRAD_GROUP];

        for (uint32_t pair = 0; pair < in_channels / 2u; ++pair) {
            const uint32_t *const both = u + pair / 8u * CHUNK_STEP + pair % 8u * 2u;
            const s2c_dsp_lanes of_tiles = s2c_lanes_load(v, tiles, left);

            first = s2c_lanes_smlad(of_tiles, s2c_lanes_all(both[0]), first);
            second = s2c_lanes_smlad(of_tiles, s2c_lanes_all(both[1]), second);
            v += tiles;
            left -= tiles;
        }
        s2c_lanes_store4(sums, first);
        memcpy(m, sums, tiles * sizeof sums[0]);
        s2c_lanes_store4(sums, second);
        memcpy(m + tiles, sums, tiles * sizeof sums[0]);
        u += S2C_WINOGRAD_CHUNK_WORDS;
        m += S2C_WINOGRAD_SUMS;
    }
}

#else

void s2c_winograd_product__dsp(const uint32_t *u, const uint32_t *v, uint32_t in_channels,
                               uint32_t tiles, uint32_t *m)
{
    for (uint32_t position = 0; position < S2C_WINOGRAD_POSITIONS; ++position) {
        for (uint32_t t = 0; t < 2u * tiles; ++t) {
            m[t] = 0;
        }
        for (uint32_t pair = 0; pair < in_channels / 2u; ++pair) {
            const uint32_t *const both = u + pair / 8u * CHUNK_STEP + pair % 8u * 2u;
            for (uint32_t t = 0; t < tiles; ++t) {
                m[t] = s2c_smlad(v[t], both[0], m[t]);
                m[tiles + t] = s2c_smlad(v[t], both[1], m[tiles + t]);
            }
            v += tiles;
        }
        u += S2C_WINOGRAD_CHUNK_WORDS;
        m += S2C_WINOGRAD_SUMS;
    }
}

#endif
