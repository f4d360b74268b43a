/* Deleting by ids, out of the place where each lead was last seen. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

/* A lead of ours: its key goes with the removal, so that the state does not take it for existing. A user wanted it
 * gone, so the sync reports its row as deleted_there and does not create the lead again. */
static int lead_edit_own(struct lead_edit *edit, struct edited_lead *lead, struct err *e)
{
    if (!hash128_is_zero(&lead->key))
        return 0;
    int found = lead_edit_owner(edit, &lead->id, &lead->key, e);
    lead->ours = found > 0;
    return found < 0 ? -1 : 0;
}

static int lead_edit_delete_one(struct lead_edit *edit, struct edited_lead *lead, struct err *e)
{
    struct planned planned = {.op = OP_REMOVE};
    if (lead_edit_own(edit, lead, e) != 0 ||
        lead_edit_target_number(edit, lead->has_place ? &lead->place : NULL, &planned.target, e) != 0)
        return -1;
    planned.from = planned.target;
    planned.entry.by_user = lead->ours;
    return lead_edit_upload_add(edit, lead, &planned, e);
}

int lead_edit_delete(struct lead_edit *edit, struct err *e)
{
    int rc = 0;
    /* The state also records leads that were deleted before this request. */
    for (size_t i = 0; rc == 0 && i < edit->leads_n; i++)
        if (edit->leads[i].missing && !edit->leads[i].known_absent)
            rc = lead_edit_note(edit, &edit->leads[i], e);
    for (size_t i = 0; rc == 0 && i < edit->leads_n; i++)
        if (edit->leads[i].outcome == OUTCOME_NONE)
            rc = lead_edit_delete_one(edit, &edit->leads[i], e);
    return lead_edit_upload_drain(edit, rc, e);
}
