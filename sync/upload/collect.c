/* Rows become batches: those with the same operation and the same ends travel together, up to what one request may
 * carry. A full group writes its intent and waits for the commit. */
#include "config.h"

#include "sync/upload/batch.h"

#include <stdlib.h>

enum {
    CELLS_MAX = 256 << 20,
    UPDATE_GROUP = 100, /* as many leads as one leads/list reads */
    MOVE_GROUP = LEADS_MOVE_MAX,
    REMOVE_GROUP = LEADS_DELETE_MAX,
};

/* Digest of the body as it will be sent the first time: the intent says what was meant. Whoever is left out of a move
 * later is only known when the leads were looked at. */
static int collect_digest_ids(struct batch_run *b, struct err *e)
{
    size_t n = b->record.entries_n;
    struct uuid *ids = arena_alloc(&b->arena, n * sizeof *ids);
    if (ids == NULL)
        return err_oom(e);
    for (size_t i = 0; i < n; i++)
        ids[i] = b->record.entries[i].lead_id;
    if (b->record.op == OP_MOVE) {
        const struct leads_move move = {b->from, b->target, ids, n};
        return api_leads_move_digest(&move, b->record.body_sha256, e);
    }
    const struct leads_delete del = {b->from, ids, n};
    return api_leads_delete_digest(&del, b->record.body_sha256, e);
}

static int collect_digest(struct batch_run *b, struct err *e)
{
    switch (b->record.op) {
    case OP_CREATE: return create_close(b, e);
    case OP_MOVE:
    case OP_REMOVE: return collect_digest_ids(b, e);
    default: return 0; /* a PATCH a lead: no one body */
    }
}

/* The group is full or the source is done: write the intent, which is durable at the next commit. */
int collect_close(struct upload *u, struct collect_group *g, struct err *e)
{
    struct batch_run *b = g->batch;
    g->batch = NULL;
    if (b == NULL)
        return 0;
    if (collect_digest(b, e) != 0)
        return -1;
    /* Marked as sent from the start: a mark made after the request left could be lost, and then a batch that arrived
     * would look as if it never had. */
    b->record.sent_ms = u->c.clock->wall_ms(u->c.clock);
    if (state_batch_add(u->c.state, &b->record, e) != 0)
        return -1;
    if (u->ready_n == u->ready_cap) {
        size_t cap = u->ready_cap == 0 ? 2 * COMMIT_EVENTS : 2 * u->ready_cap;
        struct batch_run **ready = realloc(u->ready, cap * sizeof *ready);
        if (ready == NULL)
            return err_oom(e);
        u->ready = ready;
        u->ready_cap = cap;
    }
    u->ready[u->ready_n++] = b;
    return 0;
}

static size_t collect_max(const struct upload *u, enum op op)
{
    switch (op) {
    case OP_UPDATE: return UPDATE_GROUP;
    case OP_MOVE: return MOVE_GROUP;
    case OP_REMOVE: return REMOVE_GROUP;
    default: return u->c.mapping->limits.batch;
    }
}

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
    if (g == NULL || g->batch != NULL)
        return g;
    struct batch_run *b = batch_new(u, p->op, p->target, p->from, collect_max(u, p->op), e);
    if (b == NULL)
        return NULL;
    if (p->op == OP_CREATE && create_open(b, e) != 0) {
        batch_free(b);
        return NULL;
    }
    g->batch = b;
    return g;
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
    tally_row(u->c.tally, entry.outcome, entry.reason);
    int rc = state_entry_add(u->c.state, u->c.run, planned->target, &entry, e);
    buf_free(&scratch);
    return rc;
}

int upload_defer(struct upload *u, const struct planned *planned, enum reason reason, struct err *e)
{
    struct entry entry = planned->entry;
    entry.outcome = OUTCOME_DEFERRED;
    entry.reason = reason;
    if (entry.row == 0) {
        /* No row waits for it: the next complete read wants it again. */
        tally_removal(u->c.tally, entry.outcome);
        return 0;
    }
    tally_row(u->c.tally, entry.outcome, entry.reason);
    return state_entry_add(u->c.state, u->c.run, planned->target, &entry, e);
}

/* A group that was opened for a row that it cannot take. */
static void collect_drop_empty(struct collect_group *g)
{
    if (g->batch->record.entries_n > 0)
        return;
    batch_free(g->batch);
    g->batch = NULL;
}

/* 1 it goes into the group, 0 it was settled otherwise or the group has to be closed first (`again`), -1. */
static int collect_take_create(struct upload *u, struct collect_group *g, const struct planned *planned, bool *again, struct err *e)
{
    bool locked_targets = upload_target_is_locked(u, planned->target);
    if (locked_targets || u->plan_full[g->batch->target.kind]) {
        collect_drop_empty(g);
        return upload_defer(u, planned, locked_targets ? REASON_JOB_OPEN : REASON_PLAN_FULL, e);
    }
    int fits = create_add(g->batch, planned, e);
    if (fits != 0)
        return fits;
    if (g->batch->record.entries_n == 0) {
        collect_drop_empty(g);
        return collect_reject_too_large(u, planned, e);
    }
    *again = true;
    return collect_close(u, g, e);
}

int upload_add(struct upload *u, const struct planned *planned, struct err *e)
{
    if (u->stopping || u->fatal.status != XS_DONE)
        return upload_defer(u, planned, u->c.stop_reason, e);
    for (bool again = true; again;) {
        struct collect_group *g = collect_group_for(u, planned, e);
        if (g == NULL)
            return -1;
        again = false;
        if (planned->op == OP_CREATE) {
            int fits = collect_take_create(u, g, planned, &again, e);
            if (fits < 0)
                return -1;
            if (fits == 0)
                continue;
        }
        if (batch_add(g->batch, planned, e) != 0)
            return -1;
        return g->batch->record.entries_n == g->batch->entries_cap ? collect_close(u, g, e) : 0;
    }
    return 0;
}
