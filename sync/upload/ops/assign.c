/* POST /leads/bulk-assign: by ids, the leads of one campaign or list per request. Several users share the leads; only Instantly
 * decides which user gets which lead. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <stdlib.h>

static int assign_request(const struct batch_run *b, const uint32_t *index, size_t n, struct by_hand *request, struct err *e)
{
    struct uuid *ids = calloc(n, sizeof *ids);
    if (ids == NULL)
        return err_oom(e);
    for (size_t k = 0; k < n; k++)
        ids[k] = b->record.entries[index[k]].lead_id;
    const struct leads_assign assign = {.in = b->record.target != 0 ? &b->target : NULL,
                                        .ids = ids,
                                        .ids_n = n,
                                        .users = b->one_shot->users,
                                        .users_n = b->one_shot->users_n};
    int rc = by_hand_assign(request, &assign, e);
    free(ids);
    return rc;
}

const struct operation assign_operation = {
    .name = "assign",
    .entries_max = LEADS_MOVE_MAX,
    .close = one_shot_close,
    .start = one_shot_start,
    .give_up = slice_leave_open,
    .request = assign_request,
};
