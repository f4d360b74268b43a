/* Rows with the same key in one read: which of them comes first, and whether another order would give other leads. */
#ifndef SYNC_PIPELINE_ROWS_CONFLICTING_ROWS_H
#define SYNC_PIPELINE_ROWS_CONFLICTING_ROWS_H

#include "sync/base/err.h"
#include "sync/base/hash.h"
#include "sync/model/entry.h"

struct run;

/* Before the first row. Does nothing if the source has an order of its own, and the state many leads. 0/-1 */
int conflicting_rows_start(struct run *r, struct err *e);
/* Adds a row of the source that makes a lead, with a digest of the lead's values. */
void conflicting_rows_add(struct run *r, const struct entry *entry, uint64_t digest);
/* The first such row with this key; 0: not known, because the state has many leads, or rows of other keys have its slot. */
uint64_t conflicting_rows_first(const struct run *r, const struct hash128 *key);
/* After the read: warns once of rows with the same key and other values, if their order is chance. */
void conflicting_rows_report(const struct run *r);
void conflicting_rows_free(struct run *r);

#endif
