/* Reading back: what is there decides, never what was probably sent.
 *
 * Filtered lists lag behind writes by seconds (observed), so what is not found is looked for again after 1, 2 and 4
 * seconds (limits.settle scales the sum) before anything is concluded. Leads without an address can only be found by
 * their row key among all leads of the list, and a repeat would double them: they get more time and are never sent
 * again in the same run. Answers are filtered again here, because the API ignores filters that it does not know. */
#include "config.h"

#include "sync/upload/work.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/hash.h"
#include "sync/base/log.h"
#include "sync/plan/plan.h"

enum { SKEW_MARGIN_MS = 2000 };

struct read {
    struct part *part;
    size_t first, n;   /* slice of the part's index */
    bool by_key;       /* all leads of the list, matched by leadsync_key */
    size_t keys_n, found_n;
    struct wanted_key {
        uint64_t hash;
        bool found;
    } keys[];          /* by_key: of the leads that are looked for, sorted */
};

static bool is_open(const struct part *p, size_t k)
{
    return work_is_open(p->work, p->index[k]);
}

static bool in_target(const struct work *w, const struct remote_lead *r)
{
    return look_is_in(&w->target, r);
}

/* A look before the first request (keyed.c). */
static bool is_first_look(const struct part *p)
{
    return p->round == 0;
}

static void give_up(struct part *p)
{
    work_leave_open(p->work);
    part_free(p);
}

/* ---- what was found ---- */

/* A value that the API does not tell is only taken for granted in a lead
 * that we created ourselves, with it; anywhere else it is written, again if need be. */
bool readback_differs(struct work *w, uint32_t i, const struct lead *wanted, const struct remote_lead *remote, bool ours,
                      uint32_t *fields, bool *custom)
{
    const enum overwrite *rules = w->u->c.mapping->overwrite;
    bool ruled = wanted->shape == &w->u->c.mapping->shape, any = false;
    const struct aim *aim = &w->aims[i];
    bool only_changed = w->batch.op != OP_CREATE && (aim->fields != 0 || aim->custom_changed.n > 0);
    *fields = 0;
    for (int f = 0; f < LEAD_FIELD_N; f++) {
        struct value there;
        api_remote_field(remote, (enum lead_field)f, &there);
        bool untold = there.kind == VALUE_ABSENT && lead_field_table[f].payload[0] == '\0';
        if (f == LEAD_EMAIL || (only_changed && (aim->fields & 1U << f) == 0) || (untold && ours))
            continue;
        if (plan_value_changes(&there, &wanted->core[f], ruled ? rules[f] : OVERWRITE_ALWAYS))
            *fields |= 1U << f;
    }
    for (size_t c = 0; c < wanted->shape->custom_n; c++) {
        struct value there;
        api_remote_custom(remote, wanted->shape->custom_names[c], &there);
        bool mine = !only_changed || (c < aim->custom_changed.n && aim->custom_changed.p[c] != 0);
        custom[c] = mine && plan_value_changes(&there, &wanted->custom[c],
                                               ruled ? rules[LEAD_FIELD_N + c] : OVERWRITE_ALWAYS);
        any = any || custom[c];
    }
    return *fields != 0 || any;
}

static bool created_by_us(const struct part *p, const struct remote_lead *remote)
{
    const struct work *w = p->work;
    bool may_have_arrived = !is_first_look(p) && (!p->attribute || p->unexplained || p->round > 1);
    /* A request that was lost told no time: any other answer of the same server does. */
    int64_t skew_ms = w->skew_ms != 0 ? w->skew_ms : w->u->skew_ms;
    return may_have_arrived && remote->created_ms >= w->first_sent_ms + skew_ms - SKEW_MARGIN_MS;
}

