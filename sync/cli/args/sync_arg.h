/* The SYNC operand: a mapping file, or a CSV file with options instead of a mapping. */
#ifndef SYNC_CLI_ARGS_SYNC_ARG_H
#define SYNC_CLI_ARGS_SYNC_ARG_H

#include "mappings/mapping.h"
#include "sync/cli/command.h"

#include <stdbool.h>

/* Makes the mapping of operand 0, with --input and --guard applied. The caller frees it with mapping_free(). `need_target`: a CSV
 * without a mapping needs --campaign or --list (not for preview). XS_USAGE: no operand, one of neither kind, or options that do
 * not go with it; else the errors of mapping_load() and mapping_for_csv(). */
int sync_arg_load(const struct invocation *inv, bool need_target, struct mapping **out, struct err *e);
/* The same of `path`, for commands whose SYNC is not operand 0. */
int sync_arg_load_path(const struct common *c, const char *path, bool need_target, struct mapping **out, struct err *e);

/* The words by which the same SYNC can be loaded again from any folder: SYNC, its target and settings, --state, --guard,
 * --recreate and --full; paths are absolute. Nothing of the key, the API or outputs. The caller frees it with sync_words_free(), after a failure
 * too. 0/-1 */
struct sync_words {
    char **v; /* NULL-terminated */
    size_t n;
};
int sync_arg_words(const struct invocation *inv, struct sync_words *out, struct err *e);
void sync_words_free(struct sync_words *w);

/* True if the operand looks like a SYNC (*.yaml, *.csv and similar), for commands with other operands too. */
bool sync_arg_is(const char *operand);
bool sync_arg_is_mapping(const char *operand);
bool sync_arg_is_csv(const char *operand);

#endif
