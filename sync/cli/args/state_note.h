/* Says on stderr which state a command took where several would do: at a terminal once for each session and state,
 * because a session of ten commands needs no ten lines of it; elsewhere each time. */
#ifndef SYNC_CLI_ARGS_STATE_NOTE_H
#define SYNC_CLI_ARGS_STATE_NOTE_H

#include "sync/cli/common.h"

void state_note(const struct common *c, const char *path);

#endif
