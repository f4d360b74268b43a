/* Moving by ids out of one campaign or list into another, a background job for each thousand leads. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

/* No value changes: an intent says so with a lead that wants nothing. */
static int lead_edit_no_values(struct lead_edit *edit, struct str *out, struct err *e)
{
    struct lead_shape shape = {0};
    const struct lead nothing = {.shape = &shape};
    return state_shape_put(edit->state, NULL, 0, &shape.id, e) != 0 ? -1 : lead_edit_pack(edit, &nothing, out, e);
}

static int lead_edit_move_one(struct lead_edit *edit, struct edited_lead *lead, const struct target *from,
                              struct planned *planned, struct err *e)
{
    if (lead_edit_target_number(edit, from, &planned->from, e) != 0)
        return -1;
    return lead_edit_upload_add(edit, lead, planned, e);
}

int lead_edit_move(struct lead_edit *edit, const struct target *from, const struct target *to, struct err *e)
{
    struct planned planned = {.op = OP_MOVE};
    int rc = lead_edit_keep_back(edit, to, e);
    if (rc == 0)
        rc = lead_edit_no_values(edit, &planned.entry.values, e);
    if (rc == 0)
        rc = lead_edit_target_number(edit, to, &planned.target, e);
    edit->moves_to = edit->c.move.copy ? NULL : to;
    for (size_t i = 0; rc == 0 && i < edit->leads_n; i++) {
        struct edited_lead *lead = &edit->leads[i];
        if (lead->outcome == OUTCOME_NONE)
            rc = lead_edit_move_one(edit, lead, from != NULL ? from : &lead->place, &planned, e);
    }
    return lead_edit_upload_drain(edit, rc, e);
}
