/* Commits intents in groups, drives the queue, and stops in an orderly way. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/stop.h"
#include "sync/upload/proof/jobs.h"
#include "sync/upload/proof/proof.h"

enum {
    COMMIT_AGE_US = 40 * 1000, /* and nothing waits longer for its commit */
    BATCHES_MAX = 64,
};

int upload_new(const struct upload_config *config, struct upload **out, struct err *e)
{
    struct upload *u = calloc(1, sizeof *u);
    if (u == NULL)
        return err_oom(e);
    u->c = *config;
    u->started_ms = u->c.clock->wall_ms(u->c.clock);
    if (state_patch_effect(u->c.state, &u->patch.known, e) != 0) {
        free(u);
        return -1;
    }
    *out = u;
    return 0;
}

void upload_free(struct upload *u)
{
    if (u == NULL)
        return;
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
    err_clear(&u->fatal);
    free(u);
}

/* The first error is kept. Requests in flight end as usual, and nothing more is sent that writes (upload_ended()). */
void upload_fail(struct upload *u, const struct err *e)
{
    err_copy(&u->fatal, e);
}

void upload_fail_oom(struct upload *u)
{
    err_oom(&u->fatal);
}

bool upload_ended(const struct upload *u)
{
    return u->stopping || u->fatal.status != XS_DONE;
}

void upload_lock_target(struct upload *u, uint32_t target)
{
    if (upload_target_is_locked(u, target))
        return;
    uint32_t *grown = realloc(u->locked_targets, (u->locked_targets_n + 1) * sizeof *grown);
    if (grown == NULL) {
        upload_fail_oom(u);
        return;
    }
    u->locked_targets = grown;
    u->locked_targets[u->locked_targets_n++] = target;
}

bool upload_target_is_locked(const struct upload *u, uint32_t target)
{
    for (size_t i = 0; i < u->locked_targets_n; i++)
        if (u->locked_targets[i] == target)
            return true;
    return false;
}

int upload_unpack(struct upload *u, struct str values, struct arena *arena, struct lead *out)
{
    const struct lead_shape *shape = &u->c.mapping->shape;
    uint32_t id;
    if (lead_packed_shape(values, &id) != 0)
        return -1;
    if (id != shape->id) {
        /* Written under an older list of custom variables: the state knows their names. */
        struct err e = ERR_INIT;
        struct lead_shape *older = arena_calloc(arena, 1, sizeof *older);
        int rc = older != NULL ? state_shape_get(u->c.state, id, arena, older, &e) : -1;
        err_clear(&e);
        if (rc != 1)
            return -1;
        shape = older;
    }
    return lead_unpack(values, shape, arena, out);
}

uint64_t upload_email_hash(struct upload *u, struct str email)
{
    struct buf key = BUF_INIT(1 << 16);
    uint64_t hash = 0;
    if (email.n > 0 && mapping_email_key(email, &key) == 0)
        hash = hash_keyed64(state_secret(u->c.state), key.p, key.n);
    buf_free(&key);
    return hash;
}

int upload_add(struct upload *u, const struct planned *planned, struct err *e)
{
    return upload_ended(u) ? collect_defer(u, planned, u->c.stop_reason, e) : collect_add(u, planned, e);
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

/* Every batch that was written since the last commit is durable now: its request may leave. */
static int upload_commit_and_submit(struct upload *u, struct err *e)
{
    if (state_commit(u->c.state, e) != 0)
        return -1;
    for (size_t i = 0; i < u->ready_n; i++)
        batch_advance(u->ready[i], NULL, LIFE_DURABLE);
    int rc = 0;
    size_t i = 0;
    for (; i < u->ready_n && rc == 0; i++) {
        struct batch_run *b = u->ready[i];
        struct batch_slice *s = slice_of_all(b, e);
        if (s == NULL) {
            rc = -1;
            break;
        }
        b->operation->start(s);
    }
    /* Only what was not handed over may still be settled as never sent. */
    u->ready_n -= i;
    if (u->ready_n > 0)
        memmove(u->ready, u->ready + i, u->ready_n * sizeof *u->ready);
    return rc;
}

/* Called again while the last requests end, because their answers can start new waits. */
static void upload_give_up_waits(struct upload *u)
{
    while (u->waiting != NULL) {
        struct batch_slice *s = u->waiting;
        u->waiting = s->next;
        if (s->stopped != NULL)
            s->stopped(s);
        else
            s->batch->operation->give_up(s);
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
            struct planned p = {.op = b->record.op,
                                .target = b->record.target,
                                .entry = b->record.entries[i],
                                .tag = b->progress[i].tag};
            if (collect_defer(u, &p, reason, &e) != 0)
                upload_fail(u, &e);
        }
        batch_free(b);
    }
    /* Intents that were written but not sent: surely not applied. */
    for (size_t i = 0; i < u->ready_n; i++) {
        batch_all_done(u->ready[i], OUTCOME_DEFERRED, reason);
        batch_check(u->ready[i]);
    }
    u->ready_n = 0;
    api_cancel_queued(u->c.api);
    upload_give_up_waits(u);
    refused_alike_stop(u);
    err_clear(&e);
}

