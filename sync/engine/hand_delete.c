/* Deleting by ids, out of the place where each lead was last seen; and taking back what a run created.
 *
 * The answer to a DELETE is a count and no more, and not proof alone: what is still there decides. A count that is that of
 * the ids is held against one look of them all. Without such a count, and where the list did not show a lead before either, a
 * lead that the look does not show is asked for itself. */
#include "config.h"

#include "sync/engine/hand_int.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mappings/mapping.h"
#include "sync/base/log.h"
#include "sync/base/text.h"

enum { RUN_ARENA_MAX = 64 << 20 };

/* ---- deleting ---- */

struct still {
    struct hand *hand;
    const struct target *from; /* NULL: none */
    struct hand_lead **leads;
    bool *there;
    size_t n;
};

/* Somebody has moved it meanwhile: out of that place it was not named. It is not gone, and the state must not learn so. */
static int say_moved(struct hand *h, struct hand_lead *lead, const struct target *from, const struct remote_lead *remote,
                     struct err *e)
{
    struct buf detail = BUF_INIT(256);
    char text[TARGET_TEXT_N];
    if (hand_lead_told(h, lead, remote, e) != 0)
        return -1;
    if (from == NULL || (lead->has_place && target_eq(&lead->place, from)))
        return 0;
    int rc = buf_addf(&detail, "it is in %s now", lead->has_place ? target_format(&lead->place, text) : "none") == 0 &&
                     arena_str(&h->arena, buf_str(&detail), &lead->detail) == 0
                 ? 0
                 : err_oom(e);
    buf_free(&detail);
    hand_outcome(lead, OUTCOME_FAILED,
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
        return say_moved(s->hand, s->leads[i], s->from, remote, e);
    }
    return 0;
}

/* A list may lag behind: "not there" is believed of a lead itself only. 1 it is there, 0, -1 */
static int is_there(struct hand *h, const struct hand_lead *lead, struct err *e)
{
    struct json_object *json;
    return hand_get(h, &lead->id, &json, e);
}

/* Those that are gone were removed, be it by us or by somebody else. The rest gets another look, and then failed. */
static int look_what_is_left(struct hand *h, struct hand_write *w, bool counted, int http_status, struct err *e)
{
    bool there[LEADS_DELETE_MAX];
    int again = 1;
    for (unsigned look = 1; again > 0; look++) {
        size_t left = 0;
        struct still still = {h, w->from, w->leads, there, w->n};
        memset(there, 0, sizeof there);
        if (hand_look(h, w->leads, w->n, see_still, &still, e) != 0)
            return -1;
        for (size_t i = 0; i < w->n; i++) {
            if (w->leads[i]->outcome != OUTCOME_NONE)
                continue;
            int found = there[i] ? 1 : counted && !w->leads[i]->unlisted ? 0 : is_there(h, w->leads[i], e);
            if (found < 0)
                return -1;
            if (found == 0)
                hand_outcome(w->leads[i], OUTCOME_REMOVED, REASON_NONE, http_status);
            left += found > 0;
        }
        again = left > 0 ? hand_wait_look(h, look, e) : 0;
    }
    for (size_t i = 0; i < w->n && !h->stopped; i++)
        if (w->leads[i]->outcome == OUTCOME_NONE)
            hand_outcome(w->leads[i], OUTCOME_FAILED, counted ? REASON_NOT_STORED : REASON_API_ERROR, http_status);
    return again;
}

/* The campaign or list may be gone, and its leads with it. Those that are there keep the API's words. */
static int look_after_404(struct hand *h, struct hand_write *w, const struct api_reply *reply, struct err *e)
{
    struct str words;
    if (arena_str(&h->arena, reply->message, &words) != 0)
        return err_oom(e);
    int rc = look_what_is_left(h, w, false, 404, e);
    for (size_t i = 0; i < w->n; i++)
        if (w->leads[i]->outcome == OUTCOME_FAILED)
            w->leads[i]->detail = words;
    return rc;
}

