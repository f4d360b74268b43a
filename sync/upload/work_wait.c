/* Parts of a batch that wait before they look again. */
#include "config.h"

#include "sync/upload/work.h"

void part_wait(struct part *p, int64_t us, void (*wake)(struct part *))
{
    struct upload *u = p->work->u;
    p->due_us = u->c.clock->mono_us(u->c.clock) + us;
    p->wake = wake;
    p->next = u->waiting;
    u->waiting = p;
}

static const int64_t looks_ms[LOOKS_MAX - 1] = {1000, 2000, 4000};
static const int64_t late_looks_ms[LOOKS_MAX - 1] = {5000, 15000, 45000};

void part_wait_look(struct part *p, bool late, void (*wake)(struct part *))
{
    int64_t ms = (late ? late_looks_ms : looks_ms)[p->look - 1];
    part_wait(p, ms * 1000 * p->work->u->c.mapping->limits.settle_ms / SETTLE_UNIT_MS, wake);
}

int64_t work_late_looks_ms(const struct work *w)
{
    int64_t sum_ms = 0;
    for (size_t i = 0; i < LOOKS_MAX - 1; i++)
        sum_ms += late_looks_ms[i];
    return sum_ms * w->u->c.mapping->limits.settle_ms / SETTLE_UNIT_MS;
}
