/* Typed readers of what the lead endpoints answer. */
#include "config.h"

#include "sync/api/api.h"

#include "sync/api/answer/answer.h"

#include <json-c/json.h>
#include <limits.h>
#include <string.h>

#include "sync/base/log.h"

/* A counter that is missing, or is not a count, is -1. Counters only explain; they prove nothing. */
static int64_t counter(struct json_object *json, const char *key)
{
    int64_t n;
    return answer_int(json, key, &n) && n >= 0 ? n : -1;
}

static int read_created(struct json_object *array, struct arena *arena, struct leads_added *out, struct err *e)
{
    struct added_lead *created = arena_calloc(arena, out->created_n + 1, sizeof *created);
    const char *missing;
    if (created == NULL)
        return err_oom(e);
    for (size_t i = 0; i < out->created_n; i++)
        if ((missing = answer_added_lead(json_object_array_get_idx(array, i), &created[i])) != NULL)
            return err_set(e, XS_API, "leads/add: created lead %zu of the answer has no usable %s", i, missing);
    out->created = created;
    return 0;
}

/* Each of them is one of those that were sent, and none is named twice. */
static int check_created(const struct leads_added *a, size_t sent_n, struct arena *arena, struct err *e)
{
    unsigned char *seen = arena_calloc(arena, sent_n + 1, 1);
    if (seen == NULL)
        return err_oom(e);
    for (size_t i = 0; i < a->created_n; i++) {
        uint32_t index = a->created[i].index;
        if (index >= sent_n)
            return err_set(e, XS_API, "leads/add: created lead %zu of the answer has no usable index", i);
        if (seen[index] != 0)
            return err_set(e, XS_API, "leads/add: the answer names index %lu twice", (unsigned long)index);
        seen[index] = 1;
    }
    return 0;
}

int api_leads_added_read(const struct api_reply *reply, size_t sent_n, struct arena *arena, struct leads_added *out,
                         struct err *e)
{
    struct json_object *json = reply->json, *created;
    *out = (struct leads_added){
        .total_sent = counter(json, "total_sent"),
        .uploaded = counter(json, "leads_uploaded"),
        .in_blocklist = counter(json, "in_blocklist"),
        .duplicated = counter(json, "duplicated_leads"),
        .skipped = counter(json, "skipped_count"),
        .invalid_email = counter(json, "invalid_email_count"),
        .incomplete = counter(json, "incomplete_count"),
        .duplicate_email = counter(json, "duplicate_email_count"),
        .remaining_in_plan = counter(json, "remaining_in_plan"),
    };
    /* The list is the truth about what was created; without it nothing is known. */
    if (!answer_array(json, "created_leads", &created))
        return err_set(e, XS_API, "leads/add: the answer has no list of created leads");
    out->created_n = reply->created != NULL ? reply->created->n : json_object_array_length(created);
    if (out->created_n > sent_n)
        return err_set(e, XS_API, "leads/add: the answer names %zu created leads of %zu sent", out->created_n, sent_n);
    if (reply->created != NULL)
        out->created = reply->created->v;
    else if (read_created(created, arena, out, e) != 0)
        return -1;
    return check_created(out, sent_n, arena, e);
}

/* Documented values of verification_status; a lead that was never verified has none. */
static enum lead_verdict verdict_of(struct json_object *item)
{
    static const struct {
        int64_t status;
        enum lead_verdict verdict;
    } verdicts[] = {
        {1, VERDICT_VALID},  {11, VERDICT_PENDING},   {12, VERDICT_PENDING},    {-1, VERDICT_INVALID},
        {-2, VERDICT_RISKY}, {-3, VERDICT_CATCH_ALL}, {-4, VERDICT_JOB_CHANGE},
    };
    int64_t status;
    if (!answer_int(item, "verification_status", &status))
        return VERDICT_NONE;
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        if (verdicts[i].status == status)
            return verdicts[i].verdict;
    return VERDICT_UNKNOWN;
}

const char *lead_verdict_text(enum lead_verdict verdict)
{
    switch (verdict) {
    case VERDICT_INVALID: return "invalid";
    case VERDICT_RISKY: return "risky";
    case VERDICT_CATCH_ALL: return "catch-all";
    case VERDICT_JOB_CHANGE: return "job change";
    default: return "unknown";
    }
}

static int64_t count_of(struct json_object *item, const char *key)
{
    int64_t n = counter(item, key);
    return n > 0 ? n : 0;
}

int api_remote_lead_read(struct json_object *item, struct remote_lead *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    if (!answer_uuid(item, "id", &out->id))
        return err_set(e, XS_API, "a lead in the API's answer has no usable id");
    out->has_campaign = answer_uuid(item, "campaign", &out->campaign);
    out->has_list = answer_uuid(item, "list_id", &out->list);
    out->has_subsequence = answer_uuid(item, "subsequence_id", &out->subsequence);
    int64_t status;
    out->status = answer_int(item, "status", &status) && status > -TARGET_STATUS_UNKNOWN && status < TARGET_STATUS_UNKNOWN
                      ? (int)status
                      : TARGET_STATUS_UNKNOWN;
    if (!answer_str(item, "email", &out->email))
        out->email = STR_NONE;
    if (!answer_time(item, "timestamp_created", &out->created_ms))
        out->created_ms = 0;
    if (!answer_time(item, "timestamp_updated", &out->updated_ms))
        out->updated_ms = 0;
    if (!answer_int(item, "lt_interest_status", &out->interest))
        out->interest = REMOTE_NO_INTEREST;
    out->opens = count_of(item, "email_open_count");
    out->clicks = count_of(item, "email_click_count");
    out->replies = count_of(item, "email_reply_count");
    out->verdict = verdict_of(item);
    out->object = item;
    return 0;
}

