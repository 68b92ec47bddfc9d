/*
 * The result file: a sequence of records, each a header of four words and `bytes` bytes.
 * squeeze2c/emulate/records.py reads it.
 */
#ifndef S2C_PORT_RECORDS_H
#define S2C_PORT_RECORDS_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    S2C_RECORD_LOGITS = 1, /* first: image. int32_t logits[classes] */
    S2C_RECORD_ROW = 2,    /* first: layer, second: row. Pixels, without gaps */
    S2C_RECORD_STATUS = 3, /* first: stage, second: s2c_status */
    S2C_RECORD_STACK = 4,  /* first: stage, second: its high-water mark in bytes */
    S2C_RECORD_FAULT = 5,  /* s2c_fault_record */
    S2C_RECORD_END = 6,    /* first: number of images. The last record */
    S2C_RECORD_TICKS = 7   /* first: layer, stage or S2C_PORT_TICKS_OF_..., second: ticks */
} s2c_record_kind;

/* Functions of the model; `first` of S2C_RECORD_STATUS and S2C_RECORD_STACK. */
typedef enum {
    S2C_STAGE_FIRMWARE = 0, /* all of it, the model included */
    S2C_STAGE_INIT = 1,
    S2C_STAGE_CHECK_WEIGHTS = 2,
    S2C_STAGE_RUN = 3,
    S2C_STAGE_BEGIN = 4,
    S2C_STAGE_PUSH_ROWS = 5,
    S2C_STAGE_FINISH = 6,
    S2C_STAGE_TOP_K = 7,
    S2C_STAGE_SOFTMAX = 8
} s2c_stage;

/* `first` of S2C_RECORD_TICKS for what tells how long a tick is. */
#define S2C_PORT_TICKS_OF_LOOP 0xFFFFFFFFu  /* a loop of two instructions, ..._LOOP times */
#define S2C_PORT_TICKS_OF_SPANS 0xFFFFFFFEu /* ..._SPANS times nothing, added up */
#define S2C_PORT_TICKS_LOOP 10000000u
#define S2C_PORT_TICKS_SPANS 4096u

/* Registers at a fault; pc and lr are 0 where the stack did not hold them. */
typedef struct {
    uint32_t exception;
    uint32_t pc;
    uint32_t lr;
    uint32_t sp;
    uint32_t cfsr;
    uint32_t hfsr;
    uint32_t mmfar;
    uint32_t bfar;
    uint32_t stack_bottom;
} s2c_fault_record;

/* Opens the file `name` for writing, unless it is open. Returns 0 where that fails. */
int s2c_records_open(const char *name);

void s2c_records_begin(s2c_record_kind kind, uint32_t first, uint32_t second, uint32_t bytes);
void s2c_records_append(const void *data, size_t bytes);
/* A whole record: begin and append. */
void s2c_records_write(s2c_record_kind kind, uint32_t first, uint32_t second, const void *data,
                       size_t bytes);

/* Writes what is buffered and closes the file. Returns 0 where any write has failed. */
int s2c_records_close(void);

#endif /* S2C_PORT_RECORDS_H */
