/* The closed lists of outcomes and reasons (docs/ERRORS): one table that plan, state, reports and docs read. */
#ifndef SYNC_MODEL_REASON_H
#define SYNC_MODEL_REASON_H

#include "sync/base/str.h"

#include <stdbool.h>

enum outcome {
    OUTCOME_NONE, /* not decided yet */
    OUTCOME_CREATED,
    OUTCOME_CHANGED,
    OUTCOME_UNCHANGED,
    OUTCOME_SKIPPED,
    OUTCOME_REJECTED,
    OUTCOME_DEFERRED,
    OUTCOME_FAILED,
    OUTCOME_REMOVED, /* a lead whose row is gone; not a row's outcome */
    OUTCOME_N
};

/* REASON(id, text): `text` is what users see. Order is stored in the state: only ever append. */
#define REASON_LIST(REASON) \
    REASON(DUPLICATE_IN_SOURCE, "duplicate_in_source") \
    REASON(SKIP_WHEN, "skip_when") \
    REASON(ROUTE_SKIP, "route_skip") \
    REASON(IN_TARGET, "in_target") \
    REASON(MODE_CREATE, "mode_create") \
    REASON(IN_WORKSPACE, "in_workspace") \
    REASON(IN_CAMPAIGN, "in_campaign") \
    REASON(IN_LIST, "in_list") \
    REASON(BLOCKLISTED, "blocklisted") \
    REASON(UNSUBSCRIBED, "unsubscribed") \
    REASON(BOUNCED, "bounced") \
    REASON(SKIPPED_THERE, "skipped_there") \
    REASON(DELETED_THERE, "deleted_there") \
    REASON(CONTACTED, "contacted") \
    REASON(EMAIL_MISSING, "email_missing") \
    REASON(EMAIL_INVALID, "email_invalid") \
    REASON(REQUIRED_MISSING, "required_missing") \
    REASON(TYPE_INVALID, "type_invalid") \
    REASON(MAP_UNMATCHED, "map_unmatched") \
    REASON(ROUTE_UNMATCHED, "route_unmatched") \
    REASON(RAGGED_ROW, "ragged_row") \
    REASON(NOT_UTF8, "not_utf8") \
    REASON(FIELD_TOO_LONG, "field_too_long") \
    REASON(LEAD_TOO_LARGE, "lead_too_large") \
    REASON(INCOMPLETE, "incomplete") \
    REASON(INVALID_THERE, "invalid_there") \
    REASON(REFUSED_THERE, "refused_there") \
    REASON(KEY_MISSING, "key_missing") \
    REASON(GONE_THERE, "gone_there") \
    REASON(MOVE_NOT_DONE, "move_not_done") \
    REASON(EXISTS_IN_TARGET, "exists_in_target") \
    REASON(API_ERROR, "api_error") \
    REASON(ATTEMPTS_EXHAUSTED, "attempts_exhausted") \
    REASON(UNATTRIBUTED, "unattributed") \
    REASON(PLAN_FULL, "plan_full") \
    REASON(TIME_BUDGET, "time_budget") \
    REASON(INTERRUPTED, "interrupted") \
    REASON(OUTCOME_OPEN, "outcome_open") \
    REASON(JOB_OPEN, "job_open") \
    REASON(VERIFICATION_OPEN, "verification_open") \
    REASON(NOT_STORED, "not_stored")

/* clang-format off */
enum reason {
    REASON_NONE,
#define REASON_ENUM(id, text) REASON_##id,
    REASON_LIST(REASON_ENUM)
#undef REASON_ENUM
    REASON_N
};
/* clang-format on */

const char *outcome_text(enum outcome o); /* "" for NONE */
const char *reason_text(enum reason r);   /* "" for NONE */
int outcome_find(struct str text);        /* enum or -1 */
int reason_find(struct str text);         /* enum or -1 */

/* Does a failure for this reason say something about the row itself? Then the row is given up after some runs. What failed
 * with the whole request (api_error), and all that only waits, is tried for as long as it takes. */
bool reason_is_of_row(enum reason r);

/* What each reason means, one sentence for people; "" for REASON_NONE. */
const char *reason_help(enum reason r);
/* What a row that failed or is deferred for this reason waits for, as the end of a sentence. Static. */
const char *reason_until(enum reason r);
/* The detail of a skipped row whose lead is gone. */
#define REASON_DELETED_THERE_DETAIL "its lead was deleted, in Instantly or by leads delete; --recreate creates it again"

#endif
