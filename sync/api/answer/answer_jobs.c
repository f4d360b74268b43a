/* Typed readers of background jobs and of what a removal answers. */
#include "config.h"

#include "sync/api/api.h"

#include "sync/api/answer/answer.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* As documented, and the two words that the API's own SDK takes for final ones. */
static const struct {
    const char *text;
    enum job_status status;
    bool final;
} statuses[] = {
    {"pending", JOB_PENDING, false},    {"in-progress", JOB_RUNNING, false}, {"draining", JOB_DRAINING, false},
    {"paused", JOB_PAUSED, false},      {"success", JOB_SUCCESS, true},      {"failed", JOB_FAILED, true},
    {"cancelled", JOB_CANCELLED, true}, {"completed", JOB_SUCCESS, true},    {"error", JOB_FAILED, true},
};
enum { STATUSES_N = sizeof statuses / sizeof statuses[0] };

bool job_status_is_final(enum job_status status)
{
    for (size_t i = 0; i < STATUSES_N; i++)
        if (statuses[i].status == status)
            return statuses[i].final;
    return false;
}

enum job_status job_status_find(struct str text)
{
    for (size_t i = 0; i < STATUSES_N; i++)
        if (str_is(text, statuses[i].text))
            return statuses[i].status;
    return JOB_UNKNOWN;
}

static int64_t answer_jobs_count_of(struct json_object *object, const char *key)
{
    int64_t n;
    return answer_int(object, key, &n) && n >= 0 ? n : -1;
}

static struct str text_of(struct json_object *object, const char *key)
{
    struct str text;
    return answer_str(object, key, &text) ? text : STR_NONE;
}

static int64_t time_of(struct json_object *object, const char *key)
{
    int64_t ms;
    return answer_time(object, key, &ms) ? ms : 0;
}

int api_remote_job_read(struct json_object *item, struct remote_job *out, struct err *e)
{
    struct json_object *data = NULL;
    answer_object(item, "data", &data); /* absent in a first answer, and with other job types it holds other things */
    *out = (struct remote_job){
        .id = text_of(item, "id"),
        .type = text_of(item, "type"),
        .status_text = text_of(item, "status"),
        .entity_id = text_of(item, "entity_id"),
        .progress = answer_jobs_count_of(item, "progress"),
        .created_ms = time_of(item, "created_at"),
        .updated_ms = time_of(item, "updated_at"),
        .total = answer_jobs_count_of(data, "total_leads"),
        .moved = answer_jobs_count_of(data, "moved_leads"),
        .duplicated = answer_jobs_count_of(data, "duplicated_leads"),
        .missing_email = answer_jobs_count_of(data, "leads_missing_email"),
        .in_other_campaigns = answer_jobs_count_of(data, "leads_in_other_campaigns"),
        .blocklisted = answer_jobs_count_of(data, "ignored_leads_from_blocklist"),
        .object = item,
    };
    if (out->id.n == 0)
        return err_set(e, XS_API, "a background job in the API's answer has no id");
    out->status = job_status_find(out->status_text);
    return 0;
}

bool api_reply_has_jobs(const struct api_reply *reply)
{
    struct json_object *items;
    return reply->class == API_OK && answer_array(reply->json, "items", &items);
}

bool api_reply_job(const struct api_reply *reply, size_t *at, struct remote_job *out)
{
    struct json_object *items;
    if (!api_reply_has_jobs(reply) || !answer_array(reply->json, "items", &items))
        return false;
    while (*at < json_object_array_length(items)) {
        struct err e = ERR_INIT;
        bool read = api_remote_job_read(json_object_array_get_idx(items, (*at)++), out, &e) == 0;
        err_clear(&e);
        if (read)
            return true;
    }
    return false;
}

const char *api_remote_job_filters(const struct remote_job *job)
{
    struct json_object *data, *filters;
    return answer_object(job->object, "data", &data) && answer_object(data, "filters", &filters)
               ? json_object_to_json_string_ext(filters, JSON_C_TO_STRING_PLAIN)
               : NULL;
}

