/* The state that a command works on: by --state, by SYNC, or the one there is. */
#ifndef SYNC_CLI_ARGS_STATE_ARG_H
#define SYNC_CLI_ARGS_STATE_ARG_H

#include "mappings/mapping.h"
#include "sync/cli/command.h"
#include "sync/state/state.h"

#include <stdbool.h>

/* The state that a command works on, by the rules of docs/leadsync.1 (FILES); caller frees.
 * `mapping` may be NULL: then the only state there is, or, when `reading`, the latest run's, named on stderr. XS_USAGE:
 * several and not reading; they are listed. XS_STATE: none. A straight CSV must have its full name, see below. */
int state_arg_path(const struct common *c, const struct mapping *mapping, bool reading, char **path, struct err *e);

/* The path of the state of `sync` (a SYNC as typed), or of --state, which must be there (XS_STATE); caller frees. */
int state_arg_find(const struct common *c, const char *sync, char **path, struct err *e);

/* Opens the state of `sync` (a SYNC as typed; NULL: none was) by the rules above, and checks that it is that sync's
 * (XS_CONFIG). With STATE_WRITE it is locked, too, waiting as --wait-lock says. XS_STATE when there is none: none is
 * made. `asks_api`: the command goes to the API with what the state says, so it must be the state of that API's host
 * (XS_CONFIG). May ask the API for the id of a straight CSV's target (csv_name.h).
 * A straight CSV without a target is the only state of that file in the default folder; XS_USAGE: there are several, and
 * they are listed. Caller closes. */
int state_arg_open_sync(const struct common *c, const char *sync, enum state_access access, bool asks_api,
                        struct state **out, struct err *e);
/* The same for a command that only reads and whose operand 0 is the SYNC, if any. */
int state_arg_open(const struct invocation *inv, struct state **out, struct err *e);

#endif
