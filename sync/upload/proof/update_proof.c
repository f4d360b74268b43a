/* Is it stored? A PATCH that is answered with 200 may have stored nothing (reported).
 *
 * The answer is the whole lead, which is compared with the request. After the last PATCH of a batch the leads are read again
 * and must show the new values. A value that this read does not show is read again with the repeats for late answers, then
 * by the lead's id; after that it is not_stored. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <stdlib.h>

#include "sync/plan/plan.h"
#include "sync/upload/proof/proof.h"

/* Compares what was sent, and nothing else. A core field that the API leaves out and that has no copy in the payload cannot
 * be seen, and is trusted. */
static bool update_proof_has(struct entry_progress *progress, struct wanted_lead *wanted, const struct remote_lead *remote)
{
    struct value there;
    for (int f = 0; f < LEAD_FIELD_N; f++) {
        if ((progress->fields & 1U << f) == 0)
            continue;
        api_remote_field(remote, (enum lead_field)f, &there);
        bool untold = there.kind == VALUE_ABSENT && lead_field_table[f].payload[0] == '\0';
        if (!untold && !plan_value_is(&there, &wanted->lead.core[f]))
            return false;
    }
    for (size_t c = 0; c < wanted->lead.shape->custom_n && c < progress->custom_changed.n; c++) {
        api_remote_custom(remote, wanted->lead.shape->custom_names[c], &there);
        if (progress->custom_changed.p[c] != 0 && !plan_value_is(&there, &wanted->lead.custom[c]))
            return false;
    }
    return true;
}

bool update_proof_is_stored(struct batch_run *b, uint32_t i, const struct remote_lead *remote)
{
    struct wanted_lead wanted;
    bool stored = wanted_lead_open(b, i, &wanted) == 0 && update_proof_has(&b->progress[i], &wanted, remote);
    wanted_lead_free(&wanted);
    return stored;
}

/* The address is compared as well: an answer about another person's lead proves nothing, whatever its values. */
bool update_proof_answer(struct batch_run *b, uint32_t i, const struct api_reply *reply)
{
    struct remote_lead remote;
    struct err ignored = ERR_INIT;
    bool confirmed = api_remote_lead_read(reply->json, &remote, &ignored) == 0 &&
                     uuid_eq(&remote.id, &b->record.entries[i].lead_id) && !lead_match_differs(b, i, &remote) &&
                     update_proof_is_stored(b, i, &remote);
    err_clear(&ignored);
    return confirmed;
}

static bool update_proof_is_answered(const struct entry_progress *progress)
{
    return progress->state == ENTRY_CONFIRMED || progress->state == ENTRY_UNPROVED;
}

static void update_proof_settle(struct batch_run *b, uint32_t i)
{
    struct entry_progress *progress = &b->progress[i];
    batch_entry_done(b, i, progress->proved, REASON_NONE, progress->patch_status);
}

static void update_proof_seen(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    if (update_proof_is_stored(s->batch, i, remote) && update_unread_kept(s->batch, i, remote))
        update_proof_settle(s->batch, i);
}

/* The reads cannot go on. An answer that named the new values is a proof; the others stay open. */
static void update_proof_give_up(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    for (size_t k = 0; k < s->n; k++)
        if (b->progress[s->index[k]].state == ENTRY_CONFIRMED)
            update_proof_settle(b, s->index[k]);
        else if (b->progress[s->index[k]].state == ENTRY_UNPROVED)
            batch_leave_open(b);
    slice_free(s);
}

/* The last read is over. A lead that it showed does not have the values; a lead that it did not show no longer exists. */
static void update_proof_is_missing(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    for (size_t k = 0; k < s->n; k++) {
        uint32_t i = s->index[k];
        if (!update_proof_is_answered(&b->progress[i]))
            continue;
        bool shown = b->progress[i].shown;
        batch_entry_done(b, i, OUTCOME_FAILED, shown ? REASON_NOT_STORED : REASON_GONE_THERE, b->progress[i].patch_status);
    }
    slice_free(s);
}

static const struct lead_read_calls update_proof_asking = {update_proof_seen, update_proof_is_missing, update_proof_give_up};

static void update_proof_read(struct batch_slice *s);

static void update_proof_read_done(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    size_t n = 0;
    for (size_t k = 0; k < s->n; k++)
        if (update_proof_is_answered(&b->progress[s->index[k]]))
            s->index[n++] = s->index[k];
    s->n = n;
    s->attempt++;
    if (n == 0)
        slice_free(s);
    else if (upload_ended(b->u))
        update_proof_give_up(s);
    else if (s->attempt < ATTEMPTS_MAX)
        slice_wait_attempt(s, false, update_proof_read);
    else
        lead_read_each(s, &update_proof_asking);
}

static const struct lead_read_calls update_proof_reading = {update_proof_seen, update_proof_read_done, update_proof_give_up};

static void update_proof_read(struct batch_slice *s)
{
    lead_read_by_id(s, &update_proof_reading);
}

/* Those of the batch whose last PATCH was answered with 200; NULL: none, or an error. */
static struct batch_slice *update_proof_slice(struct batch_run *b, struct err *e)
{
    struct batch_slice *s = NULL;
    for (uint32_t i = 0; i < b->record.entries_n; i++) {
        if (!update_proof_is_answered(&b->progress[i]))
            continue;
        if (s == NULL && (s = slice_new(b, b->record.entries_n, e)) == NULL)
            return NULL;
        s->index[s->n++] = i;
    }
    if (s != NULL)
        s->round = 1;
    return s;
}

bool update_proof_next(struct batch_run *b)
{
    struct err e = ERR_INIT;
    struct batch_slice *s = update_proof_slice(b, &e);
    if (e.status != XS_DONE)
        upload_fail(b->u, &e);
    err_clear(&e);
    if (s == NULL)
        return false;
    if (upload_ended(b->u))
        update_proof_give_up(s);
    else
        update_proof_read(s);
    return true;
}
