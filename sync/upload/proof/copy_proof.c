/* Copies of leads, which only edits by hand request. A copy has an id of its own, so the proof finds it by its address in the
 * destination; a lead that was there before the request is not a copy. Later, nothing in Instantly distinguishes a copy from
 * its original, so a batch of copies is journaled as OP_HAND and never left open for resume to prove. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <stdlib.h>

#include "sync/upload/proof/proof.h"

bool copy_wanted(const struct batch_run *b)
{
    const struct leads_move_options *options = b->u->c.move_options;
    return b->operation == &move_operation && !b->earlier && options != NULL && options->copy;
}

/* ---- before the request: the leads that the destination has ---- */

static void copy_keep_id(struct batch_run *b, const struct uuid *id)
{
    struct move_progress *move = &b->move;
    struct uuid *grown = reallocarray(move->present, move->present_n + 1, sizeof *grown);
    if (grown == NULL) {
        upload_fail_oom(b->u);
        return;
    }
    move->present = grown;
    move->present[move->present_n++] = *id;
}

static bool copy_is_known(const struct batch_run *b, const struct uuid *id)
{
    for (size_t i = 0; i < b->move.present_n; i++)
        if (uuid_eq(&b->move.present[i], id))
            return true;
    return false;
}

static void copy_present_seen(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct entry_progress *progress = &s->batch->progress[i];
    progress->met = true;
    progress->shown = false; /* more leads may have the address */
    copy_keep_id(s->batch, &remote->id);
}

static const struct lead_read_calls copy_present_reading = {copy_present_seen, move_check_leads, move_read_failed};

void copy_check(struct batch_slice *s)
{
    lead_read_others(s, &copy_present_reading);
}

/* ---- after: which leads are there now ---- */

static void copy_seen(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    if (copy_is_known(b, &remote->id)) {
        b->progress[i].shown = false;
        return;
    }
    copy_keep_id(b, &remote->id); /* it proves one lead, and no second one with its address */
    move_proved(b, i, 200);
}

/* Without a job the arrival of the request is unknown, and without an address its copy cannot be found. */
static void copy_conclude(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    for (size_t k = 0; k < s->n; k++) {
        uint32_t i = s->index[k];
        bool unknown = s->job == NULL || b->record.entries[i].email.n == 0;
        batch_entry_done(b, i, OUTCOME_FAILED,
                         b->progress[i].met ? REASON_EXISTS_IN_TARGET
                         : unknown          ? REASON_UNATTRIBUTED
                                            : REASON_MOVE_NOT_DONE,
                         0);
    }
    slice_free(s);
}

static void copy_read_done(struct batch_slice *s)
{
    size_t n = 0;
    for (size_t k = 0; k < s->n; k++)
        if (s->batch->record.entries[s->index[k]].outcome == OUTCOME_NONE)
            s->index[n++] = s->index[k];
    s->n = n;
    s->attempt++;
    if (n == 0)
        slice_free(s);
    else if (s->batch->u->stopping)
        move_read_failed(s);
    else if (s->attempt < ATTEMPTS_MAX)
        slice_wait_attempt(s, s->unseen_job, copy_read);
    else
        copy_conclude(s);
}

static const struct lead_read_calls copy_reading = {copy_seen, copy_read_done, move_read_failed};

void copy_read(struct batch_slice *s)
{
    if (upload_ended(s->batch->u))
        move_read_failed(s);
    else
        lead_read_others(s, &copy_reading);
}

/* A signal, or a job that does not end: what resume could not prove is not left to it. */
void copy_give_up(struct batch_run *b)
{
    bool accepted = b->record.job != NULL;
    batch_all_done(b, accepted ? OUTCOME_DEFERRED : OUTCOME_FAILED, accepted ? REASON_JOB_OPEN : REASON_UNATTRIBUTED);
}
