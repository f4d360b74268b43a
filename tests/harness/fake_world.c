#include "tests/harness/fake_world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sync/base/hash.h"
#include "sync/base/stop.h"

/* ---- small helpers over json-c ---- */

static struct json_object *member(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;
    return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, name, &v) ? v : NULL;
}

static const char *text(struct json_object *o, const char *name)
{
    struct json_object *v = member(o, name);
    return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
}

static void put_text(struct json_object *o, const char *name, const char *value)
{
    json_object_object_add(o, name, json_object_new_string(value));
}

static void put_int(struct json_object *o, const char *name, int64_t value)
{
    json_object_object_add(o, name, json_object_new_int64(value));
}

static bool starts(const char *s, const char *prefix)
{
    return strncasecmp(s, prefix, strlen(prefix)) == 0;
}

/* Answers stay readable until the end: the body of an answer borrows from here. */
static const char *keep(struct world *w, struct json_object *answer)
{
    json_object_array_add(w->bodies, answer);
    return json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN);
}

static const char *target_of(struct json_object *lead)
{
    return text(lead, "list_id")[0] != '\0' ? text(lead, "list_id") : text(lead, "campaign");
}

/* ---- leads ---- */

struct json_object *world_find(const struct world *w, const char *target, const char *email)
{
    for (size_t i = 0; email[0] != '\0' && i < world_n(w); i++) {
        struct json_object *lead = json_object_array_get_idx(w->leads, i);
        if (strcasecmp(text(lead, "email"), email) == 0 && (target == NULL || strcmp(target_of(lead), target) == 0))
            return lead;
    }
    return NULL;
}

const char *world_value(const struct world *w, const char *target, const char *email, const char *name)
{
    struct json_object *lead = world_find(w, target, email), *v = member(lead, name);
    if (v == NULL)
        v = member(member(lead, "payload"), name);
    return v != NULL ? json_object_get_string(v) : "";
}

size_t world_n(const struct world *w)
{
    return json_object_array_length(w->leads);
}

size_t world_doubles(const struct world *w)
{
    size_t doubles = 0;
    for (size_t i = 0; i < world_n(w); i++)
        for (size_t k = 0; k < i; k++) {
            struct json_object *a = json_object_array_get_idx(w->leads, i), *b = json_object_array_get_idx(w->leads, k);
            const char *key_a = text(member(a, "payload"), "leadsync_key");
            const char *key_b = text(member(b, "payload"), "leadsync_key");
            bool same = text(a, "email")[0] != '\0' ? strcasecmp(text(a, "email"), text(b, "email")) == 0
                                                    : text(b, "email")[0] == '\0' && key_a[0] != '\0' &&
                                                          strcmp(key_a, key_b) == 0;
            if (same && strcmp(target_of(a), target_of(b)) == 0) {
                doubles++;
                break;
            }
        }
    return doubles;
}

static struct json_object *make(struct world *w, bool list, const char *target)
{
    struct json_object *lead = json_object_new_object();
    char id[UUID_TEXT_N], when[TIME_TEXT_N];
    snprintf(id, sizeof id, "01900000-0000-7000-8000-%012x", ++w->ids);
    put_text(lead, "id", id);
    put_text(lead, list ? "list_id" : "campaign", target);
    put_text(lead, "timestamp_created", time_format(w->clock->wall + w->skew_ms, when));
    put_int(lead, "status", 1);
    put_int(lead, "visible_ms", w->clock->wall + w->lag_ms);
    return lead;
}

/* Members of an add or a PATCH become what leads/list tells. */
static void write_fields(struct json_object *lead, struct json_object *item)
{
    struct json_object_iter at;
    json_object_object_foreachC(item, at)
        json_object_object_add(lead, strcmp(at.key, "custom_variables") == 0 ? "payload" : at.key,
                               json_object_get(at.val));
}

void world_put(struct world *w, const char *target, const char *email, const char *first_name)
{
    struct json_object *lead = make(w, strcmp(target, WORLD_CAMPAIGN) != 0, target);
    put_text(lead, "email", email);
    put_text(lead, "first_name", first_name);
    json_object_array_add(w->leads, lead);
}

