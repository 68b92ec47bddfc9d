/* Weights of an output channel as a stream of segments, for Cortex-M0. */
#include "s2c_conv2d_m0.h"
#include "s2c_requantise.h"

/* A stream on its way. */
typedef struct {
    uint32_t *segment; /* the one at hand: its first word */
    uint32_t *to;
    uint32_t segments;
    uint32_t total; /* of the weights, modulo 2^32 */
    uint32_t left;  /* for the weights of this segment */
} progress;

/* How the taps of a segment begin. */
static uint32_t entry(const uint32_t *segment, const uint32_t *end)
{
    return ~(S2C_M0_TAP_BYTES * (uint32_t)(end - segment));
}

static uint32_t magnitude(int32_t weight)
{
    return (uint32_t)(weight < 0 ? -weight : weight);
}

/* Two more taps. */
static void add_taps(progress *stream, int32_t first, int32_t second)
{
    const uint32_t size = magnitude(first) + magnitude(second);

    if (size > stream->left || stream->to - stream->segment > (ptrdiff_t)S2C_M0_SEGMENT_TAPS) {
        *stream->segment = entry(stream->segment, stream->to);
        stream->segment = stream->to++;
        stream->left = S2C_M0_SEGMENT_WEIGHTS;
        ++stream->segments;
    }
    stream->left -= size;
    stream->total += (uint32_t)first + (uint32_t)second;
    *stream->to++ = (uint32_t)first;
    *stream->to++ = (uint32_t)second;
}

#if S2C_M0_NATIVE

/*
 * The first taps of a channel, an even number above 0. r8: total, r9: segment, r10: the
 * end of the longest segment, r11: segments, r12: r7, which may be the frame pointer.
 */
static void add_first_taps(const int8_t *weights, uint32_t taps, progress *stream)
{
    register uint32_t total __asm__("r0") = (uint32_t)(uintptr_t)(weights + taps);
    register uint32_t at __asm__("r1") = 0u - taps;
    register uint32_t *segment __asm__("r2") = stream->segment;
    register uint32_t *to __asm__("r4") = stream->to;
    register uint32_t left __asm__("r5") = S2C_M0_SEGMENT_WEIGHTS;

    __asm__ volatile(
        ".syntax unified\n\t"
        "mov r12, r7\n\t"
        "mov r9, r2\n\t"
        "adds r2, #132\n\t"
        "mov r10, r2\n\t"
        "movs r2, #0\n\t"
        "mov r8, r2\n\t"
        "movs r2, #1\n\t"
        "mov r11, r2\n"
        "1:\n\t"
        "ldrsb r2, [r0, r1]\n\t"
        "adds r1, #1\n\t"
        "ldrsb r3, [r0, r1]\n\t"
        "stmia r4!, {r2, r3}\n\t"
        "add r8, r8, r2\n\t"
        "add r8, r8, r3\n\t"
        "asrs r6, r2, #31\n\t"
        "eors r2, r6\n\t"
        "subs r2, r2, r6\n\t"
        "asrs r6, r3, #31\n\t"
        "eors r3, r6\n\t"
        "subs r3, r3, r6\n\t"
        "adds r2, r2, r3\n\t"
        "subs r5, r5, r2\n\t"
        "bmi 3f\n\t"
        "cmp r4, r10\n\t"
        "bhi 3f\n"
        "2:\n\t"
        "adds r1, #1\n\t"
        "bne 1b\n\t"
        "b 4f\n"
        "3:\n\t" /* a new segment for the last two, and the entry of the one before */
        "subs r4, #8\n\t"
        "ldr r6, [r4]\n\t"
        "ldr r7, [r4, #4]\n\t"
        "mov r3, r9\n\t"
        "subs r5, r4, r3\n\t"
        "lsrs r5, r5, #2\n\t"
        "movs r3, #19\n\t"
        "muls r5, r3, r5\n\t"
        "mvns r3, r5\n\t"
        "mov r5, r9\n\t"
        "str r3, [r5]\n\t"
        "mov r9, r4\n\t"
        "movs r3, r4\n\t"
        "adds r3, #132\n\t"
        "mov r10, r3\n\t"
        "adds r4, #4\n\t"
        "stmia r4!, {r6, r7}\n\t"
        "movs r3, #1\n\t"
        "add r11, r11, r3\n\t"
        "movs r5, #255\n\t"
        "subs r5, r5, r2\n\t"
        "b 2b\n"
        "4:\n\t"
        "mov r0, r8\n\t"
        "mov r2, r9\n\t"
        "mov r1, r11\n\t"
        "mov r7, r12\n\t"
        : "+r"(total), "+r"(at), "+r"(segment), "+r"(to), "+r"(left)
        :
        : "r3", "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
    stream->segment = segment;
    stream->to = to;
    stream->segments = at;
    stream->total = total;
    stream->left = left;
}

#endif

uint32_t s2c_stream__m0(const int8_t *weights, uint32_t taps, uint32_t *stream, int32_t *total)
{
    progress made = {stream, stream + 1, 1u, 0u, S2C_M0_SEGMENT_WEIGHTS};
    uint32_t k = 0;

#if S2C_M0_NATIVE
    k = taps & ~1u;
    if (k != 0u) {
        add_first_taps(weights, k, &made);
    }
#endif
    for (; k < taps; k += 2u) {
        add_taps(&made, weights[k], k + 1u < taps ? weights[k + 1u] : 0);
    }
    *made.segment = entry(made.segment, made.to);
    if (made.segments % 2u != 0u) {
        made.segment = made.to++;
        *made.segment = entry(made.segment, made.to);
        ++made.segments;
    }
    *made.to = S2C_M0_END;
    *total = s2c_signed(made.total);
    return made.segments;
}
