/* DELETE /leads: leads that are no longer wanted, by their ids and out of the one target where they are known to be.
 *
 * They are looked at first: a lead that sits elsewhere now was put there by somebody and is left alone, and so is a lead
 * with another address under the same id. What the list does not show may still be there, and mailed: each such lead is
 * asked for itself and looked for by its address, and only then counts as gone. The answer to the DELETE is a count and no
 * more: when it is that of the ids, one more look must not show them; when it is another one, or none, what that look does
 * not show is asked for itself. A repeat does no harm, since the ids are named. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/plan/eligibility.h"
#include "sync/upload/proof/proof.h"

/* One list request tells of a whole batch. */
_Static_assert((int)LEADS_DELETE_MAX <= (int)LEADS_LIST_MAX, "a batch of removals is looked at in one request");

static void remove_start(struct batch_slice *s);

/* The reads or the deletion cannot go on. What was never sent was surely not done. */
static void remove_give_up(struct batch_slice *s, enum reason reason)
{
    struct batch_run *b = s->batch;
    if (b->earlier || s->round > 0) {
        slice_leave_open(s);
    } else {
        slice_done(s, OUTCOME_DEFERRED, reason, 0);
    }
}

static void remove_look_failed(struct batch_slice *s)
{
    struct upload *u = s->batch->u;
    remove_give_up(s, u->stopping ? u->c.stop_reason : REASON_INTERRUPTED);
}

/* Removed, and what was found of the person before is said with it. */
static void remove_removed(struct batch_slice *s, uint32_t i)
{
    batch_entry_done(s->batch, i, OUTCOME_REMOVED, s->batch->record.entries[i].reason, s->http_status);
}

/* ---- deleting ---- */

static void remove_refused(struct batch_slice *s, const struct api_reply *reply)
{
    struct batch_run *b = s->batch;
    for (size_t k = 0; k < s->n; k++)
        batch_entry_detail(b, s->index[k], reply->message);
    if (reply->http_status == 404) {
        /* The campaign or list itself is gone. Its leads may be, too. */
        s->round = ROUNDS_MAX;
        s->attempt = ATTEMPTS_MAX;
        remove_start(s);
        return;
    }
    /* 409: somebody's move held the source for as long as this run waits for jobs. */
    bool locked = reply->http_status == 409;
    slice_done(s, locked ? OUTCOME_DEFERRED : OUTCOME_FAILED, locked ? REASON_JOB_OPEN : REASON_API_ERROR,
                reply->http_status);
}

static void remove_counted(struct batch_slice *s, const struct api_reply *reply)
{
    struct err e = ERR_INIT;
    int64_t count;
    s->counted = api_leads_deleted_read(reply->json, &count, &e) == 0 && count == (int64_t)s->n;
    if (!s->counted)
        log_detail("a removal of %zu lead%s was not confirmed as a whole: reading back", s->n, text_plural(s->n));
    remove_start(s);
    err_clear(&e);
}

