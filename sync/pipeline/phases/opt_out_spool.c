/* Rows of a mapping with skip_when, which wait for the end of the source.
 *
 * A later row may say that the person of an earlier one opts out (rows/opt_out.c). So every row waits with what the state
 * knows of it. A row that can send nothing, such as an unchanged one, waits without its values: about 60 bytes. */
#include "config.h"

#include "sync/pipeline/run_int.h"

/* True if the row may send something. Others are decided by what the state knows of them, unless that is compared with Instantly. */
static bool may_ask(const struct run *r, const struct remembered *remembered)
{
    return r->compare.remote != NULL || remembered->kind == REMEMBERED_NOTHING || remembered->kind == REMEMBERED_OTHER ||
           remembered->kind == REMEMBERED_RETRY;
}

int opt_out_spool_put(struct run *r, const struct entry *entry, uint32_t target, const struct remembered *remembered,
                      struct err *e)
{
    struct planned planned = {.op = OP_NONE, .target = target, .entry = *entry, .remembered = *remembered};
    int rc = 0;
    if (!may_ask(r, remembered))
        planned.entry.values = STR_NONE;
    /* The cells of an unchanged row are not needed. */
    if (row_cells_wanted(r) && remembered->kind != REMEMBERED_SAME && remembered->kind != REMEMBERED_SEEN)
        rc = row_cells_keep_by_values(r, &planned.entry, e);
    return rc != 0 ? -1 : spool_put(r->spools.opt_out, &planned, e);
}

static int decide_waiting(struct run *r, struct planned *p, struct err *e)
{
    struct lead lead = {.shape = &r->m->shape};
    arena_reset(&r->row_arena);
    if (may_ask(r, &p->remembered) && lead_unpack(p->entry.values, &r->m->shape, &r->row_arena, &lead) != 0)
        return err_set(e, XS_INTERNAL, "a held row cannot be read back: please report");
    return row_plan_remembered(r, &p->entry, &lead, p->target, p->remembered, e);
}

/* After an error guard_spool_abandon() counts the remaining rows. */
int opt_out_spool_settle(struct run *r, struct err *e)
{
    struct planned planned;
    int rc;
    while ((rc = spool_get(r->spools.opt_out, &planned, e)) == 1) {
        arena_reset(&r->row_arena);
        int left = opt_out_leave(r, &planned.entry, planned.target, e);
        if (left < 0 || (left == 0 && decide_waiting(r, &planned, e) != 0))
            return -1;
    }
    if (rc == 0) {
        spool_free(r->spools.opt_out);
        r->spools.opt_out = NULL;
    }
    return rc;
}

int opt_out_spool_abandon(struct run *r, enum reason reason, bool keep, struct str detail, struct err *e)
{
    struct planned planned;
    int rc;
    while ((rc = spool_get(r->spools.opt_out, &planned, e)) == 1) {
        if (!may_ask(r, &planned.remembered)) {
            rc = decide_waiting(r, &planned, e);
        } else {
            planned.entry.outcome = OUTCOME_DEFERRED;
            planned.entry.reason = reason;
            if (!keep) {
                planned.entry.detail = detail;
                planned.entry.values = STR_NONE;
            }
            rc = row_plan_leave_out(r, &planned.entry, planned.target, NULL, STR_NONE, e);
        }
        if (rc != 0)
            break;
    }
    spool_free(r->spools.opt_out);
    r->spools.opt_out = NULL;
    return rc;
}