bool api_reply_lead(const struct api_reply *reply, size_t *at, struct remote_lead *out)
{
    bool list = json_object_is_type(reply->json, json_type_array);
    size_t n = list ? json_object_array_length(reply->json) : 1;
    while (*at < n) {
        struct err e = ERR_INIT;
        if (api_remote_lead_read(list ? json_object_array_get_idx(reply->json, (*at)++) : reply->json, out, &e) == 0) {
            *at += !list;
            return true;
        }
        *at += !list;
        log_detail("a lead of an answer cannot be read: %s", err_text(&e));
        err_clear(&e);
    }
    return false;
}

int64_t api_list_pending_read(const struct api_reply *reply)
{
    static const char *const keys[] = {"verification_job_pending_leadfinder", "verification_job_pending_user"};
    struct json_object *stats;
    int64_t n, sum = 0;
    if (reply->class != API_OK || !answer_object(reply->json, "stats", &stats))
        return -1;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        sum += answer_int(stats, keys[i], &n) ? n : 0;
    return sum;
}

int api_remote_esp(const struct remote_lead *lead)
{
    int64_t code;
    return answer_int(lead->object, "esp_code", &code) && code >= 0 && code <= INT_MAX ? (int)code : -1;
}

bool api_remote_is_in(const struct remote_lead *lead, const struct target *target)
{
    return target->kind == TARGET_CAMPAIGN ? lead->has_campaign && uuid_eq(&lead->campaign, &target->id)
                                           : lead->has_list && uuid_eq(&lead->list, &target->id);
}

struct str api_remote_member(const struct remote_lead *lead, const char *name)
{
    struct json_object *member;
    if (!json_object_object_get_ex(lead->object, name, &member) || member == NULL)
        return STR_NONE;
    if (json_object_is_type(member, json_type_string))
        return (struct str){json_object_get_string(member), (size_t)json_object_get_string_len(member)};
    return str_from(json_object_to_json_string_ext(member, JSON_C_TO_STRING_PLAIN));
}

static int answer_each_text(struct json_object *json, int (*take)(void *ctx, struct str text), void *ctx)
{
    int rc = 0;
    if (json_object_is_type(json, json_type_object)) {
        struct json_object_iterator at = json_object_iter_begin(json), end = json_object_iter_end(json);
        for (; rc == 0 && !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
            rc = answer_each_text(json_object_iter_peek_value(&at), take, ctx);
        return rc;
    }
    const char *text = json != NULL ? json_object_get_string(json) : NULL;
    return text != NULL ? take(ctx, str_from(text)) : 0;
}

int api_remote_each_text(const struct remote_lead *lead, int (*take)(void *ctx, struct str text), void *ctx)
{
    return answer_each_text(lead->object, take, ctx);
}

const char *api_remote_json(const struct remote_lead *lead)
{
    return json_object_to_json_string_ext(lead->object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

void api_remote_keep(const struct remote_lead *lead)
{
    json_object_get(lead->object);
}

void api_remote_release(const struct remote_lead *lead)
{
    json_object_put(lead->object);
}

static bool answer_is_text(struct json_object *object, const char *name)
{
    struct str text;
    return answer_str(object, name, &text) && text.n > 0;
}

/* One trace is enough. Each member is absent when it is null, and it is not documented which of them a plan fills. */
bool api_remote_is_contacted(const struct remote_lead *lead)
{
    struct json_object *summary;
    int64_t replies;
    return answer_is_text(lead->object, "timestamp_last_contact") || answer_is_text(lead->object, "timestamp_last_reply") ||
           (answer_int(lead->object, "email_reply_count", &replies) && replies > 0) ||
           (answer_object(lead->object, "status_summary", &summary) && json_object_object_get_ex(summary, "lastStep", NULL));
}

/* Core fields stand beside `payload` and, most of them, mirrored in it under their old names. */
void api_remote_field(const struct remote_lead *lead, enum lead_field field, struct value *out)
{
    const struct lead_field_row *row = &lead_field_table[field];
    struct json_object *payload, *member = NULL;
    if (!json_object_object_get_ex(lead->object, row->api, &member) && row->payload[0] != '\0' &&
        answer_object(lead->object, "payload", &payload))
        json_object_object_get_ex(payload, row->payload, &member);
    answer_value(member, out);
}

void api_remote_custom(const struct remote_lead *lead, struct str name, struct value *out)
{
    struct json_object *payload;
    struct json_object_iter at;
    *out = (struct value){VALUE_ABSENT, NULL, 0};
    if (!answer_object(lead->object, "payload", &payload))
        return;
    /* Names are few and need not end in NUL: a walk, not a look-up. */
    json_object_object_foreachC (payload, at) {
        if (str_is(name, at.key)) {
            answer_value(at.val, out);
            return;
        }
    }
}
