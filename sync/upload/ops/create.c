/* leads/add: sending, and what each answer means for the leads of the request.
 *
 * The API answers counters and the ids of what it created; no answer says per lead why it was not created. create_proof.c
 * says what an answer proves, create_refused.c what a refusal means. All other leads are read back. A lead with an address that is still unclear is sent again,
 * in halves where only its reason is unclear: the API counts a repeated address as a duplicate and changes nothing
 * (observed). A lead without an address is never sent again in the same run once a request may have created it. */
#include "config.h"

#include "sync/upload/work.h"

#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/text.h"

static void answered(void *ctx, const struct api_reply *reply);

/* A request into a target, still without leads. */
static struct leads_add request(const struct mapping *m, const struct target *target)
{
    static const enum leads_add_skip skip[] = {
        [DEDUPE_WORKSPACE] = SKIP_IN_WORKSPACE,
        [DEDUPE_ANY_CAMPAIGN] = SKIP_IN_CAMPAIGN,
        [DEDUPE_ANY_LIST] = SKIP_IN_LIST,
        [DEDUPE_TARGET_ONLY] = SKIP_NOTHING,
    };
    /* With a stage every create goes into its list. */
    return (struct leads_add){.target = *target, .blocklist_id = m->blocklist, .skip = skip[m->dedupe],
                              .verify_on_import = m->stage.on && m->stage.verify};
}

/* ---- the first body, written as the rows come ---- */

int create_open(struct work *w, struct err *e)
{
    struct leads_add add = request(w->u->c.mapping, &w->target);
    size_t expected = w->u->body_n + w->u->body_n / 16;
    if (buf_reserve(&w->body, expected < w->body.max ? expected : w->body.max) != 0 ||
        api_leads_add_open(&add, &w->body) != 0)
        return err_oom(e);
    return 0;
}

int create_add(struct work *w, const struct planned *p, struct err *e)
{
    const struct lead *lead = p->lead;
    struct lead unpacked;
    if (lead == NULL) {
        uint32_t i = (uint32_t)w->batch.entries_n;
        arena_reset(&w->u->scratch);
        /* The entry is not in the work yet: unpack from where it is. */
        w->batch.entries[i].values = p->entry.values;
        w->batch.entries[i].row = p->entry.row;
        if (work_lead(w, i, &w->u->scratch, &unpacked) != 0)
            return w->u->fatal.status == XS_DONE ? err_oom(e)
                                                 : err_copy(e, &w->u->fatal);
        lead = &unpacked;
    }
    int fits = api_leads_add_lead(lead, &w->body);
    return fits < 0 ? err_oom(e) : fits;
}

int create_fits(const struct mapping *m, const struct target *target, const struct lead *lead, struct err *e)
{
    struct leads_add add = request(m, target);
    struct buf body = BUF_INIT(LEADS_ADD_MAX_BYTES);
    int fits = api_leads_add_open(&add, &body) != 0 ? -1 : api_leads_add_lead(lead, &body);
    buf_free(&body);
    return fits < 0 ? err_oom(e) : fits;
}

int create_close(struct work *w, struct err *e)
{
    if (api_leads_add_close(&w->body) != 0)
        return err_oom(e);
    w->u->body_n = w->body.n;
    if (sha256_hex(w->body.p, w->body.n, w->batch.body_sha256) != 0)
        return err_set(e, XS_INTERNAL, "leads/add: no SHA-256 of the request; please report this");
    return 0;
}

/* The work's own body the first time, afterwards one from the packed values. */
static int part_body(struct part *p, struct buf *body)
{
    struct work *w = p->work;
    struct leads_add add = request(w->u->c.mapping, &w->target);
    if (w->body.n > 0 && p->n == w->batch.entries_n) {
        *body = w->body;
        buf_init(&w->body, w->body.max);
        return 0;
    }
    int rc = api_leads_add_open(&add, body);
    for (size_t k = 0; rc == 0 && k < p->n; k++) {
        struct lead lead;
        arena_reset(&w->u->scratch);
        rc = work_lead(w, p->index[k], &w->u->scratch, &lead) == 0 && api_leads_add_lead(&lead, body) == 1 ? 0 : -1;
    }
    return rc == 0 ? api_leads_add_close(body) : -1;
}

void create_part_done(struct part *p, enum outcome outcome, enum reason reason, int http_status)
{
    for (size_t k = 0; k < p->n; k++)
        work_entry_done(p->work, p->index[k], outcome, reason, http_status);
    part_free(p);
}