int api_job_filter_ids(const char *filters, struct arena *arena, struct uuid **ids, size_t *n, struct err *e)
{
    struct json_object *json = filters != NULL ? json_tokener_parse(filters) : NULL, *list;
    size_t listed = answer_array(json, "ids", &list) ? json_object_array_length(list) : 0;
    *n = 0;
    *ids = arena_calloc(arena, listed + 1, sizeof **ids);
    for (size_t i = 0; *ids != NULL && i < listed; i++) {
        const char *text = json_object_get_string(json_object_array_get_idx(list, i));
        if (text != NULL && uuid_parse(str_from(text), &(*ids)[*n]) == 0)
            ++*n;
    }
    json_object_put(json);
    return *ids == NULL ? err_oom(e) : 0;
}

/* The filters are the request's body, echoed. A target stands under the key of its kind, and there is none under
 * the key of the other kind. */
static bool names_target(struct json_object *filters, const char *campaign_key, const char *list_key, const struct target *t)
{
    bool campaign = t->kind == TARGET_CAMPAIGN;
    struct uuid id;
    struct str other;
    return answer_uuid(filters, campaign ? campaign_key : list_key, &id) && uuid_eq(&id, &t->id) &&
           !answer_str(filters, campaign ? list_key : campaign_key, &other);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct uuid));
}

/* Are all of these ids among those of the move? */
static bool are_ids_of(struct json_object *ids, const struct leads_move *move)
{
    struct uuid theirs[LEADS_MOVE_MAX], ours[LEADS_MOVE_MAX];
    size_t n = json_object_array_length(ids);
    if (n == 0 || n > move->ids_n || move->ids_n > LEADS_MOVE_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct json_object *id = json_object_array_get_idx(ids, i);
        if (!json_object_is_type(id, json_type_string) ||
            uuid_parse((struct str){json_object_get_string(id), (size_t)json_object_get_string_len(id)}, &theirs[i]) != 0)
            return false;
    }
    memcpy(ours, move->ids, move->ids_n * sizeof *ours);
    qsort(theirs, n, sizeof *theirs, by_bytes);
    qsort(ours, move->ids_n, sizeof *ours, by_bytes);
    size_t at = 0;
    for (size_t i = 0; i < n; i++, at++) {
        while (at < move->ids_n && by_bytes(&ours[at], &theirs[i]) < 0)
            at++;
        if (at == move->ids_n || by_bytes(&ours[at], &theirs[i]) != 0)
            return false;
    }
    return true;
}

bool api_remote_job_within(const struct remote_job *job, const struct leads_move *move)
{
    struct json_object *data, *filters, *ids;
    return str_is(job->type, "move-leads") && answer_object(job->object, "data", &data) &&
           answer_object(data, "filters", &filters) && answer_array(filters, "ids", &ids) &&
           names_target(filters, "campaign", "list_id", &move->from) &&
           names_target(filters, "to_campaign_id", "to_list_id", &move->to) && are_ids_of(ids, move);
}

int api_remote_job_moved(const struct remote_job *job, struct arena *arena, struct str **emails, size_t *n, struct err *e)
{
    struct json_object *data, *array;
    *emails = NULL;
    *n = 0;
    if (!answer_object(job->object, "data", &data) || !answer_array(data, "moved_lead_emails", &array))
        return 0;
    size_t length = json_object_array_length(array);
    *emails = arena_calloc(arena, length + 1, sizeof **emails);
    if (*emails == NULL)
        return err_oom(e);
    for (size_t i = 0; i < length; i++) {
        struct json_object *email = json_object_array_get_idx(array, i);
        if (json_object_is_type(email, json_type_string))
            (*emails)[(*n)++] = (struct str){json_object_get_string(email), (size_t)json_object_get_string_len(email)};
    }
    return 0;
}

int api_leads_deleted_read(struct json_object *json, int64_t *count, struct err *e)
{
    *count = answer_jobs_count_of(json, "count");
    if (*count < 0)
        return err_set(e, XS_API, "DELETE /leads: the answer does not say how many");
    return 0;
}
