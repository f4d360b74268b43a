/* One row of `results` as the cells of a record. */
#ifndef SYNC_CLI_HISTORY_RESULTS_RECORD_H
#define SYNC_CLI_HISTORY_RESULTS_RECORD_H

#include "sync/report/record.h"
#include "sync/state/state.h"

/* A row's part in a run, as state_results_next() has it. */
struct results_row {
    const struct entry *entry;
    enum op op;
    uint32_t target; /* number; 0: none */
    bool written;    /* the entry's changes are what the created lead got, and replace no values */
};

/* New columns only come last, because programs count those of a CSV. */
enum results_column {
    RESULTS_RUN,
    RESULTS_ROW,
    RESULTS_LINE,
    RESULTS_KEY,
    RESULTS_OUTCOME,
    RESULTS_REASON,
    RESULTS_LEAD_ID,
    RESULTS_TARGET,
    RESULTS_HTTP_STATUS,
    RESULTS_OP,
    RESULTS_DETAIL,
    RESULTS_CHANGES,
    RESULTS_TARGET_NAME,
    RESULTS_COLUMN_N
};
/* The first columns of every table that results_record_fill() fills, but for the run. */
/* clang-format off */
#define RESULTS_COLUMNS \
    [RESULTS_ROW] = {RECORD_NAME("row"), .kind = RECORD_NUMBER, .align = TABLE_RIGHT}, \
    [RESULTS_LINE] = {RECORD_NAME("line"), .kind = RECORD_NUMBER, .align = TABLE_RIGHT}, \
    [RESULTS_KEY] = {RECORD_NAME("key")}, \
    [RESULTS_OUTCOME] = {RECORD_NAME("outcome")}, \
    [RESULTS_REASON] = {RECORD_NAME("reason")}, \
    [RESULTS_LEAD_ID] = {RECORD_NAME("lead_id"), .yield = TABLE_YIELDS}, \
    [RESULTS_TARGET] = {RECORD_NAME("target"), .yield = TABLE_REPEATS}, \
    [RESULTS_HTTP_STATUS] = {RECORD_NAME("http_status"), .kind = RECORD_NUMBER, .align = TABLE_RIGHT, .yield = TABLE_YIELDS}, \
    [RESULTS_OP] = {RECORD_NAME("op"), .yield = TABLE_YIELDS}, \
    [RESULTS_DETAIL] = {RECORD_NAME("detail"), .yield = TABLE_BELOW}, \
    [RESULTS_CHANGES] = {RECORD_NAME("changes"), .kind = RECORD_CHANGES, .yield = TABLE_BELOW}, \
    [RESULTS_TARGET_NAME] = {RECORD_NAME("target_name"), .left_out = RECORD_NOT_TEXT},
/* clang-format on */

extern const struct record_layout results_record_layout;

/* Fills the cells of a record. Text has names of targets, the other formats their ids. Borrows from the entry and the
 * arena. 0/-1 */
int results_record_fill(struct record_writer *w, struct state *state, uint64_t run, const struct results_row *row,
                        struct arena *arena, struct err *e);

#endif
