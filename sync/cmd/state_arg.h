/* The state that a command works on: by --state, by SYNC, or the one there is. */
#ifndef SYNC_CMD_STATE_ARG_H
#define SYNC_CMD_STATE_ARG_H

#include "mappings/mapping.h"
#include "sync/cmd/command.h"

#include <stdbool.h>

struct state;

/* The state that a command works on, by the rules of docs/leadsync.1 (FILES); caller frees.
 * `mapping` may be NULL: then the only state there is, or, when `reading`, the latest run's, named on stderr. XS_USAGE:
 * several and not reading; they are listed. XS_STATE: none. A straight CSV must have its full name, see below. */
int state_arg_path(const struct common *c, const struct mapping *mapping, bool reading, char **path, struct err *e);

/* For commands that only read the state and take an optional SYNC as operand 0: opens it STATE_READ, and checks that it
 * is the named sync's. XS_STATE when there is none. Caller closes. */
int state_arg_open(const struct invocation *inv, struct state **out, struct err *e);

#endif
