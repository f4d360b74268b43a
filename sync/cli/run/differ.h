/* The dry run as a command runs it: `diff` and `sync --dry-run` are the same thing. */
#ifndef SYNC_CLI_RUN_DIFFER_H
#define SYNC_CLI_RUN_DIFFER_H

#include "sync/cli/command.h"

#include <stdbool.h>

struct differ_options {
    bool exit_code, all;
    bool remote;       /* plan against what the targets hold */
    const char *match; /* NULL: everything is shown */
};

/* Shows what a sync of operand 0 would do. Sets inv->status: XS_CHANGES only with `exit_code`. */
int differ_run(struct invocation *inv, const struct differ_options *o, struct err *e);

#endif
