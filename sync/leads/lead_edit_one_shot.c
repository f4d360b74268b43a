/* Requests by hand that are sent once: interest, assign, subsequence, merge. Each says what it wants of its leads, and the upload
 * does the rest. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

/* ---- what is wanted, as struct one_shot in upload.h says ---- */

static int lead_edit_want(struct lead_edit *edit, struct lead *wanted, struct lead_shape *shape, struct str *out,
                          struct err *e)
{
    if (state_shape_put(edit->state, shape->custom_names, shape->custom_n, &shape->id, e) != 0)
        return -1;
    return lead_edit_pack(edit, wanted, out, e);
}

/* Adds every lead without an outcome, each with the place where it is. */
static int lead_edit_one_shot_all(struct lead_edit *edit, struct planned *planned, bool placed, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < edit->leads_n; i++) {
        struct edited_lead *lead = &edit->leads[i];
        if (lead->outcome != OUTCOME_NONE)
            continue;
        rc = lead_edit_target_number(edit, placed && lead->has_place ? &lead->place : NULL, &planned->target, e);
        if (rc == 0)
            rc = lead_edit_upload_add(edit, lead, planned, e);
    }
    return lead_edit_upload_drain(edit, rc, e);
}

/* ---- subsequence ---- */

int lead_edit_subsequence(struct lead_edit *edit, const struct uuid *subsequence, struct err *e)
{
    const struct str name = STR("subsequence_id");
    const struct one_shot how = {.kind = ONE_SHOT_SUBSEQUENCE,
                                 .leaves = subsequence == NULL,
                                 .subsequence = subsequence != NULL ? *subsequence : (struct uuid){{0}}};
    struct planned planned = {.op = OP_HAND, .one_shot = &how};
    char id[UUID_TEXT_N];
    struct value value = {VALUE_NULL, NULL, 0};
    struct lead_shape shape = {.custom_names = &name, .custom_n = 1};
    struct lead wanted = {.shape = &shape, .custom = &value};
    if (subsequence != NULL)
        value = (struct value){VALUE_STRING, uuid_format(subsequence, id), UUID_TEXT_N - 1};
    if ((subsequence != NULL && lead_edit_keep_back(edit, NULL, e) != 0) ||
        lead_edit_want(edit, &wanted, &shape, &planned.entry.values, e) != 0)
        return -1;
    return lead_edit_one_shot_all(edit, &planned, true, e);
}
