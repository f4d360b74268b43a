/* The status of a lead, as the API numbers and the state stores it. It belongs to the lead in its campaign or list, but three
 * of them say what may be done with the person at its address. */
#ifndef SYNC_MODEL_LEAD_STATUS_H
#define SYNC_MODEL_LEAD_STATUS_H

#include "sync/base/str.h"
#include "sync/model/reason.h"

/* Documented, but for LEAD_STATUS_NEW, which leads of lists have. The API may send others. */
enum lead_status {
    LEAD_STATUS_SKIPPED = -3,
    LEAD_STATUS_UNSUBSCRIBED = -2,
    LEAD_STATUS_BOUNCED = -1,
    LEAD_STATUS_NEW = 0,
    LEAD_STATUS_ACTIVE = 1, /* is mailed if it is in a campaign */
    LEAD_STATUS_PAUSED = 2,
    LEAD_STATUS_COMPLETED = 3,
};
/* "bounced" …; static. NULL: not one of them. */
const char *lead_status_text(int status);
/* From such a word, or its number as text: 0/-1. */
int lead_status_find(struct str word, int *status);
/* Why such a lead is not made active: REASON_BOUNCED, REASON_UNSUBSCRIBED, REASON_SKIPPED_THERE; REASON_NONE for all others. */
enum reason lead_status_reason(int status);
/* The status that such a reason proves; TARGET_STATUS_UNKNOWN: it proves none. */
int lead_status_of_reason(enum reason reason);

#endif
