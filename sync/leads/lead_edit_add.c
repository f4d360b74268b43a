/* New leads by hand: a request each, so that the counters of the answer speak of that lead alone. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

#include "mappings/mapping.h"
#include "sync/base/log.h"
#include "sync/plan/eligibility.h"

enum { SKEW_MARGIN_MS = 2000 };

/* Counters of an answer that speaks of one lead say why it was not created. */
static void why_not_added(struct edited_lead *lead, const struct leads_added *added, const struct leads_add *how)
{
    const struct {
        int64_t n;
        enum outcome outcome;
        enum reason reason;
    } counters[] = {
        {added->duplicated, OUTCOME_SKIPPED, REASON_IN_TARGET},
        {added->skipped, OUTCOME_SKIPPED,
         how->skip == SKIP_IN_CAMPAIGN ? REASON_IN_CAMPAIGN : how->skip == SKIP_IN_LIST ? REASON_IN_LIST
                                                                                        : REASON_IN_WORKSPACE},
        {added->in_blocklist, OUTCOME_SKIPPED, REASON_BLOCKLISTED},
        {added->invalid_email, OUTCOME_REJECTED, REASON_INVALID_THERE},
        {added->incomplete, OUTCOME_REJECTED, REASON_INCOMPLETE},
    };
    lead_edit_outcome(lead, OUTCOME_FAILED, REASON_UNATTRIBUTED, 200);
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        if (counters[i].n > 0)
            lead_edit_outcome(lead, counters[i].outcome, counters[i].reason, 200);
}

struct arrival {
    struct lead_edit *edit;
    struct edited_lead *lead;
    int64_t since_ms; /* what is younger was created by us */
    bool found;
};

static int see_arrival(void *ctx, const struct remote_lead *remote, struct err *e)
{
    struct arrival *a = ctx;
    bool ours = remote->created_ms >= a->since_ms;
    a->found = true;
    lead_edit_outcome(a->lead, ours ? OUTCOME_CREATED : OUTCOME_SKIPPED, ours ? REASON_NONE : REASON_IN_TARGET, 0);
    return lead_edit_lead_read(a->edit, a->lead, remote, e) != 0 ? -1 : 1;
}

/* Its answer was lost. A lead without an address cannot be looked for: it stays open. */
static int look_for_arrival(struct lead_edit *edit, struct lead_edit_write *w, const struct api_reply *reply, struct err *e)
{
    struct edited_lead *lead = w->leads[0];
    struct arrival a = {edit, lead, w->batch.sent_ms + reply->skew_ms - SKEW_MARGIN_MS, false};
    const struct lead_selector selector = {
        .filter = {.in = w->to, .contacts = &lead->email, .contacts_n = 1, .in_campaign = -1, .in_list = -1}, .esp = -1};
    int again = lead->email.n > 0;
    for (unsigned look = 1; again > 0 && !a.found; look++) {
        if (lead_edit_each(edit, &selector, see_arrival, &a, e) != 0)
            return -1;
        if (!a.found)
            again = lead_edit_wait_look(edit, look, e);
    }
    return again < 0 ? -1 : 0;
}

static int see_existing(void *ctx, const struct remote_lead *remote, struct err *e)
{
    struct arrival *a = ctx;
    return lead_edit_lead_read(a->edit, a->lead, remote, e) != 0 ? -1 : 1;
}

static int find_existing(struct lead_edit *edit, const struct lead_edit_write *w, struct err *e)
{
    struct arrival a = {edit, w->leads[0], 0, false};
    const struct lead_selector selector = {
        .filter = {.in = w->to, .contacts = &w->leads[0]->email, .contacts_n = 1, .in_campaign = -1, .in_list = -1},
        .esp = -1};
    return lead_edit_each(edit, &selector, see_existing, &a, e);
}

/* Does the entry of created_leads name the lead that was sent, as far as it has an address? */
static bool names_it(const struct edited_lead *lead, const struct added_lead *added)
{
    struct buf sent = BUF_INIT(ADDRESS_MAX), answered = BUF_INIT(ADDRESS_MAX);
    bool same = added->email.n == 0 ||
                (mapping_email_key(lead->email, &sent) == 0 && mapping_email_key(added->email, &answered) == 0 &&
                 str_eq(buf_str(&sent), buf_str(&answered)));
    buf_free(&sent);
    buf_free(&answered);
    return same;
}

