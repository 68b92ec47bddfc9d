/*
 * Runs kernels on test vectors and exits with the number of the first wrong one, 0 if all are
 * right. Needs nothing but a C compiler, so it runs wherever one can build for.
 */
#include <string.h>

#include "s2c.h"
#include "s2c_kernels.h"
#include "s2c_requantise.h"
#include "s2c_rows.h"

#define GUARD 16u
#define FILL 0x5A
#define MAX_KERNEL_ROWS 16u

typedef struct {
    const uint8_t *data;
    uint32_t rows;
    uint32_t row_bytes;
} map;

typedef struct {
    s2c_conv2d layer;
    map in;
    map out;
    const uint8_t *pad_row;
    const int32_t *sums; /* NULL: compare `out`, else the sums */
    uint8_t stride_rows;
    uint8_t pad_top;
    uint8_t relu;
    void (*kernel)(const s2c_conv2d *, const uint8_t *const *, int16_t *, uint8_t *);
    void (*sum_kernel)(const s2c_conv2d *, const uint8_t *const *, int16_t *, uint8_t, int32_t *);
} conv_vector;

typedef struct {
    s2c_window window;
    map in;
    map out;
    uint8_t stride_rows;
    uint8_t pad_top;
} pool_vector;

typedef void pool_kernel(const s2c_window *, const uint8_t *const *, uint32_t, uint32_t, uint8_t *);

typedef struct {
    s2c_add layer;
    map a;
    map b;
    map out;
} add_vector;

typedef struct {
    int32_t acc;
    int32_t multiplier;
    uint32_t shift;
    int32_t result;
} requantise_vector;

typedef struct {
    const int32_t *logits;
    const uint32_t *probabilities;
    uint32_t count;
    uint32_t beta_q;
    uint32_t beta_shift;
} softmax_vector;

#include "vectors.h"

static uint8_t row_memory[GUARD + MAX_ROW_BYTES + GUARD];
static uint32_t scratch_words[(MAX_SCRATCH_BYTES + 3u) / 4u];
static int32_t sums[MAX_CHANNELS];
static uint32_t probabilities[MAX_LOGITS];

static uint8_t *fresh_row(void)
{
    memset(row_memory, FILL, sizeof row_memory);
    return row_memory + GUARD;
}

/* The row is as expected, gaps between pixels included, and nothing around it was touched. */
static int row_is(const map *expected, uint32_t row)
{
    for (uint32_t i = 0; i < GUARD; ++i) {
        if (row_memory[i] != FILL || row_memory[GUARD + expected->row_bytes + i] != FILL) {
            return 0;
        }
    }
    return memcmp(row_memory + GUARD, expected->data + row * expected->row_bytes,
                  expected->row_bytes) == 0;
}

/* A map with a slot for every row. */
static s2c_line_buffer whole(const map *m)
{
    const s2c_line_buffer buffer = {m->data, m->row_bytes, m->rows, m->rows};
    return buffer;
}

static int conv_is_right(const conv_vector *v)
{
    const uint8_t *rows[MAX_KERNEL_ROWS];
    const s2c_line_buffer in = whole(&v->in);
    int16_t *const scratch = (int16_t *)(void *)scratch_words;

    memset(sums, 0, sizeof sums);
    for (uint32_t row = 0; row < v->out.rows; ++row) {
        const int32_t first = (int32_t)(row * v->stride_rows) - v->pad_top;
        uint8_t *const out = fresh_row();

        s2c_rows_padded(rows, &in, first, v->layer.window.kernel_rows, v->pad_row);
        if (v->sums != NULL) {
            v->sum_kernel(&v->layer, rows, scratch, v->relu, sums);
            continue;
        }
        v->kernel(&v->layer, rows, scratch, out);
        if (!row_is(&v->out, row)) {
            return 0;
        }
    }
    return v->sums == NULL ||
           memcmp(sums, v->sums, v->layer.window.out_channels * sizeof *sums) == 0;
}

/* Windows as a whole, and row by row. */
static int pool_is_right_by(const pool_vector *v, pool_kernel *pool)
{
    const uint8_t *rows[MAX_KERNEL_ROWS];
    const s2c_line_buffer in = whole(&v->in);

    for (uint32_t row = 0; row < v->out.rows; ++row) {
        const int32_t top = (int32_t)(row * v->stride_rows) - v->pad_top;
        uint32_t first = 0;
        const uint32_t end = s2c_clip_window(top, v->window.kernel_rows, v->in.rows, &first);
        uint8_t *const out = fresh_row();

        s2c_rows_padded(rows, &in, (int32_t)first, end - first, NULL);
        pool(&v->window, rows, end - first, 0, out);
        if (!row_is(&v->out, row)) {
            return 0;
        }
        (void)fresh_row();
        for (uint32_t i = 0; i < end - first; ++i) {
            pool(&v->window, rows + i, 1, i, out);
        }
        if (!row_is(&v->out, row)) {
            return 0;
        }
    }
    return 1;
}

static int pool_is_right(const pool_vector *v)
{
    return pool_is_right_by(v, s2c_maxpool2d_u8__c) &&
           pool_is_right_by(v, s2c_maxpool2d_u8__dsp) &&
           pool_is_right_by(v, s2c_maxpool2d_u8__m0) &&
           pool_is_right_by(v, s2c_maxpool2d_u8__m3) && pool_is_right_by(v, s2c_maxpool2d_u8__mve);
}

static int add_is_right(const add_vector *v)
{
    for (uint32_t row = 0; row < v->out.rows; ++row) {
        s2c_add_u8__c(&v->layer, v->a.data + row * v->a.row_bytes,
                      v->b.data + row * v->b.row_bytes, fresh_row());
        if (!row_is(&v->out, row)) {
            return 0;
        }
    }
    return 1;
}

static int softmax_is_right(const softmax_vector *v)
{
    return s2c_softmax_q16(v->logits, v->count, v->beta_q, v->beta_shift, probabilities) == S2C_OK &&
           memcmp(probabilities, v->probabilities, v->count * sizeof *probabilities) == 0;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CHECK(array, is_right, code)                \
    for (size_t i = 0; i < COUNT(array); ++i) {     \
        if (!is_right(&(array)[i])) {               \
            return code;                            \
        }                                           \
    }

static int requantise_is_right(const requantise_vector *v)
{
    return s2c_requantise(v->acc, v->multiplier, v->shift) == v->result;
}

int main(void)
{
    CHECK(requantise_vectors, requantise_is_right, 1)
    CHECK(conv_vectors, conv_is_right, 2)
    CHECK(pool_vectors, pool_is_right, 3)
    CHECK(add_vectors, add_is_right, 4)
    CHECK(softmax_vectors, softmax_is_right, 5)
    return s2c_crc32(0, crc_data, sizeof crc_data) == CRC_EXPECTED ? 0 : 6;
}
