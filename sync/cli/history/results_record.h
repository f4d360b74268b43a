/* One line of `results`, as the texts of its columns. */
#ifndef SYNC_CLI_HISTORY_RESULTS_RECORD_H
#define SYNC_CLI_HISTORY_RESULTS_RECORD_H

#include "sync/cli/command.h"
#include "sync/state/state.h"

/* The columns of every format, in order; new ones only come last, because programs count those of a CSV. */
enum column {
    C_RUN, C_ROW, C_LINE, C_KEY, C_OUTCOME, C_REASON, C_LEAD_ID, C_TARGET, C_HTTP_STATUS, C_OP, C_DETAIL, C_CHANGES, COLUMN_N
};
extern const char *const results_columns[COLUMN_N];

/* A row's part in a run, as state_results_next() has it. */
struct results_row {
    const struct entry *entry;
    enum op op;
    uint32_t target; /* number; 0: none */
};

/* Its texts; an empty one is null in JSON. Bytes here, in the arena and in the entry. */
struct results_record {
    struct str v[COLUMN_N];
    char run[24], row[24], line[24], http[16];
    char lead_id[UUID_TEXT_N], target[TARGET_TEXT_N];
    struct str changes; /* as the state has them (change.h) */
    enum outcome outcome;
};
/* FORMAT_TEXT leaves out the run, which it says first, and names targets. 0/-1 */
int results_record_make(struct state *state, uint64_t run, const struct results_row *row, enum format format, struct arena *arena,
                        struct results_record *out, struct err *e);

#endif
