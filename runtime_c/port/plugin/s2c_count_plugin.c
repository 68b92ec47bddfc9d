/*
 * Plugin for QEMU: how many instructions were executed when the program passed each mark.
 *
 * Arguments, as in "-plugin s2c_count_plugin.so,out=FILE,mark=0x100,marks=0x200:64":
 *   out    file for lines "MARK COUNT": a mark was entered after COUNT instructions
 *   mark   an address that is only ever called or jumped to; the first is number 0, ...
 *   marks  address of the first of many two-byte instructions, each a mark of its own: mark 2n
 *          begins phase n, mark 2n + 1 ends it
 *   blocks file for lines "PHASE ADDRESS BYTES INSTRUCTIONS EXECUTED TAKEN", one for each block
 *          and phase in which it ran; TAKEN: how often it was left for another place than its end
 *
 * Counts are exact. A translation block runs from its first to its last instruction, and the
 * firmware that this is for has no interrupts that could end one early.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The part of QEMU's plugin interface, version 1, that is used here; distributions do not
 * ship its header. See https://www.qemu.org/docs/master/devel/tcg-plugins.html
 */
#define EXPORT __attribute__((visibility("default")))
#define NO_REGISTERS 0
#define INLINE_ADD_U64 0

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*callback)(qemu_plugin_id_t id,
                                                            struct qemu_plugin_tb *block));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block,
                                          void (*callback)(unsigned int vcpu, void *data),
                                          int registers, void *data);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, int operation,
                                              void *counter, uint64_t increment);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
                                    void (*callback)(qemu_plugin_id_t id, void *data), void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);

#define MARKS 16
#define MARK_BYTES 2u

/* How often a block ran in one phase. */
typedef struct {
    uint64_t executed;
    uint64_t taken;
} block_count;

/* A translation of a block; there may be several of the same. They live to the end. */
typedef struct counted_block {
    uint64_t address;
    uint64_t bytes;
    uint64_t instructions;
    uint64_t mark; /* NO_MARK, or the number of the mark that it begins at */
    block_count *counts; /* by phase */
    struct counted_block *next;
} counted_block;

#define NO_MARK UINT64_MAX

static struct {
    uint64_t executed;
    FILE *out;
    FILE *blocks_out;
    counted_block *blocks;
    const counted_block *previous;
    block_count *previous_count; /* NULL outside of phases */
    uint64_t phase;              /* the number of phases outside of them */
    uint64_t mark[MARKS];
    uint64_t mark_count;
    uint64_t table;
    uint64_t table_count;
} state;

/* A block that begins at a mark. */
typedef struct {
    uint64_t number;
    uint64_t instructions;
} marked_block;

static int mark_at(uint64_t address, uint64_t *number)
{
    for (uint64_t i = 0; i < state.mark_count; ++i) {
        if (state.mark[i] == address) {
            *number = i;
            return 1;
        }
    }
    if (address - state.table < MARK_BYTES * state.table_count) {
        *number = (address - state.table) / MARK_BYTES;
        return 1;
    }
    return 0;
}

static void at_mark(unsigned int vcpu, void *data)
{
    const marked_block *block = (const marked_block *)data;

    (void)vcpu;
    fprintf(state.out, "%" PRIu64 " %" PRIu64 "\n", block->number, state.executed);
    state.executed += block->instructions;
}

static uint64_t phases(void)
{
    return state.table_count / 2u;
}

static void at_block(unsigned int vcpu, void *data)
{
    counted_block *block = (counted_block *)data;

    (void)vcpu;
    if (state.previous_count != NULL &&
        block->address != state.previous->address + state.previous->bytes) {
        ++state.previous_count->taken;
    }
    if (block->mark != NO_MARK) {
        fprintf(state.out, "%" PRIu64 " %" PRIu64 "\n", block->mark, state.executed);
        state.phase = block->mark % 2u == 0u ? block->mark / 2u : phases();
    }
    state.executed += block->instructions;
    state.previous = block;
    state.previous_count = NULL;
    if (state.phase < phases()) {
        state.previous_count = &block->counts[state.phase];
        ++state.previous_count->executed;
    }
}

