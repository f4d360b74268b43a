/* Where the leads of a move are: before it, to know who may go and what has to be written first, and after it, since its
 * job proves nothing. Lists lag behind moves by seconds (observed) and may show nothing, so only the last look concludes,
 * and what no list shows is asked of the lead itself. */
#include "config.h"

#include "sync/upload/ops/move.h"

#include "sync/base/log.h"
#include "sync/plan/eligibility.h"

static enum place move_proof_place_of(const struct batch_run *b, const struct remote_lead *r)
{
    return target_holds(&b->target, r) ? PLACE_TO : target_holds(&b->from, r) ? PLACE_FROM : PLACE_ELSEWHERE;
}

/* ---- before ---- */

/* Values first: a lead is not in its new campaign with the old ones for a moment. */
static void move_proof_patch_first(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    struct entry_progress *progress = &b->progress[i];
    struct lead wanted;
    uint32_t fields;
    bool *custom = NULL;
    if (progress->fields == 0 && progress->custom_changed.n == 0)
        return;
    arena_reset(&b->u->scratch);
    if (batch_entry_lead(b, i, &b->u->scratch, &wanted) == 0)
        custom = arena_calloc(&b->u->scratch, wanted.shape->custom_n + 1, sizeof *custom);
    if (custom == NULL)
        upload_fail_oom(b->u);
    else if (lead_match_changes(b, i, &wanted, remote, false, &fields, custom))
        update_patch(b, i, &wanted, fields, custom, remote, OUTCOME_CHANGED);
}

/* A move makes an unsubscribed lead active again (observed), so what was found earlier counts as well: of this key, and of
 * the person under any other. */
static enum reason move_proof_status_of(struct batch_run *b, uint32_t i, const struct remote_lead *remote)
{
    enum reason status = eligibility_status_reason(remote->status);
    struct known_lead known;
    struct err e = ERR_INIT;
    if (status != REASON_NONE)
        return status;
    arena_reset(&b->u->scratch);
    int rc = state_lead_get(b->u->c.state, &b->record.entries[i].key, &b->u->scratch, &known, &e);
    if (rc < 0)
        upload_fail(b->u, &e);
    if (rc == 1)
        status = eligibility_status_reason(known.status);
    if (status == REASON_NONE && eligibility_recorded(b->u->c.state, remote->email, &status, &e) != 0)
        upload_fail(b->u, &e);
    err_clear(&e);
    return status;
}

static void move_proof_found_before(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    struct entry_progress *progress = &b->progress[i];
    bool by_route = b->record.entries[i].row != 0;
    progress->place = move_proof_place_of(b, remote);
    if (progress->email_hash == 0)
        progress->email_hash = email_hash(b->u, remote->email);
    /* With hashed values a removal brings no address, and others that have it cannot be looked for. */
    if (b->record.entries[i].email.n == 0 && arena_str(&b->arena, remote->email, &b->record.entries[i].email) != 0)
        upload_fail_oom(b->u);
    if (progress->place == PLACE_ELSEWHERE) {
        batch_entry_location(b, i, remote);
        batch_entry_done(b, i, OUTCOME_FAILED, REASON_MOVE_NOT_DONE, 0);
        return;
    }
    enum reason stays = progress->place == PLACE_TO
                            ? REASON_NONE
                            : eligibility_block_reason(remote, &b->target, by_route && !b->u->c.mapping->contacted_move);
    progress->status = move_proof_status_of(b, i, remote);
    if (stays == REASON_NONE && progress->place != PLACE_TO && b->target.kind == TARGET_CAMPAIGN)
        stays = progress->status;
    if (stays == REASON_NONE && progress->place != PLACE_TO)
        batch_record_status(b, i, progress->status, remote->email);
    if (stays != REASON_NONE)
        batch_entry_done(b, i, stays == REASON_EMAIL_MISSING ? OUTCOME_REJECTED : OUTCOME_SKIPPED, stays, 0);
    else if (progress->place == PLACE_TO || !verify_keeps_back(b, i, remote))
        move_proof_patch_first(s, i, remote);
}

static void move_proof_look_failed(struct batch_slice *s)
{
    move_give_up(s, s->batch->u->c.stop_reason);
}

/* Neither the leads themselves nor their addresses are at one of the ends. */
static void move_proof_before_search_done(struct batch_slice *s)
{
    for (size_t k = 0; k < s->n; k++)
        if (!s->batch->progress[s->index[k]].shown)
            batch_entry_done(s->batch, s->index[k], OUTCOME_FAILED, REASON_GONE_THERE, 0);
    slice_free(s);
}

