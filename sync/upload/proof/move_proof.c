/* Is it moved? A job's success proves nothing, so its leads are read. Lists lag behind moves by seconds (observed) and may
 * show nothing, so only the last read concludes, and what no list shows is asked of the lead itself. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include "sync/base/log.h"
#include "sync/upload/proof/jobs.h"
#include "sync/upload/proof/proof.h"

enum { KNOWN_MAX = 1 << 24 };

enum place move_proof_place(const struct batch_run *b, const struct remote_lead *remote)
{
    return api_remote_is_in(remote, &b->target) ? PLACE_TO
           : api_remote_is_in(remote, &b->from) ? PLACE_FROM
                                                : PLACE_ELSEWHERE;
}

static void move_proof_found(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    b->progress[i].place = move_proof_place(b, remote);
    if (b->progress[i].place == PLACE_ELSEWHERE)
        batch_entry_location(b, i, remote);
    if (b->progress[i].place != PLACE_TO)
        return;
    /* An answer to a PATCH can name values that were not stored. Lists lag, so the last read decides. */
    if (b->progress[i].patched && !update_proof_is_stored(b, i, remote))
        return;
    if (!b->earlier || b->record.entries[i].row == 0) {
        move_proved(b, i, 0);
        return;
    }
    /* An intent does not say whether the values were written before. */
    struct wanted_lead wanted;
    if (wanted_lead_open(b, i, &wanted) == 0) {
        if (wanted_lead_changes(b, i, &wanted, remote, false))
            batch_entry_done(b, i, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
        else
            move_proved(b, i, 0);
    }
    wanted_lead_free(&wanted);
}

/* Did a removal (`move_to`) take the lead of entry i away from its target? */
static bool move_proof_was_moved_away(struct batch_run *b, uint32_t i)
{
    struct known_lead known;
    struct err e = ERR_INIT;
    struct arena arena;
    arena_init(&arena, KNOWN_MAX);
    int rc = state_lead_get(b->u->c.state, &b->record.entries[i].key, &arena, &known, &e);
    if (rc < 0)
        upload_fail(b->u, &e);
    arena_free(&arena);
    err_clear(&e);
    return rc == 1 && (known.flags & KNOWN_AWAY) != 0;
}

/* The row has this lead from now on, with its values; the one that was moved away stays where removed leads go. */
static void move_proof_take_double(struct batch_run *b, uint32_t i, const struct remote_lead *remote)
{
    struct entry_progress *progress = &b->progress[i];
    struct wanted_lead wanted;
    b->record.entries[i].lead_id = remote->id;
    b->record.entries[i].detail = STR_NONE;
    /* What was asked and written was about the other lead. */
    progress->place = PLACE_TO;
    progress->asked = progress->patched = false;
    if (progress->state == ENTRY_AS_WANTED)
        batch_entry_advance(b, i, ENTRY_OPEN);
    progress->fields = 0;
    progress->custom_changed = STR_NONE;
    progress->rounds = 0;
    progress->took_double = true;
    if (wanted_lead_open(b, i, &wanted) == 0 && wanted_lead_changes(b, i, &wanted, remote, false))
        update_patch(b, i, &wanted, remote, OUTCOME_CHANGED);
    wanted_lead_free(&wanted);
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
    slice_unshown_done(s, OUTCOME_FAILED, REASON_MOVE_NOT_DONE, 0);
    slice_free(s);
}

static const struct lead_read_calls move_proof_double_reading = {move_proof_found_double, move_proof_doubles_read_done,
                                                                 move_read_failed};

/* The last read has shown where each lead is. After a job, a lead that is still in its source stays there, and the reason
 * is searched for. Without a job the request was perhaps never applied, and the move asks again. */
static void move_proof_conclude(struct batch_slice *s)
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
        } else if (progress->place == PLACE_TO) {
            batch_entry_done(b, i, OUTCOME_FAILED, REASON_NOT_STORED, progress->patch_status);
        } else {
            batch_entry_done(b, i, OUTCOME_FAILED,
                             progress->place == PLACE_UNSEEN ? REASON_GONE_THERE : REASON_MOVE_NOT_DONE, 0);
        }
    }
    if (named_n > 0)
        log_warning("a background job names %zu lead%s as moved that %s still in the source: not counted as moved", named_n,
                    named_n == 1 ? "" : "s", named_n == 1 ? "is" : "are");
    s->n = still_n;
    /* No job, and still where they were: move_next() asks again, within its rounds. */
    if (s->job == NULL || still_n == 0)
        slice_free(s);
    else if (upload_ended(b->u))
        move_read_failed(s);
    else
        lead_read_others(s, &move_proof_double_reading);
}

static const struct lead_read_calls move_proof_asking = {move_proof_found, move_proof_conclude, move_read_failed};

/* This run plans what an earlier run left; recovery writes nothing. */
static void move_proof_leave(struct batch_slice *s)
{
    slice_done(s, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
}

static const struct lead_read_calls move_proof_searching = {move_proof_found, move_proof_leave, move_read_failed};

/* The lists show nothing further. The earlier run may have moved a lead under an id that its intent does not have, because the
 * lead was exported and imported again before. */
static void move_proof_last_read(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    if (b->earlier) {
        size_t unshown = 0;
        for (size_t k = 0; k < s->n; k++)
            unshown += !b->progress[s->index[k]].shown;
        if (unshown == 0)
            move_proof_leave(s);
        else
            lead_read_everywhere(s, &move_proof_searching);
        return;
    }
    for (size_t k = 0; k < s->n; k++)
        if (!b->progress[s->index[k]].shown)
            b->progress[s->index[k]].place = PLACE_UNSEEN;
    lead_read_unshown(s, &move_proof_asking);
}

static size_t move_proof_keep_open(struct batch_slice *s)
{
    size_t n = 0;
    for (size_t k = 0; k < s->n; k++)
        if (s->batch->record.entries[s->index[k]].outcome == OUTCOME_NONE)
            s->index[n++] = s->index[k];
    return s->n = n;
}

static void move_proof_read(struct batch_slice *s);

static void move_proof_read_done(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    if (move_proof_keep_open(s) == 0) {
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
        move_read_failed(s);
    else if (may_appear)
        slice_wait_attempt(s, s->unseen_job, move_proof_read); /* a job that cannot be seen may still be running */
    else
        move_proof_last_read(s);
}

static const struct lead_read_calls move_proof_reading = {move_proof_found, move_proof_read_done, move_read_failed};

static void move_proof_read(struct batch_slice *s)
{
    if (upload_ended(s->batch->u))
        move_read_failed(s);
    else
        lead_read_by_id(s, &move_proof_reading);
}

/* Places that were seen before are forgotten: only a read after the request shows what the request did. */
void move_proof_start(struct batch_slice *s, struct job *job)
{
    s->job = job;
    s->attempt = 0;
    if (move_proof_keep_open(s) == 0) {
        slice_free(s);
        return;
    }
    for (size_t k = 0; k < s->n; k++)
        s->batch->progress[s->index[k]].place = PLACE_UNSEEN;
    if (copy_wanted(s->batch))
        copy_read(s);
    else
        move_proof_read(s);
}
