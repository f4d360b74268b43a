/* Where the leads of a move are: before it, to know who may go and what has to be written first, and after it, where its
 * job does not prove it. Read by ids, a hundred a request, and looked at again here, since the API ignores filters that
 * it does not know. Filtered lists lag behind moves by seconds (observed), so only the last look concludes. */
#include "config.h"

#include "sync/engine/move.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/engine/people.h"

struct look {
    struct part *part;
    size_t first, n;  /* slice of the part's index */
};

static void look(struct part *p);

static void found_before(struct part *p, uint32_t i, const struct remote_lead *remote);
static void found_by_address(struct part *p, uint32_t i, const struct remote_lead *remote);

/* Is this entry still looked for? Before a move it is enough to have seen it. */
static bool is_sought(const struct part *p, size_t k)
{
    uint32_t i = p->index[k];
    bool before = p->found == found_before || p->found == found_by_address;
    return p->work->batch.entries[i].outcome == OUTCOME_NONE && (!before || p->work->aims[i].place == PLACE_UNSEEN);
}

static enum place place_of(const struct work *w, const struct remote_lead *r)
{
    const struct target *ends[] = {&w->target, &w->from};
    for (size_t i = 0; i < 2; i++) {
        bool campaign = ends[i]->kind == TARGET_CAMPAIGN;
        const struct uuid *id = campaign ? &r->campaign : &r->list;
        if ((campaign ? r->has_campaign : r->has_list) && uuid_eq(id, &ends[i]->id))
            return i == 0 ? PLACE_TO : PLACE_FROM;
    }
    return PLACE_ELSEWHERE;
}

static void detail_place(struct work *w, uint32_t i, const struct remote_lead *r)
{
    struct target there = {.kind = r->has_campaign ? TARGET_CAMPAIGN : TARGET_LIST,
                           .id = r->has_campaign ? r->campaign : r->list};
    char text[TARGET_TEXT_N];
    if (r->has_campaign || r->has_list)
        move_detail(w, i, "it is in %s", target_format(&there, text));
    else
        move_detail(w, i, "it is in no campaign and no list");
}

/* ---- before ---- */

/* Values first: a lead is not in its new campaign with the old ones for a moment. */
static void patch_first(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    struct work *w = p->work;
    struct aim *aim = &w->aims[i];
    struct lead wanted;
    uint32_t fields;
    bool *custom = NULL;
    if (aim->fields == 0 && aim->custom_changed.n == 0)
        return;
    arena_reset(&w->u->scratch);
    if (work_lead(w, i, &w->u->scratch, &wanted) == 0)
        custom = arena_calloc(&w->u->scratch, wanted.shape->custom_n + 1, sizeof *custom);
    if (custom == NULL)
        upload_fail_oom(w->u);
    else if (readback_differs(w, i, &wanted, remote, false, &fields, custom))
        update_patch(w, i, &wanted, fields, custom, remote, OUTCOME_CHANGED);
}

/* A move makes an unsubscribed lead active again (observed), so what was found earlier counts as well: of this key, and of
 * the person under any other. */
static enum reason status_of(struct work *w, uint32_t i, const struct remote_lead *remote)
{
    enum reason status = people_status_reason(remote->status);
    struct known_lead known;
    struct err e = ERR_INIT;
    if (status != REASON_NONE)
        return status;
    arena_reset(&w->u->scratch);
    int rc = state_lead_get(w->u->c.state, &w->batch.entries[i].key, &w->u->scratch, &known, &e);
    if (rc < 0)
        upload_fail(w->u, &e);
    if (rc == 1)
        status = people_status_reason(known.status);
    if (status == REASON_NONE && people_recorded(w->u->c.state, remote->email, &status, &e) != 0)
        upload_fail(w->u, &e);
    err_clear(&e);
    return status;
}

