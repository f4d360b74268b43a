/* A virtual table over folded leads, so that one INSERT … SELECT writes new leads in key order: half the time of as many
 * prepared statements. */
#ifndef SYNC_STATE_MERGE_LEADS_H
#define SYNC_STATE_MERGE_LEADS_H

#include "sync/state/db.h"
#include "sync/state/fold.h"

/* Folded into the first item of each key: `fingerprint` and `target` are the lead's, `run` its flags, `op` one of these,
 * `reason` the status when `outcome` says that there is one. */
enum { FOLDED_NOTHING, FOLDED_NEW, FOLDED_CHANGED };

struct merge_leads {
    const struct fold_list *list;
    const uint64_t *places; /* of each item: number of its lead, shifted by PLACE_BITS, and flags */
};
enum { PLACE_BITS = 4 };

/* Makes the table `merging` known to the connection. `source` is read whenever the table is. */
int merge_leads_register(struct db *db, struct merge_leads *source, struct err *e);

#endif
