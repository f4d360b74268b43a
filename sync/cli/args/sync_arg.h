/* The SYNC operand: a mapping file, or a CSV file straight away with the options that stand in for a mapping. */
#ifndef SYNC_CLI_ARGS_SYNC_ARG_H
#define SYNC_CLI_ARGS_SYNC_ARG_H

#include "mappings/mapping.h"
#include "sync/cli/command.h"

#include <stdbool.h>

/* Makes the mapping of operand 0, with --input and --guard applied. Caller frees with mapping_free().
 * `need_target`: a straight CSV must say where it goes (preview does without). XS_USAGE: no operand, one of neither
 * kind, or options that do not go with it; else the errors of mapping_load() and mapping_for_csv(). */
int sync_arg_load(const struct invocation *inv, bool need_target, struct mapping **out, struct err *e);
/* The same of `path`, for commands whose SYNC is not operand 0. */
int sync_arg_load_path(const struct common *c, const char *path, bool need_target, struct mapping **out, struct err *e);

/* Does this operand look like a SYNC (*.yaml, *.csv and their like), where other things may stand, too? */
bool sync_arg_is(const char *operand);
bool sync_arg_is_mapping(const char *operand);
bool sync_arg_is_csv(const char *operand);

#endif
