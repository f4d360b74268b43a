/* The job of a request whose answer was lost: the newest moves out of the source are asked for, because a job echoes what
 * it was asked. The leads themselves are read only if no job is found. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include "sync/upload/proof/proof.h"
#include "sync/upload/proof/jobs.h"

enum { SKEW_MARGIN_MS = 2000, JOB_BYTES = 4 << 20 };

static void job_find_ask(struct batch_slice *s);

static void job_find_not_found(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    bool may_appear = s->attempt < ATTEMPTS_MAX;
    if (b->earlier)
        may_appear = may_appear && b->u->c.clock->wall_ms(b->u->c.clock) < b->first_sent_ms + slice_late_reads_ms(b);
    if (may_appear)
        slice_wait_attempt(s, true, job_find_ask); /* a job may be listed late */
    else
        move_no_job(s);
}

/* A job that the state knows carried another request, perhaps the same leads the same way a moment ago. 1/0/-1 */
static int job_find_is_of_another(struct upload *u, struct str id, struct err *e)
{
    struct arena arena;
    struct job_record record;
    arena_init(&arena, JOB_BYTES);
    const char *text = arena_dup(&arena, id.p, id.n);
    int rc = text != NULL ? state_job_get(u->c.state, text, &arena, &record, e) : err_oom(e);
    arena_free(&arena);
    return rc;
}

/* Is it the job of this request? 1/0/-1 */
static int job_find_is_ours(const struct batch_slice *s, const struct remote_job *remote, const struct leads_move *move,
                            struct err *e)
{
    const struct batch_run *b = s->batch;
    int64_t skew_ms = b->skew_ms != 0 ? b->skew_ms : b->u->skew_ms;
    if (remote->created_ms < b->first_sent_ms + skew_ms - SKEW_MARGIN_MS || !api_remote_job_within(remote, move))
        return 0;
    int other = job_find_is_of_another(b->u, remote->id, e);
    return other < 0 ? -1 : other == 0;
}

/* The job of this request among those of the answer. 1/0/-1 */
static int job_find_in(const struct batch_slice *s, const struct api_reply *reply, struct remote_job *remote)
{
    struct arena arena;
    struct err e = ERR_INIT;
    int ours = 0;
    arena_init(&arena, JOB_BYTES);
    const struct leads_move move = {s->batch->from, s->batch->target, move_ids(s, &arena), s->n,
                                    s->batch->u->c.move_options};
    for (size_t at = 0; move.ids != NULL && ours == 0 && api_reply_job(reply, &at, remote);)
        ours = job_find_is_ours(s, remote, &move, &e);
    if (ours < 0)
        upload_fail(s->batch->u, &e);
    err_clear(&e);
    arena_free(&arena);
    return ours;
}

static void job_find_answered(void *ctx, const struct api_reply *reply)
{
    struct batch_slice *s = ctx;
    struct batch_run *b = s->batch;
    if (!api_reply_has_jobs(reply)) {
        struct err e = ERR_INIT;
        if (reply->class == API_REFUSED)
            err_set(&e, XS_API,
                    "Instantly refused the list of background jobs (%d %.*s), so the outcome of a move is unknown; "
                    "run again later",
                    reply->http_status, STR_ARG(reply->message));
        if (reply->err != NULL || e.status != XS_DONE)
            upload_fail(b->u, reply->err != NULL ? reply->err : &e);
        err_clear(&e);
        move_give_up(s, b->u->c.stop_reason);
        return;
    }
    struct remote_job remote;
    int found = job_find_in(s, reply, &remote);
    s->attempt++;
    if (found < 0)
        move_give_up(s, b->u->c.stop_reason);
    else if (found > 0)
        jobs_watch(s, remote.id, &remote);
    else
        job_find_not_found(s);
}

static void job_find_ask(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    struct err e = ERR_INIT;
    const struct jobs_list list = {.moved_from = &b->from, .urgent = true};
    if (upload_ended(b->u)) {
        move_give_up(s, b->u->c.stop_reason);
        return;
    }
    slice_read(s);
    if (api_jobs_list(b->u->c.api, &list, job_find_answered, s, &e) != 0) {
        upload_fail(b->u, &e);
        move_give_up(s, b->u->c.stop_reason);
    }
    err_clear(&e);
}

void job_find(struct batch_slice *s)
{
    s->attempt = 0;
    job_find_ask(s);
}
