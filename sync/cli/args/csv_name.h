/* The name of a straight CSV's sync, which ends in a digest of its target's id, where the target is given by name. */
#ifndef SYNC_CLI_ARGS_CSV_NAME_H
#define SYNC_CLI_ARGS_CSV_NAME_H

#include "mappings/mapping.h"
#include "sync/cli/common.h"

/* Completes m->name; nothing to do for a mapping file. An id is taken as it is. A name is looked for in the state of
 * --state, else in those of the default folder, which remember names and ids of their targets; where they do not tell,
 * the API is asked, if there is a key (blocks). XS_STATE: nobody knows the name; XS_USAGE: several states do. */
int csv_name_complete(const struct common *c, struct mapping *m, struct err *e);

#endif
