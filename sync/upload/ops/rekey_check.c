/* Before the first request of a create batch: the leads whose place its leads take.
 *
 * A row that brings another address under a known key gets a new lead, which is active. The person may have unsubscribed, and
 * only Instantly knows it, by the old lead. So the old leads are read first: by their ids, a hundred per request. One that
 * the list does not show is asked for itself, since a list may lag and an empty one proves nothing. An id that is gone may
 * have been exported and imported again: then the leads of the old address are read, in any target, and a hashed address is
 * looked for in the target that the lead had (address_list.c). A lead that is found in that target is the old one, and is
 * removed by its new id. The row of a person who unsubscribed, bounced or was skipped is skipped, and the status is recorded.
 * A row whose old lead could not be read is deferred. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <stdlib.h>

#include "sync/base/log.h"
#include "sync/plan/eligibility.h"
#include "sync/upload/proof/proof.h"

enum rekey_step { REKEY_BY_LIST, REKEY_BY_ID, REKEY_BY_ADDRESS };

enum { KNOWN_MAX = 1 << 24 };

struct old_lead_request {
    struct batch_slice *slice;
    enum rekey_step step;
    uint32_t entry; /* the one that a request by id or address is about */
};

/* False as well for a row that has its outcome already, because its person opted out. */
bool rekey_check_wants(const struct batch_slice *s, size_t k)
{
    const struct entry_progress *progress = &s->batch->progress[s->index[k]];
    return progress->takes_place && !progress->old_judged && s->batch->record.entries[s->index[k]].outcome == OUTCOME_NONE;
}

/* ---- what Instantly has ---- */

/* What earlier runs found counts as well: Instantly forgets a status when it moves a lead. */
static void rekey_check_judge(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    struct err e = ERR_INIT;
    enum reason status = lead_status_reason(remote->status);
    if (status == REASON_NONE && eligibility_recorded(b->u->c.state, remote->email, &status, &e) != 0)
        upload_fail(b->u, &e);
    err_clear(&e);
    b->progress[i].old_judged = true;
    if (status == REASON_NONE)
        return;
    batch_entry_record_status(b, i, status, remote->email);
    batch_entry_done(b, i, OUTCOME_SKIPPED, status, 0);
}

/* The address that the row's key had so far; empty when the state has only its hash, and its place shows none with it. */
static struct str rekey_check_old_address(struct batch_run *b, uint32_t i, struct arena *arena)
{
    struct upload *u = b->u;
    struct known_lead known;
    struct lead lead;
    struct err e = ERR_INIT;
    if (b->progress[i].old_address.n > 0)
        return b->progress[i].old_address;
    int rc = state_lead_get(u->c.state, &b->record.entries[i].key, arena, &known, &e);
    if (rc < 0)
        upload_fail(u, &e);
    err_clear(&e);
    if (rc != 1 || known.values.n == 0 || upload_unpack(u, known.values, arena, &lead) != 0)
        return STR_NONE;
    const struct value *address = &lead.core[LEAD_EMAIL];
    return address->kind == VALUE_STRING ? (struct str){address->p, address->n} : STR_NONE;
}

/* A lead of the old address, wherever it is: it may be the old lead under a new id. */
static void rekey_check_take_namesake(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    if (s->batch->record.entries[i].outcome != OUTCOME_NONE)
        return;
    struct arena arena;
    arena_init(&arena, KNOWN_MAX);
    uint64_t wanted = upload_email_hash(s->batch->u, rekey_check_old_address(s->batch, i, &arena));
    arena_free(&arena);
    if (wanted == 0 || upload_email_hash(s->batch->u, remote->email) != wanted)
        return;
    struct err e = ERR_INIT;
    if (rekey_old_reimported(s->batch, i, remote, &e) != 0)
        upload_fail(s->batch->u, &e);
    err_clear(&e);
    rekey_check_judge(s, i, remote);
}

static void rekey_check_take_lead(struct batch_slice *s, const struct remote_lead *remote)
{
    for (size_t k = 0; k < s->n; k++)
        if (rekey_check_wants(s, k) && uuid_eq(&s->batch->progress[s->index[k]].old_id, &remote->id))
            rekey_check_judge(s, s->index[k], remote);
}

/* ---- asking ---- */

/* The others are sent. */
static void rekey_check_go_on(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    struct err e = ERR_INIT;
    for (size_t k = 0; k < s->n; k++)
        if (rekey_check_wants(s, k))
            batch_entry_done(b, s->index[k], OUTCOME_DEFERRED, b->u->c.stop_reason, 0);
    struct batch_slice *rest = slice_of_open(s, 0, s->n, &e);
    if (rest == NULL) {
        upload_fail(b->u, &e);
        batch_leave_open(b);
    }
    slice_free(s);
    if (rest != NULL)
        lead_scan_start(rest);
    err_clear(&e);
}

static void rekey_check_ask_all(struct batch_slice *s, enum rekey_step step);

/* When all requests of a step are answered, the next step asks for the old leads that are still unknown. A failed request
 * ends the search, and their rows are deferred. */
