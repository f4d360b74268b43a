/* What the outcomes of entries mean for what is remembered of a lead: the one place where that is decided, for the
 * merge and for the reader that overlays an unmerged journal. Plain data, no SQL, no I/O. */
#ifndef SYNC_STATE_TABLES_FOLD_H
#define SYNC_STATE_TABLES_FOLD_H

#include "sync/base/err.h"
#include "sync/base/hash.h"
#include "sync/model/entry.h"
#include "sync/model/lead_status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the merge writes into the table of leads for one key. */
struct lead_change {
    enum { LEAD_KEPT, LEAD_NEW, LEAD_CHANGED } kind;
    int status; /* TARGET_STATUS_UNKNOWN: none */
    uint64_t n, fingerprint;
    uint32_t target, flags;
};

/* An entry as far as folding needs it; 56 bytes, because a run may have millions. */
struct fold_item {
    struct hash128 key;
    union {
        struct {
            uint64_t fingerprint;
            struct uuid lead_id;
            uint32_t ordinal; /* its place in the list as it was added */
            uint32_t target;
            uint32_t run; /* only compared: the low bits are enough */
            uint8_t op, outcome, reason;
            uint8_t bits; /* ITEM_* */
        };
        struct lead_change change; /* once the key is decided: in its first item; in the others LEAD_KEPT */
    };
};
_Static_assert(sizeof(struct fold_item) == 56, "a run may have millions of items");
enum {
    ITEM_LEAD_ID = 1,
    ITEM_VALUES = 2,      /* the entry has a packed lead */
    ITEM_OPEN = 4,        /* of a batch that is not settled: no outcome */
    ITEM_REMOVAL = 8,     /* no row of the source stands behind it */
    ITEM_STAGED = 16,     /* a step on the way: the row has to be looked at again */
    ITEM_BY_ADDRESS = 32, /* the fingerprint is the address's: another row has it */
    ITEM_HASHES = 128,    /* with ITEM_VALUES: what is kept of the lead is hashes already */
    ITEM_UNPROVED = 64,   /* values were written, or may have been, and the outcome does not prove them */
};

#define FOLD_NONE UINT32_MAX /* an ordinal that no item has */

/* What is known of one key: filled with what is stored, then changed by each entry in order. */
struct fold {
    bool known;           /* a lead of ours */
    uint64_t fingerprint; /* 0: has to be looked at, whatever the row says */
    struct uuid lead_id;
    bool has_lead_id;
    uint32_t target;
    int status;
    uint32_t flags; /* KNOWN_* */

    bool changed;         /* the lead differs from what is stored */
    uint32_t values_from; /* ordinal of the entry whose values the lead has now; FOLD_NONE: as stored */
    uint32_t proven_from; /* ordinal of the last entry that proved the lead; FOLD_NONE: none */
    bool id_recorded;     /* lead_id is from an entry */
    enum { FOLD_KEEP, FOLD_DROP, FOLD_PUT } refusal, retry;
    uint64_t refusal_fingerprint;
    enum reason refusal_reason;
    uint32_t retry_from; /* ordinal */
    uint64_t retry_fingerprint;
    uint32_t retry_run; /* whose entry says so */
    bool open;

    bool spoilt; /* an operation of run `spoilt_run` for `spoilt_fingerprint` failed */
    uint64_t spoilt_fingerprint;
    uint32_t spoilt_run;
};
/* A key of which nothing is known yet. */
void fold_init(struct fold *f);
void fold_item(struct fold *f, const struct fold_item *item);

/* Does the fold need this entry at all? */
bool fold_wants(const struct entry *entry, enum op op, bool retries);

/* Entries of many keys. */
struct fold_list {
    struct fold_item *items; /* owned */
    uint32_t *order;         /* owned; scratch of sorting */
    size_t n, cap, max;
};
void fold_list_init(struct fold_list *l, size_t max); /* at most max items (below FOLD_NONE) */
void fold_list_free(struct fold_list *l);
void fold_list_reset(struct fold_list *l);
/* Adds what folding needs of an entry. 0/-1. */
int fold_list_add_entry(struct fold_list *l, const struct entry *entry, enum op op, uint32_t target, uint64_t run, bool open,
                        struct err *e);
/* By key, those of one key in the order in which they were added. */
int fold_list_sort(struct fold_list *l, struct err *e);
/* The end of the group of equal keys that starts at `from`, once sorted. */
size_t fold_list_group(const struct fold_list *l, size_t from);

#endif
