/* Where the leads of a move are: before it, to know who may go and what has to be written first, and after it, since its
 * job proves nothing. Lists lag behind moves by seconds (observed) and may show nothing, so only the last look concludes,
 * and what no list shows is asked of the lead itself. */
#include "config.h"

#include "sync/upload/ops/move.h"

#include "sync/base/log.h"
#include "sync/plan/people.h"

static enum place place_of(const struct work *w, const struct remote_lead *r)
{
    return look_is_in(&w->target, r) ? PLACE_TO : look_is_in(&w->from, r) ? PLACE_FROM : PLACE_ELSEWHERE;
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
        work_detail_place(w, i, remote);
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

static void look_failed(struct part *p)
{
    move_give_up(p, p->work->u->c.stop_reason);
}

/* Neither the leads themselves nor their addresses are at one of the ends. */
static void before_searched(struct part *p)
{
    for (size_t k = 0; k < p->n; k++)
        if (!p->work->aims[p->index[k]].shown)
            work_entry_done(p->work, p->index[k], OUTCOME_FAILED, REASON_GONE_THERE, 0);
    part_free(p);
}

static const struct look_calls before_searching = {found_before, before_searched, look_failed};

static void before_looked(struct part *p)
{
    size_t n = 0;
    for (size_t k = 0; k < p->n; k++)
        if (!p->work->aims[p->index[k]].shown)
            p->index[n++] = p->index[k];
    p->n = n;
    if (n == 0)
        part_free(p);
    else if (upload_ended(p->work->u))
        look_failed(p);
    else
        look_everywhere(p, &before_searching);
}

static const struct look_calls before_looking = {found_before, before_looked, look_failed};

void move_look_before(struct part *p)
{
    for (size_t k = 0; k < p->n; k++) {
        struct aim *aim = &p->work->aims[p->index[k]];
        if (aim->email_hash == 0)
            aim->email_hash = email_hash(p->work->u, p->work->batch.entries[p->index[k]].email);
    }
    if (upload_ended(p->work->u))
        look_failed(p);
    else
        look_by_id(p, &before_looking);
}

/* ---- after ---- */

static void found_after(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    struct work *w = p->work;
    w->aims[i].place = place_of(w, remote);
    if (w->aims[i].place == PLACE_ELSEWHERE)
        work_detail_place(w, i, remote);
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

/* Did a removal (`move_to`) take the lead of entry i away from its target? */
static bool was_moved_away(struct work *w, uint32_t i)
{
    struct known_lead known;
    struct err e = ERR_INIT;
    arena_reset(&w->u->scratch);
    int rc = state_lead_get(w->u->c.state, &w->batch.entries[i].key, &w->u->scratch, &known, &e);
    if (rc < 0)
        upload_fail(w->u, &e);
    err_clear(&e);
    return rc == 1 && (known.flags & KNOWN_AWAY) != 0;
}

/* The row has this lead from now on, with its values; the one that was moved away stays where removed leads go. */
static void take_double(struct work *w, uint32_t i, const struct remote_lead *remote)
{
    struct aim *aim = &w->aims[i];
    struct lead wanted;
    uint32_t fields;
    bool *custom = NULL;
    w->batch.entries[i].lead_id = remote->id;
    w->batch.entries[i].detail = STR_NONE;
    /* What was asked and written was about the other lead. */
    aim->place = PLACE_TO;
    aim->asked = aim->patched = aim->as_wanted = false;
    aim->fields = 0;
    aim->custom_changed = STR_NONE;
    aim->rounds = 0;
    aim->took_double = true;
    arena_reset(&w->u->scratch);
    if (work_lead(w, i, &w->u->scratch, &wanted) == 0)
        custom = arena_calloc(&w->u->scratch, wanted.shape->custom_n + 1, sizeof *custom);
    if (custom == NULL)
        upload_fail_oom(w->u);
    else if (readback_differs(w, i, &wanted, remote, false, &fields, custom))
        update_patch(w, i, &wanted, fields, custom, remote, OUTCOME_CHANGED);
}

/* Another lead with the address is where this one should go: that is why the API left it. A row whose lead was moved away
 * takes it, if no other row has it: while another mapping ran, the row was created again under another key. */
static void found_double(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    struct work *w = p->work;
    bool ours = false, conflict = false;
    struct err e = ERR_INIT;
    if (w->batch.entries[i].row != 0 && was_moved_away(w, i)) {
        if (rekey_meet(w, i, &remote->id, &ours, &conflict, &e) != 0)
            upload_fail(w->u, &e);
        else if (!conflict)
            take_double(w, i, remote);
        err_clear(&e);
        return;
    }
    if (w->batch.entries[i].row == 0)
        move_detail(w, i, "it stays, and is not asked for again; `if_there: delete` deletes such leads");
    work_entry_done(w, i, OUTCOME_FAILED, REASON_EXISTS_IN_TARGET, 0);
}

static void looked_for_doubles(struct part *p)
{
    struct work *w = p->work;
    for (size_t k = 0; k < p->n; k++)
        if (!w->aims[p->index[k]].shown)
            work_entry_done(w, p->index[k], OUTCOME_FAILED, REASON_MOVE_NOT_DONE, 0);
    part_free(p);
}

static const struct look_calls double_looking = {found_double, looked_for_doubles, look_failed};

static void conclude_after(struct part *p)
{
    struct work *w = p->work;
    size_t still_n = 0, named_n = 0;
    for (size_t k = 0; k < p->n; k++) {
        uint32_t i = p->index[k];
        const struct aim *aim = &w->aims[i];
        if (w->batch.entries[i].outcome != OUTCOME_NONE)
            continue;
        if (aim->place == PLACE_FROM) {
            named_n += aim->named;
            p->index[still_n++] = i;
        } else {
            work_entry_done(w, i, OUTCOME_FAILED,
                            aim->place == PLACE_UNSEEN ? REASON_GONE_THERE : REASON_MOVE_NOT_DONE, 0);
        }
    }
    if (named_n > 0)
        log_warning("a background job names %zu lead%s as moved that %s still in the source: not counted as moved",
                    named_n, named_n == 1 ? "" : "s", named_n == 1 ? "is" : "are");
    p->n = still_n;
    /* No job, and still where they were: move_next() asks again, within its rounds. */
    if (p->job == NULL || still_n == 0)
        part_free(p);
    else if (upload_ended(w->u))
        look_failed(p);
    else
        look_for_others(p, &double_looking);
}

static const struct look_calls after_asking = {found_after, conclude_after, look_failed};

/* The lists have shown what they do. What an earlier run left is decided again by this one; nothing is written there. */
static void after_last_look(struct part *p)
{
    struct work *w = p->work;
    if (w->earlier) {
        for (size_t k = 0; k < p->n; k++)
            work_entry_done(w, p->index[k], OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
        part_free(p);
        return;
    }
    for (size_t k = 0; k < p->n; k++)
        if (!w->aims[p->index[k]].shown)
            w->aims[p->index[k]].place = PLACE_UNSEEN;
    look_at_unshown(p, &after_asking);
}

static size_t after_keep_open(struct part *p)
{
    size_t n = 0;
    for (size_t k = 0; k < p->n; k++)
        if (p->work->batch.entries[p->index[k]].outcome == OUTCOME_NONE)
            p->index[n++] = p->index[k];
    return p->n = n;
}

static void after_look(struct part *p);

static void after_looked(struct part *p)
{
    struct work *w = p->work;
    if (after_keep_open(p) == 0) {
        part_free(p);
        return;
    }
    p->look++;
    bool may_appear = p->look < LOOKS_MAX;
    if (w->earlier && p->job == NULL) {
        /* It had its time, unless it was left a moment ago. */
        int64_t now_ms = w->u->c.clock->wall_ms(w->u->c.clock);
        may_appear = may_appear && now_ms < w->first_sent_ms + w->u->c.mapping->limits.settle_ms;
    }
    if (w->u->stopping)
        look_failed(p);
    else if (may_appear)
        part_wait_look(p, p->unseen_job, after_look); /* a job that cannot be seen may still be running */
    else
        after_last_look(p);
}

static const struct look_calls after_looking = {found_after, after_looked, look_failed};

static void after_look(struct part *p)
{
    if (upload_ended(p->work->u))
        look_failed(p);
    else
        look_by_id(p, &after_looking);
}

void move_look_after(struct part *p, struct job *job)
{
    p->job = job;
    p->look = 0;
    if (after_keep_open(p) == 0) {
        part_free(p);
        return;
    }
    for (size_t k = 0; k < p->n; k++)
        p->work->aims[p->index[k]].place = PLACE_UNSEEN;
    after_look(p);
}
