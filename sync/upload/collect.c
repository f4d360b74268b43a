/* Rows become batches: those with the same operation, source and target travel together, up to what one request may
 * carry. A full group writes its intent and waits for the commit. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <stdlib.h>

enum { CELLS_MAX = 256 << 20 };

static int reserve_ready(struct upload *u, struct err *e)
{
    if (u->ready_n < u->ready_cap)
        return 0;
    size_t cap = u->ready_cap == 0 ? 2 * COMMIT_EVENTS : 2 * u->ready_cap;
    struct batch_run **ready = realloc(u->ready, cap * sizeof *ready);
    if (ready == NULL)
        return err_oom(e);
    u->ready = ready;
    u->ready_cap = cap;
    return 0;
}

/* The group is full or the source is done: write the intent, which is durable at the next commit. After an error the batch stays
 * in its group, where upload_stop() takes its rows as never asked for. So nothing may fail once the intent is written. */
int collect_close(struct upload *u, struct collect_group *g, struct err *e)
{
    struct batch_run *b = g->batch;
    if (b == NULL)
        return 0;
    if (reserve_ready(u, e) != 0 || (b->operation->close != NULL && b->operation->close(b, e) != 0))
        return -1;
    /* Marked as sent from the start: a mark made after the request left could be lost, and then a batch that arrived
     * would look as if it never had. */
    b->record.sent_ms = u->c.clock->wall_ms(u->c.clock);
    if (state_batch_add(u->c.state, &b->record, e) != 0)
        return -1;
    g->batch = NULL;
    batch_advance(b, NULL, LIFE_INTENT);
    u->ready[u->ready_n++] = b;
    return 0;
}

/* There is one group per operation and pair of targets. These are few, so a walk is enough. */
static struct collect_group *collect_find(struct upload *u, const struct planned *p, struct err *e)
{
    for (size_t i = 0; i < u->groups_n; i++)
        if (u->groups[i].op == p->op && u->groups[i].target == p->target && u->groups[i].from == p->from)
            return &u->groups[i];
    struct collect_group *groups = realloc(u->groups, (u->groups_n + 1) * sizeof *groups);
    if (groups == NULL) {
        err_oom(e);
        return NULL;
    }
    u->groups = groups;
    groups[u->groups_n] = (struct collect_group){p->op, p->target, p->from, NULL};
    return &groups[u->groups_n++];
}

/* The group that takes this row, with a batch to put it into. */
static struct collect_group *collect_group_for(struct upload *u, const struct planned *p, struct err *e)
{
    struct collect_group *g = collect_find(u, p, e);
    /* A request by hand carries the leads of one question. */
    if (g != NULL && g->batch != NULL && g->batch->one_shot != p->one_shot && collect_close(u, g, e) != 0)
        return NULL;
    if (g == NULL || g->batch != NULL)
        return g;
    const struct operation *operation = p->one_shot != NULL ? one_shot_operation_of(p->one_shot->kind) : operation_of(p->op);
    size_t max = operation->entries_max != 0 ? operation->entries_max : u->c.mapping->limits.batch;
    /* A lead that is in no campaign and no list is deleted by its own address. */
    if (p->op == OP_REMOVE && p->from == 0)
        max = 1;
    struct batch_run *b = batch_new(u, p->op, p->target, p->from, max, e);
    if (b == NULL)
        return NULL;
    b->operation = operation;
    b->one_shot = p->one_shot;
    if (operation->open != NULL && operation->open(b, e) != 0) {
        batch_free(b);
        return NULL;
    }
    g->batch = b;
    return g;
}

/* A row whose outcome needs no request. */
static int collect_settle_unsent(struct upload *u, const struct planned *planned, const struct entry *entry, struct err *e)
{
    tally_row(u->c.tally, entry->outcome, entry->reason);
    if (state_entry_add(u->c.state, u->c.run, planned->target, entry, e) != 0)
        return -1;
    if (u->c.settled != NULL)
        u->c.settled(u->c.ctx, planned->tag, entry);
    return 0;
}

/* A single lead that no request can carry is the row's own fault. Its values go, so its cells are to stand alone. */
static int collect_reject_too_large(struct upload *u, const struct planned *planned, struct err *e)
{
    struct entry entry = planned->entry;
    struct buf scratch = BUF_INIT(CELLS_MAX);
    if (entry_cells(&planned->entry, &scratch, &entry.cells) != 0) {
        buf_free(&scratch);
        return err_oom(e);
    }
    entry.outcome = OUTCOME_REJECTED;
    entry.reason = REASON_LEAD_TOO_LARGE;
    entry.values = entry.cells_by_values = STR_NONE;
    int rc = collect_settle_unsent(u, planned, &entry, e);
    buf_free(&scratch);
    return rc;
}

int collect_defer(struct upload *u, const struct planned *planned, enum reason reason, struct err *e)
{
    struct entry entry = planned->entry;
    entry.outcome = OUTCOME_DEFERRED;
    entry.reason = reason;
    if (entry.row == 0) {
        /* No row waits for it: the next complete read wants it again. */
        tally_removal(u->c.tally, entry.outcome);
        return 0;
    }
    return collect_settle_unsent(u, planned, &entry, e);
}

/* A group that was opened for a row that it cannot take. */
static void collect_drop_empty(struct collect_group *g)
{
    if (g->batch->record.entries_n > 0)
        return;
    batch_free(g->batch);
    g->batch = NULL;
}

/* A row joins the batch of its group, is deferred, or is rejected. The batch is closed when it has no room for the row, or
 * none for the next. */
int collect_add(struct upload *u, const struct planned *planned, struct err *e)
{
    struct collect_group *g = collect_group_for(u, planned, e);
    if (g == NULL)
        return -1;
    struct batch_run *b = g->batch;
    const struct operation *operation = b->operation;
    enum reason refused = operation->refuses != NULL ? operation->refuses(b) : REASON_NONE;
    if (refused != REASON_NONE) {
        collect_drop_empty(g);
        return collect_defer(u, planned, refused, e);
    }
    int fits = operation->add != NULL ? operation->add(b, planned, e) : 1;
    if (fits < 0)
        return -1;
    if (fits == 0 && b->record.entries_n == 0) {
        collect_drop_empty(g);
        return collect_reject_too_large(u, planned, e);
    }
    /* The request is full: the row is the first of the next one. */
    if (fits == 0)
        return collect_close(u, g, e) != 0 ? -1 : collect_add(u, planned, e);
    if (batch_add(b, planned, e) != 0)
        return -1;
    return b->record.entries_n == b->entries_cap ? collect_close(u, g, e) : 0;
}
