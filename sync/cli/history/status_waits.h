/* What waits in a state, until when, and the command that takes it up; and what to do after a run that failed. */
#ifndef SYNC_CLI_HISTORY_STATUS_WAITS_H
#define SYNC_CLI_HISTORY_STATUS_WAITS_H

#include "sync/cli/command.h"
#include "sync/cli/history/status_run.h"

/* The words that name the sync on a command line: its SYNC, and --state if it was given. In the arena of the overview. 0/-1 */
int status_waits_name(const struct invocation *inv, struct state *state, struct overview *v, struct err *e);
/* Appends the rows that wait, by reason, and the leads that wait to be removed, in lines of at most `columns` (0: no terminal), and
 * the commands for them. 0/-1 (memory) */
int status_waits_text(const struct overview *v, size_t columns, struct buf *out);
/* Appends an empty line and what to do after the newest run; nothing if it left nothing to be done. 0/-1 (memory) */
int status_waits_todo(const struct overview *v, size_t columns, struct buf *out);
/* Writes the members `todo` and `waits`. */
void status_waits_json(const struct overview *v, struct jsonw *w);

#endif
