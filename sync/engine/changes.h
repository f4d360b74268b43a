/* What an update changes in a lead, for the results: "first_name: Ann -> Anna; custom_variables.seats: 3 -> 4". Pure. */
#ifndef SYNC_ENGINE_CHANGES_H
#define SYNC_ENGINE_CHANGES_H

#include "sync/api/api.h"
#include "sync/base/arena.h"
#include "sync/model/lead.h"

enum { CHANGES_VALUE_BYTES = 500, CHANGES_BYTES = 4000 }; /* a value is cut, and fields after that are left out */

/* `fields` and the flagged custom variables of `wanted`, over what `remote` has; those that are there already are left out. The
 * text is in `arena`, empty when there is none. 0/-1 (memory) */
int changes_text(struct arena *arena, const struct lead *wanted, uint32_t fields, const bool *custom,
                 const struct remote_lead *remote, struct str *out);

#endif
