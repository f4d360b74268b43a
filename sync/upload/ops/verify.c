/* A stage: waiting for the verification of the leads in the stage's list, before the move out of it.
 *
 * Instantly verifies what comes in by leads/add and names no job for it (documented). It only shows each lead's verdict, and
 * how many leads of the list are still pending. So a poll is one request for the list's numbers, and the leads are read only
 * when the numbers have changed, or when no verdict may be under way. A lead that is not verified when `limits.job_wait` is
 * over stays in the list, and the next run takes it up; all batches of a run share that time. Every verification costs
 * credits, so no lead is verified a second time. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <stdlib.h>

#include "sync/base/log.h"
#include "sync/upload/proof/proof.h"

enum { WAIT_MIN_MS = 1000, WAIT_MAX_MS = 30000 };

static void verify_ask_for_numbers(struct batch_slice *s);

/* ---- waiting ---- */

/* Each wait is twice as long as the one before, because the verdicts of a large list come late. The end of limits.job_wait
 * cuts the last wait short. */
static void verify_wait_on(struct batch_slice *s)
{
    struct upload *u = s->batch->u;
    int64_t now_us = u->c.clock->mono_us(u->c.clock), wait_ms = WAIT_MIN_MS;
    if (upload_ended(u)) {
        move_give_up(s, u->c.stop_reason);
        return;
    }
    if (now_us >= u->verify_until_us) {
        for (size_t k = 0; k < s->n; k++)
            batch_entry_done(s->batch, s->index[k], OUTCOME_DEFERRED, REASON_VERIFICATION_OPEN, 0);
        slice_free(s);
        return;
    }
    for (unsigned i = 0; i < s->attempt && wait_ms < WAIT_MAX_MS; i++)
        wait_ms *= 2;
    s->attempt++;
    wait_ms = (wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS) * u->c.mapping->limits.settle_ms / SETTLE_UNIT_MS;
    int64_t left_us = u->verify_until_us - now_us;
    slice_wait(s, wait_ms * 1000 < left_us ? wait_ms * 1000 : left_us, verify_ask_for_numbers);
}

/* ---- the leads ---- */

struct verify_read {
    struct batch_slice *slice;
    size_t first, n; /* of the slice's index */
};

static bool verify_has_verdict(const struct remote_lead *remote)
{
    return remote->verdict != VERDICT_NONE && remote->verdict != VERDICT_PENDING;
}

static void verify_refuse(struct batch_run *b, uint32_t i, enum lead_verdict verdict)
{
    move_detail(b, i, "verification: %s", lead_verdict_text(verdict));
    batch_entry_done(b, i, OUTCOME_REJECTED, REASON_INVALID_THERE, 0);
}

/* Still pending, or not yet begun: it keeps waiting. */
static void verify_take_lead(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    struct entry_progress *progress = &b->progress[i];
    progress->there = true;
    progress->pending = remote->verdict == VERDICT_PENDING;
    progress->verified = verify_has_verdict(remote);
    if (progress->verified && remote->verdict != VERDICT_VALID && b->u->c.mapping->stage.only_valid)
        verify_refuse(b, i, remote->verdict);
}

static void verify_take_leads(const struct verify_read *r, const struct api_reply *reply)
{
    struct batch_slice *s = r->slice;
    struct remote_lead remote;
    for (size_t at = 0; api_reply_lead(reply, &at, &remote);)
        for (size_t k = r->first; k < r->first + r->n; k++)
            if (uuid_eq(&s->batch->record.entries[s->index[k]].lead_id, &remote.id)) {
                verify_take_lead(s, s->index[k], &remote);
                break;
            }
}

/* A lead of an earlier run whose verdict will not come: another user has taken it out of the list, or it was in the list
 * before and its verification was never requested. */
static bool verify_is_vain(const struct batch_slice *s, const struct entry_progress *progress)
{
    bool read_often = !progress->created && s->attempt >= ATTEMPTS_MAX;
    return read_often && (!progress->there || (!progress->pending && s->pending_n == 0));
}

/* A lead that is not in the list is left to move_check(), which finds out where it is. */
static void verify_give_up_waiting(struct batch_run *b, uint32_t i)
{
    if (!b->progress[i].there)
        return;
    b->progress[i].verified = !b->u->c.mapping->stage.only_valid;
    if (b->progress[i].verified)
        return;
    move_detail(b, i, "it was never verified");
    batch_entry_done(b, i, OUTCOME_DEFERRED, REASON_VERIFICATION_OPEN, 0);
}

static void verify_all_read(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    size_t n = 0;
    for (size_t k = 0; k < s->n; k++) {
        uint32_t i = s->index[k];
        if (b->record.entries[i].outcome != OUTCOME_NONE || b->progress[i].verified)
            continue;
        if (verify_is_vain(s, &b->progress[i]))
            verify_give_up_waiting(b, i);
        else
            s->index[n++] = i;
    }
    s->n = n;
    if (n == 0)
        slice_free(s);
    else
        verify_wait_on(s);
}

