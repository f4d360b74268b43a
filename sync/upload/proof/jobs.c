/* Background jobs: recorded the moment they are known, polled by due time, a hundred in one request, and given up after
 * limits.job_wait, when their batches stay open for the next run.
 *
 * A status shows when to read the leads, never what was done. The upload waits while the status is pending, in-progress,
 * draining, paused or unknown. It stops waiting at success, failed and cancelled, and when the job no longer exists. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/upload/proof/proof.h"
#include "sync/upload/proof/jobs.h"

enum { POLL_FIRST_MS = 100, POLL_MOST_MS = 15000, REPORT_AFTER_MS = 5000, FILTERS_MAX = 1 << 20, RECORD_MAX = 4 << 20 };

static void jobs_poll_answered(void *ctx, const struct api_reply *reply);

static int64_t jobs_now_us(const struct upload *u)
{
    return u->c.clock->mono_us(u->c.clock);
}

/* ---- what is recorded ---- */

static int jobs_record(struct upload *u, const struct job *job, struct err *e)
{
    const struct job_record r = {
        .id = job->reported.id,
        .type = job->reported.type,
        .status = job->reported.status,
        .progress = job->progress,
        .filters = job->filters,
        .total = (uint64_t)job->reported.total,
        .success = job->reported.success > 0 ? (uint64_t)job->reported.success : 0,
        .failed = job->reported.failed > 0 ? (uint64_t)job->reported.failed : 0,
        .from = job->from,
        .to = job->to,
        .run = job->run,
        .created_ms = job->created_ms,
        .updated_ms = job->updated_ms,
    };
    return state_job_put(u->c.state, &r, e);
}

static void jobs_record_or_fail(struct upload *u, const struct job *job)
{
    struct err e = ERR_INIT;
    if (jobs_record(u, job, &e) != 0)
        upload_fail(u, &e);
    err_clear(&e);
}

static int jobs_replace(char **text, struct str with)
{
    char *copy = str_dup(with);
    if (copy == NULL)
        return -1;
    free(*text);
    *text = copy;
    return 0;
}

/* As the API has shown it last. 0/-1 */
static int jobs_take_remote(struct job *job, const struct remote_job *remote)
{
    const char *filters = api_remote_job_filters(remote);
    job->reported.moved = remote->moved;
    job->reported.duplicated = remote->duplicated;
    job->reported.missing_email = remote->missing_email;
    job->reported.in_other_campaigns = remote->in_other_campaigns;
    job->reported.blocklisted = remote->blocklisted;
    if (remote->progress >= 0)
        job->progress = (int)(remote->progress < 100 ? remote->progress : 100);
    if (remote->created_ms != 0)
        job->created_ms = remote->created_ms;
    if (remote->updated_ms != 0)
        job->updated_ms = remote->updated_ms;
    if (filters != NULL && strlen(filters) <= FILTERS_MAX && jobs_replace(&job->filters, str_from(filters)) != 0)
        return -1;
    return jobs_replace(&job->reported.type, remote->type) != 0 ? -1
                                                                : jobs_replace(&job->reported.status, remote->status_text);
}

/* What an earlier run recorded of it. 0/-1 */
static int jobs_take_record(struct upload *u, struct job *job, struct err *e)
{
    struct job_record r = {.type = "move-leads", .status = "pending"};
    struct arena arena;
    arena_init(&arena, RECORD_MAX);
    if (state_job_get(u->c.state, job->reported.id, &arena, &r, e) < 0) {
        arena_free(&arena);
        return -1;
    }
    job->progress = r.progress;
    job->created_ms = r.created_ms;
    job->updated_ms = r.updated_ms;
    bool bad = jobs_replace(&job->reported.type, str_from(r.type != NULL ? r.type : "")) != 0 ||
               jobs_replace(&job->reported.status, str_from(r.status != NULL ? r.status : "")) != 0 ||
               (r.filters != NULL && jobs_replace(&job->filters, str_from(r.filters)) != 0);
    arena_free(&arena);
    return bad ? err_oom(e) : 0;
}

static void jobs_free_one(struct job *job)
{
    free(job->reported.type);
    free(job->reported.status);
    free(job->filters);
    free(job);
}