static int judge(struct hand *h, struct hand_write *w, enum hand_sent sent, const struct api_reply *reply, struct err *e)
{
    struct err unread = ERR_INIT;
    int64_t count = -1;
    if (sent == HAND_DONE && w->from != NULL && api_leads_deleted_read(reply->json, &count, &unread) != 0)
        count = -1;
    err_clear(&unread);
    /* A single lead is asked for itself. */
    bool counted = sent == HAND_DONE && w->from != NULL && count == (int64_t)w->n;
    if (sent == HAND_DONE || sent == HAND_UNKNOWN)
        return look_what_is_left(h, w, counted, sent == HAND_DONE ? reply->http_status : 0, e);
    if (sent == HAND_REFUSED && reply->http_status == 404 && w->from != NULL)
        return look_after_404(h, w, reply, e);
    if (sent == HAND_REFUSED && reply->http_status != 404)
        return hand_refused(h, w, reply, e);
    for (size_t i = 0; i < w->n; i++) {
        if (sent == HAND_NOT)
            hand_outcome(w->leads[i], OUTCOME_DEFERRED, REASON_INTERRUPTED, 0);
        else
            hand_outcome(w->leads[i], OUTCOME_REMOVED, REASON_NONE, 404);
    }
    return 0;
}

/* A lead of ours: its key goes with the removal, so that the state does not believe in it any longer. Somebody wanted it
 * gone, which is what deleted_there says: the row must not bring it back. */
static int own(struct hand *h, struct err *e)
{
    static const struct hash128 none;
    for (size_t i = 0; i < h->leads_n && state_leads_n(h->state) > 0; i++) {
        struct hand_lead *lead = &h->leads[i];
        if (lead->outcome != OUTCOME_NONE || !lead->has_id || !hash128_eq(&lead->key, &none))
            continue;
        int found = hand_owner(h, &lead->id, &lead->key, e);
        if (found < 0)
            return -1;
        lead->ours = found > 0;
    }
    return 0;
}

/* A batch of leads of one place; `from` NULL: a lead that is in none, which only its own address deletes. */
static int delete_batch(struct hand *h, struct hand_lead **leads, size_t n, const struct target *from, struct err *e)
{
    struct uuid ids[LEADS_DELETE_MAX];
    struct by_hand request;
    struct api_reply reply;
    enum hand_sent sent;
    struct err late = ERR_INIT;
    for (size_t i = 0; i < n; i++)
        ids[i] = leads[i]->id;
    const struct leads_delete del = {.ids = ids, .ids_n = n, .from = from != NULL ? *from : (struct target){0}};
    struct hand_write w = {.op = from != NULL ? OP_REMOVE : OP_HAND, .from = from, .to = from, .leads = leads, .n = n};
    int rc = from != NULL ? by_hand_delete(&request, &del, e) : by_hand_delete_one(&request, &ids[0], e);
    if (rc == 0)
        rc = hand_note_statuses(h, leads, n, e);
    if (rc == 0)
        rc = hand_intent(h, &w, &request, e);
    if (rc != 0) {
        by_hand_free(&request);
        return -1;
    }
    rc = hand_send(h, &request, &reply, &sent, e);
    if (rc == 0 || sent == HAND_NOT)
        rc |= judge(h, &w, sent, &reply, e);
    bool open = false;
    for (size_t i = 0; i < n; i++)
        open = open || leads[i]->outcome == OUTCOME_NONE;
    int kept = open ? hand_leave_open(h, &w, REASON_OUTCOME_OPEN, &late) : hand_settle(h, &w, &late);
    if (kept != 0 && rc == 0)
        rc = err_set(e, late.status, "%s", err_text(&late));
    err_clear(&late);
    return rc;
}

int hand_delete(struct hand *h, struct err *e)
{
    if (own(h, e) != 0)
        return -1;
    /* Who was gone before anything was sent: the state learns it all the same. */
    for (size_t i = 0; i < h->leads_n; i++)
        if (h->leads[i].missing && !h->leads[i].known_gone && hand_note(h, &h->leads[i], e) != 0)
            return -1;
    for (size_t i = 0; i < h->leads_n && !hand_interrupted(h); i++) {
        struct hand_lead *batch[LEADS_DELETE_MAX], *first = &h->leads[i];
        size_t n = 0, max = first->has_place ? LEADS_DELETE_MAX : 1;
        if (first->outcome != OUTCOME_NONE)
            continue;
        for (size_t k = i; k < h->leads_n && n < max; k++)
            if (h->leads[k].outcome == OUTCOME_NONE && hand_same_place(first, &h->leads[k]))
                batch[n++] = &h->leads[k];
        struct target from = first->place; /* looking may find that the lead has moved */
        if (delete_batch(h, batch, n, first->has_place ? &from : NULL, e) != 0)
            return -1;
    }
    return 0;
}

