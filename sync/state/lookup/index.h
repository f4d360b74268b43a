/* The index of the leads: a key and a fingerprint in a 16-byte slot, and a bit for "seen in this run".
 *
 * Keys are keyed hashes, so they are spread evenly: the slot is their first half scaled to the table, and a load in key
 * order writes the table from front to back. What is stored is their second half; two keys that meet in both (one pair
 * in 10^11 runs of 5M leads) would be taken for one. Where memory is short the table is an unlinked temporary file with
 * the same slots, and only the bits are in memory. Knows no SQL; blocks only for that file. */
#ifndef SYNC_STATE_LOOKUP_INDEX_H
#define SYNC_STATE_LOOKUP_INDEX_H

#include "sync/base/err.h"
#include "sync/base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum index_place { INDEX_IN_MEMORY, INDEX_IN_FILE };

struct index_slot {
    uint64_t tag; /* second half of the key; 0: empty */
    uint64_t fingerprint;
};
struct index {
    struct index_slot *slots; /* owned; in a file: those that are not written yet */
    unsigned char *seen;      /* owned; a bit a slot */
    size_t slots_n, used;
    enum index_place place;
    int fd;       /* owned; in a file */
    size_t first; /* of the slots that are not written yet */
    size_t next;  /* behind the last one that is taken */
    size_t home;  /* where the last key belongs: keys come in order */
};

/* Bytes of memory that an index of n keys takes. */
size_t index_bytes(uint64_t n, enum index_place place);
/* For up to n keys. Free it after a failure, too. */
int index_init(struct index *x, uint64_t n, enum index_place place, struct err *e);
void index_free(struct index *x); /* fine on a zeroed one */

/* XS_STATE when it is full, or when a key of a file comes out of order; XS_IO. Adding a key twice keeps both; the first
 * is found. */
int index_add(struct index *x, const struct hash128 *key, uint64_t fingerprint, struct err *e);
/* After the last key, before the first search. */
int index_done(struct index *x, struct err *e);

/* 1 with the key's slot and fingerprint, 0, -1 (XS_IO). */
int index_find(const struct index *x, const struct hash128 *key, int64_t *slot, uint64_t *fingerprint, struct err *e);
/* Starts to fetch what index_find() and index_seen() will look at: where a key stands is one cache miss, and there is
 * something else to do meanwhile. */
void index_prefetch(const struct index *x, const struct hash128 *key);
bool index_seen(const struct index *x, int64_t slot);
void index_mark(struct index *x, int64_t slot);

#endif