/* A read that failed brings no news; the next one may. */
static void verify_leads_answered(void *ctx, const struct api_reply *reply)
{
    struct verify_read *r = ctx;
    struct batch_slice *s = r->slice;
    if (reply->class == API_OK)
        verify_take_leads(r, reply);
    else if (reply->class == API_FATAL)
        upload_fail(s->batch->u, reply->err);
    free(r);
    if (--s->reads_n == 0)
        verify_all_read(s);
}

static int verify_read_slice(struct batch_slice *s, size_t first, size_t n, struct err *e)
{
    struct uuid ids[LEADS_LIST_MAX];
    for (size_t k = 0; k < n; k++)
        ids[k] = s->batch->record.entries[s->index[first + k]].lead_id;
    struct verify_read *r = malloc(sizeof *r);
    if (r == NULL)
        return err_oom(e);
    *r = (struct verify_read){s, first, n};
    const struct leads_list list = {.ids = ids, .ids_n = n};
    if (api_leads_list(s->batch->u->c.api, &list, verify_leads_answered, r, e) != 0) {
        free(r);
        return -1;
    }
    s->reads_n++;
    return 0;
}

static void verify_read_leads(struct batch_slice *s)
{
    struct err e = ERR_INIT;
    int rc = 0;
    slice_read(s);
    s->reads_n = 1; /* until all are asked */
    for (size_t k = 0; k < s->n; k++)
        s->batch->progress[s->index[k]].there = false;
    for (size_t first = 0; rc == 0 && first < s->n; first += LEADS_LIST_MAX)
        rc = verify_read_slice(s, first, s->n - first < LEADS_LIST_MAX ? s->n - first : LEADS_LIST_MAX, &e);
    if (rc != 0)
        upload_fail(s->batch->u, &e);
    err_clear(&e);
    if (--s->reads_n == 0)
        verify_all_read(s);
}

/* ---- the list's numbers ---- */

/* The leads are read if the number has changed, is zero, or is missing: an answer without a number must not end the wait.
 * After the deadline they are read again, for the last time. */
static void verify_numbers_answered(void *ctx, const struct api_reply *reply)
{
    struct batch_slice *s = ctx;
    struct upload *u = s->batch->u;
    int64_t pending = api_list_pending_read(reply);
    bool news = pending <= 0 || pending != s->pending_n;
    s->pending_n = pending;
    if (reply->class == API_FATAL)
        upload_fail(u, reply->err);
    if (upload_ended(u) || (!news && u->c.clock->mono_us(u->c.clock) < u->verify_until_us))
        verify_wait_on(s);
    else
        verify_read_leads(s);
}

static void verify_ask_for_numbers(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    struct err e = ERR_INIT;
    char id[UUID_TEXT_N];
    struct buf path = BUF_INIT(256);
    const char *text = NULL;
    if (buf_addf(&path, "/api/v2/lead-lists/%s/verification-stats", uuid_format(&b->from.id, id)) == 0)
        text = buf_cstr(&path);
    slice_read(s);
    const struct api_call call = {.method = "GET", .path = text, .optional = true, .kind = API_KIND_OTHER};
    if (text == NULL || api_call(b->u->c.api, &call, verify_numbers_answered, s, &e) != 0) {
        if (text == NULL)
            err_oom(&e);
        upload_fail(b->u, &e);
        verify_wait_on(s);
    }
    err_clear(&e);
    buf_free(&path);
}

/* ---- the beginning ---- */

/* A lead that leaves the list because its row is missing from the source needs no verdict. */
static bool verify_goes_where_verified_belong(const struct batch_run *b)
{
    const struct stage *stage = &b->u->c.mapping->stage;
    return stage->on && stage->verify && !b->earlier && b->record.target == b->u->c.promote;
}

bool verify_wanted(const struct batch_run *b)
{
    return verify_goes_where_verified_belong(b) && b->record.source == b->u->c.stage_list;
}

bool verify_keeps_back(struct batch_run *b, uint32_t i, const struct remote_lead *remote)
{
    if (!verify_goes_where_verified_belong(b) || b->progress[i].verified)
        return false;
    bool known = verify_has_verdict(remote);
    if (known && remote->verdict != VERDICT_VALID && b->u->c.mapping->stage.only_valid)
        verify_refuse(b, i, remote->verdict);
    else if (!known && (remote->verdict == VERDICT_PENDING || b->record.source == b->u->c.stage_list))
        batch_entry_done(b, i, OUTCOME_DEFERRED, REASON_VERIFICATION_OPEN, 0);
    return b->record.entries[i].outcome != OUTCOME_NONE;
}

/* All batches of a run share one deadline, because their leads are in the same list and are verified side by side. */
void verify_start(struct batch_slice *s)
{
    struct upload *u = s->batch->u;
    if (u->verify_until_us == 0) {
        u->verify_until_us = u->c.clock->mono_us(u->c.clock) + u->c.mapping->limits.job_wait_ms * 1000;
        log_detail("waiting for the verification of what is in the stage's list");
    }
    s->pending_n = -1;
    verify_ask_for_numbers(s);
}