static void found_before(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    struct work *w = p->work;
    struct aim *aim = &w->aims[i];
    bool by_route = w->batch.entries[i].row != 0;
    aim->place = place_of(w, remote);
    if (aim->email_hash == 0)
        aim->email_hash = email_hash(w->u, remote->email);
    /* With hashed values a removal brings no address, and others that have it cannot be looked for. */
    if (w->batch.entries[i].email.n == 0 && arena_str(&w->arena, remote->email, &w->batch.entries[i].email) != 0)
        upload_fail_oom(w->u);
    if (aim->place == PLACE_ELSEWHERE) {
        detail_place(w, i, remote);
        work_entry_done(w, i, OUTCOME_FAILED, REASON_MOVE_NOT_DONE, 0);
        return;
    }
    enum reason stays = aim->place == PLACE_TO
                            ? REASON_NONE
                            : people_stays(remote, &w->target, by_route && !w->u->c.mapping->contacted_move);
    aim->status = status_of(w, i, remote);
    if (stays == REASON_NONE && aim->place != PLACE_TO && w->target.kind == TARGET_CAMPAIGN)
        stays = aim->status;
    if (stays == REASON_NONE && aim->place != PLACE_TO)
        work_learn(w, i, aim->status, remote->email);
    if (stays != REASON_NONE)
        work_entry_done(w, i, stays == REASON_EMAIL_MISSING ? OUTCOME_REJECTED : OUTCOME_SKIPPED, stays, 0);
    else if (aim->place == PLACE_TO || !verify_keeps_back(w, i, remote))
        patch_first(p, i, remote);
}

static void conclude_gone(struct part *p)
{
    for (size_t k = 0; k < p->n; k++)
        work_entry_done(p->work, p->index[k], OUTCOME_FAILED, REASON_GONE_THERE, 0);
    part_free(p);
}

/* Exported and imported again, a lead has a new id; the address says that it is the same person's. */
static void found_by_address(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    char old[UUID_TEXT_N], new[UUID_TEXT_N];
    enum place wanted = p->address_in == &p->work->target ? PLACE_TO : PLACE_FROM;
    uuid_format(&p->work->batch.entries[i].lead_id, old);
    if (place_of(p->work, remote) != wanted || !lead_match_relink(p->work, i, remote))
        return;
    log_detail("lead %s is not there any more; its address has lead %s now, which takes its place", old,
               uuid_format(&remote->id, new));
    p->work->batch.entries[i].detail = STR_NONE;
    found_before(p, i, remote);
}

/* The source comes first: a lead that is still there is the one to be moved, whatever else has its address. */
static void look_in_target(struct part *p)
{
    p->address_in = &p->work->target;
    p->looked = conclude_gone;
    look(p);
}

/* No lead with these ids, or one with another address. */
static void look_for_addresses(struct part *p)
{
    p->found = found_by_address;
    p->address_in = &p->work->from;
    p->looked = look_in_target;
    look(p);
}

/* ---- after ---- */

