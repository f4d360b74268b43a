/* Is this the person with that address? Asked of every table by forget.c and person_walk.c, because where the row key is
 * not the address only values answer it. Internal to this room. */
#ifndef SYNC_STATE_FORGET_PERSON_H
#define SYNC_STATE_FORGET_PERSON_H

#include "sync/state/tables/values.h"

struct person {
    struct state *state;
    struct hash128 key;         /* of the address */
    struct buf folded, unicode; /* its spellings, case-folded; `unicode` is empty when there is no second one */
    uint64_t hash;              /* under which the address stands among hashed values */
    struct value_hasher hasher;
    struct buf scratch;
    struct uuid *ids; /* owned; Instantly's ids of the person's leads, as far as they were met */
    size_t ids_n;
};
/* XS_USAGE: an empty address. person_free() is due after a failure, too. */
int person_init(struct person *p, struct state *s, const struct person_name *name, struct err *e);
void person_free(struct person *p);

/* The text is the address, blanks around it and letter case aside. */
int person_is_text(struct person *p, struct str text, bool *same, struct err *e);
/* The address is anywhere in the text, but not as a part of another address, which is another person's. */
int person_named_in(struct person *p, struct str text, bool *in, struct err *e);
/* The same of any cell of a packed row. Cells that cannot be unpacked are searched as one text. */
int person_in_cells(struct person *p, struct str packed, bool *in, struct err *e);
/* The same of a name or value of what changed, in a list or an older leadsync's text. */
int person_in_changes(struct person *p, struct str list, bool *in, struct err *e);
/* The address of a packed lead. */
int person_is_packed(struct person *p, struct str packed, bool *same, struct err *e);
/* A row of lead_values, whose columns 1 and 2 are `who` and `packed`; its key goes to `key`. */
int person_is_lead(struct person *p, sqlite3_stmt *st, struct hash128 *key, bool *same, struct err *e);

int person_add_id(struct person *p, const struct uuid *id, struct err *e);
bool person_has_id(const struct person *p, const struct uuid *id);

#endif
