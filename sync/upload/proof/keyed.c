/* Leads without an address, before a state that may not know them sends them.
 *
 * A repeat of an address is counted by the API as a duplicate and changes nothing; without one it makes a second lead.
 * A state that has never seen its source to the end (it is new, or an old one was lost) may therefore not just send them:
 * their list is looked through once for row keys (leadsync_key), and a batch that has one of those keys is read back
 * before it is sent. In a list without any that costs its pages, once a run. */
#include "config.h"

#include "sync/upload/work.h"

#include <stdlib.h>

#include "sync/base/log.h"
#include "sync/base/text.h"

/* 32 MB. With more keys in the list every batch looks for its own. */
enum { HASHES_MAX = 4 << 20 };

struct keyed_list {
    struct keyed_list *next;
    struct upload *u;
    struct target target;
    bool looked, too_many, no_memory;
    uint64_t *hashes;      /* of the row keys that are there; sorted when looked */
    size_t n, cap;
    struct part *waiting;  /* for the look to end */
};

static int by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool add_hash(struct keyed_list *l, uint64_t hash)
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
static enum leads_list_see see_key(void *ctx, struct json_object *item)
{
    struct keyed_list *l = ctx;
    uint64_t hash;
    if (l->too_many || !readback_key(l->u, &l->target, item, &hash))
        return LIST_DROP;
    l->too_many = l->n == HASHES_MAX;
    if (!l->too_many && !add_hash(l, hash))
        l->no_memory = true;
    return LIST_DROP;
}

static bool has_key(const struct keyed_list *l, const struct part *p)
{
    for (size_t k = 0; k < p->n; k++) {
        const struct entry *entry = &p->work->batch.entries[p->index[k]];
        uint64_t hash = readback_key_hash(l->u, entry->key_text);
        if (entry->email.n == 0 &&
            (l->too_many || (l->n > 0 && bsearch(&hash, l->hashes, l->n, sizeof hash, by_hash) != NULL)))
            return true;
    }
    return false;
}

static void go_on(const struct keyed_list *l, struct part *p)
{
    if (!upload_ended(l->u) && has_key(l, p))
        readback_start(p);
    else
        create_send(p); /* or, when the upload has ended, its end: nothing was sent */
}

static void listed(void *ctx, const struct api_reply *reply)
{
    struct keyed_list *l = ctx;
    struct err e = ERR_INIT;
    l->looked = true;
    if (reply->class == API_OK && l->no_memory)
        upload_fail_oom(l->u);
    else if (reply->class != API_OK && reply->err != NULL)
        upload_fail(l->u, reply->err);
    else if (reply->class != API_OK && reply->class != API_CANCELLED) {
        err_set(&e, XS_API, "leads/list was refused (%d %.*s): leads without an address cannot be looked for; run again "
                "later", reply->http_status, STR_ARG(reply->message));
        upload_fail(l->u, &e);
    } else if (reply->class == API_CANCELLED)
        l->too_many = true; /* nothing is known */
    err_clear(&e);
    if (l->n > 0)
        qsort(l->hashes, l->n, sizeof *l->hashes, by_hash);
    if (l->n > 0 && !l->too_many)
        log_notice("the list has %zu lead%s with row keys: those of this source are linked, not created again", l->n,
                   text_plural(l->n));
    while (l->waiting != NULL) {
        struct part *p = l->waiting;
        l->waiting = p->next;
        go_on(l, p);
    }
}

static struct keyed_list *list_of(struct upload *u, const struct target *target, struct err *e)
{
    struct keyed_list *l = u->keyed;
    while (l != NULL && !uuid_eq(&l->target.id, &target->id))
        l = l->next;
    if (l != NULL)
        return l;
    if ((l = calloc(1, sizeof *l)) == NULL) {
        err_oom(e);
        return NULL;
    }
    *l = (struct keyed_list){.next = u->keyed, .u = u, .target = *target};
    u->keyed = l;
    const struct leads_list all = {.urgent = true, .target = &l->target, .see = see_key};
    if (api_leads_list(u->c.api, &all, listed, l, e) == 0)
        return l;
    l->looked = true;
    return NULL;
}

void keyed_start(struct part *p)
{
    struct work *w = p->work;
    struct err e = ERR_INIT;
    bool nameless = false;
    for (size_t k = 0; k < p->n; k++)
        nameless = nameless || w->batch.entries[p->index[k]].email.n == 0;
    if (!nameless || !w->u->c.look_first || w->target.kind != TARGET_LIST || upload_ended(w->u)) {
        create_send(p);
        return;
    }
    struct keyed_list *l = list_of(w->u, &w->target, &e);
    if (l == NULL) {
        upload_fail(w->u, &e);
        err_clear(&e);
        create_send(p);
    } else if (l->looked) {
        go_on(l, p);
    } else {
        p->next = l->waiting;
        l->waiting = p;
    }
}

void keyed_free(struct upload *u)
{
    while (u->keyed != NULL) {
        struct keyed_list *l = u->keyed;
        u->keyed = l->next;
        while (l->waiting != NULL) {
            struct part *p = l->waiting;
            l->waiting = p->next;
            free(p);
        }
        free(l->hashes);
        free(l);
    }
}
