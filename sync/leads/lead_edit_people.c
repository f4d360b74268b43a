/* Which people a write by hand must not make active again: those who unsubscribed, bounced or were skipped, as Instantly has it
 * now, or as the state has recorded it. A move makes a lead active and Instantly forgets the status, so the state is asked as
 * well, by the lead's id and by the person's address, and is given each status before a write that loses it. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

#include <unistd.h>

#include "sync/plan/eligibility.h"

enum { KNOWN_MAX = 1 << 20 };

int lead_edit_owner(struct lead_edit *edit, const struct uuid *id, struct hash128 *key, struct err *e)
{
    /* The lookups of a run, for their index of ids: without it each question reads the whole table. */
    const struct lookup_options options = {.ignore_refusals = true, .rows_hint = edit->leads_n};
    *key = (struct hash128){{0}};
    if (state_leads_n(edit->state) == 0)
        return 0;
    if (!edit->looks_up && state_lookup_start(edit->state, &options, e) != 0)
        return -1;
    edit->looks_up = true;
    return state_id_owner(edit->state, id, key, e);
}

/* By the lead's id first: a lead without an address has nothing else. */
static int recorded(struct lead_edit *edit, const struct edited_lead *lead, enum reason *out, struct err *e)
{
    struct known_lead known;
    struct hash128 key;
    struct arena arena;
    *out = REASON_NONE;
    arena_init(&arena, KNOWN_MAX);
    int rc = lead->has_id ? lead_edit_owner(edit, &lead->id, &key, e) : 0;
    if (rc == 1)
        rc = state_lead_get(edit->state, &key, &arena, &known, e);
    if (rc == 1)
        *out = lead_status_reason(known.status);
    arena_free(&arena);
    if (rc < 0)
        return -1;
    return *out == REASON_NONE ? eligibility_recorded(edit->state, lead->email, out, e) : 0;
}

/* A status that the state has, or that the person was forgotten. */
static int remembered(struct lead_edit *edit, struct edited_lead *lead, enum reason *out, struct err *e)
{
    if (recorded(edit, lead, out, e) != 0 || lead_edit_is_forgotten(edit, lead->email, &lead->forgotten, e) != 0)
        return -1;
    if (*out == REASON_NONE && lead->forgotten)
        *out = REASON_DELETED_THERE;
    return 0;
}

/* Before the question is asked the state is only read, and only when there is one. 1 it is open, 0 there is none, -1 */
static int open_for_reading(struct lead_edit *edit, bool *opened, struct err *e)
{
    const struct lookup_options options = {.ignore_refusals = true, .rows_hint = edit->leads_n};
    *opened = false;
    if (edit->state != NULL)
        return 1;
    if (edit->c.state_path == NULL || access(edit->c.state_path, F_OK) != 0)
        return 0;
    if (lead_edit_state_read(edit, e) != 0)
        return -1;
    *opened = true;
    /* Shows what an earlier run has settled and not merged yet, too. */
    edit->looks_up = true;
    return state_lookup_start(edit->state, &options, e) != 0 ? -1 : 1;
}

int lead_edit_keep_one(struct lead_edit *edit, struct edited_lead *lead, const struct target *to, struct err *e)
{
    static const struct target any_campaign = {.kind = TARGET_CAMPAIGN};
    const struct remote_lead judged = {.status = edit->c.force ? TARGET_STATUS_UNKNOWN : lead->status, .email = lead->email};
    enum reason why = eligibility_block_reason(&judged, to != NULL ? to : &any_campaign, false);
    if (to != NULL && to->kind != TARGET_CAMPAIGN)
        return 0;
    if (to == NULL && why == REASON_EMAIL_MISSING)
        why = REASON_NONE;
    if (why == REASON_NONE && !edit->c.force && edit->state != NULL && remembered(edit, lead, &why, e) != 0)
        return -1;
    lead->kept = why != REASON_NONE && why != REASON_EMAIL_MISSING;
    if (why != REASON_NONE)
        lead_edit_outcome(lead, lead->kept ? OUTCOME_SKIPPED : OUTCOME_REJECTED, why, 0);
    return 0;
}

int lead_edit_keep_back(struct lead_edit *edit, const struct target *to, struct err *e)
{
    bool opened;
    int rc = open_for_reading(edit, &opened, e) < 0 ? -1 : 0;
    for (size_t i = 0; rc == 0 && i < edit->leads_n; i++)
        if (edit->leads[i].outcome == OUTCOME_NONE)
            rc = lead_edit_keep_one(edit, &edit->leads[i], to, e);
    if (opened)
        lead_edit_state_close(edit);
    return rc;
}

size_t lead_edit_kept_n(const struct lead_edit *edit)
{
    size_t n = 0;
    for (size_t i = 0; i < edit->leads_n; i++)
        n += edit->leads[i].kept;
    return n;
}
