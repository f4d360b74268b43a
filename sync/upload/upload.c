/* Commits intents in groups, drives the queue, and stops in an orderly way. */
#include "config.h"

#include "sync/upload/batch.h"

#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/stop.h"

enum {
    COMMIT_AGE_US = 40 * 1000, /* and nothing waits longer for its commit */
    BATCHES_MAX = 64,
    SCRATCH_MAX = 64 << 20,
};

int upload_new(const struct upload_config *config, struct upload **out, struct err *e)
{
    struct upload *u = calloc(1, sizeof *u);
    if (u == NULL)
        return err_oom(e);
    u->c = *config;
    u->started_ms = u->c.clock->wall_ms(u->c.clock);
    arena_init(&u->scratch, SCRATCH_MAX);
    buf_init(&u->key, 1 << 16);
    *out = u;
    return 0;
}

void upload_free(struct upload *u)
{
    if (u == NULL)
        return;
    while (u->waiting != NULL) {
        struct batch_slice *s = u->waiting;
        u->waiting = s->next;
        free(s);
    }
    while (u->batches != NULL)
        batch_free(u->batches);
    refused_alike_free(u);
    missing_target_free(u);
    jobs_free(u);
    lead_scans_free(u);
    address_lists_free(u);
    held_ids_free(&u->held);
    free(u->groups);
    free(u->ready);
    free(u->locked_targets);
    free(u->open_keys);
    arena_free(&u->scratch);
    buf_free(&u->key);
    err_clear(&u->fatal);
    free(u);
}

/* ---- driving ---- */

bool upload_full(const struct upload *u)
{
    /* A stopped one takes everything: it only counts it. */
    return !u->stopping && (api_full(u->c.api) || u->ready_n >= COMMIT_EVENTS || u->batches_n >= BATCHES_MAX);
}

bool upload_stopped(const struct upload *u)
{
    return u->stopping;
}

uint64_t upload_open_n(const struct upload *u)
{
    return u->batches_n;
}

unsigned upload_ops(const struct upload *u)
{
    unsigned ops = 0;
    for (const struct batch_run *b = u->batches; b != NULL; b = b->next)
        ops |= 1U << b->record.op;
    return ops;
}

void upload_deadline(struct upload *u, int64_t mono_us)
{
    u->deadline_us = mono_us;
}

static void upload_start_slice(struct batch_slice *s)
{
    switch (s->batch->record.op) {
    case OP_UPDATE: update_send(s); break;
    case OP_MOVE: move_start(s); break;
    case OP_REMOVE: remove_start(s); break;
    default: rekey_check(s); break;
    }
}

/* Every batch that was written since the last commit is durable now: its request may leave. */
static int upload_commit_and_submit(struct upload *u, struct err *e)
{
    if (state_commit(u->c.state, e) != 0)
        return -1;
    int rc = 0;
    size_t i = 0;
    for (; i < u->ready_n && rc == 0; i++) {
        struct batch_run *b = u->ready[i];
        struct batch_slice *s = slice_of_all(b, e);
        if (s == NULL) {
            rc = -1;
            break;
        }
        upload_start_slice(s);
    }
    /* Only what was not handed over may still be settled as never sent. */
    u->ready_n -= i;
    if (u->ready_n > 0)
        memmove(u->ready, u->ready + i, u->ready_n * sizeof *u->ready);
    return rc;
}

static void upload_defer_open_entries(struct batch_run *b, enum reason reason)
{
    for (size_t i = 0; i < b->record.entries_n; i++)
        batch_entry_done(b, (uint32_t)i, OUTCOME_DEFERRED, reason, 0);
}

static void upload_give_up_waits(struct upload *u)
{
    while (u->waiting != NULL) {
        struct batch_slice *s = u->waiting;
        u->waiting = s->next;
        if (s->stopped != NULL) {
            s->stopped(s);
            continue;
        }
        if (s->batch->move != NULL) {
            move_give_up(s, u->c.stop_reason);
            continue;
        }
        batch_leave_open(s->batch);
        slice_free(s);
    }
    move_stop_queued(u);
    jobs_give_up(u);
}

void upload_stop(struct upload *u, enum reason reason)
{
    if (u->stopping)
        return;
    u->stopping = true;
    u->c.stop_reason = reason;
    struct err e = ERR_INIT;
    if (reason == REASON_TIME_BUDGET && api_last_word(u->c.api, &e))
        log_warning("%s", err_text(&e));
    err_clear(&e);
    /* Groups that have no intent yet: their rows were never asked for. */
    for (size_t g = 0; g < u->groups_n; g++) {
        struct batch_run *b = u->groups[g].batch;
        u->groups[g].batch = NULL;
        if (b == NULL)
            continue;
        for (size_t i = 0; i < b->record.entries_n; i++) {
            struct planned p = {.op = b->record.op, .target = b->record.target, .entry = b->record.entries[i]};
            if (upload_defer(u, &p, reason, &e) != 0)
                upload_fail(u, &e);
        }
        batch_free(b);
    }
    /* Intents that were written but not sent: surely not applied. */
    for (size_t i = 0; i < u->ready_n; i++) {
        upload_defer_open_entries(u->ready[i], reason);
        batch_check(u->ready[i]);
    }
    u->ready_n = 0;
    api_cancel_queued(u->c.api);
    upload_give_up_waits(u);
    refused_alike_stop(u);
    err_clear(&e);
}

