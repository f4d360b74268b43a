/* How the API shows background jobs: one, and the list. Their life is world/jobs.c. */
#include "sync/sandbox/endpoints/move.h"

#include "sync/sandbox/server/route.h"
#include "sync/sandbox/world/jobs.h"
#include "sync/sandbox/world/lead.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_USUAL = 10 };

/* --- shown --- */

static bool jobs_in_list(struct str list, const char *word)
{
    for (size_t i = 0; i < list.n;) {
        const char *comma = memchr(list.p + i, ',', list.n - i);
        size_t n = comma == NULL ? list.n - i : (size_t)(comma - list.p) - i;
        if (str_is(str_trim((struct str){list.p + i, n}), word))
            return true;
        i += n + 1;
    }
    return false;
}

/* Before the end there are only the filters. A count that does not apply (addresses missing on the way to a list)
 * is null, not 0. */
static void write_data(const struct sim_job *job, struct str fields, struct jsonw *j)
{
    const struct {
        const char *name;
        int64_t n;
        /* clang-format off */
    } counts[] = {
        {"total_leads", job->total}, {"moved_leads", job->moved}, {"duplicated_leads", job->duplicated},
        {"leads_missing_email", job->missing_email}, {"leads_in_other_campaigns", job->elsewhere},
        {"ignored_leads_from_blocklist", job->blocked},
    };
    /* clang-format on */
    bool all = fields.p == NULL;
    jsonw_member_object(j, "data");
    if (job->emails != NULL && (all || jobs_in_list(fields, "moved_lead_emails")))
        jsonw_member_raw(j, "moved_lead_emails", str_from(job->emails));
    if (all || jobs_in_list(fields, "filters"))
        jsonw_member_raw(j, "filters", str_from(job->filters));
    for (size_t i = 0; job->done && i < sizeof counts / sizeof counts[0]; i++) {
        if (!all && !jobs_in_list(fields, counts[i].name))
            continue;
        jsonw_member_count(j, counts[i].name, counts[i].n);
    }
    jsonw_object_end(j);
}

void sim_job_write(struct sim_world *w, const struct sim_job *job, struct str fields, struct jsonw *j)
{
    int progress;
    const char *status = sim_job_status(w, job, &progress);
    uint32_t entity = job->from != 0 ? job->from : job->from_list;
    jsonw_object(j);
    jsonw_member_text(j, "id", job->id);
    jsonw_member_uuid(j, "workspace_id", &w->workspace);
    jsonw_member_text(j, "type", "move-leads");
    jsonw_member_int(j, "progress", progress);
    jsonw_member_text(j, "status", status);
    sim_write_time(j, "created_at", job->created_ms);
    sim_write_time(j, "updated_at", job->updated_ms);
    if (w->now_ms == job->created_ms && !job->done) { /* only the first answer has it, and null */
        jsonw_member_null(j, "user_id");
    }
    jsonw_member_uuid(j, "entity_id", &sim_place_at(w, entity)->id);
    jsonw_member_text(j, "entity_type", sim_place_at(w, entity)->is_campaign ? "campaign" : "list");
    write_data(job, fields, j);
    jsonw_object_end(j);
}

/* A vanished job cannot be found, and moves its leads nevertheless. */
static const struct sim_job *find_job(const struct sim_world *w, struct str id)
{
    for (size_t i = w->jobs_n; i-- > 0;)
        if (!w->jobs[i].hidden && str_is(id, w->jobs[i].id))
            return &w->jobs[i];
    return NULL;
}

/* Unknown names in data_fields are ignored; then data may come out empty. */
int sim_job_get(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    const struct sim_job *job = find_job(w, q->param);
    struct jsonw j;
    if (job == NULL)
        return sim_answer_not_found(a);
    jsonw_init(&j, &a->body);
    sim_job_write(w, job, sim_query_get(q, "data_fields"), &j);
    return jsonw_end(&j);
}

/* --- list --- */

/* Every filter is a comma list; one that is not given lets all pass. */
static bool wanted(struct sim_world *w, const struct sim_job *job, const struct sim_request *q)
{
    char entity[UUID_TEXT_N];
    int progress;
    const struct sim_place *place = sim_place_at(w, job->from != 0 ? job->from : job->from_list);
    uuid_format(&place->id, entity);
    const struct {
        const char *name, *value;
        bool exclude;
        /* clang-format off */
    } tests[] = {
        {"ids", job->id, false}, {"included_ids", job->id, false}, {"excluded_ids", job->id, true},
        {"type", "move-leads", false}, {"entity_type", place->is_campaign ? "campaign" : "list", false},
        {"entity_id", entity, false}, {"status", sim_job_status(w, job, &progress), false},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct str list = sim_query_get(q, tests[i].name);
        if (list.n > 0 && jobs_in_list(list, tests[i].value) == tests[i].exclude)
            return false;
    }
    return !job->hidden;
}

static int64_t sort_key(const struct sim_job *job, bool by_update)
{
    return by_update ? job->updated_ms : job->created_ms;
}

/* Whether `a` comes before `b`; equal times keep the order of the jobs' numbers. */
static bool before(const struct sim_job *a, const struct sim_job *b, bool by_update, bool ascending)
{
    int64_t x = sort_key(a, by_update), y = sort_key(b, by_update);
    bool less = x != y ? x < y : a < b;
    return a != b && less == ascending;
}

int sim_jobs_list(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    struct str cursor = sim_query_get(q, "starting_after");
    bool by_update = str_is(sim_query_get(q, "sort_column"), "updated_at");
    bool ascending = str_is(sim_query_get(q, "sort_order"), "asc");
    struct str limit_text = sim_query_get(q, "limit");
    long limit = limit_text.n > 0 ? strtol(limit_text.p, NULL, 10) : PAGE_USUAL;
    const struct sim_job *last = cursor.n > 0 ? find_job(w, cursor) : NULL;
    struct jsonw j;
    jsonw_init(&j, &a->body);
    jsonw_object(&j);
    jsonw_member_array(&j, "items");
    const char *shown = NULL;
    /* Picks the next in order as often as the page is long: there are few jobs, and no order to keep. */
    for (long n = 0; n < limit && (cursor.n == 0 || last != NULL); n++) {
        const struct sim_job *next = NULL;
        for (size_t i = 0; i < w->jobs_n; i++) {
            const struct sim_job *job = &w->jobs[i];
            if ((last == NULL || before(last, job, by_update, ascending)) &&
                (next == NULL || before(job, next, by_update, ascending)) && wanted(w, job, q))
                next = job;
        }
        if (next == NULL)
            break;
        sim_job_write(w, next, STR_NONE, &j);
        last = next;
        shown = next->id;
    }
    jsonw_array_end(&j);
    if (shown != NULL)
        jsonw_member_text(&j, "next_starting_after", shown);
    jsonw_object_end(&j);
    return jsonw_end(&j);
}
