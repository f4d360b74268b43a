/* Requests by hand that are sent once: interest, assign, subsequence, merge.
 *
 * The leads are read first: what is gone gets no request, and the results show the old value. The API accepts most of these
 * requests without an answer about each lead, so one_shot_proof.c reads the leads until they show what was asked. A request
 * whose answer was lost is not repeated: a repeat may start automations in Instantly again, or spread the leads differently. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include "sync/upload/proof/proof.h"

/* The digest is that of a request for all leads, although some of them may be missing when it is sent. */
int one_shot_close(struct batch_run *b, struct err *e)
{
    struct by_hand request = {0};
    uint32_t *all = arena_alloc(&b->arena, b->record.entries_n * sizeof *all);
    if (all == NULL)
        return err_oom(e);
    for (uint32_t i = 0; i < b->record.entries_n; i++)
        all[i] = i;
    int rc = b->operation->request(b, all, b->record.entries_n, &request, e);
    if (rc == 0)
        rc = by_hand_digest(&request, b->record.body_sha256, e);
    by_hand_free(&request);
    return rc;
}

/* ---- answers ---- */

/* Surely not applied. */
static void one_shot_not_sent(struct batch_slice *s)
{
    struct upload *u = s->batch->u;
    slice_done(s, OUTCOME_DEFERRED, u->stopping ? u->c.stop_reason : REASON_INTERRUPTED, s->http_status);
}

/* A refusal concerns all leads of the request, because these requests have no answer per lead. */
static void one_shot_refused(struct batch_slice *s, const struct api_reply *reply)
{
    struct batch_run *b = s->batch;
    for (size_t k = 0; k < s->n; k++)
        batch_entry_detail(b, s->index[k], reply->message);
    if (reply->class == API_PLAN_FULL)
        slice_done(s, OUTCOME_DEFERRED, REASON_PLAN_FULL, reply->http_status);
    else if (reply->http_status == 409) /* the job of another user has locked the target for too long */
        slice_done(s, OUTCOME_DEFERRED, REASON_JOB_OPEN, reply->http_status);
    else if (reply->http_status == 404 && b->operation == &assign_operation && b->record.target != 0)
        missing_target_ask(s, "POST /leads/bulk-assign", reply, one_shot_not_sent);
    else if (reply->http_status == 404)
        slice_done(s, OUTCOME_FAILED, REASON_GONE_THERE, reply->http_status);
    else
        slice_done(s, OUTCOME_REJECTED, REASON_REFUSED_THERE, reply->http_status);
}

/* An accepted request and a lost answer need the same proof. They differ in what happens to leads that do not show it. */
static void one_shot_answered(void *ctx, const struct api_reply *reply)
{
    struct batch_slice *s = ctx;
    struct batch_run *b = s->batch;
    s->http_status = reply->http_status;
    switch (reply->class) {
    case API_OK:
        s->taken = true;
        if (b->operation->answered == NULL || !b->operation->answered(s, reply))
            one_shot_proof_start(s);
        break;
    case API_UNKNOWN: one_shot_proof_start(s); break;
    case API_REFUSED:
    case API_PLAN_FULL: one_shot_refused(s, reply); break;
    case API_FAILED:
    case API_FATAL:
        upload_fail(b->u, reply->err);
        one_shot_not_sent(s);
        break;
    case API_CANCELLED: slice_done(s, OUTCOME_DEFERRED, b->u->c.stop_reason, 0); break;
    }
}

/* ---- sending ---- */

static void one_shot_send(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    struct by_hand request = {0};
    struct err e = ERR_INIT;
    if (upload_ended(b->u)) {
        one_shot_not_sent(s);
        return;
    }
    int rc = b->operation->request(b, s->index, s->n, &request, &e);
    if (rc == 0)
        rc = by_hand_queue(b->u->c.api, &request, one_shot_answered, s, &e);
    if (rc == 0) {
        batch_advance(b, s, LIFE_SENT);
        s->round = 1;
    } else {
        upload_fail(b->u, &e);
        one_shot_not_sent(s);
    }
    by_hand_free(&request);
    err_clear(&e);
}

/* The leads of the slice that exist, in one request or in one each. */
static void one_shot_send_all(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    struct err e = ERR_INIT;
    size_t step = b->operation->each ? 1 : s->n;
    if (b->operation->checked != NULL)
        b->operation->checked(s);
    batch_entry_commit_statuses(b);
    for (size_t k = 0; k < s->n; k += step) {
        struct batch_slice *part = slice_of_open(s, k, step, &e);
        if (part == NULL) {
            upload_fail(b->u, &e);
            err_clear(&e);
            one_shot_not_sent(s);
            return;
        }
        if (part->n > 0)
            one_shot_send(part);
        else
            slice_free(part);
    }
    slice_free(s);
}

/* ---- reading before ---- */

static void one_shot_seen(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    one_shot_proof_before(b, i, remote);
    if (b->operation->seen != NULL)
        b->operation->seen(b, i, remote);
}

static void one_shot_asked(struct batch_slice *s)
{
    slice_unshown_done(s, OUTCOME_FAILED, REASON_GONE_THERE, 404);
    one_shot_send_all(s);
}

static const struct lead_read_calls one_shot_asking = {one_shot_seen, one_shot_asked, one_shot_not_sent};

static void one_shot_listed(struct batch_slice *s)
{
    lead_read_unshown(s, &one_shot_asking);
}

static const struct lead_read_calls one_shot_listing = {one_shot_seen, one_shot_listed, one_shot_not_sent};

/* The moment before the first read: no effect of this request can be older. */
void one_shot_start(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    b->first_sent_ms = b->u->c.clock->wall_ms(b->u->c.clock);
    lead_read_by_id(s, &one_shot_listing);
}

/* Of an earlier run, and of copies of moves, which no lead shows either. */
const struct operation one_shot_operation = {
    .name = "one_shot",
    .resume = one_shot_proof_start,
    .give_up = slice_leave_open,
};
