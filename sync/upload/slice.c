/* Parts of a batch that wait before they look again. */
#include "config.h"

#include "sync/upload/batch.h"

void slice_wait(struct batch_slice *s, int64_t us, void (*wake)(struct batch_slice *))
{
    struct upload *u = s->batch->u;
    s->due_us = u->c.clock->mono_us(u->c.clock) + us;
    s->wake = wake;
    s->next = u->waiting;
    u->waiting = s;
}

static const int64_t attempts_ms[ATTEMPTS_MAX - 1] = {1000, 2000, 4000};
static const int64_t late_attempts_ms[ATTEMPTS_MAX - 1] = {5000, 15000, 45000};

void slice_wait_attempt(struct batch_slice *s, bool late, void (*wake)(struct batch_slice *))
{
    int64_t ms = (late ? late_attempts_ms : attempts_ms)[s->attempt - 1];
    slice_wait(s, ms * 1000 * s->batch->u->c.mapping->limits.settle_ms / SETTLE_UNIT_MS, wake);
}

int64_t slice_late_reads_ms(const struct batch_run *b)
{
    int64_t sum_ms = 0;
    for (size_t i = 0; i < ATTEMPTS_MAX - 1; i++)
        sum_ms += late_attempts_ms[i];
    return sum_ms * b->u->c.mapping->limits.settle_ms / SETTLE_UNIT_MS;
}
