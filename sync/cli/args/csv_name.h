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
/* The name of the sync that this CSV has without a mapping, if a state on this machine has leads of it and a mapping can have
 * the name. 1 with the name, which the caller frees; 0; -1 */
int csv_name_of_target(const struct common *c, const char *path, const struct target_spec *target, char **name,
                       struct err *e);
/* Warns if the state of a mapping's sync is new, and its CSV went to its target without a mapping before. 0/-1 */
int csv_name_warn_other(const struct common *c, const struct mapping *m, struct state *state, struct err *e);

#endif
