/* What is kept of a lead's identity and values, readable or (values: hashed) as keyed hashes only.
 *
 * `who` of lead_values is the key text where the key is its keyed hash, which is the rule; else the 16 bytes of the key
 * and the text after them; in the hashed mode the 16 bytes alone. */
#ifndef SYNC_STATE_TABLES_VALUES_H
#define SYNC_STATE_TABLES_VALUES_H

#include "sync/state/state_int.h"

/* Flags of leads.flags that stay inside: `packed` holds hashes; with KNOWN_UNSURE, the lead was not looked at yet, and what
 * was sent was a removal. */
enum {
    KNOWN_HASHED_VALUES = 8,
    KNOWN_UNSURE_NEW = 128,
    KNOWN_UNSURE_REMOVAL = 256,
    KNOWN_PUBLIC = KNOWN_CREATED | KNOWN_REMOVED | KNOWN_DELETED_THERE | KNOWN_AWAY | KNOWN_STAYS | KNOWN_UNSURE,
};

struct who {
    struct str bytes; /* borrowed from the key, the text or the arena */
    bool text;
};
int who_make(const struct state *s, const struct hash128 *key, struct str key_text, struct arena *arena, struct who *out,
             struct err *e);
/* Key and text of a `who` column; the text borrows from the statement. */
int who_take(const struct state *s, sqlite3_stmt *st, int column, struct hash128 *key, struct str *text, struct err *e);

/* Turns packed leads into packed hashes: eight bytes for each field that is there, and eight for the folded e-mail. */
struct value_hasher {
    struct state *state;
    struct arena shapes, scratch;
    struct lead_shape shape;
    bool has_shape;
    struct buf text;
};
void value_hasher_init(struct value_hasher *h, struct state *s);
void value_hasher_free(struct value_hasher *h);
int value_hasher_pack(struct value_hasher *h, struct str packed, struct buf *out, struct err *e);
/* Unpacks into h->scratch, which the next call resets. Values borrow from `packed`. */
int value_hasher_unpack(struct value_hasher *h, struct str packed, struct lead *out, struct err *e);

/* The hash under which a case-folded e-mail stands among the hashes of a lead. */
uint64_t values_email_hash(const struct state *s, struct str folded);
bool values_have_hash(struct str hashes, uint64_t hash);
/* Are the values of this lead kept as hashes? 1/0/-1; 0 for one that is not known. */
int values_are_hashed(struct state *s, const struct hash128 *key, struct err *e);

/* Rewrites what an earlier run has kept readable. Inside a transaction of the main file. */
int values_hash_all(struct state *s, struct err *e);

#endif
