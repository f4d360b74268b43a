/* Rows that compete for one key under `duplicates: last` or `duplicates: reject`.
 *
 * Which row of a key counts is only known at the end of the source, so all mapped rows wait in a spool. At the end each
 * loser is left out, with the row to which it lost, and each winner is planned as if it had just been read. */
#include "config.h"

#include "sync/pipeline/run_int.h"
#include "sync/pipeline/rows/conflicting_rows.h"

#include <stdlib.h>
#include <string.h>

enum { SPOOL_MEMORY = 8 << 20 };

int dedupe_spool_put(struct run *r, const struct entry *entry, const struct lead *lead, uint32_t target, struct err *e)
{
    struct planned planned = {.op = OP_NONE, .target = target, .entry = *entry};
    buf_reset(&r->scratch.values);
    if (row_cells_keep(r, &planned.entry, e) != 0)
        return -1;
    if (lead_pack(lead, &r->scratch.values) != 0)
        return err_oom(e);
    planned.entry.values = buf_str(&r->scratch.values);
    if (r->read.conflicts != NULL)
        conflicting_rows_add(r, entry,
                             hash_keyed64(state_secret(r->state), r->scratch.values.p, r->scratch.values.n) ^ target);
    return spool_put(r->spools.dedupe, &planned, e);
}

struct contender {
    union {
        struct hash128 key;
        uint64_t winner; /* After judging: the row to which it loses; 0: none. */
    };
    uint64_t at, row; /* Its position in the spool, and its row of the source. */
};

static int by_key(const void *a, const void *b)
{
    const struct contender *x = a, *y = b;
    int c = memcmp(x->key.b, y->key.b, sizeof x->key.b);
    return c != 0 ? c : (x->at > y->at) - (x->at < y->at);
}

static int by_position(const void *a, const void *b)
{
    const struct contender *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

/* `all` are the rows of one key, in order. With `last` all but the last lose; with `reject` each loses to another one. */
static void find_winners(const struct run *r, struct contender *all, size_t n)
{
    const bool last_wins = r->m->duplicates == DUPLICATES_LAST || n == 1;
    const uint64_t first = all[0].row, second = n > 1 ? all[1].row : 0, last = all[n - 1].row;
    for (size_t i = 0; i < n; i++)
        if (last_wins)
            all[i].winner = i + 1 < n ? last : 0;
        else
            all[i].winner = i > 0 ? first : second;
}

/* Fills *out with the row to which each position of the spool loses, and copies the rows into `replay`. This needs 32 bytes
 * per row, and is refused if --memory is less. */
static int losers(struct run *r, struct spool *replay, struct contender **out, struct err *e)
{
    size_t n = 0, cap = (size_t)spool_n(r->spools.dedupe);
    struct contender *all = NULL;
    struct planned planned;
    int rc = 1;
    if (cap * sizeof *all > r->c->memory_max)
        return err_set(e, XS_CONFIG,
                       "`duplicates: %s` over %zu rows needs more than --memory: raise it, or use "
                       "`duplicates: first`",
                       r->m->duplicates == DUPLICATES_LAST ? "last" : "reject", cap);
    *out = all = malloc((cap + 1) * sizeof *all);
    if (all == NULL)
        return err_oom(e);
    while ((rc = spool_get(r->spools.dedupe, &planned, e)) == 1) {
        all[n] = (struct contender){.key = planned.entry.key, .at = n, .row = planned.entry.row};
        n++;
        if (spool_put(replay, &planned, e) != 0)
            return -1;
    }
    if (rc != 0)
        return rc;
    qsort(all, n, sizeof *all, by_key);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && hash128_eq(&all[end].key, &all[i].key); end++)
            ;
        find_winners(r, all + i, end - i);
    }
    qsort(all, n, sizeof *all, by_position);
    return 0;
}

int dedupe_spool_settle(struct run *r, struct err *e)
{
    struct spool *replay = NULL;
    struct contender *all = NULL;
    struct planned planned;
    int rc = spool_new(SPOOL_MEMORY, &replay, e);
    if (rc == 0)
        rc = losers(r, replay, &all, e);
    spool_free(r->spools.dedupe);
    r->spools.dedupe = NULL;
    for (uint64_t at = 0; rc == 0; at++) {
        int got = spool_get(replay, &planned, e);
        if (got <= 0) {
            rc = got;
            break;
        }
        struct lead lead;
        struct entry entry = planned.entry;
        arena_reset(&r->row_arena);
        if ((got = opt_out_leave(r, &entry, planned.target, e)) != 0) {
            rc = got < 0 ? -1 : 0;
        } else if (lead_unpack(entry.values, &r->m->shape, &r->row_arena, &lead) != 0) {
            rc = err_set(e, XS_INTERNAL, "a held row cannot be read back: please report");
        } else if (all[at].winner > 0) {
            entry.outcome = r->m->duplicates == DUPLICATES_LAST ? OUTCOME_SKIPPED : OUTCOME_REJECTED;
            entry.reason = REASON_DUPLICATE_IN_SOURCE;
            entry.values = STR_NONE;
            rc = row_address_report_double(r, &entry, !r->m->has_key, all[at].winner, e);
            if (rc == 0)
                rc = missing_protect_key(r, &entry.key, e);
            if (rc == 0)
                rc = row_plan_leave_out(r, &entry, planned.target, NULL, STR_NONE, e);
        } else {
            rc = row_plan_lead(r, &entry, &lead, planned.target, e);
        }
    }
    free(all);
    /* After an error guard_spool_abandon() counts the remaining rows. */
    if (rc != 0)
        r->spools.dedupe = replay;
    else
        spool_free(replay);
    return rc;
}
