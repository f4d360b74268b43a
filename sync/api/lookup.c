/* Look-ups at start: names to ids, workspace and plan, variables, block list. Blocking, one call after the other.
 *
 * Names are not unique in Instantly, and its `search` finds parts of names: every page is read and the whole name
 * compared, because writing to the first of several campaigns of a name would mail people the wrong thing. */
#include "config.h"

#include "sync/api/answer/answer.h"
#include "sync/api/body/body.h"
#include "sync/api/pages.h"
#include "sync/api/http/queue.h"
#include "sync/base/log.h"
#include "sync/base/text.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

enum {
    PATH_MAX_BYTES = 8000, /* the edge refuses longer addresses with 431 */
    CANDIDATES_MAX = 10,   /* named in a message */
    CANDIDATES_BYTES = 4000,
    SLIPS_LOOK = 5000, /* names of a workspace that are compared with one that was not found */
    SLIPS_MAX = 200,   /* of them near enough to be put in order */
    SLIPS_NAMED = 3,
};

/* ---- targets ---- */

static const char *target_path(enum target_kind kind)
{
    return kind == TARGET_CAMPAIGN ? "/api/v2/campaigns" : "/api/v2/lead-lists";
}

/* A name that is missing or a status that is new is no reason to refuse a target that has its id. */
static int target_read(struct json_object *item, enum target_kind kind, struct arena *arena, struct target *out,
                       struct err *e)
{
    struct str name;
    int64_t status;
    *out = (struct target){.kind = kind, .status = TARGET_STATUS_UNKNOWN};
    if (!answer_uuid(item, "id", &out->id))
        return err_set(e, XS_API, "%s: an answer of the API has no usable id", target_path(kind));
    if (answer_str(item, "name", &name) && (out->name = arena_dup(arena, name.p, name.n)) == NULL)
        return err_oom(e);
    if (kind == TARGET_CAMPAIGN && answer_int(item, "status", &status) && status > -TARGET_STATUS_UNKNOWN &&
        status < TARGET_STATUS_UNKNOWN)
        out->status = (int)status;
    out->sending = campaign_status_sending(out->status);
    return 0;
}

enum { TARGET_CALL_N = 80 };

/* `path` is the caller's, and stays with the call. */
static struct api_call target_call(const struct target *t, char path[TARGET_CALL_N])
{
    char id[UUID_TEXT_N];
    snprintf(path, TARGET_CALL_N, "%s/%s", target_path(t->kind), uuid_format(&t->id, id));
    return (struct api_call){.method = "GET", .path = path, .urgent = true, .kind = API_KIND_OTHER};
}

int api_target_get(struct api *a, const struct target *t, api_done_fn *done, void *ctx, struct err *e)
{
    char path[TARGET_CALL_N];
    const struct api_call call = target_call(t, path);
    return api_call(a, &call, done, ctx, e);
}

int api_target_get_wait(struct api *a, const struct target *t, struct api_reply *reply, struct err *e)
{
    char path[TARGET_CALL_N];
    const struct api_call call = target_call(t, path);
    return api_call_wait(a, &call, reply, e);
}

bool api_target_read(const struct api_reply *reply, const struct target *asked, struct arena *arena, struct target *out)
{
    struct err e = ERR_INIT;
    bool read = reply->class == API_OK && target_read(reply->json, asked->kind, arena, out, &e) == 0 &&
                target_eq(out, asked);
    err_clear(&e);
    return read;
}

static int target_by_id(struct api *a, enum target_kind kind, const struct uuid *id, bool ask, struct arena *arena,
                        struct target *out, struct err *e)
{
    char text[UUID_TEXT_N];
    struct api_reply reply;
    *out = (struct target){.kind = kind, .id = *id, .status = TARGET_STATUS_UNKNOWN};
    if (!ask)
        return 0;
    if (api_target_get_wait(a, out, &reply, e) != 0)
        return -1;
    uuid_format(id, text);
    if (reply.class == API_REFUSED)
        return err_set(e, XS_CONFIG, "%s %s is not in this workspace (%d %.*s): look up its id in Instantly",
                       target_kind_text(kind), text, reply.http_status, STR_ARG(reply.message));
    if (reply.class != API_OK || target_read(reply.json, kind, arena, out, e) != 0)
        return err_set(e, XS_API, "%s/%s: no usable answer", target_path(kind), text);
    /* Else leads would go into the wrong target. */
    if (!uuid_eq(&out->id, id))
        return err_set(e, XS_API, "%s/%s: the API answered with another %s", target_path(kind), text,
                       target_kind_text(kind));
    return 0;
}

struct name_search {
    enum target_kind kind;
    struct str name;
    struct arena *arena;
    struct target found;
    unsigned found_n, near_n, part_n;
    struct buf found_text, near_text, part_text, fold_wanted, fold_seen;
};