/* ---- what a run created ---- */

/* The address of a lead that the state knows by this id, to hold what is found under it against. */
static int known_address(struct hand *h, struct hand_lead *lead, const struct known_lead *known, struct arena *scratch,
                         struct err *e)
{
    struct lead_shape shape;
    struct lead values;
    uint32_t id;
    if (known->hashes.n > 0)
        return arena_str(&h->arena, known->hashes, &lead->known_hashes) == 0 ? 0 : err_oom(e);
    if (known->values.n == 0 || lead_packed_shape(known->values, &id) != 0)
        return 0;
    int rc = state_shape_get(h->state, id, scratch, &shape, e);
    if (rc <= 0 || lead_unpack(known->values, &shape, scratch, &values) != 0 || !lead_has_email(&values))
        return rc < 0 ? -1 : 0;
    const struct value *email = &values.core[LEAD_EMAIL];
    return arena_str(&h->arena, (struct str){email->p, email->n}, &lead->known_email) == 0 ? 0 : err_oom(e);
}

/* What the state believes of it. It may know another lead under the key by now (created again, or a new address): then
 * the key is not this lead's, and must not go with its removal. Moved away is not gone. */
static int recall(struct hand *h, struct hand_lead *lead, const struct entry *entry, struct arena *scratch, struct err *e)
{
    struct known_lead known;
    int rc = state_lead_get(h->state, &entry->key, scratch, &known, e);
    if (rc <= 0)
        return rc;
    if (known.has_lead_id && !uuid_eq(&known.lead_id, &lead->id)) {
        lead->key = (struct hash128){{0}};
        lead->known_gone = true;
        return 0;
    }
    if (known_address(h, lead, &known, scratch, e) != 0)
        return -1;
    lead->known_gone = (known.flags & KNOWN_DELETED_THERE) != 0 || (known.flags & (KNOWN_REMOVED | KNOWN_AWAY)) == KNOWN_REMOVED;
    return 0;
}

static int take_created(struct hand *h, const struct entry *entry, struct arena *scratch, struct err *e)
{
    struct hand_lead *lead = hand_lead_add(h, e);
    if (lead == NULL)
        return -1;
    lead->id = entry->lead_id;
    lead->has_id = true;
    lead->key = entry->key;
    if (recall(h, lead, entry, scratch, e) != 0)
        return -1;
    return arena_str(&h->arena, entry->key_text, &lead->key_text) == 0 &&
                   arena_str(&h->arena, entry->key_text, &lead->email) == 0
               ? 0
               : err_oom(e);
}

static int read_run(struct hand *h, uint64_t run, struct err *e)
{
    struct results *results;
    struct arena arena;
    struct entry entry;
    enum op op;
    uint32_t target;
    int rc;
    if (state_results_open(h->state, run, &results, e) != 0)
        return -1;
    arena_init(&arena, RUN_ARENA_MAX);
    while ((rc = state_results_next(results, &arena, &entry, &op, &target, e)) > 0) {
        if (entry.outcome == OUTCOME_CREATED && entry.has_lead_id && (rc = take_created(h, &entry, &arena, e)) != 0)
            break;
        arena_reset(&arena);
    }
    arena_free(&arena);
    state_results_close(results);
    return rc;
}

struct looked {
    struct hand *hand;
    struct hand_lead **leads;
    bool *there;
    size_t n;
};

/* Somebody else's lead has the id: an answer may have named the wrong one. */
static bool is_other_person(const struct hand *h, struct hand_lead *lead, struct str email)
{
    bool other = false;
    if (email.n > 0 && lead->known_hashes.n > 0)
        other = !state_address_unchanged(h->state, lead->known_hashes, email);
    else if (email.n > 0 && lead->known_email.n > 0)
        other = !mapping_same_address(lead->known_email, email);
    if (other)
        lead->detail = STR("the lead that has its id has another address");
    return other;
}

