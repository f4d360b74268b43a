/* One asynchronous call an endpoint: a body, a path, and what a usable answer must have. */
#include "config.h"

#include "sync/api/answer/answer.h"
#include "sync/api/body/body.h"
#include "sync/api/http/queue.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

int api_leads_add(struct api *a, struct buf *body, size_t leads_n, api_done_fn *done, void *ctx, struct err *e)
{
    struct request r = {
        .method = "POST",
        .body = *body,
        .adds_leads = true,
        .expected = {true, true, "created_leads", json_type_array},
        .kind = API_KIND_ADD,
        .done = done,
        .ctx = ctx,
    };
    buf_init(body, body->max);
    if (leads_n == 0 || leads_n > LEADS_ADD_MAX_LEADS) {
        buf_free(&r.body);
        return err_set(e, XS_INTERNAL, "leads/add: %zu leads, 1 to %d can be sent; please report this", leads_n,
                       LEADS_ADD_MAX_LEADS);
    }
    r.path = str_dup(STR("/api/v2/leads/add"));
    return queue_add(a, &r, e);
}

int api_lead_patch(struct api *a, const struct lead_patch *patch, api_done_fn *done, void *ctx, struct err *e)
{
    struct request r = {
        .method = "PATCH",
        .body = BUF_INIT(BODY_MAX_BYTES),
        .expected = {true, true, "id", json_type_string},
        .kind = API_KIND_PATCH,
        .done = done,
        .ctx = ctx,
    };
    if (body_lead_patch(patch, &r.body, e) != 0) {
        buf_free(&r.body);
        return -1;
    }
    char path[64] = "/api/v2/leads/";
    uuid_format(&patch->id, path + strlen(path));
    r.path = str_dup(str_from(path));
    return queue_add(a, &r, e);
}

int api_lead_get(struct api *a, const struct uuid *id, api_done_fn *done, void *ctx, struct err *e)
{
    struct request r = {
        .method = "GET",
        .body = BUF_INIT(BODY_MAX_BYTES),
        .expected = {false, true, "id", json_type_string},
        .kind = API_KIND_OTHER,
        .urgent = true,
        .done = done,
        .ctx = ctx,
    };
    char path[64] = "/api/v2/leads/";
    uuid_format(id, path + strlen(path));
    r.path = str_dup(str_from(path));
    return queue_add(a, &r, e);
}

static const char *known_method(const char *method)
{
    static const char *const methods[] = {"GET", "POST", "PATCH", "DELETE"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(methods[i], method) == 0)
            return methods[i];
    return NULL;
}

/* A read has to be answered with something; a write may be answered with nothing (204). */
int api_call(struct api *a, const struct api_call *call, api_done_fn *done, void *ctx, struct err *e)
{
    struct request r = {
        .method = known_method(call->method),
        .body = BUF_INIT(BODY_MAX_BYTES),
        .expected = {call->write, !call->write || call->must_have != NULL, call->must_have, json_type_string},
        .kind = call->kind,
        .urgent = call->urgent,
        .optional = call->optional,
        .done = done,
        .ctx = ctx,
    };
    if (r.method == NULL || strncmp(call->path, "/api/v2/", 8) != 0)
        return err_set(e, XS_INTERNAL, "%s %s is no call of the API; please report this", call->method, call->path);
    if (buf_add(&r.body, call->body.p, call->body.n) != 0) {
        buf_free(&r.body);
        return call->body.n > BODY_MAX_BYTES
                   ? err_set(e, XS_INTERNAL, "%s %s: the request does not fit %d bytes; please report this", call->method,
                             call->path, BODY_MAX_BYTES)
                   : err_oom(e);
    }
    r.path = str_dup(str_from(call->path));
    return queue_add(a, &r, e);
}

/* ---- leads/list, all pages ---- */

/* One look is mostly one question. Each address that `contacts` would refuse is a question of its own, by `search`;
 * leaving it out would call a lead missing that is there, and asking with it would leave the others unanswered too. */
struct listing {
    struct api *api;
    struct target target;
    bool has_target;
    struct arena arena;
    struct str *odd;  /* addresses to search for, after the question in `body` */
    struct uuid *ids; /* asked for and not shown yet */
    size_t ids_n;
    bool by_ids;
    size_t odd_n, odd_next;
    struct buf body;           /* of the first page of the question under way */
    struct buf cursor;         /* of the page under way */
    struct buf mark;           /* the cursor of the last page whose number was a power of two */
    struct json_object *items; /* of the pages so far */
    size_t items_max;
    enum leads_list_see (*see)(void *ctx, const struct remote_lead *lead);
    void (*paged)(void *ctx, struct str cursor);
    unsigned pages;
    bool urgent;
    api_done_fn *done;
    void *ctx;
};

