/* POST /leads/move: by ids out of one target into another, as a background job.
 *
 *   check ─▶ PATCH ─▶ POST ─▶ job ─▶ proof ─▶ settled
 *                      ▲  no answer ─▶ job of the list? ─▶ none: proof ─┐
 *                      └──────────── still in the source ◀──────────────┘
 *
 * What a job was asked is not what it has done: a success may have moved nothing (observed), a failed one half of them.
 * So only an address that the job names, or a lead that is found in its target, is moved. A running job locks its source and
 * its target against every other request (409), so batches of a run that share one of them go one after the other. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/upload/proof/jobs.h"
#include "sync/upload/proof/proof.h"

enum { IDS_MAX = 1 << 20, NAMED_MAX = 64 << 20 };

/* ---- entries ---- */

void move_detail(struct batch_run *b, uint32_t i, const char *fmt, ...)
{
    struct buf text = BUF_INIT(1 << 12);
    va_list ap;
    va_start(ap, fmt);
    if (buf_vaddf(&text, fmt, ap) != 0 || arena_str(&b->arena, buf_str(&text), &b->record.entries[i].detail) != 0)
        b->record.entries[i].detail = STR_NONE;
    va_end(ap);
    buf_free(&text);
}

void move_proved(struct batch_run *b, uint32_t i, int http_status)
{
    struct entry *entry = &b->record.entries[i];
    struct entry_progress *progress = &b->progress[i];
    enum outcome outcome = entry->row == 0 ? OUTCOME_REMOVED : OUTCOME_CHANGED;
    progress->moved = progress->asked || b->earlier;
    if (progress->created)
        outcome = OUTCOME_CREATED;
    /* It was in its target before we asked: another user moved it. */
    else if (entry->row != 0 && !progress->moved && !progress->patched)
        outcome = OUTCOME_UNCHANGED;
    /* A detail about the request is done with. */
    entry->detail = outcome == OUTCOME_REMOVED ? progress->why : STR_NONE;
    batch_entry_done(b, i, outcome, outcome == OUTCOME_REMOVED ? progress->status : REASON_NONE, http_status);
}

/* What an earlier run asked for is unknown, so that its batch counts as asked. */
static bool move_was_asked(const struct batch_run *b)
{
    bool asked = b->earlier;
    for (size_t i = 0; i < b->record.entries_n && !asked; i++)
        asked = b->progress[i].asked;
    return asked;
}

/* Something may have been carried out: the next run finds out what. */
static void move_leave_asked(struct batch_run *b)
{
    if (copy_wanted(b))
        copy_give_up(b);
    else
        batch_leave_open(b);
}

/* Leads that were never asked for are deferred and planned again. A request that may have been applied is left to the next
 * run. */
void move_give_up(struct batch_slice *s, enum reason reason)
{
    if (move_was_asked(s->batch))
        move_leave_asked(s->batch);
    else
        batch_all_done(s->batch, OUTCOME_DEFERRED, reason);
    slice_free(s);
}

void move_read_failed(struct batch_slice *s)
{
    move_give_up(s, s->batch->u->c.stop_reason);
}

/* ---- one batch at a time uses a target ---- */

/* A running job locks its source and its target against requests in both directions. */
static bool move_shares_target(const struct batch *a, const struct batch *b)
{
    return a->source == b->source || a->source == b->target || a->target == b->source || a->target == b->target;
}

static bool move_targets_are_busy(const struct batch_run *b)
{
    for (const struct batch_run *other = b->u->batches; other != NULL; other = other->next)
        if (other != b && other->move.holds_targets && move_shares_target(&b->record, &other->record))
            return true;
    return false;
}

static void move_lock_targets(struct batch_run *b)
{
    upload_lock_target(b->u, b->record.source);
    upload_lock_target(b->u, b->record.target);
}

/* At the end of the queue, so that batches get their turn in the order in which they came. */
static void move_enqueue(struct batch_run *b)
{
    struct batch_run **at = &b->u->move_queue;
    while (*at != NULL)
        at = &(*at)->move.queue_next;
    b->move.queue_next = NULL;
    b->move.queued = true;
    *at = b;
}

/* The leads are read when the batch has its turn, not before: a lead that unsubscribes meanwhile is not moved. False: the
 * batch is over. */
