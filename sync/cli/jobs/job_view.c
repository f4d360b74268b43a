#include "config.h"

#include "sync/cli/jobs/job_view.h"

#include <ctype.h>
#include <string.h>

enum { ARENA_BYTES = 256 << 20, ID_MAX = 63 };

void job_views_init(struct job_views *views)
{
    *views = (struct job_views){.v = NULL};
    arena_init(&views->arena, ARENA_BYTES);
}

void job_views_free(struct job_views *views)
{
    arena_free(&views->arena);
    views->v = NULL;
    views->n = 0;
}

/* ---- the array ---- */

/* The arena keeps the outgrown arrays, which are half of the present one together. */
static struct job_view *grow(struct job_views *views, struct err *e)
{
    if (views->n == views->cap) {
        size_t cap = views->cap == 0 ? 64 : 2 * views->cap;
        struct job_view *grown = arena_calloc(&views->arena, cap, sizeof *grown);
        if (grown == NULL) {
            err_oom(e);
            return NULL;
        }
        if (views->n > 0)
            memcpy(grown, views->v, views->n * sizeof *grown);
        views->v = grown;
        views->cap = cap;
    }
    struct job_view *view = &views->v[views->n++];
    *view = (struct job_view){.progress = -1,
                              .total = -1,
                              .success = -1,
                              .failed = -1,
                              .reported_total = -1,
                              .reported_success = -1,
                              .reported_failed = -1};
    return view;
}

struct job_view *job_views_add(struct job_views *views, struct str id, struct err *e)
{
    char *copy = arena_dup(&views->arena, id.p, id.n);
    struct job_view *view = copy != NULL ? grow(views, e) : NULL;
    if (copy == NULL)
        err_oom(e);
    if (view != NULL)
        view->id = copy;
    return view;
}

struct job_view *job_views_find(const struct job_views *views, struct str id)
{
    for (size_t i = 0; i < views->n; i++)
        if (str_is(id, views->v[i].id))
            return &views->v[i];
    return NULL;
}

/* ---- from the state ---- */

static int add_ours(struct job_views *views, const struct job_record *job, struct err *e)
{
    struct job_view *view = grow(views, e);
    if (view == NULL)
        return -1;
    view->ours = true;
    view->id = job->id;
    view->type = job->type;
    view->status = job->status;
    view->progress = job->progress;
    view->total = (int64_t)job->total;
    view->success = (int64_t)job->success;
    view->failed = (int64_t)job->failed;
    view->from = job->from;
    view->to = job->to;
    view->run = job->run;
    view->created_ms = job->created_ms;
    view->updated_ms = job->updated_ms;
    return 0;
}

/* A job may be known from its batch alone: the run died between the two. */
static int add_open(struct job_views *views, const struct batch *batch, struct err *e)
{
    if (batch->job == NULL)
        return 0;
    struct job_view *view = job_views_find(views, str_from(batch->job));
    if (view == NULL) {
        view = job_views_add(views, str_from(batch->job), e);
        if (view == NULL)
            return -1;
        view->ours = true;
        view->run = batch->run;
        view->created_ms = batch->sent_ms;
    }
    view->open_rows += batch->entries_n;
    return 0;
}