enum { CURSOR_MAX = 4096, ITEMS_MAX = 100000, ODD_MAX_BYTES = 1 << 20 };

static void listing_free(void *ctx)
{
    struct listing *l = ctx;
    arena_free(&l->arena);
    buf_free(&l->body);
    buf_free(&l->cursor);
    buf_free(&l->mark);
    json_object_put(l->items);
    free(l);
}

static void listing_page_done(void *ctx, const struct api_reply *reply);

static int listing_ask(struct listing *l, struct err *e)
{
    struct request r = {
        .method = "POST",
        .body = BUF_INIT(BODY_MAX_BYTES),
        .expected = {false, true, "items", json_type_array},
        .kind = API_KIND_LIST,
        .urgent = l->urgent,
        .done = listing_page_done,
        .ctx = l,
        .drop = listing_free,
    };
    int made = l->cursor.n == 0 ? (buf_add(&r.body, l->body.p, l->body.n) == 0 ? 0 : err_oom(e))
                                : body_next_page(buf_str(&l->body), buf_str(&l->cursor), &r.body, e);
    if (made != 0) {
        buf_free(&r.body);
        return -1;
    }
    r.path = str_dup(STR("/api/v2/leads/list"));
    return queue_add(l->api, &r, e);
}

static void listing_finish(struct listing *l, struct api_reply *reply)
{
    if (reply->class == API_OK)
        reply->json = l->items;
    if (l->done != NULL)
        l->done(l->ctx, reply);
    listing_free(l);
}

/* True when the item is the last of the leads that were asked for by id: no page after it can show another one. */
static bool listing_is_last_id(struct listing *l, struct json_object *item)
{
    struct uuid id;
    if (!l->by_ids || !answer_uuid(item, "id", &id))
        return false;
    for (size_t i = 0; i < l->ids_n; i++)
        if (uuid_eq(&l->ids[i], &id)) {
            l->ids[i] = l->ids[--l->ids_n];
            return l->ids_n == 0;
        }
    return false;
}

/* Keeps an item that is wanted. 1: it was the last one, 0, -1. */
static int listing_item(struct listing *l, struct json_object *item, struct err *e)
{
    bool last = listing_is_last_id(l, item);
    enum leads_list_see verdict = LIST_KEEP;
    if (l->see != NULL) {
        struct remote_lead lead;
        struct err unread = ERR_INIT;
        verdict = api_remote_lead_read(item, &lead, &unread) == 0 ? l->see(l->ctx, &lead) : LIST_DROP;
        err_clear(&unread);
    }
    if (verdict == LIST_DROP)
        return last;
    if (json_object_array_length(l->items) == l->items_max)
        return err_set(e, XS_API, "leads/list: the answer has more than the %zu leads that were expected", l->items_max);
    if (json_object_array_add(l->items, json_object_get(item)) != 0) {
        json_object_put(item);
        return err_oom(e);
    }
    return last || verdict == LIST_KEEP_LAST;
}

/* The cursor of the next page; empty: there is none. A list that is read in full does not end with a full page. */
static struct str listing_cursor(const struct listing *l, struct json_object *page, struct json_object *items, bool *is_text)
{
    struct json_object *next = NULL, *id = NULL;
    size_t n = json_object_array_length(items);
    json_object_object_get_ex(page, "next_starting_after", &next);
    bool none = next == NULL || (json_object_is_type(next, json_type_string) && json_object_get_string_len(next) == 0);
    if (none && l->paged != NULL && n >= LEADS_LIST_MAX) {
        json_object_object_get_ex(json_object_array_get_idx(items, n - 1), "id", &id);
        next = id;
    }
    *is_text = next == NULL || json_object_is_type(next, json_type_string);
    return next != NULL ? (struct str){json_object_get_string(next), (size_t)json_object_get_string_len(next)} : STR_NONE;
}

/* Adds a page; 1 when there may be another one, whose cursor is then set. A cursor comes even with the last page, and
 * one that stands still, or goes in circles, would be followed for ever: in a circle the mark is met again (Brent). */
