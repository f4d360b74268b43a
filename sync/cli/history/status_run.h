/* What `status` shows, gathered from the state, and how one run of it is shown. */
#ifndef SYNC_CLI_HISTORY_STATUS_RUN_H
#define SYNC_CLI_HISTORY_STATUS_RUN_H

#include "sync/base/jsonw.h"
#include "sync/cli/jobs/job_view.h"
#include "sync/state/state.h"

/* What is shown, gathered before anything is printed. */
struct overview {
    struct arena arena;
    struct run_record *runs;
    size_t runs_n;
    struct batch *open;
    size_t open_n;
    uint64_t open_rows, leads, retries;
    uint64_t reasons[REASON_N];      /* why these wait, as far as the results of their runs are kept */
    char *results_error;             /* in the arena: why the table of results_to: is not written; NULL: it is */
    uint64_t retries_run;            /* the newest run that left one of them waiting; 0: none */
    const char *words;               /* in the arena: names the sync on a command line */
    uint64_t given_up;               /* rows, since the last complete full read */
    uint64_t unmerged;               /* rows whose outcome is in the journal only */
    uint64_t removals, removals_run; /* leads that the latest run with such left to be removed */
    uint64_t kept, kept_run;         /* leads missing from the source that a mirror keeps, as that run saw */
    char *removals_why;              /* in the arena: the rows that they wait for; NULL: they do not wait for rows */
    bool removals_need_all;          /* only a full read wants them again */
    struct patch_effect patch;       /* what a PATCH does to custom variables that it does not name */
    char *at_work;                   /* owned: who has the lock now; NULL: no run */
    struct job_views jobs;           /* those that are not over, or not settled */
    bool detailed;                   /* one run was asked for: all that is known of it */
};

void status_run_json(struct jsonw *w, const struct run_record *run);
/* The lines below the run's own: what happened to its rows, what ended it, and who began it with which mapping and guards.
 * `columns` 0: no terminal. 0/-1 */
int status_run_show(const struct overview *v, const struct run_record *run, size_t columns, struct buf *out);
/* Two lines: how the run ended, when it began, who began it, and its command line. 0/-1 */
int status_run_head(const struct run_record *run, struct buf *out);

#endif
