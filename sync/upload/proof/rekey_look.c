/* Before the first request of a create batch: what has become of the leads whose place its leads take.
 *
 * A row that brings another address under a known key gets a new lead, which is active. The person may have unsubscribed, and
 * only Instantly knows it, by the old lead. So the old leads are looked at first: by their ids, a hundred a request, and
 * one that the list does not show is asked for itself, since a list may lag behind and an empty one proves nothing. An id
 * that is gone may have been exported and imported again: the leads of the old address are asked for, in any place. The
 * row of a person who unsubscribed, bounced or was skipped is skipped, and the status is recorded. A row whose old lead
 * could not be looked at is deferred. */
#include "config.h"

#include "sync/upload/work.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "sync/base/log.h"
#include "sync/plan/people.h"

enum rekey_step { REKEY_BY_LIST, REKEY_BY_ID, REKEY_BY_ADDRESS };

struct old_lead_request {
    struct part *part;
    enum rekey_step step;
    uint32_t entry; /* the one that a request by id or address is about */
};

static bool is_unseen(const struct part *p, size_t k)
{
    const struct aim *aim = &p->work->aims[p->index[k]];
    return aim->takes_place && !aim->old_judged && p->work->batch.entries[p->index[k]].outcome == OUTCOME_NONE;
}

/* ---- what is there ---- */

/* What earlier runs found counts as well: Instantly forgets a status when it moves a lead. */
static void judge(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    struct work *w = p->work;
    struct err e = ERR_INIT;
    enum reason status = people_status_reason(remote->status);
    if (status == REASON_NONE && people_recorded(w->u->c.state, remote->email, &status, &e) != 0)
        upload_fail(w->u, &e);
    err_clear(&e);
    w->aims[i].old_judged = true;
    if (status == REASON_NONE)
        return;
    work_learn(w, i, status, remote->email);
    work_entry_done(w, i, OUTCOME_SKIPPED, status, 0);
}

/* The address that the row's key had so far; empty when the state has only its hash. In the scratch arena. */
static struct str old_address(struct work *w, uint32_t i)
{
    struct upload *u = w->u;
    struct known_lead known;
    struct lead lead;
    struct err e = ERR_INIT;
    arena_reset(&u->scratch);
    int rc = state_lead_get(u->c.state, &w->batch.entries[i].key, &u->scratch, &known, &e);
    if (rc < 0)
        upload_fail(u, &e);
    err_clear(&e);
    if (rc != 1 || known.values.n == 0 || upload_unpack(u, known.values, &u->scratch, &lead) != 0)
        return STR_NONE;
    const struct value *address = &lead.core[LEAD_EMAIL];
    return address->kind == VALUE_STRING ? (struct str){address->p, address->n} : STR_NONE;
}

/* A lead of the old address, wherever it is: it may be the old lead under a new id. */
static void take_namesake(struct part *p, uint32_t i, struct json_object *item)
{
    struct remote_lead remote;
    struct err e = ERR_INIT;
    if (p->work->batch.entries[i].outcome != OUTCOME_NONE)
        return;
    bool readable = api_remote_lead_read(item, &remote, &e) == 0;
    err_clear(&e);
    uint64_t wanted = email_hash(p->work->u, old_address(p->work, i));
    if (readable && wanted != 0 && email_hash(p->work->u, remote.email) == wanted)
        judge(p, i, &remote);
}

static void take_item(struct part *p, struct json_object *item)
{
    struct remote_lead remote;
    struct err e = ERR_INIT;
    if (api_remote_lead_read(item, &remote, &e) != 0) {
        log_detail("a lead of an answer cannot be read: %s", err_text(&e));
        err_clear(&e);
        return;
    }
    for (size_t k = 0; k < p->n; k++)
        if (is_unseen(p, k) && uuid_eq(&p->work->aims[p->index[k]].old_id, &remote.id))
            judge(p, p->index[k], &remote);
}

/* ---- asking ---- */

/* The others are sent. */
static void go_on(struct part *p)
{
    struct work *w = p->work;
    struct err e = ERR_INIT;
    for (size_t k = 0; k < p->n; k++)
        if (is_unseen(p, k))
            work_entry_done(w, p->index[k], OUTCOME_DEFERRED, w->u->c.stop_reason, 0);
    struct part *rest = part_open(p, 0, p->n, &e);
    if (rest == NULL) {
        upload_fail(w->u, &e);
        work_leave_open(w);
    }
    part_free(p);
    if (rest != NULL)
        keyed_start(rest);
    err_clear(&e);
}

