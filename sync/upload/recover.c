/* What earlier runs left open is found out by looking; nothing is written there. */
#include "config.h"

#include "sync/upload/batch.h"

#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"

/* An intent of an earlier version does not carry the id of a known lead: the state has it. */
static int recover_known_lead_id(struct upload *u, struct entry *entry, struct err *e)
{
    struct known_lead known;
    if (entry->has_lead_id)
        return 0;
    arena_reset(&u->scratch);
    int rc = state_lead_get(u->c.state, &entry->key, &u->scratch, &known, e);
    entry->has_lead_id = rc == 1 && known.has_lead_id;
    if (entry->has_lead_id)
        entry->lead_id = known.lead_id;
    return rc < 0 ? -1 : 0;
}

static int recover_take_open(struct upload *u, const struct batch *b, struct err *e)
{
    struct batch_run *w = batch_new(u, b->op, b->target, b->source, b->entries_n > 0 ? b->entries_n : 1, e);
    if (w == NULL)
        return -1;
    w->earlier = true;
    for (size_t i = 0; i < b->entries_n; i++) {
        struct planned p = {.op = b->op, .target = b->target, .entry = b->entries[i]};
        if (b->op != OP_CREATE && recover_known_lead_id(u, &p.entry, e) != 0)
            return -1;
        if (batch_add(w, &p, e) != 0)
            return -1;
    }
    struct entry *entries = w->record.entries;
    size_t n = w->record.entries_n;
    w->record = *b;
    w->record.entries = entries;
    w->record.entries_n = n;
    w->record.job = b->job != NULL ? arena_dup(&w->arena, b->job, strlen(b->job)) : NULL;
    w->first_sent_ms = b->sent_ms;
    w->skew_ms = b->skew_ms != 0 ? b->skew_ms : u->skew_ms;
    struct batch_slice *p = slice_of_all(w, e);
    if (p == NULL)
        return -1;
    p->round = 1;
    if (b->op == OP_MOVE)
        move_resume(p);
    else if (b->op == OP_REMOVE)
        remove_start(p);
    else if (b->op == OP_UPDATE)
        update_read(p);
    else
        create_proof_start(p);
    return 0;
}

/* A one-shot request by hand cannot be read back: its leads are reported as unattributed. */
static int recover_settle_unattributed(struct state *s, struct batch *b, struct err *e)
{
    for (size_t i = 0; i < b->entries_n; i++) {
        b->entries[i].outcome = OUTCOME_FAILED;
        b->entries[i].reason = REASON_UNATTRIBUTED;
    }
    b->state = BATCH_DONE;
    log_warning("run %llu, by hand, was cut off in a request whose outcome cannot be found out; leadsync results --run "
                "%llu names its leads: look at them in Instantly", (unsigned long long)b->run,
                (unsigned long long)b->run);
    return state_batch_settle(s, b, e);
}

int upload_settle_open(struct upload *u, struct err *e)
{
    struct arena arena;
    struct batch *open;
    size_t n;
    arena_init(&arena, (size_t)1 << 30);
    int rc = state_batches_open(u->c.state, &arena, &open, &n, e);
    for (size_t i = 0; rc == 0 && i < n && !u->stopping; i++) {
        if (u->c.settle_run != 0 && open[i].run != u->c.settle_run)
            continue;
        rc = open[i].op == OP_HAND ? recover_settle_unattributed(u->c.state, &open[i], e) : recover_take_open(u, &open[i], e);
        while (rc == 0 && upload_full(u))
            rc = upload_step(u, 1000, e);
    }
    arena_free(&arena);
    struct err late = ERR_INIT;
    if (rc != 0)
        upload_stop(u, u->c.stop_reason);
    if (upload_drain(u, &late) != 0 && rc == 0)
        rc = err_take(e, &late);
    err_clear(&late);
    return rc;
}

static int recover_by_key(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct hash128));
}

bool upload_key_is_open(struct upload *u, const struct hash128 *key)
{
    if (u->open_keys_n == 0)
        return false;
    if (!u->open_keys_sorted)
        qsort(u->open_keys, u->open_keys_n, sizeof *u->open_keys, recover_by_key);
    u->open_keys_sorted = true;
    return bsearch(key, u->open_keys, u->open_keys_n, sizeof *u->open_keys, recover_by_key) != NULL;
}