/* The batch ends before its job. The job stays for the report and no longer refers to the batch. */
void jobs_forget(struct batch_run *b)
{
    for (struct job *job = b->u->jobs; job != NULL; job = job->next)
        if (job->batch == b) {
            job->batch = NULL;
            job->slice = NULL;
        }
}

void jobs_free(struct upload *u)
{
    while (u->jobs != NULL) {
        struct job *job = u->jobs;
        u->jobs = job->next;
        jobs_free_one(job);
    }
}

/* ---- life ---- */

/* The slice leaves the job first, because the proof may start another job for it. */
static void jobs_over(struct upload *u, struct job *job, const struct remote_job *remote)
{
    struct batch_slice *s = job->slice;
    job->slice = NULL;
    job->reported.open = false;
    jobs_record_or_fail(u, job);
    move_job_over(s, job, remote);
}

static const char *jobs_wait_name(const struct upload *u)
{
    return u->c.by_hand ? "--job-wait" : "limits.job_wait";
}

static void jobs_warn_once(const struct upload *u, struct job *job, const struct remote_job *remote)
{
    if (job->warned || (remote->status != JOB_PAUSED && remote->status != JOB_UNKNOWN))
        return;
    job->warned = true;
    if (remote->status == JOB_PAUSED)
        log_warning("background job %s is paused (Instantly waits for a quota or a permission): waiting for it, at most %s",
                    job->reported.id, jobs_wait_name(u));
    else
        log_warning("background job %s has the unknown status \"%s\": waiting for it, at most %s", job->reported.id,
                    job->reported.status, jobs_wait_name(u));
}

/* A user who watches the terminal should know what the run waits for. */
static void jobs_report_wait_once(struct upload *u, struct job *job)
{
    int64_t wait_us = u->c.mapping->limits.job_wait_ms * 1000;
    if (job->wait_reported || job->until_us - jobs_now_us(u) > wait_us - REPORT_AFTER_MS * 1000)
        return;
    job->wait_reported = true;
    log_notice("waiting for background job %s, which moves %lld lead%s from %s to %s", job->reported.id,
               (long long)job->reported.total, text_plural((unsigned long long)job->reported.total), job->from, job->to);
}

/* Intervals grow by half, from 100 ms to 15 s: short jobs are seen at once, and long jobs cost few requests. */
static void jobs_schedule(struct upload *u, struct job *job)
{
    int64_t ms = POLL_FIRST_MS;
    for (unsigned i = 0; i < job->polls && ms < POLL_MOST_MS; i++)
        ms += ms / 2;
    job->polls++;
    job->due_us = jobs_now_us(u) + (ms < POLL_MOST_MS ? ms : POLL_MOST_MS) * 1000;
}

static void jobs_give_up_one(struct job *job, enum reason reason)
{
    struct batch_slice *s = job->slice;
    job->slice = NULL;
    move_give_up(s, reason);
}

/* Another batch that uses a target of this job could not begin before the job is over. */
static bool jobs_is_left_to_run(const struct upload *u)
{
    return u->c.no_wait && u->draining && u->move_queue == NULL;
}

static void jobs_on_status(struct upload *u, struct job *job, const struct remote_job *remote)
{
    if (jobs_take_remote(job, remote) != 0) {
        upload_fail_oom(u);
        return;
    }
    if (job_status_is_final(remote->status)) {
        jobs_over(u, job, remote);
        return;
    }
    jobs_warn_once(u, job, remote);
    jobs_report_wait_once(u, job);
    jobs_schedule(u, job);
    jobs_record_or_fail(u, job);
    if (jobs_is_left_to_run(u))
        jobs_give_up_one(job, REASON_JOB_OPEN);
}

