#include "sync/sandbox/server/route.h"

#include "sync/sandbox/server/check.h"
#include "sync/sandbox/world/jobs.h"
#include "sync/sandbox/world/request_log.h"
#include "sync/sandbox/world/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum route_kind {
    PLAIN = 0,
    ID_IS_UUID = 1,   /* the {id} must be one */
    BODY_IS_NULL = 2, /* no body, or the document `null` */
};

struct route {
    const char *name;  /* method, blank, pattern without /api/v2 */
    const char *scope; /* NULL: none is asked for */
    unsigned kind;
    const struct sim_shape *body; /* NULL: takes none */
    const struct sim_member *query;
    sim_endpoint *run;
};

static const struct route routes[] = {
    {"POST /leads/add", "leads:create", 0, &sim_shape_add, sim_query_none, sim_leads_add},
    {"POST /leads/list", "leads:read", 0, &sim_shape_list, sim_query_none, sim_leads_list},
    {"POST /leads/move", "leads:update", 0, &sim_shape_move, sim_query_none, sim_leads_move},
    {"POST /leads/merge", "leads:update", 0, &sim_shape_merge, sim_query_none, sim_lead_merge},
    {"POST /leads/update-interest-status", "leads:update", 0, &sim_shape_interest, sim_query_none, sim_lead_set_interest},
    {"POST /leads/bulk-assign", "leads:update", 0, &sim_shape_assign, sim_query_none, sim_leads_assign},
    {"POST /leads/subsequence/move", "leads:update", 0, &sim_shape_subsequence_move, sim_query_none,
     sim_lead_to_subsequence},
    {"POST /leads/subsequence/remove", "leads:update", 0, &sim_shape_subsequence_remove, sim_query_none,
     sim_lead_from_subsequence},
    {"POST /leads", "leads:create", 0, &sim_shape_create, sim_query_none, sim_lead_create},
    {"DELETE /leads", "leads:delete", 0, &sim_shape_delete, sim_query_none, sim_leads_delete},
    {"GET /leads/{id}", "leads:read", ID_IS_UUID, NULL, sim_query_none, sim_lead_get},
    {"PATCH /leads/{id}", "leads:update", ID_IS_UUID, &sim_shape_patch, sim_query_none, sim_lead_patch},
    {"DELETE /leads/{id}", "leads:delete", ID_IS_UUID | BODY_IS_NULL, NULL, sim_query_none, sim_lead_remove},
    {"GET /background-jobs", "background-jobs:read", 0, NULL, sim_query_jobs, sim_jobs_list},
    {"GET /background-jobs/{id}", "background-jobs:read", 0, NULL, sim_query_job, sim_job_get},
    {"GET /lead-lists", "lead_lists:read", 0, NULL, sim_query_lists, sim_lists_list},
    {"POST /lead-lists", "lead_lists:create", 0, &sim_shape_new_list, sim_query_none, sim_list_create},
    {"GET /lead-lists/{id}", "lead_lists:read", ID_IS_UUID, NULL, sim_query_none, sim_list_get},
    {"GET /lead-lists/{id}/verification-stats", NULL, ID_IS_UUID, NULL, sim_query_none, sim_list_stats},
    {"GET /campaigns", "campaigns:read", 0, NULL, sim_query_places, sim_campaigns_list},
    {"GET /campaigns/{id}", "campaigns:read", ID_IS_UUID, NULL, sim_query_none, sim_campaign_get},
    {"GET /campaigns/{id}/sending-status", "campaigns:read", ID_IS_UUID, NULL, sim_query_none, sim_campaign_sending},
    {"POST /campaigns/{id}/variables", "campaigns:update", ID_IS_UUID, &sim_shape_variables, sim_query_none,
     sim_campaign_variables},
    {"GET /block-lists-entries", "block_list_entries:read", 0, NULL, sim_query_blocks, sim_blocks_list},
    {"POST /email-verification", "email_verifications:create", 0, &sim_shape_verify, sim_query_none, sim_verify_start},
    {"GET /email-verification/{email}", "email_verifications:read", 0, NULL, sim_query_none, sim_verify_get},
    {"GET /workspaces/current", "workspaces:read", 0, NULL, sim_query_none, sim_workspace_get},
    {"GET /workspace-billing/plan-details", "workspace_billing:read", 0, NULL, sim_query_none, sim_plan_get},
};

