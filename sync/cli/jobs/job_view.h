/* Background jobs: what the state knows of those of leadsync, and what Instantly reports of any.
 *
 * Of a job of ours the state knows how many leads are proved to have moved; Instantly knows how far the job is. A view
 * has both, and never takes Instantly's counts for proof. Knows nothing of options. */
#ifndef SYNC_CLI_JOBS_JOB_VIEW_H
#define SYNC_CLI_JOBS_JOB_VIEW_H

#include "sync/api/api.h"
#include "sync/base/jsonw.h"
#include "sync/state/state.h"

#include <stdbool.h>

struct job_view {
    const char *id, *type, *status; /* NULL: not told */
    int64_t progress;               /* percent; -1: not told */
    int64_t total, success, failed; /* ours: asked for, proved moved, not moved; else as told; -1: not told */
    const char *from, *to;          /* "campaign:UUID"; NULL: none */
    uint64_t run;                   /* 0: not one of ours */
    int64_t created_ms, updated_ms; /* 0: not told */
    bool ours;                      /* the state has it */
    uint64_t open_rows;             /* ours: in batches that are not settled */
    bool reported;                  /* Instantly was asked and knows it; then: */
    int64_t reported_total, reported_success, reported_failed;
    bool absent; /* Instantly was asked and does not know it */
};

/* A growing array of them; strings live in its arena. Zeroed by job_views_init(). */
struct job_views {
    struct arena arena;
    struct job_view *v;
    size_t n, cap;
};
void job_views_init(struct job_views *views);
void job_views_free(struct job_views *views);

/* Adds those of the state, newest first. 0/-1 */
int job_views_ours(struct job_views *views, struct state *state, struct err *e);
/* NULL: none. Valid until the next add. */
struct job_view *job_views_find(const struct job_views *views, struct str id);
/* Adds one that nothing is known of but its id. NULL: memory. */
struct job_view *job_views_add(struct job_views *views, struct str id, struct err *e);
/* Takes over what Instantly reports of the job. 0/-1 */
int job_view_take(struct job_views *views, struct job_view *view, const struct remote_job *job, struct err *e);

/* Has its status ended? */
bool job_view_over(const struct job_view *view);
/* Is there something left to wait for or to settle? */
bool job_view_open(const struct job_view *view);
/* Is it over, and not all of it done? */
bool job_view_failed(const struct job_view *view);

/* Members of an object that the caller has opened and closes. */
void job_view_json(struct jsonw *w, const struct job_view *view);
/* "list Incoming" for "list:UUID" when the state knows its name, else the text itself; "" for NULL. In the arena. */
const char *job_end_name(struct state *state, const char *text, struct arena *arena);

/* Is this an id that the API can be asked for? Else XS_USAGE. 0/-1 */
int job_id_check(const char *id, struct err *e);

#endif
