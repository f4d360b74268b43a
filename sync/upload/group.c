/* Rows become batches: those with the same operation and the same ends travel together, up to what one request may
 * carry. A full group writes its intent and waits for the commit. */
#include "config.h"

#include "sync/upload/work.h"

#include <stdlib.h>

enum {
    CELLS_MAX = 256 << 20,
    UPDATE_GROUP = 100, /* as many leads as one leads/list reads */
    MOVE_GROUP = LEADS_MOVE_MAX,
    REMOVE_GROUP = LEADS_DELETE_MAX,
};

/* Digest of the body as it will be sent the first time: the intent says what was meant. Whoever is left out of a move
 * later is only known when the leads were looked at. */
static int digest_ids(struct work *w, struct err *e)
{
    size_t n = w->batch.entries_n;
    struct uuid *ids = arena_alloc(&w->arena, n * sizeof *ids);
    if (ids == NULL)
        return err_oom(e);
    for (size_t i = 0; i < n; i++)
        ids[i] = w->batch.entries[i].lead_id;
    if (w->batch.op == OP_MOVE) {
        const struct leads_move move = {w->from, w->target, ids, n};
        return api_leads_move_digest(&move, w->batch.body_sha256, e);
    }
    const struct leads_delete del = {w->from, ids, n};
    return api_leads_delete_digest(&del, w->batch.body_sha256, e);
}

static int digest(struct work *w, struct err *e)
{
    switch (w->batch.op) {
    case OP_CREATE: return create_close(w, e);
    case OP_MOVE:
    case OP_REMOVE: return digest_ids(w, e);
    default: return 0; /* a PATCH a lead: no one body */
    }
}

/* The group is full or the source is done: write the intent, which is durable at the next commit. */
int group_close(struct upload *u, struct group *g, struct err *e)
{
    struct work *w = g->work;
    g->work = NULL;
    if (w == NULL)
        return 0;
    if (digest(w, e) != 0)
        return -1;
    /* Marked as sent from the start: a mark made after the request left could be lost, and then a batch that arrived
     * would look as if it never had. */
    w->batch.sent_ms = u->c.clock->wall_ms(u->c.clock);
    if (state_batch_add(u->c.state, &w->batch, e) != 0)
        return -1;
    if (u->ready_n == u->ready_cap) {
        size_t cap = u->ready_cap == 0 ? 2 * COMMIT_EVENTS : 2 * u->ready_cap;
        struct work **ready = realloc(u->ready, cap * sizeof *ready);
        if (ready == NULL)
            return err_oom(e);
        u->ready = ready;
        u->ready_cap = cap;
    }
    u->ready[u->ready_n++] = w;
    return 0;
}

static size_t group_max(const struct upload *u, enum op op)
{
    switch (op) {
    case OP_UPDATE: return UPDATE_GROUP;
    case OP_MOVE: return MOVE_GROUP;
    case OP_REMOVE: return REMOVE_GROUP;
    default: return u->c.mapping->limits.batch;
    }
}

static struct group *find_group(struct upload *u, const struct planned *p, struct err *e)
{
    for (size_t i = 0; i < u->groups_n; i++)
        if (u->groups[i].op == p->op && u->groups[i].target == p->target && u->groups[i].from == p->from)
            return &u->groups[i];
    struct group *groups = realloc(u->groups, (u->groups_n + 1) * sizeof *groups);
    if (groups == NULL) {
        err_oom(e);
        return NULL;
    }
    u->groups = groups;
    groups[u->groups_n] = (struct group){p->op, p->target, p->from, NULL};
    return &groups[u->groups_n++];
}

/* The group that takes this row, with a batch to put it into. */
static struct group *group_for(struct upload *u, const struct planned *p, struct err *e)
{
    struct group *g = find_group(u, p, e);
    if (g == NULL || g->work != NULL)
        return g;
    struct work *w = work_new(u, p->op, p->target, p->from, group_max(u, p->op), e);
    if (w == NULL)
        return NULL;
    if (p->op == OP_CREATE && create_open(w, e) != 0) {
        work_free(w);
        return NULL;
    }
    g->work = w;
    return g;
}

/* A single lead that no request can carry is the row's own fault. Its values go, so its cells are to stand alone. */
static int reject_too_large(struct upload *u, const struct planned *planned, struct err *e)
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
static void drop_empty(struct group *g)
{
    if (g->work->batch.entries_n > 0)
        return;
    work_free(g->work);
    g->work = NULL;
}

/* 1 it goes into the group, 0 it was settled otherwise or the group has to be closed first (`again`), -1. */
static int take_create(struct upload *u, struct group *g, const struct planned *planned, bool *again, struct err *e)
{
    bool stuck = upload_is_stuck(u, planned->target);
    if (stuck || u->plan_full[g->work->target.kind]) {
        drop_empty(g);
        return upload_defer(u, planned, stuck ? REASON_JOB_OPEN : REASON_PLAN_FULL, e);
    }
    int fits = create_add(g->work, planned, e);
    if (fits != 0)
        return fits;
    if (g->work->batch.entries_n == 0) {
        drop_empty(g);
        return reject_too_large(u, planned, e);
    }
    *again = true;
    return group_close(u, g, e);
}

int upload_add(struct upload *u, const struct planned *planned, struct err *e)
{
    if (u->stopping || u->fatal.status != XS_DONE)
        return upload_defer(u, planned, u->c.stop_reason, e);
    for (bool again = true; again;) {
        struct group *g = group_for(u, planned, e);
        if (g == NULL)
            return -1;
        again = false;
        if (planned->op == OP_CREATE) {
            int fits = take_create(u, g, planned, &again, e);
            if (fits < 0)
                return -1;
            if (fits == 0)
                continue;
        }
        if (work_add(g->work, planned, e) != 0)
            return -1;
        return g->work->batch.entries_n == g->work->entries_cap ? group_close(u, g, e) : 0;
    }
    return 0;
}
