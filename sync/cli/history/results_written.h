/* What a run wrote for the leads that it created. A result has no values: they are those of the lead, while no later run has
 * written others. */
#ifndef SYNC_CLI_HISTORY_RESULTS_WRITTEN_H
#define SYNC_CLI_HISTORY_RESULTS_WRITTEN_H

#include "sync/state/state.h"

/* Entries of later runs that wrote to a lead, by key. */
struct results_written {
    struct state *state;
    struct later {
        struct hash128 key;
        uint64_t run;
    } * later; /* owned; sorted */
    size_t later_n, later_cap;
    bool too_many; /* of them: no values are known for sure */
};

/* Reads the runs after `run`. Afterwards results_written_close(), whatever it returned. 0/-1 */
int results_written_open(struct results_written *w, struct state *state, uint64_t run, struct err *e);
void results_written_close(struct results_written *w);
/* Of an entry that was created: its values as a list of changes (change.h) in the arena, empty if they are not kept, or if a later
 * run has written others: then *later is the first one that did, else 0. `but_key`: without an address that is the row key. 0/-1 */
int results_written_values(struct results_written *w, const struct entry *entry, bool but_key, struct arena *arena,
                           struct str *changes, uint64_t *later, struct err *e);

#endif
