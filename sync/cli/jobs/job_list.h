/* The list of background jobs in the four formats; what `jobs list` and `jobs wait` print. */
#ifndef SYNC_CLI_JOBS_JOB_LIST_H
#define SYNC_CLI_JOBS_JOB_LIST_H

#include "sync/cli/command.h"
#include "sync/cli/jobs/job_view.h"

/* For the `formats` of a command. */
extern const char *const job_list_formats[];

/* Prints them in their order, under the options of the command. `state` (may be NULL) knows names of targets; `none` is
 * the line of text if there are no jobs. */
int job_list_print(const struct invocation *inv, struct state *state, struct job_views *views, const char *none,
                   struct err *e);

#endif
