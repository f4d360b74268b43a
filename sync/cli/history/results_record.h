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
};

extern const struct record_layout results_record_layout;

/* Fills the cells of a record. Text has names of targets, the other formats their ids. Borrows from the entry and the
 * arena. 0/-1 */
int results_record_fill(struct record_writer *w, struct state *state, uint64_t run, const struct results_row *row,
                        struct arena *arena, struct err *e);

#endif
