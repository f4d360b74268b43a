/* Missing leads in a dry run: those that a sync would remove, and those that wait because a row without a key may be theirs. */
#include "config.h"

#include "sync/pipeline/run_int.h"

int missing_show_removal(struct run *r, const struct planned *p, const struct lead *lead, bool certain, struct err *e)
{
    const struct target *to = NULL, *from;
    if (p->op == OP_MOVE && (to = targets_get(&r->targets, r->state, p->target, e)) == NULL)
        return -1;
    /* The next look-up may move the targets. */
    struct target copy = to != NULL ? *to : (struct target){.status = TARGET_STATUS_UNKNOWN};
    if ((from = targets_get(&r->targets, r->state, p->from, e)) == NULL)
        return -1;
    const struct diff_change change = {.op = OP_REMOVE,
                                       .entry = &p->entry,
                                       .target = to != NULL ? &copy : NULL,
                                       .from = from,
                                       .certain = certain,
                                       .old_lead = lead};
    return dry_run_change(r, &change, e);
}

int missing_show_waiting(struct run *r, const struct known_lead *known, struct err *e)
{
    struct entry entry = {
        .key_text = known->key_text,
        .has_lead_id = known->has_lead_id,
        .lead_id = known->lead_id,
        .detail = STR(DIFF_NO_ROW),
    };
    struct lead lead;
    int readable = row_plan_unpack(r, known->values, &r->known_arena, &lead, e);
    const struct target *from = readable >= 0 ? targets_get(&r->targets, r->state, known->target, e) : NULL;
    if (from == NULL)
        return -1;
    if (readable == 1 && lead.core[LEAD_EMAIL].kind == VALUE_STRING)
        entry.email = (struct str){lead.core[LEAD_EMAIL].p, lead.core[LEAD_EMAIL].n};
    const struct diff_change waits = {.op = OP_REMOVE,
                                      .entry = &entry,
                                      .from = from,
                                      .certain = true,
                                      .old_lead = readable == 1 ? &lead : NULL};
    return diff_waiting(r->diff, &waits, e);
}