static bool move_take_turn(struct batch_run *b)
{
    struct err e = ERR_INIT;
    if (upload_target_is_locked(b->u, b->record.source) || upload_target_is_locked(b->u, b->record.target)) {
        batch_all_done(b, OUTCOME_DEFERRED, REASON_JOB_OPEN);
        return false;
    }
    if (move_targets_are_busy(b)) {
        move_enqueue(b);
        return true;
    }
    struct batch_slice *s = slice_of_all(b, &e);
    if (s == NULL) {
        upload_fail(b->u, &e);
        batch_all_done(b, OUTCOME_DEFERRED, REASON_INTERRUPTED);
        err_clear(&e);
        return false;
    }
    b->move.holds_targets = true;
    move_check(s);
    return true;
}

/* Those that wait get another chance, in their order; one that still has to wait queues up again. */
static void move_start_queued(struct upload *u)
{
    struct batch_run *b = u->move_queue;
    u->move_queue = NULL;
    while (b != NULL) {
        struct batch_run *next = b->move.queue_next;
        b->move.queued = false;
        batch_check(b);
        b = next;
    }
}

void move_stop_queued(struct upload *u)
{
    while (u->move_queue != NULL) {
        struct batch_run *b = u->move_queue;
        u->move_queue = b->move.queue_next;
        b->move.queued = false;
        batch_check(b);
    }
}

/* Their rows must not be moved a second time while the first move is open. */
static void move_left_open(struct batch_run *b)
{
    struct upload *u = b->u;
    struct hash128 *grown = realloc(u->open_keys, (u->open_keys_n + b->record.entries_n) * sizeof *grown);
    move_lock_targets(b);
    if (grown == NULL) {
        upload_fail_oom(u);
        return;
    }
    u->open_keys = grown;
    u->open_keys_sorted = false;
    for (size_t i = 0; i < b->record.entries_n; i++)
        grown[u->open_keys_n++] = b->record.entries[i].key;
}

/* ---- asking ---- */

static void move_answered(void *ctx, const struct api_reply *reply);

struct uuid *move_ids(const struct batch_slice *s, struct arena *arena)
{
    struct uuid *ids = arena_alloc(arena, (s->n + 1) * sizeof *ids);
    for (size_t k = 0; ids != NULL && k < s->n; k++)
        ids[k] = s->batch->record.entries[s->index[k]].lead_id;
    return ids;
}

/* The check has recorded the statuses of these people. They must be durable before the move makes Instantly forget them. */
static void move_post(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    struct err e = ERR_INIT;
    struct arena arena;
    batch_entry_commit_statuses(b);
    if (upload_ended(b->u)) {
        slice_done(s, OUTCOME_DEFERRED, b->u->c.stop_reason, 0);
        return;
    }
    arena_init(&arena, IDS_MAX);
    const struct leads_move move = {b->from, b->target, move_ids(s, &arena), s->n, b->u->c.move_options};
    if (move.ids == NULL)
        err_oom(&e);
    if (move.ids == NULL || api_leads_move(b->u->c.api, &move, move_answered, s, &e) != 0) {
        upload_fail(b->u, &e);
        slice_done(s, OUTCOME_DEFERRED, REASON_INTERRUPTED, 0);
    } else {
        batch_advance(b, s, LIFE_SENT);
        s->round = 1;
        b->u->refused[ENDPOINT_MOVE].under_way++;
    }
    arena_free(&arena);
    err_clear(&e);
}

/* The upload has ended with the name of the missing target. The rows are kept for the next run. */
static void move_target_missing(struct batch_slice *s)
{
    slice_done(s, OUTCOME_DEFERRED, REASON_INTERRUPTED, 404);
}

static void move_refuse(struct batch_slice *s, const struct api_reply *reply)
{
    struct batch_run *b = s->batch;
    if (reply->http_status == 404) {
        missing_target_ask(s, "POST /leads/move", reply, move_target_missing);
        return;
    }
    if (reply->http_status == 409) {
        /* Another job held source or target for as long as this run waits for jobs, and it waits once per target. */
        move_lock_targets(b);
        slice_done(s, OUTCOME_DEFERRED, REASON_JOB_OPEN, 409);
        return;
    }
    if (s->n > 1) {
        /* The request was not applied. The API does not document a limit of ids, so move_next() sends fewer. */
        b->move.request_max = s->n / 2;
    } else {
        refused_alike_lead(b, s->index[0], ENDPOINT_MOVE, reply, REFUSED_ALONE);
    }
    slice_free(s);
}

/* Every lead of the request may be moved from now on, so a stop leaves the batch open. A request of half the size that was
 * accepted lets the next one be larger. */