/*
 * Bytes of a Thumb instruction, by its first halfword. QEMU's own figure includes what it has read
 * of the next instruction where that begins on another page.
 */
static uint64_t thumb_bytes(const struct qemu_plugin_insn *instruction)
{
    const uint8_t *code = (const uint8_t *)qemu_plugin_insn_data(instruction);

    return code[1] >> 3 >= 0x1Du ? 4u : 2u;
}

static void count_block(struct qemu_plugin_tb *block, uint64_t instructions)
{
    const struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(block, instructions - 1u);
    counted_block *counted = malloc(sizeof *counted);

    if (counted == NULL) {
        abort();
    }
    counted->address = qemu_plugin_tb_vaddr(block);
    counted->bytes = qemu_plugin_insn_vaddr(last) + thumb_bytes(last) - counted->address;
    counted->instructions = instructions;
    counted->counts = calloc(phases(), sizeof *counted->counts);
    if (counted->counts == NULL) {
        abort();
    }
    if (!mark_at(counted->address, &counted->mark)) {
        counted->mark = NO_MARK;
    }
    counted->next = state.blocks;
    state.blocks = counted;
    qemu_plugin_register_vcpu_tb_exec_cb(block, at_block, NO_REGISTERS, counted);
}

static void write_blocks(void)
{
    for (const counted_block *block = state.blocks; block != NULL; block = block->next) {
        for (uint64_t phase = 0; phase < phases(); ++phase) {
            const block_count *count = &block->counts[phase];
            if (count->executed > 0) {
                fprintf(state.blocks_out,
                        "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                        "\n",
                        phase, block->address, block->bytes, block->instructions, count->executed,
                        count->taken);
            }
        }
    }
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    const uint64_t instructions = qemu_plugin_tb_n_insns(block);
    uint64_t number;

    (void)id;
    if (state.blocks_out != NULL) {
        count_block(block, instructions);
    } else if (mark_at(qemu_plugin_tb_vaddr(block), &number)) {
        /* Lives as long as the translation, that is to the end: there are few of these. */
        marked_block *marked = malloc(sizeof *marked);
        if (marked == NULL) {
            abort();
        }
        marked->number = number;
        marked->instructions = instructions;
        qemu_plugin_register_vcpu_tb_exec_cb(block, at_mark, NO_REGISTERS, marked);
    } else {
        qemu_plugin_register_vcpu_tb_exec_inline(block, INLINE_ADD_U64, &state.executed,
                                                 instructions);
    }
}

static void finish(qemu_plugin_id_t id, void *data)
{
    (void)id;
    (void)data;
    fclose(state.out);
    if (state.blocks_out != NULL) {
        write_blocks();
        fclose(state.blocks_out);
    }
}

/* Takes one argument "KEY=VALUE". Returns 0 where it makes no sense. */
static int take(const char *argument)
{
    const char *value = strchr(argument, '=');
    char *end;

    if (value == NULL) {
        return 0;
    }
    ++value;
    if (strncmp(argument, "out=", 4) == 0) {
        state.out = fopen(value, "w");
        return state.out != NULL;
    }
    if (strncmp(argument, "blocks=", 7) == 0) {
        state.blocks_out = fopen(value, "w");
        return state.blocks_out != NULL;
    }
    if (strncmp(argument, "mark=", 5) == 0 && state.mark_count < MARKS) {
        state.mark[state.mark_count++] = strtoull(value, &end, 0);
        return *end == '\0';
    }
    if (strncmp(argument, "marks=", 6) == 0) {
        state.table = strtoull(value, &end, 0);
        if (*end != ':') {
            return 0;
        }
        state.table_count = strtoull(end + 1, &end, 0);
        return *end == '\0';
    }
    return 0;
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; ++i) {
        if (!take(argv[i])) {
            fprintf(stderr, "s2c_count_plugin: bad argument %s\n", argv[i]);
            return -1;
        }
    }
    if (state.out == NULL || (state.blocks_out != NULL && phases() == 0u)) {
        return -1;
    }
    state.phase = phases();
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
    return 0;
}