/* What the answer to leads/add says of the one lead in it; `id` of a lead that was there already is looked up. */
static int added(struct lead_edit *edit, struct lead_edit_write *w, const struct leads_add *how, const struct api_reply *reply,
                 struct err *e)
{
    struct edited_lead *lead = w->leads[0];
    struct leads_added told;
    if (api_leads_added_read(reply, 1, &edit->arena, &told, e) != 0) {
        log_warning("an answer to leads/add cannot be used (%s): reading back", err_text(e));
        err_clear(e);
        return look_for_arrival(edit, w, reply, e);
    }
    if (told.created_n == 1 ? !names_it(lead, &told.created[0]) : told.uploaded > 0) {
        log_warning("leads/add: the answer counts an uploaded lead and does not name it; reading back");
        return look_for_arrival(edit, w, reply, e);
    }
    if (told.created_n == 1) {
        lead->id = told.created[0].id;
        lead->has_id = true;
        lead_edit_outcome(lead, OUTCOME_CREATED, REASON_NONE, reply->http_status);
        return 0;
    }
    why_not_added(lead, &told, how);
    /* Who it is that is there already: asked for, since the answer does not tell. */
    return lead->reason == REASON_IN_TARGET && lead->email.n > 0 ? find_existing(edit, w, e) : 0;
}

static int add_one(struct lead_edit *edit, struct edited_lead *lead, const struct leads_add *how, const struct lead *wanted,
                   struct err *e)
{
    struct by_hand request = {.method = NULL};
    struct api_reply reply;
    enum lead_edit_sent sent;
    struct err late = ERR_INIT;
    struct lead_edit_write w = {.op = OP_CREATE, .to = &how->target, .leads = &lead, .n = 1};
    if (lead_edit_pack(edit, wanted, &w.values, e) != 0 || by_hand_add(&request, how, wanted, e) != 0 ||
        lead_edit_intent(edit, &w, &request, e) != 0) {
        by_hand_free(&request);
        return -1;
    }
    int rc = lead_edit_send(edit, &request, &reply, &sent, e);
    if (sent == EDIT_DONE)
        rc = added(edit, &w, how, &reply, e);
    else if (sent == EDIT_REFUSED)
        rc = lead_edit_refused_in(edit, &w, &reply, e);
    else if (sent == EDIT_NOT)
        lead_edit_outcome(lead, OUTCOME_DEFERRED, REASON_INTERRUPTED, 0);
    else if (rc == 0)
        rc = look_for_arrival(edit, &w, &reply, e);
    int kept = lead->outcome == OUTCOME_NONE ? lead_edit_leave_open(edit, &w, REASON_OUTCOME_OPEN, &late)
                                             : lead_edit_settle(edit, &w, &late);
    if (kept != 0 && rc == 0)
        rc = err_take(e, &late);
    err_clear(&late);
    return rc;
}

/* Any lead with the address tells of the person, wherever it is. */
static int see_person(void *ctx, const struct remote_lead *remote, struct err *e)
{
    struct lead_edit *edit = ctx;
    (void)e;
    for (size_t i = 0; i < edit->leads_n && eligibility_status_reason(remote->status) != REASON_NONE; i++)
        if (str_eq_nocase(edit->leads[i].email, remote->email))
            edit->leads[i].status = remote->status;
    return 0;
}

/* Whom an addition would make active again, as Instantly or the state has it. */
static int keep_from_adding(struct lead_edit *edit, struct err *e)
{
    struct str emails[LEADS_LIST_MAX];
    for (size_t i = 0, n = 0; i < edit->leads_n && !edit->c.force; i++) {
        if (edit->leads[i].email.n > 0)
            emails[n++] = edit->leads[i].email;
        if (n == 0 || (n < LEADS_LIST_MAX && i + 1 < edit->leads_n))
            continue;
        const struct lead_selector selector = {
            .filter = {.contacts = emails, .contacts_n = n, .in_campaign = -1, .in_list = -1}, .esp = -1};
        if (lead_edit_each(edit, &selector, see_person, edit, e) != 0)
            return -1;
        n = 0;
    }
    return lead_edit_keep_back(edit, NULL, e);
}

int lead_edit_add(struct lead_edit *edit, const struct leads_add *how, const struct lead *leads, size_t n, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct edited_lead *lead = lead_edit_lead_new(edit, e);
        struct str email = {leads[i].core[LEAD_EMAIL].p, leads[i].core[LEAD_EMAIL].n};
        rc = lead == NULL || arena_str(&edit->arena, email, &lead->email) != 0 ? err_oom(e) : 0;
    }
    if (rc == 0)
        rc = keep_from_adding(edit, e);
    for (size_t i = 0; i < n && rc == 0 && !lead_edit_interrupted(edit); i++) {
        struct lead lead = leads[i];
        struct lead_shape shape = *leads[i].shape;
        lead.shape = &shape;
        if (edit->leads[i].outcome != OUTCOME_NONE) {
            rc = lead_edit_note(edit, &edit->leads[i], e);
            continue;
        }
        rc = state_shape_put(edit->state, shape.custom_names, shape.custom_n, &shape.id, e);
        if (rc == 0)
            rc = add_one(edit, &edit->leads[i], how, &lead, e);
    }
    return rc;
}
