/* Background jobs for people who ask: by id, or all of the workspace. Blocking, one call after the other. */
#include "config.h"

#include "sync/api/answer/answer.h"
#include "sync/api/body/body.h"
#include "sync/api/pages.h"
#include "sync/base/log.h"

#include <json-c/json.h>

enum { QUERY_MAX_BYTES = 7000 };

struct seer {
    api_job_fn *see;
    void *ctx;
};

/* A job that cannot be read is left out, and the others are shown. */
static int see_item(void *ctx, struct json_object *item, struct err *e)
{
    const struct seer *s = ctx;
    struct err unread = ERR_INIT;
    struct remote_job job;
    if (api_remote_job_read(item, &job, &unread) == 0)
        return s->see(s->ctx, &job, e);
    log_detail("%s", err_text(&unread));
    err_clear(&unread);
    return 0;
}

int api_jobs_each(struct api *a, const struct str *ids, size_t ids_n, api_job_fn *see, void *ctx, struct err *e)
{
    struct seer seer = {see, ctx};
    struct buf query = BUF_INIT(QUERY_MAX_BYTES);
    bool made = ids_n <= JOBS_LIST_MAX && (ids_n == 0 || buf_adds(&query, "&ids=") == 0);
    for (size_t i = 0; made && i < ids_n; i++)
        made = (i == 0 || buf_addc(&query, ',') == 0) && body_url_escape(ids[i], &query) == 0;
    const char *text = made ? buf_cstr(&query) : NULL;
    int rc = text != NULL ? pages_each(a, "/api/v2/background-jobs", text, NULL, see_item, &seer, e)
                          : err_set(e, XS_USAGE, "background jobs: the ids are too long to ask for; give fewer of them");
    buf_free(&query);
    return rc;
}

int api_job_find(struct api *a, struct str id, api_job_fn *see, void *ctx, struct err *e)
{
    struct buf path = BUF_INIT(QUERY_MAX_BYTES);
    struct api_reply reply;
    struct remote_job job;
    int rc = -1;
    if (buf_adds(&path, "/api/v2/background-jobs/") != 0 || body_url_escape(id, &path) != 0 || buf_cstr(&path) == NULL)
        err_set(e, XS_USAGE, "background jobs: the id is too long to ask for");
    else if (pages_get(a, path.p, false, &reply, e) != 0)
        ;
    else if (reply.class == API_REFUSED && (reply.http_status == 404 || reply.http_status == 400))
        rc = 0; /* a text without the form of an id names no job */
    else if (reply.class != API_OK)
        err_set(e, XS_API, "%s: no usable answer (%d %.*s)", path.p, reply.http_status, STR_ARG(reply.message));
    else if (api_remote_job_read(reply.json, &job, e) == 0)
        rc = see(ctx, &job, e) < 0 ? -1 : 1;
    buf_free(&path);
    return rc;
}

/* "" unless one of the two is there. */
static void reported_target(struct json_object *filters, const char *campaign_key, const char *list_key,
                            char out[TARGET_TEXT_N])
{
    struct target t = {.kind = TARGET_CAMPAIGN};
    out[0] = '\0';
    if (!answer_uuid(filters, campaign_key, &t.id)) {
        t.kind = TARGET_LIST;
        if (!answer_uuid(filters, list_key, &t.id))
            return;
    }
    target_format(&t, out);
}

static int64_t lookup_jobs_count_of(struct json_object *data, const char *key)
{
    int64_t n;
    return answer_int(data, key, &n) && n >= 0 ? n : -1;
}

void api_remote_job_report(const struct remote_job *job, struct job_report *out)
{
    struct json_object *data = NULL, *filters = NULL;
    answer_object(job->object, "data", &data);
    answer_object(data, "filters", &filters);
    reported_target(filters, "campaign", "list_id", out->from);
    reported_target(filters, "to_campaign_id", "to_list_id", out->to);
    if (str_is(job->type, "move-leads")) {
        out->total = job->total;
        out->success = job->moved;
        out->failed = job->total >= 0 && job->moved >= 0 && job->total >= job->moved ? job->total - job->moved : -1;
        return;
    }
    out->total = lookup_jobs_count_of(data, "total_to_process");
    out->success = lookup_jobs_count_of(data, "success_count");
    out->failed = lookup_jobs_count_of(data, "failed_count");
}
