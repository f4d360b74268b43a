/* Commits intents in groups, drives the queue, and stops in an orderly way. */
#include "config.h"

#include "sync/upload/work.h"

#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/stop.h"

enum {
    COMMIT_AGE_US = 40 * 1000, /* and nothing waits longer for its commit */
    WORKS_MAX = 64,
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
        struct part *p = u->waiting;
        u->waiting = p->next;
        free(p);
    }
    while (u->works != NULL)
        work_free(u->works);
    refused_alike_free(u);
    missing_target_free(u);
    jobs_free(u);
    keyed_free(u);
    address_lists_free(u);
    held_ids_free(&u->held);
    free(u->groups);
    free(u->ready);
    free(u->stuck);
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
    return !u->stopping && (api_full(u->c.api) || u->ready_n >= COMMIT_EVENTS || u->works_n >= WORKS_MAX);
}

bool upload_stopped(const struct upload *u)
{
    return u->stopping;
}

uint64_t upload_open_n(const struct upload *u)
{
    return u->works_n;
}

unsigned upload_ops(const struct upload *u)
{
    unsigned ops = 0;
    for (const struct work *w = u->works; w != NULL; w = w->next)
        ops |= 1U << w->batch.op;
    return ops;
}

void upload_deadline(struct upload *u, int64_t mono_us)
{
    u->deadline_us = mono_us;
}

static void send(struct part *p)
{
    switch (p->work->batch.op) {
    case OP_UPDATE: update_send(p); break;
    case OP_MOVE: move_start(p); break;
    case OP_REMOVE: remove_start(p); break;
    default: rekey_look(p); break;
    }
}

/* Every batch that was written since the last commit is durable now: its request may leave. */
static int commit_and_submit(struct upload *u, struct err *e)
{
    if (state_commit(u->c.state, e) != 0)
        return -1;
    int rc = 0;
    size_t i = 0;
    for (; i < u->ready_n && rc == 0; i++) {
        struct work *w = u->ready[i];
        struct part *p = part_all(w, e);
        if (p == NULL) {
            rc = -1;
            break;
        }
        send(p);
    }
    /* Only what was not handed over may still be settled as never sent. */
    u->ready_n -= i;
    if (u->ready_n > 0)
        memmove(u->ready, u->ready + i, u->ready_n * sizeof *u->ready);
    return rc;
}

static void defer_open_entries(struct work *w, enum reason reason)
{
    for (size_t i = 0; i < w->batch.entries_n; i++)
        work_entry_done(w, (uint32_t)i, OUTCOME_DEFERRED, reason, 0);
}

static void give_up_waits(struct upload *u)
{
    while (u->waiting != NULL) {
        struct part *p = u->waiting;
        u->waiting = p->next;
        if (p->stopped != NULL) {
            p->stopped(p);
            continue;
        }
        if (p->work->move != NULL) {
            move_give_up(p, u->c.stop_reason);
            continue;
        }
        work_leave_open(p->work);
        part_free(p);
    }
    move_stop_gated(u);
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
        struct work *w = u->groups[g].work;
        u->groups[g].work = NULL;
        if (w == NULL)
            continue;
        for (size_t i = 0; i < w->batch.entries_n; i++) {
            struct planned p = {.op = w->batch.op, .target = w->batch.target, .entry = w->batch.entries[i]};
            if (upload_defer(u, &p, reason, &e) != 0)
                upload_fail(u, &e);
        }
        work_free(w);
    }
    /* Intents that were written but not sent: surely not applied. */
    for (size_t i = 0; i < u->ready_n; i++) {
        defer_open_entries(u->ready[i], reason);
        work_check(u->ready[i]);
    }
    u->ready_n = 0;
    api_cancel_queued(u->c.api);
    give_up_waits(u);
    refused_alike_stop(u);
    err_clear(&e);
}

static void wake_due(struct upload *u, int64_t now_us)
{
    struct part *due = NULL, **at = &u->waiting;
    while (*at != NULL) {
        struct part *p = *at;
        if (p->due_us > now_us) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        p->next = due;
        due = p;
    }
    while (due != NULL) {
        struct part *p = due;
        due = p->next;
        p->next = NULL;
        p->wake(p);
    }
}

static int64_t shorten(const struct upload *u, int64_t timeout_ms, int64_t now_us)
{
    for (const struct part *p = u->waiting; p != NULL; p = p->next) {
        int64_t ms = (p->due_us - now_us + 999) / 1000;
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
static void judge_refusals(struct upload *u)
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
static bool last_wait_is_over(struct upload *u)
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
        last_wait_is_over(u);
    /* Idle connections are worth more than a full group commit, yet where the server is faster than we are they are
     * always idle, and each commit costs a write and a wait: a few batches for each, unless there is time to wait. */
    bool idle = u->ready_n > 0 && api_queued(u->c.api) == 0 && (u->ready_n >= COMMIT_IDLE || timeout_ms > 0);
    if (u->fatal.status == XS_DONE &&
        (u->ready_n >= COMMIT_EVENTS || (pending > 0 && age_us >= COMMIT_AGE_US) || idle) && commit_and_submit(u, e) != 0)
        return -1;
    refused_alike_step(u);
    judge_refusals(u);
    wake_due(u, now_us);
    jobs_step(u, now_us);
    timeout_ms = shorten(u, timeout_ms, now_us);
    /* Outcomes wait for no intent: while one answer is slow, those that came are made durable. */
    if ((u->ready_n > 0 || state_pending(u->c.state, &age_us) > 0) && timeout_ms > COMMIT_AGE_US / 1000)
        timeout_ms = COMMIT_AGE_US / 1000;
    if (u->fatal.status == XS_DONE && api_step(u->c.api, timeout_ms, e) != 0)
        return -1;
    return u->fatal.status != XS_DONE ? err_copy(e, &u->fatal) : 0;
}

/* After a fatal answer only what is in flight is waited for. */
static int finish_in_flight(struct upload *u, struct err *e)
{
    struct err local = ERR_INIT;
    while (api_queued(u->c.api) > 0 && !last_wait_is_over(u)) {
        if (api_step(u->c.api, 1000, &local) != 0)
            break;
        give_up_waits(u);
    }
    give_up_waits(u);
    err_clear(&local);
    while (u->works != NULL) {
        /* Requests whose answer will not come: their outcome is open. */
        work_leave_open(u->works);
        work_free(u->works);
    }
    return state_commit(u->c.state, e);
}

int upload_drain(struct upload *u, struct err *e)
{
    if (u->fatal.status != XS_DONE || u->stopping) {
        upload_stop(u, u->c.stop_reason);
        return finish_in_flight(u, e);
    }
    int rc = 0;
    for (size_t g = 0; g < u->groups_n && rc == 0; g++)
        rc = group_close(u, &u->groups[g], e);
    u->draining = true;
    while (u->works_n > 0 && !u->stopping && rc == 0)
        rc = upload_step(u, 1000, e);
    u->draining = false;
    judge_refusals(u);
    if (rc == 0 && u->fatal.status != XS_DONE)
        rc = err_copy(e, &u->fatal);
    if (rc == 0)
        return u->stopping ? finish_in_flight(u, e) : state_commit(u->c.state, e);
    struct err late = ERR_INIT;
    upload_stop(u, u->c.stop_reason);
    finish_in_flight(u, &late);
    err_clear(&late);
    return -1;
}
