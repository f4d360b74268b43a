/* What an update changes in a lead, for the results, as sync/model/change.h packs it. Pure. */
#ifndef SYNC_PLAN_CHANGES_H
#define SYNC_PLAN_CHANGES_H

#include "sync/api/api.h"
#include "sync/base/arena.h"
#include "sync/model/lead.h"

/* `fields` and the flagged custom variables of `wanted` (NULL: all), over what `remote` has; those that are there already are
 * left out. `remote` NULL: what is there is not known. The list is in `arena`, empty when there is none. 0/-1 (memory) */
int changes_pack(struct arena *arena, const struct lead *wanted, uint32_t fields, const bool *custom,
                 const struct remote_lead *remote, struct str *out);

#endif
