/* Deleting by ids, out of the place where each lead was last seen.
 *
 * The answer to a DELETE is a count and no more, and not proof alone: what is still there decides. A count that is that of
 * the ids is held against one look of them all. Without such a count, and where the list did not show a lead before either, a
 * lead that the look does not show is asked for itself. */
#include "config.h"

#include "sync/leads/lead_edit_int.h"

#include <string.h>

struct still {
    struct lead_edit *edit;
    const struct target *from; /* NULL: none */
    struct edited_lead **leads;
    bool *there;
    size_t n;
};

/* Somebody has moved it meanwhile: out of that place it was not named. It is not gone, and the state must not learn so. */
static int say_moved(struct lead_edit *edit, struct edited_lead *lead, const struct target *from, const struct remote_lead *remote,
                     struct err *e)
{
    struct buf detail = BUF_INIT(256);
    char text[TARGET_TEXT_N];
    if (lead_edit_lead_read(edit, lead, remote, e) != 0)
        return -1;
    if (from == NULL || (lead->has_place && target_eq(&lead->place, from)))
        return 0;
    int rc = buf_addf(&detail, "it is in %s now", lead->has_place ? target_format(&lead->place, text) : "none") == 0 &&
                     arena_str(&edit->arena, buf_str(&detail), &lead->detail) == 0
                 ? 0
                 : err_oom(e);
    buf_free(&detail);
    lead_edit_outcome(lead, OUTCOME_FAILED,
                 !lead->has_place                         ? REASON_IN_WORKSPACE
                 : lead->place.kind == TARGET_CAMPAIGN ? REASON_IN_CAMPAIGN
                                                       : REASON_IN_LIST, 0);
    return rc;
}

static int see_still(void *ctx, const struct remote_lead *remote, struct err *e)
{
    struct still *s = ctx;
    for (size_t i = 0; i < s->n; i++) {
        if (!uuid_eq(&s->leads[i]->id, &remote->id))
            continue;
        s->there[i] = true;
        return say_moved(s->edit, s->leads[i], s->from, remote, e);
    }
    return 0;
}

/* A list may lag behind: "not there" is believed of a lead itself only. 1 it is there, 0, -1 */
static int is_there(struct lead_edit *edit, const struct edited_lead *lead, struct err *e)
{
    struct json_object *json;
    return lead_edit_get(edit, &lead->id, &json, e);
}

/* Those that are gone were removed, be it by us or by somebody else. The rest gets another look, and then failed. */
static int look_what_is_left(struct lead_edit *edit, struct lead_edit_write *w, bool counted, int http_status, struct err *e)
{
    bool there[LEADS_DELETE_MAX];
    int again = 1;
    for (unsigned look = 1; again > 0; look++) {
        size_t left = 0;
        struct still still = {edit, w->from, w->leads, there, w->n};
        memset(there, 0, sizeof there);
        if (lead_edit_look(edit, w->leads, w->n, see_still, &still, e) != 0)
            return -1;
        for (size_t i = 0; i < w->n; i++) {
            if (w->leads[i]->outcome != OUTCOME_NONE)
                continue;
            int found = there[i] ? 1 : counted && !w->leads[i]->unlisted ? 0 : is_there(edit, w->leads[i], e);
            if (found < 0)
                return -1;
            if (found == 0)
                lead_edit_outcome(w->leads[i], OUTCOME_REMOVED, REASON_NONE, http_status);
            left += found > 0;
        }
        again = left > 0 ? lead_edit_wait_look(edit, look, e) : 0;
    }
    for (size_t i = 0; i < w->n && !edit->stopped; i++)
        if (w->leads[i]->outcome == OUTCOME_NONE)
            lead_edit_outcome(w->leads[i], OUTCOME_FAILED, counted ? REASON_NOT_STORED : REASON_API_ERROR, http_status);
    return again;
}

/* The campaign or list may be gone, and its leads with it. Those that are there keep the API's words. */
static int look_after_404(struct lead_edit *edit, struct lead_edit_write *w, const struct api_reply *reply, struct err *e)
{
    struct str words;
    if (arena_str(&edit->arena, reply->message, &words) != 0)
        return err_oom(e);
    int rc = look_what_is_left(edit, w, false, 404, e);
    for (size_t i = 0; i < w->n; i++)
        if (w->leads[i]->outcome == OUTCOME_FAILED)
            w->leads[i]->detail = words;
    return rc;
}

