/* Reads the leads of a slice whose ids are known, and finds the right ones among what Instantly shows.
 *
 * Three ways, from cheap to certain: a list by ids (a hundred per request, but a list lags behind writes and may show
 * nothing), the lead itself (one request each, which answers the lead or 404), and a list by address in the target, for leads
 * that have another id now, because they were imported again or their ids have changed; a move reads its source first, and
 * then its target. The API ignores filters that it does not know, so every item is compared here, and an id alone does not
 * make it the right lead (lead_match.c). */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <stdlib.h>

#include "sync/base/log.h"
#include "sync/upload/proof/proof.h"

enum lead_read_way {
    READ_BY_ID,      /* the entry's lead, by its id */
    READ_BY_ADDRESS, /* the entry's lead, which has a new id */
    READ_OTHERS,     /* any other lead with the entry's address */
};

/* One request of a read. */
struct lead_read_request {
    struct batch_slice *slice;
    size_t first, n; /* slice of the slice's index */
    enum lead_read_way way;
};

static void lead_read_warn_other(struct batch_run *b, uint32_t i)
{
    struct entry *entry = &b->record.entries[i];
    char id[UUID_TEXT_N];
    if (entry->detail.n == 0)
        log_warning("lead %s has another address in Instantly than in the state, so it is %s; searching for "
                    "the row's lead by address",
                    uuid_format(&entry->lead_id, id), b->progress[i].written ? "no longer written to" : "left unchanged");
    entry->detail = b->progress[i].written ? STR("the lead with its id has another address, and was written to")
                                           : STR("the lead with its id has another address, and was left alone");
}

/* ---- what came ---- */

bool lead_read_wants(const struct batch_slice *s, size_t k)
{
    const struct entry_progress *progress = &s->batch->progress[s->index[k]];
    return progress->state != ENTRY_DONE && progress->state != ENTRY_PATCHING && progress->state != ENTRY_HELD &&
           !progress->shown;
}

/* Another lead than the entry's, with its address, in the place that is asked for. */
static bool lead_read_is_other(const struct batch_slice *s, size_t k, const struct remote_lead *remote, uint64_t hash)
{
    struct batch_run *b = s->batch;
    const struct entry *entry = &b->record.entries[s->index[k]];
    return hash != 0 && upload_email_hash(b->u, entry->email) == hash && !uuid_eq(&entry->lead_id, &remote->id) &&
           api_remote_is_in(remote, s->address_in);
}

/* Such a lead, which the entry may have. */
static bool lead_read_relinks(struct batch_slice *s, size_t k, const struct remote_lead *remote, uint64_t hash)
{
    struct batch_run *b = s->batch;
    uint32_t i = s->index[k];
    char id[UUID_TEXT_N];
    if (!lead_read_is_other(s, k, remote, hash) || !lead_match_relink(b, i, remote))
        return false;
    log_notice("lead %s has another id in Instantly now; found by its address", uuid_format(&remote->id, id));
    b->record.entries[i].detail = STR_NONE;
    return true;
}

/* The entry's id: its lead, unless the address is another one. */
static bool lead_read_shows(struct batch_slice *s, size_t k, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    uint32_t i = s->index[k];
    if (!uuid_eq(&b->record.entries[i].lead_id, &remote->id))
        return false;
    if (!lead_match_differs(b, i, remote))
        return true;
    lead_read_warn_other(b, i);
    return false;
}

static bool lead_read_fits(const struct lead_read_request *r, size_t k, const struct remote_lead *remote, uint64_t hash)
{
    switch (r->way) {
    case READ_BY_ADDRESS: return lead_read_relinks(r->slice, k, remote, hash);
    case READ_OTHERS: return lead_read_is_other(r->slice, k, remote, hash);
    case READ_BY_ID: break;
    }
    return lead_read_shows(r->slice, k, remote);
}

/* An item settles one lead of the request. An item that fits none is ignored, because the API ignores filters that it does
 * not know. */
static void lead_read_take(const struct lead_read_request *r, const struct remote_lead *remote)
{
    struct batch_slice *s = r->slice;
    struct batch_run *b = s->batch;
    uint64_t hash = r->way != READ_BY_ID ? upload_email_hash(b->u, remote->email) : 0;
    for (size_t k = r->first; k < r->first + r->n; k++)
        if (lead_read_wants(s, k) && lead_read_fits(r, k, remote, hash)) {
            b->progress[s->index[k]].shown = true;
            s->read_calls->seen(s, s->index[k], remote);
            break;
        }
}

