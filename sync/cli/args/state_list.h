/* Lists states for the user to choose from: the sync, its last run, its source and its file. */
#ifndef SYNC_CLI_ARGS_STATE_LIST_H
#define SYNC_CLI_ARGS_STATE_LIST_H

#include "sync/base/buf.h"
#include "sync/cli/common.h"

/* Appends a line that begins with "\n  ". A state that cannot be read is shown by its path. -1: the buffer is full, and what it has
 * is enough. */
int state_list_add(const struct common *c, const char *path, struct buf *out);

#endif