static void remove_deleted(void *ctx, const struct api_reply *reply)
{
    struct batch_slice *s = ctx;
    struct upload *u = s->batch->u;
    s->http_status = reply->http_status;
    switch (reply->class) {
    case API_OK: remove_counted(s, reply); break;
    case API_UNKNOWN: remove_start(s); break;
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

static void remove_delete_all(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    struct uuid ids[LEADS_DELETE_MAX];
    struct err e = ERR_INIT;
    for (size_t k = 0; s->round == 0 && k < s->n; k++)
        batch_record_status(b, s->index[k], b->record.entries[s->index[k]].reason, b->record.entries[s->index[k]].email);
    batch_commit_statuses(b);
    if (upload_ended(b->u)) {
        remove_give_up(s, b->u->c.stop_reason);
        return;
    }
    for (size_t k = 0; k < s->n; k++)
        ids[k] = b->record.entries[s->index[k]].lead_id;
    const struct leads_delete del = {b->from, ids, s->n};
    if (api_leads_delete(b->u->c.api, &del, remove_deleted, s, &e) != 0) {
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

/* ---- looking ---- */

/* Somebody put it there; where exactly is said in the results. */
static void remove_found_elsewhere(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct entry *entry = &s->batch->record.entries[i];
    struct target where = {.kind = remote->has_campaign ? TARGET_CAMPAIGN : TARGET_LIST,
                           .id = remote->has_campaign ? remote->campaign : remote->list};
    bool anywhere = remote->has_campaign || remote->has_list;
    char text[TARGET_TEXT_N];
    struct buf detail = BUF_INIT(1 << 10);
    if (buf_addf(&detail, "it is in %s now", anywhere ? target_format(&where, text) : "no campaign or list") != 0 ||
        arena_str(&s->batch->arena, buf_str(&detail), &entry->detail) != 0)
        entry->detail = STR_NONE;
    buf_free(&detail);
    batch_entry_done(s->batch, i, OUTCOME_SKIPPED,
                    remote->has_campaign ? REASON_IN_CAMPAIGN : remote->has_list ? REASON_IN_LIST : REASON_IN_WORKSPACE,
                    s->http_status);
}

static void remove_seen(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    struct entry *entry = &b->record.entries[i];
    if (!target_holds(&b->from, remote)) {
        remove_found_elsewhere(s, i, remote);
        return;
    }
    entry->reason = eligibility_status_reason(remote->status);
    /* The status belongs to the person at this address; `values: hashed` has none to name. */
    if (entry->reason != REASON_NONE && arena_str(&b->arena, remote->email, &entry->email) != 0)
        upload_fail_oom(b->u);
}

/* The leads of the slice are still there. */
static void remove_still_there(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    if (s->life == LIFE_CHECKING) {
        remove_delete_all(s);
    } else if (b->u->stopping) {
        remove_give_up(s, b->u->c.stop_reason);
    } else if (s->attempt < ATTEMPTS_MAX) {
        /* Lists lag behind what was done (observed), and what a run sent before it died may be carried out late. */
        slice_wait_attempt(s, false, remove_start);
    } else if (b->earlier) {
        /* It was lost on its way. Whether it is still wanted is decided anew. */
        slice_done(s, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
    } else if (s->round >= ROUNDS_MAX) {
        slice_done(s, OUTCOME_FAILED, s->counted ? REASON_NOT_STORED : REASON_API_ERROR, s->http_status);
    } else {
        remove_delete_all(s);
    }
}

/* After the last way to look: what is not shown is gone. */
static void remove_search_done(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    size_t left = 0;
    for (size_t k = 0; k < s->n; k++) {
        uint32_t i = s->index[k];
        if (b->record.entries[i].outcome != OUTCOME_NONE)
            continue;
        if (b->progress[i].shown)
            s->index[left++] = i;
        else
            remove_removed(s, i);
    }
    s->n = left;
    if (left == 0)
        slice_free(s);
    else
        remove_still_there(s);
}

static const struct lead_read_calls remove_searching = {remove_seen, remove_search_done, remove_look_failed};

/* Takes the leads that the look did not show into a slice of their own, so that the others need not wait for them. */
static struct batch_slice *remove_take_unshown(struct batch_slice *s, struct err *e)
{
    struct batch_run *b = s->batch;
    struct batch_slice *unshown = slice_new(b, s->n, e);
    size_t left = 0;
    if (unshown == NULL)
        return NULL;
    unshown->round = s->round;
    slice_read(unshown);
    unshown->attempt = s->attempt;
    unshown->http_status = s->http_status;
    unshown->counted = s->counted;
    unshown->unlisted = s->unlisted || s->life == LIFE_CHECKING;
    for (size_t k = 0; k < s->n; k++) {
        uint32_t i = s->index[k];
        if (b->record.entries[i].outcome != OUTCOME_NONE)
            continue;
        if (b->progress[i].shown)
            s->index[left++] = i;
        else
            unshown->index[unshown->n++] = i;
    }
    s->n = left;
    return unshown;
}

/* After a DELETE the lead was just seen under its id, so that only this id is asked for. Before it, and of an earlier run,
 * the lead may have another one by now. */
static void remove_search(struct batch_slice *s)
{
    if (s->n == 0)
        slice_free(s);
    else if (s->batch->earlier || s->life == LIFE_CHECKING)
        lead_read_everywhere(s, &remove_searching);
    else
        lead_read_each(s, &remove_searching);
}

static void remove_read_done(struct batch_slice *s)
{
    struct err e = ERR_INIT;
    s->attempt++;
    /* A list that did not show these leads before the DELETE says nothing by not showing them after it. */
    if (s->counted && !s->unlisted) {
        remove_search_done(s);
        return;
    }
    struct batch_slice *unshown = remove_take_unshown(s, &e);
    if (unshown == NULL) {
        upload_fail(s->batch->u, &e);
        remove_give_up(s, REASON_INTERRUPTED);
        err_clear(&e);
        return;
    }
    remove_search(unshown);
    if (s->n == 0)
        slice_free(s);
    else
        remove_still_there(s);
}

static const struct lead_read_calls remove_reading = {remove_seen, remove_read_done, remove_look_failed};

static void remove_start(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    if (b->u->stopping && !b->earlier) {
        remove_give_up(s, b->u->c.stop_reason);
        return;
    }
    if (b->first_sent_ms == 0)
        b->first_sent_ms = b->u->c.clock->wall_ms(b->u->c.clock);
    lead_read_by_id(s, &remove_reading);
}

static int remove_close(struct batch_run *b, struct err *e)
{
    const struct leads_delete del = {b->from, batch_lead_ids(b), b->record.entries_n};
    return del.ids == NULL ? err_oom(e) : api_leads_delete_digest(&del, b->record.body_sha256, e);
}

const struct operation remove_operation = {
    .name = "remove",
    .entries_max = LEADS_DELETE_MAX,
    .close = remove_close,
    .start = remove_start,
    .resume = remove_start,
    .give_up = slice_leave_open,
};