static const struct lead_read_calls move_proof_before_searching = {move_proof_found_before, move_proof_before_search_done, move_proof_look_failed};

static void move_proof_before_read_done(struct batch_slice *s)
{
    size_t n = 0;
    for (size_t k = 0; k < s->n; k++)
        if (!s->batch->progress[s->index[k]].shown)
            s->index[n++] = s->index[k];
    s->n = n;
    if (n == 0)
        slice_free(s);
    else if (upload_ended(s->batch->u))
        move_proof_look_failed(s);
    else
        lead_read_everywhere(s, &move_proof_before_searching);
}

static const struct lead_read_calls move_proof_before_reading = {move_proof_found_before, move_proof_before_read_done, move_proof_look_failed};

void move_check(struct batch_slice *s)
{
    for (size_t k = 0; k < s->n; k++) {
        struct entry_progress *progress = &s->batch->progress[s->index[k]];
        if (progress->email_hash == 0)
            progress->email_hash = email_hash(s->batch->u, s->batch->record.entries[s->index[k]].email);
    }
    if (upload_ended(s->batch->u))
        move_proof_look_failed(s);
    else
        lead_read_by_id(s, &move_proof_before_reading);
}

/* ---- after ---- */

static void move_proof_found_after(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    b->progress[i].place = move_proof_place_of(b, remote);
    if (b->progress[i].place == PLACE_ELSEWHERE)
        batch_entry_location(b, i, remote);
    if (b->progress[i].place != PLACE_TO)
        return;
    if (!b->earlier) {
        move_proved(b, i, 0);
        return;
    }
    /* Whether its values were written before, an intent does not tell. */
    struct lead wanted;
    uint32_t fields;
    bool *custom = NULL;
    arena_reset(&b->u->scratch);
    if (b->record.entries[i].row == 0) {
        move_proved(b, i, 0);
        return;
    }
    if (batch_entry_lead(b, i, &b->u->scratch, &wanted) == 0)
        custom = arena_calloc(&b->u->scratch, wanted.shape->custom_n + 1, sizeof *custom);
    if (custom == NULL)
        upload_fail_oom(b->u);
    else if (lead_match_changes(b, i, &wanted, remote, false, &fields, custom))
        batch_entry_done(b, i, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
    else
        move_proved(b, i, 0);
}

/* Did a removal (`move_to`) take the lead of entry i away from its target? */
static bool move_proof_was_moved_away(struct batch_run *b, uint32_t i)
{
    struct known_lead known;
    struct err e = ERR_INIT;
    arena_reset(&b->u->scratch);
    int rc = state_lead_get(b->u->c.state, &b->record.entries[i].key, &b->u->scratch, &known, &e);
    if (rc < 0)
        upload_fail(b->u, &e);
    err_clear(&e);
    return rc == 1 && (known.flags & KNOWN_AWAY) != 0;
}

/* The row has this lead from now on, with its values; the one that was moved away stays where removed leads go. */
static void move_proof_take_double(struct batch_run *b, uint32_t i, const struct remote_lead *remote)
{
    struct entry_progress *progress = &b->progress[i];
    struct lead wanted;
    uint32_t fields;
    bool *custom = NULL;
    b->record.entries[i].lead_id = remote->id;
    b->record.entries[i].detail = STR_NONE;
    /* What was asked and written was about the other lead. */
    progress->place = PLACE_TO;
    progress->asked = progress->patched = progress->as_wanted = false;
    progress->fields = 0;
    progress->custom_changed = STR_NONE;
    progress->rounds = 0;
    progress->took_double = true;
    arena_reset(&b->u->scratch);
    if (batch_entry_lead(b, i, &b->u->scratch, &wanted) == 0)
        custom = arena_calloc(&b->u->scratch, wanted.shape->custom_n + 1, sizeof *custom);
    if (custom == NULL)
        upload_fail_oom(b->u);
    else if (lead_match_changes(b, i, &wanted, remote, false, &fields, custom))
        update_patch(b, i, &wanted, fields, custom, remote, OUTCOME_CHANGED);
}

/* Another lead with the address is where this one should go: that is why the API left it. A row whose lead was moved away
 * takes it, if no other row has it: while another mapping ran, the row was created again under another key. */
static void move_proof_found_double(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    bool ours = false, conflict = false;
    struct err e = ERR_INIT;
    if (b->record.entries[i].row != 0 && move_proof_was_moved_away(b, i)) {
        if (rekey_meet(b, i, &remote->id, &ours, &conflict, &e) != 0)
            upload_fail(b->u, &e);
        else if (!conflict)
            move_proof_take_double(b, i, remote);
        err_clear(&e);
        return;
    }
    if (b->record.entries[i].row == 0)
        move_detail(b, i, "it stays, and is not asked for again; `if_there: delete` deletes such leads");
    batch_entry_done(b, i, OUTCOME_FAILED, REASON_EXISTS_IN_TARGET, 0);
}

static void move_proof_doubles_read_done(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    for (size_t k = 0; k < s->n; k++)
        if (!b->progress[s->index[k]].shown)
            batch_entry_done(b, s->index[k], OUTCOME_FAILED, REASON_MOVE_NOT_DONE, 0);
    slice_free(s);
}

static const struct lead_read_calls move_proof_double_reading = {move_proof_found_double, move_proof_doubles_read_done, move_proof_look_failed};

static void move_proof_conclude_after(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    size_t still_n = 0, named_n = 0;
    for (size_t k = 0; k < s->n; k++) {
        uint32_t i = s->index[k];
        const struct entry_progress *progress = &b->progress[i];
        if (b->record.entries[i].outcome != OUTCOME_NONE)
            continue;
        if (progress->place == PLACE_FROM) {
            named_n += progress->named;
            s->index[still_n++] = i;
        } else {
            batch_entry_done(b, i, OUTCOME_FAILED,
                            progress->place == PLACE_UNSEEN ? REASON_GONE_THERE : REASON_MOVE_NOT_DONE, 0);
        }
    }
    if (named_n > 0)
        log_warning("a background job names %zu lead%s as moved that %s still in the source: not counted as moved",
                    named_n, named_n == 1 ? "" : "s", named_n == 1 ? "is" : "are");
    s->n = still_n;
    /* No job, and still where they were: move_next() asks again, within its rounds. */
    if (s->job == NULL || still_n == 0)
        slice_free(s);
    else if (upload_ended(b->u))
        move_proof_look_failed(s);
    else
        lead_read_others(s, &move_proof_double_reading);
}

static const struct lead_read_calls move_proof_after_asking = {move_proof_found_after, move_proof_conclude_after, move_proof_look_failed};

/* The lists have shown what they do. What an earlier run left is decided again by this one; nothing is written there. */
static void move_proof_after_last_read(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    if (b->earlier) {
        for (size_t k = 0; k < s->n; k++)
            batch_entry_done(b, s->index[k], OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
        slice_free(s);
        return;
    }
    for (size_t k = 0; k < s->n; k++)
        if (!b->progress[s->index[k]].shown)
            b->progress[s->index[k]].place = PLACE_UNSEEN;
    lead_read_unshown(s, &move_proof_after_asking);
}

static size_t move_proof_after_keep_open(struct batch_slice *s)
{
    size_t n = 0;
    for (size_t k = 0; k < s->n; k++)
        if (s->batch->record.entries[s->index[k]].outcome == OUTCOME_NONE)
            s->index[n++] = s->index[k];
    return s->n = n;
}

static void move_proof_after_read(struct batch_slice *s);

static void move_proof_after_read_done(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    if (move_proof_after_keep_open(s) == 0) {
        slice_free(s);
        return;
    }
    s->attempt++;
    bool may_appear = s->attempt < ATTEMPTS_MAX;
    if (b->earlier && s->job == NULL) {
        /* It had its time, unless it was left a moment ago. */
        int64_t now_ms = b->u->c.clock->wall_ms(b->u->c.clock);
        may_appear = may_appear && now_ms < b->first_sent_ms + b->u->c.mapping->limits.settle_ms;
    }
    if (b->u->stopping)
        move_proof_look_failed(s);
    else if (may_appear)
        slice_wait_attempt(s, s->unseen_job, move_proof_after_read); /* a job that cannot be seen may still be running */
    else
        move_proof_after_last_read(s);
}

static const struct lead_read_calls move_proof_after_reading = {move_proof_found_after, move_proof_after_read_done, move_proof_look_failed};

static void move_proof_after_read(struct batch_slice *s)
{
    if (upload_ended(s->batch->u))
        move_proof_look_failed(s);
    else
        lead_read_by_id(s, &move_proof_after_reading);
}

void move_prove(struct batch_slice *s, struct job *job)
{
    s->job = job;
    s->attempt = 0;
    if (move_proof_after_keep_open(s) == 0) {
        slice_free(s);
        return;
    }
    for (size_t k = 0; k < s->n; k++)
        s->batch->progress[s->index[k]].place = PLACE_UNSEEN;
    move_proof_after_read(s);
}
