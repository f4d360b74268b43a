/* Batches that earlier runs left open: what they did is found out by reading; nothing is sent that writes. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <string.h>

#include "sync/base/log.h"

enum { KNOWN_MAX = 1 << 24 };

/* An intent of an earlier version does not carry the id of a known lead: the state has it. */
static int recover_known_lead_id(struct upload *u, struct entry *entry, struct err *e)
{
    struct known_lead known;
    if (entry->has_lead_id)
        return 0;
    struct arena arena;
    arena_init(&arena, KNOWN_MAX);
    int rc = state_lead_get(u->c.state, &entry->key, &arena, &known, e);
    entry->has_lead_id = rc == 1 && known.has_lead_id;
    if (entry->has_lead_id)
        entry->lead_id = known.lead_id;
    arena_free(&arena);
    return rc < 0 ? -1 : 0;
}

static int recover_take_open(struct upload *u, const struct batch *record, struct err *e)
{
    size_t entries_max = record->entries_n > 0 ? record->entries_n : 1;
    if (operation_of(record->op) == NULL)
        return err_set(e, XS_STATE, "the state is damaged: open batch %llu has no operation; restore the file from a backup",
                       (unsigned long long)record->id);
    struct batch_run *b = batch_new(u, record->op, record->target, record->source, entries_max, e);
    if (b == NULL)
        return -1;
    b->earlier = true;
    for (size_t i = 0; i < record->entries_n; i++) {
        struct planned p = {.op = record->op, .target = record->target, .entry = record->entries[i]};
        bool known = b->operation != &create_operation;
        if ((known && recover_known_lead_id(u, &p.entry, e) != 0) || batch_add(b, &p, e) != 0) {
            batch_free(b);
            return -1;
        }
    }
    struct entry *entries = b->record.entries;
    size_t n = b->record.entries_n;
    /* batch_add() has counted the entries. All other members are as the state has them. */
    b->record = *record;
    b->record.entries = entries;
    b->record.entries_n = n;
    b->record.job = record->job != NULL ? arena_dup(&b->arena, record->job, strlen(record->job)) : NULL;
    b->first_sent_ms = record->sent_ms;
    b->skew_ms = record->skew_ms != 0 ? record->skew_ms : u->skew_ms;
    batch_advance(b, NULL, LIFE_DURABLE);
    struct batch_slice *s = slice_of_all(b, e);
    if (s == NULL)
        return -1;
    /* A request was sent, or may have been: what is read now is a proof (slice_read()). */
    s->round = 1;
    b->operation->resume(s);
    return 0;
}

int recover_batch(struct upload *u, struct batch *record, struct err *e)
{
    return recover_take_open(u, record, e);
}
