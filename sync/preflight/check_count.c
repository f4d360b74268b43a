/* Counts while `check` reads: the leads that a sync would add, the fields that stay empty, and addresses that look mistyped.
 *
 * A lead is new if neither the state nor an earlier row has its key. If there is no state yet, or its name needs the target, a
 * set of hashes recognises earlier rows; once that is full, repeats count as new. */
#include "config.h"

#include "sync/preflight/check_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mappings/convert/email.h"
#include "sync/api/http/url.h"

enum { STATE_BYTES = 32 << 20, SEEN_FIRST = 1 << 12, SEEN_MAX = 1 << 22 };

/* Faults of the state are reported later. Without it the count is only less exact. */
static struct state *open_state(struct check *c)
{
    struct err ignored = ERR_INIT;
    struct state *s = NULL;
    struct url url;
    char *path = NULL;
    bool straight = c->m->path == NULL;
    const char *given = c->config->state_path != NULL ? c->config->state_path : straight ? c->config->likely_state : NULL;
    if (straight && given == NULL)
        return NULL; /* the state's name needs the target's id */
    if (url_check(c->config->api->base_url, XS_USAGE, "--api-url", &url, &ignored) != 0)
        goto done;
    path = given != NULL ? strdup(given) : state_default_path(c->m->name, url.loopback, &ignored);
    /* clang-format off */
    const struct state_options options = {
        .path = path, .access = STATE_READ, .sync = straight ? NULL : c->m->name, /* whose name is not complete yet */
        .api_host = url.loopback ? "loopback" : url.host, .values_hashed = c->m->values_hashed,
        .memory_max = STATE_BYTES, .clock = c->config->clock,
    };
    /* clang-format on */
    const struct lookup_options lookups = {.ignore_refusals = true};
    if (options.path != NULL && state_open(&options, &s, &ignored) == 0 && state_lookup_start(s, &lookups, &ignored) != 0) {
        state_close(s);
        s = NULL;
    }
    url_free(&url);
    if (s != NULL) {
        c->count.state_path = path;
        path = NULL;
    }
done:
    free(path);
    err_clear(&ignored);
    return s;
}

int check_count_start(struct check *c, struct err *e)
{
    struct check_count *n = &c->count;
    n->state = open_state(c);
    n->by_state = n->state != NULL;
    n->empty = calloc(LEAD_FIELD_N + c->m->shape.custom_n, sizeof *n->empty);
    if (n->empty == NULL)
        return err_oom(e);
    if (!n->by_state && random_bytes(n->secret, sizeof n->secret) != 0)
        return err_errno(e, XS_INTERNAL, errno, "no random bytes");
    return 0;
}

void check_count_stop(struct check *c)
{
    state_close(c->count.state);
    c->count.state = NULL;
    free(c->count.seen);
    c->count.seen = NULL;
}

static void seen_put(struct check_count *n, uint64_t hash)
{
    size_t i = (size_t)hash & (n->seen_cap - 1);
    while (n->seen[i] != 0)
        i = (i + 1) & (n->seen_cap - 1);
    n->seen[i] = hash;
    n->seen_n++;
}

/* The set counts as full when half of its slots are used. */
static int seen_grow(struct check_count *n)
{
    struct check_count more = {.seen_cap = n->seen_cap == 0 ? SEEN_FIRST : n->seen_cap * 2};
    more.seen = calloc(more.seen_cap, sizeof *more.seen);
    if (more.seen == NULL)
        return -1;
    for (size_t i = 0; i < n->seen_cap; i++)
        if (n->seen[i] != 0)
            seen_put(&more, n->seen[i]);
    free(n->seen);
    n->seen = more.seen;
    n->seen_cap = more.seen_cap;
    return 0;
}

/* True if an earlier row has this key; otherwise the key is added. */
static bool seen_before(struct check_count *n, struct str key)
{
    uint64_t hash = hash_keyed64(n->secret, key.p, key.n) | 1; /* 0 is a free slot */
    for (size_t i = (size_t)hash; n->seen_cap > 0 && n->seen[i & (n->seen_cap - 1)] != 0; i++)
        if (n->seen[i & (n->seen_cap - 1)] == hash)
            return true;
    if (n->seen_n * 2 < n->seen_cap || (n->seen_cap < SEEN_MAX && seen_grow(n) == 0))
        seen_put(n, hash);
    return false;
}

static bool is_empty(const struct value *v)
{
    return v->kind == VALUE_ABSENT || v->kind == VALUE_NULL;
}

static void count_tld(struct check_count *n, const struct row *row, struct str email_key)
{
    if (email_key.n == 0 || !email_tld_unknown(email_key))
        return;
    if (n->odd_tlds++ == 0) {
        n->odd_tld_row = row->number;
        n->odd_tld_line = row->line;
    }
}

int check_count_lead(struct check *c, const struct row *row, const struct mapped *mapped, struct err *e)
{
    struct check_count *n = &c->count;
    struct remembered remembered = {.kind = REMEMBERED_NOTHING};
    if (n->state != NULL) {
        struct hash128 key = hash_keyed128(state_secret(n->state), mapped->key_text.p, mapped->key_text.n);
        if (state_lookup(n->state, &key, 1, c->rows, &remembered, e) != 0)
            return -1;
    } else if (seen_before(n, mapped->key_text)) {
        remembered.kind = REMEMBERED_SEEN;
    }
    /* One of two rows with a key is skipped. With `duplicates: reject` only a sync counts how many are rejected. */
    if (remembered.kind == REMEMBERED_SEEN && c->m->duplicates != DUPLICATES_REJECT) {
        c->leads--;
        c->skipped++;
        c->reasons[REASON_DUPLICATE_IN_SOURCE]++;
        return 0;
    }
    for (size_t f = 0; f < LEAD_FIELD_N; f++)
        n->empty[f] += is_empty(&mapped->lead.core[f]);
    for (size_t i = 0; i < c->m->shape.custom_n; i++)
        n->empty[LEAD_FIELD_N + i] += is_empty(&mapped->lead.custom[i]);
    n->fresh += remembered.kind == REMEMBERED_NOTHING || remembered.kind == REMEMBERED_RETRY;
    count_tld(n, row, mapped->email_key);
    return 0;
}

void check_count_report(struct check *c)
{
    const struct check_count *n = &c->count;
    char line[32] = "";
    if (n->odd_tlds == 0)
        return;
    if (n->odd_tld_line > 0)
        snprintf(line, sizeof line, ", line %llu", (unsigned long long)n->odd_tld_line);
    /* Only a warning, because the list of known domains is as old as the installed libpsl. */
    check_report(c, FINDING_WARNING, "source",
                 "%llu address%s in no known top-level domain (first in row %llu%s): mistyped, like .con for .com, or newer "
                 "than this machine's list; they are sent as they are",
                 (unsigned long long)n->odd_tlds, n->odd_tlds == 1 ? " ends" : "es end", (unsigned long long)n->odd_tld_row,
                 line);
}

uint64_t check_count_empty(const struct check *c, struct str payload)
{
    for (size_t f = 0; c->count.empty != NULL && f < LEAD_FIELD_N; f++)
        if (str_is(payload, lead_field_table[f].payload))
            return c->count.empty[f];
    for (size_t i = 0; c->count.empty != NULL && i < c->m->shape.custom_n; i++)
        if (str_eq(payload, c->m->shape.custom_names[i]))
            return c->count.empty[LEAD_FIELD_N + i];
    return 0;
}
