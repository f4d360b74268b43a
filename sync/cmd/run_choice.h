/* Which run a reading command shows: --run ID, or the latest that read a source. */
#ifndef SYNC_CMD_RUN_CHOICE_H
#define SYNC_CMD_RUN_CHOICE_H

#include "sync/state/state.h"

/* `id` 0: the latest. Strings live in the arena. XS_STATE when there is none yet, XS_USAGE when the id is unknown. */
int run_choice(struct state *state, uint64_t id, struct arena *arena, struct run_record *out, struct err *e);

#endif
