/* stage: leads are created in a list, verified there, and then moved to their target.
 *
 * A proven create into the list stores no fingerprint. So until the move is proven too, the next run looks at the row again,
 * finds its lead in the list, and plans the move. That holds after a crash at any step. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include "sync/base/stop.h"

uint32_t stage_list(const struct run *r)
{
    return r->m->stage.on && r->targets.created_n > r->targets.mapped_n ? r->targets.v[r->targets.mapped_n].number : 0;
}

uint32_t stage_target(const struct run *r, struct entry *entry, uint32_t target)
{
    entry->staged = r->m->stage.on;
    return entry->staged ? stage_list(r) : target;
}

bool stage_is_promotion(const struct run *r, uint32_t from)
{
    return r->m->stage.on && from == stage_list(r);
}

int stage_put(void *run, const struct planned *move, struct err *e)
{
    struct run *r = run;
    struct entry entry = move->entry;
    if (r->spools.moves != NULL)
        return phases_put(r, move, e);
    /* The run was stopped during the create, and its moves are given up already. */
    entry.outcome = OUTCOME_DEFERRED;
    entry.reason = stop_requested() != 0 ? REASON_INTERRUPTED : REASON_TIME_BUDGET;
    return row_plan_leave_out(r, &entry, move->target, NULL, STR_NONE, e);
}
