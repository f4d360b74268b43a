/* POST /leads/subsequence/move and …/remove: a request per lead, which answers the lead. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include "sync/upload/proof/proof.h"

static int subsequence_request(const struct batch_run *b, const uint32_t *index, size_t n, struct by_hand *request,
                               struct err *e)
{
    (void)n;
    const struct one_shot *how = b->one_shot;
    return by_hand_subsequence(request, &b->record.entries[index[0]].lead_id, how->leaves ? NULL : &how->subsequence, e);
}

static bool subsequence_answered(struct batch_slice *s, const struct api_reply *reply)
{
    struct batch_run *b = s->batch;
    struct remote_lead remote;
    size_t at = 0;
    uint32_t i = s->index[0];
    if (!api_reply_lead(reply, &at, &remote) || !uuid_eq(&remote.id, &b->record.entries[i].lead_id) ||
        !one_shot_proof_shows(b, i, &remote, reply->http_status))
        return false;
    slice_free(s);
    return true;
}

const struct operation subsequence_operation = {
    .name = "subsequence",
    .entries_max = LEADS_LIST_MAX, /* one leads/list reads them all */
    .start = one_shot_start,
    .give_up = slice_leave_open,
    .request = subsequence_request,
    .each = true,
    .answered = subsequence_answered,
};