static void rekey_check_end_request(struct batch_slice *s, enum rekey_step step)
{
    if (--s->reads_n > 0)
        return;
    if (step == REKEY_BY_ADDRESS || s->spoilt) {
        rekey_check_go_on(s);
    } else if (step == REKEY_BY_ID) {
        s->stopped = rekey_check_go_on;
        s->attempt = 0;
        address_list_read(s);
    } else {
        rekey_check_ask_all(s, step + 1);
    }
}

static void rekey_check_failed(struct batch_slice *s, const struct api_reply *reply)
{
    struct err e = ERR_INIT;
    s->spoilt = true;
    if (reply->class == API_CANCELLED)
        return;
    if (reply->err == NULL)
        err_set(&e, XS_API,
                "Instantly refused to show a lead whose row has another address now (%d %.*s): run "
                "again later",
                reply->http_status, STR_ARG(reply->message));
    upload_fail(s->batch->u, reply->err != NULL ? reply->err : &e);
    err_clear(&e);
}

/* A 404 by id is an answer: the old lead has another id, or is gone. The next step looks for its address. */
static void rekey_check_answered(void *ctx, const struct api_reply *reply)
{
    struct old_lead_request *r = ctx;
    struct batch_slice *s = r->slice;
    enum rekey_step step = r->step;
    struct remote_lead remote;
    if (reply->skew_ms != 0)
        s->batch->skew_ms = s->batch->u->skew_ms = reply->skew_ms;
    bool gone = step == REKEY_BY_ID && reply->class == API_REFUSED && reply->http_status == 404;
    if (reply->class != API_OK && !gone)
        rekey_check_failed(s, reply);
    for (size_t at = 0; reply->class == API_OK && api_reply_lead(reply, &at, &remote);)
        if (step == REKEY_BY_ADDRESS)
            rekey_check_take_namesake(s, r->entry, &remote);
        else
            rekey_check_take_lead(s, &remote);
    /* This was the last way to find the lead. */
    if (step == REKEY_BY_ADDRESS && reply->class == API_OK)
        s->batch->progress[r->entry].old_judged = true;
    free(r);
    rekey_check_end_request(s, step);
}

static int rekey_check_request(struct batch_slice *s, enum rekey_step step, uint32_t entry, const struct leads_list *list,
                               struct err *e)
{
    struct api *api = s->batch->u->c.api;
    struct old_lead_request *r = malloc(sizeof *r);
    if (r == NULL)
        return err_oom(e);
    *r = (struct old_lead_request){s, step, entry};
    int rc = step == REKEY_BY_ID ? api_lead_get(api, &list->ids[0], rekey_check_answered, r, e)
                                 : api_leads_list(api, list, rekey_check_answered, r, e);
    if (rc != 0)
        free(r);
    s->reads_n += rc == 0;
    return rc;
}

/* For the old leads of the entries from *k on, or for one lead itself or its address. 0/-1 */
static int rekey_check_ask(struct batch_slice *s, size_t *k, enum rekey_step step, struct err *e)
{
    struct batch_run *b = s->batch;
    struct uuid ids[LEADS_LIST_MAX];
    struct str address;
    struct arena arena;
    struct leads_list list = {.urgent = true, .ids = ids};
    uint32_t entry = s->index[*k];
    while (*k < s->n && list.ids_n < (step == REKEY_BY_LIST ? LEADS_LIST_MAX : 1)) {
        if (rekey_check_wants(s, *k)) {
            entry = s->index[*k];
            ids[list.ids_n++] = b->progress[entry].old_id;
        }
        ++*k;
    }
    if (list.ids_n == 0)
        return 0;
    arena_init(&arena, KNOWN_MAX);
    if (step == REKEY_BY_ADDRESS) {
        address = rekey_check_old_address(b, entry, &arena);
        list = (struct leads_list){.urgent = true, .contacts = &address, .contacts_n = 1};
    }
    int rc = 0;
    if (step == REKEY_BY_ADDRESS && address.n == 0)
        b->progress[entry].old_judged = true;
    else
        rc = rekey_check_request(s, step, entry, &list, e);
    arena_free(&arena);
    return rc;
}

static void rekey_check_ask_all(struct batch_slice *s, enum rekey_step step)
{
    struct err e = ERR_INIT;
    /* Counted from the start: an answer must not end the read while other requests are still being queued. */
    slice_read(s);
    s->reads_n = 1;
    for (size_t k = 0; k < s->n && !s->spoilt;)
        if (rekey_check_ask(s, &k, step, &e) != 0) {
            upload_fail(s->batch->u, &e);
            s->spoilt = true;
        }
    err_clear(&e);
    rekey_check_end_request(s, step);
}

void rekey_check_addresses_known(struct batch_slice *s)
{
    s->stopped = NULL;
    rekey_check_ask_all(s, REKEY_BY_ADDRESS);
}

void rekey_check(struct batch_slice *s)
{
    bool any = false;
    for (size_t k = 0; k < s->n && !any; k++)
        any = rekey_check_wants(s, k);
    if (any && !upload_ended(s->batch->u))
        rekey_check_ask_all(s, REKEY_BY_LIST);
    else
        lead_scan_start(s); /* when the upload has ended, it defers them */
}
