/* Is it removed? Before a removal its leads are read, and after it they are read until they are gone.
 *
 * A lead that is in another place now was put there by another user and is left alone, and so is a lead with another
 * address under the same id. What the list does not show may still be there, and mailed: each such lead is asked for
 * itself and looked for by its address, and only then counts as gone. When the answer to the DELETE counts all ids, one
 * more read must not show them; else what that read does not show is asked for itself. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include "sync/plan/eligibility.h"
#include "sync/upload/proof/proof.h"

/* One list request shows a whole batch. */
_Static_assert((int)LEADS_DELETE_MAX <= (int)LEADS_LIST_MAX, "a batch of removals is read in one request");

/* Removed, and what was found of the person before is said with it. When a user wanted the lead gone, that is said: the
 * person's status is on record since before the DELETE. */
static void remove_proof_absent(struct batch_slice *s, uint32_t i)
{
    const struct entry *entry = &s->batch->record.entries[i];
    batch_entry_done(s->batch, i, OUTCOME_REMOVED, entry->by_user ? REASON_DELETED_THERE : entry->reason, s->http_status);
}

static bool remove_proof_is_in_source(const struct batch_run *b, const struct remote_lead *remote)
{
    return b->record.source != 0 ? api_remote_is_in(remote, &b->from) : !remote->has_campaign && !remote->has_list;
}

/* Another user has moved it; the results say where it is. */
static void remove_proof_found_elsewhere(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    batch_entry_location(s->batch, i, remote);
    s->batch->u->c.tally->removals_elsewhere++;
    batch_entry_done(s->batch, i, s->batch->u->c.by_hand ? OUTCOME_FAILED : OUTCOME_SKIPPED,
                     remote->has_campaign ? REASON_IN_CAMPAIGN
                     : remote->has_list   ? REASON_IN_LIST
                                          : REASON_IN_WORKSPACE,
                     s->http_status);
}

static void remove_proof_seen(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    struct entry *entry = &b->record.entries[i];
    if (!remove_proof_is_in_source(b, remote)) {
        remove_proof_found_elsewhere(s, i, remote);
        return;
    }
    entry->reason = lead_status_reason(remote->status);
    /* The status belongs to the person at this address; `values: hashed` has none to name. */
    if (entry->reason != REASON_NONE && batch_entry_may_name(b, i) &&
        arena_str(&b->arena, remote->email, &entry->email) != 0)
        upload_fail_oom(b->u);
}

/* The leads of the slice still exist. */
static void remove_proof_still_there(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    if (s->life == LIFE_CHECKING) {
        remove_send(s);
    } else if (b->u->stopping) {
        remove_give_up(s, b->u->c.stop_reason);
    } else if (s->attempt < ATTEMPTS_MAX) {
        /* Lists lag behind what was done (observed), and what a run sent before it died may be carried out late. */
        slice_wait_attempt(s, false, remove_proof_read);
    } else if (b->earlier) {
        /* The request was lost. Whether the removal is still wanted is decided again. */
        slice_done(s, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
    } else if (s->round >= ROUNDS_MAX) {
        slice_done(s, OUTCOME_FAILED, s->counted ? REASON_NOT_STORED : REASON_API_ERROR, s->http_status);
    } else {
        remove_send(s);
    }
}

/* After the last way to find a lead: what is not shown is gone. */
static void remove_proof_search_done(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    size_t left = 0;
    for (size_t k = 0; k < s->n; k++) {
        uint32_t i = s->index[k];
        if (b->record.entries[i].outcome != OUTCOME_NONE)
            continue;
        if (b->progress[i].shown)
            s->index[left++] = i;
        else
            remove_proof_absent(s, i);
    }
    s->n = left;
    if (left == 0)
        slice_free(s);
    else
        remove_proof_still_there(s);
}

static const struct lead_read_calls remove_proof_searching = {remove_proof_seen, remove_proof_search_done,
                                                              remove_read_failed};

/* Takes the leads that the read did not show into a slice of their own, so that the others need not wait for them. */
static struct batch_slice *remove_proof_take_unshown(struct batch_slice *s, struct err *e)
{
    struct batch_run *b = s->batch;
    struct batch_slice *unshown = slice_new(b, s->n, e);
    size_t left = 0;
    if (unshown == NULL)
        return NULL;
    unshown->round = s->round;
    slice_read(unshown);
    unshown->attempt = s->attempt;
    unshown->http_status = s->http_status;
    unshown->counted = s->counted;
    unshown->unlisted = s->unlisted || s->life == LIFE_CHECKING;
    for (size_t k = 0; k < s->n; k++) {
        uint32_t i = s->index[k];
        if (b->record.entries[i].outcome != OUTCOME_NONE)
            continue;
        if (b->progress[i].shown)
            s->index[left++] = i;
        else
            unshown->index[unshown->n++] = i;
    }
    s->n = left;
    return unshown;
}

/* After a DELETE the lead was just seen under its id, so that only this id is asked for. Before it, and of an earlier run,
 * the lead may have another one by now. */
static void remove_proof_search(struct batch_slice *s)
{
    if (s->n == 0)
        slice_free(s);
    else if (s->batch->earlier || s->life == LIFE_CHECKING)
        lead_read_everywhere(s, &remove_proof_searching);
    else
        lead_read_each(s, &remove_proof_searching);
}

static void remove_proof_read_done(struct batch_slice *s)
{
    struct err e = ERR_INIT;
    s->attempt++;
    /* A list that did not show these leads before the DELETE says nothing by not showing them after it. */
    if (s->counted && !s->unlisted) {
        remove_proof_search_done(s);
        return;
    }
    struct batch_slice *unshown = remove_proof_take_unshown(s, &e);
    if (unshown == NULL) {
        upload_fail(s->batch->u, &e);
        remove_give_up(s, REASON_INTERRUPTED);
        err_clear(&e);
        return;
    }
    remove_proof_search(unshown);
    if (s->n == 0)
        slice_free(s);
    else
        remove_proof_still_there(s);
}

static const struct lead_read_calls remove_proof_reading = {remove_proof_seen, remove_proof_read_done, remove_read_failed};

void remove_proof_read(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    if (b->u->stopping && !b->earlier) {
        remove_give_up(s, b->u->c.stop_reason);
        return;
    }
    if (b->first_sent_ms == 0)
        b->first_sent_ms = b->u->c.clock->wall_ms(b->u->c.clock);
    lead_read_by_id(s, &remove_proof_reading);
}
