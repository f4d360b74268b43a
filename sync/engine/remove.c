/* DELETE /leads: leads that are no longer wanted, by their ids and out of the one target where they are known to be.
 *
 * They are looked at first. Who is gone already is removed, which is all that was asked; who sits elsewhere now was put
 * there by somebody, and is left alone. The answer to the DELETE is a count and no more: where it is not that of the
 * ids, or where there is none, what is still there decides. A repeat does no harm, since the ids are named. */
#include "config.h"

#include "sync/engine/work.h"

#include <json-c/json.h>

#include "sync/base/log.h"
#include "sync/engine/people.h"

/* One list request tells of a whole batch. */
_Static_assert((int)LEADS_DELETE_MAX <= (int)LEADS_LIST_MAX, "a batch of removals is looked at in one request");

static void settle_rest(struct part *p, enum outcome outcome, enum reason reason, int http_status)
{
    for (size_t k = 0; k < p->n; k++)
        work_entry_done(p->work, p->index[k], outcome, reason, http_status);
    part_free(p);
}

/* The reads or the deletion cannot go on. What was never sent was surely not done. */
static void give_up(struct part *p, enum reason reason)
{
    struct work *w = p->work;
    if (w->earlier || p->round > 0) {
        work_leave_open(w);
        part_free(p);
    } else {
        settle_rest(p, OUTCOME_DEFERRED, reason, 0);
    }
}

/* Removed, and what was found of the person before is said with it. */
static void removed(struct part *p, uint32_t i)
{
    work_entry_done(p->work, i, OUTCOME_REMOVED, p->work->batch.entries[i].reason, p->http_status);
}

/* ---- deleting ---- */

static void refused(struct part *p, const struct api_reply *reply)
{
    struct work *w = p->work;
    for (size_t k = 0; k < p->n; k++) {
        struct entry *entry = &w->batch.entries[p->index[k]];
        if (arena_str(&w->arena, reply->message, &entry->detail) != 0)
            entry->detail = STR_NONE;
    }
    if (reply->http_status == 404) {
        /* The campaign or list itself is gone. Its leads may be, too. */
        p->round = ROUNDS_MAX;
        p->look = LOOKS_MAX;
        remove_start(p);
        return;
    }
    /* 409: somebody's move held the source for as long as this run waits for jobs. */
    bool locked = reply->http_status == 409;
    settle_rest(p, locked ? OUTCOME_DEFERRED : OUTCOME_FAILED, locked ? REASON_JOB_OPEN : REASON_API_ERROR,
                reply->http_status);
}

static void counted(struct part *p, const struct api_reply *reply)
{
    struct err e = ERR_INIT;
    int64_t count;
    if (api_leads_deleted_read(reply->json, &count, &e) == 0 && count == (int64_t)p->n) {
        for (size_t k = 0; k < p->n; k++)
            removed(p, p->index[k]);
        part_free(p);
    } else {
        log_detail("a removal of %zu leads was not confirmed as a whole: reading back", p->n);
        remove_start(p);
    }
    err_clear(&e);
}

static void deleted(void *ctx, const struct api_reply *reply)
{
    struct part *p = ctx;
    struct upload *u = p->work->u;
    p->http_status = reply->http_status;
    switch (reply->class) {
    case API_OK: counted(p, reply); break;
    case API_UNKNOWN: remove_start(p); break;
    case API_REFUSED:
    case API_PLAN_FULL: refused(p, reply); break;
    case API_FAILED:
    case API_FATAL:
        upload_fail(u, reply->err);
        settle_rest(p, OUTCOME_DEFERRED, REASON_INTERRUPTED, reply->http_status);
        break;
    case API_CANCELLED: settle_rest(p, OUTCOME_DEFERRED, u->c.stop_reason, 0); break;
    }
}

static void delete_all(struct part *p)
{
    struct work *w = p->work;
    struct uuid ids[LEADS_DELETE_MAX];
    struct err e = ERR_INIT;
    for (size_t k = 0; p->round == 0 && k < p->n; k++)
        work_learn(w, p->index[k], w->batch.entries[p->index[k]].reason, w->batch.entries[p->index[k]].email);
    work_learnt(w);
    if (upload_ended(w->u)) {
        give_up(p, w->u->c.stop_reason);
        return;
    }
    for (size_t k = 0; k < p->n; k++)
        ids[k] = w->batch.entries[p->index[k]].lead_id;
    const struct leads_delete del = {w->from, ids, p->n};
    if (api_leads_delete(w->u->c.api, &del, deleted, p, &e) != 0) {
        upload_fail(w->u, &e);
        give_up(p, REASON_INTERRUPTED);
    } else {
        p->round++;
        p->look = 0;
    }
    err_clear(&e);
}

/* ---- looking ---- */

static bool in_place(const struct work *w, const struct remote_lead *r)
{
    return w->from.kind == TARGET_CAMPAIGN ? r->has_campaign && uuid_eq(&r->campaign, &w->from.id)
                                           : r->has_list && uuid_eq(&r->list, &w->from.id);
}