/* A read ends with its last request. One failed request spoils all of it: what that request would have shown is unknown. */
static void lead_read_end_request(struct batch_slice *s)
{
    if (--s->reads_n > 0)
        return;
    if (s->spoilt)
        s->read_calls->failed(s);
    else
        s->read_calls->done(s);
}

/* A 404 is an answer: there is no lead under this id, or no such target. Every other failure spoils the read. */
static void lead_read_answered(void *ctx, const struct api_reply *reply)
{
    struct lead_read_request *r = ctx;
    struct batch_slice *s = r->slice;
    struct batch_run *b = s->batch;
    struct err e = ERR_INIT;
    struct remote_lead remote;
    if (reply->skew_ms != 0)
        b->u->skew_ms = b->skew_ms = reply->skew_ms;
    if (reply->class == API_OK) {
        for (size_t at = 0; api_reply_lead(reply, &at, &remote);)
            lead_read_take(r, &remote);
    } else if (reply->http_status != 404 || reply->class != API_REFUSED) {
        s->spoilt = true;
        if (reply->err != NULL)
            upload_fail(b->u, reply->err);
        else if (reply->class != API_CANCELLED) {
            err_set(&e, XS_API, "Instantly refused to show the leads (%d %.*s): run again later", reply->http_status,
                    STR_ARG(reply->message));
            upload_fail(b->u, &e);
            err_clear(&e);
        }
    }
    free(r);
    lead_read_end_request(s);
}

/* ---- asking ---- */

static int lead_read_ask_list(struct lead_read_request *r, struct err *e)
{
    struct batch_slice *s = r->slice;
    struct batch_run *b = s->batch;
    struct uuid ids[LEADS_LIST_MAX];
    struct str contacts[LEADS_LIST_MAX];
    struct leads_list list = {.urgent = true,
                              .ids = ids,
                              .contacts = contacts,
                              .target = r->way != READ_BY_ID ? s->address_in : NULL};
    for (size_t k = r->first; k < r->first + r->n; k++) {
        const struct entry *entry = &b->record.entries[s->index[k]];
        if (!lead_read_wants(s, k))
            continue;
        if (r->way == READ_BY_ID)
            ids[list.ids_n++] = entry->lead_id;
        else if (entry->email.n > 0)
            contacts[list.contacts_n++] = entry->email;
    }
    if (list.ids_n + list.contacts_n == 0)
        return 0;
    return api_leads_list(b->u->c.api, &list, lead_read_answered, r, e) == 0 ? 1 : -1;
}

static int lead_read_ask_lead(struct lead_read_request *r, struct err *e)
{
    struct batch_run *b = r->slice->batch;
    if (!lead_read_wants(r->slice, r->first))
        return 0;
    const struct uuid *id = &b->record.entries[r->slice->index[r->first]].lead_id;
    return api_lead_get(b->u->c.api, id, lead_read_answered, r, e) == 0 ? 1 : -1;
}

/* The requests of a read, `step` leads each. */
static void lead_read_ask(struct batch_slice *s, size_t step, enum lead_read_way way)
{
    struct err e = ERR_INIT;
    int rc = 0;
    slice_read(s);
    s->spoilt = false;
    /* Counted from the start: an answer must not end the read while other requests are still being queued. */
    s->reads_n = 1;
    for (size_t first = 0; rc >= 0 && first < s->n; first += step) {
        struct lead_read_request *r = malloc(sizeof *r);
        if (r == NULL) {
            rc = err_oom(&e);
            break;
        }
        *r = (struct lead_read_request){s, first, s->n - first < step ? s->n - first : step, way};
        rc = step == 1 ? lead_read_ask_lead(r, &e) : lead_read_ask_list(r, &e);
        s->reads_n += rc == 1;
        if (rc != 1)
            free(r);
    }
    if (rc < 0) {
        upload_fail(s->batch->u, &e);
        s->spoilt = true;
    }
    err_clear(&e);
    lead_read_end_request(s);
}

/* A stop that ends a wait of this read ends it like a failed request. */
static void lead_read_begin(struct batch_slice *s, const struct lead_read_calls *calls)
{
    s->read_calls = calls;
    s->stopped = calls->failed;
}

