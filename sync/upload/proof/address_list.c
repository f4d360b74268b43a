/* The address of a lead whose id is gone, when the state has it as a hash only (values: hashed) and no row brings it.
 *
 * A removal of such a lead, or a row that has another address now, has nothing by which Instantly could be asked for it. So
 * its target is read whole, once per run and only when an id is gone, and the addresses in it are compared with the hashes. A
 * lead that matches is then looked for by its address, as any other lead. A target with more addresses than are kept proves
 * nothing about the leads that are not among them: these do not count as gone. */
#include "config.h"

#include "sync/upload/upload_int.h"

#include <stdlib.h>

#include "sync/base/log.h"
#include "sync/upload/operation.h"
#include "sync/upload/proof/proof.h"

/* Together 32 MB. */
enum { KNOWN_MAX = 1 << 24, ADDRESSES_MAX = 1 << 20, TEXT_MAX_BYTES = 16 << 20 };

struct address {
    uint64_t hash;
    uint32_t at, n; /* its text */
};

struct address_list {
    struct address_list *next;
    struct upload *u;
    uint32_t place; /* the state's number of it */
    struct target target;
    bool asked, complete, too_many, no_memory;
    unsigned empty_n; /* reads that showed no lead at all, which a list may do of any target */
    uint64_t seen_n;
    struct address *addresses; /* sorted when complete */
    size_t n, cap;
    struct buf text;
    struct batch_slice *waiting; /* for the read to end */
};

static int address_list_compare(const void *a, const void *b)
{
    uint64_t x = ((const struct address *)a)->hash, y = ((const struct address *)b)->hash;
    return (x > y) - (x < y);
}

/* Is the address of the k-th lead of the slice still to be looked for: of the lead whose place a create takes, or of the
 * entry's own? */
static bool address_list_wants(const struct batch_slice *s, size_t k)
{
    const struct batch_run *b = s->batch;
    if (b->progress[s->index[k]].listed)
        return false;
    if (b->record.op == OP_CREATE)
        return rekey_check_wants(s, k);
    return b->record.source != 0 && lead_read_wants(s, k) && b->record.entries[s->index[k]].email.n == 0;
}

/* Its hashes, and the number of the place where the lead was; false: it needs none, or the state has none. */
static bool address_list_hashes(struct batch_slice *s, size_t k, struct arena *arena, struct str *hashes, uint32_t *place)
{
    struct upload *u = s->batch->u;
    const struct entry *entry = &s->batch->record.entries[s->index[k]];
    struct known_lead known;
    struct err e = ERR_INIT;
    if (!address_list_wants(s, k))
        return false;
    arena_reset(arena);
    int rc = state_lead_get(u->c.state, &entry->key, arena, &known, &e);
    if (rc < 0)
        upload_fail(u, &e);
    err_clear(&e);
    *hashes = rc == 1 ? known.hashes : STR_NONE;
    *place = rc == 1 && s->batch->record.op == OP_CREATE ? known.target : s->batch->record.source;
    return hashes->n > 0;
}

static bool address_list_add(struct address_list *l, struct str email)
{
    if (l->n == l->cap) {
        size_t cap = l->cap > 0 ? 2 * l->cap : 1024;
        struct address *more = reallocarray(l->addresses, cap, sizeof *more);
        if (more == NULL)
            return false;
        l->addresses = more;
        l->cap = cap;
    }
    size_t at = buf_str(&l->text).n;
    l->addresses[l->n] = (struct address){state_address_hash(l->u->c.state, email), (uint32_t)at, (uint32_t)email.n};
    if (l->addresses[l->n].hash == 0 || buf_add(&l->text, email.p, email.n) != 0)
        return false;
    l->n++;
    return true;
}

/* Nothing is kept of the leads but the addresses. */
static enum leads_list_see address_list_on_lead(void *ctx, const struct remote_lead *remote)
{
    struct address_list *l = ctx;
    if (!api_remote_is_in(remote, &l->target))
        return LIST_DROP;
    l->seen_n++;
    if (remote->email.n == 0 || l->too_many || l->no_memory)
        return LIST_DROP;
    l->too_many = l->n == ADDRESSES_MAX || buf_str(&l->text).n + remote->email.n > TEXT_MAX_BYTES;
    if (!l->too_many && !address_list_add(l, remote->email))
        l->no_memory = true;
    return LIST_DROP;
}

static const struct address *address_list_find(const struct address_list *l, struct str hashes)
{
    struct address wanted = {0};
    for (size_t i = 0; l->n > 0 && state_hash_at(hashes, i, &wanted.hash); i++) {
        const struct address *found = bsearch(&wanted, l->addresses, l->n, sizeof wanted, address_list_compare);
        if (found != NULL)
            return found;
    }
    return NULL;
}

