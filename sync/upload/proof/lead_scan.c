/* Leads without an address, before a state that may not know them sends them.
 *
 * A repeat of an address is counted by the API as a duplicate and changes nothing; without one it makes a second lead.
 * A state that has never seen its source to the end (it is new, or an old one was lost) may therefore not just send them:
 * their list is looked through once for row keys (leadsync_key), and a batch that has one of those keys is read back
 * before it is sent. In a list without any that costs its pages, once a run. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <stdlib.h>

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/upload/proof/proof.h"

/* 32 MB. With more keys in the list, every batch is read back first. */
enum { HASHES_MAX = 4 << 20 };

struct lead_scan {
    struct lead_scan *next;
    struct upload *u;
    struct target target;
    bool complete, too_many, no_memory;
    uint64_t *hashes; /* of the row keys that are there; sorted when complete */
    size_t n, cap;
    struct batch_slice *waiting; /* for the read to end */
};

static int lead_scan_by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

uint64_t lead_scan_key_hash(const struct upload *u, struct str key)
{
    return hash_keyed64(state_secret(u->c.state), key.p, key.n);
}

bool lead_scan_key(const struct upload *u, const struct target *target, const struct remote_lead *remote, uint64_t *hash)
{
    struct value key;
    api_remote_custom(remote, STR("leadsync_key"), &key);
    if (key.kind != VALUE_STRING || !api_remote_is_in(remote, target))
        return false;
    *hash = lead_scan_key_hash(u, (struct str){key.p, key.n});
    return true;
}

static bool lead_scan_add_hash(struct lead_scan *l, uint64_t hash)
{
    if (l->n == l->cap) {
        size_t cap = l->cap > 0 ? 2 * l->cap : 1024;
        uint64_t *more = realloc(l->hashes, cap * sizeof *more);
        if (more == NULL)
            return false;
        l->hashes = more;
        l->cap = cap;
    }
    l->hashes[l->n++] = hash;
    return true;
}

/* Nothing is kept of the list but the keys. */
static enum leads_list_see lead_scan_on_lead(void *ctx, const struct remote_lead *remote)
{
    struct lead_scan *l = ctx;
    uint64_t hash;
    if (l->too_many || !lead_scan_key(l->u, &l->target, remote, &hash))
        return LIST_DROP;
    l->too_many = l->n == HASHES_MAX;
    if (!l->too_many && !lead_scan_add_hash(l, hash))
        l->no_memory = true;
    return LIST_DROP;
}

static bool lead_scan_has_key(const struct lead_scan *l, const struct batch_slice *s)
{
    for (size_t k = 0; k < s->n; k++) {
        const struct entry *entry = &s->batch->record.entries[s->index[k]];
        uint64_t hash = lead_scan_key_hash(l->u, entry->key_text);
        if (entry->email.n == 0 &&
            (l->too_many || (l->n > 0 && bsearch(&hash, l->hashes, l->n, sizeof hash, lead_scan_by_hash) != NULL)))
            return true;
    }
    return false;
}

static void lead_scan_send(const struct lead_scan *l, struct batch_slice *s)
{
    if (!upload_ended(l->u) && lead_scan_has_key(l, s))
        create_proof_start(s);
    else
        create_send(s); /* or, when the upload has ended, its end: nothing was sent */
}

static void lead_scan_answered(void *ctx, const struct api_reply *reply)
{
    struct lead_scan *l = ctx;
    struct err e = ERR_INIT;
    l->complete = true;
    if (reply->class == API_OK && l->no_memory)
        upload_fail_oom(l->u);
    else if (reply->class != API_OK && reply->err != NULL)
        upload_fail(l->u, reply->err);
    else if (reply->class != API_OK && reply->class != API_CANCELLED) {
        err_set(&e, XS_API,
                "Instantly refused leads/list (%d %.*s), so leadsync cannot search for leads without an "
                "address; run again later",
                reply->http_status, STR_ARG(reply->message));
        upload_fail(l->u, &e);
    } else if (reply->class == API_CANCELLED)
        l->too_many = true; /* nothing is known */
    err_clear(&e);
    if (l->n > 0)
        qsort(l->hashes, l->n, sizeof *l->hashes, lead_scan_by_hash);
    if (l->n > 0 && !l->too_many)
        log_notice("the list has %zu lead%s with row keys: those of this source are linked, not created again", l->n,
                   text_plural(l->n));
    while (l->waiting != NULL) {
        struct batch_slice *s = l->waiting;
        l->waiting = s->next;
        lead_scan_send(l, s);
    }
}

static struct lead_scan *lead_scan_of(struct upload *u, const struct target *target, struct err *e)
{
    struct lead_scan *l = u->lead_scans;
    while (l != NULL && !uuid_eq(&l->target.id, &target->id))
        l = l->next;
    if (l != NULL)
        return l;
    if ((l = calloc(1, sizeof *l)) == NULL) {
        err_oom(e);
        return NULL;
    }
    *l = (struct lead_scan){.next = u->lead_scans, .u = u, .target = *target};
    u->lead_scans = l;
    const struct leads_list all = {.urgent = true, .target = &l->target, .see = lead_scan_on_lead};
    if (api_leads_list(u->c.api, &all, lead_scan_answered, l, e) == 0)
        return l;
    l->complete = true;
    return NULL;
}

void lead_scan_start(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    struct err e = ERR_INIT;
    bool nameless = false;
    for (size_t k = 0; k < s->n; k++)
        nameless = nameless || b->record.entries[s->index[k]].email.n == 0;
    if (!nameless || !b->u->c.check_first || b->target.kind != TARGET_LIST || upload_ended(b->u)) {
        create_send(s);
        return;
    }
    struct lead_scan *l = lead_scan_of(b->u, &b->target, &e);
    if (l == NULL) {
        upload_fail(b->u, &e);
        err_clear(&e);
        create_send(s);
    } else if (l->complete) {
        lead_scan_send(l, s);
    } else {
        slice_park(s);
        s->next = l->waiting;
        l->waiting = s;
    }
}

void lead_scans_free(struct upload *u)
{
    while (u->lead_scans != NULL) {
        struct lead_scan *l = u->lead_scans;
        u->lead_scans = l->next;
        free(l->hashes);
        free(l);
    }
}