void world_delete(struct world *w, const char *email)
{
    for (size_t i = 0; i < world_n(w); i++)
        if (strcasecmp(text(json_object_array_get_idx(w->leads, i), "email"), email) == 0) {
            json_object_array_del_idx(w->leads, i, 1);
            return;
        }
}

void world_set(struct world *w, const char *email, const char *name, int64_t value)
{
    struct json_object *lead = world_find(w, NULL, email);
    if (lead == NULL)
        abort();
    put_int(lead, name, value);
}

static void place(struct json_object *lead, const char *target)
{
    bool list = strcmp(target, WORLD_CAMPAIGN) != 0;
    json_object_object_del(lead, list ? "campaign" : "list_id");
    put_text(lead, list ? "list_id" : "campaign", target);
}

void world_place(struct world *w, const char *email, const char *target)
{
    struct json_object *lead = world_find(w, NULL, email);
    if (lead == NULL)
        abort();
    place(lead, target);
}

/* ---- leads/add ---- */

struct counts {
    int64_t uploaded, blocked, duplicated, skipped, invalid, incomplete, twice;
};

static int64_t *counter_for(struct world *w, struct json_object *body, struct json_object *leads, size_t i,
                            const char *target, struct counts *c)
{
    const char *email = text(json_object_array_get_idx(leads, i), "email");
    struct json_object *campaigns = member(body, "skip_if_in_workspace");
    for (size_t k = 0; email[0] != '\0' && k < i; k++)
        if (strcasecmp(text(json_object_array_get_idx(leads, k), "email"), email) == 0)
            return &c->twice;
    if (starts(email, "blocked"))
        return &c->blocked;
    if (starts(email, "invalid"))
        return &c->invalid;
    if (starts(email, "incomplete"))
        return &c->incomplete;
    if (world_find(w, target, email) != NULL)
        return &c->duplicated;
    if (json_object_get_boolean(campaigns) && world_find(w, NULL, email) != NULL)
        return &c->skipped;
    return &c->uploaded;
}

static struct json_object *add(struct world *w, struct json_object *body)
{
    struct json_object *leads = member(body, "leads"), *answer = json_object_new_object();
    struct json_object *created = json_object_new_array();
    struct counts c = {0};
    bool list = text(body, "list_id")[0] != '\0';
    const char *target = list ? text(body, "list_id") : text(body, "campaign_id");
    size_t n = json_object_array_length(leads);
    for (size_t i = 0; i < n; i++) {
        int64_t *counter = counter_for(w, body, leads, i, target, &c);
        (*counter)++;
        if (counter != &c.uploaded)
            continue;
        struct json_object *lead = make(w, list, target), *told = json_object_new_object();
        write_fields(lead, json_object_array_get_idx(leads, i));
        json_object_array_add(w->leads, lead);
        put_int(told, "index", (int64_t)i);
        put_text(told, "id", text(lead, "id"));
        put_text(told, "email", text(lead, "email"));
        json_object_array_add(created, told);
    }
    /* In no order that could be relied on. */
    struct json_object *shuffled = json_object_new_array();
    for (size_t i = json_object_array_length(created); i-- > 0;)
        json_object_array_add(shuffled, json_object_get(json_object_array_get_idx(created, i)));
    json_object_put(created);
    put_text(answer, "status", "success");
    put_int(answer, "total_sent", (int64_t)n);
    put_int(answer, "leads_uploaded", c.uploaded);
    put_int(answer, "in_blocklist", c.blocked);
    put_int(answer, "duplicated_leads", c.duplicated);
    put_int(answer, "skipped_count", c.skipped);
    put_int(answer, "invalid_email_count", c.invalid);
    put_int(answer, "incomplete_count", c.incomplete);
    put_int(answer, "duplicate_email_count", c.twice);
    json_object_object_add(answer, "created_leads", shuffled);
    return answer;
}

/* Index of the first lead whose address starts so; -1: none. */
static long spoilt(struct json_object *body, const char *prefix)
{
    struct json_object *leads = member(body, "leads");
    for (size_t i = 0; i < json_object_array_length(leads); i++)
        if (starts(text(json_object_array_get_idx(leads, i), "email"), prefix))
            return (long)i;
    return -1;
}

