/* The set of the ids that the leads of this run have. Bounded memory; knows no requests and no state. */
#ifndef SYNC_UPLOAD_HELD_IDS_H
#define SYNC_UPLOAD_HELD_IDS_H

#include "sync/base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HELD_MIN = 1 << 18 }; /* the latest ids that are kept in any case; 8 MB at most */

struct held_table {
    uint64_t *slots; /* owned; tags, 0 is empty */
    size_t slots_n, used;
};
struct held_ids {
    struct held_table now, before; /* zeroed at first */
};

/* Starts to fetch what the next call about this id looks at. */
void held_ids_prefetch(const struct held_ids *held, const struct uuid *id);
bool held_ids_has(const struct held_ids *held, const struct uuid *id);
int held_ids_add(struct held_ids *held, const struct uuid *id); /* 0/-1 (memory) */
void held_ids_free(struct held_ids *held);

#endif
