/* Reading back: what is there decides, never what was probably sent.
 *
 * Filtered lists lag behind writes by seconds (observed), so what is not found is looked for again after 1, 2 and 4
 * seconds (limits.settle scales the sum) before anything is concluded. Leads without an address can only be found by
 * their row key among all leads of the list, and a repeat would double them: they get more time and are never sent
 * again in the same run. Answers are filtered again here, because the API ignores filters that it does not know. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/upload/proof/proof.h"

enum { SKEW_MARGIN_MS = 2000 };

struct read {
    struct batch_slice *slice;
    size_t first, n; /* of the slice's index */
    bool by_key;     /* all leads of the list, matched by leadsync_key */
    size_t keys_n, found_n;
    struct wanted_key {
        uint64_t hash;
        bool found;
    } keys[]; /* by_key: of the leads that are looked for, sorted */
};

static bool create_proof_is_open(const struct batch_slice *s, size_t k)
{
    return s->batch->progress[s->index[k]].state == ENTRY_OPEN;
}

static bool create_proof_accounts(const struct batch_slice *s)
{
    return s->account >= ACCOUNT_EXPLAINED;
}

static bool create_proof_in_target(const struct batch_run *b, const struct remote_lead *r)
{
    return api_remote_is_in(r, &b->target);
}

/* ---- what was found ---- */

static bool create_proof_created_by_us(const struct batch_slice *s, const struct remote_lead *remote)
{
    const struct batch_run *b = s->batch;
    bool may_have_arrived = s->life != LIFE_CHECKING &&
                            (!create_proof_accounts(s) || s->account == ACCOUNT_SHORT || s->round > 1);
    /* A request that was lost brought no Date; any other answer of the same server did. */
    int64_t skew_ms = b->skew_ms != 0 ? b->skew_ms : b->u->skew_ms;
    return may_have_arrived && remote->created_ms >= b->first_sent_ms + skew_ms - SKEW_MARGIN_MS;
}