/* All due slices leave the list before the first is woken: a slice that waits again must not be woken twice. */
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

/* The network is awaited no longer than until the next wait, poll of a job or deadline is due. */
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

/* After the first signal or the deadline, requests in flight have a limited time. Starts that time, and calls the requests back
 * when it is over. True: it is over. */
static bool upload_end_last_wait(struct upload *u)
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
        upload_end_last_wait(u); /* what it calls back ends like any other answer */
    /* Idle connections are worth more than a full group commit, yet where the server is faster than we are they are
     * always idle, and each commit costs a write and a wait: a few batches for each, unless there is time to wait. */
    bool idle = u->ready_n > 0 && api_queued(u->c.api) == 0 && (u->ready_n >= COMMIT_IDLE || timeout_ms > 0);
    if (u->fatal.status == XS_DONE && (u->ready_n >= COMMIT_EVENTS || (pending > 0 && age_us >= COMMIT_AGE_US) || idle) &&
        upload_commit_and_submit(u, e) != 0)
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
    while (api_queued(u->c.api) > 0 && !upload_end_last_wait(u)) {
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

/* A phase ends here: the groups are closed, and every batch is settled or left open. The next phase may then use the same
 * targets. */
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

/* Open batches are taken up one by one, with the same limit as in a run, so that memory stays bounded whatever was left
 * open. */
int upload_settle_open(struct upload *u, struct err *e)
{
    struct arena arena;
    struct batch *open;
    size_t n;
    arena_init(&arena, (size_t)1 << 30);
    int rc = state_batches_open(u->c.state, &arena, &open, &n, e);
    for (size_t i = 0; rc == 0 && i < n && !u->stopping; i++) {
        if (u->c.settle_run != 0 && open[i].run != u->c.settle_run)
            continue;
        rc = recover_batch(u, &open[i], e);
        while (rc == 0 && upload_full(u))
            rc = upload_step(u, 1000, e);
    }
    arena_free(&arena);
    struct err late = ERR_INIT;
    if (rc != 0)
        upload_stop(u, u->c.stop_reason);
    if (upload_drain(u, &late) != 0 && rc == 0)
        rc = err_take(e, &late);
    err_clear(&late);
    return rc;
}

static int upload_compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct hash128));
}

bool upload_key_is_open(struct upload *u, const struct hash128 *key)
{
    if (u->open_keys_n == 0)
        return false;
    if (!u->open_keys_sorted)
        qsort(u->open_keys, u->open_keys_n, sizeof *u->open_keys, upload_compare_keys);
    u->open_keys_sorted = true;
    return bsearch(key, u->open_keys, u->open_keys_n, sizeof *u->open_keys, upload_compare_keys) != NULL;
}

const struct upload_job *upload_job(const struct upload *u, size_t i)
{
    size_t n = 0;
    for (const struct job *job = u->jobs; job != NULL; job = job->next)
        n++;
    if (i >= n)
        return NULL;
    const struct job *job = u->jobs;
    for (size_t from_end = n - 1 - i; from_end > 0; from_end--)
        job = job->next;
    return &job->reported;
}