static void refuse(struct world *w, int status, const char *message, struct fake_answer *a)
{
    struct json_object *o = json_object_new_object();
    put_int(o, "statusCode", status);
    put_text(o, "message", message);
    a->status = status;
    a->body = keep(w, o);
}

static bool is_locked(const struct world *w, const char *target);

static void answer_add(struct world *w, struct json_object *body, struct fake_answer *a)
{
    char message[80];
    const char *list = text(body, "list_id");
    if (is_locked(w, list[0] != '\0' ? list : text(body, "campaign_id"))) {
        refuse(w, 409, "There is a move-leads job in progress. You cannot add or remove leads", a);
        return;
    }
    long at = spoilt(body, "named");
    if (at >= 0) {
        snprintf(message, sizeof message, "body/leads/%ld/email must be a good one", at);
        refuse(w, 400, message, a);
    } else if (spoilt(body, "poison") >= 0) {
        refuse(w, 400, "one of them is bad", a);
    } else {
        a->body = keep(w, add(w, body));
    }
}

/* ---- leads/list, PATCH and the rest ---- */

static bool in_array(struct json_object *array, const char *wanted)
{
    for (size_t i = 0; i < json_object_array_length(array); i++)
        if (strcasecmp(json_object_get_string(json_object_array_get_idx(array, i)), wanted) == 0)
            return true;
    return false;
}

static void answer_read(struct world *w, struct json_object *body, struct fake_answer *a)
{
    struct json_object *o = json_object_new_object(), *items = json_object_new_array();
    size_t i = (size_t)strtoul(text(body, "starting_after"), NULL, 10);
    char cursor[24];
    for (; i < world_n(w) && json_object_array_length(items) < 100; i++) {
        struct json_object *lead = json_object_array_get_idx(w->leads, i);
        const char *list = text(body, "list_id"), *campaign = text(body, "campaign");
        if ((list[0] != '\0' && strcmp(list, text(lead, "list_id")) != 0) ||
            (campaign[0] != '\0' && strcmp(campaign, text(lead, "campaign")) != 0) ||
            (member(body, "contacts") != NULL && !in_array(member(body, "contacts"), text(lead, "email"))) ||
            (member(body, "ids") != NULL && !in_array(member(body, "ids"), text(lead, "id"))) ||
            json_object_get_int64(member(lead, "visible_ms")) > w->clock->wall)
            continue;
        json_object_array_add(items, json_object_get(lead));
    }
    for (size_t g = 0; text(body, "starting_after")[0] == '\0' && g < json_object_array_length(w->ghosts); g++) {
        struct json_object *ghost = json_object_array_get_idx(w->ghosts, g);
        if (member(body, "ids") != NULL && in_array(member(body, "ids"), text(ghost, "id")) &&
            json_object_get_int64(member(ghost, "ghost_ms")) > w->clock->wall)
            json_object_array_add(items, json_object_get(ghost));
    }
    snprintf(cursor, sizeof cursor, "%zu", i);
    json_object_object_add(o, "items", items);
    if (json_object_array_length(items) > 0)
        put_text(o, "next_starting_after", cursor);
    a->body = keep(w, o);
}

/* Without ids everything would go: whoever asks for that is not to be tested any further. */
static void answer_delete(struct world *w, struct json_object *body, struct fake_answer *a)
{
    struct json_object *ids = member(body, "ids"), *o = json_object_new_object();
    const char *list = text(body, "list_id"), *campaign = text(body, "campaign_id");
    int64_t count = 0;
    if (!json_object_is_type(ids, json_type_array) || json_object_array_length(ids) == 0 ||
        json_object_array_length(ids) > 100 || (list[0] == '\0') == (campaign[0] == '\0'))
        abort();
    if (is_locked(w, list[0] != '\0' ? list : campaign)) {
        json_object_put(o);
        refuse(w, 409, "There is a move-leads job in progress. You cannot add or remove leads", a);
        return;
    }
    for (size_t i = world_n(w); i-- > 0;) {
        struct json_object *lead = json_object_array_get_idx(w->leads, i);
        if (!in_array(ids, text(lead, "id")) || strcmp(list, text(lead, "list_id")) != 0 ||
            strcmp(campaign, text(lead, "campaign")) != 0)
            continue;
        put_int(lead, "ghost_ms", w->clock->wall + w->ghost_ms);
        json_object_array_add(w->ghosts, json_object_get(lead));
        json_object_array_del_idx(w->leads, i, 1);
        count++;
    }
    w->leads_deleted += (unsigned)count;
    put_int(o, "count", count + w->miscount);
    a->body = keep(w, o);
}

