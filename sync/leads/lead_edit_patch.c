/* New values for leads that are there. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

/* Which fields and custom variables `wanted` has. The upload writes them whatever the lead has now. */
static int lead_edit_patch_plan(struct lead_edit *edit, const struct lead *wanted, struct planned *planned, struct err *e)
{
    size_t custom_n = wanted->shape->custom_n;
    char *changed = arena_calloc(&edit->arena, custom_n + 1, 1);
    if (changed == NULL)
        return err_oom(e);
    for (int f = 0; f < LEAD_FIELD_N; f++)
        if (wanted->core[f].kind != VALUE_ABSENT)
            planned->fields |= UINT32_C(1) << f;
    for (size_t c = 0; c < custom_n; c++)
        changed[c] = 1;
    planned->custom_changed = (struct str){changed, custom_n};
    return lead_edit_pack(edit, wanted, &planned->entry.values, e);
}

int lead_edit_patch(struct lead_edit *edit, struct lead *wanted, struct err *e)
{
    struct planned planned = {.op = OP_UPDATE};
    int rc = lead_edit_shape(edit, wanted, e);
    if (rc == 0)
        rc = lead_edit_patch_plan(edit, wanted, &planned, e);
    for (size_t i = 0; rc == 0 && i < edit->leads_n; i++) {
        struct edited_lead *lead = &edit->leads[i];
        if (lead->outcome != OUTCOME_NONE)
            continue;
        rc = lead_edit_target_number(edit, lead->has_place ? &lead->place : NULL, &planned.target, e);
        if (rc == 0)
            rc = lead_edit_upload_add(edit, lead, &planned, e);
    }
    return lead_edit_upload_drain(edit, rc, e);
}