static void lead_read_forget(struct batch_slice *s)
{
    for (size_t k = 0; k < s->n; k++)
        s->batch->progress[s->index[k]].shown = false;
}

void lead_read_by_id(struct batch_slice *s, const struct lead_read_calls *calls)
{
    lead_read_begin(s, calls);
    lead_read_forget(s);
    lead_read_ask(s, LEADS_LIST_MAX, READ_BY_ID);
}

void lead_read_each(struct batch_slice *s, const struct lead_read_calls *calls)
{
    lead_read_forget(s);
    lead_read_unshown(s, calls);
}

void lead_read_unshown(struct batch_slice *s, const struct lead_read_calls *calls)
{
    lead_read_begin(s, calls);
    lead_read_ask(s, 1, READ_BY_ID);
}

void lead_read_others(struct batch_slice *s, const struct lead_read_calls *calls)
{
    lead_read_begin(s, calls);
    lead_read_forget(s);
    s->address_in = &s->batch->target;
    lead_read_ask(s, LEADS_LIST_MAX, READ_OTHERS);
}

/* ---- leads whose id is gone ---- */

/* Leads without an address cannot be searched for by it, so they do not prolong the search. */
static bool lead_read_is_over(const struct batch_slice *s)
{
    for (size_t k = 0; k < s->n; k++)
        if (lead_read_wants(s, k) && s->batch->record.entries[s->index[k]].email.n > 0)
            return false;
    return true;
}

static void lead_read_found(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    s->search->seen(s, i, remote);
}

/* The caller's own count of attempts continues as if there had been no search. */
static void lead_read_search_over(struct batch_slice *s, void (*next)(struct batch_slice *s))
{
    s->attempt = s->attempts_before;
    next(s);
}

static void lead_read_search_failed(struct batch_slice *s)
{
    lead_read_search_over(s, s->search->failed);
}

static void lead_read_again_by_address(struct batch_slice *s);

/* The source comes first: a lead that is still in it is the one to be moved, whatever else has its address. */
static void lead_read_addresses_read(struct batch_slice *s)
{
    if (s->batch->record.op == OP_MOVE && s->address_in == &s->batch->from && !lead_read_is_over(s)) {
        s->address_in = &s->batch->target;
        lead_read_ask(s, LEADS_LIST_MAX, READ_BY_ADDRESS);
        return;
    }
    s->attempt++;
    if (lead_read_is_over(s) || s->attempt >= ATTEMPTS_MAX)
        lead_read_search_over(s, s->search->done);
    else if (upload_ended(s->batch->u))
        lead_read_search_failed(s);
    else
        slice_wait_attempt(s, false, lead_read_again_by_address);
}

static const struct lead_read_calls lead_read_by_address_calls = {lead_read_found, lead_read_addresses_read,
                                                                  lead_read_search_failed};

static void lead_read_again_by_address(struct batch_slice *s)
{
    s->read_calls = &lead_read_by_address_calls;
    s->address_in = s->batch->record.source != 0 ? &s->batch->from : &s->batch->target;
    lead_read_ask(s, LEADS_LIST_MAX, READ_BY_ADDRESS);
}

/* An empty list proves nothing, so the address is looked for as often as anything that may appear late. */
void lead_read_addresses_known(struct batch_slice *s)
{
    slice_read(s);
    s->attempt = 0;
    if (lead_read_is_over(s))
        lead_read_search_over(s, s->search->done);
    else
        lead_read_again_by_address(s);
}

static const struct lead_read_calls lead_read_at_leads = {lead_read_found, address_list_read, lead_read_search_failed};

/* A lead that no row has was asked for by its id, and one that is in no campaign and no list has no place to look in. */
static bool lead_read_may_relink(const struct batch_slice *s)
{
    const struct batch_run *b = s->batch;
    bool placed = b->record.source != 0 || b->record.target != 0, keyed = false;
    for (size_t k = 0; k < s->n && !keyed; k++)
        keyed = !hash128_is_zero(&b->record.entries[s->index[k]].key);
    return placed && keyed;
}

void lead_read_everywhere(struct batch_slice *s, const struct lead_read_calls *calls)
{
    if (!lead_read_may_relink(s)) {
        lead_read_each(s, calls);
        return;
    }
    s->search = calls;
    s->attempts_before = s->attempt;
    s->attempt = 0;
    lead_read_each(s, &lead_read_at_leads);
}