/* Appends a name and its id for the message; what is too many or too long is left out of it. */
static void add_candidate(struct buf *out, unsigned n, struct str name, const struct target *t)
{
    char id[UUID_TEXT_N];
    size_t start = out->n;
    if (n > CANDIDATES_MAX)
        return;
    if (buf_adds(out, n > 1 ? ", \"" : "\"") != 0 || text_show(name, 60, out) != 0 || buf_adds(out, "\" ") != 0 ||
        buf_adds(out, uuid_format(&t->id, id)) != 0)
        out->n = start; /* a message that is full names fewer */
}

/* Bytewise the same name counts; one that differs in case or blanks at its ends is only suggested, or else
 * those that contain the name. */
static int see_name(void *ctx, struct json_object *item, struct err *e)
{
    struct name_search *s = ctx;
    struct str name;
    struct target t;
    if (!answer_str(item, "name", &name))
        return 0;
    bool same = str_eq(name, s->name), near = false;
    if (!same) {
        buf_reset(&s->fold_seen);
        near = text_fold(str_trim(name), &s->fold_seen) == 0 && str_eq(buf_str(&s->fold_seen), buf_str(&s->fold_wanted));
    }
    struct err unread = ERR_INIT;
    if (target_read(item, s->kind, s->arena, &t, &unread) != 0) {
        bool matters = same || near;
        if (matters)
            err_take(e, &unread);
        err_clear(&unread);
        return matters ? -1 : 0;
    }
    if (near)
        add_candidate(&s->near_text, ++s->near_n, name, &t);
    else if (!same)
        add_candidate(&s->part_text, ++s->part_n, name, &t);
    if (!same)
        return 0;
    /* Pages of lists are cut by time: one may come twice. */
    if (s->found_n > 0 && uuid_eq(&t.id, &s->found.id))
        return 0;
    if (s->found_n++ == 0)
        s->found = t;
    add_candidate(&s->found_text, s->found_n, name, &t);
    return 0;
}

/* ---- typing slips ---- */

struct slip_search {
    struct name_search *for_name;
    const char *names[SLIPS_MAX]; /* in the arena, as the targets are */
    struct target targets[SLIPS_MAX];
    size_t n, seen_n;
    struct buf *first; /* those that are there at all, for when none is near */
};

/* str_nearest() of one name shows whether it is near at all. Once the name itself is found, the rest is looked through
 * for another one that has it. */
static int see_slip(void *ctx, struct json_object *item, struct err *e)
{
    struct slip_search *s = ctx;
    struct err unread = ERR_INIT;
    struct str name;
    if (!answer_str(item, "name", &name))
        return 0;
    if (str_eq(name, s->for_name->name))
        return see_name(s->for_name, item, e);
    if (s->for_name->found_n > 0)
        return 0;
    if (s->n == SLIPS_MAX || s->seen_n++ == SLIPS_LOOK)
        return 1;
    struct target *t = &s->targets[s->n];
    if (target_read(item, s->for_name->kind, s->for_name->arena, t, &unread) != 0 || t->name == NULL) {
        err_clear(&unread); /* what has no id cannot be proposed */
        return 0;
    }
    const char *const one = t->name;
    add_candidate(s->first, (unsigned)s->seen_n, name, t);
    if (str_nearest(s->for_name->name, &one, 1) != NULL)
        s->names[s->n++] = t->name;
    return 0;
}

/* The API's search found no such name: the slip is inside the name, or the search does not know a new name yet. All names
 * are looked through. Those nearest are put into `out`, the first of all into `first`, and each with the name itself is
 * added to the search. -1 when it is not clear whether only one has it; any other failure changes nothing. */
static int find_slips(struct api *a, struct name_search *search, struct buf *out, struct buf *first, struct err *e)
{
    struct err failed = ERR_INIT;
    struct slip_search *s = arena_calloc(search->arena, 1, sizeof *s);
    if (s == NULL)
        return err_oom(e);
    s->for_name = search;
    s->first = first;
    int r = pages_each(a, target_path(search->kind), "", NULL, see_slip, s, &failed);
    if (r != 0 && search->found_n > 0)
        err_take(e, &failed);
    else if (r != 0)
        log_detail("names that may have been meant: %s", err_text(&failed));
    err_clear(&failed);
    if (search->found_n > 0)
        return r;
    if (s->seen_n > CANDIDATES_MAX && buf_adds(first, " and more") != 0)
        buf_reset(first);
    for (unsigned named = 1; named <= SLIPS_NAMED; named++) {
        const char *best = str_nearest(search->name, s->names, s->n);
        size_t i = 0;
        while (best != NULL && s->names[i] != best)
            i++;
        if (best == NULL)
            break;
        add_candidate(out, named, str_from(best), &s->targets[i]);
        s->names[i] = ""; /* near to nothing */
    }
    return 0;
}

