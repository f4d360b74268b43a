/* leads/add: sending, and what each answer means for the leads of the request.
 *
 * The API answers counters and the ids of what it created; no answer says per lead why it was not created. create_answer.c
 * says what an answer proves, create_refused.c what a refusal means. All other leads are read back (create_proof.c). A lead
 * with an address that is still unclear is sent again, in halves if only its reason is unclear: the API counts a repeated
 * address as a duplicate and changes nothing (observed). A lead without an address is never sent again in the same run once
 * a request may have created it. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/upload/proof/proof.h"

enum { LEAD_MAX = 1 << 24 };

static void create_answered(void *ctx, const struct api_reply *reply);

struct leads_add upload_create_request(const struct mapping *m, const struct target *target)
{
    static const enum leads_add_skip skip[] = {
        [DEDUPE_WORKSPACE] = SKIP_IN_WORKSPACE,
        [DEDUPE_ANY_CAMPAIGN] = SKIP_IN_CAMPAIGN,
        [DEDUPE_ANY_LIST] = SKIP_IN_LIST,
        [DEDUPE_TARGET_ONLY] = SKIP_NOTHING,
    };
    /* With a stage every create goes into its list. */
    return (struct leads_add){.target = *target,
                              .blocklist_id = m->blocklist,
                              .skip = skip[m->dedupe],
                              .verify_on_import = m->stage.on && m->stage.verify};
}

/* ---- the first body, written as the rows come ---- */

/* A target that a job holds answers 409 for as long as this run waits, and a full plan refuses every create into this kind
 * of target. Rows that come now are deferred without a request. */
static enum reason create_refuses(const struct batch_run *b)
{
    if (upload_target_is_locked(b->u, b->record.target))
        return REASON_JOB_OPEN;
    return b->u->plan_full[b->target.kind] ? REASON_PLAN_FULL : REASON_NONE;
}

/* Bodies of a run are about as large as the one before, so the space for it and a little more is reserved at once. */
static int create_open(struct batch_run *b, struct err *e)
{
    struct leads_add add = upload_create_request(b->u->c.mapping, &b->target);
    size_t expected = b->u->body_n + b->u->body_n / 16;
    if (buf_reserve(&b->body, expected < b->body.max ? expected : b->body.max) != 0 ||
        api_leads_add_open(&add, &b->body) != 0)
        return err_oom(e);
    return 0;
}

/* The body is written as the rows come, so that a batch is full when its request is, whatever the number of rows. */
static int create_add(struct batch_run *b, const struct planned *planned, struct err *e)
{
    struct arena arena;
    struct lead unpacked;
    arena_init(&arena, LEAD_MAX);
    if (planned->lead == NULL) {
        uint32_t i = (uint32_t)b->record.entries_n;
        /* The entry is not in the batch yet: unpack from where it is. */
        b->record.entries[i].values = planned->entry.values;
        b->record.entries[i].row = planned->entry.row;
        if (batch_entry_lead(b, i, &arena, &unpacked) != 0) {
            arena_free(&arena);
            return b->u->fatal.status == XS_DONE ? err_oom(e) : err_copy(e, &b->u->fatal);
        }
    }
    int fits = api_leads_add_lead(planned->lead != NULL ? planned->lead : &unpacked, &b->body);
    arena_free(&arena);
    return fits < 0 ? err_oom(e) : fits;
}

/* A dry run builds the same body, so that it rejects exactly the leads that a run would reject. */
int upload_create_fits(const struct mapping *m, const struct target *target, const struct lead *lead, struct err *e)
{
    struct leads_add add = upload_create_request(m, target);
    struct buf body = BUF_INIT(LEADS_ADD_MAX_BYTES);
    int fits = api_leads_add_open(&add, &body) != 0 ? -1 : api_leads_add_lead(lead, &body);
    buf_free(&body);
    return fits < 0 ? err_oom(e) : fits;
}

/* The digest is part of the intent: it identifies the bytes of the first request. */
static int create_close(struct batch_run *b, struct err *e)
{
    if (api_leads_add_close(&b->body) != 0)
        return err_oom(e);
    b->u->body_n = b->body.n;
    if (sha256_hex(b->body.p, b->body.n, b->record.body_sha256) != 0)
        return err_set(e, XS_INTERNAL, "leads/add: no SHA-256 of the request; please report this");
    return 0;
}

