/* Whom a write by hand must not make active again: people who unsubscribed, bounced or were skipped, as Instantly has it
 * now, or as the state has recorded it. A move makes a lead active and Instantly forgets the status, so the state is asked as
 * well, by the lead's id and by the person's address, and is given each status before a write that loses it. */
#include "config.h"

#include "sync/leads/hand_int.h"

#include <unistd.h>

#include "sync/plan/people.h"

enum { KNOWN_MAX = 1 << 20 };

int hand_owner(struct hand *h, const struct uuid *id, struct hash128 *key, struct err *e)
{
    /* The lookups of a run, for their index of ids: without it each question reads the whole table. */
    const struct lookup_options options = {.ignore_refusals = true, .rows_hint = h->leads_n};
    *key = (struct hash128){{0}};
    if (state_leads_n(h->state) == 0)
        return 0;
    if (!h->looks_up && state_lookup_start(h->state, &options, e) != 0)
        return -1;
    h->looks_up = true;
    return state_id_owner(h->state, id, key, e);
}

/* By the lead's id first: a lead without an address has nothing else. */
static int recorded(struct hand *h, const struct hand_lead *lead, enum reason *out, struct err *e)
{
    struct known_lead known;
    struct hash128 key;
    struct arena arena;
    *out = REASON_NONE;
    arena_init(&arena, KNOWN_MAX);
    int rc = lead->has_id ? hand_owner(h, &lead->id, &key, e) : 0;
    if (rc == 1)
        rc = state_lead_get(h->state, &key, &arena, &known, e);
    if (rc == 1)
        *out = people_status_reason(known.status);
    arena_free(&arena);
    if (rc < 0)
        return -1;
    return *out == REASON_NONE ? people_recorded(h->state, lead->email, out, e) : 0;
}

/* A status that the state has, or that the person was forgotten. */
static int remembered(struct hand *h, struct hand_lead *lead, enum reason *out, struct err *e)
{
    if (recorded(h, lead, out, e) != 0 || hand_is_forgotten(h, lead->email, &lead->forgotten, e) != 0)
        return -1;
    if (*out == REASON_NONE && lead->forgotten)
        *out = REASON_DELETED_THERE;
    return 0;
}

/* Before the question is asked the state is only read, and only when there is one. 1 it is open, 0 there is none, -1 */
static int open_for_reading(struct hand *h, bool *opened, struct err *e)
{
    const struct lookup_options options = {.ignore_refusals = true, .rows_hint = h->leads_n};
    *opened = false;
    if (h->state != NULL)
        return 1;
    if (h->c.state_path == NULL || access(h->c.state_path, F_OK) != 0)
        return 0;
    if (hand_state_read(h, e) != 0)
        return -1;
    *opened = true;
    /* Shows what an earlier run has settled and not merged yet, too. */
    h->looks_up = true;
    return state_lookup_start(h->state, &options, e) != 0 ? -1 : 1;
}

int hand_keep_one(struct hand *h, struct hand_lead *lead, const struct target *to, struct err *e)
{
    static const struct target any_campaign = {.kind = TARGET_CAMPAIGN};
    const struct remote_lead told = {.status = h->c.force ? TARGET_STATUS_UNKNOWN : lead->status, .email = lead->email};
    enum reason why = people_stays(&told, to != NULL ? to : &any_campaign, false);
    if (to != NULL && to->kind != TARGET_CAMPAIGN)
        return 0;
    if (to == NULL && why == REASON_EMAIL_MISSING)
        why = REASON_NONE;
    if (why == REASON_NONE && !h->c.force && h->state != NULL && remembered(h, lead, &why, e) != 0)
        return -1;
    lead->kept = why != REASON_NONE && why != REASON_EMAIL_MISSING;
    if (why != REASON_NONE)
        hand_outcome(lead, lead->kept ? OUTCOME_SKIPPED : OUTCOME_REJECTED, why, 0);
    return 0;
}

int hand_keep_back(struct hand *h, const struct target *to, struct err *e)
{
    bool opened;
    int rc = open_for_reading(h, &opened, e) < 0 ? -1 : 0;
    for (size_t i = 0; rc == 0 && i < h->leads_n; i++)
        if (h->leads[i].outcome == OUTCOME_NONE)
            rc = hand_keep_one(h, &h->leads[i], to, e);
    if (opened)
        hand_state_close(h);
    return rc;
}

size_t hand_kept_n(const struct hand *h)
{
    size_t n = 0;
    for (size_t i = 0; i < h->leads_n; i++)
        n += h->leads[i].kept;
    return n;
}

int hand_note_statuses(struct hand *h, struct hand_lead *const *leads, size_t n, struct err *e)
{
    static const struct hash128 none;
    for (size_t i = 0; i < n; i++) {
        struct entry found = {.key = leads[i]->key, .outcome = OUTCOME_UNCHANGED,
                              .reason = people_status_reason(leads[i]->status)};
        bool forgotten = false;
        if (found.reason == REASON_NONE)
            continue;
        if (hand_is_forgotten(h, leads[i]->email, &forgotten, e) != 0 ||
            (hash128_eq(&found.key, &none) && hand_owner(h, &leads[i]->id, &found.key, e) < 0))
            return -1;
        found.email = forgotten ? STR_NONE : leads[i]->email;
        if (state_entry_add(h->state, h->run, 0, &found, e) != 0)
            return -1;
    }
    return 0;
}