int job_views_ours(struct job_views *views, struct state *state, struct err *e)
{
    struct job_record *jobs;
    struct batch *open;
    size_t n, open_n;
    if (state_jobs(state, &views->arena, &jobs, &n, e) != 0 ||
        state_batches_open(state, &views->arena, &open, &open_n, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (add_ours(views, &jobs[i], e) != 0)
            return -1;
    for (size_t i = 0; i < open_n; i++)
        if (add_open(views, &open[i], e) != 0)
            return -1;
    return 0;
}

/* ---- from Instantly ---- */

/* What is not told leaves what was known. */
static int take_text(struct job_views *views, const char **text, struct str reported, struct err *e)
{
    if (reported.n == 0)
        return 0;
    *text = arena_dup(&views->arena, reported.p, reported.n);
    return *text != NULL ? 0 : err_oom(e);
}

int job_view_take(struct job_views *views, struct job_view *view, const struct remote_job *job, struct err *e)
{
    struct job_report reported;
    api_remote_job_report(job, &reported);
    if (take_text(views, &view->type, job->type, e) != 0 || take_text(views, &view->status, job->status_text, e) != 0)
        return -1;
    if (view->from == NULL && take_text(views, &view->from, str_from(reported.from), e) != 0)
        return -1;
    if (view->to == NULL && take_text(views, &view->to, str_from(reported.to), e) != 0)
        return -1;
    view->reported = true;
    view->absent = false;
    view->reported_total = reported.total;
    view->reported_success = reported.success;
    view->reported_failed = reported.failed;
    if (!view->ours) {
        view->total = reported.total;
        view->success = reported.success;
        view->failed = reported.failed;
    }
    if (job->progress >= 0)
        view->progress = job->progress;
    if (job->created_ms != 0)
        view->created_ms = job->created_ms;
    if (job->updated_ms != 0)
        view->updated_ms = job->updated_ms;
    return 0;
}

/* ---- what it means ---- */

bool job_view_over(const struct job_view *view)
{
    return view->absent || job_status_is_final(job_status_find(str_from(view->status)));
}

bool job_view_open(const struct job_view *view)
{
    return view->open_rows > 0 || !job_view_over(view);
}

bool job_view_failed(const struct job_view *view)
{
    enum job_status status = job_status_find(str_from(view->status));
    /* Of our own the leads were looked at: a job that says success may have moved nothing. */
    if (view->ours && view->open_rows == 0 && job_view_over(view) && view->total >= 0)
        return view->failed > 0;
    return view->absent || status == JOB_FAILED || status == JOB_CANCELLED || view->reported_failed > 0;
}

/* ---- showing ---- */

void job_view_json(struct jsonw *w, const struct job_view *view)
{
    jsonw_member_text(w, "id", view->id);
    jsonw_member_text(w, "type", view->type);
    jsonw_member_text(w, "status", view->status);
    jsonw_member_count(w, "progress", view->progress);
    jsonw_member_count(w, "total", view->total);
    jsonw_member_count(w, "success", view->success);
    jsonw_member_count(w, "failed", view->failed);
    jsonw_member_text(w, "from", view->from);
    jsonw_member_text(w, "to", view->to);
    jsonw_member_count(w, "run", view->run > 0 ? (int64_t)view->run : -1);
    jsonw_member_time(w, "created_at", view->created_ms);
    jsonw_member_time(w, "updated_at", view->updated_ms);
}

const char *job_end_name(struct state *state, const char *end, struct arena *arena)
{
    struct err ignored = ERR_INIT;
    char formatted[TARGET_TEXT_N];
    struct target t;
    const char *name = end != NULL ? end : "";
    for (uint32_t i = 1; state != NULL && end != NULL && state_target_get(state, i, arena, &t, &ignored) == 1; i++) {
        if (t.name == NULL || strcmp(target_format(&t, formatted), end) != 0)
            continue;
        struct buf shown = BUF_INIT(1 << 16);
        const char *copy = NULL;
        if (buf_addf(&shown, "%s %s", target_kind_text(t.kind), t.name) == 0)
            copy = arena_dup(arena, shown.p, shown.n);
        buf_free(&shown);
        name = copy != NULL ? copy : name;
        break;
    }
    err_clear(&ignored);
    return name;
}

int job_id_check(const char *id, struct err *e)
{
    size_t n = 0;
    while (isalnum((unsigned char)id[n]) != 0 || id[n] == '-' || id[n] == '_')
        n++;
    if (id[n] == '\0' && n > 0 && n <= ID_MAX)
        return 0;
    return err_set(e, XS_USAGE, "\"%s\" is not the id of a background job; leadsync jobs list shows them", id);
}
