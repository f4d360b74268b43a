/* Before a move: where are its leads, may they go, and what has to be written first? A list may show nothing, so what no
 * list shows is asked of the lead itself. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include "sync/plan/eligibility.h"
#include "sync/upload/proof/proof.h"

enum { KNOWN_MAX = 1 << 24 };

/* Values first: a lead is not in its new campaign with the old ones for a moment. */
static void move_check_patch_first(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    struct entry_progress *progress = &b->progress[i];
    struct wanted_lead wanted;
    if (progress->fields == 0 && progress->custom_changed.n == 0)
        return;
    if (wanted_lead_open(b, i, &wanted) == 0 && wanted_lead_changes(b, i, &wanted, remote, false))
        update_patch(b, i, &wanted, remote, OUTCOME_CHANGED);
    wanted_lead_free(&wanted);
}

/* A move makes an unsubscribed lead active again (observed), so what was found earlier counts as well: of this key, and of
 * the person under any other. */
static enum reason move_check_status_of(struct batch_run *b, uint32_t i, const struct remote_lead *remote)
{
    enum reason status = lead_status_reason(remote->status);
    struct known_lead known;
    struct err e = ERR_INIT;
    if (status != REASON_NONE)
        return status;
    struct arena arena;
    arena_init(&arena, KNOWN_MAX);
    int rc = state_lead_get(b->u->c.state, &b->record.entries[i].key, &arena, &known, &e);
    if (rc < 0)
        upload_fail(b->u, &e);
    if (rc == 1)
        status = lead_status_reason(known.status);
    if (status == REASON_NONE && eligibility_recorded(b->u->c.state, remote->email, &status, &e) != 0)
        upload_fail(b->u, &e);
    arena_free(&arena);
    err_clear(&e);
    return status;
}

static void move_check_found(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    struct entry_progress *progress = &b->progress[i];
    bool by_route = b->record.entries[i].row != 0;
    progress->place = move_proof_place(b, remote);
    if (progress->email_hash == 0)
        progress->email_hash = upload_email_hash(b->u, remote->email);
    /* With hashed values a removal brings no address, and others that have it cannot be looked for. */
    if (b->record.entries[i].email.n == 0 && batch_entry_may_name(b, i) &&
        arena_str(&b->arena, remote->email, &b->record.entries[i].email) != 0)
        upload_fail_oom(b->u);
    /* Another user has moved it. It is not fetched from where that user wants it. */
    if (progress->place == PLACE_ELSEWHERE) {
        batch_entry_location(b, i, remote);
        batch_entry_done(b, i, OUTCOME_FAILED, REASON_MOVE_NOT_DONE, 0);
        return;
    }
    /* `--force` ignores the status. The other reasons to stay still count. */
    struct remote_lead judged = *remote;
    if (b->u->c.force)
        judged.status = TARGET_STATUS_UNKNOWN;
    enum reason stays = progress->place == PLACE_TO
                            ? REASON_NONE
                            : eligibility_block_reason(&judged, &b->target, by_route && !b->u->c.mapping->contacted_move);
    progress->status = move_check_status_of(b, i, remote);
    if (stays == REASON_NONE && progress->place != PLACE_TO && b->target.kind == TARGET_CAMPAIGN && !b->u->c.force)
        stays = progress->status;
    if (stays == REASON_NONE && progress->place != PLACE_TO)
        batch_entry_record_status(b, i, progress->status, remote->email);
    if (stays != REASON_NONE)
        batch_entry_done(b, i, stays == REASON_EMAIL_MISSING ? OUTCOME_REJECTED : OUTCOME_SKIPPED, stays, 0);
    else if (progress->place == PLACE_TO || !verify_keeps_back(b, i, remote))
        move_check_patch_first(s, i, remote);
}

/* Neither the leads themselves nor their addresses are in source or target. */
static void move_check_search_done(struct batch_slice *s)
{
    slice_unshown_done(s, OUTCOME_FAILED, REASON_GONE_THERE, 0);
    slice_free(s);
}

static const struct lead_read_calls move_check_searching = {move_check_found, move_check_search_done, move_read_failed};

/* What the list does not show can still exist: lists lag, and a lead can be imported again under another id. */
static void move_check_read_done(struct batch_slice *s)
{
    size_t n = 0;
    for (size_t k = 0; k < s->n; k++)
        if (!s->batch->progress[s->index[k]].shown)
            s->index[n++] = s->index[k];
    s->n = n;
    if (n == 0)
        slice_free(s);
    else if (upload_ended(s->batch->u))
        move_read_failed(s);
    else
        lead_read_everywhere(s, &move_check_searching);
}

static const struct lead_read_calls move_check_reading = {move_check_found, move_check_read_done, move_read_failed};

void move_check_leads(struct batch_slice *s)
{
    if (upload_ended(s->batch->u))
        move_read_failed(s);
    else
        lead_read_by_id(s, &move_check_reading);
}

void move_check(struct batch_slice *s)
{
    for (size_t k = 0; k < s->n; k++) {
        struct entry_progress *progress = &s->batch->progress[s->index[k]];
        if (progress->email_hash == 0)
            progress->email_hash = upload_email_hash(s->batch->u, s->batch->record.entries[s->index[k]].email);
    }
    if (copy_wanted(s->batch) && !upload_ended(s->batch->u))
        copy_check(s);
    else
        move_check_leads(s);
}
