/*
 * Plugin for QEMU: how many instructions were executed when the program passed each mark.
 *
 * Arguments, as in "-plugin s2c_count_plugin.so,out=FILE,mark=0x100,marks=0x200:64":
 *   out    file for lines "MARK COUNT": a mark was entered after COUNT instructions
 *   mark   an address that is only ever called or jumped to; the first is number 0, ...
 *   marks  address of the first of many two-byte instructions, each a mark of its own
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

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);

#define MARKS 16
#define MARK_BYTES 2u

static struct {
    uint64_t executed;
    FILE *out;
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

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    const uint64_t instructions = qemu_plugin_tb_n_insns(block);
    uint64_t number;

    (void)id;
    if (mark_at(qemu_plugin_tb_vaddr(block), &number)) {
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
    if (state.out == NULL) {
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
    return 0;
}
