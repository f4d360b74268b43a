/* `jobs wait`: waits until background jobs are over. It settles nothing: what a job of ours did is found out lead by
 * lead, which is the business of sync and resume. */
#include "config.h"

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/base/stop.h"
#include "sync/cli/client.h"
#include "sync/cli/jobs/job_list.h"
#include "sync/cli/jobs/jobs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_FIRST_MS = 500, POLL_MOST_MS = 10000, STEP_MS = 1000 };

struct wait {
    const struct common *c;
    struct client client;
    struct job_views ours;  /* what the state knows */
    struct job_views views; /* what is waited for */
    struct job_view *now;   /* the job that is asked for alone */
    int64_t deadline_us;    /* 0: none */
    unsigned polls;         /* answered */
};

/* ---- asking ---- */

static bool is_due(const struct job_view *view)
{
    return !job_view_over(view);
}

static size_t due_n(const struct wait *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->views.n; i++)
        n += is_due(&w->views.v[i]);
    return n;
}

static int take(struct wait *w, struct job_view *view, const struct remote_job *job, struct err *e)
{
    enum job_status before = job_status_find(str_from(view->status));
    if (job_view_take(&w->views, view, job, e) != 0)
        return -1;
    if (job->status == JOB_PAUSED && before != JOB_PAUSED)
        log_warning("job %s is paused: Instantly waits for a quota or a permission", view->id);
    if (job_view_over(view))
        log_notice("job %s: %s", view->id, view->status);
    else
        log_detail("job %s: %s, %" PRId64 "%%", view->id, view->status != NULL ? view->status : "no status", view->progress);
    return 0;
}

struct poll {
    struct wait *w;
    bool *seen; /* a flag a view */
};

static int jobs_wait_on_job(void *ctx, const struct remote_job *job, struct err *e)
{
    struct poll *p = ctx;
    struct job_view *view = job_views_find(&p->w->views, job->id);
    if (view == NULL)
        return 0;
    p->seen[view - p->w->views.v] = true;
    return is_due(view) ? take(p->w, view, job, e) : 0;
}

static int see_alone(void *ctx, const struct remote_job *job, struct err *e)
{
    struct wait *w = ctx;
    return take(w, w->now, job, e);
}

/* What a list leaves out may still be there: asked for alone before it is given up. */
static int ask_alone(struct wait *w, struct job_view *view, struct err *e)
{
    w->now = view;
    int rc = api_job_find(w->client.api, str_from(view->id), see_alone, w, e);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (!view->ours && !view->reported)
        return err_set(e, XS_USAGE,
                       "neither Instantly nor a state here knows a background job %s; leadsync jobs list "
                       "--all shows those of the workspace",
                       view->id);
    view->absent = true;
    log_warning("job %s no longer exists", view->id);
    return 0;
}

/* All that are not over, a hundred a request. */
static int poll(struct wait *w, struct err *e)
{
    struct str ids[JOBS_LIST_MAX];
    struct poll p = {w, calloc(w->views.n + 1, sizeof *p.seen)};
    int rc = p.seen != NULL ? 0 : err_oom(e);
    for (size_t i = 0, n = 0; rc == 0 && i < w->views.n; i++) {
        if (is_due(&w->views.v[i]))
            ids[n++] = str_from(w->views.v[i].id);
        if (n == JOBS_LIST_MAX || (i + 1 == w->views.n && n > 0)) {
            rc = api_jobs_each(w->client.api, ids, n, jobs_wait_on_job, &p, e);
            n = 0;
        }
    }
    for (size_t i = 0; rc == 0 && i < w->views.n; i++)
        if (!p.seen[i] && is_due(&w->views.v[i]))
            rc = ask_alone(w, &w->views.v[i], e);
    free(p.seen);
    w->polls += rc == 0;
    return rc;
}

/* ---- waiting ---- */

static bool time_is_up(const struct wait *w)
{
    return w->deadline_us != 0 && w->c->clock->mono_us(w->c->clock) >= w->deadline_us;
}

static int interrupted(struct err *e)
{
    int signo = stop_requested();
    if (signo == 0)
        return 0;
    return err_set(e, signo == 15 ? XS_SIGTERM : XS_SIGINT, "interrupted; the jobs go on in Instantly");
}

/* The API room is the place to sleep: a signal ends a step. */
static int pause_ms(struct wait *w, int64_t ms, struct err *e)
{
    int64_t until_us = w->c->clock->mono_us(w->c->clock) + ms * 1000;
    if (w->deadline_us != 0 && w->deadline_us < until_us)
        until_us = w->deadline_us;
    for (;;) {
        int64_t left_us = until_us - w->c->clock->mono_us(w->c->clock);
        if (interrupted(e) != 0)
            return -1;
        if (left_us <= 0)
            return 0;
        int64_t step_ms = (left_us + 999) / 1000;
        if (api_step(w->client.api, step_ms < STEP_MS ? step_ms : STEP_MS, e) != 0)
            return -1;
    }
}