static void upload_wake_due(struct upload *u, int64_t now_us)
{
    struct batch_slice *due = NULL, **at = &u->waiting;
    while (*at != NULL) {
        struct batch_slice *s = *at;
        if (s->due_us > now_us) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        s->next = due;
        due = s;
    }
    while (due != NULL) {
        struct batch_slice *s = due;
        due = s->next;
        s->next = NULL;
        s->wake(s);
    }
}

static int64_t upload_shorten(const struct upload *u, int64_t timeout_ms, int64_t now_us)
{
    for (const struct batch_slice *s = u->waiting; s != NULL; s = s->next) {
        int64_t ms = (s->due_us - now_us + 999) / 1000;
        if (ms < timeout_ms)
            timeout_ms = ms < 0 ? 0 : ms;
    }
    int64_t due_us = jobs_due_us(u);
    if (due_us < INT64_MAX && (due_us - now_us + 999) / 1000 < timeout_ms)
        timeout_ms = (due_us - now_us + 999) / 1000;
    if (u->deadline_us != 0 && !u->stopping && (u->deadline_us - now_us) / 1000 + 1 < timeout_ms)
        timeout_ms = (u->deadline_us - now_us) / 1000 + 1;
    return timeout_ms < 0 ? 0 : timeout_ms;
}

/* The caller judges how many refusals are too many. */
static void upload_judge_refusals(struct upload *u)
{
    struct err e = ERR_INIT;
    if (u->c.refused == NULL || u->c.tally->refused <= u->refused_judged || upload_ended(u))
        return;
    u->refused_judged = u->c.tally->refused;
    if (u->c.refused(u->c.ctx, &e) != 0)
        upload_fail(u, &e);
    err_clear(&e);
}

/* Is the time over that requests in flight have after the first signal or the deadline? Those left have been called back. */
static bool upload_last_wait_is_over(struct upload *u)
{
    bool late = u->deadline_us != 0 && u->c.clock->mono_us(u->c.clock) >= u->deadline_us;
    return (stop_requested() != 0 || late) && api_last_wait(u->c.api);
}

int upload_step(struct upload *u, int64_t timeout_ms, struct err *e)
{
    int64_t age_us, now_us = u->c.clock->mono_us(u->c.clock);
    size_t pending = state_pending(u->c.state, &age_us);
    if (u->c.stepped != NULL)
        u->c.stepped(u->c.ctx);
    if (!u->stopping && stop_requested() != 0)
        upload_stop(u, REASON_INTERRUPTED);
    if (!u->stopping && u->deadline_us != 0 && now_us >= u->deadline_us)
        upload_stop(u, REASON_TIME_BUDGET);
    if (u->stopping)
        upload_last_wait_is_over(u);
    /* Idle connections are worth more than a full group commit, yet where the server is faster than we are they are
     * always idle, and each commit costs a write and a wait: a few batches for each, unless there is time to wait. */
    bool idle = u->ready_n > 0 && api_queued(u->c.api) == 0 && (u->ready_n >= COMMIT_IDLE || timeout_ms > 0);
    if (u->fatal.status == XS_DONE &&
        (u->ready_n >= COMMIT_EVENTS || (pending > 0 && age_us >= COMMIT_AGE_US) || idle) && upload_commit_and_submit(u, e) != 0)
        return -1;
    refused_alike_step(u);
    upload_judge_refusals(u);
    upload_wake_due(u, now_us);
    jobs_step(u, now_us);
    timeout_ms = upload_shorten(u, timeout_ms, now_us);
    /* Outcomes wait for no intent: while one answer is slow, those that came are made durable. */
    if ((u->ready_n > 0 || state_pending(u->c.state, &age_us) > 0) && timeout_ms > COMMIT_AGE_US / 1000)
        timeout_ms = COMMIT_AGE_US / 1000;
    if (u->fatal.status == XS_DONE && api_step(u->c.api, timeout_ms, e) != 0)
        return -1;
    return u->fatal.status != XS_DONE ? err_copy(e, &u->fatal) : 0;
}

/* After a fatal answer only what is in flight is waited for. */
static int upload_finish_in_flight(struct upload *u, struct err *e)
{
    struct err local = ERR_INIT;
    while (api_queued(u->c.api) > 0 && !upload_last_wait_is_over(u)) {
        if (api_step(u->c.api, 1000, &local) != 0)
            break;
        upload_give_up_waits(u);
    }
    upload_give_up_waits(u);
    err_clear(&local);
    while (u->batches != NULL) {
        /* Requests whose answer will not come: their outcome is open. */
        batch_leave_open(u->batches);
        batch_free(u->batches);
    }
    return state_commit(u->c.state, e);
}

int upload_drain(struct upload *u, struct err *e)
{
    if (u->fatal.status != XS_DONE || u->stopping) {
        upload_stop(u, u->c.stop_reason);
        return upload_finish_in_flight(u, e);
    }
    int rc = 0;
    for (size_t g = 0; g < u->groups_n && rc == 0; g++)
        rc = collect_close(u, &u->groups[g], e);
    u->draining = true;
    while (u->batches_n > 0 && !u->stopping && rc == 0)
        rc = upload_step(u, 1000, e);
    u->draining = false;
    upload_judge_refusals(u);
    if (rc == 0 && u->fatal.status != XS_DONE)
        rc = err_copy(e, &u->fatal);
    if (rc == 0)
        return u->stopping ? upload_finish_in_flight(u, e) : state_commit(u->c.state, e);
    struct err late = ERR_INIT;
    upload_stop(u, u->c.stop_reason);
    upload_finish_in_flight(u, &late);
    err_clear(&late);
    return -1;
}
