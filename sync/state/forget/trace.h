/* All that a state knows of one lead or person: where it is believed to be, what waits for it, and every batch that touched it.
 *
 * Finds them by the hash of the row key, by lead ids and by the address. Unlike state_person_visit() it does not search texts, so
 * that a state of a million leads answers at once. Reads also what only the journal has. */
#ifndef SYNC_STATE_FORGET_TRACE_H
#define SYNC_STATE_FORGET_TRACE_H

#include "sync/state/state.h"

/* Who is meant; at least one member. */
struct trace_query {
    struct person_name person;  /* its address empty: not known */
    struct str key_text;        /* the row key; empty: not known */
    const struct uuid *lead_id; /* NULL: not known */
};

/* What stands under one row key. */
struct traced_lead {
    struct hash128 key;
    bool known; /* `lead` is valid */
    struct known_lead lead;
    const struct lead *values; /* NULL: not kept, or as hashes */
    bool refused;              /* an earlier run was refused this row, for `reason`, at `refused_ms` */
    enum reason reason;
    int64_t refused_ms;
    bool forgotten;
};
/* A row of the retry table. */
struct traced_retry {
    struct entry entry;
    uint32_t target;
    uint64_t mapping; /* digest of the mapping that made it; 0: not known */
};
/* An entry and the batch that it was in. Deferred, as its run counts it, while the batch is open. */
struct traced_batch {
    struct batch batch; /* without entries; of a batch that is merged, no digest */
    struct entry entry;
    uint32_t target; /* number */
};
struct trace {
    struct traced_lead *leads; /* a key each, also those of which nothing is known */
    size_t leads_n;
    struct traced_retry *retries;
    size_t retries_n;
    struct traced_batch *batches; /* oldest first */
    size_t batches_n;
    int status; /* of the person, by the address: -1, -2, -3, else TARGET_STATUS_UNKNOWN */
};

/* Everything is in the arena. Finding an address in a state whose row key is not the address, and finding a lead id, reads all
 * leads once. 0/-1 */
int state_trace(struct state *s, const struct trace_query *query, struct arena *arena, struct trace *out, struct err *e);

/* Unpacks the values of a known lead or an entry; everything but the bytes is in the arena. 1, 0 there are none, -1 */
int state_values_unpack(struct state *s, struct str packed, struct arena *arena, struct lead *out, struct err *e);

#endif