/* A lead that is in the target: ours, or met there for the first time. */
static void found_create(struct part *p, uint32_t i, struct lead *wanted, const struct remote_lead *remote, bool *custom)
{
    struct work *w = p->work;
    struct aim *aim = &w->aims[i];
    bool conflict = false;
    struct err e = ERR_INIT;
    uint32_t fields;
    /* Once: a look after a PATCH meets the same lead. */
    if (!aim->met) {
        aim->ours = created_by_us(p, remote);
        if (rekey_meet(w, i, &remote->id, &aim->ours, &conflict, &e) != 0)
            upload_fail(w->u, &e);
        err_clear(&e);
    }
    aim->met = true;
    if (conflict)
        return;
    bool ours = aim->ours;
    if (w->u->c.mapping->mode == MODE_CREATE) {
        /* Never patched, whatever became of its values. */
        work_entry_done(w, i, ours ? OUTCOME_CREATED : OUTCOME_SKIPPED, ours ? REASON_NONE : REASON_IN_TARGET,
                        p->http_status);
        return;
    }
    enum outcome proved = ours ? OUTCOME_CREATED : w->aims[i].rounds > 0 ? OUTCOME_CHANGED : OUTCOME_UNCHANGED;
    if (!readback_differs(w, i, wanted, remote, ours, &fields, custom))
        work_entry_done(w, i, proved, REASON_NONE, p->http_status);
    else if (w->earlier)
        work_entry_done(w, i, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
    else if (w->aims[i].rounds >= ROUNDS_MAX)
        work_entry_done(w, i, OUTCOME_FAILED, REASON_API_ERROR, p->http_status);
    else
        update_patch(w, i, wanted, fields, custom, remote, ours ? OUTCOME_CREATED : OUTCOME_CHANGED);
}

static void found(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    struct work *w = p->work;
    struct entry *entry = &w->batch.entries[i];
    struct lead wanted;
    arena_reset(&w->u->scratch);
    entry->has_lead_id = true;
    entry->lead_id = remote->id;
    bool *custom = NULL;
    if (work_lead(w, i, &w->u->scratch, &wanted) == 0)
        custom = arena_calloc(&w->u->scratch, wanted.shape->custom_n + 1, sizeof *custom);
    if (custom == NULL)
        upload_fail_oom(w->u);
    else
        found_create(p, i, &wanted, remote, custom);
}

/* In the workspace, but not in the target: does that explain why it was not created? */
static void found_elsewhere(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    struct work *w = p->work;
    enum dedupe_scope scope = w->u->c.mapping->dedupe;
    bool explains = scope == DEDUPE_WORKSPACE || (scope == DEDUPE_ANY_CAMPAIGN && remote->has_campaign) ||
                    (scope == DEDUPE_ANY_LIST && remote->has_list);
    if (p->attribute && explains) {
        work_detail_place(w, i, remote);
        work_entry_done(w, i, OUTCOME_SKIPPED, create_elsewhere_reason(w), p->http_status);
    }
}

static bool key_matches(struct part *p, uint32_t i, const struct remote_lead *remote)
{
    struct value key;
    api_remote_custom(remote, STR("leadsync_key"), &key);
    struct str text = p->work->batch.entries[i].key_text;
    return key.kind == VALUE_STRING && str_eq((struct str){key.p, key.n}, text);
}

static bool matches(struct read *r, uint32_t i, const struct remote_lead *remote, uint64_t hash)
{
    struct work *w = r->part->work;
    if (r->by_key)
        return w->batch.entries[i].email.n == 0 && key_matches(r->part, i, remote);
    return hash != 0 && w->aims[i].email_hash == hash;
}

/* ---- among all leads of the list ---- */

static int by_hash(const void *a, const void *b)
{
    uint64_t x = ((const struct wanted_key *)a)->hash, y = ((const struct wanted_key *)b)->hash;
    return (x > y) - (x < y);
}

uint64_t readback_key_hash(const struct upload *u, struct str key)
{
    return hash_keyed64(state_secret(u->c.state), key.p, key.n);
}

bool readback_key(const struct upload *u, const struct target *target, struct json_object *item, uint64_t *hash)
{
    struct remote_lead remote;
    struct err ignored = ERR_INIT;
    struct value key = {0};
    bool readable = api_remote_lead_read(item, &remote, &ignored) == 0;
    err_clear(&ignored);
    if (readable)
        api_remote_custom(&remote, STR("leadsync_key"), &key);
    if (!readable || key.kind != VALUE_STRING || !look_is_in(target, &remote))
        return false;
    *hash = readback_key_hash(u, (struct str){key.p, key.n});
    return true;
}

static void want_keys(struct read *r)
{
    const struct part *p = r->part;
    for (size_t k = 0; k < p->n; k++) {
        const struct entry *entry = &p->work->batch.entries[p->index[k]];
        if (is_open(p, k) && entry->email.n == 0)
            r->keys[r->keys_n++] = (struct wanted_key){readback_key_hash(p->work->u, entry->key_text), false};
    }
    qsort(r->keys, r->keys_n, sizeof *r->keys, by_hash);
}

/* A list may have millions of leads: only those with a key of ours are kept, and when all are found the rest of it is
 * not asked for. */
static enum leads_list_see see_key(void *ctx, struct json_object *item)
{
    struct read *r = ctx;
    struct wanted_key wanted = {0};
    if (!readback_key(r->part->work->u, &r->part->work->target, item, &wanted.hash))
        return LIST_DROP;
    struct wanted_key *k = bsearch(&wanted, r->keys, r->keys_n, sizeof *r->keys, by_hash);
    if (k == NULL)
        return LIST_DROP;
    r->found_n += !k->found;
    k->found = true;
    return r->found_n == r->keys_n ? LIST_KEEP_LAST : LIST_KEEP;
}

/* Two passes: a lead in the target counts before one of the same address elsewhere. */
static void take_items(struct read *r, struct json_object *items)
{
    struct part *p = r->part;
    struct work *w = p->work;
    size_t n = json_object_is_type(items, json_type_array) ? json_object_array_length(items) : 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t item = 0; item < n; item++) {
            struct remote_lead remote;
            struct err e = ERR_INIT;
            if (api_remote_lead_read(json_object_array_get_idx(items, item), &remote, &e) != 0) {
                log_detail("a lead of leads/list cannot be read: %s", err_text(&e));
                err_clear(&e);
                continue;
            }
            bool here = in_target(w, &remote);
            if (here != (pass == 0))
                continue;
            uint64_t hash = r->by_key ? 0 : email_hash(w->u, remote.email);
            for (size_t k = r->first; k < r->first + r->n; k++) {
                if (!is_open(p, k) || !matches(r, p->index[k], &remote, hash))
                    continue;
                if (here)
                    found(p, p->index[k], &remote);
                else
                    found_elsewhere(p, p->index[k], &remote);
                break;
            }
        }
}

