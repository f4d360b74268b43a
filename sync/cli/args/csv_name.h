/* Completes the name of the sync of a CSV without a mapping. The name ends in a digest of the target's id. */
#ifndef SYNC_CLI_ARGS_CSV_NAME_H
#define SYNC_CLI_ARGS_CSV_NAME_H

#include "mappings/mapping.h"
#include "sync/cli/common.h"
#include "sync/state/state.h"

/* Completes m->name; does nothing for a mapping file. The id of a target given by name is looked up in the state of --state, or in
 * the states of the default folder. If none has it, the API is asked, if there is a key (blocks). XS_STATE: the name is not found;
 * XS_USAGE: several states have it. */
int csv_name_complete(const struct common *c, struct mapping *m, struct err *e);

/* The state of a straight CSV, as far as the states of the default folder tell and without asking the API; NULL: none, or
 * several are likely. Caller frees. */
char *csv_name_likely_state(const struct common *c, struct mapping *m);
/* Finds the states of a CSV of that name, whatever their targets are: their number, the path if there is one (the caller frees it),
 * and a line for each in `list` (NULL: not wanted). 0/-1 */
int csv_name_find_states(const struct common *c, const char *stem, char **path, size_t *found, struct buf *list,
                         struct err *e);

/* The sync that a CSV has without a mapping. Strings are owned: csv_name_free(). */
struct csv_sync {
    char *name; /* as a mapping can have it (state_name_is()) */
    enum target_kind kind;
    char *target; /* its name, or its id */
    uint64_t leads;
    size_t several; /* number of such syncs, if no target was given */
};
/* That of this file and target, if a state on this machine has leads of it; with `target` NULL, the only one of the file. 1, 0 or
 * -1; without 1 only `several` is set. */
int csv_name_of_file(const struct common *c, const char *path, const struct target_spec *target, struct csv_sync *out,
                     struct err *e);
void csv_name_free(struct csv_sync *s);

/* Warns if the state of a mapping's sync is new, and its CSV went to its target without a mapping before. 0/-1 */
int csv_name_warn_other(const struct common *c, const struct mapping *m, struct state *state, struct err *e);

#endif
