/* POST /leads/update-interest-status: by address, which changes every lead that has it. The entries of a batch are all leads with
 * the address that were selected. */
#include "config.h"

#include "sync/upload/upload_int.h"

static int interest_request(const struct batch_run *b, const uint32_t *index, size_t n, struct by_hand *request,
                            struct err *e)
{
    (void)index;
    (void)n;
    return by_hand_interest(request, &b->one_shot->interest, e);
}

const struct operation interest_operation = {
    .name = "interest",
    .entries_max = LEADS_LIST_MAX,
    .close = one_shot_close,
    .start = one_shot_start,
    .give_up = slice_leave_open,
    .request = interest_request,
};
