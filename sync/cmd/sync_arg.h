/* The SYNC operand: a mapping file, or a CSV file straight away with the options that stand in for a mapping. */
#ifndef SYNC_CMD_SYNC_ARG_H
#define SYNC_CMD_SYNC_ARG_H

#include "mappings/mapping.h"
#include "sync/cmd/command.h"

#include <stdbool.h>

struct state;

/* Makes the mapping of operand 0, with --input and --guard applied. Caller frees with mapping_free().
 * `need_target`: a straight CSV must say where it goes (preview does without). XS_USAGE: no operand, one of neither kind,
 * or options that do not go with it; else the errors of mapping_load() and mapping_for_csv(). */
int sync_arg_load(const struct invocation *inv, bool need_target, struct mapping **out, struct err *e);

/* The state that a command works on, by the rules of docs/leadsync.1 (FILES); caller frees.
 * `mapping` may be NULL: then the only state there is, or, when `reading`, the latest run's, named on stderr. XS_USAGE:
 * several and not reading; they are listed. XS_STATE: none. A straight CSV must have its full name, see below. */
int sync_arg_state(const struct common *c, const struct mapping *mapping, bool reading, char **path, struct err *e);

/* For commands that only read the state and take an optional SYNC as operand 0: opens it STATE_READ, and checks that it
 * is the named sync's. XS_STATE when there is none. Caller closes. */
int sync_arg_open_state(const struct invocation *inv, struct state **out, struct err *e);

#endif