/* A lead that is in the target: ours, or met there for the first time. */
static void create_proof_found_in_target(struct batch_slice *s, uint32_t i, struct wanted_lead *wanted,
                                         const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    struct entry_progress *progress = &b->progress[i];
    bool conflict = false;
    struct err e = ERR_INIT;
    /* Once: a read after a PATCH meets the same lead. */
    if (!progress->met) {
        progress->ours = create_proof_created_by_us(s, remote);
        if (rekey_meet(b, i, &remote->id, &progress->ours, &conflict, &e) != 0)
            upload_fail(b->u, &e);
        err_clear(&e);
    }
    progress->met = true;
    if (conflict)
        return;
    bool ours = progress->ours;
    if (b->u->c.mapping->mode == MODE_CREATE) {
        /* Never patched, whatever became of its values. */
        batch_entry_done(b, i, ours ? OUTCOME_CREATED : OUTCOME_SKIPPED, ours ? REASON_NONE : REASON_IN_TARGET,
                         s->http_status);
        return;
    }
    enum outcome proved = ours ? OUTCOME_CREATED : b->progress[i].rounds > 0 ? OUTCOME_CHANGED : OUTCOME_UNCHANGED;
    if (!wanted_lead_changes(b, i, wanted, remote, ours))
        batch_entry_done(b, i, proved, REASON_NONE, s->http_status);
    else if (b->earlier)
        batch_entry_done(b, i, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
    else if (b->progress[i].rounds >= ROUNDS_MAX)
        batch_entry_done(b, i, OUTCOME_FAILED, REASON_API_ERROR, s->http_status);
    else
        update_patch(b, i, wanted, remote, ours ? OUTCOME_CREATED : OUTCOME_CHANGED);
}

/* The entry has this lead from here on, even if values are still to be written to it. */
static void create_proof_found(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    struct entry *entry = &b->record.entries[i];
    struct wanted_lead wanted;
    entry->has_lead_id = true;
    entry->lead_id = remote->id;
    if (wanted_lead_open(b, i, &wanted) == 0)
        create_proof_found_in_target(s, i, &wanted, remote);
    wanted_lead_free(&wanted);
}

/* In the workspace, but not in the target: does that explain why it was not created? */
static void create_proof_found_elsewhere(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct batch_run *b = s->batch;
    enum dedupe_scope scope = b->u->c.mapping->dedupe;
    bool explains = scope == DEDUPE_WORKSPACE || (scope == DEDUPE_ANY_CAMPAIGN && remote->has_campaign) ||
                    (scope == DEDUPE_ANY_LIST && remote->has_list);
    if (create_proof_accounts(s) && explains) {
        batch_entry_location(b, i, remote);
        batch_entry_done(b, i, OUTCOME_SKIPPED, create_elsewhere_reason(b), s->http_status);
    }
}

static bool create_proof_key_matches(struct batch_slice *s, uint32_t i, const struct remote_lead *remote)
{
    struct value key;
    api_remote_custom(remote, STR("leadsync_key"), &key);
    struct str text = s->batch->record.entries[i].key_text;
    return key.kind == VALUE_STRING && str_eq((struct str){key.p, key.n}, text);
}

static bool create_proof_matches(struct read *r, uint32_t i, const struct remote_lead *remote, uint64_t hash)
{
    struct batch_run *b = r->slice->batch;
    if (r->by_key)
        return b->record.entries[i].email.n == 0 && create_proof_key_matches(r->slice, i, remote);
    return hash != 0 && b->progress[i].email_hash == hash;
}

/* ---- among all leads of the list ---- */

static int create_proof_by_hash(const void *a, const void *b)
{
    uint64_t x = ((const struct wanted_key *)a)->hash, y = ((const struct wanted_key *)b)->hash;
    return (x > y) - (x < y);
}

static void create_proof_want_keys(struct read *r)
{
    const struct batch_slice *s = r->slice;
    for (size_t k = 0; k < s->n; k++) {
        const struct entry *entry = &s->batch->record.entries[s->index[k]];
        if (create_proof_is_open(s, k) && entry->email.n == 0)
            r->keys[r->keys_n++] = (struct wanted_key){lead_scan_key_hash(s->batch->u, entry->key_text), false};
    }
    qsort(r->keys, r->keys_n, sizeof *r->keys, create_proof_by_hash);
}

/* A list may have millions of leads: only those with a key of ours are kept, and when all are found the rest of it is
 * not asked for. */
static enum leads_list_see create_proof_on_lead(void *ctx, const struct remote_lead *remote)
{
    struct read *r = ctx;
    struct wanted_key wanted = {0};
    if (!lead_scan_key(r->slice->batch->u, &r->slice->batch->target, remote, &wanted.hash))
        return LIST_DROP;
    struct wanted_key *k = bsearch(&wanted, r->keys, r->keys_n, sizeof *r->keys, create_proof_by_hash);
    if (k == NULL)
        return LIST_DROP;
    r->found_n += !k->found;
    k->found = true;
    return r->found_n == r->keys_n ? LIST_KEEP_LAST : LIST_KEEP;
}

static void create_proof_take(struct read *r, const struct remote_lead *remote, bool here)
{
    struct batch_slice *s = r->slice;
    uint64_t hash = r->by_key ? 0 : upload_email_hash(s->batch->u, remote->email);
    for (size_t k = r->first; k < r->first + r->n; k++) {
        if (!create_proof_is_open(s, k) || !create_proof_matches(r, s->index[k], remote, hash))
            continue;
        if (here)
            create_proof_found(s, s->index[k], remote);
        else
            create_proof_found_elsewhere(s, s->index[k], remote);
        break;
    }
}

/* Two passes: a lead in the target counts before one of the same address elsewhere. */
static void create_proof_take_all(struct read *r, const struct api_reply *reply)
{
    struct remote_lead remote;
    for (int pass = 0; pass < 2; pass++)
        for (size_t at = 0; api_reply_lead(reply, &at, &remote);)
            if (create_proof_in_target(r->slice->batch, &remote) == (pass == 0))
                create_proof_take(r, &remote, pass == 0);
}

/* ---- what was not found ---- */

static void create_proof_settle_rest(struct batch_slice *s, enum outcome outcome, enum reason reason)
{
    for (size_t k = 0; k < s->n; k++)
        if (create_proof_is_open(s, k))
            batch_entry_done(s->batch, s->index[k], outcome, reason, s->http_status);
    slice_free(s);
}

/* Counters of a smaller request tell more; those of a single lead are its own. */
static bool create_proof_may_ask_again(const struct batch_slice *s)
{
    return (s->account == ACCOUNT_AMBIGUOUS || s->account == ACCOUNT_SHORT) && s->asked_n > 1;
}

/* Sends what is still open */
static void create_proof_send_rest(struct batch_slice *s)
{
    struct upload *u = s->batch->u;
    struct err e = ERR_INIT;
    struct batch_slice *rest = slice_of_open(s, 0, s->n, &e);
    slice_free(s);
    if (rest == NULL)
        upload_fail(u, &e);
    else
        create_send(rest);
    err_clear(&e);
}

/* A repeat of a lead without an address would be a second lead. So when its request may have created it, it is not sent
 * again: neither in halves nor whole, in this run. */
static void create_proof_leave_nameless(struct batch_slice *s)
{
    bool accounted = create_proof_accounts(s) && s->account != ACCOUNT_SHORT && !create_proof_may_ask_again(s);
    for (size_t k = 0; k < s->n && !accounted; k++)
        if (create_proof_is_open(s, k) && s->batch->record.entries[s->index[k]].email.n == 0)
            batch_entry_stays_open(s->batch, s->index[k], s->http_status);
}

/* The last read is done: a lead that no read showed does not exist. */
static void create_proof_conclude(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    if (b->record.op == OP_CREATE && !b->earlier)
        create_proof_leave_nameless(s);
    if (b->earlier) {
        create_proof_settle_rest(s, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN);
    } else if (create_proof_may_ask_again(s)) {
        create_send_halves(s, s->trial == TRIAL_OVER ? TRIAL_OVER : TRIAL_WHOLE);
    } else if (create_proof_accounts(s)) {
        bool lags = s->absent_reason == REASON_IN_TARGET && b->u->c.mapping->mode != MODE_CREATE;
        create_proof_settle_rest(s, lags ? OUTCOME_DEFERRED : s->absent_outcome,
                                 lags ? REASON_OUTCOME_OPEN : s->absent_reason);
    } else if (s->round >= ROUNDS_MAX) {
        bool claimed = s->account == ACCOUNT_CLAIMED;
        create_proof_settle_rest(s, claimed ? OUTCOME_DEFERRED : OUTCOME_FAILED,
                                 claimed ? REASON_OUTCOME_OPEN : REASON_API_ERROR);
    } else {
        create_proof_send_rest(s);
    }
}

/* All list requests are answered. */
static void create_proof_read_done(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    bool no_email = false;
    size_t open_n = 0;
    for (size_t k = 0; k < s->n; k++)
        if (create_proof_is_open(s, k)) {
            s->index[open_n++] = s->index[k];
            no_email = no_email || b->record.entries[s->index[k]].email.n == 0;
        }
    s->n = open_n;
    s->attempt++;
    if (open_n == 0) {
        slice_free(s);
        return;
    }
    if (s->life == LIFE_CHECKING) {
        create_proof_send_rest(s);
        return;
    }
    if (b->u->stopping) {
        slice_leave_open(s);
        return;
    }
    /* If all leads are accounted for, halves say more than waiting; what an old run left open had its time to appear. */
    bool may_appear = s->account == ACCOUNT_SHORT || !create_proof_may_ask_again(s);
    if (b->earlier) {
        int64_t now_ms = b->u->c.clock->wall_ms(b->u->c.clock);
        /* A lead without an address would be doubled by a repeat, and its request may have waited long before it left. */
        may_appear = no_email || now_ms < b->first_sent_ms + b->u->c.mapping->limits.settle_ms;
    }
    if (!may_appear || s->attempt >= ATTEMPTS_MAX) {
        create_proof_conclude(s);
        return;
    }
    slice_wait_attempt(s, no_email, create_proof_start);
}

/* ---- asking ---- */

/* A read that failed leaves the whole batch open. Half of a read must not conclude anything. */
static void create_proof_read_answered(void *ctx, const struct api_reply *reply)
{
    struct read *r = ctx;
    struct batch_slice *s = r->slice;
    if (reply->skew_ms != 0)
        s->batch->u->skew_ms = reply->skew_ms;
    if (reply->class == API_OK) {
        create_proof_take_all(r, reply);
    } else if (reply->class != API_CANCELLED) {
        struct err e = ERR_INIT;
        if (reply->err != NULL)
            upload_fail(s->batch->u, reply->err);
        else
            err_set(&e, XS_API,
                    "Instantly refused leads/list (%d %.*s), so leadsync cannot read back the leads "
                    "that it sent; run again later",
                    reply->http_status, STR_ARG(reply->message));
        if (e.status != XS_DONE)
            upload_fail(s->batch->u, &e);
        err_clear(&e);
        batch_leave_open(s->batch);
    } else {
        batch_leave_open(s->batch);
    }
    free(r);
    if (--s->reads_n > 0)
        return;
    if (s->batch->life == LIFE_LEFT_OPEN)
        slice_free(s);
    else
        create_proof_read_done(s);
}

/* One request of a read: the addresses of a hundred leads, or all pages of the list for leads that have only a row key. */
static int create_proof_ask(struct batch_slice *s, size_t first, size_t n, bool by_key, struct err *e)
{
    struct batch_run *b = s->batch;
    struct str contacts[LEADS_LIST_MAX];
    struct leads_list list = {.urgent = true, .target = create_proof_accounts(s) ? NULL : &b->target};
    if (by_key)
        list.target = &b->target;
    for (size_t k = first; !by_key && k < first + n; k++) {
        const struct entry *entry = &b->record.entries[s->index[k]];
        if (entry->email.n > 0)
            contacts[list.contacts_n++] = entry->email;
    }
    if (!by_key && list.contacts_n == 0)
        return 0;
    list.contacts = contacts;
    struct read *r = malloc(sizeof *r + (by_key ? n : 0) * sizeof r->keys[0]);
    if (r == NULL)
        return err_oom(e);
    *r = (struct read){.slice = s, .first = first, .n = n, .by_key = by_key};
    if (by_key) {
        create_proof_want_keys(r);
        list.see = create_proof_on_lead;
    }
    if (api_leads_list(b->u->c.api, &list, create_proof_read_answered, r, e) != 0) {
        free(r);
        return -1;
    }
    s->reads_n++;
    return 0;
}

void create_proof_start(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    struct err e = ERR_INIT;
    bool no_email = false;
    int rc = 0;
    /* Counters that leave no doubt need no read: no lead explains a blocked or invalid address. */
    if (s->account == ACCOUNT_EXPLAINED && s->absent_reason != REASON_IN_TARGET &&
        s->absent_reason != create_elsewhere_reason(b)) {
        create_proof_settle_rest(s, s->absent_outcome, s->absent_reason);
        return;
    }
    for (size_t k = 0; k < s->n; k++) {
        struct entry_progress *progress = &b->progress[s->index[k]];
        struct str email = b->record.entries[s->index[k]].email;
        if (progress->email_hash == 0 && email.n > 0)
            progress->email_hash = upload_email_hash(b->u, email);
        no_email = no_email || email.n == 0;
    }
    slice_read(s);
    /* Counted from the start: an answer must not end the read while other requests are still being queued. */
    s->reads_n = 1;
    for (size_t first = 0; rc == 0 && first < s->n && s->life != LIFE_CHECKING; first += LEADS_LIST_MAX) {
        size_t n = s->n - first < LEADS_LIST_MAX ? s->n - first : LEADS_LIST_MAX;
        rc = create_proof_ask(s, first, n, false, &e);
    }
    if (rc == 0 && no_email)
        rc = create_proof_ask(s, 0, s->n, true, &e);
    if (rc != 0) {
        upload_fail(b->u, &e);
        batch_leave_open(b);
    }
    err_clear(&e);
    if (--s->reads_n == 0) {
        if (b->life == LIFE_LEFT_OPEN)
            slice_free(s);
        else
            create_proof_read_done(s);
    }
}
