/* What the verbs of `jobs` share, and their rows in its table. */
#ifndef SYNC_CLI_JOBS_JOBS_H
#define SYNC_CLI_JOBS_JOBS_H

#include "sync/cli/command.h"
#include "sync/cli/jobs/job_view.h"
#include "sync/cli/args/sync_arg.h"

extern const struct command command_jobs_show;
extern const struct command command_jobs_wait;
extern const struct command command_jobs_entries;

/* The operand that is a SYNC, among those that are ids of jobs; NULL: none. */
const char *jobs_sync_operand(const struct invocation *inv);
/* The ids among the operands, checked; borrowed from them. 0/-1 (XS_USAGE). `ids` has room for all operands. */
int jobs_ids(const struct invocation *inv, const char **ids, size_t *n, struct err *e);
/* The one id that a verb takes. */
int jobs_one_id(const struct invocation *inv, const char **id, struct err *e);
/* Opens the state that the command means, for reading and of the API's host. 0 with NULL when none is named and there is
 * none: jobs of others can be looked at without. */
int jobs_open_state_if_any(const struct invocation *inv, struct state **out, struct err *e);

#endif
