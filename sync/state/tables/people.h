/* Statuses of people by their addresses: what a merge records, an older state's migration fills, and an audit checks. */
#ifndef SYNC_STATE_TABLES_PEOPLE_H
#define SYNC_STATE_TABLES_PEOPLE_H

#include "sync/state/tables/values.h"

/* The key of table `people` for an address in any spelling of its letters. 0/-1. */
int people_address(const struct state *s, struct str address, uint64_t *hash, struct err *e);
/* The status of the person with this key of table `people`. 1/0/-1 */
int people_status(struct state *s, uint64_t address, int *status, struct err *e);
/* Records the status that the entry's reason proves, if any, under the entry's address and under that of its lead. Inside
 * the merge's transaction, after the lead's values were written. */
int people_record_status(struct value_hasher *h, const struct entry *entry, struct err *e);
/* Fills the new table of an older state (`state`) from the leads whose status is known. A step of schema_steps. */
int people_fill(void *state, struct err *e);
/* Counts leads of a known status whose address has none. */
int people_missing(struct state *s, uint64_t *n, struct err *e);

#endif