/* ---- what was not found ---- */

static void settle_rest(struct part *p, enum outcome outcome, enum reason reason)
{
    for (size_t k = 0; k < p->n; k++)
        if (is_open(p, k))
            work_entry_done(p->work, p->index[k], outcome, reason, p->http_status);
    part_free(p);
}

/* Counters of a smaller request tell more; those of a single lead are its own. */
static bool may_ask_again(const struct part *p)
{
    return p->attribute && p->ambiguous && p->asked_n > 1;
}

/* Sends what is still open; owns the part. */
static void send_rest(struct part *p)
{
    struct upload *u = p->work->u;
    struct err e = ERR_INIT;
    struct part *rest = part_open(p, 0, p->n, &e);
    part_free(p);
    if (rest == NULL)
        upload_fail(u, &e);
    else
        create_send(rest);
    err_clear(&e);
}

/* A repeat of a lead without an address would be a second lead. So when its request may have created it, it is not sent
 * again: neither in halves nor whole, in this run. */
static void leave_nameless(struct part *p)
{
    bool accounted = p->attribute && !p->unexplained && !may_ask_again(p);
    for (size_t k = 0; k < p->n && !accounted; k++)
        if (is_open(p, k) && p->work->batch.entries[p->index[k]].email.n == 0)
            work_entry_stays_open(p->work, p->index[k], p->http_status);
}

/* Looked for often enough: it is not there. */
static void conclude(struct part *p)
{
    struct work *w = p->work;
    if (w->batch.op == OP_CREATE && !w->earlier)
        leave_nameless(p);
    if (w->earlier) {
        settle_rest(p, OUTCOME_DEFERRED, REASON_OUTCOME_OPEN);
    } else if (may_ask_again(p)) {
        create_send_halves(p);
    } else if (p->attribute) {
        bool lags = p->absent_reason == REASON_IN_TARGET && w->u->c.mapping->mode != MODE_CREATE;
        settle_rest(p, lags ? OUTCOME_DEFERRED : p->absent_outcome, lags ? REASON_OUTCOME_OPEN : p->absent_reason);
    } else if (p->round >= ROUNDS_MAX) {
        settle_rest(p, p->claimed ? OUTCOME_DEFERRED : OUTCOME_FAILED,
                    p->claimed ? REASON_OUTCOME_OPEN : REASON_API_ERROR);
    } else {
        send_rest(p);
    }
}

