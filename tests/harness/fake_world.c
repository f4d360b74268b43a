#include "tests/harness/fake_world_int.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sync/base/hash.h"
#include "sync/base/stop.h"

/* ---- leads/add ---- */

struct counts {
    int64_t uploaded, blocked, duplicated, skipped, invalid, incomplete, twice;
};

static int64_t *counter_for(struct world *w, struct json_object *body, struct json_object *leads, size_t i,
                            const char *target, struct counts *c)
{
    const char *email = world_text(json_object_array_get_idx(leads, i), "email");
    struct json_object *campaigns = world_member(body, "skip_if_in_workspace");
    for (size_t k = 0; email[0] != '\0' && k < i; k++)
        if (strcasecmp(world_text(json_object_array_get_idx(leads, k), "email"), email) == 0)
            return &c->twice;
    if (world_starts(email, "blocked"))
        return &c->blocked;
    if (world_starts(email, "invalid"))
        return &c->invalid;
    if (world_starts(email, "incomplete"))
        return &c->incomplete;
    if (world_find(w, target, email) != NULL)
        return &c->duplicated;
    if (json_object_get_boolean(campaigns) && world_find(w, NULL, email) != NULL)
        return &c->skipped;
    return &c->uploaded;
}

static struct json_object *add(struct world *w, struct json_object *body)
{
    struct json_object *leads = world_member(body, "leads"), *answer = json_object_new_object();
    static const char *const shown[] = {"email", "first_name", "last_name"};
    struct json_object *created = json_object_new_array();
    struct counts c = {0};
    bool list = world_text(body, "list_id")[0] != '\0';
    const char *target = list ? world_text(body, "list_id") : world_text(body, "campaign_id");
    size_t n = json_object_array_length(leads);
    for (size_t i = 0; i < n; i++) {
        int64_t *counter = counter_for(w, body, leads, i, target, &c);
        (*counter)++;
        if (counter != &c.uploaded)
            continue;
        struct json_object *lead = world_make(w, list, target), *told = json_object_new_object();
        world_write_fields(lead, json_object_array_get_idx(leads, i));
        json_object_array_add(w->leads, lead);
        world_put_int(told, "index", (int64_t)i);
        world_put_text(told, "id", world_text(lead, "id"));
        for (size_t k = 0; k < sizeof shown / sizeof shown[0]; k++)
            if (world_text(lead, shown[k])[0] != '\0')
                world_put_text(told, shown[k], world_text(lead, shown[k]));
        json_object_array_add(created, told);
    }
    /* In no order that could be relied on. */
    struct json_object *shuffled = json_object_new_array();
    for (size_t i = json_object_array_length(created); i-- > 0;)
        json_object_array_add(shuffled, json_object_get(json_object_array_get_idx(created, i)));
    json_object_put(created);
    world_put_text(answer, "status", "success");
    world_put_int(answer, "total_sent", (int64_t)n);
    world_put_int(answer, "leads_uploaded", c.uploaded);
    world_put_int(answer, "in_blocklist", c.blocked);
    world_put_int(answer, "duplicated_leads", c.duplicated);
    world_put_int(answer, "skipped_count", c.skipped);
    world_put_int(answer, "invalid_email_count", c.invalid);
    world_put_int(answer, "incomplete_count", c.incomplete);
    world_put_int(answer, "duplicate_email_count", c.twice);
    json_object_object_add(answer, "created_leads", shuffled);
    return answer;
}

/* Index of the first lead whose address starts so; -1: none. */
static long spoilt(struct json_object *body, const char *prefix)
{
    struct json_object *leads = world_member(body, "leads");
    for (size_t i = 0; i < json_object_array_length(leads); i++)
        if (world_starts(world_text(json_object_array_get_idx(leads, i), "email"), prefix))
            return (long)i;
    return -1;
}