static void answer_patch(struct world *w, const char *id, struct json_object *body, struct fake_answer *a)
{
    for (size_t i = 0; i < world_n(w); i++) {
        struct json_object *lead = json_object_array_get_idx(w->leads, i);
        if (strcmp(text(lead, "id"), id) != 0)
            continue;
        write_fields(lead, body);
        json_object_array_add(w->bodies, json_object_get(lead));
        a->body = json_object_to_json_string_ext(lead, JSON_C_TO_STRING_PLAIN);
        /* The lead may change while the answer travels. */
        struct json_object *copy = json_object_new_string(a->body);
        json_object_array_add(w->bodies, copy);
        a->body = json_object_get_string(copy);
        return;
    }
    refuse(w, 404, "Resource not found", a);
}

/* ---- moves and their jobs ---- */

static const char *end_of(struct json_object *filters, bool to)
{
    const char *campaign = text(filters, to ? "to_campaign_id" : "campaign");
    return campaign[0] != '\0' ? campaign : text(filters, to ? "to_list_id" : "list_id");
}

static struct json_object *by_id(struct world *w, const char *id)
{
    for (size_t i = 0; i < world_n(w); i++)
        if (strcmp(text(json_object_array_get_idx(w->leads, i), "id"), id) == 0)
            return json_object_array_get_idx(w->leads, i);
    return NULL;
}

static void work_job(struct world *w, struct world_job *job)
{
    struct json_object *ids = member(job->filters, "ids");
    const char *from = end_of(job->filters, false), *to = end_of(job->filters, true);
    size_t n = json_object_array_length(ids), stop = n;
    bool half = job->mode == WJOB_FAILED || job->mode == WJOB_CANCELLED || job->mode == WJOB_HALF ||
                job->mode == WJOB_BOASTS;
    if (half)
        stop = n / 2;
    for (size_t i = 0; i < n && job->mode != WJOB_ZERO; i++) {
        struct json_object *lead = by_id(w, json_object_get_string(json_object_array_get_idx(ids, i)));
        const char *email = text(lead, "email");
        if (lead == NULL || strcmp(target_of(lead), from) != 0)
            continue;
        job->total++;
        if (job->mode == WJOB_BOASTS)
            json_object_array_add(job->emails, json_object_new_string(email));
        if (i >= stop || starts(email, "stays") || (email[0] != '\0' && world_find(w, to, email) != NULL))
            continue;
        if (job->mode != WJOB_BOASTS && job->mode != WJOB_SILENT)
            json_object_array_add(job->emails, json_object_new_string(email));
        json_object_array_add(job->leads, json_object_get(lead));
        job->moved++;
    }
}

static void show_job(struct world_job *job)
{
    for (size_t i = 0; i < json_object_array_length(job->leads); i++) {
        place(json_object_array_get_idx(job->leads, i), end_of(job->filters, true));
        put_int(json_object_array_get_idx(job->leads, i), "status", 1);
    }
}

static void step_jobs(struct world *w)
{
    for (size_t i = 0; i < w->jobs_n; i++) {
        struct world_job *job = &w->jobs[i];
        if (job->mode == WJOB_STUCK && w->job_mode == WJOB_OK) {
            job->mode = WJOB_OK;
            job->due_ms = w->clock->wall;
        }
        if (!job->done && job->mode != WJOB_STUCK && job->due_ms <= w->clock->wall) {
            job->done = true;
            work_job(w, job);
        }
        /* Where a lead is shows late; what the job says of it does not. */
        if (job->done && !job->shown && job->due_ms + w->lag_ms <= w->clock->wall) {
            job->shown = true;
            show_job(job);
        }
    }
}