/* A signal, or the end of the time, may come while an answer is awaited. */
static int poll_failed(struct wait *w, struct err *e)
{
    if (stop_requested() != 0) {
        err_clear(e);
        return interrupted(e);
    }
    if (e->status != XS_API || !time_is_up(w) || w->polls == 0)
        return -1;
    err_clear(e);
    return 0;
}

static int64_t longer(int64_t ms)
{
    return ms * 3 / 2 < POLL_MOST_MS ? ms * 3 / 2 : POLL_MOST_MS;
}

/* Until all are over, or the time is up: 0 either way. Having heard nothing at all by then is the API's failure. */
static int wait_for_all(struct wait *w, struct err *e)
{
    for (int64_t ms = POLL_FIRST_MS; due_n(w) > 0 && !time_is_up(w); ms = longer(ms)) {
        if (poll(w, e) != 0)
            return poll_failed(w, e);
        if (due_n(w) > 0 && pause_ms(w, ms, e) != 0)
            return -1;
    }
    return 0;
}

/* ---- what is waited for, and what came of it ---- */

static int jobs_wait_add(struct wait *w, const char *id, const struct job_view *known, struct err *e)
{
    if (job_views_find(&w->views, str_from(id)) != NULL)
        return 0;
    struct job_view *view = job_views_add(&w->views, str_from(id), e);
    if (view != NULL && known != NULL)
        *view = *known; /* its texts are those of `ours` */
    return view != NULL ? 0 : -1;
}

/* The jobs named, or all of ours that are not over or not settled. */
static int choose(struct wait *w, const struct invocation *inv, struct state *state, struct err *e)
{
    const char **ids = calloc(inv->operands_n + 1, sizeof *ids);
    size_t n = 0;
    int rc = ids != NULL ? jobs_ids(inv, ids, &n, e) : err_oom(e);
    if (rc == 0 && state != NULL)
        rc = job_views_ours(&w->ours, state, e);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = jobs_wait_add(w, ids[i], job_views_find(&w->ours, str_from(ids[i])), e);
    for (size_t i = 0; rc == 0 && n == 0 && i < w->ours.n; i++)
        if (job_view_open(&w->ours.v[i]))
            rc = jobs_wait_add(w, w->ours.v[i].id, &w->ours.v[i], e);
    free(ids);
    return rc;
}

static void jobs_wait_report(const struct wait *w, enum exit_status *status)
{
    uint64_t rows = 0;
    size_t open = due_n(w), failed = 0;
    for (size_t i = 0; i < w->views.n; i++) {
        const struct job_view *view = &w->views.v[i];
        rows += job_view_over(view) ? view->open_rows : 0;
        failed += job_view_over(view) && job_view_failed(view);
    }
    if (open > 0)
        log_notice("%zu job%s not over yet; leadsync jobs wait continues to wait", open, open == 1 ? " is" : "s are");
    if (failed > 0)
        log_notice("%zu job%s did not move all leads; see leadsync jobs show ID and jobs entries ID", failed,
                   failed == 1 ? "" : "s");
    if (rows > 0)
        log_notice("%" PRIu64 " row%s of finished jobs %s not settled: leadsync resume, or the next sync, settles them",
                   rows, text_plural(rows), rows == 1 ? "is" : "are");
    *status = open + failed > 0 || rows > 0 ? XS_LEFT_OVER : XS_DONE;
}

static int jobs_wait_command(struct invocation *inv, struct err *e)
{
    struct wait w = {.c = &inv->common};
    struct state *state = NULL;
    int rc = -1;
    job_views_init(&w.ours);
    job_views_init(&w.views);
    if (w.c->run.max_ms > 0)
        w.deadline_us = w.c->clock->mono_us(w.c->clock) + w.c->run.max_ms * 1000;
    if (jobs_open_state_if_any(inv, &state, e) != 0 || choose(&w, inv, state, e) != 0)
        goto done;
    /* What is over need not be asked for, and no key is needed then. */
    if (due_n(&w) > 0 && (client_open(&w.client, w.c, true, true, e) != 0 || wait_for_all(&w, e) != 0))
        goto done;
    rc = job_list_print(inv, state, &w.views, "no background job is open\n", e);
    if (rc == 0)
        jobs_wait_report(&w, &inv->status);
done:
    client_close(&w.client);
    job_views_free(&w.views);
    job_views_free(&w.ours);
    state_close(state);
    return rc;
}

const struct command command_jobs_wait = {
    .name = "jobs wait",
    .usage = "[ID...] [SYNC]",
    .summary = "wait until background jobs are over",
    .help = "Without ID, waits for every open job that leadsync started; with ID, for any\n"
            "job. Changes nothing: leadsync resume or the next sync settles what a job did.\n"
            "Exits with 1 when a job failed, is not over after --max-seconds, or is not\n"
            "settled.",
    .examples = "leadsync jobs wait nightly.yaml --max-seconds 600",
    .groups = GROUP_OUTPUT | GROUP_STATE | GROUP_URL | GROUP_KEY | GROUP_CSV | GROUP_TIME,
    .formats = job_list_formats,
    .operands_max = 1000,
    .run = jobs_wait_command,
};