static void answer_add(struct world *w, struct json_object *body, struct fake_answer *a)
{
    char message[80];
    const char *list = world_text(body, "list_id");
    if (world_is_locked(w, list[0] != '\0' ? list : world_text(body, "campaign_id"))) {
        world_refuse(w, 409, "There is a move-leads job in progress. You cannot add or remove leads", a);
        return;
    }
    long at = spoilt(body, "named");
    if (at >= 0) {
        snprintf(message, sizeof message, "body/leads/%ld/email must be a good one", at);
        world_refuse(w, 400, message, a);
    } else if (spoilt(body, "poison") >= 0) {
        world_refuse(w, 400, "one of them is bad", a);
    } else {
        a->body = world_keep(w, add(w, body));
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

/* The lead as leads/list shows it. */
static struct json_object *shown(struct world *w, struct json_object *lead)
{
    for (size_t i = 0; i < json_object_array_length(w->stale); i++) {
        struct json_object *old = json_object_array_get_idx(w->stale, i);
        if (strcmp(world_text(old, "id"), world_text(lead, "id")) == 0 &&
            json_object_get_int64(world_member(old, "stale_ms")) > w->clock->wall)
            return old;
    }
    return lead;
}

static void answer_read(struct world *w, struct json_object *body, struct fake_answer *a)
{
    struct json_object *o = json_object_new_object(), *items = json_object_new_array();
    size_t i = (size_t)strtoul(world_text(body, "starting_after"), NULL, 10);
    char cursor[24];
    for (; i < world_n(w) && json_object_array_length(items) < 100; i++) {
        struct json_object *lead = json_object_array_get_idx(w->leads, i);
        const char *list = world_text(body, "list_id"), *campaign = world_text(body, "campaign");
        if ((list[0] != '\0' && strcmp(list, world_text(lead, "list_id")) != 0) ||
            (campaign[0] != '\0' && strcmp(campaign, world_text(lead, "campaign")) != 0) ||
            (world_member(body, "contacts") != NULL &&
             !in_array(world_member(body, "contacts"), world_text(lead, "email"))) ||
            (world_member(body, "ids") != NULL && !in_array(world_member(body, "ids"), world_text(lead, "id"))) ||
            json_object_get_int64(world_member(lead, "visible_ms")) > w->clock->wall)
            continue;
        json_object_array_add(items, json_object_get(shown(w, lead)));
    }
    for (size_t g = 0; world_text(body, "starting_after")[0] == '\0' && g < json_object_array_length(w->ghosts); g++) {
        struct json_object *ghost = json_object_array_get_idx(w->ghosts, g);
        if (world_member(body, "ids") != NULL && in_array(world_member(body, "ids"), world_text(ghost, "id")) &&
            json_object_get_int64(world_member(ghost, "ghost_ms")) > w->clock->wall)
            json_object_array_add(items, json_object_get(ghost));
    }
    snprintf(cursor, sizeof cursor, "%zu", i);
    json_object_object_add(o, "items", items);
    if (json_object_array_length(items) > 0)
        world_put_text(o, "next_starting_after", cursor);
    a->body = world_keep(w, o);
}

/* A request without ids would delete all leads, so it ends the test. */
static void answer_delete(struct world *w, struct json_object *body, struct fake_answer *a)
{
    struct json_object *ids = world_member(body, "ids"), *o = json_object_new_object();
    const char *list = world_text(body, "list_id"), *campaign = world_text(body, "campaign_id");
    int64_t count = 0;
    if (!json_object_is_type(ids, json_type_array) || json_object_array_length(ids) == 0 ||
        json_object_array_length(ids) > 100 || (list[0] == '\0') == (campaign[0] == '\0'))
        abort();
    if (world_is_locked(w, list[0] != '\0' ? list : campaign)) {
        json_object_put(o);
        world_refuse(w, 409, "There is a move-leads job in progress. You cannot add or remove leads", a);
        return;
    }
    for (size_t i = world_n(w); i-- > 0;) {
        struct json_object *lead = json_object_array_get_idx(w->leads, i);
        if (!in_array(ids, world_text(lead, "id")) || strcmp(list, world_text(lead, "list_id")) != 0 ||
            strcmp(campaign, world_text(lead, "campaign")) != 0)
            continue;
        world_put_int(lead, "ghost_ms", w->clock->wall + w->ghost_ms);
        json_object_array_add(w->ghosts, json_object_get(lead));
        json_object_array_del_idx(w->leads, i, 1);
        count++;
    }
    w->leads_deleted += (unsigned)count;
    world_put_int(o, "count", count + w->miscount);
    a->body = world_keep(w, o);
}

static void answer_patch(struct world *w, const char *id, struct json_object *body, struct fake_answer *a)
{
    for (size_t i = 0; i < world_n(w); i++) {
        struct json_object *lead = json_object_array_get_idx(w->leads, i);
        if (strcmp(world_text(lead, "id"), id) != 0)
            continue;
        if (w->stale_ms > 0) {
            struct json_object *old = json_tokener_parse(json_object_to_json_string(lead));
            world_put_int(old, "stale_ms", w->clock->wall + w->stale_ms);
            json_object_array_add(w->stale, old);
        }
        if (w->patch_merges && (w->merges_until == 0 || w->n[WORLD_PATCH] <= w->merges_until))
            world_merge_fields(lead, body);
        else
            world_write_fields(lead, body);
        json_object_array_add(w->bodies, json_object_get(lead));
        a->body = json_object_to_json_string_ext(lead, JSON_C_TO_STRING_PLAIN);
        /* The lead may change while the answer travels. */
        struct json_object *copy = json_object_new_string(a->body);
        json_object_array_add(w->bodies, copy);
        a->body = json_object_get_string(copy);
        return;
    }
    world_refuse(w, 404, "Resource not found", a);
}

static void answer_get(struct world *w, const char *id, struct fake_answer *a)
{
    for (size_t i = 0; i < world_n(w); i++) {
        struct json_object *lead = json_object_array_get_idx(w->leads, i);
        if (strcmp(world_text(lead, "id"), id) == 0) {
            a->body = world_keep(w, json_object_get(lead));
            return;
        }
    }
    world_refuse(w, 404, "Resource not found", a);
}

static void answer_other(struct world *w, const char *path, struct fake_answer *a)
{
    struct json_object *o = json_object_new_object();
    const char *id = strrchr(path, '/') + 1;
    if (strncmp(path, "/api/v2/campaigns/", 18) == 0 || strncmp(path, "/api/v2/lead-lists/", 19) == 0) {
        world_put_text(o, "id", id);
        world_put_text(o, "name", strcmp(id, WORLD_LIST) == 0 ? "Incoming" : "Demo");
        world_put_int(o, "status", 2);
    } else if (strcmp(path, "/api/v2/workspaces/current") == 0 && w->workspace == NULL) {
        world_refuse(w, 403, "Insufficient scopes", a);
        json_object_put(o);
        return;
    } else if (strcmp(path, "/api/v2/workspaces/current") == 0) {
        world_put_text(o, "id", w->workspace);
        world_put_text(o, "name", "Acme");
    }
    a->body = world_keep(w, o);
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
    if (strcmp(r->method, "GET") == 0 && strncmp(r->path, "/api/v2/leads/", 14) == 0)
        return WORLD_GET;
    if (strncmp(r->path, "/api/v2/campaigns/", 18) == 0 || strncmp(r->path, "/api/v2/lead-lists/", 19) == 0)
        return WORLD_TARGET;
    return strcmp(r->method, "PATCH") == 0 ? WORLD_PATCH : WORLD_OTHER;
}

/* ---- faults ---- */

static void spoil_index(struct world *w, struct fake_answer *a, int64_t index)
{
    struct json_object *o = json_tokener_parse(a->body), *created = world_member(o, "created_leads");
    if (json_object_is_type(created, json_type_array) && json_object_array_length(created) > 0)
        world_put_int(json_object_array_get_idx(created, 0), "index", index);
    a->body = world_keep(w, o);
}

static void hang(struct fake_answer *a)
{
    a->end = TRANSPORT_LOST;
    a->latency_ms = 100000;
}

/* What goes wrong before anything is done; false: it is done. */
static bool fail_before(struct world *w, enum world_fault fault, int room, struct fake_answer *a)
{
    char message[80];
    switch (fault) {
    case FAULT_500: world_refuse(w, 500, "oops", a); return true;
    case FAULT_LOST: a->end = TRANSPORT_LOST; return true;
    case FAULT_HANG: hang(a); return true;
    case FAULT_NOT_SENT: a->end = TRANSPORT_NOT_SENT; return true;
    case FAULT_400: world_refuse(w, 400, "no", a); return true;
    case FAULT_401: world_refuse(w, 401, "Missing Authorization header", a); return true;
    case FAULT_404: world_refuse(w, 404, "Resource not found", a); return true;
    case FAULT_NO_ROUTE: world_refuse(w, 404, "Route POST:/api/v2/leads/any not found", a); return true;
    case FAULT_409:
        world_refuse(w, 409, "There is a move-leads job in progress. You cannot add or remove leads", a);
        return true;
    case FAULT_413: world_refuse(w, 413, "too large", a); return true;
    case FAULT_429: world_refuse(w, 429, "Rate limit exceeded", a); return true;
    case FAULT_STATUS: world_refuse(w, room, "not here, not now", a); return true;
    case FAULT_ODD_WORDS:
        snprintf(message, sizeof message, "no, and that was refusal %u", ++w->refusals);
        world_refuse(w, 400, message, a);
        return true;
    case FAULT_EDGE:
        a->status = 403;
        a->body = "error code: 1010";
        return true;
    case FAULT_FULL:
        snprintf(message, sizeof message, "Lead limit reached. Remaining uploads: %d", room);
        world_refuse(w, 403, message, a);
        return true;
    default: return false;
    }
}

static void fail_after(struct world *w, enum world_fault fault, struct fake_answer *a)
{
    switch (fault) {
    case FAULT_500_AFTER: world_refuse(w, 500, "oops", a); break;
    case FAULT_LOST_AFTER: a->end = TRANSPORT_LOST; break;
    case FAULT_HANG_AFTER: hang(a); break;
    case FAULT_GARBAGE_AFTER: a->body = "<html>hello"; break;
    case FAULT_ERROR_KEY_AFTER: a->body = "{\"error\":\"something\"}"; break;
    case FAULT_NO_LIST_AFTER: a->body = "{\"status\":\"success\",\"total_sent\":3}"; break;
    case FAULT_INDEX_TWICE_AFTER: spoil_index(w, a, 0); break;
    case FAULT_INDEX_FAR_AFTER: spoil_index(w, a, 100000); break;
    case FAULT_EMPTY_CREATED_AFTER:
    case FAULT_HALF_CREATED_AFTER:
    case FAULT_NAMELESS_OMITTED_AFTER:
    case FAULT_HALF_COUNTED_AFTER:
    case FAULT_SHIFTED_AFTER:
    case FAULT_SAME_ID_AFTER:
    case FAULT_OLD_ID_AFTER:
    case FAULT_NO_EMAIL_AFTER:
    case FAULT_EMAIL_MISSING_AFTER: world_lie_created(w, a, fault); break;
    default: break;
    }
}

/* A good answer to a write that is not carried out. */
static bool lie(struct world *w, enum world_fault fault, enum world_kind kind, const char *id, struct json_object *body,
                struct fake_answer *a)
{
    struct json_object *o;
    if (fault == FAULT_EMPTY && kind == WORLD_READ) {
        o = json_object_new_object();
        json_object_object_add(o, "items", json_object_new_array());
    } else if ((fault == FAULT_IGNORED || fault == FAULT_ECHO) && kind == WORLD_PATCH) {
        answer_get(w, id, a);
        o = json_tokener_parse(a->body);
        if (fault == FAULT_ECHO)
            world_write_fields(o, body);
    } else if (fault == FAULT_IGNORED && kind == WORLD_DELETE) {
        o = json_object_new_object();
        world_put_int(o, "count", (int64_t)json_object_array_length(world_member(body, "ids")));
    } else {
        return false;
    }
    a->body = world_keep(w, o);
    return true;
}

static void postpone(struct world *w, enum world_kind kind, const char *id, struct json_object *body)
{
    size_t at = w->late_n++;
    if (at == sizeof w->late / sizeof w->late[0])
        abort();
    w->late[at].kind = kind;
    w->late[at].due_ms = w->clock->wall + w->late_ms;
    w->late[at].body = json_object_get(body);
    snprintf(w->late[at].id, sizeof w->late[at].id, "%s", id);
}

static void carry_out_late(struct world *w)
{
    size_t left = 0;
    for (size_t i = 0; i < w->late_n; i++) {
        struct fake_answer unseen = {0};
        if (w->late[i].due_ms > w->clock->wall) {
            w->late[left++] = w->late[i];
            continue;
        }
        if (w->late[i].kind == WORLD_PATCH)
            answer_patch(w, w->late[i].id, w->late[i].body, &unseen);
        else if (w->late[i].kind == WORLD_MOVE)
            world_answer_move(w, w->late[i].body, &unseen);
        else
            answer_delete(w, w->late[i].body, &unseen);
        json_object_put(w->late[i].body);
    }
    w->late_n = left;
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
    world_step_jobs(w);
    carry_out_late(w);
    w->n[kind]++;
    for (size_t i = 0; i < w->rules_n; i++)
        if (w->rules[i].kind == kind && w->n[kind] >= w->rules[i].first && w->n[kind] <= w->rules[i].last) {
            fault = w->rules[i].fault;
            room = w->rules[i].room;
        }
    if (kind == WORLD_ADD) {
        w->last_asked = (unsigned)json_object_array_length(world_member(body, "leads"));
        w->leads_asked += w->last_asked;
    }
    *a = (struct fake_answer){.status = 200, .latency_ms = 20, .date_ms = w->clock->wall + w->skew_ms};
    unsigned all = 0;
    for (int i = 0; i < WORLD_KIND_N; i++)
        all += i >= WORLD_TARGET || i == WORLD_JOB ? 0 : w->n[i];
    if (w->stop_at > 0 && kind < WORLD_TARGET && all == (unsigned)w->stop_at)
        stop_set(SIGINT);
    if (kind == WORLD_ADD && w->body_max > 0 && r->body.n > w->body_max)
        fault = FAULT_413;
    const char *id = strrchr(r->path, '/') + 1;
    if (fault == FAULT_LATE) {
        postpone(w, kind, id, body);
        a->end = TRANSPORT_LOST;
    } else if (!fail_before(w, fault, room, a) && !lie(w, fault, kind, id, body, a)) {
        switch (kind) {
        case WORLD_ADD: answer_add(w, body, a); break;
        case WORLD_READ: answer_read(w, body, a); break;
        case WORLD_PATCH: answer_patch(w, id, body, a); break;
        case WORLD_MOVE: world_answer_move(w, body, a); break;
        case WORLD_DELETE: answer_delete(w, body, a); break;
        case WORLD_JOBS: world_answer_jobs(w, r->path, a); break;
        case WORLD_JOB: world_answer_job(w, id, a); break;
        case WORLD_GET: answer_get(w, id, a); break;
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
    w->stale = json_object_new_array();
    w->workspace = WORLD_WORKSPACE;
    w->job_ms = 300;
}

void world_free(struct world *w)
{
    fake_transport_done(&w->t);
    json_object_put(w->leads);
    json_object_put(w->ghosts);
    json_object_put(w->stale);
    json_object_put(w->bodies);
    for (size_t i = 0; i < w->late_n; i++)
        json_object_put(w->late[i].body);
    world_jobs_vanish(w);
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
