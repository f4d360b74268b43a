/* The set of keys that a run has met and that no index knows: exact, in bounded memory.
 *
 * In memory it is a table of 16-byte slots (88 bits of the key, 40 of the row number), about 24 bytes per key. When the
 * table has reached its share of memory it is written to an unlinked temporary file as a sorted run, behind a Bloom
 * filter (a byte per key) and one fence per block, and starts empty again. Blocks only for those files. */
#ifndef SYNC_STATE_LOOKUP_SEEN_H
#define SYNC_STATE_LOOKUP_SEEN_H

#include "sync/base/err.h"
#include "sync/base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen_slot {
    unsigned char key[11]; /* the leading bytes; all of a run's order is in them */
    unsigned char row[5];  /* big-endian; a slot is empty when key and row are 0 */
};
struct seen_run {
    int64_t offset;   /* in the file */
    size_t n;         /* slots */
    uint64_t *fences; /* owned; first eight key bytes of each block */
    size_t fences_n;
    unsigned char *filter; /* owned; NULL when memory for it was short: then every lookup reads */
    size_t filter_bits;
};
struct seen {
    struct seen_slot *slots; /* owned */
    size_t slots_n, used, slots_max;
    struct seen_run *runs; /* owned */
    size_t runs_n;
    size_t memory_max, filters_bytes;
    int fd; /* -1: nothing was spilled yet */
    int64_t file_bytes;
    struct seen_slot *block; /* owned; the last block read */
    size_t block_run, block_at;
};

void seen_init(struct seen *s, size_t memory_max);
void seen_free(struct seen *s); /* fine on a zeroed one that was never used */

/* Starts to fetch where the key belongs in the table: one cache miss, and there is something else to do meanwhile. */
void seen_prefetch(const struct seen *s, const struct hash128 *key);
/* Is the key there? With `row` not NULL, the row it was put with. 1/0/-1 (XS_IO). */
int seen_find(struct seen *s, const struct hash128 *key, uint64_t *row, struct err *e);
/* As seen_find(), and adds an absent key. Rows above 2^40 - 1 are remembered as row 0 (not known). */
int seen_put(struct seen *s, const struct hash128 *key, uint64_t row, uint64_t *first_row, struct err *e);

#endif