/* ---- by name ---- */

/* The search found none: looks again, and suggests similar names, or else lists the existing ones. 0 when the name is
 * found after all, else -1. */
static int no_such_name(struct api *a, struct name_search *s, const char *text, struct err *e)
{
    const char *kind = target_kind_text(s->kind);
    struct buf first = BUF_INIT(CANDIDATES_BYTES), near = BUF_INIT(CANDIDATES_BYTES);
    int r = find_slips(a, s, &near, &first, e);
    struct buf *meant = s->near_n > 0 ? &s->near_text : s->part_n > 0 ? &s->part_text : &near;
    if (r != 0 || s->found_n > 0) {
        buf_free(&near);
        buf_free(&first);
        return r;
    }
    if (meant->n > 0)
        err_set(e, XS_CONFIG, "no %s is named \"%s\"; did you mean %.*s?", kind, text, STR_ARG(buf_str(meant)));
    else if (first.n > 0)
        err_set(e, XS_CONFIG,
                "no %s is named \"%s\" in this workspace, which has %.*s: create it in Instantly, or "
                "correct the name",
                kind, text, STR_ARG(buf_str(&first)));
    else
        err_set(e, XS_CONFIG, "no %s is named \"%s\" in this workspace: create it in Instantly, or correct the name", kind,
                text);
    buf_free(&near);
    buf_free(&first);
    return -1;
}

static int target_by_name(struct api *a, const struct target_spec *spec, struct arena *arena, struct target *out,
                          struct err *e)
{
    struct name_search s = {
        .kind = spec->kind,
        .name = str_from(spec->text),
        .arena = arena,
        .found_text = BUF_INIT(CANDIDATES_BYTES),
        .near_text = BUF_INIT(CANDIDATES_BYTES),
        .part_text = BUF_INIT(CANDIDATES_BYTES),
        .fold_wanted = BUF_INIT(PATH_MAX_BYTES),
        .fold_seen = BUF_INIT(PATH_MAX_BYTES),
    };
    const char *kind = target_kind_text(spec->kind);
    struct buf query = BUF_INIT(PATH_MAX_BYTES);
    int r = -1;
    /* `search` finds parts of names too: the whole name is compared here. */
    if (buf_adds(&query, "&search=") != 0 || body_url_escape(s.name, &query) != 0 || buf_cstr(&query) == NULL ||
        text_fold(str_trim(s.name), &s.fold_wanted) != 0)
        err_set(e, XS_CONFIG, "the name of the %s is too long", kind);
    else if (pages_each(a, target_path(spec->kind), query.p, NULL, see_name, &s, e) != 0)
        ;
    else if (s.found_n == 0 && no_such_name(a, &s, spec->text, e) != 0)
        ;
    else if (s.found_n > 1)
        err_set(e, XS_CONFIG, "%u %ss are named \"%s\": %.*s; use the id of one instead of the name", s.found_n, kind,
                spec->text, STR_ARG(buf_str(&s.found_text)));
    else {
        *out = s.found;
        r = 0;
    }
    buf_free(&query);
    buf_free(&s.found_text);
    buf_free(&s.near_text);
    buf_free(&s.part_text);
    buf_free(&s.fold_wanted);
    buf_free(&s.fold_seen);
    return r;
}

int api_target_find(struct api *a, const struct target_spec *spec, bool ask, struct arena *arena, struct target *out,
                    struct err *e)
{
    struct uuid id;
    if (uuid_parse(str_from(spec->text), &id) == 0)
        return target_by_id(a, spec->kind, &id, ask, arena, out, e);
    return target_by_name(a, spec, arena, out, e);
}

int api_campaign_variables(struct api *a, const struct target *t, struct arena *arena, struct str **names, size_t *n,
                           struct err *e)
{
    static const char *const groups[] = {"core_variables", "custom_variables"};
    char path[128] = "/api/v2/campaigns/";
    struct api_reply reply;
    *names = NULL;
    *n = 0;
    if (t->kind != TARGET_CAMPAIGN)
        return 0;
    uuid_format(&t->id, path + strlen(path));
    if (pages_get(a, path, true, &reply, e) != 0)
        return -1;
    if (reply.class == API_REFUSED && reply.http_status == 403) {
        log_notice("the key may not read the campaign's variables (scope %s)", classify_scope("GET", path));
        return 0;
    }
    if (reply.class != API_OK)
        return err_set(e, XS_API, "%s: no usable answer (%d %.*s)", path, reply.http_status, STR_ARG(reply.message));