static struct job *jobs_new(struct batch_slice *s, struct str id, const struct remote_job *remote, struct err *e)
{
    struct batch_run *b = s->batch;
    struct upload *u = b->u;
    struct job *job = id.n < sizeof job->reported.id ? calloc(1, sizeof *job) : NULL;
    if (job == NULL) {
        if (id.n >= sizeof job->reported.id)
            err_set(e, XS_API, "a background job has an id of %zu characters: please report", id.n);
        else
            err_oom(e);
        return NULL;
    }
    memcpy(job->reported.id, id.p, id.n);
    job->reported.total = (int64_t)s->n;
    job->reported.success = job->reported.failed = job->reported.moved = job->reported.duplicated =
        job->reported.missing_email = -1;
    job->reported.in_other_campaigns = job->reported.blocklisted = -1;
    job->reported.open = true;
    job->run = b->record.run;
    target_format(&b->from, job->from);
    target_format(&b->target, job->to);
    job->until_us = jobs_now_us(u) + u->c.mapping->limits.job_wait_ms * 1000;
    int rc = remote == NULL ? jobs_take_record(u, job, e) : jobs_take_remote(job, remote) != 0 ? err_oom(e) : 0;
    if (rc != 0) {
        jobs_free_one(job);
        return NULL;
    }
    slice_park(s);
    job->slice = s;
    job->batch = b;
    job->next = u->jobs;
    u->jobs = job;
    return job;
}

/* Durable at once: a run that dies now must not have to guess. */
static int jobs_note(struct upload *u, struct batch_slice *s, struct job *job, struct err *e)
{
    struct batch_run *b = s->batch;
    for (size_t k = 0; k < s->n; k++)
        b->progress[s->index[k]].job = job;
    b->record.job = arena_dup(&b->arena, job->reported.id, strlen(job->reported.id));
    if (b->record.job == NULL)
        return err_oom(e);
    b->record.state = BATCH_ACCEPTED;
    if (state_batch_update(u->c.state, &b->record, e) != 0 || jobs_record(u, job, e) != 0)
        return -1;
    return state_commit(u->c.state, e);
}

void jobs_watch(struct batch_slice *s, struct str id, const struct remote_job *remote)
{
    struct upload *u = s->batch->u;
    struct err e = ERR_INIT;
    struct job *job = jobs_new(s, id, remote, &e);
    if (job == NULL || jobs_note(u, s, job, &e) != 0) {
        if (job != NULL)
            job->slice = NULL;
        upload_fail(u, &e);
        move_give_up(s, u->c.stop_reason);
    } else if (remote != NULL && job_status_is_final(remote->status)) {
        jobs_over(u, job, remote);
    } else if (upload_ended(u) || jobs_is_left_to_run(u)) {
        job->slice = NULL;
        move_give_up(s, u->c.stop_reason);
    } else if (remote != NULL) {
        jobs_schedule(u, job);
    } else {
        job->due_us = jobs_now_us(u);
    }
    err_clear(&e);
}

/* Only now is it known what the job has done: its status counts nothing, the outcomes of its leads do. */
void jobs_batch_settled(struct batch_run *b)
{
    for (struct job *job = b->u->jobs; job != NULL; job = job->next) {
        if (job->batch != b)
            continue;
        job->batch = NULL;
        if (b->life == LIFE_LEFT_OPEN)
            continue;
        job->reported.success = job->reported.failed = 0;
        for (size_t i = 0; i < b->record.entries_n; i++) {
            enum outcome outcome = b->record.entries[i].outcome;
            if (b->progress[i].job != job)
                continue;
            /* A lead out of the stage counts as created in its last target: it has moved as well. */
            if (outcome == OUTCOME_CREATED || outcome == OUTCOME_CHANGED || outcome == OUTCOME_REMOVED)
                job->reported.success++;
            else
                job->reported.failed++;
        }
        jobs_record_or_fail(b->u, job);
    }
}

/* ---- polling ---- */

static struct job *jobs_next_due(const struct upload *u, int64_t until_us, size_t taken_n)
{
    struct job *first = NULL;
    for (struct job *job = u->jobs; job != NULL; job = job->next) {
        bool taken = job->slice == NULL || job->due_us > until_us;
        for (size_t i = 0; !taken && i < taken_n; i++)
            taken = u->polled[i] == job;
        if (!taken && (first == NULL || job->due_us < first->due_us))
            first = job;
    }
    return first;
}

