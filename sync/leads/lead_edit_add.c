/* New leads by hand. A lead that is in its campaign or list already is left as it is. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

#include "sync/plan/eligibility.h"

/* Any lead with the address shows the status of the person, wherever it is. */
static int lead_edit_see_person(void *ctx, const struct remote_lead *remote, struct err *e)
{
    struct lead_edit *edit = ctx;
    (void)e;
    for (size_t i = 0; i < edit->leads_n && lead_status_reason(remote->status) != REASON_NONE; i++)
        if (str_eq_nocase(edit->leads[i].email, remote->email))
            edit->leads[i].status = remote->status;
    return 0;
}

/* Leaves out people that an addition would make active again, by their status in Instantly or in the state. */
static int lead_edit_keep_from_adding(struct lead_edit *edit, struct err *e)
{
    struct str emails[LEADS_LIST_MAX];
    for (size_t i = 0, n = 0; i < edit->leads_n && !edit->c.force; i++) {
        if (edit->leads[i].email.n > 0)
            emails[n++] = edit->leads[i].email;
        if (n == 0 || (n < LEADS_LIST_MAX && i + 1 < edit->leads_n))
            continue;
        const struct lead_selector selector =
            {.filter = {.contacts = emails, .contacts_n = n, .in_campaign = -1, .in_list = -1}, .esp = -1};
        if (lead_edit_each(edit, &selector, lead_edit_see_person, edit, e) != 0)
            return -1;
        n = 0;
    }
    return lead_edit_keep_back(edit, NULL, e);
}

static int lead_edit_new_leads(struct lead_edit *edit, const struct lead *leads, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        struct edited_lead *lead = lead_edit_lead_new(edit, e);
        struct str email = {leads[i].core[LEAD_EMAIL].p, leads[i].core[LEAD_EMAIL].n};
        if (lead == NULL || arena_str(&edit->arena, email, &lead->email) != 0)
            return err_oom(e);
    }
    return 0;
}

static int lead_edit_add_one(struct lead_edit *edit, struct edited_lead *lead, const struct target *to,
                             const struct lead *wanted, struct err *e)
{
    struct lead values = *wanted;
    values.shape = &edit->rules.shape;
    struct planned planned = {.op = OP_CREATE, .lead = &values};
    if (lead_edit_target_number(edit, to, &planned.target, e) != 0 ||
        lead_edit_pack(edit, &values, &planned.entry.values, e) != 0)
        return -1;
    return lead_edit_upload_add(edit, lead, &planned, e);
}

int lead_edit_add(struct lead_edit *edit, const struct lead_edit_addition *how, struct lead *leads, size_t n, struct err *e)
{
    int rc = lead_edit_new_leads(edit, leads, n, e);
    if (rc == 0)
        rc = lead_edit_keep_from_adding(edit, e);
    if (rc == 0)
        rc = lead_edit_shape(edit, &leads[0], e);
    edit->rules.dedupe = how->dedupe;
    edit->rules.blocklist = how->blocklist;
    edit->rules.stage = (struct stage){.on = how->verify, .verify = how->verify};
    edit->adds_to = &how->target;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = edit->leads[i].outcome != OUTCOME_NONE ? lead_edit_note(edit, &edit->leads[i], e)
                                                    : lead_edit_add_one(edit, &edit->leads[i], &how->target, &leads[i], e);
    rc = lead_edit_upload_drain(edit, rc, e);
    edit->adds_to = NULL;
    return rc;
}