/* ---- sending ---- */

/* The work's own body the first time, afterwards one from the packed values. */
static int create_slice_body(struct batch_slice *s, struct buf *body)
{
    struct batch_run *b = s->batch;
    struct leads_add add = upload_create_request(b->u->c.mapping, &b->target);
    if (b->body.n > 0 && s->n == b->record.entries_n) {
        *body = b->body;
        buf_init(&b->body, b->body.max);
        return 0;
    }
    int rc = api_leads_add_open(&add, body);
    struct arena arena;
    arena_init(&arena, LEAD_MAX);
    for (size_t k = 0; rc == 0 && k < s->n; k++) {
        struct lead lead;
        arena_reset(&arena);
        rc = batch_entry_lead(b, s->index[k], &arena, &lead) == 0 && api_leads_add_lead(&lead, body) == 1 ? 0 : -1;
    }
    arena_free(&arena);
    return rc == 0 ? api_leads_add_close(body) : -1;
}

void create_send(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    struct err e = ERR_INIT;
    struct buf body = BUF_INIT(LEADS_ADD_MAX_BYTES);
    if (s->n == 0 || upload_ended(b->u)) {
        /* Nothing of these leads is under way: this is a first request, or the one before was surely not applied, or its
         * leads were looked for. */
        slice_done(s, OUTCOME_DEFERRED, b->u->c.stop_reason, 0);
        return;
    }
    if (create_slice_body(s, &body) != 0) {
        buf_free(&body);
        upload_fail_oom(b->u);
        slice_leave_open(s);
        return;
    }
    batch_advance(b, s, LIFE_SENT);
    /* A round is one request for these leads. The reads that follow it count from zero. */
    s->round++;
    s->attempt = 0;
    if (b->first_sent_ms == 0)
        b->first_sent_ms = b->u->c.clock->wall_ms(b->u->c.clock);
    if (api_leads_add(b->u->c.api, &body, s->n, create_answered, s, &e) != 0) {
        slice_fail(s, &e);
    } else {
        b->u->refused[ENDPOINT_ADD].under_way++;
    }
    err_clear(&e);
}

/* The slice belongs to the epoch in which it was sent. If the refusals are explained meanwhile, its answer is judged alone. */
void create_send_slice(struct batch_slice *s, size_t first, size_t n, enum create_trial trial)
{
    struct err e = ERR_INIT;
    struct batch_slice *slice = slice_of_open(s, first, n, &e);
    if (slice == NULL) {
        upload_fail(s->batch->u, &e);
        batch_leave_open(s->batch);
    } else {
        slice->trial = trial;
        slice->trial_epoch = s->batch->u->refused[ENDPOINT_ADD].epoch;
        create_send(slice);
    }
    err_clear(&e);
}

void create_send_halves(struct batch_slice *s, enum create_trial trial)
{
    size_t half = s->n / 2;
    if (half > 0)
        create_send_slice(s, 0, half, trial);
    create_send_slice(s, half, s->n - half, trial);
    slice_free(s);
}

/* ---- the answer ---- */

/* The API skips a lead that is anywhere in the scope of `dedupe`, so the scope is the reason. */
enum reason create_elsewhere_reason(const struct batch_run *b)
{
    switch (b->u->c.mapping->dedupe) {
    case DEDUPE_ANY_CAMPAIGN: return REASON_IN_CAMPAIGN;
    case DEDUPE_ANY_LIST: return REASON_IN_LIST;
    default: return REASON_IN_WORKSPACE;
    }
}

/* Surely not applied. Fills the room that the plan has; the other leads wait for another run. */
static void create_plan_is_full(struct batch_slice *s, const struct api_reply *reply)
{
    struct upload *u = s->batch->u;
    size_t room = reply->room > 0 ? (size_t)reply->room : 0;
    if (room == 0 || room >= s->n) {
        /* A room that would have held the request, yet did not, is not believed twice. */
        u->plan_full[s->batch->target.kind] = true;
        slice_done(s, OUTCOME_DEFERRED, REASON_PLAN_FULL, reply->http_status);
        return;
    }
    for (size_t k = room; k < s->n; k++)
        batch_entry_done(s->batch, s->index[k], OUTCOME_DEFERRED, REASON_PLAN_FULL, reply->http_status);
    u->plan_full[s->batch->target.kind] = true;
    create_send_slice(s, 0, room, TRIAL_OVER);
    slice_free(s);
}

