/* Packed results as the rest of this room uses them. */
#ifndef SYNC_STATE_TABLES_RESULTS_H
#define SYNC_STATE_TABLES_RESULTS_H

#include "sync/state/tables/pack.h"
#include "sync/state/state_int.h"

/* The order in which entries are packed: by row, removals last, else as they stand. NULL when memory is short. */
const uint32_t *results_order(const struct entry *entries, size_t n, struct arena *arena, struct err *e);

/* The rows of an open batch wait for its outcome, as the report of their run counts them: deferred. */
void results_defer_open(const struct batch *b, struct entry *entry);

/* Adds the cells of an entry that is to be corrected: rejected, failed, deferred. */
int reject_add(struct state *s, struct buf *rejects, struct buf *scratch, size_t position, const struct entry *entry,
               struct err *e);

/* A batch without its entries, from the main file or the journal: 1/0/-1. */
int batch_head(struct state *s, uint64_t id, struct arena *arena, struct batch *out, bool *merged, struct err *e);

/* Rewrites the packed results of every batch through `edit`, which may change what it is given and says whether it did
 * (1/0/-1). Inside a transaction of the main file. */
typedef int results_edit(void *ctx, struct result *r, struct err *e);
int results_rewrite(struct state *s, results_edit *edit, void *ctx, struct err *e);
/* Takes every text out of them. */
int results_strip_all(struct state *s, struct err *e);

#endif