static void move_accepted(struct batch_slice *s, const struct api_reply *reply)
{
    struct remote_job remote;
    struct err e = ERR_INIT;
    struct move_progress *move = &s->batch->move;
    for (size_t k = 0; k < s->n; k++)
        s->batch->progress[s->index[k]].asked = true;
    move->request_max = move->request_max < LEADS_MOVE_MAX / 2 ? 2 * move->request_max : LEADS_MOVE_MAX;
    if (reply->class == API_OK && api_remote_job_read(reply->json, &remote, &e) == 0) {
        jobs_watch(s, remote.id, &remote);
    } else {
        log_detail("the answer to a move of %zu lead%s says nothing (%.*s): looking for its job", s->n, text_plural(s->n),
                   STR_ARG(reply->message));
        job_find(s);
    }
    err_clear(&e);
}

static void move_answered(void *ctx, const struct api_reply *reply)
{
    struct batch_slice *s = ctx;
    struct batch_run *b = s->batch;
    struct upload *u = b->u;
    if (reply->skew_ms != 0)
        b->skew_ms = u->skew_ms = reply->skew_ms;
    u->refused[ENDPOINT_MOVE].under_way--;
    if (reply->class == API_OK)
        refused_alike_accepted(u, ENDPOINT_MOVE);
    switch (reply->class) {
    case API_OK:
    case API_UNKNOWN: move_accepted(s, reply); break;
    case API_REFUSED: move_refuse(s, reply); break;
    case API_PLAN_FULL: slice_done(s, OUTCOME_DEFERRED, REASON_PLAN_FULL, reply->http_status); break;
    case API_FAILED:
    case API_FATAL:
        upload_fail(u, reply->err);
        slice_done(s, OUTCOME_DEFERRED, REASON_INTERRUPTED, reply->http_status);
        break;
    case API_CANCELLED: slice_done(s, OUTCOME_DEFERRED, u->c.stop_reason, 0); break;
    }
}

/* ---- what comes next ---- */

/* The read before a move proves the leads that it showed in their target, unless a PATCH has changed them since. */
static void move_take_arrived(struct batch_run *b)
{
    for (uint32_t i = 0; i < b->record.entries_n; i++)
        if (b->record.entries[i].outcome == OUTCOME_NONE && b->progress[i].place == PLACE_TO && !b->progress[i].patched)
            move_proved(b, i, 0);
}

/* Is entry i still to be asked for, or, with `arrived`, to be read in its target? */
static bool move_is_next(const struct batch_run *b, uint32_t i, bool arrived)
{
    const struct entry_progress *progress = &b->progress[i];
    return progress->state != ENTRY_DONE && progress->state != ENTRY_HELD && (progress->place == PLACE_TO) == arrived;
}

static size_t move_next_n(const struct batch_run *b, bool arrived)
{
    size_t n = 0;
    for (uint32_t i = 0; i < b->record.entries_n; i++)
        n += move_is_next(b, i, arrived);
    return n;
}

static struct batch_slice *move_next_slice(struct batch_run *b, size_t max, bool arrived, struct err *e)
{
    struct batch_slice *s = slice_new(b, max, e);
    for (uint32_t i = 0; s != NULL && i < b->record.entries_n && s->n < max; i++)
        if (move_is_next(b, i, arrived))
            s->index[s->n++] = i;
    return s;
}

/* Called when nothing of the batch is under way. In this order: its turn at the two targets, a stop, the limit of rounds,
 * leads to read in their target, leads to ask for. One of these at a time, until no entry is open. */
static bool move_next(struct batch_run *b)
{
    struct err e = ERR_INIT;
    if (b->move.queued)
        return true;
    if (b->open_n > 0 && !b->move.holds_targets && !b->earlier && !upload_ended(b->u))
        return move_take_turn(b);
    jobs_batch_settled(b);
    if (b->open_n > 0 && upload_ended(b->u) && move_was_asked(b))
        move_leave_asked(b);
    else if (upload_ended(b->u))
        batch_all_done(b, OUTCOME_DEFERRED, b->u->c.stop_reason);
    else if (b->earlier)
        batch_all_done(b, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN);
    else if (b->move.rounds >= ROUNDS_MAX)
        batch_all_done(b, OUTCOME_FAILED, REASON_API_ERROR);
    if (b->life == LIFE_LEFT_OPEN || b->open_n == 0)
        return false;
    move_take_arrived(b);
    size_t arrived_n = move_next_n(b, true);
    if (arrived_n == 0 && move_next_n(b, false) == 0)
        return b->open_n > 0; /* refused_alike.c decides about the others */
    struct batch_slice *s = move_next_slice(b, arrived_n > 0 ? arrived_n : b->move.request_max, arrived_n > 0, &e);
    if (s == NULL) {
        upload_fail(b->u, &e);
        err_clear(&e);
        batch_leave_open(b);
        return false;
    }
    if (arrived_n > 0) {
        s->round = 1; /* their PATCH was the write that this read proves */
        move_proof_start(s, NULL);
    } else {
        move_post(s);
    }
    return true;
}

