/* The state that a command works on: that of --state, that of SYNC, or the only one. */
#ifndef SYNC_CLI_ARGS_STATE_ARG_H
#define SYNC_CLI_ARGS_STATE_ARG_H

#include "mappings/mapping.h"
#include "sync/cli/command.h"
#include "sync/state/state.h"

#include <stdbool.h>

/* The path of the state, by the rules of docs/leadsync.1 (FILES); the caller frees it. `mapping` NULL: the only state, or if
 * `reading` the one of the latest run, which is named on stderr. XS_USAGE: there are several, and the message lists them. XS_STATE:
 * there is none. A CSV without a mapping must have its full name (csv_name.h). */
int state_arg_path(const struct common *c, const struct mapping *mapping, bool reading, char **path, struct err *e);

/* The path of the state of `sync` (a SYNC as typed), or of --state. The caller frees it. XS_STATE: it does not exist. */
int state_arg_find(const struct common *c, const char *sync, char **path, struct err *e);

/* Opens the state of `sync` (a SYNC as typed; NULL: none) by the rules above, and checks that it belongs to that sync (XS_CONFIG).
 * STATE_WRITE also locks it, and waits as --wait-lock says. XS_STATE: it does not exist; none is created. `asks_api`: the command
 * sends data of the state to the API, so the state must belong to that API's host (XS_CONFIG). May ask the API for the id of the
 * target of a CSV without a mapping (csv_name.h). Without a target, such a CSV means the only state of that file in the default
 * folder; XS_USAGE: there are several, and the message lists them. The caller closes the state. */
int state_arg_open_sync(const struct common *c, const char *sync, enum state_access access, bool asks_api,
                        struct state **out, struct err *e);
/* The same for a command that only reads. Its operand 0, if there is one, is the SYNC. */
int state_arg_open(const struct invocation *inv, struct state **out, struct err *e);

#endif