void create_send(struct part *p)
{
    struct work *w = p->work;
    struct err e = ERR_INIT;
    struct buf body = BUF_INIT(LEADS_ADD_MAX_BYTES);
    if (p->n == 0 || upload_ended(w->u)) {
        /* Nothing of these leads is under way: a first request, or one that was surely not applied, or looked for. */
        create_part_done(p, OUTCOME_DEFERRED, w->u->c.stop_reason, 0);
        return;
    }
    if (part_body(p, &body) != 0) {
        buf_free(&body);
        upload_fail_oom(w->u);
        work_leave_open(w);
        part_free(p);
        return;
    }
    p->round++;
    p->look = 0;
    if (w->first_sent_ms == 0)
        w->first_sent_ms = w->u->c.clock->wall_ms(w->u->c.clock);
    if (api_leads_add(w->u->c.api, &body, p->n, answered, p, &e) != 0) {
        upload_fail(w->u, &e);
        work_leave_open(w);
        part_free(p);
    } else {
        w->u->refused[ENDPOINT_ADD].under_way++;
    }
    err_clear(&e);
}

/* Surely not applied. What room there is gets filled, the rest waits for another run. */
static void plan_is_full(struct part *p, const struct api_reply *reply)
{
    struct upload *u = p->work->u;
    size_t room = reply->room > 0 ? (size_t)reply->room : 0;
    if (room == 0 || room >= p->n) {
        /* A room that would have held the request, yet did not, is not believed twice. */
        u->plan_full[p->work->target.kind] = true;
        create_part_done(p, OUTCOME_DEFERRED, REASON_PLAN_FULL, reply->http_status);
        return;
    }
    for (size_t k = room; k < p->n; k++)
        work_entry_done(p->work, p->index[k], OUTCOME_DEFERRED, REASON_PLAN_FULL, reply->http_status);
    u->plan_full[p->work->target.kind] = true;
    create_send_slice(p, 0, room, TRIAL_OVER);
    part_free(p);
}

/* What the answer does not prove; owns the part. */
static void read_back_rest(struct part *p, const struct leads_added *a, size_t proved_n, struct err *e)
{
    struct part *rest = part_open(p, 0, p->n, e);
    if (rest == NULL) {
        upload_fail(p->work->u, e);
        work_leave_open(p->work);
        part_free(p);
        return;
    }
    rest->asked_n = p->n;
    rest->http_status = p->http_status;
    create_explain(rest, a, proved_n);
    part_free(p);
    readback_start(rest);
}

static void added(struct part *p, const struct api_reply *reply)
{
    struct work *w = p->work;
    struct leads_added a;
    struct err e = ERR_INIT;
    struct arena arena;
    bool *proved;
    size_t proved_n;
    arena_init(&arena, 16 << 20);
    if (api_leads_added_read(reply, p->n, &arena, &a, &e) != 0) {
        /* It may have been applied, but what it says cannot be used. */
        log_warning("an answer to leads/add cannot be used (%s): reading back", err_text(&e));
        readback_start(p);
        goto done;
    }
    int64_t sent_ms = reply->sent_wall_ms != 0 ? reply->sent_wall_ms : w->first_sent_ms;
    if (create_prove(p, &a, sent_ms, &arena, &proved, &proved_n, &e) != 0) {
        upload_fail(w->u, &e);
        work_leave_open(w);
        part_free(p);
        goto done;
    }
    for (size_t c = 0; c < a.created_n; c++) {
        struct entry *entry = &w->batch.entries[p->index[a.created[c].index]];
        if (!proved[c])
            continue;
        entry->has_lead_id = true;
        entry->lead_id = a.created[c].id;
        work_entry_done(w, p->index[a.created[c].index], OUTCOME_CREATED, REASON_NONE, reply->http_status);
    }
    if (a.remaining_in_plan == 0 && w->target.kind == TARGET_CAMPAIGN)
        log_notice("the plan has no room for more leads in campaigns");
    if (proved_n == p->n)
        part_free(p);
    else
        read_back_rest(p, &a, proved_n, &e);
done:
    err_clear(&e);
    arena_free(&arena);
}

static void answered(void *ctx, const struct api_reply *reply)
{
    struct part *p = ctx;
    struct work *w = p->work;
    struct upload *u = w->u;
    if (reply->skew_ms != 0)
        w->skew_ms = u->skew_ms = reply->skew_ms;
    if (reply->sent_wall_ms != 0 && (w->first_sent_ms == 0 || p->round == 1))
        w->first_sent_ms = reply->sent_wall_ms;
    p->http_status = reply->http_status;
    u->refused[ENDPOINT_ADD].under_way--;
    if (reply->class == API_OK)
        refused_alike_accepted(u, ENDPOINT_ADD);
    switch (reply->class) {
    case API_OK: added(p, reply); break;
    case API_REFUSED: create_refused(p, reply); break;
    case API_PLAN_FULL: plan_is_full(p, reply); break;
    case API_UNKNOWN:
        log_detail("the outcome of a request with %zu lead%s is unknown (%.*s): reading back", p->n, text_plural(p->n),
                   STR_ARG(reply->message));
        readback_start(p);
        break;
    case API_FAILED:
    case API_FATAL:
        upload_fail(u, reply->err);
        create_part_done(p, OUTCOME_DEFERRED, REASON_INTERRUPTED, reply->http_status);
        break;
    case API_CANCELLED: create_part_done(p, OUTCOME_DEFERRED, u->c.stop_reason, 0); break;
    }
}