static bool is_locked(const struct world *w, const char *target)
{
    for (size_t i = 0; i < w->jobs_n; i++)
        if (!w->jobs[i].done && (strcmp(end_of(w->jobs[i].filters, false), target) == 0 ||
                                 strcmp(end_of(w->jobs[i].filters, true), target) == 0))
            return true;
    return false;
}

static const char *job_status(const struct world *w, const struct world_job *job)
{
    int64_t third = (job->due_ms - job->created_ms) / 3, age = w->clock->wall - job->created_ms;
    if (job->done)
        return job->mode == WJOB_FAILED ? "failed" : job->mode == WJOB_CANCELLED ? "cancelled" : "success";
    if (job->mode == WJOB_PAUSED || job->mode == WJOB_DRAINING || job->mode == WJOB_ODD)
        return age < third ? "pending" : job->mode == WJOB_PAUSED ? "paused" : job->mode == WJOB_DRAINING ? "draining"
                                                                                                        : "rebalancing";
    return age < third ? "pending" : "in-progress";
}

static struct json_object *tell_job(const struct world *w, const struct world_job *job)
{
    struct json_object *o = json_object_new_object(), *data = json_object_new_object();
    char when[TIME_TEXT_N];
    put_text(o, "id", job->id);
    put_text(o, "type", "move-leads");
    put_text(o, "status", job_status(w, job));
    put_int(o, "progress", job->done ? 100 : 0);
    put_text(o, "created_at", time_format(job->created_ms + w->skew_ms, when));
    put_text(o, "updated_at", time_format(w->clock->wall + w->skew_ms, when));
    put_text(o, "entity_id", end_of(job->filters, false));
    json_object_object_add(data, "filters", json_object_get(job->filters));
    if (job->done) {
        put_int(data, "total_leads", job->total);
        put_int(data, "moved_leads", job->moved);
        json_object_object_add(data, "moved_lead_emails", json_object_get(job->emails));
    }
    json_object_object_add(o, "data", data);
    return o;
}

static void answer_move(struct world *w, struct json_object *body, struct fake_answer *a)
{
    size_t n = json_object_array_length(member(body, "ids"));
    if (is_locked(w, end_of(body, false)) || is_locked(w, end_of(body, true))) {
        refuse(w, 409, "There is a move-leads job in progress. You cannot add or remove leads", a);
        return;
    }
    if (n == 0 || end_of(body, false)[0] == '\0' || (size_t)json_object_get_int64(member(body, "limit")) != n) {
        fprintf(stderr, "fake_world: a move without ids, source or limit\n");
        abort();
    }
    if (w->ids_max > 0 && n > w->ids_max) {
        refuse(w, 400, "body/ids must NOT have more items", a);
        return;
    }
    if (w->jobs_n == WORLD_JOBS_MAX)
        abort();
    struct world_job *job = &w->jobs[w->jobs_n++];
    bool slow = w->job_mode == WJOB_PAUSED || w->job_mode == WJOB_DRAINING || w->job_mode == WJOB_ODD;
    *job = (struct world_job){.mode = w->job_mode, .created_ms = w->clock->wall, .filters = json_object_get(body),
                              .due_ms = w->clock->wall + w->job_ms * (slow ? 3 : 1), .emails = json_object_new_array(),
                              .leads = json_object_new_array()};
    snprintf(job->id, sizeof job->id, "6a4431f44bcfcb42%08zx", w->jobs_n);
    a->body = keep(w, tell_job(w, job));
}

static void answer_jobs(struct world *w, const char *path, struct fake_answer *a)
{
    struct json_object *o = json_object_new_object(), *items = json_object_new_array();
    const char *ids = strstr(path, "ids="), *entity = strstr(path, "entity_id=");
    for (size_t i = w->jobs_n; i-- > 0;) {
        const struct world_job *job = &w->jobs[i];
        bool hidden = job->mode == WJOB_VANISHED || job->mode == WJOB_UNLISTED;
        if (!hidden && (ids == NULL || strstr(ids, job->id) != NULL) &&
            (entity == NULL || strstr(entity, end_of(job->filters, false)) != NULL))
            json_object_array_add(items, tell_job(w, job));
    }
    json_object_object_add(o, "items", items);
    a->body = keep(w, o);
}