static int see_present(void *ctx, const struct remote_lead *remote, struct err *e)
{
    struct looked *l = ctx;
    for (size_t i = 0; i < l->n; i++)
        if (uuid_eq(&l->leads[i]->id, &remote->id) && !is_other_person(l->hand, l->leads[i], remote->email)) {
            l->there[i] = true;
            return hand_lead_told(l->hand, l->leads[i], remote, e);
        }
    return 0;
}

/* A list may lag behind, so that one that it leaves out is asked for itself: 1 it is there, 0, -1 */
static int ask_for_present(struct hand *h, struct hand_lead *lead, struct err *e)
{
    struct json_object *json;
    struct remote_lead remote;
    int found = hand_get(h, &lead->id, &json, e);
    if (found <= 0)
        return found;
    if (api_remote_lead_read(json, &remote, e) != 0)
        return -1;
    if (is_other_person(h, lead, remote.email))
        return 0;
    return hand_lead_told(h, lead, &remote, e) != 0 ? -1 : 1;
}

/* The state learns of it with the deletion of the others; what it knew already needs no record. */
static void is_missing(struct hand *h, struct hand_lead *lead)
{
    hand_outcome(lead, OUTCOME_SKIPPED, REASON_DELETED_THERE, 0);
    lead->missing = true;
    if (lead->detail.n == 0)
        lead->detail = STR("not there any more");
    h->learnt += !lead->known_gone;
}

/* Where they are now, and whether somebody wrote to them. One that the list leaves out is asked for itself, unless the state
 * knew that it is gone. */
static int look_at(struct hand *h, size_t first, size_t n, struct err *e)
{
    struct hand_lead *leads[LEADS_LIST_MAX];
    bool there[LEADS_LIST_MAX] = {false};
    static const struct hash128 none;
    for (size_t i = 0; i < n; i++)
        leads[i] = &h->leads[first + i];
    struct looked looked = {h, leads, there, n};
    if (hand_look(h, leads, n, see_present, &looked, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool sure = (leads[i]->known_gone && !hash128_eq(&leads[i]->key, &none)) || leads[i]->detail.n > 0;
        int found = there[i] ? 1 : sure ? 0 : ask_for_present(h, leads[i], e);
        if (found < 0)
            return -1;
        leads[i]->unlisted = found == 1 && !there[i];
        if (found == 0)
            is_missing(h, leads[i]);
        else if (leads[i]->contacted)
            hand_outcome(leads[i], OUTCOME_SKIPPED, REASON_CONTACTED, 0);
    }
    return 0;
}

/* Results are kept for some runs only: what the run's report counts and the state does not know is not passed over. */
static void count_unknown(struct hand *h, const struct run_record *run)
{
    struct json_object *report = run->report != NULL ? json_tokener_parse(run->report) : NULL, *rows, *created;
    uint64_t known = h->leads_n;
    if (report != NULL && json_object_object_get_ex(report, "rows", &rows) &&
        json_object_object_get_ex(rows, "created", &created) && json_object_get_int64(created) > (int64_t)known)
        h->unknown = (uint64_t)json_object_get_int64(created) - known;
    json_object_put(report);
    if (h->unknown > 0)
        log_warning("run %llu created %llu more lead%s, whose id%s the state does not keep any more",
                    (unsigned long long)run->id, (unsigned long long)h->unknown, text_plural(h->unknown),
                    text_plural(h->unknown));
}

int hand_find_run(struct hand *h, uint64_t run, struct err *e)
{
    struct run_record record;
    if (h->state == NULL && access(h->c.state_path, F_OK) != 0)
        return state_missing(h->c.state_path, e);
    if (hand_state_open(h, e) != 0)
        return -1;
    int rc = state_run_get(h->state, run, &h->arena, &record, e);
    if (rc == 0)
        return err_set(e, XS_USAGE, "sync \"%s\" has no run %llu; leadsync status lists its runs", state_sync(h->state),
                       (unsigned long long)run);
    if (rc < 0 || read_run(h, run, e) != 0)
        return -1;
    count_unknown(h, &record);
    for (size_t at = 0; at < h->leads_n; at += LEADS_LIST_MAX) {
        size_t n = h->leads_n - at < LEADS_LIST_MAX ? h->leads_n - at : LEADS_LIST_MAX;
        if (look_at(h, at, n, e) != 0)
            return -1;
    }
    return 0;
}
