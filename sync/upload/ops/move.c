/* POST /leads/move: by ids out of one target into another, as a background job.
 *
 *   look ─▶ PATCH ─▶ POST ─▶ job ─▶ look ─▶ settled
 *                     ▲  no answer ─▶ job of the list? ─▶ none: look ─┐
 *                     └──────────── still where they were ◀───────────┘
 *
 * What a job was asked is not what it has done: a success may have moved nothing (observed), a failed one half of them.
 * So only an address that the job names, or a lead that is found in its target, is moved. Two batches of a run never
 * share an end at the same time, because a running job holds both of its ends against every other one (409). */
#include "config.h"

#include "sync/upload/ops/move.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/text.h"

/* ---- entries ---- */

void move_detail(struct work *w, uint32_t i, const char *fmt, ...)
{
    struct buf text = BUF_INIT(1 << 12);
    va_list ap;
    va_start(ap, fmt);
    if (buf_vaddf(&text, fmt, ap) != 0 || arena_str(&w->arena, buf_str(&text), &w->batch.entries[i].detail) != 0)
        w->batch.entries[i].detail = STR_NONE;
    va_end(ap);
    buf_free(&text);
}

void move_proved(struct work *w, uint32_t i, int http_status)
{
    struct entry *entry = &w->batch.entries[i];
    struct aim *aim = &w->aims[i];
    enum outcome outcome = entry->row == 0 ? OUTCOME_REMOVED : OUTCOME_CHANGED;
    aim->moved = aim->asked || w->earlier;
    if (aim->created)
        outcome = OUTCOME_CREATED;
    /* It was there before we asked: somebody else moved it. */
    else if (entry->row != 0 && !aim->moved && !aim->patched)
        outcome = OUTCOME_UNCHANGED;
    entry->detail = STR_NONE;
    work_entry_done(w, i, outcome, outcome == OUTCOME_REMOVED ? aim->status : REASON_NONE, http_status);
}

static bool was_asked(const struct work *w)
{
    bool asked = w->earlier;
    for (size_t i = 0; i < w->batch.entries_n && !asked; i++)
        asked = w->aims[i].asked;
    return asked;
}

static void all_done(struct part *p, enum outcome outcome, enum reason reason, int http_status)
{
    for (size_t k = 0; k < p->n; k++)
        work_entry_done(p->work, p->index[k], outcome, reason, http_status);
}

void move_give_up(struct part *p, enum reason reason)
{
    struct work *w = p->work;
    if (was_asked(w))
        work_leave_open(w);
    else
        all_done(w->move->hold, OUTCOME_DEFERRED, reason, 0);
    part_free(p);
}

/* ---- ends ---- */

static bool share_an_end(const struct batch *a, const struct batch *b)
{
    return a->source == b->source || a->source == b->target || a->target == b->source || a->target == b->target;
}

static bool ends_are_busy(const struct work *w)
{
    for (const struct work *other = w->u->works; other != NULL; other = other->next)
        if (other != w && other->move != NULL && other->move->holds_ends && share_an_end(&w->batch, &other->batch))
            return true;
    return false;
}

static void leave_ends_stuck(struct work *w)
{
    upload_leave_stuck(w->u, w->batch.source);
    upload_leave_stuck(w->u, w->batch.target);
}

static void queue_up(struct part *hold)
{
    struct part **at = &hold->work->u->gated;
    while (*at != NULL)
        at = &(*at)->work->move->gate_next;
    hold->work->move->gate_next = NULL;
    *at = hold;
}

/* Looked at when its turn has come, not before: who unsubscribes meanwhile is not moved. */
static void begin(struct part *hold)
{
    struct work *w = hold->work;
    struct err e = ERR_INIT;
    if (upload_is_stuck(w->u, w->batch.source) || upload_is_stuck(w->u, w->batch.target)) {
        all_done(hold, OUTCOME_DEFERRED, REASON_JOB_OPEN, 0);
        part_free(hold);
        return;
    }
    if (ends_are_busy(w)) {
        queue_up(hold);
        return;
    }
    struct part *p = part_all(w, &e);
    if (p == NULL) {
        upload_fail(w->u, &e);
        all_done(hold, OUTCOME_DEFERRED, REASON_INTERRUPTED, 0);
        part_free(hold);
    } else {
        w->move->holds_ends = true;
        w->on_quiet = move_next;
        move_look_before(p);
    }
    err_clear(&e);
}

/* Those that wait get another chance, in their order; who still has to wait queues up again. */
static void open_gate(struct upload *u)
{
    struct part *hold = u->gated;
    u->gated = NULL;
    while (hold != NULL) {
        struct part *next = hold->work->move->gate_next;
        hold->work->move->gate_next = NULL;
        begin(hold);
        hold = next;
    }
}

void move_stop_gated(struct upload *u)
{
    while (u->gated != NULL) {
        struct part *hold = u->gated;
        u->gated = hold->work->move->gate_next;
        move_give_up(hold, u->c.stop_reason);
    }
}

