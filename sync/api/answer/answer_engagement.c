/* Status, engagement and verification of a lead. Most of these members may be absent, and an absent one is not 0. */
#include "config.h"

#include "sync/api/api.h"

#include "sync/api/answer/answer.h"

#include <stddef.h>

enum answer_kind { ANSWER_NUMBER, ANSWER_COUNT, ANSWER_TIME };

/* clang-format off */
static const struct {
    const char *member;
    enum answer_kind kind;
    size_t at;
} members[] = {
    {"status", ANSWER_NUMBER, offsetof(struct engagement, status)},
    {"lt_interest_status", ANSWER_NUMBER, offsetof(struct engagement, interest)},
    {"verification_status", ANSWER_NUMBER, offsetof(struct engagement, verification)},
    {"email_open_count", ANSWER_COUNT, offsetof(struct engagement, opens)},
    {"email_click_count", ANSWER_COUNT, offsetof(struct engagement, clicks)},
    {"email_reply_count", ANSWER_COUNT, offsetof(struct engagement, replies)},
    {"timestamp_last_contact", ANSWER_TIME, offsetof(struct engagement, contacted_ms)},
    {"timestamp_last_open", ANSWER_TIME, offsetof(struct engagement, opened_ms)},
    {"timestamp_last_click", ANSWER_TIME, offsetof(struct engagement, clicked_ms)},
    {"timestamp_last_reply", ANSWER_TIME, offsetof(struct engagement, replied_ms)},
    {"timestamp_updated", ANSWER_TIME, offsetof(struct engagement, updated_ms)},
};
/* clang-format on */

void api_remote_engagement(const struct remote_lead *lead, struct engagement *out)
{
    struct json_object *summary, *step;
    engagement_init(out);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        int64_t n;
        bool is = members[i].kind == ANSWER_TIME ? answer_time(lead->object, members[i].member, &n)
                                                 : answer_int(lead->object, members[i].member, &n);
        if (is && (members[i].kind != ANSWER_COUNT || n >= 0))
            *(int64_t *)((char *)out + members[i].at) = n;
    }
    if (answer_object(lead->object, "status_summary", &summary) && answer_object(summary, "lastStep", &step))
        out->stepped = 1;
}