static void ask_all(struct part *p, enum rekey_step step);

static void end_request(struct part *p, enum rekey_step step)
{
    if (--p->reads_n > 0)
        return;
    if (step == REKEY_BY_ADDRESS || p->spoilt)
        go_on(p);
    else
        ask_all(p, step + 1);
}

static void failed(struct part *p, const struct api_reply *reply)
{
    struct err e = ERR_INIT;
    p->spoilt = true;
    if (reply->class == API_CANCELLED)
        return;
    if (reply->err == NULL)
        err_set(&e, XS_API, "a lead whose row has another address now cannot be looked at (%d %.*s): run again later",
                reply->http_status, STR_ARG(reply->message));
    upload_fail(p->work->u, reply->err != NULL ? reply->err : &e);
    err_clear(&e);
}

static void rekey_look_answered(void *ctx, const struct api_reply *reply)
{
    struct old_lead_request *r = ctx;
    struct part *p = r->part;
    enum rekey_step step = r->step;
    bool is_list = json_object_is_type(reply->json, json_type_array);
    if (reply->skew_ms != 0)
        p->work->skew_ms = p->work->u->skew_ms = reply->skew_ms;
    bool gone = step == REKEY_BY_ID && reply->class == API_REFUSED && reply->http_status == 404;
    if (reply->class != API_OK && !gone)
        failed(p, reply);
    else if (!gone && !is_list)
        take_item(p, reply->json);
    for (size_t i = 0; reply->class == API_OK && is_list && i < json_object_array_length(reply->json); i++) {
        struct json_object *item = json_object_array_get_idx(reply->json, i);
        if (step == REKEY_BY_ADDRESS)
            take_namesake(p, r->entry, item);
        else
            take_item(p, item);
    }
    /* After the last way to look, Instantly has nothing more to tell of the person. */
    if (step == REKEY_BY_ADDRESS && reply->class == API_OK)
        p->work->aims[r->entry].old_judged = true;
    free(r);
    end_request(p, step);
}

/* For the old leads of the entries from *k on, or for one lead itself or its address. 0/-1 */
static int ask(struct part *p, size_t *k, enum rekey_step step, struct err *e)
{
    struct work *w = p->work;
    struct uuid ids[LEADS_LIST_MAX];
    struct str address;
    struct leads_list list = {.urgent = true, .ids = ids};
    uint32_t entry = p->index[*k];
    while (*k < p->n && list.ids_n < (step == REKEY_BY_LIST ? LEADS_LIST_MAX : 1)) {
        if (is_unseen(p, *k)) {
            entry = p->index[*k];
            ids[list.ids_n++] = w->aims[entry].old_id;
        }
        ++*k;
    }
    if (list.ids_n == 0)
        return 0;
    if (step == REKEY_BY_ADDRESS) {
        address = old_address(w, entry);
        list = (struct leads_list){.urgent = true, .contacts = &address, .contacts_n = 1};
        if (address.n == 0) {
            w->aims[entry].old_judged = true;
            return 0;
        }
    }
    struct old_lead_request *r = malloc(sizeof *r);
    if (r == NULL)
        return err_oom(e);
    *r = (struct old_lead_request){p, step, entry};
    int rc = step == REKEY_BY_ID ? api_lead_get(w->u->c.api, &ids[0], rekey_look_answered, r, e)
                                 : api_leads_list(w->u->c.api, &list, rekey_look_answered, r, e);
    if (rc != 0)
        free(r);
    p->reads_n += rc == 0;
    return rc;
}

static void ask_all(struct part *p, enum rekey_step step)
{
    struct err e = ERR_INIT;
    /* Held until all are asked: an answer must not end the look while others are still being queued. */
    p->reads_n = 1;
    for (size_t k = 0; k < p->n && !p->spoilt;)
        if (ask(p, &k, step, &e) != 0) {
            upload_fail(p->work->u, &e);
            p->spoilt = true;
        }
    err_clear(&e);
    end_request(p, step);
}

void rekey_look(struct part *p)
{
    bool any = false;
    for (size_t k = 0; k < p->n && !any; k++)
        any = is_unseen(p, k);
    if (any && !upload_ended(p->work->u))
        ask_all(p, REKEY_BY_LIST);
    else
        keyed_start(p); /* when the upload has ended, it defers them */
}
