/* POST /leads/merge: the first entry into the second, which takes the values that it lacks. The answer is the second lead. No
 * lead shows that it was merged, so a merge whose answer was lost is unattributed. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include "sync/plan/eligibility.h"
static int merge_request(const struct batch_run *b, const uint32_t *index, size_t n, struct by_hand *request, struct err *e)
{
    if (n != 2)
        return err_set(e, XS_INTERNAL, "a merge of %zu leads; please report this", n);
    return by_hand_merge(request, &b->record.entries[index[0]].lead_id, &b->record.entries[index[1]].lead_id, e);
}

/* Instantly may forget the lead and its status with the merge. */
static void merge_seen(struct batch_run *b, uint32_t i, const struct remote_lead *remote)
{
    if (i == 0)
        batch_entry_record_status(b, i, lead_status_reason(remote->status), remote->email);
}

/* Both leads must exist. */
static void merge_checked(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    if (b->open_n == 2)
        return;
    for (size_t k = 0; k < s->n; k++)
        batch_entry_done(b, s->index[k], OUTCOME_UNCHANGED, REASON_NONE, 0);
}

static bool merge_answered(struct batch_slice *s, const struct api_reply *reply)
{
    struct batch_run *b = s->batch;
    struct remote_lead remote;
    size_t at = 0;
    if (!api_reply_lead(reply, &at, &remote) || !uuid_eq(&remote.id, &b->record.entries[1].lead_id))
        return false;
    batch_entry_done(b, 0, OUTCOME_UNCHANGED, REASON_NONE, reply->http_status);
    batch_entry_done(b, 1, OUTCOME_CHANGED, REASON_NONE, reply->http_status);
    slice_free(s);
    return true;
}

const struct operation merge_operation = {
    .name = "merge",
    .entries_max = 2,
    .close = one_shot_close,
    .start = one_shot_start,
    .give_up = slice_leave_open,
    .request = merge_request,
    .seen = merge_seen,
    .checked = merge_checked,
    .answered = merge_answered,
};
