/* Proof moves the state, nothing else does: a fingerprint is only stored when no operation of the same run for the same
 * fingerprint has failed, whichever of the two came first. */
#include "config.h"

#include "sync/state/tables/fold.h"

#include "sync/state/state.h"
#include "sync/state/tables/values.h"

#include <stdlib.h>
#include <string.h>

static const unsigned UNSURE = KNOWN_UNSURE | KNOWN_UNSURE_NEW | KNOWN_UNSURE_REMOVAL;

void fold_init(struct fold *f)
{
    memset(f, 0, sizeof *f);
    f->status = TARGET_STATUS_UNKNOWN;
    f->values_from = f->proven_from = f->retry_from = FOLD_NONE;
}

/* The row no longer waits. */
static void end_wait(struct fold *f, const struct fold_item *item)
{
    f->retry = FOLD_DROP;
    f->retry_run = item->run;
}

/* What a reason proves about a lead that we know. */
static void fold_record_status(struct fold *f, enum reason reason)
{
    int status = lead_status_of_reason(reason);
    if (!f->known)
        return;
    if (status != TARGET_STATUS_UNKNOWN && status != f->status) {
        f->status = status;
        f->changed = true;
    }
    if ((reason == REASON_DELETED_THERE || reason == REASON_GONE_THERE) && !(f->flags & KNOWN_DELETED_THERE)) {
        /* While our own removal may have been carried out late, the lead is gone by that: its row brings it back. */
        f->flags |= f->flags & KNOWN_UNSURE_REMOVAL ? KNOWN_REMOVED : KNOWN_DELETED_THERE;
        f->flags &= ~UNSURE;
        f->fingerprint = 0;
        f->changed = true;
    }
}

/* The lead is as the row wants it. If the same form of the row has failed in the same run, the fingerprint stays 0 and the
 * row is looked at again. A lead under doubt needs two proofs: the first one only ends the newer half of it. */
static void proven(struct fold *f, const struct fold_item *item)
{
    bool created = item->outcome == OUTCOME_CREATED;
    bool spoilt = f->spoilt && f->spoilt_run == item->run && f->spoilt_fingerprint == item->fingerprint;
    f->known = true;
    f->changed = true;
    f->fingerprint = spoilt || f->flags & KNOWN_UNSURE_NEW || item->bits & ITEM_STAGED ? 0 : item->fingerprint;
    f->flags &= f->flags & KNOWN_UNSURE_NEW ? ~(unsigned)KNOWN_UNSURE_NEW : ~UNSURE;
    f->target = item->target;
    f->flags &= ~(unsigned)(KNOWN_REMOVED | KNOWN_AWAY | KNOWN_DELETED_THERE | KNOWN_STAYS);
    if (created) {
        f->flags |= KNOWN_CREATED;
        f->status = TARGET_STATUS_UNKNOWN;
    }
    if (item->bits & ITEM_LEAD_ID) {
        f->lead_id = item->lead_id;
        f->has_lead_id = f->id_recorded = true;
    }
    f->proven_from = item->ordinal;
    if (item->bits & ITEM_VALUES)
        f->values_from = item->ordinal;
    if (!spoilt) {
        f->refusal = FOLD_DROP;
        end_wait(f, item);
    }
}

/* What was proven of this fingerprint is no longer so: the row has to be looked at again. */
static void disprove(struct fold *f, const struct fold_item *item)
{
    if (f->known && f->fingerprint == item->fingerprint && f->fingerprint != 0) {
        f->fingerprint = 0;
        f->changed = true;
    }
}

/* What was sent to a lead that we have may still be carried out, or was carried out in part: a move writes values first. Then
 * neither its fingerprint nor its values say what Instantly has, nor its target where. A create writes to the lead that it
 * meets, which may be another key's: that one has a note of its own. */
static void doubt(struct fold *f, const struct fold_item *item)
{
    bool sent = item->reason == REASON_OUTCOME_OPEN || item->reason == REASON_API_ERROR || item->reason == REASON_NOT_STORED;
    bool writes = item->op == OP_UPDATE || item->op == OP_REMOVE || item->op == OP_MOVE;
    bool unproved = (item->bits & ITEM_UNPROVED) != 0 && item->op != OP_CREATE && item->reason != REASON_GONE_THERE;
    if (!f->known || (!unproved && !(sent && writes)))
        return;
    f->flags |= KNOWN_UNSURE | KNOWN_UNSURE_NEW | (item->op == OP_REMOVE ? KNOWN_UNSURE_REMOVAL : 0);
    f->fingerprint = 0;
    f->changed = true;
}

static void refused(struct fold *f, const struct fold_item *item)
{
    end_wait(f, item);
    fold_record_status(f, (enum reason)item->reason);
    doubt(f, item);
    /* What mapping or plan decided is decided again for nothing; a removal has no row to refuse. Only which of two rows has an
     * address is not known to every read. */
    if ((item->op == OP_NONE && !(item->bits & ITEM_BY_ADDRESS)) || item->bits & ITEM_REMOVAL)
        return;
    disprove(f, item);
    f->refusal = FOLD_PUT;
    f->refusal_fingerprint = item->fingerprint;
    f->refusal_reason = (enum reason)item->reason;
}

