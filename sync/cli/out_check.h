/* Refuses outputs that would replace a file that the command needs, before anything runs.
 *
 * Knows the options that write a file (-o, --report, --metrics-file, pull --to). Compares names, device and inode, and reads the first bytes
 * of a file to recognise a state. */
#ifndef SYNC_CLI_OUT_CHECK_H
#define SYNC_CLI_OUT_CHECK_H

#include "mappings/mapping.h"
#include "sync/cli/command.h"
#include "sync/state/state.h"

/* XS_USAGE: an output is a state or a file beside one, an operand (a mapping, a source), the key file, the file of --input, or
 * another output. */
int out_check(const struct invocation *inv, struct err *e);
/* XS_USAGE: an output is the source of the mapping. */
int out_check_source(const struct common *c, const struct mapping *m, struct err *e);
/* XS_USAGE: an output is the file that the latest run of the state has read. */
int out_check_state(const struct common *c, struct state *s, struct err *e);

/* The path with its folder resolved; the file itself need not exist. The caller frees it. NULL: the folder does not exist. */
char *out_full_path(const char *path);

#endif
