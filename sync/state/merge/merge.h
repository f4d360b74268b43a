/* The merge of the journal, in its two halves: `merge` walks batches, windows and transactions, `resolve` decides what
 * each key becomes, `append` writes what comes in the batches' own order. Only merge.c, resolve.c and append.c use it.
 */
#ifndef SYNC_STATE_MERGE_MERGE_H
#define SYNC_STATE_MERGE_MERGE_H

#include "sync/state/tables/fold.h"
#include "sync/state/db/bulk_insert.h"
#include "sync/state/state_int.h"
#include "sync/state/tables/values.h"

/* Flags of a place, below the lead's number. */
enum {
    PLACE_INSERT = 1,  /* this entry writes the lead's row of lead_values */
    PLACE_UPDATE = 2,  /* … changes it */
    PLACE_ID_HERE = 4, /* this entry had another lead id than the lead has in the end */
    PLACE_RETRY = 8,   /* this entry goes to the retry table */
    PLACE_BITS = 4,    /* by which the number is shifted */
};

/* A lead whose id came with another entry than its values. */
struct id_fix {
    uint64_t lead;
    struct uuid id;
};

/* Rows of lead_values that a batch appends. */
struct append_bulk_insert {
    struct append_row {
        uint64_t lead;
        struct who who;
        const struct uuid *id; /* NULL: none */
        struct str packed;
    } * rows; /* in the batch's arena */
    size_t n, at;
};

struct merge {
    struct state *state;
    uint64_t refusal_context;
    int64_t now_ms;
    struct fold_list list;
    uint64_t *places; /* owned; by ordinal */
    size_t places_cap;
    struct id_fix *fixes; /* owned */
    size_t fixes_n, fixes_cap;
    size_t lead_at; /* of the feed of new leads */
    struct append_bulk_insert append;
    struct arena arena; /* of one batch */
    struct value_hasher hasher;
    struct buf results, rejects, scratch;
    uint64_t given_up; /* rows that no longer wait, without a proof */
};

/* Folds m->list, which is filled: sorts it, writes leads, refusals and retry keys, sets m->places and m->fixes. */
int resolve(struct merge *m, struct err *e);

/* Appends what a batch brings beside that: values, results, cells, retries. Ordinals go on from *ordinal. */
int append_batch(struct merge *m, const struct journal_batch *jb, bool retries, size_t *ordinal, struct err *e);

#endif