/* Whatever the reason, this form of the row is no longer proved. With values the row waits in the retry table, without them
 * it comes back with the next read. */
static void failed(struct fold *f, const struct fold_item *item)
{
    fold_record_status(f, (enum reason)item->reason);
    doubt(f, item);
    f->spoilt = true;
    f->spoilt_run = item->run;
    f->spoilt_fingerprint = item->fingerprint;
    disprove(f, item);
    if (f->known && item->reason == REASON_EXISTS_IN_TARGET && (item->bits & ITEM_REMOVAL)) {
        f->flags |= KNOWN_STAYS;
        f->changed = true;
    }
    if (item->reason == REASON_ATTEMPTS_EXHAUSTED) {
        end_wait(f, item);
    } else if (item->bits & ITEM_VALUES) {
        f->refusal = FOLD_DROP; /* a row that waits is not refused */
        f->retry = FOLD_PUT;
        f->retry_run = item->run;
        f->retry_from = item->ordinal;
        f->retry_fingerprint = item->fingerprint;
    }
}

/* The lead is another key's now: this one's row, if it ever comes, gets a lead of its own. */
static void taken(struct fold *f, const struct fold_item *item)
{
    if (!f->known || (f->id_recorded && !uuid_eq(&f->lead_id, &item->lead_id)))
        return;
    f->flags = (f->flags | KNOWN_REMOVED) & ~(KNOWN_AWAY | KNOWN_STAYS | UNSURE);
    f->fingerprint = 0;
    f->changed = true;
}

/* Another row met the lead, and waits until no earlier write can change it. That was a look at it. */
static void met(struct fold *f, const struct fold_item *item)
{
    if (!f->known || (f->id_recorded && !uuid_eq(&f->lead_id, &item->lead_id)))
        return;
    f->flags &= f->flags & KNOWN_UNSURE_NEW ? ~(unsigned)KNOWN_UNSURE_NEW : ~UNSURE;
    f->changed = true;
}

/* What is known of the person stays: a person who unsubscribed must not return with the row. */
static void removed(struct fold *f, const struct fold_item *item)
{
    end_wait(f, item);
    if (!f->known)
        return;
    fold_record_status(f, (enum reason)item->reason);
    f->flags = (f->flags | KNOWN_REMOVED) & ~(KNOWN_AWAY | KNOWN_STAYS | UNSURE);
    f->fingerprint = 0;
    if (item->op == OP_MOVE) {
        f->flags |= KNOWN_AWAY;
        f->target = item->target;
        /* It may have been found under another id, by which it is moved back. */
        if (item->bits & ITEM_LEAD_ID) {
            f->lead_id = item->lead_id;
            f->has_lead_id = f->id_recorded = true;
            f->proven_from = item->ordinal;
        }
    }
    f->changed = true;
}

static void unchanged(struct fold *f, const struct fold_item *item)
{
    bool has_lead_id = (item->bits & ITEM_LEAD_ID) != 0;
    switch (entry_note_of((enum reason)item->reason, has_lead_id, (item->bits & ITEM_UNPROVED) != 0, item->fingerprint)) {
    case NOTE_STATUS:
        end_wait(f, item);
        fold_record_status(f, (enum reason)item->reason);
        break;
    case NOTE_TAKEN: taken(f, item); break;
    case NOTE_MET: met(f, item); break;
    case NOTE_WRITTEN: doubt(f, item); break;
    case NOTE_NONE:
        /* Without an id and without a lead of ours there is nothing to remember. */
        if (has_lead_id || f->known)
            proven(f, item);
        break;
    }
}

/* The order of calls is the order of the journal, and later entries win. That is why a merge and a dry run come to the same
 * result. */
void fold_item(struct fold *f, const struct fold_item *item)
{
    if (item->bits & ITEM_OPEN) {
        f->open = true;
        return;
    }
    switch ((enum outcome)item->outcome) {
    case OUTCOME_CREATED:
    case OUTCOME_CHANGED: proven(f, item); break;
    case OUTCOME_UNCHANGED: unchanged(f, item); break;
    case OUTCOME_SKIPPED:
    case OUTCOME_REJECTED: refused(f, item); break;
    case OUTCOME_DEFERRED:
    case OUTCOME_FAILED: failed(f, item); break;
    case OUTCOME_REMOVED: removed(f, item); break;
    case OUTCOME_NONE:
    case OUTCOME_N: break;
    }
}

bool fold_wants(const struct entry *entry, enum op op, bool retries)
{
    static const struct hash128 none;
    /* A row without a usable key is only counted and listed. */
    if (hash128_eq(&entry->key, &none))
        return false;
    /* The row that won decides about the key; the losers must not take it out of the retry table. A row that loses its address
     * has a key of its own. */
    if (op == OP_NONE && entry->outcome == OUTCOME_SKIPPED && entry->reason == REASON_DUPLICATE_IN_SOURCE)
        return entry->by_address;
    if (op != OP_NONE || (entry->outcome != OUTCOME_SKIPPED && entry->outcome != OUTCOME_REJECTED))
        return true;
    /* A row decided without a request takes its key out of the retry table, if that has any, and may change the lead.
     */
    return retries || lead_status_of_reason(entry->reason) != TARGET_STATUS_UNKNOWN || entry->reason == REASON_DELETED_THERE;
}

