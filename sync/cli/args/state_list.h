/* States as people tell them apart: which sync, when it last ran, what it reads, and where the file is. */
#ifndef SYNC_CLI_ARGS_STATE_LIST_H
#define SYNC_CLI_ARGS_STATE_LIST_H

#include "sync/base/buf.h"
#include "sync/cli/common.h"

/* Appends a line that begins with "\n  ", for a question that lists states. A state that cannot be read is its path alone.
 * 0, or -1: the buffer is full; what is there will do. */
int state_list_add(const struct common *c, const char *path, struct buf *out);

#endif
