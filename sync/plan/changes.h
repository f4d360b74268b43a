/* What an update changes in a lead, for the results, as sync/model/change.h packs it. Pure. */
#ifndef SYNC_PLAN_CHANGES_H
#define SYNC_PLAN_CHANGES_H

#include "sync/api/api.h"
#include "sync/base/arena.h"
#include "sync/model/lead.h"

/* Lists `fields` and the flagged custom variables of `wanted` (NULL: all) with their values in `remote`, except those that are
 * equal. `remote` NULL: with their values in `before`, which has the same list of variables; both NULL: the old values are not
 * known. The list is in `arena`, and may be empty. 0/-1 (memory) */
int changes_pack(struct arena *arena, const struct lead *wanted, uint32_t fields, const bool *custom,
                 const struct remote_lead *remote, const struct lead *before, struct str *out);

#endif
