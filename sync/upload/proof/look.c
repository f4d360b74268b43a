/* Looks at the leads of a part whose ids are known: what Instantly shows decides, and only of the right leads.
 *
 * Three ways, from cheap to certain: a list by ids (a hundred a request, but a list lags behind writes and may show
 * nothing), the lead itself (a request each, which answers the lead or 404), and a list by address in the target, for leads
 * that are there under another id, because they were imported again or their ids have changed; a move looks at its source
 * first, and then at its target. The API ignores filters
 * that it does not know, so every item is compared here, and an id alone does not make it the right lead
 * (lead_match.c). */
#include "config.h"

#include "sync/upload/work.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "sync/base/log.h"

enum look_way {
    LOOK_ID,      /* the entry's lead, by its id */
    LOOK_ADDRESS, /* the entry's lead, which has a new id */
    LOOK_OTHERS,  /* any other lead with the entry's address */
};

/* One request of a look. */
struct look_request {
    struct part *part;
    size_t first, n; /* slice of the part's index */
    enum look_way way;
};

bool look_is_in(const struct target *t, const struct remote_lead *remote)
{
    return t->kind == TARGET_CAMPAIGN ? remote->has_campaign && uuid_eq(&remote->campaign, &t->id)
                                      : remote->has_list && uuid_eq(&remote->list, &t->id);
}

static void look_warn_other(struct work *w, uint32_t i)
{
    struct entry *entry = &w->batch.entries[i];
    char id[UUID_TEXT_N];
    if (entry->detail.n == 0)
        log_warning("lead %s has another address in Instantly than in the state, so it is left alone; its own lead is looked "
                    "for by address", uuid_format(&entry->lead_id, id));
    entry->detail = STR("the lead with its id has another address, and was left alone");
}

/* ---- what came ---- */

bool look_wants(const struct part *p, size_t k)
{
    const struct aim *aim = &p->work->aims[p->index[k]];
    return p->work->batch.entries[p->index[k]].outcome == OUTCOME_NONE && !aim->busy && !aim->held && !aim->shown;
}

/* Another lead than the entry's, with its address, in the place that is asked for. */
static bool look_is_other(const struct part *p, size_t k, const struct remote_lead *remote, uint64_t hash)
{
    struct work *w = p->work;
    const struct entry *entry = &w->batch.entries[p->index[k]];
    return hash != 0 && email_hash(w->u, entry->email) == hash && !uuid_eq(&entry->lead_id, &remote->id) &&
           look_is_in(p->address_in, remote);
}

/* Such a lead, which the entry may have. */
static bool look_relinks(struct part *p, size_t k, const struct remote_lead *remote, uint64_t hash)
{
    struct work *w = p->work;
    uint32_t i = p->index[k];
    char id[UUID_TEXT_N];
    if (!look_is_other(p, k, remote, hash) || !lead_match_relink(w, i, remote))
        return false;
    log_notice("lead %s is in Instantly under another id now: found by its address", uuid_format(&remote->id, id));
    w->batch.entries[i].detail = STR_NONE;
    return true;
}

/* The entry's id: its lead, unless the address is another one. */
static bool look_shows(struct part *p, size_t k, const struct remote_lead *remote)
{
    struct work *w = p->work;
    uint32_t i = p->index[k];
    if (!uuid_eq(&w->batch.entries[i].lead_id, &remote->id))
        return false;
    if (!lead_match_differs(w, i, remote))
        return true;
    look_warn_other(w, i);
    return false;
}

static bool look_fits(const struct look_request *r, size_t k, const struct remote_lead *remote, uint64_t hash)
{
    switch (r->way) {
    case LOOK_ADDRESS: return look_relinks(r->part, k, remote, hash);
    case LOOK_OTHERS: return look_is_other(r->part, k, remote, hash);
    case LOOK_ID: break;
    }
    return look_shows(r->part, k, remote);
}

static void look_take_item(const struct look_request *r, struct json_object *item)
{
    struct part *p = r->part;
    struct work *w = p->work;
    struct remote_lead remote;
    struct err e = ERR_INIT;
    if (api_remote_lead_read(item, &remote, &e) != 0) {
        log_detail("a lead of an answer cannot be read: %s", err_text(&e));
        err_clear(&e);
        return;
    }
    uint64_t hash = r->way != LOOK_ID ? email_hash(w->u, remote.email) : 0;
    for (size_t k = r->first; k < r->first + r->n; k++)
        if (look_wants(p, k) && look_fits(r, k, &remote, hash)) {
            w->aims[p->index[k]].shown = true;
            p->look_calls->seen(p, p->index[k], &remote);
            break;
        }
}

static void look_end_request(struct part *p)
{
    if (--p->reads_n > 0)
        return;
    if (p->spoilt)
        p->look_calls->failed(p);
    else
        p->look_calls->done(p);
}

static void look_answered(void *ctx, const struct api_reply *reply)
{
    struct look_request *r = ctx;
    struct part *p = r->part;
    struct work *w = p->work;
    struct err e = ERR_INIT;
    bool is_list = json_object_is_type(reply->json, json_type_array);
    if (reply->skew_ms != 0)
        w->u->skew_ms = w->skew_ms = reply->skew_ms;
    if (reply->class == API_OK) {
        for (size_t i = 0; is_list && i < json_object_array_length(reply->json); i++)
            look_take_item(r, json_object_array_get_idx(reply->json, i));
        if (!is_list)
            look_take_item(r, reply->json);
    } else if (reply->http_status != 404 || reply->class != API_REFUSED) {
        p->spoilt = true;
        if (reply->err != NULL)
            upload_fail(w->u, reply->err);
        else if (reply->class != API_CANCELLED) {
            err_set(&e, XS_API, "leads cannot be looked at (%d %.*s): run again later", reply->http_status,
                    STR_ARG(reply->message));
            upload_fail(w->u, &e);
            err_clear(&e);
        }
    }
    free(r);
    look_end_request(p);
}