enum { ROUTES_N = sizeof routes / sizeof routes[0] };
_Static_assert(sizeof routes / sizeof routes[0] <= (size_t)SIM_ROUTES_MAX, "a counter for every route");

const char *sim_route_name(size_t i)
{
    return i < ROUTES_N ? routes[i].name : "";
}

static const struct {
    const char *method, *path;
    sim_endpoint *run;
} controls[] = {
    {"GET", "/__state", sim_control_state},
    {"GET", "/__requests", sim_control_requests},
    {"POST", "/__control", sim_control_change},
};

/* Segment by segment; a {…} of the pattern takes one whole segment, which is handed out. */
static bool pattern_matches(const char *pattern, const char *path, struct str *param)
{
    *param = STR_NONE;
    while (*pattern != '\0') {
        if (*pattern == '{') {
            size_t n = strcspn(path, "/");
            if (n == 0)
                return false;
            *param = (struct str){path, n};
            path += n;
            pattern = strchr(pattern, '}') + 1;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

/* The table has fixed names before patterns with the same method, so that the first match is the right one. */
static const struct route *find_route(struct sim_request *q)
{
    if (strncmp(q->path, "/api/v2/", 8) != 0)
        return NULL;
    size_t n = strlen(q->method);
    for (size_t i = 0; i < ROUTES_N; i++)
        if (strncmp(routes[i].name, q->method, n) == 0 && routes[i].name[n] == ' ' &&
            pattern_matches(routes[i].name + n + 1, q->path + 7, &q->param))
            return &routes[i];
    return NULL;
}

/* --- gates: 0 passed, 1 the answer says why not, -1 out of memory --- */

/* An answer was written with this outcome: the gate is shut, or memory is short. */
static int refused(int rc)
{
    return rc == 0 ? 1 : -1;
}

/* The edge in front of the API looks at the client's signature before anything else. */
static int gate_edge(const struct sim_request *q, struct sim_answer *a)
{
    static const char blocked[] = "Python-urllib";
    struct str ua = q->user_agent;
    if (ua.n > 0 && !(ua.n >= sizeof blocked - 1 && memcmp(ua.p, blocked, sizeof blocked - 1) == 0))
        return 0;
    a->status = 403;
    a->type = "text/plain; charset=UTF-8";
    return refused(buf_adds(&a->body, "error code: 1010"));
}

/* The only workspace a key can act for is its own: this sandbox has one. */
static int gate_key(struct sim_world *w, const struct sim_request *q, struct sim_answer *a)
{
    static const char bearer[] = "Bearer ";
    struct str auth = q->authorization, own = STR(SANDBOX_WORKSPACE);
    if (auth.p == NULL)
        return refused(sim_answer_error(a, 401, "Missing Authorization header"));
    if (auth.n < sizeof bearer || strncmp(auth.p, bearer, sizeof bearer - 1) != 0)
        return refused(sim_answer_error(a, 401, "Invalid Authorization header"));
    struct str key = {auth.p + sizeof bearer - 1, auth.n - (sizeof bearer - 1)};
    if (w->key != NULL && !str_is(key, w->key))
        return refused(sim_answer_error(a, 401, "Invalid API key"));
    struct uuid id;
    if (q->as_workspace.p != NULL && uuid_parse(q->as_workspace, &id) != 0)
        return refused(sim_answer_error(a, 400, "headers/x-as-workspace must match format \"uuid\""));
    if (q->as_workspace.p != NULL && !str_eq_nocase(q->as_workspace, own))
        return refused(sim_answer_error(a, 403, "You do not have access to this workspace"));
    return 0;
}

/* Every request that has a key counts as seen; only those let through use up the budget. */
static int gate_rate(struct sim_world *w, struct sim_answer *a, int64_t mono_us)
{
    const struct sim_knobs *k = &w->knobs;
    if ((k->rate_per_second == 0 || sim_window_count(&w->accepted_1s, mono_us) < k->rate_per_second) &&
        (k->rate_per_minute == 0 || sim_window_count(&w->accepted_60s, mono_us) < k->rate_per_minute)) {
        sim_window_add(&w->accepted_1s, mono_us);
        sim_window_add(&w->accepted_60s, mono_us);
        return 0;
    }
    w->counters.rate_limited++;
    return refused(sim_answer_error(a, 429, "Rate limit exceeded"));
}

/* resource:action, either of which may be "all". */
static bool has_scope(const char *scopes, const char *resource, size_t resource_n, const char *action)
{
    for (const char *p = scopes; *p != '\0';) {
        size_t n = strcspn(p, ",");
        struct str scope = str_trim((struct str){p, n});
        const char *colon = scope.n > 0 ? memchr(scope.p, ':', scope.n) : NULL;
        if (colon != NULL) {
            struct str left = {scope.p, (size_t)(colon - scope.p)};
            struct str right = {colon + 1, scope.n - left.n - 1};
            if ((str_is(left, "all") || str_eq(left, (struct str){resource, resource_n})) &&
                (str_is(right, "all") || str_is(right, action)))
                return true;
        }
        p += n + (p[n] == ',');
    }
    return false;
}

static int gate_scope(struct sim_world *w, const struct route *route, struct sim_answer *a)
{
    if (w->knobs.scopes == NULL || route->scope == NULL)
        return 0;
    const char *colon = strchr(route->scope, ':');
    if (has_scope(w->knobs.scopes, route->scope, (size_t)(colon - route->scope), colon + 1))
        return 0;
    return refused(sim_answer_error(a, 403, "Missing required scope: %s", route->scope));
}

/* Content-Type and body must agree, as Fastify's parsers want it. */
static int gate_body(const struct route *route, struct sim_request *q, struct sim_answer *a)
{
    static const char empty[] = "Body cannot be empty when content-type is set to 'application/json'";
    static const char malformed[] = "Body is not valid JSON but content-type is set to 'application/json'";
    bool json = q->content_type.n >= 16 && strncmp(q->content_type.p, "application/json", 16) == 0;
    if (q->body_too_large)
        return refused(sim_answer_error(a, 413, "Request body is too large"));
    if (q->body.n == 0)
        return json ? refused(sim_answer_error(a, 400, empty)) : 0;
    if (strcmp(q->method, "GET") == 0)
        return refused(sim_answer_error(a, 400, "GET requests cannot have a body"));
    if (!json)
        return refused(sim_answer_error(a, 415, "Unsupported Media Type: %.*s",
                                        q->content_type.p == NULL ? 9 : str_len_int(q->content_type),
                                        q->content_type.p == NULL ? "undefined" : q->content_type.p));
    int rc = sim_json_parse(q->body, &q->json);
    if (rc > 0)
        return refused(sim_answer_error(a, 400, malformed));
    if (rc == 0 && (route->kind & BODY_IS_NULL) != 0 && q->json != NULL)
        return refused(sim_answer_error(a, 400, "body must be null"));
    return rc;
}

/* Path, body, query: reports the first that is wrong. */
static int gate_schema(struct sim_world *w, const struct route *route, struct sim_request *q, struct sim_answer *a)
{
    struct buf why = BUF_INIT(SIM_BODY_MAX);
    int rc = 0;
    q->unknown.refuse = w->knobs.refuse_unknown;
    if ((route->kind & ID_IS_UUID) != 0 && uuid_parse(q->param, &q->id) != 0)
        rc = buf_adds(&why, "params/id must match format \"uuid\"") == 0 ? 1 : -1;
    if (rc == 0 && route->body != NULL)
        rc = sim_check_body(route->body, q->json, &q->unknown, &why);
    if (rc == 0)
        rc = sim_check_query(route->query, q, &why);
    w->counters.unknown_keys += q->unknown.n;
    if (rc > 0) {
        w->counters.refused_schema++;
        rc = refused(sim_answer_error(a, 400, "%.*s", STR_ARG(buf_str(&why))));
    }
    buf_free(&why);
    return rc;
}

/* --- the way through --- */

static int run_route(struct sim_world *w, const struct route *route, struct sim_request *q, struct sim_answer *a)
{
    int rc;
    if (q->url_too_long)
        return sim_answer_error(a, 431, "Exceeded maximum allowed HTTP header size");
    if (route == NULL)
        return sim_answer_error(a, 404, "Route %s:%s not found", q->method, q->path);
    if ((rc = gate_scope(w, route, a)) != 0 || (rc = gate_body(route, q, a)) != 0 || (rc = gate_schema(w, route, q, a)) != 0)
        return rc > 0 ? 0 : -1;
    a->status = 200;
    return route->run(w, q, a);
}

/* --- late writes --- */

/* Keeps the request as it came: what it does is decided when it is worked. */
static int postpone(struct sim_world *w, const struct sim_request *q, int64_t ms)
{
    struct sim_late *grown = sim_grow(w->late, w->late_n, &w->late_cap, sizeof *w->late);
    if (grown == NULL)
        return -1;
    w->late = grown;
    struct sim_late *late = &grown[w->late_n];
    *late = (struct sim_late){.method = strdup(q->method),
                              .path = strdup(q->path),
                              .body = str_dup(q->body),
                              .type = q->content_type.p != NULL ? str_dup(q->content_type) : NULL,
                              .body_n = q->body.n,
                              .due_ms = w->now_ms + ms};
    if (late->method != NULL && late->path != NULL && late->body != NULL &&
        (late->type != NULL || q->content_type.p == NULL)) {
        w->late_n++;
        return 0;
    }
    sim_late_free(late);
    return -1;
}

/* The answer is dropped. If memory is short, the work is lost, as when a server dies. */
static void work_late(struct sim_world *w, const struct sim_late *late)
{
    struct sim_request q = {.method = late->method,
                            .path = late->path,
                            .body = {late->body, late->body_n},
                            .content_type = str_from(late->type)};
    struct sim_answer unheard;
    sim_answer_init(&unheard);
    (void)run_route(w, find_route(&q), &q, &unheard);
    json_object_put(q.json);
    sim_answer_free(&unheard);
}

/* Nothing runs in the background: what was due is worked when the next request could notice, with the clock set back
 * to each time. */
void sim_route_step(struct sim_world *w)
{
    int64_t now = w->now_ms;
    for (;;) {
        size_t next = w->late_n;
        for (size_t i = 0; i < w->late_n; i++)
            if (w->late[i].due_ms <= now && (next == w->late_n || w->late[i].due_ms < w->late[next].due_ms))
                next = i;
        if (next == w->late_n)
            break;
        struct sim_late late = w->late[next];
        memmove(&w->late[next], &w->late[next + 1], (--w->late_n - next) * sizeof late);
        w->now_ms = late.due_ms;
        sim_jobs_step(w);
        work_late(w, &late);
        sim_late_free(&late);
    }
    w->now_ms = now;
    sim_jobs_step(w);
}

/* No gate but the path: a story may look and change whatever the API is made to do. */
static int run_control(struct sim_world *w, struct sim_request *q, struct sim_answer *a)
{
    for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++) {
        if (strcmp(controls[i].method, q->method) != 0 || strcmp(controls[i].path, q->path) != 0)
            continue;
        if (q->body.n > 0 && sim_json_parse(q->body, &q->json) != 0)
            return sim_answer_error(a, 400, "the body is not JSON");
        a->status = 200;
        return controls[i].run(w, q, a);
    }
    return sim_answer_error(a, 404, "unknown test control %s %s: use GET /__state, GET /__requests or POST /__control",
                            q->method, q->path);
}

/* With the status that the client will see, if any, not the one the endpoint meant. */
static void note_request(struct sim_world *w, const struct sim_request *q, const struct sim_answer *a)
{
    struct sim_request_log_entry entry = {.at_ms = w->now_ms, .as_workspace = q->as_workspace.p != NULL};
    json_object *leads = sim_json_get(q->json, "leads");
    snprintf(entry.method, sizeof entry.method, "%s", q->method);
    snprintf(entry.path, sizeof entry.path, "%s", q->path);
    snprintf(entry.unknown, sizeof entry.unknown, "%s", q->unknown.first);
    snprintf(entry.fault, sizeof entry.fault, "%s", a->fault.kind != SIM_FAULT_NONE ? a->fault.name : "");
    bool silent = a->fault.kind == SIM_FAULT_DROP || a->fault.kind == SIM_FAULT_HANG || a->fault.kind == SIM_FAULT_LATE;
    entry.status = silent ? 0 : a->fault.kind == SIM_FAULT_STATUS ? a->fault.status : a->status;
    entry.leads = json_object_is_type(leads, json_type_array) ? json_object_array_length(leads) : 0;
    sim_request_log_add(w->ring, &entry);
    w->counters.requests++;
    w->counters.answers[entry.status < 600 ? entry.status : 0]++;
}

/* A fault that comes "before" ends here, in front of the limits: it models the network and the edge. One that comes
 * "after" lets everything happen and spoils the answer. */
static int serve_api(struct sim_world *w, struct sim_request *q, struct sim_answer *a, int64_t mono_us)
{
    int rc = gate_edge(q, a);
    if (rc == 0)
        rc = gate_key(w, q, a);
    if (rc != 0)
        return rc;
    sim_window_add(&w->seen_1s, mono_us);
    sim_window_add(&w->seen_60s, mono_us);
    const struct route *route = find_route(q);
    a->fault = sim_faults_pick(&w->faults, q->method, strncmp(q->path, "/api/v2", 7) == 0 ? q->path + 7 : q->path,
                               route != NULL ? strchr(route->name, ' ') + 1 : NULL);
    if (route != NULL)
        w->counters.by_route[route - routes]++;
    if (a->fault.kind != SIM_FAULT_NONE) {
        w->counters.faults++;
        if (a->fault.kind == SIM_FAULT_LATE && postpone(w, q, a->fault.arg) != 0)
            return -1;
        if (!a->fault.after)
            return 1;
    }
    if ((rc = gate_rate(w, a, mono_us)) != 0)
        return rc;
    return run_route(w, route, q, a);
}

/* The store is flushed before the answer leaves, so that an answer survives kill -9. */
void sim_route_serve(struct sim_world *w, struct sim_request *q, struct sim_answer *a, int64_t mono_us)
{
    struct err e = ERR_INIT;
    bool control = strncmp(q->path, "/__", 3) == 0;
    sim_route_step(w);
    int rc = control ? run_control(w, q, a) : serve_api(w, q, a, mono_us);
    if (rc < 0)
        rc = sim_answer_error(a, 500, "the sandbox is out of memory");
    if (sim_store_flush(w, &e) != 0)
        rc = sim_answer_error(a, 500, "%s", err_text(&e));
    if (rc < 0)
        a->status = 500; /* not even memory for a text */
    if (!control)
        note_request(w, q, a);
    json_object_put(q->json);
    q->json = NULL;
    err_clear(&e);
}