static int listing_take(struct listing *l, struct json_object *page, struct err *e)
{
    struct json_object *items;
    bool is_text;
    json_object_object_get_ex(page, "items", &items); /* the queue has seen that it is an array */
    size_t n = json_object_array_length(items);
    for (size_t i = 0; i < n; i++) {
        int rc = listing_item(l, json_object_array_get_idx(items, i), e);
        if (rc != 0)
            return rc < 0 ? -1 : 0;
    }
    struct str cursor = listing_cursor(l, page, items, &is_text);
    if (l->paged != NULL)
        l->paged(l->ctx, n == 0 ? STR_NONE : cursor);
    if (n == 0 || (is_text && cursor.n == 0))
        return 0;
    if (!is_text || cursor.n > CURSOR_MAX || str_eq(cursor, buf_str(&l->cursor)) ||
        (l->mark.n > 0 && str_eq(cursor, buf_str(&l->mark))))
        return err_set(e, XS_API, "leads/list: the cursor of page %u leads nowhere: try again later", l->pages);
    buf_reset(&l->cursor);
    if (buf_add(&l->cursor, cursor.p, cursor.n) != 0)
        return err_oom(e);
    if ((l->pages & (l->pages - 1)) == 0) {
        buf_reset(&l->mark);
        if (buf_add(&l->mark, cursor.p, cursor.n) != 0)
            return err_oom(e);
    }
    return 1;
}

/* Makes the next question. 1, or 0 when there is none. */
static int listing_next(struct listing *l, struct err *e)
{
    if (l->odd_next == l->odd_n)
        return 0;
    buf_reset(&l->body);
    buf_reset(&l->cursor);
    buf_reset(&l->mark);
    return body_leads_search(l->has_target ? &l->target : NULL, l->odd[l->odd_next++], &l->body, e) == 0 ? 1 : -1;
}

/* Each page is a request of its own, with the queue's retries; the first that fails ends the listing. */
static void listing_page_done(void *ctx, const struct api_reply *reply)
{
    struct listing *l = ctx;
    struct api_reply last = *reply;
    struct err err = ERR_INIT;
    l->pages++;
    if (reply->class == API_OK) {
        int more = listing_take(l, reply->json, &err);
        if (more == 0)
            more = listing_next(l, &err);
        if (more > 0) {
            if (listing_ask(l, &err) == 0)
                return;
            more = -1;
        }
        if (more < 0) {
            last.class = API_FAILED;
            last.err = &err;
        }
    }
    listing_finish(l, &last);
    err_clear(&err);
}

/* The first question: the addresses that may stand in `contacts`, else the first of the odd ones. */
static int listing_first(struct listing *l, const struct leads_list *list, struct err *e)
{
    struct leads_list asked = *list;
    struct str plain[LEADS_LIST_MAX];
    l->by_ids = list->ids_n > 0 && list->ids_n <= LEADS_LIST_MAX;
    if (l->by_ids) {
        l->ids = arena_alloc(&l->arena, list->ids_n * sizeof *l->ids);
        if (l->ids == NULL)
            return err_oom(e);
        memcpy(l->ids, list->ids, list->ids_n * sizeof *l->ids);
        l->ids_n = list->ids_n;
    }
    if (list->contacts_n > 0 && list->contacts_n <= LEADS_LIST_MAX && list->ids_n == 0) {
        asked.contacts = plain;
        asked.contacts_n = 0;
        l->odd = arena_calloc(&l->arena, list->contacts_n, sizeof *l->odd);
        if (l->odd == NULL)
            return err_oom(e);
        for (size_t i = 0; i < list->contacts_n; i++)
            if (body_contact_fits(list->contacts[i]))
                plain[asked.contacts_n++] = list->contacts[i];
            else if (arena_str(&l->arena, list->contacts[i], &l->odd[l->odd_n++]) != 0)
                return err_oom(e);
        /* Without any selector the body would mean everything. */
        if (asked.contacts_n == 0)
            return listing_next(l, e) > 0 ? 0 : -1;
    }
    return body_leads_list(&asked, &l->body, e);
}

int api_leads_list(struct api *a, const struct leads_list *list, api_done_fn *done, void *ctx, struct err *e)
{
    struct listing *l = calloc(1, sizeof *l);
    if (l == NULL)
        return err_oom(e);
    *l = (struct listing){
        .api = a,
        .has_target = list->target != NULL,
        .body = BUF_INIT(BODY_MAX_BYTES),
        .cursor = BUF_INIT(CURSOR_MAX),
        .mark = BUF_INIT(CURSOR_MAX),
        .items = json_object_new_array(),
        .items_max = list->items_max != 0 ? list->items_max : ITEMS_MAX,
        .see = list->see,
        .paged = list->paged,
        .urgent = list->urgent,
        .done = done,
        .ctx = ctx,
    };
    arena_init(&l->arena, ODD_MAX_BYTES);
    if (list->target != NULL) {
        l->target = *list->target;
        l->target.name = NULL; /* the caller's, and not needed */
    }
    if (l->items == NULL) {
        listing_free(l);
        return err_oom(e);
    }
    if (list->after.n > 0 && buf_add(&l->cursor, list->after.p, list->after.n) != 0) {
        listing_free(l);
        return err_oom(e);
    }
    if (listing_first(l, list, e) == 0 && listing_ask(l, e) == 0)
        return 0;
    listing_free(l);
    return -1;
}
