/* The order of a run's writes: creates and updates, then moves, then removals.
 *
 * A running move job locks its source and its destination against adds, removals and other moves (409). Each phase is settled
 * before the next begins, so a run never waits for its own lock, only for those of others. */
#include "config.h"

#include "sync/pipeline/run_int.h"

#include "sync/base/log.h"
#include "sync/base/text.h"

enum { SPOOL_MEMORY = 8 << 20 };

int phases_start(struct run *r, struct err *e)
{
    if (r->diff != NULL)
        return 0;
    return spool_new(SPOOL_MEMORY, &r->spools.moves, e) != 0 ? -1 : spool_new(SPOOL_MEMORY, &r->spools.removals, e);
}

/* True if leads may still be in a target of an older mapping, because the run that should move them did not end. */
static bool knows_other_targets(struct run *r)
{
    struct err ignored = ERR_INIT;
    bool others = false;
    for (uint32_t number = 1; !others; number++) {
        struct target t;
        bool mapped = false;
        if (state_target_get(r->state, number, &r->run_arena, &t, &ignored) != 1)
            break;
        for (size_t i = 0; i < r->targets.n; i++)
            mapped = mapped || target_eq(&r->targets.v[i].target, &t);
        others = !mapped;
    }
    err_clear(&ignored);
    return others;
}

bool phases_hold_all(struct run *r)
{
    const struct mapping *m = r->m;
    if (state_leads_n(r->state) == 0)
        return false; /* A first run has no leads to move or remove. */
    /* With a `key:` only the end of the source shows which lead a row takes over. */
    return m->has_key || m->routes_n > 0 || r->change.target || m->skip_removes ||
           (m->mode == MODE_MIRROR && m->removed.policy != REMOVAL_KEEP) || knows_other_targets(r);
}

/* Moves and removals wait for their phase in spools of their own, because they lock targets that creates and updates need. */
int phases_put(struct run *r, const struct planned *planned, struct err *e)
{
    bool removal = planned->entry.row == 0 || planned->op == OP_REMOVE;
    /* A removal out of the stage's list is not a promotion. */
    if (!removal && stage_is_promotion(r, planned->from))
        r->guards.promotions++;
    return spool_put(removal ? r->spools.removals : r->spools.moves, planned, e);
}

/* ---- guards ---- */

int phases_judge_moved(struct run *r, struct err *e)
{
    uint64_t all = r->diff != NULL ? r->dry.summary.move : spool_n(r->spools.moves);
    uint64_t moves = all - r->guards.promotions, known;
    char advice[GUARD_ADVICE_N];
    if (state_leads_there(r->state, &known, e) != 0)
        return -1;
    known += r->guards.returning;
    if (!guard_judge(r, "moved", &r->m->guards.moved, moves > 0, moves, known))
        return 0;
    const struct guard_trip trip = {"moved", "nothing was done", "see `leadsync diff`, ", "correct the source or the route",
                                    guard_advice("moved", moves, known, advice)};
    return guard_trip(r, &trip, e, "%llu of %llu known lead%s would be moved", (unsigned long long)moves,
                      (unsigned long long)known, text_plural(known));
}

int phases_check_scope(struct run *r, struct err *e)
{
    const struct api_call call = {.method = "GET",
                                  .path = "/api/v2/background-jobs?limit=1",
                                  .optional = true,
                                  .urgent = true,
                                  .kind = API_KIND_JOBS};
    struct api_reply reply;
    if (spool_n(r->spools.moves) == 0 && !spool_has(r->spools.removals, OP_MOVE))
        return 0;
    if (api_call_wait(r->api, &call, &reply, e) != 0)
        return -1;
    if (reply.class == API_REFUSED && reply.http_status == 403)
        return err_set(e, XS_KEY,
                       "the key lacks the scope background-jobs:read, which moves need: add it in Instantly, or set "
                       "INSTANTLY_API_KEY to a key that has it");
    return 0;
}

/* ---- writing ---- */

/* A phase begins when the one before is settled. */
static int drain_into_upload(struct run *r, struct spool *spool, struct err *e)
{
    struct planned planned;
    int rc;
    if (spool_n(spool) == 0)
        return 0;
    if (upload_drain(r->upload, e) != 0)
        return -1;
    while ((rc = spool_get(spool, &planned, e)) == 1)
        if (guard_spool_upload(r, &planned, e) != 0)
            return -1;
    return rc;
}

int phases_apply(struct run *r, struct err *e)
{
    if (r->diff != NULL)
        return 0;
    /* Settle the creates first: only then it is known which leads have reached the stage's list. */
    if (r->m->stage.on && upload_drain(r->upload, e) != 0)
        return -1;
    if (drain_into_upload(r, r->spools.moves, e) != 0)
        return -1;
    /* Remove a replaced lead only after its replacement exists. */
    if (missing_rekeys(r) > 0 && upload_drain(r->upload, e) != 0)
        return -1;
    if (destination_check_sort(r, e) != 0)
        return -1;
    return drain_into_upload(r, r->spools.removals, e);
}