static void answer_job(struct world *w, const char *id, struct fake_answer *a)
{
    for (size_t i = 0; i < w->jobs_n; i++)
        if (strcmp(w->jobs[i].id, id) == 0 && w->jobs[i].mode != WJOB_VANISHED) {
            a->body = keep(w, tell_job(w, &w->jobs[i]));
            return;
        }
    refuse(w, 404, "Resource not found", a);
}

static void answer_other(struct world *w, const char *path, struct fake_answer *a)
{
    struct json_object *o = json_object_new_object();
    const char *id = strrchr(path, '/') + 1;
    if (strncmp(path, "/api/v2/campaigns/", 18) == 0 || strncmp(path, "/api/v2/lead-lists/", 19) == 0) {
        put_text(o, "id", id);
        put_text(o, "name", strcmp(id, WORLD_LIST) == 0 ? "Incoming" : "Demo");
        put_int(o, "status", 2);
    } else if (strcmp(path, "/api/v2/workspaces/current") == 0) {
        put_text(o, "id", w->workspace);
        put_text(o, "name", "Acme");
    }
    a->body = keep(w, o);
}

static enum world_kind kind_of(const struct transport_request *r)
{
    if (strcmp(r->path, "/api/v2/leads/add") == 0)
        return WORLD_ADD;
    if (strcmp(r->path, "/api/v2/leads/list") == 0)
        return WORLD_READ;
    if (strcmp(r->path, "/api/v2/leads/move") == 0)
        return WORLD_MOVE;
    if (strncmp(r->path, "/api/v2/background-jobs", 23) == 0)
        return r->path[23] == '/' ? WORLD_JOB : WORLD_JOBS;
    if (strcmp(r->method, "DELETE") == 0)
        return WORLD_DELETE;
    return strcmp(r->method, "PATCH") == 0 ? WORLD_PATCH : WORLD_OTHER;
}

/* ---- faults ---- */

static void spoil_index(struct world *w, struct fake_answer *a, int64_t index)
{
    struct json_object *o = json_tokener_parse(a->body), *created = member(o, "created_leads");
    if (json_object_is_type(created, json_type_array) && json_object_array_length(created) > 0)
        put_int(json_object_array_get_idx(created, 0), "index", index);
    a->body = keep(w, o);
}

/* What goes wrong before anything is done; false: it is done. */
static bool fail_before(struct world *w, enum world_fault fault, int room, struct fake_answer *a)
{
    char message[80];
    switch (fault) {
    case FAULT_500: refuse(w, 500, "oops", a); return true;
    case FAULT_LOST: a->end = TRANSPORT_LOST; return true;
    case FAULT_NOT_SENT: a->end = TRANSPORT_NOT_SENT; return true;
    case FAULT_400: refuse(w, 400, "no", a); return true;
    case FAULT_401: refuse(w, 401, "Missing Authorization header", a); return true;
    case FAULT_404: refuse(w, 404, "Resource not found", a); return true;
    case FAULT_409: refuse(w, 409, "There is a move-leads job in progress. You cannot add or remove leads", a); return true;
    case FAULT_413: refuse(w, 413, "too large", a); return true;
    case FAULT_429: refuse(w, 429, "Rate limit exceeded", a); return true;
    case FAULT_EDGE:
        a->status = 403;
        a->body = "error code: 1010";
        return true;
    case FAULT_FULL:
        snprintf(message, sizeof message, "Lead limit reached. Remaining uploads: %d", room);
        refuse(w, 403, message, a);
        return true;
    default: return false;
    }
}

static void fail_after(struct world *w, enum world_fault fault, struct fake_answer *a)
{
    switch (fault) {
    case FAULT_500_AFTER: refuse(w, 500, "oops", a); break;
    case FAULT_LOST_AFTER: a->end = TRANSPORT_LOST; break;
    case FAULT_GARBAGE_AFTER: a->body = "<html>hello"; break;
    case FAULT_ERROR_KEY_AFTER: a->body = "{\"error\":\"something\"}"; break;
    case FAULT_NO_LIST_AFTER: a->body = "{\"status\":\"success\",\"total_sent\":3}"; break;
    case FAULT_INDEX_TWICE_AFTER: spoil_index(w, a, 0); break;
    case FAULT_INDEX_FAR_AFTER: spoil_index(w, a, 100000); break;
    default: break;
    }
}

