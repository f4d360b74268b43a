/* What Instantly knows of a person, and where that person may go: the one place that decides it.
 *
 * A move sets a lead's status back to active (observed), and into a campaign that means mail. So a person who bounced,
 * unsubscribed or was skipped is never moved into a campaign, nor created again: under no key, by no address. */
#ifndef SYNC_PLAN_ELIGIBILITY_H
#define SYNC_PLAN_ELIGIBILITY_H

#include "sync/api/api.h"
#include "sync/model/reason.h"
#include "sync/state/state.h"

#include <stdbool.h>

/* REASON_BOUNCED, REASON_UNSUBSCRIBED or REASON_SKIPPED_THERE; REASON_NONE for every other status, unknown ones too. */
enum reason eligibility_status_reason(int status);
/* Was the person written to, or has answered? Then there is a conversation that `contacted: keep` leaves alone. */
bool eligibility_contacted(const struct remote_lead *lead);
/* Why this lead must not be moved into `to`: REASON_NONE, it may; REASON_EMAIL_MISSING, a campaign takes none without an
 * address (rejected); else a reason to skip it. `keep_contacted`: the mapping's `contacted: keep`, for moves by route. */
enum reason eligibility_block_reason(const struct remote_lead *lead, const struct target *to, bool keep_contacted);
/* Why the state has it that the person with this address must not be made active; REASON_NONE: it knows of no reason.
 * 0/-1 */
int eligibility_recorded(struct state *s, struct str email, enum reason *out, struct err *e);

#endif