static void jobs_poll(struct upload *u)
{
    struct str ids[JOBS_LIST_MAX];
    struct err e = ERR_INIT;
    size_t n = 0;
    /* One request costs the same for a hundred: those that are due soon go with those that are due. */
    int64_t until_us = jobs_now_us(u) + POLL_FIRST_MS * 1000;
    for (struct job *job; n < JOBS_LIST_MAX && (job = jobs_next_due(u, until_us, n)) != NULL; n++) {
        u->polled[n] = job;
        ids[n] = str_from(job->reported.id);
    }
    const struct jobs_list list = {.ids = ids, .ids_n = n, .urgent = true};
    u->polled_n = n;
    if (n > 0 && api_jobs_list(u->c.api, &list, jobs_poll_answered, u, &e) != 0) {
        u->polled_n = 0;
        upload_fail(u, &e);
    }
    err_clear(&e);
}

/* Asked for alone: a list may leave out what is there. */
static void jobs_one_answered(void *ctx, const struct api_reply *reply)
{
    struct job *job = ctx;
    struct batch_slice *s = job->slice;
    struct remote_job remote;
    struct err e = ERR_INIT;
    job->alone = false;
    if (s == NULL)
        return;
    struct upload *u = s->batch->u;
    if (reply->class == API_OK && api_remote_job_read(reply->json, &remote, &e) == 0) {
        jobs_on_status(u, job, &remote);
    } else if (reply->class == API_REFUSED && reply->http_status == 404) {
        log_warning("background job %s no longer exists; reading back its leads", job->reported.id);
        if (jobs_replace(&job->reported.status, STR("vanished")) != 0)
            upload_fail_oom(u);
        jobs_over(u, job, NULL);
    } else if (reply->err != NULL) {
        upload_fail(u, reply->err);
    } else {
        jobs_schedule(u, job);
    }
    err_clear(&e);
}

static void jobs_ask_alone(struct upload *u, struct job *job)
{
    struct err e = ERR_INIT;
    job->alone = true;
    if (api_job_get(u->c.api, str_from(job->reported.id), NULL, jobs_one_answered, job, &e) != 0) {
        job->alone = false;
        upload_fail(u, &e);
    }
    err_clear(&e);
}

static bool jobs_find_item(const struct api_reply *reply, const char *id, struct remote_job *out)
{
    for (size_t at = 0; api_reply_job(reply, &at, out);)
        if (str_is(out->id, id))
            return true;
    return false;
}

static void jobs_poll_answered(void *ctx, const struct api_reply *reply)
{
    struct upload *u = ctx;
    size_t n = u->polled_n;
    u->polled_n = 0;
    if (reply->skew_ms != 0)
        u->skew_ms = reply->skew_ms;
    if (reply->err != NULL) {
        upload_fail(u, reply->err);
        return;
    }
    if (reply->class == API_CANCELLED)
        return;
    for (size_t i = 0; i < n; i++) {
        struct job *job = u->polled[i];
        struct remote_job remote;
        if (job->slice == NULL || job->alone)
            continue;
        if (jobs_find_item(reply, job->reported.id, &remote))
            jobs_on_status(u, job, &remote);
        else
            jobs_ask_alone(u, job);
    }
}

/* One list request at a time, because its answer can change every job that the next request would name. */
void jobs_step(struct upload *u, int64_t now)
{
    bool due = false;
    for (struct job *job = u->jobs; job != NULL; job = job->next) {
        if (job->slice == NULL)
            continue;
        if (now >= job->until_us) {
            log_notice("background job %s has not ended within %s: its leads stay open; leadsync resume or the "
                       "next sync continues",
                       job->reported.id, jobs_wait_name(u));
            jobs_give_up_one(job, REASON_JOB_OPEN);
            continue;
        }
        due = due || (job->due_us <= now && !job->alone);
    }
    if (due && u->polled_n == 0)
        jobs_poll(u);
}

int64_t jobs_due_us(const struct upload *u)
{
    int64_t due_us = INT64_MAX;
    for (const struct job *job = u->jobs; job != NULL; job = job->next) {
        if (job->slice == NULL)
            continue;
        bool asked = job->alone || u->polled_n > 0;
        if (!asked && job->due_us < due_us)
            due_us = job->due_us;
        if (job->until_us < due_us)
            due_us = job->until_us;
    }
    return due_us;
}

void jobs_give_up(struct upload *u)
{
    for (struct job *job = u->jobs; job != NULL; job = job->next)
        if (job->slice != NULL)
            jobs_give_up_one(job, u->c.stop_reason);
}
