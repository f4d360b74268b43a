/* Rows of earlier runs that wait in the retry table: they are planned after the source, unless a row of the source with the
 * same key has replaced them. */
#include "config.h"

#include "sync/pipeline/run_int.h"

enum { ATTEMPTS_MAX = 5, SPOOL_MEMORY = 8 << 20 };

static int retry_one(struct run *r, struct entry *entry, uint32_t target, struct err *e)
{
    bool replaced, drops;
    struct lead lead;
    if (state_seen(r->state, &entry->key, &replaced, e) != 0)
        return -1;
    if (replaced)
        return 0; /* A row of the source has this key. */
    if (missing_drops_retry(r, entry, &drops, e) != 0)
        return -1;
    if (drops)
        return 0; /* The source no longer has such a row, and its lead would be removed. */
    r->tally->read++;
    r->tally->retried++;
    entry->retried = true;
    /* With a stage all leads belong in the one target, whichever step failed. */
    if (r->m->stage.on)
        target = r->targets.v[0].number;
    arena_reset(&r->row_arena);
    int readable = row_plan_unpack(r, entry->values, &r->row_arena, &lead, e);
    if (readable < 0)
        return -1;
    if (entry->attempts >= ATTEMPTS_MAX || readable == 0) {
        entry->outcome = OUTCOME_FAILED;
        entry->reason = REASON_ATTEMPTS_EXHAUSTED;
        entry->values = STR_NONE;
        return row_plan_leave_out(r, entry, target, NULL, STR_NONE, e);
    }
    return row_plan_lead(r, entry, &lead, target, e);
}

/* Skips a row that another mapping made, because this one may make it differently. It is counted for a notice. */
static int pass_over(struct run *r, const struct entry *entry, struct err *e)
{
    bool seen;
    if (state_seen(r->state, &entry->key, &seen, e) != 0)
        return -1;
    r->left.others++;
    r->left.others_read += seen;
    return 0;
}

/* The rows are copied into a spool first, because planning writes to the state that is being read. */
int retry_rows_take(struct run *r, struct err *e)
{
    struct retries *retries = NULL;
    struct spool *spool = NULL;
    struct planned planned = {.op = OP_NONE};
    uint64_t mapping;
    /* A trial (--limit) sends no other rows than the first of the source. */
    if (state_retries_n(r->state) == 0 || r->c->limit_rows > 0)
        return 0;
    int rc = spool_new(SPOOL_MEMORY, &spool, e);
    if (rc == 0)
        rc = state_retries_open(r->state, &retries, e);
    while (rc == 0) {
        arena_reset(&r->known_arena);
        int got = state_retries_next(retries, &r->known_arena, &planned.entry, &planned.target, &mapping, e);
        if (got <= 0) {
            rc = got;
            break;
        }
        rc = mapping == r->m->digest ? spool_put(spool, &planned, e) : pass_over(r, &planned.entry, e);
    }
    state_retries_close(retries);
    while (rc == 0) {
        int got = spool_get(spool, &planned, e);
        if (got <= 0) {
            rc = got;
            break;
        }
        rc = retry_one(r, &planned.entry, planned.target, e);
    }
    spool_free(spool);
    return rc;
}
