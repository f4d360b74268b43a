/* The merge of the journal, in its two halves: `merge` walks batches, windows and transactions, `resolve` decides what
 * each key becomes. Only merge.c and resolve.c use it. */
#ifndef SYNC_STATE_MERGE_H
#define SYNC_STATE_MERGE_H

#include "sync/state/fold.h"
#include "sync/state/merge_leads.h"
#include "sync/state/state_int.h"
#include "sync/state/values.h"

/* Flags of a place, below the lead's number. */
enum {
    PLACE_INSERT = 1,  /* this entry writes the lead's row of lead_values */
    PLACE_UPDATE = 2,  /* … changes it */
    PLACE_ID_HERE = 4, /* this entry had another lead id than the lead has in the end */
    PLACE_RETRY = 8,   /* this entry goes to the retry table */
};

struct merge {
    struct state *state;
    uint64_t refusal_context;
    int64_t now_ms;
    struct fold_list list;
    uint64_t *places; /* owned; one for each item */
    size_t places_cap;
    struct merge_leads leads;
    struct arena arena; /* of one batch */
    struct value_hasher hasher;
    struct buf results, rejects, who, hashes;
};

/* Folds m->list, which is filled: writes leads, refusals and retry keys, sets m->places and the items' lead ids. */
int resolve(struct merge *m, struct err *e);

#endif