/* All reads of a look are answered. */
static void looked(struct part *p)
{
    struct work *w = p->work;
    bool no_email = false;
    size_t open_n = 0;
    for (size_t k = 0; k < p->n; k++)
        if (is_open(p, k)) {
            p->index[open_n++] = p->index[k];
            no_email = no_email || w->batch.entries[p->index[k]].email.n == 0;
        }
    p->n = open_n;
    p->look++;
    if (open_n == 0) {
        part_free(p);
        return;
    }
    if (is_first_look(p)) {
        send_rest(p);
        return;
    }
    if (w->u->stopping) {
        give_up(p);
        return;
    }
    /* Halves tell more than waiting where all leads are accounted for; what an old run left open had its time to appear. */
    bool may_appear = p->unexplained || !may_ask_again(p);
    if (w->earlier) {
        int64_t now_ms = w->u->c.clock->wall_ms(w->u->c.clock);
        /* A lead without an address would be doubled by a repeat, and its request may have waited long before it left. */
        may_appear = no_email || now_ms < w->first_sent_ms + w->u->c.mapping->limits.settle_ms;
    }
    if (!may_appear || p->look >= LOOKS_MAX) {
        conclude(p);
        return;
    }
    part_wait_look(p, no_email, readback_start);
}

/* ---- asking ---- */

static void read_answered(void *ctx, const struct api_reply *reply)
{
    struct read *r = ctx;
    struct part *p = r->part;
    if (reply->skew_ms != 0)
        p->work->u->skew_ms = reply->skew_ms;
    if (reply->class == API_OK) {
        take_items(r, reply->json);
    } else if (reply->class != API_CANCELLED) {
        struct err e = ERR_INIT;
        if (reply->err != NULL)
            upload_fail(p->work->u, reply->err);
        else
            err_set(&e, XS_API, "leads/list was refused (%d %.*s): what was sent cannot be read back; run again later",
                    reply->http_status, STR_ARG(reply->message));
        if (e.status != XS_DONE)
            upload_fail(p->work->u, &e);
        err_clear(&e);
        work_leave_open(p->work);
    } else {
        work_leave_open(p->work);
    }
    free(r);
    if (--p->reads_n > 0)
        return;
    if (p->work->left_open)
        part_free(p);
    else
        looked(p);
}

static int ask(struct part *p, size_t first, size_t n, bool by_key, struct err *e)
{
    struct work *w = p->work;
    struct str contacts[LEADS_LIST_MAX];
    struct leads_list list = {.urgent = true, .target = p->attribute ? NULL : &w->target};
    if (by_key)
        list.target = &w->target;
    for (size_t k = first; !by_key && k < first + n; k++) {
        const struct entry *entry = &w->batch.entries[p->index[k]];
        if (entry->email.n > 0)
            contacts[list.contacts_n++] = entry->email;
    }
    if (!by_key && list.contacts_n == 0)
        return 0;
    list.contacts = contacts;
    struct read *r = malloc(sizeof *r + (by_key ? n : 0) * sizeof r->keys[0]);
    if (r == NULL)
        return err_oom(e);
    *r = (struct read){.part = p, .first = first, .n = n, .by_key = by_key};
    if (by_key) {
        want_keys(r);
        list.see = see_key;
    }
    if (api_leads_list(w->u->c.api, &list, read_answered, r, e) != 0) {
        free(r);
        return -1;
    }
    p->reads_n++;
    return 0;
}

void readback_start(struct part *p)
{
    struct work *w = p->work;
    struct err e = ERR_INIT;
    bool no_email = false;
    int rc = 0;
    /* Counters that leave no doubt need no look: nothing there explains a blocked or invalid address. */
    if (p->attribute && !p->ambiguous && p->absent_reason != REASON_IN_TARGET &&
        p->absent_reason != create_elsewhere_reason(w)) {
        settle_rest(p, p->absent_outcome, p->absent_reason);
        return;
    }
    for (size_t k = 0; k < p->n; k++) {
        struct aim *aim = &w->aims[p->index[k]];
        struct str email = w->batch.entries[p->index[k]].email;
        if (aim->email_hash == 0 && email.n > 0)
            aim->email_hash = email_hash(w->u, email);
        no_email = no_email || email.n == 0;
    }
    /* Held until all are asked: an answer must not end the look while others are still being queued. */
    p->reads_n = 1;
    for (size_t first = 0; rc == 0 && first < p->n && !is_first_look(p); first += LEADS_LIST_MAX) {
        size_t n = p->n - first < LEADS_LIST_MAX ? p->n - first : LEADS_LIST_MAX;
        rc = ask(p, first, n, false, &e);
    }
    if (rc == 0 && no_email)
        rc = ask(p, 0, p->n, true, &e);
    if (rc != 0) {
        upload_fail(w->u, &e);
        work_leave_open(w);
    }
    err_clear(&e);
    if (--p->reads_n == 0) {
        if (w->left_open)
            part_free(p);
        else
            looked(p);
    }
}
