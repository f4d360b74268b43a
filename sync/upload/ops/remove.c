/* DELETE /leads: leads that are no longer wanted, by their ids and out of the one target where they are known to be.
 *
 * They are read first (remove_proof.c). The answer to the DELETE is only a count. A repeat is harmless, because the
 * request names the ids. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/upload/proof/proof.h"

/* Before the first DELETE nothing was done, and the next complete read wants the removal again. After it the outcome is
 * open. */
void remove_give_up(struct batch_slice *s, enum reason reason)
{
    if (s->batch->earlier || s->round > 0)
        slice_leave_open(s);
    else
        slice_done(s, OUTCOME_DEFERRED, reason, 0);
}

void remove_read_failed(struct batch_slice *s)
{
    struct upload *u = s->batch->u;
    remove_give_up(s, u->stopping ? u->c.stop_reason : REASON_INTERRUPTED);
}

static void remove_refused(struct batch_slice *s, const struct api_reply *reply)
{
    struct batch_run *b = s->batch;
    for (size_t k = 0; k < s->n; k++)
        batch_entry_detail(b, s->index[k], reply->message);
    if (reply->http_status == 404) {
        /* The campaign or list itself is gone. Its leads may be, too. */
        s->round = ROUNDS_MAX;
        s->attempt = ATTEMPTS_MAX;
        remove_proof_read(s);
        return;
    }
    /* 409: another move held the source for as long as this run waits for jobs. */
    bool locked = reply->http_status == 409;
    slice_done(s, locked ? OUTCOME_DEFERRED : OUTCOME_FAILED, locked ? REASON_JOB_OPEN : REASON_API_ERROR,
               reply->http_status);
}

/* The count proves nothing about a single lead. If it counts all ids, one read that does not show them is enough; else each
 * lead is searched for. */
static void remove_counted(struct batch_slice *s, const struct api_reply *reply)
{
    struct err e = ERR_INIT;
    int64_t count;
    s->counted = api_leads_deleted_read(reply->json, &count, &e) == 0 && count == (int64_t)s->n;
    if (!s->counted)
        log_detail("a removal of %zu lead%s was not confirmed as a whole: reading back", s->n, text_plural(s->n));
    remove_proof_read(s);
    err_clear(&e);
}

/* After a lost answer the leads are read, too. A DELETE names ids, so that a repeat is harmless. */
static void remove_deleted(void *ctx, const struct api_reply *reply)
{
    struct batch_slice *s = ctx;
    struct upload *u = s->batch->u;
    s->http_status = reply->http_status;
    switch (reply->class) {
    case API_OK: remove_counted(s, reply); break;
    case API_UNKNOWN: remove_proof_read(s); break;
    case API_REFUSED:
    case API_PLAN_FULL: remove_refused(s, reply); break;
    case API_FAILED:
    case API_FATAL:
        upload_fail(u, reply->err);
        slice_done(s, OUTCOME_DEFERRED, REASON_INTERRUPTED, reply->http_status);
        break;
    case API_CANCELLED: slice_done(s, OUTCOME_DEFERRED, u->c.stop_reason, 0); break;
    }
}

/* A DELETE makes Instantly forget that a person unsubscribed. So the status is durable in the state before the request
 * leaves. */
void remove_send(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    struct uuid ids[LEADS_DELETE_MAX];
    struct err e = ERR_INIT;
    for (size_t k = 0; s->round == 0 && k < s->n; k++)
        batch_entry_record_status(b, s->index[k], b->record.entries[s->index[k]].reason,
                                  b->record.entries[s->index[k]].email);
    batch_entry_commit_statuses(b);
    if (upload_ended(b->u)) {
        remove_give_up(s, b->u->c.stop_reason);
        return;
    }
    for (size_t k = 0; k < s->n; k++)
        ids[k] = b->record.entries[s->index[k]].lead_id;
    const struct leads_delete del = {b->from, ids, s->n};
    int rc = b->record.source != 0 ? api_leads_delete(b->u->c.api, &del, remove_deleted, s, &e)
                                   : api_lead_delete(b->u->c.api, &ids[0], remove_deleted, s, &e);
    if (rc != 0) {
        upload_fail(b->u, &e);
        remove_give_up(s, REASON_INTERRUPTED);
    } else {
        batch_advance(b, s, LIFE_SENT);
        s->round++;
        s->attempt = 0;
        s->counted = false;
    }
    err_clear(&e);
}

static int remove_close(struct batch_run *b, struct err *e)
{
    if (b->record.source == 0)
        return 0; /* a DELETE of one lead has no body */
    const struct leads_delete del = {b->from, batch_entry_ids(b), b->record.entries_n};
    return del.ids == NULL ? err_oom(e) : api_leads_delete_digest(&del, b->record.body_sha256, e);
}

const struct operation remove_operation = {
    .name = "remove",
    .entries_max = LEADS_DELETE_MAX,
    .close = remove_close,
    .start = remove_proof_read,
    .resume = remove_proof_read,
    .give_up = slice_leave_open,
};