/* The targets are not held while the batch waits for verdicts, which take their time. */
static void move_start(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    if (b->first_sent_ms == 0)
        b->first_sent_ms = b->u->c.clock->wall_ms(b->u->c.clock);
    if (verify_wanted(b))
        verify_start(s);
    else
        slice_free(s); /* move_next() */
}

void move_no_job(struct batch_slice *s)
{
    s->batch->move.rounds++;
    move_proof_start(s, NULL);
}

/* ---- what the job proves ---- */

static int move_by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The addresses that the job names, unless it names more than it was asked for: moved, unless a read shows the contrary. */
static void move_take_named(struct batch_slice *s, const struct remote_job *remote)
{
    struct batch_run *b = s->batch;
    struct arena arena;
    struct err e = ERR_INIT;
    struct str *emails;
    size_t n, hashes_n = 0;
    arena_init(&arena, NAMED_MAX);
    if (api_remote_job_moved(remote, &arena, &emails, &n, &e) != 0 || n > s->n || remote->moved < (int64_t)n)
        n = 0;
    uint64_t *hashes = arena_alloc(&arena, (n + 1) * sizeof *hashes);
    for (size_t i = 0; hashes != NULL && i < n; i++)
        if ((hashes[hashes_n] = upload_email_hash(b->u, emails[i])) != 0)
            hashes_n++;
    if (hashes_n > 0)
        qsort(hashes, hashes_n, sizeof *hashes, move_by_value);
    for (size_t k = 0; k < s->n && hashes_n > 0; k++) {
        uint64_t hash = b->progress[s->index[k]].email_hash;
        b->progress[s->index[k]].named = hash != 0 && bsearch(&hash, hashes, hashes_n, sizeof hash, move_by_value) != NULL;
    }
    arena_free(&arena);
    err_clear(&e);
}

/* However the job has ended, its leads are read: a failed job may have moved half of them, and a successful one none. */
void move_job_over(struct batch_slice *s, struct job *job, const struct remote_job *remote)
{
    struct batch_run *b = s->batch;
    const char *status = remote != NULL ? job->reported.status : "gone from the job list";
    if (remote != NULL && remote->status == JOB_SUCCESS && !b->earlier)
        move_take_named(s, remote);
    size_t rest = 0;
    for (size_t k = 0; k < s->n; k++) {
        move_detail(b, s->index[k], "background job %s: %s", job->reported.id, status);
        rest += !b->progress[s->index[k]].named;
    }
    if (rest > 0 && !b->earlier)
        log_notice("background job %s is %s, and %zu of %zu lead%s %s not proved moved by it: reading back",
                   job->reported.id, status, rest, s->n, text_plural(s->n), rest == 1 ? "is" : "are");
    s->unseen_job = remote == NULL;
    move_proof_start(s, job);
}

/* ---- of earlier runs ---- */

/* The id of the job is durable as soon as the API has answered it. Without it the request may have been lost, and its job
 * is searched for by its leads. */
static void move_resume(struct batch_slice *s)
{
    if (s->batch->record.job != NULL)
        jobs_watch(s, str_from(s->batch->record.job), NULL);
    else
        job_find(s);
}

/* Of the body as it would be sent now: which leads are left out is only known when they were read. */
static int move_close(struct batch_run *b, struct err *e)
{
    const struct leads_move move = {b->from, b->target, batch_entry_ids(b), b->record.entries_n, b->u->c.move_options};
    if (copy_wanted(b))
        b->record.op = OP_HAND; /* after a death resume cannot tell a copy from its original */
    return move.ids == NULL ? err_oom(e) : api_leads_move_digest(&move, b->record.body_sha256, e);
}

const struct operation move_operation = {
    .name = "move",
    .entries_max = LEADS_MOVE_MAX,
    .close = move_close,
    .start = move_start,
    .resume = move_resume,
    .next = move_next,
    .patch_lost = update_read,
    .give_up = move_read_failed,
    .left_open = move_left_open,
    .freed = move_start_queued,
};
