/* Which run a reading command shows: --run ID, or the latest that read a source. */
#ifndef SYNC_CLI_ARGS_RUN_CHOICE_H
#define SYNC_CLI_ARGS_RUN_CHOICE_H

#include "sync/state/state.h"

/* `id` 0: the latest run that read a source; a notice names a later one that failed before it read a row. Strings live in
 * the arena. XS_STATE if no run is on record, XS_USAGE if the id is unknown. */
int run_choice(struct state *state, uint64_t id, struct arena *arena, struct run_record *out, struct err *e);
/* Did the run fail before it read a row? */
bool run_choice_is_unread(const struct run_record *run);
/* The run that is shown rejected no row: a notice names the latest one before it that did and whose rows are kept. 0/-1 */
int run_choice_report_rejects(struct state *state, const struct run_record *shown, struct arena *arena, struct err *e);

#endif