/* What the answer does not prove */
static void create_read_back_rest(struct batch_slice *s, const struct leads_added *a, size_t proved_n, struct err *e)
{
    struct batch_slice *rest = slice_of_open(s, 0, s->n, e);
    if (rest == NULL) {
        slice_fail(s, e);
        return;
    }
    rest->asked_n = s->n;
    rest->http_status = s->http_status;
    create_answer_explain(rest, a, proved_n);
    slice_free(s);
    create_proof_start(rest);
}

/* Proved leads end here. The others are read back, because no answer says per lead why it was not created. */
static void create_added(struct batch_slice *s, const struct api_reply *reply)
{
    struct batch_run *b = s->batch;
    struct leads_added a;
    struct err e = ERR_INIT;
    struct arena arena;
    bool *proved;
    size_t proved_n;
    arena_init(&arena, 16 << 20);
    if (api_leads_added_read(reply, s->n, &arena, &a, &e) != 0) {
        /* It may have been applied, but what it says cannot be used. */
        log_warning("an answer to leads/add is unusable (%s): reading back", err_text(&e));
        create_proof_start(s);
        goto done;
    }
    int64_t sent_ms = reply->sent_wall_ms != 0 ? reply->sent_wall_ms : b->first_sent_ms;
    if (create_answer_prove(s, &a, sent_ms, &arena, &proved, &proved_n, &e) != 0) {
        slice_fail(s, &e);
        goto done;
    }
    for (size_t c = 0; c < a.created_n; c++) {
        struct entry *entry = &b->record.entries[s->index[a.created[c].index]];
        if (!proved[c])
            continue;
        entry->has_lead_id = true;
        entry->lead_id = a.created[c].id;
        batch_entry_done(b, s->index[a.created[c].index], OUTCOME_CREATED, REASON_NONE, reply->http_status);
    }
    if (a.remaining_in_plan == 0 && b->target.kind == TARGET_CAMPAIGN)
        log_notice("the plan has no room for more leads in campaigns");
    if (proved_n == s->n)
        slice_free(s);
    else
        create_read_back_rest(s, &a, proved_n, &e);
done:
    err_clear(&e);
    arena_free(&arena);
}

/* One response per request. Every class either ends the slice or hands it to the proof; none sends the same leads again
 * blindly. */
static void create_answered(void *ctx, const struct api_reply *reply)
{
    struct batch_slice *s = ctx;
    struct batch_run *b = s->batch;
    struct upload *u = b->u;
    if (reply->skew_ms != 0)
        b->skew_ms = u->skew_ms = reply->skew_ms;
    if (reply->sent_wall_ms != 0 && (b->first_sent_ms == 0 || s->round == 1))
        b->first_sent_ms = reply->sent_wall_ms;
    s->http_status = reply->http_status;
    u->refused[ENDPOINT_ADD].under_way--;
    if (reply->class == API_OK)
        refused_alike_accepted(u, ENDPOINT_ADD);
    switch (reply->class) {
    case API_OK: create_added(s, reply); break;
    case API_REFUSED: create_refused(s, reply); break;
    case API_PLAN_FULL: create_plan_is_full(s, reply); break;
    case API_UNKNOWN:
        log_detail("the outcome of a request with %zu lead%s is unknown (%.*s): reading back", s->n, text_plural(s->n),
                   STR_ARG(reply->message));
        create_proof_start(s);
        break;
    case API_FAILED:
    case API_FATAL:
        upload_fail(u, reply->err);
        slice_done(s, OUTCOME_DEFERRED, REASON_INTERRUPTED, reply->http_status);
        break;
    case API_CANCELLED: slice_done(s, OUTCOME_DEFERRED, u->c.stop_reason, 0); break;
    }
}

const struct operation create_operation = {
    .name = "create",
    .open = create_open,
    .refuses = create_refuses,
    .add = create_add,
    .close = create_close,
    .start = rekey_check,
    .resume = create_proof_start,
    .next = update_next,
    .patch_lost = create_proof_start,
    .give_up = slice_leave_open,
};