static void found_after(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    struct work *w = p->work;
    w->aims[i].place = place_of(w, remote);
    if (w->aims[i].place == PLACE_ELSEWHERE)
        detail_place(w, i, remote);
    if (w->aims[i].place != PLACE_TO)
        return;
    if (!w->earlier) {
        move_proved(w, i, 0);
        return;
    }
    /* Whether its values were written before, an intent does not tell. */
    struct lead wanted;
    uint32_t fields;
    bool *custom = NULL;
    arena_reset(&w->u->scratch);
    if (w->batch.entries[i].row == 0) {
        move_proved(w, i, 0);
        return;
    }
    if (work_lead(w, i, &w->u->scratch, &wanted) == 0)
        custom = arena_calloc(&w->u->scratch, wanted.shape->custom_n + 1, sizeof *custom);
    if (custom == NULL)
        upload_fail_oom(w->u);
    else if (readback_differs(w, i, &wanted, remote, false, &fields, custom))
        work_entry_done(w, i, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
    else
        move_proved(w, i, 0);
}

/* Another lead with the address is where this one should go: that is why the API left it. */
static void found_double(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    struct work *w = p->work;
    if (place_of(w, remote) != PLACE_TO || uuid_eq(&remote->id, &w->batch.entries[i].lead_id))
        return;
    if (w->batch.entries[i].row == 0)
        move_detail(w, i, "it stays, and is not asked for again; `if_there: delete` deletes such leads");
    work_entry_done(w, i, OUTCOME_FAILED, REASON_EXISTS_IN_TARGET, 0);
}

static void looked_for_doubles(struct part *p)
{
    struct work *w = p->work;
    for (size_t k = 0; k < p->n; k++)
        work_entry_done(w, p->index[k], OUTCOME_FAILED, REASON_MOVE_NOT_DONE, 0);
    part_free(p);
}

/* What an earlier run left is decided anew by this one; nothing is written here. */
static void conclude_earlier(struct part *p)
{
    for (size_t k = 0; k < p->n; k++)
        work_entry_done(p->work, p->index[k], OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
    part_free(p);
}

static void conclude_after(struct part *p)
{
    struct work *w = p->work;
    if (w->earlier) {
        conclude_earlier(p);
        return;
    }
    size_t still_n = 0, named_n = 0;
    for (size_t k = 0; k < p->n; k++) {
        uint32_t i = p->index[k];
        const struct aim *aim = &w->aims[i];
        if (aim->place == PLACE_FROM) {
            named_n += aim->named;
            p->index[still_n++] = i;
        } else if (aim->place == PLACE_UNSEEN && aim->named) {
            /* Nothing speaks against what the job says of this lead. */
            move_proved(w, i, 0);
        } else {
            work_entry_done(w, i, OUTCOME_FAILED,
                            aim->place == PLACE_UNSEEN ? REASON_GONE_THERE : REASON_MOVE_NOT_DONE, 0);
        }
    }
    if (named_n > 0)
        log_warning("a background job names %zu lead%s as moved that %s still in the source: not counted as moved",
                    named_n, named_n == 1 ? "" : "s", named_n == 1 ? "is" : "are");
    p->n = still_n;
    if (p->job == NULL) {
        /* No job, and still where they were: move_next() asks again, within its rounds. */
        part_free(p);
        return;
    }
    p->found = found_double;
    p->address_in = &w->target;
    p->looked = looked_for_doubles;
    look(p);
}

/* ---- looking ---- */

static void looked(struct part *p)
{
    struct work *w = p->work;
    size_t open_n = 0;
    for (size_t k = 0; k < p->n; k++)
        if (is_sought(p, k))
            p->index[open_n++] = p->index[k];
    p->n = open_n;
    /* Those who are asked for by address had all the looks by id before. */
    if (p->address_in != NULL || open_n == 0) {
        if (open_n == 0)
            part_free(p);
        else
            p->looked(p);
        return;
    }
    p->look++;
    if (w->u->stopping) {
        move_give_up(p, w->u->c.stop_reason);
        return;
    }
    bool may_appear = p->look < LOOKS_MAX;
    if (w->earlier && p->job == NULL) {
        /* It had its time, unless it was left a moment ago. */
        int64_t now_ms = w->u->c.clock->wall_ms(w->u->c.clock);
        may_appear = may_appear && now_ms < w->first_sent_ms + w->u->c.mapping->limits.settle_ms;
    }
    if (!may_appear) {
        p->looked(p);
        return;
    }
    part_wait_look(p, p->unseen_job, look); /* a job that cannot be seen may still be running */
}

static bool is_entry(const struct part *p, uint32_t i, const struct remote_lead *remote, uint64_t hash)
{
    struct work *w = p->work;
    if (p->address_in != NULL)
        return hash != 0 && w->aims[i].email_hash == hash;
    if (!uuid_eq(&w->batch.entries[i].lead_id, &remote->id))
        return false;
    bool differs = lead_match_differs(w, i, remote);
    if (differs)
        move_detail(w, i, "the lead that has its id has another address");
    return !differs;
}

static void take_items(const struct look *l, struct json_object *items)
{
    struct part *p = l->part;
    size_t n = json_object_is_type(items, json_type_array) ? json_object_array_length(items) : 0;
    for (size_t item = 0; item < n; item++) {
        struct remote_lead remote;
        struct err e = ERR_INIT;
        if (api_remote_lead_read(json_object_array_get_idx(items, item), &remote, &e) != 0) {
            log_detail("a lead of leads/list cannot be read: %s", err_text(&e));
            err_clear(&e);
            continue;
        }
        uint64_t hash = p->address_in != NULL ? email_hash(p->work->u, remote.email) : 0;
        for (size_t k = l->first; k < l->first + l->n; k++)
            if (is_sought(p, k) && is_entry(p, p->index[k], &remote, hash)) {
                p->found(p, p->index[k], &remote);
                break;
            }
    }
}

static void read_failed(struct part *p, const struct api_reply *reply)
{
    struct err e = ERR_INIT;
    if (reply->class == API_CANCELLED)
        return;
    if (reply->err != NULL) {
        upload_fail(p->work->u, reply->err);
        return;
    }
    err_set(&e, XS_API, "leads/list was refused (%d %.*s): where the leads of a move are cannot be told; run again later",
            reply->http_status, STR_ARG(reply->message));
    upload_fail(p->work->u, &e);
    err_clear(&e);
}

static void end_read(struct part *p)
{
    if (--p->reads_n > 0)
        return;
    if (p->spoilt)
        move_give_up(p, p->work->u->c.stop_reason);
    else
        looked(p);
}

static void answered(void *ctx, const struct api_reply *reply)
{
    struct look *l = ctx;
    struct part *p = l->part;
    if (reply->skew_ms != 0)
        p->work->u->skew_ms = p->work->skew_ms = reply->skew_ms;
    if (reply->class == API_OK) {
        take_items(l, reply->json);
    } else {
        p->spoilt = true;
        read_failed(p, reply);
    }
    free(l);
    end_read(p);
}

static int ask(struct part *p, size_t first, size_t n, struct err *e)
{
    struct work *w = p->work;
    struct uuid ids[LEADS_LIST_MAX];
    struct str contacts[LEADS_LIST_MAX];
    struct leads_list list = {.urgent = true, .target = p->address_in, .ids = ids, .contacts = contacts};
    for (size_t k = first; k < first + n; k++) {
        const struct entry *entry = &w->batch.entries[p->index[k]];
        if (p->address_in == NULL)
            ids[list.ids_n++] = entry->lead_id;
        else if (entry->email.n > 0 && w->aims[p->index[k]].email_hash != 0)
            contacts[list.contacts_n++] = entry->email;
    }
    if (list.ids_n + list.contacts_n == 0)
        return 0;
    struct look *l = malloc(sizeof *l);
    if (l == NULL)
        return err_oom(e);
    *l = (struct look){p, first, n};
    if (api_leads_list(w->u->c.api, &list, answered, l, e) != 0) {
        free(l);
        return -1;
    }
    p->reads_n++;
    return 0;
}

static void look(struct part *p)
{
    struct err e = ERR_INIT;
    int rc = 0;
    if (upload_ended(p->work->u)) {
        move_give_up(p, p->work->u->c.stop_reason);
        return;
    }
    p->spoilt = false;
    /* Held until all are asked: an answer must not end the look while others are still being queued. */
    p->reads_n = 1;
    for (size_t first = 0; rc == 0 && first < p->n; first += LEADS_LIST_MAX)
        rc = ask(p, first, p->n - first < LEADS_LIST_MAX ? p->n - first : LEADS_LIST_MAX, &e);
    if (rc != 0) {
        upload_fail(p->work->u, &e);
        p->spoilt = true;
    }
    err_clear(&e);
    end_read(p);
}

void move_look_before(struct part *p)
{
    for (size_t k = 0; k < p->n; k++) {
        struct aim *aim = &p->work->aims[p->index[k]];
        if (aim->email_hash == 0)
            aim->email_hash = email_hash(p->work->u, p->work->batch.entries[p->index[k]].email);
    }
    p->found = found_before;
    p->looked = look_for_addresses;
    look(p);
}

void move_look_after(struct part *p, struct job *job)
{
    p->found = found_after;
    p->looked = conclude_after;
    p->address_in = NULL;
    p->job = job;
    p->look = 0;
    size_t n = 0;
    for (size_t k = 0; k < p->n; k++)
        if (is_sought(p, k)) {
            p->work->aims[p->index[k]].place = PLACE_UNSEEN;
            p->index[n++] = p->index[k];
        }
    p->n = n;
    if (n == 0)
        part_free(p);
    else
        look(p);
}
