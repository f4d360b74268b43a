/* Which leads may be created or moved, by their status and their conversations. */
#include "config.h"

#include "sync/plan/eligibility.h"

#include "mappings/mapping.h"

enum { ADDRESS_MAX = 64 << 10 };

enum reason eligibility_block_reason(const struct remote_lead *lead, const struct target *to, bool keep_contacted)
{
    enum reason status = lead_status_reason(lead->status);
    if (to->kind == TARGET_CAMPAIGN && status != REASON_NONE)
        return status;
    if (to->kind == TARGET_CAMPAIGN && lead->email.n == 0)
        return REASON_EMAIL_MISSING;
    return keep_contacted && api_remote_is_contacted(lead) ? REASON_CONTACTED : REASON_NONE;
}

int eligibility_recorded(struct state *s, struct str email, enum reason *out, struct err *e)
{
    struct buf address = BUF_INIT(ADDRESS_MAX);
    int status = TARGET_STATUS_UNKNOWN, rc = 0;
    /* A text that is not an address belongs to no person. */
    if (email.n > 0 && mapping_email_key(email, &address) == 0)
        rc = state_person_status(s, buf_str(&address), &status, e);
    *out = lead_status_reason(status);
    buf_free(&address);
    return rc;
}