static void end(struct work *w)
{
    struct upload *u = w->u;
    bool held = w->move->holds_ends;
    w->move->holds_ends = false;
    if (w->left_open)
        leave_ends_stuck(w);
    part_free(w->move->hold);
    if (held)
        open_gate(u);
}

/* ---- asking ---- */

static void answered(void *ctx, const struct api_reply *reply);

struct uuid *move_ids(const struct part *p)
{
    struct arena *scratch = &p->work->u->scratch;
    arena_reset(scratch);
    struct uuid *ids = arena_alloc(scratch, (p->n + 1) * sizeof *ids);
    for (size_t k = 0; ids != NULL && k < p->n; k++)
        ids[k] = p->work->batch.entries[p->index[k]].lead_id;
    return ids;
}

static void post(struct part *p)
{
    struct work *w = p->work;
    struct err e = ERR_INIT;
    work_learnt(w);
    if (upload_ended(w->u)) {
        all_done(p, OUTCOME_DEFERRED, w->u->c.stop_reason, 0);
        part_free(p);
        return;
    }
    const struct leads_move move = {w->from, w->target, move_ids(p), p->n};
    if (move.ids == NULL)
        err_oom(&e);
    if (move.ids == NULL || api_leads_move(w->u->c.api, &move, answered, p, &e) != 0) {
        upload_fail(w->u, &e);
        all_done(p, OUTCOME_DEFERRED, REASON_INTERRUPTED, 0);
        part_free(p);
    } else {
        w->u->refused[ENDPOINT_MOVE].under_way++;
    }
    err_clear(&e);
}

static void move_not_found(struct part *p)
{
    all_done(p, OUTCOME_DEFERRED, REASON_INTERRUPTED, 404);
    part_free(p);
}

static void refuse(struct part *p, const struct api_reply *reply)
{
    struct work *w = p->work;
    if (reply->http_status == 404) {
        missing_target_ask(p, "POST /leads/move", reply, move_not_found);
        return;
    }
    if (reply->http_status == 409) {
        /* Somebody else's job held an end for as long as this run waits for jobs, and that is waited for once. */
        all_done(p, OUTCOME_DEFERRED, REASON_JOB_OPEN, 409);
        leave_ends_stuck(w);
    } else if (p->n > 1) {
        /* Surely not applied, and how many ids a request may have is documented nowhere: move_next() asks with fewer. */
        w->move->request_max = p->n / 2;
    } else {
        refused_alike_lead(w, p->index[0], ENDPOINT_MOVE, reply, REFUSED_ALONE);
    }
    part_free(p);
}

static void accepted(struct part *p, const struct api_reply *reply)
{
    struct remote_job remote;
    struct err e = ERR_INIT;
    struct move *move = p->work->move;
    for (size_t k = 0; k < p->n; k++)
        p->work->aims[p->index[k]].asked = true;
    move->request_max = move->request_max < LEADS_MOVE_MAX / 2 ? 2 * move->request_max : LEADS_MOVE_MAX;
    if (reply->class == API_OK && api_remote_job_read(reply->json, &remote, &e) == 0) {
        job_watch(p, remote.id, &remote);
    } else {
        log_detail("the answer to a move of %zu lead%s says nothing (%.*s): looking for its job", p->n, text_plural(p->n),
                   STR_ARG(reply->message));
        job_find(p);
    }
    err_clear(&e);
}

static void answered(void *ctx, const struct api_reply *reply)
{
    struct part *p = ctx;
    struct work *w = p->work;
    struct upload *u = w->u;
    if (reply->skew_ms != 0)
        w->skew_ms = u->skew_ms = reply->skew_ms;
    u->refused[ENDPOINT_MOVE].under_way--;
    if (reply->class == API_OK)
        refused_alike_accepted(u, ENDPOINT_MOVE);
    switch (reply->class) {
    case API_OK:
    case API_UNKNOWN:
        accepted(p, reply);
        return;
    case API_REFUSED:
        refuse(p, reply);
        return;
    case API_PLAN_FULL:
        all_done(p, OUTCOME_DEFERRED, REASON_PLAN_FULL, reply->http_status);
        break;
    case API_FAILED:
    case API_FATAL:
        upload_fail(u, reply->err);
        all_done(p, OUTCOME_DEFERRED, REASON_INTERRUPTED, reply->http_status);
        break;
    case API_CANCELLED:
        all_done(p, OUTCOME_DEFERRED, u->c.stop_reason, 0);
        break;
    }
    part_free(p);
}

/* ---- what comes next ---- */

/* Entries that are where they should be, and those whose turn it is to be asked for. */
static struct part *next_part(struct work *w, struct err *e)
{
    struct part *p = part_new(w, w->move->request_max, e);
    if (p == NULL)
        return NULL;
    for (uint32_t i = 0; i < w->batch.entries_n; i++) {
        if (w->batch.entries[i].outcome != OUTCOME_NONE)
            continue;
        if (w->aims[i].place == PLACE_TO)
            move_proved(w, i, 0);
        else if (!w->aims[i].held && p->n < w->move->request_max)
            p->index[p->n++] = i;
    }
    return p;
}