static int judge(struct lead_edit *edit, struct lead_edit_write *w, enum lead_edit_sent sent, const struct api_reply *reply, struct err *e)
{
    struct err unread = ERR_INIT;
    int64_t count = -1;
    if (sent == EDIT_DONE && w->from != NULL && api_leads_deleted_read(reply->json, &count, &unread) != 0)
        count = -1;
    err_clear(&unread);
    /* A single lead is asked for itself. */
    bool counted = sent == EDIT_DONE && w->from != NULL && count == (int64_t)w->n;
    if (sent == EDIT_DONE || sent == EDIT_UNKNOWN)
        return look_what_is_left(edit, w, counted, sent == EDIT_DONE ? reply->http_status : 0, e);
    if (sent == EDIT_REFUSED && reply->http_status == 404 && w->from != NULL)
        return look_after_404(edit, w, reply, e);
    if (sent == EDIT_REFUSED && reply->http_status != 404)
        return lead_edit_refused(edit, w, reply, e);
    for (size_t i = 0; i < w->n; i++) {
        if (sent == EDIT_NOT)
            lead_edit_outcome(w->leads[i], OUTCOME_DEFERRED, REASON_INTERRUPTED, 0);
        else
            lead_edit_outcome(w->leads[i], OUTCOME_REMOVED, REASON_NONE, 404);
    }
    return 0;
}

/* A lead of ours: its key goes with the removal, so that the state does not believe in it any longer. Somebody wanted it
 * gone, which is what deleted_there says: the row must not bring it back. */
static int own(struct lead_edit *edit, struct err *e)
{
    static const struct hash128 none;
    for (size_t i = 0; i < edit->leads_n && state_leads_n(edit->state) > 0; i++) {
        struct edited_lead *lead = &edit->leads[i];
        if (lead->outcome != OUTCOME_NONE || !lead->has_id || !hash128_eq(&lead->key, &none))
            continue;
        int found = lead_edit_owner(edit, &lead->id, &lead->key, e);
        if (found < 0)
            return -1;
        lead->ours = found > 0;
    }
    return 0;
}

/* A batch of leads of one place; `from` NULL: a lead that is in none, which only its own address deletes. */
static int delete_batch(struct lead_edit *edit, struct edited_lead **leads, size_t n, const struct target *from, struct err *e)
{
    struct uuid ids[LEADS_DELETE_MAX];
    struct by_hand request;
    struct api_reply reply;
    enum lead_edit_sent sent;
    struct err late = ERR_INIT;
    for (size_t i = 0; i < n; i++)
        ids[i] = leads[i]->id;
    const struct leads_delete del = {.ids = ids, .ids_n = n, .from = from != NULL ? *from : (struct target){0}};
    struct lead_edit_write w = {.op = from != NULL ? OP_REMOVE : OP_HAND, .from = from, .to = from, .leads = leads, .n = n};
    int rc = from != NULL ? by_hand_delete(&request, &del, e) : by_hand_delete_one(&request, &ids[0], e);
    if (rc == 0)
        rc = lead_edit_note_statuses(edit, leads, n, e);
    if (rc == 0)
        rc = lead_edit_intent(edit, &w, &request, e);
    if (rc != 0) {
        by_hand_free(&request);
        return -1;
    }
    rc = lead_edit_send(edit, &request, &reply, &sent, e);
    if (rc == 0 || sent == EDIT_NOT)
        rc |= judge(edit, &w, sent, &reply, e);
    bool open = false;
    for (size_t i = 0; i < n; i++)
        open = open || leads[i]->outcome == OUTCOME_NONE;
    int kept = open ? lead_edit_leave_open(edit, &w, REASON_OUTCOME_OPEN, &late) : lead_edit_settle(edit, &w, &late);
    if (kept != 0 && rc == 0)
        rc = err_take(e, &late);
    err_clear(&late);
    return rc;
}

int lead_edit_delete(struct lead_edit *edit, struct err *e)
{
    if (own(edit, e) != 0)
        return -1;
    /* Who was gone before anything was sent: the state learns it all the same. */
    for (size_t i = 0; i < edit->leads_n; i++)
        if (edit->leads[i].missing && !edit->leads[i].known_gone && lead_edit_note(edit, &edit->leads[i], e) != 0)
            return -1;
    for (size_t i = 0; i < edit->leads_n && !lead_edit_interrupted(edit); i++) {
        struct edited_lead *batch[LEADS_DELETE_MAX], *first = &edit->leads[i];
        size_t n = 0, max = first->has_place ? LEADS_DELETE_MAX : 1;
        if (first->outcome != OUTCOME_NONE)
            continue;
        for (size_t k = i; k < edit->leads_n && n < max; k++)
            if (edit->leads[k].outcome == OUTCOME_NONE && lead_edit_same_place(first, &edit->leads[k]))
                batch[n++] = &edit->leads[k];
        struct target from = first->place; /* looking may find that the lead has moved */
        if (delete_batch(edit, batch, n, first->has_place ? &from : NULL, e) != 0)
            return -1;
    }
    return 0;
}
