/* Which leads may be created or moved, by their status and their conversations. */
#include "config.h"

#include "sync/plan/eligibility.h"

#include <json-c/json.h>

#include "mappings/mapping.h"

enum { ADDRESS_MAX = 64 << 10 };

/* Documented statuses of a lead; 1 to 3 are active, paused and completed, 0 was seen on leads of lists. */
enum { STATUS_BOUNCED = -1, STATUS_UNSUBSCRIBED = -2, STATUS_SKIPPED = -3 };

enum reason eligibility_status_reason(int status)
{
    switch (status) {
    case STATUS_BOUNCED: return REASON_BOUNCED;
    case STATUS_UNSUBSCRIBED: return REASON_UNSUBSCRIBED;
    case STATUS_SKIPPED: return REASON_SKIPPED_THERE;
    default: return REASON_NONE;
    }
}

static bool is_text(struct json_object *object, const char *name)
{
    struct json_object *v;
    return json_object_object_get_ex(object, name, &v) && json_object_is_type(v, json_type_string) &&
           json_object_get_string_len(v) > 0;
}

static bool is_positive(struct json_object *object, const char *name)
{
    struct json_object *v;
    return json_object_object_get_ex(object, name, &v) && json_object_is_type(v, json_type_int) &&
           json_object_get_int64(v) > 0;
}

/* One trace is enough. Each member is absent when it is null, and it is not documented which of them a plan fills. */
bool eligibility_contacted(const struct remote_lead *lead)
{
    struct json_object *summary;
    if (!json_object_is_type(lead->object, json_type_object))
        return false;
    if (is_text(lead->object, "timestamp_last_contact") || is_text(lead->object, "timestamp_last_reply") ||
        is_positive(lead->object, "email_reply_count"))
        return true;
    return json_object_object_get_ex(lead->object, "status_summary", &summary) &&
           json_object_is_type(summary, json_type_object) && json_object_object_get_ex(summary, "lastStep", NULL);
}

enum reason eligibility_block_reason(const struct remote_lead *lead, const struct target *to, bool keep_contacted)
{
    enum reason status = eligibility_status_reason(lead->status);
    if (to->kind == TARGET_CAMPAIGN && status != REASON_NONE)
        return status;
    if (to->kind == TARGET_CAMPAIGN && lead->email.n == 0)
        return REASON_EMAIL_MISSING;
    return keep_contacted && eligibility_contacted(lead) ? REASON_CONTACTED : REASON_NONE;
}

int eligibility_recorded(struct state *s, struct str email, enum reason *out, struct err *e)
{
    struct buf address = BUF_INIT(ADDRESS_MAX);
    int status = TARGET_STATUS_UNKNOWN, rc = 0;
    /* A text that is not an address belongs to no person. */
    if (email.n > 0 && mapping_email_key(email, &address) == 0)
        rc = state_person_status(s, buf_str(&address), &status, e);
    *out = eligibility_status_reason(status);
    buf_free(&address);
    return rc;
}
