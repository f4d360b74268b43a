/* The job of a request whose answer was lost: the newest moves out of the source are asked for, because a job echoes what
 * it was asked. Only a job that is not found makes it worth a look at the leads themselves. */
#include "config.h"

#include "sync/upload/ops/move.h"

#include <json-c/json.h>

enum { SKEW_MARGIN_MS = 2000, JOB_BYTES = 4 << 20 };

static void find(struct part *p);

static void not_found(struct part *p)
{
    struct work *w = p->work;
    bool may_appear = p->look < LOOKS_MAX;
    if (w->earlier)
        may_appear = may_appear && w->u->c.clock->wall_ms(w->u->c.clock) < w->first_sent_ms + work_late_looks_ms(w);
    if (may_appear)
        part_wait_look(p, true, find); /* a job may be listed late */
    else
        move_no_job(p);
}

/* A job that the state knows carried another request, perhaps the same leads the same way a moment ago. 1/0/-1 */
static int is_of_another(struct upload *u, struct str id, struct err *e)
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
static int is_ours(const struct part *p, const struct remote_job *remote, const struct leads_move *move, struct err *e)
{
    const struct work *w = p->work;
    int64_t skew_ms = w->skew_ms != 0 ? w->skew_ms : w->u->skew_ms;
    if (remote->created_ms < w->first_sent_ms + skew_ms - SKEW_MARGIN_MS || !api_remote_job_within(remote, move))
        return 0;
    int other = is_of_another(w->u, remote->id, e);
    return other < 0 ? -1 : other == 0;
}

static void listed(void *ctx, const struct api_reply *reply)
{
    struct part *p = ctx;
    struct work *w = p->work;
    struct json_object *items = job_items(reply);
    if (items == NULL) {
        struct err e = ERR_INIT;
        if (reply->class == API_REFUSED)
            err_set(&e, XS_API, "the list of background jobs was refused (%d %.*s): what became of a move cannot be told; "
                    "run again later", reply->http_status, STR_ARG(reply->message));
        if (reply->err != NULL || e.status != XS_DONE)
            upload_fail(w->u, reply->err != NULL ? reply->err : &e);
        err_clear(&e);
        move_give_up(p, w->u->c.stop_reason);
        return;
    }
    const struct leads_move move = {w->from, w->target, move_ids(p), p->n};
    for (size_t i = 0; move.ids != NULL && i < json_object_array_length(items); i++) {
        struct remote_job remote;
        struct err e = ERR_INIT;
        if (api_remote_job_read(json_object_array_get_idx(items, i), &remote, &e) != 0) {
            err_clear(&e);
            continue;
        }
        int ours = is_ours(p, &remote, &move, &e);
        if (ours < 0)
            upload_fail(w->u, &e);
        err_clear(&e);
        if (ours < 0) {
            move_give_up(p, w->u->c.stop_reason);
            return;
        }
        if (ours > 0) {
            job_watch(p, remote.id, &remote);
            return;
        }
    }
    p->look++;
    not_found(p);
}

static void find(struct part *p)
{
    struct work *w = p->work;
    struct err e = ERR_INIT;
    const struct jobs_list list = {.moved_from = &w->from, .urgent = true};
    if (upload_ended(w->u)) {
        move_give_up(p, w->u->c.stop_reason);
        return;
    }
    if (api_jobs_list(w->u->c.api, &list, listed, p, &e) != 0) {
        upload_fail(w->u, &e);
        move_give_up(p, w->u->c.stop_reason);
    }
    err_clear(&e);
}

void job_find(struct part *p)
{
    p->look = 0;
    find(p);
}
