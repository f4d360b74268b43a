/* Prints to stderr which state a command has taken if there were several: at a terminal once per session and state, elsewhere each
 * time. */
#ifndef SYNC_CLI_ARGS_STATE_NOTE_H
#define SYNC_CLI_ARGS_STATE_NOTE_H

#include "sync/cli/common.h"

void state_note(const struct common *c, const char *path);

#endif