/* Somebody put it there; where exactly is said in the results. */
static void elsewhere(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    struct entry *entry = &p->work->batch.entries[i];
    struct target where = {.kind = remote->has_campaign ? TARGET_CAMPAIGN : TARGET_LIST,
                           .id = remote->has_campaign ? remote->campaign : remote->list};
    bool anywhere = remote->has_campaign || remote->has_list;
    char text[TARGET_TEXT_N];
    struct buf detail = BUF_INIT(1 << 10);
    if (buf_addf(&detail, "it is in %s now", anywhere ? target_format(&where, text) : "no campaign or list") != 0 ||
        arena_str(&p->work->arena, buf_str(&detail), &entry->detail) != 0)
        entry->detail = STR_NONE;
    buf_free(&detail);
    work_entry_done(p->work, i, OUTCOME_SKIPPED,
                    remote->has_campaign ? REASON_IN_CAMPAIGN : remote->has_list ? REASON_IN_LIST : REASON_IN_WORKSPACE,
                    p->http_status);
}

static void take_item(struct part *p, struct json_object *item)
{
    struct work *w = p->work;
    struct remote_lead remote;
    struct err e = ERR_INIT;
    if (api_remote_lead_read(item, &remote, &e) != 0) {
        log_detail("a lead of leads/list cannot be read: %s", err_text(&e));
        err_clear(&e);
        return;
    }
    for (size_t k = 0; k < p->n; k++) {
        struct entry *entry = &w->batch.entries[p->index[k]];
        if (entry->outcome != OUTCOME_NONE || !uuid_eq(&entry->lead_id, &remote.id))
            continue;
        if (in_place(w, &remote)) {
            entry->reason = people_status_reason(remote.status);
            /* The status belongs to the person at this address; `values: hashed` has none to name. */
            if (entry->reason != REASON_NONE && arena_str(&w->arena, remote.email, &entry->email) != 0)
                upload_fail_oom(w->u);
            w->aims[p->index[k]].there = true;
        } else {
            elsewhere(p, p->index[k], &remote);
        }
    }
}

/* Everybody who is left is still there. */
static void still_there(struct part *p)
{
    struct work *w = p->work;
    if (w->earlier) {
        /* It was lost on its way. Whether it is still wanted is decided anew. */
        settle_rest(p, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
    } else if (p->round == 0) {
        delete_all(p);
    } else if (w->u->stopping) {
        give_up(p, w->u->c.stop_reason);
    } else if (p->look < LOOKS_MAX) {
        /* Lists lag behind what was done (observed). */
        part_wait_look(p, false, remove_start);
    } else if (p->round >= ROUNDS_MAX) {
        settle_rest(p, OUTCOME_FAILED, REASON_API_ERROR, p->http_status);
    } else {
        delete_all(p);
    }
}

static void looked(struct part *p, struct json_object *items)
{
    struct work *w = p->work;
    size_t n = json_object_is_type(items, json_type_array) ? json_object_array_length(items) : 0, left = 0;
    for (size_t k = 0; k < p->n; k++)
        w->aims[p->index[k]].there = false;
    for (size_t i = 0; i < n; i++)
        take_item(p, json_object_array_get_idx(items, i));
    for (size_t k = 0; k < p->n; k++) {
        uint32_t i = p->index[k];
        if (w->batch.entries[i].outcome != OUTCOME_NONE)
            continue;
        if (w->aims[i].there)
            p->index[left++] = i;
        else
            removed(p, i);
    }
    p->n = left;
    p->look++;
    if (left == 0)
        part_free(p);
    else
        still_there(p);
}

static void answered(void *ctx, const struct api_reply *reply)
{
    struct part *p = ctx;
    struct upload *u = p->work->u;
    struct err e = ERR_INIT;
    if (reply->class == API_OK) {
        looked(p, reply->json);
        return;
    }
    if (reply->class != API_CANCELLED && reply->err != NULL)
        upload_fail(u, reply->err);
    else if (reply->class != API_CANCELLED) {
        err_set(&e, XS_API, "leads/list was refused (%d %.*s): leads are looked at before they are removed; run again later",
                reply->http_status, STR_ARG(reply->message));
        upload_fail(u, &e);
        err_clear(&e);
    }
    give_up(p, reply->class == API_CANCELLED ? u->c.stop_reason : REASON_INTERRUPTED);
}

void remove_start(struct part *p)
{
    struct work *w = p->work;
    struct uuid ids[LEADS_LIST_MAX];
    struct err e = ERR_INIT;
    if (w->u->stopping && !w->earlier) {
        give_up(p, w->u->c.stop_reason);
        return;
    }
    if (w->first_sent_ms == 0)
        w->first_sent_ms = w->u->c.clock->wall_ms(w->u->c.clock);
    for (size_t k = 0; k < p->n; k++)
        ids[k] = w->batch.entries[p->index[k]].lead_id;
    const struct leads_list list = {.ids = ids, .ids_n = p->n, .urgent = true};
    if (api_leads_list(w->u->c.api, &list, answered, p, &e) != 0) {
        upload_fail(w->u, &e);
        give_up(p, REASON_INTERRUPTED);
    }
    err_clear(&e);
}
