/* Shows a decision in the diff, and counts the requests that it would need, grouped as the upload would group them. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include <stdlib.h>

/* Counts a move. Moves with the same source and destination share requests. */
static int count_move(struct run *r, uint32_t from, uint32_t to, struct err *e)
{
    struct move_count *m = r->dry.move_counts;
    size_t i = 0;
    while (i < r->dry.move_counts_n && (m[i].from != from || m[i].to != to))
        i++;
    if (i == r->dry.move_counts_n) {
        m = realloc(m, (i + 1) * sizeof *m);
        if (m == NULL)
            return err_oom(e);
        r->dry.move_counts = m;
        m[r->dry.move_counts_n++] = (struct move_count){from, to, 0};
    }
    r->dry.summary.move++;
    r->guards.promotions += stage_is_promotion(r, from);
    r->dry.summary.requests_move += m[i].n++ % LEADS_MOVE_MAX == 0;
    return 0;
}

static void count_create(struct run *r, uint32_t target)
{
    r->dry.summary.create++;
    for (size_t i = 0; i < r->targets.created_n; i++)
        if (r->targets.v[i].number == target)
            r->dry.creates_by_target[i]++;
}

/* True if a field is only written when it is empty in Instantly, which a dry run does not know. */
static bool depends_on_what_is_there(const struct run *r, const struct decision *d, const struct lead *lead)
{
    for (size_t f = 0; f < LEAD_FIELD_N; f++)
        if ((d->fields & 1U << f) != 0 && r->m->overwrite[f] == OVERWRITE_IF_EMPTY)
            return true;
    for (size_t c = 0; d->custom && c < lead->shape->custom_n; c++)
        if (r->scratch.custom_changed[c] && r->m->overwrite[LEAD_FIELD_N + c] == OVERWRITE_IF_EMPTY)
            return true;
    return false;
}

/* Updates are read back, as many as one list request returns, and before that read once if one of them needs it. A move reads
 * its leads itself. */
static void count_reads(struct run *r, const struct decision *d, const struct lead *lead)
{
    struct diff_summary *s = &r->dry.summary;
    uint64_t batch = r->dry.lone_updates / LEADS_LIST_MAX + 1;
    enum patch_variables patch = r->dry.patch.variables;
    /* What is not known may be learned from the first batch. */
    bool merges = patch == PATCH_MERGES || (patch == PATCH_UNKNOWN && batch > 1);
    bool unread = merges && d->custom && plan_needs_no_read(r->m, lead, d->fields, r->scratch.custom_changed);
    s->requests_update += r->dry.lone_updates++ % LEADS_LIST_MAX == 0;
    if (!unread && r->dry.batch_read != batch) {
        s->requests_update++;
        r->dry.batch_read = batch;
    }
}

int dry_run_change(struct run *r, const struct diff_change *c, struct err *e)
{
    return dry_payload_change(r, c, e) != 0 ? -1 : diff_change(r->diff, c, e);
}

static int show_update(struct run *r, const struct decision *d, struct diff_change change, struct err *e)
{
    r->dry.summary.update++;
    r->dry.summary.requests_update++;
    if (d->op == OP_UPDATE)
        count_reads(r, d, change.new_lead);
    change.op = OP_UPDATE;
    change.certain = r->compare.remote != NULL || !depends_on_what_is_there(r, d, change.new_lead);
    change.fields = d->fields;
    change.custom = r->scratch.custom_changed;
    return dry_run_change(r, &change, e);
}

/* A lead created in the stage's list is moved on if its verification passes. The diff shows both steps. */
static int show_create(struct run *r, const struct diff_change *change, uint32_t target, struct err *e)
{
    count_create(r, target);
    if (dry_run_change(r, change, e) != 0)
        return -1;
    if (!change->entry->staged)
        return 0;
    struct diff_change move = *change;
    move.op = OP_MOVE;
    move.from = change->target;
    move.target = &r->targets.v[0].target;
    r->dry.summary.verifications += r->m->stage.verify;
    return count_move(r, target, r->targets.v[0].number, e) != 0 ? -1 : dry_run_change(r, &move, e);
}

int dry_run_show(struct run *r, const struct decision *d, struct entry *entry, uint32_t target, uint32_t from,
                 const struct lead *old, const struct lead *lead, struct err *e)
{
    if (row_cells_keep(r, entry, e) != 0)
        return -1;
    /* Call this first: adding a target that is not in the mapping may reallocate the others. */
    const struct target *source = d->op == OP_MOVE || d->rekey ? run_target(r, from) : NULL;
    /* clang-format off */
    struct diff_change change = {
        .op = d->op, .rekey = d->rekey, .entry = entry, .target = run_target(r, target), .from = source,
        .certain = d->op != OP_CREATE && !(d->op == OP_MOVE && stage_is_promotion(r, from)),
        .old_lead = d->op == OP_CREATE && !d->rekey ? NULL : old, .new_lead = lead,
        .drift = r->compare.remote != NULL && r->compare.row.row == entry->row && r->compare.row.drift,
    };
    /* clang-format on */
    r->dry.rekeys += d->rekey;
    if (d->op == OP_CREATE)
        return show_create(r, &change, target, e);
    r->dry.summary.changed++;
    if (d->op == OP_UPDATE)
        return show_update(r, d, change, e);
    if (d->fields != 0 || d->custom) {
        /* Values are written where the lead is, before it moves. */
        struct diff_change update = change;
        update.target = change.from;
        update.from = NULL;
        if (show_update(r, d, update, e) != 0)
            return -1;
    }
    return count_move(r, from, target, e) != 0 ? -1 : dry_run_change(r, &change, e);
}