    struct json_object *group;
    struct json_object_iter at;
    size_t room = 0;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (answer_object(reply.json, groups[i], &group)) /* absent on a fresh draft */
            room += (size_t)json_object_object_length(group);
    *names = arena_calloc(arena, room + 1, sizeof **names);
    if (*names == NULL)
        return err_oom(e);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        if (!answer_object(reply.json, groups[i], &group))
            continue;
        json_object_object_foreachC (group, at)
            if (arena_str(arena, str_from(at.key), &(*names)[(*n)++]) != 0)
                return err_oom(e);
    }
    return 0;
}

/* ---- workspace ---- */

static int copy_member(struct json_object *json, const char *key, struct arena *arena, const char **out, struct err *e)
{
    struct str text;
    if (answer_str(json, key, &text) && (*out = arena_dup(arena, text.p, text.n)) == NULL)
        return err_oom(e);
    return 0;
}

/* Neither answer is needed to sync: what the key may not read becomes a notice. A refused key ends it either way. */
int api_workspace_get(struct api *a, struct arena *arena, struct workspace *out, struct err *e)
{
    struct api_reply reply;
    *out = (struct workspace){.lead_limit = -1, .lead_count = -1};
    if (pages_get(a, "/api/v2/workspaces/current", true, &reply, e) != 0)
        return -1;
    if (reply.class == API_OK)
        return copy_member(reply.json, "id", arena, &out->id, e) == 0 &&
                       copy_member(reply.json, "name", arena, &out->name, e) == 0
                   ? 0
                   : -1;
    out->notice = reply.http_status == 403
                      ? "the key may not read the workspace (scope workspaces:read): which one it is cannot be checked"
                      : "the API does not show the workspace: which one it is cannot be checked";
    return 0;
}

/* Reads the two numbers of a subscription. Are they there? */
static bool read_room(struct json_object *subscriptions, const char *name, int64_t *limit, int64_t *count)
{
    struct json_object *plan;
    return answer_object(subscriptions, name, &plan) && answer_int(plan, "total_lead_limit", limit) && *limit >= 0 &&
           answer_int(plan, "current_lead_count", count) && *count >= 0;
}

/* A workspace has a plan of its own or one in a bundle. Which of two counts is not documented: the one with more room,
 * because a warning that is false would be believed, while a plan that is full says so itself. */
int api_plan_get(struct api *a, struct workspace *out, struct err *e)
{
    static const char *const plans[] = {"outreach", "bundle"};
    struct api_reply reply;
    struct json_object *subscriptions;
    if (pages_get(a, "/api/v2/workspace-billing/plan-details", true, &reply, e) != 0)
        return -1;
    if (reply.class == API_REFUSED && reply.http_status == 403) {
        out->plan_notice = "the key may not read the plan (scope workspace_billing:read): a full plan shows only when "
                           "leads are added";
        return 0;
    }
    if (reply.class != API_OK || !answer_object(reply.json, "subscriptions", &subscriptions))
        subscriptions = NULL;
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        int64_t limit, count;
        if (!read_room(subscriptions, plans[i], &limit, &count) ||
            (out->lead_limit >= 0 && limit - count <= out->lead_limit - out->lead_count))
            continue;
        out->lead_limit = limit;
        out->lead_count = count;
    }
    if (out->lead_limit < 0)
        out->plan_notice = "the plan details have no lead limit: a full plan shows only when leads are added";
    return 0;
}

/* ---- block list ---- */

struct block_search {
    struct str wanted;
    bool found;
};

static int see_block(void *ctx, struct json_object *item, struct err *e)
{
    struct block_search *s = ctx;
    struct str value;
    (void)e;
    s->found = answer_str(item, "bl_value", &value) && str_eq_nocase(str_trim(value), s->wanted);
    return s->found;
}

int api_blocklisted(struct api *a, struct str email, const char **notice, struct err *e)
{
    /* A domain entry blocks all its addresses. */
    struct str wanted[] = {str_trim(email), STR_NONE};
    for (size_t i = 0; i < wanted[0].n; i++)
        if (wanted[0].p[i] == '@')
            wanted[1] = (struct str){wanted[0].p + i + 1, wanted[0].n - i - 1};
    *notice = NULL;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        struct block_search s = {.wanted = wanted[i]};
        struct buf query = BUF_INIT(PATH_MAX_BYTES);
        bool denied = false;
        if (wanted[i].n == 0)
            continue;
        bool made = buf_adds(&query, "&search=") == 0 && body_url_escape(wanted[i], &query) == 0 && buf_cstr(&query) != NULL;
        int r = made ? pages_each(a, "/api/v2/block-lists-entries", query.p, &denied, see_block, &s, e)
                     : err_set(e, XS_CONFIG, "the address is too long to look for on the block list");
        buf_free(&query);
        if (r != 0)
            return -1;
        if (denied) {
            *notice = "the key may not read the block list (scope block_list_entries:read): it is not looked at";
            return 0;
        }
        if (s.found)
            return 1;
    }
    return 0;
}