void move_next(struct work *w)
{
    struct err e = ERR_INIT;
    job_settled(w);
    if (w->open_n > 0 && upload_ended(w->u) && was_asked(w))
        work_leave_open(w);
    else if (upload_ended(w->u))
        all_done(w->move->hold, OUTCOME_DEFERRED, w->u->c.stop_reason, 0);
    else if (w->earlier)
        all_done(w->move->hold, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
    else if (w->move->rounds >= ROUNDS_MAX)
        all_done(w->move->hold, OUTCOME_FAILED, REASON_API_ERROR, 0);
    if (w->left_open || w->open_n == 0) {
        end(w);
        return;
    }
    w->on_quiet = move_next;
    struct part *p = next_part(w, &e);
    if (p == NULL) {
        upload_fail(w->u, &e);
        work_leave_open(w);
        end(w);
    } else if (p->n == 0) {
        /* What is still open is held: refused_alike.c goes on. */
        if (w->open_n > 0)
            w->on_quiet = NULL;
        part_free(p);
    } else {
        post(p);
    }
    err_clear(&e);
}

/* The ends are not held meanwhile: verdicts take their time. */
static void after_verification(struct work *w)
{
    if (w->open_n == 0 || upload_ended(w->u))
        move_next(w);
    else
        begin(w->move->hold);
}

void move_start(struct part *hold)
{
    struct work *w = hold->work;
    w->move->hold = hold;
    if (w->first_sent_ms == 0)
        w->first_sent_ms = w->u->c.clock->wall_ms(w->u->c.clock);
    struct err e = ERR_INIT;
    struct part *p = verify_wanted(w) ? part_all(w, &e) : NULL;
    if (p != NULL) {
        w->on_quiet = after_verification;
        verify_start(p);
    } else {
        if (e.status != XS_DONE)
            upload_fail(w->u, &e);
        begin(hold);
    }
    err_clear(&e);
}

void move_no_job(struct part *p)
{
    p->work->move->rounds++;
    move_look_after(p, NULL);
}

/* ---- what the job proves ---- */

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The addresses that it names, unless it names more than it was asked for: moved, if no look shows the contrary. */
static void take_named(struct part *p, const struct remote_job *remote)
{
    struct work *w = p->work;
    struct arena *scratch = &w->u->scratch;
    struct err e = ERR_INIT;
    struct str *emails;
    size_t n, hashes_n = 0;
    arena_reset(scratch);
    if (api_remote_job_moved(remote, scratch, &emails, &n, &e) != 0 || n > p->n || remote->moved < (int64_t)n)
        n = 0;
    uint64_t *hashes = arena_alloc(scratch, (n + 1) * sizeof *hashes);
    for (size_t i = 0; hashes != NULL && i < n; i++)
        if ((hashes[hashes_n] = email_hash(w->u, emails[i])) != 0)
            hashes_n++;
    if (hashes_n > 0)
        qsort(hashes, hashes_n, sizeof *hashes, by_value);
    for (size_t k = 0; k < p->n && hashes_n > 0; k++) {
        uint64_t hash = w->aims[p->index[k]].email_hash;
        w->aims[p->index[k]].named = hash != 0 && bsearch(&hash, hashes, hashes_n, sizeof hash, by_value) != NULL;
    }
    err_clear(&e);
}

void move_job_over(struct part *p, struct job *job, const struct remote_job *remote)
{
    struct work *w = p->work;
    const char *status = remote != NULL ? job->told.status : "gone from the job list";
    if (remote != NULL && remote->status == JOB_SUCCESS && !w->earlier)
        take_named(p, remote);
    size_t rest = 0;
    for (size_t k = 0; k < p->n; k++) {
        move_detail(w, p->index[k], "background job %s: %s", job->told.id, status);
        rest += !w->aims[p->index[k]].named;
    }
    if (rest > 0 && !w->earlier)
        log_notice("background job %s is %s, and %zu of %zu lead%s %s not proved moved by it: reading back",
                   job->told.id, status, rest, p->n, text_plural(p->n), rest == 1 ? "is" : "are");
    p->unseen_job = remote == NULL;
    move_look_after(p, job);
}

/* ---- of earlier runs ---- */

void move_resume(struct part *hold)
{
    struct work *w = hold->work;
    struct err e = ERR_INIT;
    w->move->hold = hold;
    w->on_quiet = move_next;
    struct part *p = part_all(w, &e);
    if (p == NULL) {
        upload_fail(w->u, &e);
        move_give_up(hold, w->u->c.stop_reason);
    } else if (w->batch.job != NULL) {
        job_watch(p, str_from(w->batch.job), NULL);
    } else {
        job_find(p);
    }
    err_clear(&e);
}
