/* DELETE /leads: leads that are no longer wanted, by their ids and out of the one target where they are known to be.
 *
 * They are looked at first: a lead that sits elsewhere now was put there by somebody and is left alone, and so is a lead
 * with another address under the same id. What the list does not show may still be there, and mailed: each such lead is
 * asked for itself and looked for by its address, and only then counts as gone. The answer to the DELETE is a count and no
 * more: when it is that of the ids, one more look must not show them; when it is another one, or none, what that look does
 * not show is asked for itself. A repeat does no harm, since the ids are named. */
#include "config.h"

#include "sync/upload/work.h"

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/plan/people.h"

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

static void remove_look_failed(struct part *p)
{
    struct upload *u = p->work->u;
    give_up(p, u->stopping ? u->c.stop_reason : REASON_INTERRUPTED);
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
    for (size_t k = 0; k < p->n; k++)
        work_detail(w, p->index[k], reply->message);
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
    p->counted = api_leads_deleted_read(reply->json, &count, &e) == 0 && count == (int64_t)p->n;
    if (!p->counted)
        log_detail("a removal of %zu lead%s was not confirmed as a whole: reading back", p->n, text_plural(p->n));
    remove_start(p);
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
        p->counted = false;
    }
    err_clear(&e);
}

/* ---- looking ---- */

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

static void remove_seen(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    struct work *w = p->work;
    struct entry *entry = &w->batch.entries[i];
    if (!look_is_in(&w->from, remote)) {
        elsewhere(p, i, remote);
        return;
    }
    entry->reason = people_status_reason(remote->status);
    /* The status belongs to the person at this address; `values: hashed` has none to name. */
    if (entry->reason != REASON_NONE && arena_str(&w->arena, remote->email, &entry->email) != 0)
        upload_fail_oom(w->u);
}

/* The leads of the part are still there. */
static void still_there(struct part *p)
{
    struct work *w = p->work;
    if (!w->earlier && p->round == 0) {
        delete_all(p);
    } else if (w->u->stopping) {
        give_up(p, w->u->c.stop_reason);
    } else if (p->look < LOOKS_MAX) {
        /* Lists lag behind what was done (observed), and what a run sent before it died may be carried out late. */
        part_wait_look(p, false, remove_start);
    } else if (w->earlier) {
        /* It was lost on its way. Whether it is still wanted is decided anew. */
        settle_rest(p, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
    } else if (p->round >= ROUNDS_MAX) {
        settle_rest(p, OUTCOME_FAILED, p->counted ? REASON_NOT_STORED : REASON_API_ERROR, p->http_status);
    } else {
        delete_all(p);
    }
}

/* After the last way to look: what is not shown is gone. */
static void remove_searched(struct part *p)
{
    struct work *w = p->work;
    size_t left = 0;
    for (size_t k = 0; k < p->n; k++) {
        uint32_t i = p->index[k];
        if (w->batch.entries[i].outcome != OUTCOME_NONE)
            continue;
        if (w->aims[i].shown)
            p->index[left++] = i;
        else
            removed(p, i);
    }
    p->n = left;
    if (left == 0)
        part_free(p);
    else
        still_there(p);
}

static const struct look_calls remove_searching = {remove_seen, remove_searched, remove_look_failed};

/* Takes the leads that the look did not show into a part of their own, so that the others need not wait for them. */
static struct part *take_unshown(struct part *p, struct err *e)
{
    struct work *w = p->work;
    struct part *unshown = part_new(w, p->n, e);
    size_t left = 0;
    if (unshown == NULL)
        return NULL;
    unshown->round = p->round;
    unshown->look = p->look;
    unshown->http_status = p->http_status;
    unshown->counted = p->counted;
    unshown->unlisted = p->unlisted || p->round == 0;
    for (size_t k = 0; k < p->n; k++) {
        uint32_t i = p->index[k];
        if (w->batch.entries[i].outcome != OUTCOME_NONE)
            continue;
        if (w->aims[i].shown)
            p->index[left++] = i;
        else
            unshown->index[unshown->n++] = i;
    }
    p->n = left;
    return unshown;
}

/* After a DELETE the lead was just seen under its id, so that only this id is asked for. Before it, and of an earlier run,
 * the lead may have another one by now. */
static void search(struct part *p)
{
    if (p->n == 0)
        part_free(p);
    else if (p->work->earlier || p->round == 0)
        look_everywhere(p, &remove_searching);
    else
        look_at_leads(p, &remove_searching);
}

static void remove_looked(struct part *p)
{
    struct err e = ERR_INIT;
    p->look++;
    /* A list that did not show these leads before the DELETE says nothing by not showing them after it. */
    if (p->counted && !p->unlisted) {
        remove_searched(p);
        return;
    }
    struct part *unshown = take_unshown(p, &e);
    if (unshown == NULL) {
        upload_fail(p->work->u, &e);
        give_up(p, REASON_INTERRUPTED);
        err_clear(&e);
        return;
    }
    search(unshown);
    if (p->n == 0)
        part_free(p);
    else
        still_there(p);
}

static const struct look_calls remove_looking = {remove_seen, remove_looked, remove_look_failed};

void remove_start(struct part *p)
{
    struct work *w = p->work;
    if (w->u->stopping && !w->earlier) {
        give_up(p, w->u->c.stop_reason);
        return;
    }
    if (w->first_sent_ms == 0)
        w->first_sent_ms = w->u->c.clock->wall_ms(w->u->c.clock);
    look_by_id(p, &remove_looking);
}
