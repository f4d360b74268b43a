/* Slices of a batch: how they begin, wait and end. */
#include "config.h"

#include "sync/upload/batch.h"

#include <stdlib.h>

#include "sync/upload/upload_int.h"

/* The slice counts as under way from now on, so that the batch cannot end before slice_free(). */
struct batch_slice *slice_new(struct batch_run *b, size_t n, struct err *e)
{
    struct batch_slice *s = calloc(1, sizeof *s + n * sizeof s->index[0]);
    if (s == NULL) {
        err_oom(e);
        return NULL;
    }
    s->batch = b;
    s->life = LIFE_DURABLE;
    s->batch_next = b->slices;
    if (b->slices != NULL)
        b->slices->batch_prev = s;
    b->slices = s;
    b->under_way_n++;
    return s;
}

struct batch_slice *slice_of_all(struct batch_run *b, struct err *e)
{
    struct batch_slice *s = slice_new(b, b->record.entries_n, e);
    if (s == NULL)
        return NULL;
    s->n = b->record.entries_n;
    for (size_t i = 0; i < s->n; i++)
        s->index[i] = (uint32_t)i;
    return s;
}

struct batch_slice *slice_of_open(const struct batch_slice *from, size_t first, size_t n, struct err *e)
{
    struct batch_slice *s = slice_new(from->batch, n, e);
    if (s == NULL)
        return NULL;
    s->round = from->round;
    for (size_t k = first; k < first + n; k++)
        if (from->batch->progress[from->index[k]].state == ENTRY_OPEN)
            s->index[s->n++] = from->index[k];
    return s;
}

/* The last slice to end lets the batch continue or end. batch_check() can free the batch, so the caller must not touch it
 * afterwards. */
void slice_free(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    if (s->batch_prev != NULL)
        s->batch_prev->batch_next = s->batch_next;
    else
        b->slices = s->batch_next;
    if (s->batch_next != NULL)
        s->batch_next->batch_prev = s->batch_prev;
    free(s);
    b->under_way_n--;
    batch_check(b);
}

void slice_done(struct batch_slice *s, enum outcome outcome, enum reason reason, int http_status)
{
    for (size_t k = 0; k < s->n; k++)
        batch_entry_done(s->batch, s->index[k], outcome, reason, http_status);
    slice_free(s);
}

void slice_unshown_done(struct batch_slice *s, enum outcome outcome, enum reason reason, int http_status)
{
    for (size_t k = 0; k < s->n; k++)
        if (!s->batch->progress[s->index[k]].shown)
            batch_entry_done(s->batch, s->index[k], outcome, reason, http_status);
}

void slice_leave_open(struct batch_slice *s)
{
    batch_leave_open(s->batch);
    slice_free(s);
}

void slice_fail(struct batch_slice *s, const struct err *e)
{
    upload_fail(s->batch->u, e);
    slice_leave_open(s);
}

/* Before the first request of these leads (round 0) a read is a check. After it, a read is a proof. */
void slice_read(struct batch_slice *s)
{
    enum batch_life reading = s->round == 0 ? LIFE_CHECKING : LIFE_PROVING;
    if (s->life != reading)
        batch_advance(s->batch, s, reading);
}

void slice_park(struct batch_slice *s)
{
    if (s->life != LIFE_WAITING)
        batch_advance(s->batch, s, LIFE_WAITING);
}

void slice_wait(struct batch_slice *s, int64_t us, void (*wake)(struct batch_slice *))
{
    struct upload *u = s->batch->u;
    slice_park(s);
    s->due_us = u->c.clock->mono_us(u->c.clock) + us;
    s->wake = wake;
    s->next = u->waiting;
    u->waiting = s;
}

static const int64_t attempts_ms[ATTEMPTS_MAX - 1] = {1000, 2000, 4000};
static const int64_t late_attempts_ms[ATTEMPTS_MAX - 1] = {5000, 15000, 45000};

void slice_wait_attempt(struct batch_slice *s, bool late, void (*wake)(struct batch_slice *))
{
    /* The first wait follows the first read. A caller that has read more often waits as long as before. */
    size_t wait = s->attempt < 1 ? 0 : s->attempt < ATTEMPTS_MAX ? s->attempt - 1 : ATTEMPTS_MAX - 2;
    int64_t ms = (late ? late_attempts_ms : attempts_ms)[wait];
    slice_wait(s, ms * 1000 * s->batch->u->c.mapping->limits.settle_ms / SETTLE_UNIT_MS, wake);
}

int64_t slice_late_reads_ms(const struct batch_run *b)
{
    int64_t sum_ms = 0;
    for (size_t i = 0; i < ATTEMPTS_MAX - 1; i++)
        sum_ms += late_attempts_ms[i];
    return sum_ms * b->u->c.mapping->limits.settle_ms / SETTLE_UNIT_MS;
}