/* ---- asking ---- */

static int look_ask_list(struct look_request *r, struct err *e)
{
    struct part *p = r->part;
    struct work *w = p->work;
    struct uuid ids[LEADS_LIST_MAX];
    struct str contacts[LEADS_LIST_MAX];
    struct leads_list list = {.urgent = true, .ids = ids, .contacts = contacts,
                              .target = r->way != LOOK_ID ? p->address_in : NULL};
    for (size_t k = r->first; k < r->first + r->n; k++) {
        const struct entry *entry = &w->batch.entries[p->index[k]];
        if (!look_wants(p, k))
            continue;
        if (r->way == LOOK_ID)
            ids[list.ids_n++] = entry->lead_id;
        else if (entry->email.n > 0)
            contacts[list.contacts_n++] = entry->email;
    }
    if (list.ids_n + list.contacts_n == 0)
        return 0;
    return api_leads_list(w->u->c.api, &list, look_answered, r, e) == 0 ? 1 : -1;
}

static int look_ask_lead(struct look_request *r, struct err *e)
{
    struct work *w = r->part->work;
    if (!look_wants(r->part, r->first))
        return 0;
    const struct uuid *id = &w->batch.entries[r->part->index[r->first]].lead_id;
    return api_lead_get(w->u->c.api, id, look_answered, r, e) == 0 ? 1 : -1;
}

/* The requests of a look, `step` leads each. */
static void look_ask(struct part *p, size_t step, enum look_way way)
{
    struct err e = ERR_INIT;
    int rc = 0;
    p->spoilt = false;
    /* Held until all are asked: an answer must not end the look while others are still being queued. */
    p->reads_n = 1;
    for (size_t first = 0; rc >= 0 && first < p->n; first += step) {
        struct look_request *r = malloc(sizeof *r);
        if (r == NULL) {
            rc = err_oom(&e);
            break;
        }
        *r = (struct look_request){p, first, p->n - first < step ? p->n - first : step, way};
        rc = step == 1 ? look_ask_lead(r, &e) : look_ask_list(r, &e);
        p->reads_n += rc == 1;
        if (rc != 1)
            free(r);
    }
    if (rc < 0) {
        upload_fail(p->work->u, &e);
        p->spoilt = true;
    }
    err_clear(&e);
    look_end_request(p);
}

static void look_begin(struct part *p, const struct look_calls *calls)
{
    p->look_calls = calls;
    p->stopped = calls->failed;
}

static void look_forget(struct part *p)
{
    for (size_t k = 0; k < p->n; k++)
        p->work->aims[p->index[k]].shown = false;
}

void look_by_id(struct part *p, const struct look_calls *calls)
{
    look_begin(p, calls);
    look_forget(p);
    look_ask(p, LEADS_LIST_MAX, LOOK_ID);
}

void look_at_leads(struct part *p, const struct look_calls *calls)
{
    look_forget(p);
    look_at_unshown(p, calls);
}

void look_at_unshown(struct part *p, const struct look_calls *calls)
{
    look_begin(p, calls);
    look_ask(p, 1, LOOK_ID);
}

void look_for_others(struct part *p, const struct look_calls *calls)
{
    look_begin(p, calls);
    look_forget(p);
    p->address_in = &p->work->target;
    look_ask(p, LEADS_LIST_MAX, LOOK_OTHERS);
}

/* ---- leads whose id is gone ---- */

static bool look_is_over(const struct part *p)
{
    for (size_t k = 0; k < p->n; k++)
        if (look_wants(p, k) && p->work->batch.entries[p->index[k]].email.n > 0)
            return false;
    return true;
}

static void look_found(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    p->search->seen(p, i, remote);
}

static void look_search_over(struct part *p, void (*next)(struct part *p))
{
    p->look = p->looks_before;
    next(p);
}

static void look_search_failed(struct part *p)
{
    look_search_over(p, p->search->failed);
}

static void look_again_by_address(struct part *p);

/* The source comes first: a lead that is still there is the one to be moved, whatever else has its address. */
static void look_addresses_read(struct part *p)
{
    if (p->work->batch.op == OP_MOVE && p->address_in == &p->work->from && !look_is_over(p)) {
        p->address_in = &p->work->target;
        look_ask(p, LEADS_LIST_MAX, LOOK_ADDRESS);
        return;
    }
    p->look++;
    if (look_is_over(p) || p->look >= LOOKS_MAX)
        look_search_over(p, p->search->done);
    else if (upload_ended(p->work->u))
        look_search_failed(p);
    else
        part_wait_look(p, false, look_again_by_address);
}

static const struct look_calls by_address = {look_found, look_addresses_read, look_search_failed};

static void look_again_by_address(struct part *p)
{
    p->look_calls = &by_address;
    p->address_in = p->work->batch.source != 0 ? &p->work->from : &p->work->target;
    look_ask(p, LEADS_LIST_MAX, LOOK_ADDRESS);
}

/* An empty list proves nothing, so the address is looked for as often as anything that may appear late. */
void look_addresses_known(struct part *p)
{
    p->look = 0;
    if (look_is_over(p))
        look_search_over(p, p->search->done);
    else
        look_again_by_address(p);
}

static const struct look_calls at_leads = {look_found, address_list_look, look_search_failed};

void look_everywhere(struct part *p, const struct look_calls *calls)
{
    p->search = calls;
    p->looks_before = p->look;
    p->look = 0;
    look_at_leads(p, &at_leads);
}