/* ---- the list ---- */

void fold_list_init(struct fold_list *l, size_t max)
{
    memset(l, 0, sizeof *l);
    l->max = max < FOLD_NONE ? max : FOLD_NONE - 1;
}

void fold_list_free(struct fold_list *l)
{
    free(l->items);
    free(l->order);
    memset(l, 0, sizeof *l);
}

void fold_list_reset(struct fold_list *l)
{
    l->n = 0;
}

/* A cleared item with its ordinal; NULL when memory is short. The caller looks at n and max before. */
static struct fold_item *fold_list_add(struct fold_list *l, struct err *e)
{
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 1024 : l->cap + l->cap / 2;
        struct fold_item *grown = reallocarray(l->items, cap, sizeof *grown);
        if (grown == NULL) {
            err_oom(e);
            return NULL;
        }
        l->items = grown;
        l->cap = cap;
    }
    struct fold_item *item = &l->items[l->n++];
    memset(item, 0, sizeof *item);
    item->ordinal = (uint32_t)(l->n - 1);
    return item;
}

int fold_list_add_entry(struct fold_list *l, const struct entry *entry, enum op op, uint32_t target, uint64_t run, bool open,
                        struct err *e)
{
    struct fold_item *item = fold_list_add(l, e);
    if (item == NULL)
        return -1;
    item->key = entry->key;
    item->fingerprint = entry->fingerprint;
    item->lead_id = entry->lead_id;
    item->target = target;
    item->run = (uint32_t)run;
    item->op = (uint8_t)op;
    item->outcome = (uint8_t)entry->outcome;
    item->reason = (uint8_t)entry->reason;
    item->bits = (uint8_t)((entry->has_lead_id ? ITEM_LEAD_ID : 0) | (entry->values.n > 0 ? ITEM_VALUES : 0) |
                           (entry->hashes.n > 0 ? ITEM_VALUES | ITEM_HASHES : 0) | (open ? ITEM_OPEN : 0) |
                           (entry->row == 0 && op != OP_NONE ? ITEM_REMOVAL : 0) | (entry->staged ? ITEM_STAGED : 0) |
                           (entry->by_address ? ITEM_BY_ADDRESS : 0) | (entry->unproved ? ITEM_UNPROVED : 0));
    return 0;
}

static bool fold_before(const struct fold_item *a, const struct fold_item *b)
{
    return memcmp(a->key.b, b->key.b, sizeof a->key.b) < 0;
}

/* Moves every item to its place, cycle by cycle; order[i] says which item comes to place i. Everything after this reads
 * the list from front to back, which is what makes it fast. */
static void permute(struct fold_item *items, uint32_t *order, size_t n)
{
    for (size_t start = 0; start < n; start++) {
        if (order[start] == start)
            continue;
        struct fold_item first = items[start];
        size_t at = start;
        for (size_t from; (from = order[at]) != start; at = from) {
            items[at] = items[from];
            order[at] = (uint32_t)at;
        }
        items[at] = first;
        order[at] = (uint32_t)at;
    }
}

/* Keys are spread evenly: scaled to n buckets and counted they are all but sorted, and insertion does the rest. Both
 * steps keep the order of equal keys. */
int fold_list_sort(struct fold_list *l, struct err *e)
{
    size_t n = l->n;
    if (n == 0)
        return 0;
    uint32_t *order = reallocarray(l->order, n, sizeof *order);
    uint32_t *starts = calloc(n + 1, sizeof *starts);
    if (order != NULL)
        l->order = order;
    if (order == NULL || starts == NULL) {
        free(starts);
        return err_oom(e);
    }
    for (size_t i = 0; i < n; i++)
        starts[hash_scale(hash128_high(&l->items[i].key), n) + 1]++;
    for (size_t i = 1; i <= n; i++)
        starts[i] += starts[i - 1];
    for (size_t i = 0; i < n; i++)
        order[starts[hash_scale(hash128_high(&l->items[i].key), n)]++] = (uint32_t)i;
    free(starts);
    permute(l->items, order, n);
    for (size_t i = 1; i < n; i++) {
        if (!fold_before(&l->items[i], &l->items[i - 1]))
            continue;
        struct fold_item moving = l->items[i];
        size_t at = i;
        for (; at > 0 && fold_before(&moving, &l->items[at - 1]); at--)
            l->items[at] = l->items[at - 1];
        l->items[at] = moving;
    }
    return 0;
}

size_t fold_list_group(const struct fold_list *l, size_t from)
{
    const struct hash128 *key = &l->items[from].key;
    size_t to = from + 1;
    while (to < l->n && memcmp(l->items[to].key.b, key->b, sizeof key->b) == 0)
        to++;
    return to;
}