static void on_request(void *ctx, const struct transport_request *r, struct fake_answer *a)
{
    struct world *w = ctx;
    enum world_kind kind = kind_of(r);
    struct json_object *body = NULL;
    if (r->body.n > 0) {
        char *copy = str_dup(r->body);
        body = json_tokener_parse(copy);
        free(copy);
        if (body == NULL)
            abort();
    }
    enum world_fault fault = FAULT_NONE;
    int room = 0;
    step_jobs(w);
    w->n[kind]++;
    for (size_t i = 0; i < w->rules_n; i++)
        if (w->rules[i].kind == kind && w->n[kind] >= w->rules[i].first && w->n[kind] <= w->rules[i].last) {
            fault = w->rules[i].fault;
            room = w->rules[i].room;
        }
    if (kind == WORLD_ADD) {
        w->last_asked = (unsigned)json_object_array_length(member(body, "leads"));
        w->leads_asked += w->last_asked;
    }
    *a = (struct fake_answer){.status = 200, .latency_ms = 20, .date_ms = w->clock->wall + w->skew_ms};
    unsigned all = 0;
    for (int i = 0; i < WORLD_KIND_N; i++)
        all += i == WORLD_OTHER || i == WORLD_JOB ? 0 : w->n[i];
    if (w->stop_at > 0 && kind != WORLD_OTHER && all == (unsigned)w->stop_at)
        stop_set(SIGINT);
    if (kind == WORLD_ADD && w->body_max > 0 && r->body.n > w->body_max)
        fault = FAULT_413;
    if (!fail_before(w, fault, room, a)) {
        switch (kind) {
        case WORLD_ADD: answer_add(w, body, a); break;
        case WORLD_READ: answer_read(w, body, a); break;
        case WORLD_PATCH: answer_patch(w, strrchr(r->path, '/') + 1, body, a); break;
        case WORLD_MOVE: answer_move(w, body, a); break;
        case WORLD_DELETE: answer_delete(w, body, a); break;
        case WORLD_JOBS: answer_jobs(w, r->path, a); break;
        case WORLD_JOB: answer_job(w, strrchr(r->path, '/') + 1, a); break;
        default: answer_other(w, r->path, a); break;
        }
        fail_after(w, fault, a);
    }
    json_object_put(body);
}

/* ---- life ---- */

void world_init(struct world *w, struct clock_fake *clock)
{
    memset(w, 0, sizeof *w);
    fake_transport_init(&w->t, clock);
    w->t.on_request = on_request;
    w->t.ctx = w;
    w->clock = clock;
    w->leads = json_object_new_array();
    w->bodies = json_object_new_array();
    w->ghosts = json_object_new_array();
    w->workspace = WORLD_WORKSPACE;
    w->job_ms = 300;
}

void world_free(struct world *w)
{
    fake_transport_done(&w->t);
    json_object_put(w->leads);
    json_object_put(w->ghosts);
    json_object_put(w->bodies);
    for (size_t i = 0; i < w->jobs_n; i++) {
        json_object_put(w->jobs[i].filters);
        json_object_put(w->jobs[i].emails);
        json_object_put(w->jobs[i].leads);
    }
}

void world_fault(struct world *w, enum world_kind kind, unsigned first, unsigned last, enum world_fault fault)
{
    if (w->rules_n == WORLD_RULES_MAX)
        abort();
    w->rules[w->rules_n].kind = kind;
    w->rules[w->rules_n].first = first;
    w->rules[w->rules_n].last = last;
    w->rules[w->rules_n].room = 0;
    w->rules[w->rules_n++].fault = fault;
}

void world_count(struct world *w)
{
    memset(w->n, 0, sizeof w->n);
    w->rules_n = 0;
    w->leads_asked = 0;
    w->stop_at = 0;
}