/* Entries whose address is in the list have it from now on. */
static void address_list_take(const struct address_list *l, struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    struct arena arena;
    arena_init(&arena, KNOWN_MAX);
    for (size_t k = 0; k < s->n; k++) {
        struct str hashes;
        uint32_t place;
        struct entry *entry = &b->record.entries[s->index[k]];
        struct entry_progress *progress = &b->progress[s->index[k]];
        if (!address_list_hashes(s, k, &arena, &hashes, &place) || place != l->place)
            continue;
        progress->listed = true;
        const struct address *found = address_list_find(l, hashes);
        struct str *address = b->record.op == OP_CREATE ? &progress->old_address : &entry->email;
        if (found != NULL && arena_str(&b->arena, (struct str){buf_str(&l->text).p + found->at, found->n}, address) != 0)
            upload_fail_oom(b->u);
        if (found != NULL || !l->too_many)
            continue;
        entry->detail = STR("its id is gone, and its place has too many leads to look for its address by a hash");
        batch_entry_done(b, s->index[k], OUTCOME_DEFERRED, REASON_OUTCOME_OPEN, 0);
    }
    arena_free(&arena);
    address_list_read(s);
}

static void address_list_answered(void *ctx, const struct api_reply *reply)
{
    struct address_list *l = ctx;
    struct err e = ERR_INIT;
    bool shows_nothing = reply->class == API_OK && l->seen_n == 0 && ++l->empty_n < ATTEMPTS_MAX;
    struct batch_slice *slices = l->waiting;
    l->waiting = NULL;
    l->asked = false;
    l->complete = reply->class == API_OK && !shows_nothing;
    if (l->no_memory)
        upload_fail_oom(l->u);
    else if (reply->err != NULL)
        upload_fail(l->u, reply->err);
    else if (reply->class != API_OK && reply->class != API_CANCELLED) {
        err_set(&e, XS_API,
                "Instantly refused leads/list (%d %.*s), so leadsync cannot search for leads whose ids no "
                "longer exist; run again later",
                reply->http_status, STR_ARG(reply->message));
        upload_fail(l->u, &e);
    }
    err_clear(&e);
    if (l->complete && l->n > 0)
        qsort(l->addresses, l->n, sizeof *l->addresses, address_list_compare);
    while (slices != NULL) {
        struct batch_slice *s = slices;
        slices = s->next;
        s->attempt = l->empty_n;
        if (upload_ended(l->u) || reply->class != API_OK)
            s->stopped(s);
        else if (l->complete)
            address_list_take(l, s);
        else
            slice_wait_attempt(s, false, address_list_read);
    }
}

static void address_list_ask(struct address_list *l)
{
    struct err e = ERR_INIT;
    const struct leads_list all = {.urgent = true, .target = &l->target, .see = address_list_on_lead};
    l->asked = true;
    if (l->empty_n == 0)
        log_notice("some ids of leads no longer exist, and the state has only hashes of their addresses: "
                   "searching their campaigns and lists");
    if (api_leads_list(l->u->c.api, &all, address_list_answered, l, &e) != 0) {
        const struct api_reply failed = {.class = API_FAILED, .err = &e};
        address_list_answered(l, &failed);
    }
    err_clear(&e);
}

static struct address_list *address_list_of(struct upload *u, uint32_t place)
{
    struct err e = ERR_INIT;
    struct address_list *l = u->address_lists;
    while (l != NULL && l->place != place)
        l = l->next;
    const struct target *target = l == NULL ? targets_get(u->c.targets, u->c.state, place, &e) : NULL;
    if (target != NULL && (l = calloc(1, sizeof *l)) == NULL)
        err_oom(&e);
    if (target != NULL && l != NULL) {
        *l = (struct address_list){.next = u->address_lists,
                                   .u = u,
                                   .place = place,
                                   .target = *target,
                                   .text = BUF_INIT(TEXT_MAX_BYTES)};
        u->address_lists = l;
    }
    if (l == NULL)
        upload_fail(u, &e);
    err_clear(&e);
    return l;
}

void address_list_read(struct batch_slice *s)
{
    struct batch_run *b = s->batch;
    struct str hashes;
    uint32_t place = 0;
    bool wanted = false;
    struct arena arena;
    arena_init(&arena, KNOWN_MAX);
    for (size_t k = 0; k < s->n && !wanted; k++)
        wanted = address_list_hashes(s, k, &arena, &hashes, &place);
    arena_free(&arena);
    if (!wanted) {
        if (b->record.op == OP_CREATE)
            rekey_check_addresses_known(s);
        else
            lead_read_addresses_known(s);
        return;
    }
    struct address_list *l = address_list_of(b->u, place);
    if (l == NULL || upload_ended(b->u)) {
        s->stopped(s);
    } else if (l->complete) {
        address_list_take(l, s);
    } else {
        slice_park(s);
        s->next = l->waiting;
        l->waiting = s;
        if (!l->asked)
            address_list_ask(l);
    }
}

void address_lists_free(struct upload *u)
{
    while (u->address_lists != NULL) {
        struct address_list *l = u->address_lists;
        u->address_lists = l->next;
        free(l->addresses);
        buf_free(&l->text);
        free(l);
    }
}
