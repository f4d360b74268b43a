/* Decides whether a lead may be created or moved, from its status and its conversations in Instantly.
 *
 * A move sets the status of a lead back to active (observed), and an active lead in a campaign is mailed. So a person who
 * bounced, unsubscribed or was skipped is never moved into a campaign and never created again, whatever the row key. */
#ifndef SYNC_PLAN_ELIGIBILITY_H
#define SYNC_PLAN_ELIGIBILITY_H

#include "sync/api/api.h"
#include "sync/model/lead_status.h"
#include "sync/state/state.h"

#include <stdbool.h>

/* Why this lead must not be moved into `to`. REASON_NONE: it may. REASON_EMAIL_MISSING: a campaign takes no lead without an
 * address, so it is rejected. Others: it is skipped. `keep_contacted`: the mapping's `contacted: keep`, for moves by route. */
enum reason eligibility_block_reason(const struct remote_lead *lead, const struct target *to, bool keep_contacted);
/* *out is the reason in the state why the person with this address must not be made active. REASON_NONE: there is none.
 * 0/-1 */
int eligibility_recorded(struct state *s, struct str email, enum reason *out, struct err *e);

#endif
