/* The one table of lead statuses: their numbers, their words, and the reasons that they give. */
#include "config.h"

#include "sync/model/lead_status.h"

#include <stdio.h>

#include "sync/model/target.h"

static const struct {
    enum lead_status status;
    const char *text;
    enum reason reason;
} lead_statuses[] = {
    {LEAD_STATUS_NEW, "new", REASON_NONE},
    {LEAD_STATUS_ACTIVE, "active", REASON_NONE},
    {LEAD_STATUS_PAUSED, "paused", REASON_NONE},
    {LEAD_STATUS_COMPLETED, "completed", REASON_NONE},
    {LEAD_STATUS_BOUNCED, "bounced", REASON_BOUNCED},
    {LEAD_STATUS_UNSUBSCRIBED, "unsubscribed", REASON_UNSUBSCRIBED},
    {LEAD_STATUS_SKIPPED, "skipped", REASON_SKIPPED_THERE},
};
enum { LEAD_STATUSES_N = sizeof lead_statuses / sizeof lead_statuses[0] };

const char *lead_status_text(int status)
{
    for (size_t i = 0; i < LEAD_STATUSES_N; i++)
        if ((int)lead_statuses[i].status == status)
            return lead_statuses[i].text;
    return NULL;
}

int lead_status_find(struct str word, int *status)
{
    for (size_t i = 0; i < LEAD_STATUSES_N; i++) {
        char number[8];
        snprintf(number, sizeof number, "%d", (int)lead_statuses[i].status);
        if (str_is(word, lead_statuses[i].text) || str_is(word, number)) {
            *status = lead_statuses[i].status;
            return 0;
        }
    }
    return -1;
}

enum reason lead_status_reason(int status)
{
    for (size_t i = 0; i < LEAD_STATUSES_N; i++)
        if ((int)lead_statuses[i].status == status)
            return lead_statuses[i].reason;
    return REASON_NONE;
}

int lead_status_of_reason(enum reason reason)
{
    for (size_t i = 0; i < LEAD_STATUSES_N && reason != REASON_NONE; i++)
        if (lead_statuses[i].reason == reason)
            return lead_statuses[i].status;
    return TARGET_STATUS_UNKNOWN;
}
