/* Outputs that would replace what the command itself needs: refused before anything runs.
 *
 * Knows the options that write a file (-o, --report, --metrics-file). Looks at names, device and inode, and at the first
 * bytes of a file to know a state; reads nothing else. */
#ifndef SYNC_CLI_OUT_CHECK_H
#define SYNC_CLI_OUT_CHECK_H

#include "mappings/mapping.h"
#include "sync/cli/command.h"
#include "sync/state/state.h"

/* XS_USAGE when an output is a state or a file beside one, an operand (a mapping, a source), the key file, the file of
 * --input, or another output. */
int out_check(const struct invocation *inv, struct err *e);
/* XS_USAGE when an output is the source that the mapping names. */
int out_check_source(const struct common *c, const struct mapping *m, struct err *e);
/* XS_USAGE when an output is the file that the state's latest run read. */
int out_check_state(const struct common *c, struct state *s, struct err *e);

#endif
