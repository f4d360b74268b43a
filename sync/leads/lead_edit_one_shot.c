/* Requests by hand that are sent once: interest, assign, subsequence, merge. Each says what it wants of its leads, and the upload
 * does the rest. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

#include <stdio.h>

enum { USERS_MAX = 1 << 20 };

/* ---- what is wanted, as struct one_shot in upload.h says ---- */

static int lead_edit_want(struct lead_edit *edit, struct lead *wanted, struct lead_shape *shape, struct str *out,
                          struct err *e)
{
    if (state_shape_put(edit->state, shape->custom_names, shape->custom_n, &shape->id, e) != 0)
        return -1;
    return lead_edit_pack(edit, wanted, out, e);
}

static int lead_edit_want_core(struct lead_edit *edit, enum lead_field field, struct value value, struct str *out,
                               struct err *e)
{
    struct lead_shape shape = {0};
    struct lead wanted = {.shape = &shape};
    wanted.core[field] = value;
    return lead_edit_want(edit, &wanted, &shape, out, e);
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

/* ---- interest ---- */

static bool lead_edit_same_address(const struct edited_lead *a, const struct edited_lead *b)
{
    return b->outcome == OUTCOME_NONE && str_eq_nocase(a->email, b->email);
}

/* The request changes every lead that has the address: the selected ones are its entries, with their place if it is the same for
 * all of them. */
static int lead_edit_interest_of(struct lead_edit *edit, size_t first, struct one_shot *how, struct planned *planned,
                                 struct err *e)
{
    const struct edited_lead *lead = &edit->leads[first];
    bool one_place = lead->has_place;
    int rc = 0;
    for (size_t k = first; k < edit->leads_n && one_place; k++)
        one_place = !lead_edit_same_address(lead, &edit->leads[k]) || lead_edit_same_place(lead, &edit->leads[k]);
    how->interest.email = lead->email;
    planned->one_shot = how;
    if (lead_edit_target_number(edit, one_place ? &lead->place : NULL, &planned->target, e) != 0)
        return -1;
    for (size_t k = first; k < edit->leads_n && rc == 0; k++)
        if (lead_edit_same_address(lead, &edit->leads[k])) {
            rc = lead_edit_upload_add(edit, &edit->leads[k], planned, e);
            edit->leads[k].added = true;
        }
    return rc;
}

int lead_edit_interest(struct lead_edit *edit, const struct leads_interest *how, struct err *e)
{
    struct planned planned = {.op = OP_UPDATE};
    char text[16];
    int n = snprintf(text, sizeof text, "%d", how->value);
    const struct value value = {how->clear ? VALUE_NULL : VALUE_NUMBER, how->clear ? NULL : text,
                                how->clear ? 0 : (size_t)n};
    int rc = lead_edit_want_core(edit, LEAD_LT_INTEREST_STATUS, value, &planned.entry.values, e);
    for (size_t i = 0; rc == 0 && i < edit->leads_n; i++) {
        struct edited_lead *lead = &edit->leads[i];
        struct one_shot *one = arena_alloc(&edit->arena, sizeof *one);
        if (one == NULL) {
            rc = err_oom(e);
        } else if (lead->outcome == OUTCOME_NONE && lead->email.n == 0) {
            lead_edit_outcome(lead, OUTCOME_REJECTED, REASON_EMAIL_MISSING, 0);
            rc = lead_edit_note(edit, lead, e);
        } else if (lead->outcome == OUTCOME_NONE && !lead->added) {
            *one = (struct one_shot){.kind = ONE_SHOT_INTEREST, .interest = *how};
            rc = lead_edit_interest_of(edit, i, one, &planned, e);
        }
    }
    return lead_edit_upload_drain(edit, rc, e);
}

/* ---- assign ---- */

int lead_edit_assign(struct lead_edit *edit, const struct uuid *users, size_t users_n, struct err *e)
{
    const struct one_shot how = {.kind = ONE_SHOT_ASSIGN, .users = users, .users_n = users_n};
    struct planned planned = {.op = users_n == 1 ? OP_UPDATE : OP_HAND, .one_shot = &how};
    struct buf list = BUF_INIT(USERS_MAX);
    char id[UUID_TEXT_N];
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < users_n; i++)
        rc = buf_addf(&list, "%s%s", i > 0 ? "," : "", uuid_format(&users[i], id)) == 0 ? 0 : err_oom(e);
    if (rc == 0)
        rc = lead_edit_want_core(edit, LEAD_ASSIGNED_TO, (struct value){VALUE_STRING, list.p, list.n}, &planned.entry.values,
                                 e);
    buf_free(&list);
    return rc == 0 ? lead_edit_one_shot_all(edit, &planned, true, e) : -1;
}

/* ---- merge ---- */

/* What a person did is lost with the lead that is merged away, and a lead in a campaign is mailed. */
static int lead_edit_keep_from_merge(struct lead_edit *edit, struct err *e)
{
    struct edited_lead *lead = &edit->leads[0], *stays = &edit->leads[1];
    if (!stays->has_place || stays->place.kind != TARGET_CAMPAIGN)
        return 0;
    if (lead_edit_keep_one(edit, lead, NULL, e) != 0)
        return -1;
    if (lead->outcome == OUTCOME_NONE)
        return 0;
    lead_edit_outcome(stays, OUTCOME_UNCHANGED, REASON_NONE, 0);
    return lead_edit_note(edit, lead, e);
}

int lead_edit_merge(struct lead_edit *edit, struct err *e)
{
    const struct one_shot how = {.kind = ONE_SHOT_MERGE};
    struct planned planned = {.op = OP_HAND, .one_shot = &how};
    if (lead_edit_keep_from_merge(edit, e) != 0)
        return -1;
    return lead_edit_one_shot_all(edit, &planned, false, e);
}
