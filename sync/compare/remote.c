/* Rows come in any order, and each is answered by a point query: the file has an index per way of asking, and SQLite keeps the
 * pages of it that fit its share of the memory. */
#include "config.h"

#include "sync/compare/remote.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/plan/plan.h"

enum {
    ARENA_MAX = 64 << 20,
    ADDRESS_MAX = 4096,
    PAGES_SHARE = 2,
    SPLIT_FROM = 2000, /* leads that the state knows; a smaller target is read in one */
    SPLIT_LEADS = 500, /* of the sample in a target */
    SPLITS_MIN = 11,
    SPLITS_MAX = 63,
    PART_LEADS = 3000, /* of a part between these limits: half a page per part is read twice */
    SAMPLE_IDS = 16000,
    SAMPLE_LOOKS = 40000,
    EXPECT_AT_ONCE = 200,
    PROOFS_MAX = 100,   /* leads that are asked for one by one before they count as deleted */
    PROOFS_MORE = 1000, /* the same, if some of them exist */
};

struct proofs {
    uint64_t asked, found;
};

struct remote {
    struct remote_config c;
    struct pages *pages;
    struct unseen *known; /* the state's leads, while they are noted */
    unsigned char *met;   /* a bit per lead of the pages */
    size_t met_n;         /* bytes */
    struct arena arena;   /* of one lead of the state */
    struct buf address;
};

/* ---- values ---- */

/* Fields that the API may leave out of a lead, so that their absence says nothing. */
static bool is_untold(int field, const struct value *there)
{
    return there->kind == VALUE_ABSENT && lead_field_table[field].payload[0] == '\0';
}

/* True if the lead differs from these values in a field that they have. */
static bool differs(const struct lead *there, const struct lead *from)
{
    for (int f = 0; f < LEAD_FIELD_N; f++)
        if (f != LEAD_EMAIL && from->core[f].kind != VALUE_ABSENT && !is_untold(f, &there->core[f]) &&
            !plan_value_is(&there->core[f], &from->core[f]))
            return true;
    for (size_t c = 0; c < from->shape->custom_n; c++)
        if (from->custom[c].kind != VALUE_ABSENT && !plan_value_is(&there->custom[c], &from->custom[c]))
            return true;
    return false;
}

static int normalise(const struct lead *there, const struct lead *wanted, struct arena *arena, struct lead *out,
                     struct err *e)
{
    size_t n = there->shape->custom_n;
    *out = *there;
    if (wanted == NULL)
        return 0;
    out->custom = arena_calloc(arena, n + 1, sizeof *out->custom);
    if (out->custom == NULL)
        return err_oom(e);
    for (int f = 0; f < LEAD_FIELD_N; f++)
        if (wanted->core[f].kind != VALUE_ABSENT &&
            (f == LEAD_EMAIL || is_untold(f, &there->core[f]) || plan_value_is(&there->core[f], &wanted->core[f])))
            out->core[f] = wanted->core[f];
    for (size_t c = 0; c < n; c++) {
        bool is = wanted->custom[c].kind != VALUE_ABSENT && plan_value_is(&there->custom[c], &wanted->custom[c]);
        out->custom[c] = is ? wanted->custom[c] : there->custom[c];
    }
    return 0;
}

/* ---- opening ---- */

/* Leads that their pages have not shown, one by one: 404 is the third look, after the pages and the question by ids. If a few
 * of them are gone, the rest is believed to be. If some exist after all, lists leave leads out, so that more are asked for; and if
 * many exist, nothing that these lists leave out can be believed to be gone. */
static int prove_missing(struct remote *r, const struct uuid *ids, size_t n, struct proofs *proofs, struct err *e)
{
    struct page_lead lead;
    for (size_t i = 0; i < n; i++) {
        arena_reset(&r->arena);
        int rc = pages_find_id(r->pages, &ids[i], &r->arena, &lead, e);
        if (rc == 0 && proofs->asked < (proofs->found > 0 ? PROOFS_MORE : PROOFS_MAX)) {
            proofs->asked++;
            rc = pages_ask_lead(r->pages, r->c.api, &ids[i], r->c.step, r->c.ctx, e) != 0
                     ? -1
                     : pages_find_id(r->pages, &ids[i], &r->arena, &lead, e);
            proofs->found += rc == 1;
        }
        if (rc < 0)
            return -1;
        if (proofs->found > PROOFS_MAX) {
            pages_hide(r->pages); /* no later call goes on with these pages */
            return err_set(e, XS_API,
                           "the lists of Instantly leave out leads that exist (%" PRIu64 " of %" PRIu64
                           " that were asked for one by one): run again later",
                           proofs->found, proofs->asked);
        }
    }
    return 0;
}

/* Notes some leads that the state knows. Most of that is done while pages are awaited, so that it costs no time. */
static int expect_known(void *ctx, struct err *e)
{
    struct remote *r = ctx;
    struct hash128 key;
    struct known_lead known;
    uint64_t mark;
    if (r->known == NULL)
        return 0;
    for (int i = 0; i < EXPECT_AT_ONCE; i++) {
        arena_reset(&r->arena);
        int rc = state_unseen_next(r->known, &key, &r->arena, &known, &mark, e);
        if (rc == 1 && known.has_lead_id && pages_expect(r->pages, &known.lead_id, e) != 0)
            rc = -1;
        if (rc < 1) {
            state_unseen_close(r->known);
            r->known = NULL;
            return rc;
        }
    }
    return 1;
}

/* The leads that the state knows and no page has shown are asked for, a hundred per request. */
static int ask_for_known(struct remote *r, struct err *e)
{
    struct uuid after = {{0}}, ids[LEADS_LIST_MAX];
    struct proofs proofs = {0};
    size_t n;
    int more;
    while ((more = expect_known(r, e)) == 1)
        continue;
    if (more < 0)
        return -1;
    do {
        if (pages_not_shown(r->pages, &after, ids, LEADS_LIST_MAX, &n, e) != 0 ||
            pages_ask_ids(r->pages, r->c.api, ids, n, r->c.step, r->c.ctx, e) != 0 ||
            prove_missing(r, ids, n, &proofs, e) != 0)
            return -1;
    } while (n == LEADS_LIST_MAX);
    return 0;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct uuid));
}

/* Chooses the leads after which the parts of a large target begin: evenly among those that the state knows in it. `leads` is
 * about how many these are. Each part reads its pages one after the other, and the last parts have the request limit to
 * themselves: the parts must be alike in size, and there must be more of them than requests in flight. */
static int split_target(struct remote *r, const struct run_target *t, struct uuid *ids, size_t n, uint64_t leads,
                        struct err *e)
{
    struct uuid splits[SPLITS_MAX];
    size_t splits_n = (size_t)(leads / PART_LEADS);
    if (n < SPLIT_LEADS)
        return 0;
    splits_n = splits_n < SPLITS_MIN ? SPLITS_MIN : splits_n > SPLITS_MAX ? SPLITS_MAX : splits_n;
    qsort(ids, n, sizeof *ids, compare_ids);
    for (size_t i = 0; i < splits_n; i++)
        splits[i] = ids[(i + 1) * n / (splits_n + 1)];
    return pages_split(r->pages, &t->target, splits, splits_n, e);
}

/* A sample of the leads that the state knows in a target, and about how many it knows. */
static int known_ids(struct remote *r, uint32_t number, struct uuid *ids, size_t *n, uint64_t *leads, struct err *e)
{
    struct unseen *u;
    struct hash128 key;
    struct known_lead known;
    uint64_t mark, seen = 0;
    int rc;
    *n = 0;
    if (state_unseen_open(r->c.state, false, &u, e) != 0)
        return -1;
    /* Keys are hashes, so that the first leads in their order are a fair sample. */
    while (*n < SAMPLE_IDS && seen++ < SAMPLE_LOOKS) {
        arena_reset(&r->arena);
        rc = state_unseen_next(u, &key, &r->arena, &known, &mark, e);
        if (rc != 1)
            break;
        if (known.has_lead_id && known.target == number)
            ids[(*n)++] = known.lead_id;
    }
    state_unseen_close(u);
    *leads = seen > 0 ? state_leads_n(r->c.state) * *n / seen : 0;
    return e->status == XS_DONE ? 0 : -1;
}

static int split_targets(struct remote *r, struct err *e)
{
    struct uuid *ids = state_leads_n(r->c.state) >= SPLIT_FROM ? calloc(SAMPLE_IDS, sizeof *ids) : NULL;
    int rc = 0;
    for (size_t i = 0; ids != NULL && rc == 0 && i < r->c.targets->created_n; i++) {
        size_t n;
        uint64_t leads;
        rc = known_ids(r, r->c.targets->v[i].number, ids, &n, &leads, e);
        if (rc == 0)
            rc = split_target(r, &r->c.targets->v[i], ids, n, leads, e);
    }
    free(ids);
    return rc;
}

static int read_targets(struct remote *r, struct err *e)
{
    if (split_targets(r, e) != 0)
        return -1;
    struct target *targets = calloc(r->c.targets->created_n + 1, sizeof *targets);
    if (targets == NULL)
        return err_oom(e);
    for (size_t i = 0; i < r->c.targets->created_n; i++)
        targets[i] = r->c.targets->v[i].target;
    if (state_leads_n(r->c.state) > 0 && state_unseen_open(r->c.state, false, &r->known, e) != 0) {
        free(targets);
        return -1;
    }
    pages_while_waiting(r->pages, expect_known, r);
    int rc = pages_read(r->pages, r->c.api, targets, r->c.targets->created_n, r->c.step, r->c.ctx, e);
    free(targets);
    return rc;
}

/* In the whole workspace, so that a lead of the sample that is elsewhere is found too. */
static int ask_for_sample(struct remote *r, struct err *e)
{
    for (size_t at = 0; at < r->c.sample_n; at += LEADS_LIST_MAX) {
        size_t n = r->c.sample_n - at < LEADS_LIST_MAX ? r->c.sample_n - at : LEADS_LIST_MAX;
        if (pages_ask_addresses(r->pages, r->c.api, r->c.sample_addresses + at, n, r->c.step, r->c.ctx, e) != 0)
            return -1;
    }
    return 0;
}

int remote_open(const struct remote_config *config, struct remote **out, struct err *e)
{
    struct remote *r = calloc(1, sizeof *r);
    *out = NULL;
    if (r == NULL)
        return err_oom(e);
    *out = r;
    r->c = *config;
    arena_init(&r->arena, ARENA_MAX);
    buf_init(&r->address, ADDRESS_MAX);
    const struct pages_options options = {
        .path = config->sample_n == 0 ? config->path : NULL,
        .origin = config->origin,
        .clock = config->clock,
        .memory_max = config->memory_max / PAGES_SHARE,
        .shape = &config->mapping->shape,
        .has_key = config->mapping->has_key,
        .has_engagement = config->has_engagement,
    };
    int rc = pages_open(&options, &r->pages, e);
    if (rc == 0)
        rc = config->sample_n > 0 ? ask_for_sample(r, e) : read_targets(r, e) != 0 ? -1 : ask_for_known(r, e);
    return rc;
}

void remote_close(struct remote *r, bool keep)
{
    if (r == NULL)
        return;
    state_unseen_close(r->known);
    pages_close(r->pages, keep);
    arena_free(&r->arena);
    buf_free(&r->address);
    free(r->met);
    free(r);
}

struct pages *remote_pages(struct remote *r)
{
    return r->pages;
}

/* ---- rows ---- */

static int meet(struct remote *r, uint64_t n, struct err *e)
{
    size_t at = (size_t)(n / 8);
    if (at >= r->met_n) {
        size_t grown_n = at + at / 2 + 1024;
        unsigned char *grown = realloc(r->met, grown_n);
        if (grown == NULL)
            return err_oom(e);
        memset(grown + r->met_n, 0, grown_n - r->met_n);
        r->met = grown;
        r->met_n = grown_n;
    }
    r->met[at] |= (unsigned char)(1U << n % 8);
    return 0;
}

bool remote_is_met(const struct remote *r, uint64_t n)
{
    return n / 8 < r->met_n && (r->met[n / 8] >> n % 8 & 1) != 0;
}

/* True if the lead has another address than the row, so that it is another person's. */
static bool is_other_person(struct remote *r, const struct remote_row *row, const struct page_lead *lead)
{
    return !r->c.mapping->has_key && row->email.n > 0 && lead->email.n > 0 && !mapping_same_address(lead->email, row->email);
}

/* True if the lead carries another row's key. */
static bool is_other_rows(const struct remote *r, const struct remote_row *row, const struct page_lead *lead)
{
    const struct lead_shape *shape = r->c.mapping->has_key ? &r->c.mapping->shape : NULL;
    if (shape == NULL || shape->custom_n == 0)
        return false;
    const struct value *key = &lead->lead.custom[shape->custom_n - 1]; /* leadsync_key */
    return key->kind == VALUE_STRING && key->n > 0 && !str_eq((struct str){key->p, key->n}, row->key_text);
}

/* Finds the row's lead by what it carries. Only leads of the targets count: one elsewhere may belong to another tool. */
static int find_by_row(struct remote *r, const struct remote_row *row, const struct target *in, struct arena *arena,
                       struct page_lead *out, struct err *e)
{
    int rc = 0;
    if (r->c.mapping->has_key && row->key_text.n > 0)
        rc = pages_find_key(r->pages, row->key_text, in, arena, out, e);
    if (rc == 0 && row->email.n > 0) {
        buf_reset(&r->address);
        if (mapping_email_key(row->email, &r->address) == 0)
            rc = pages_find_address(r->pages, buf_str(&r->address), in, arena, out, e);
        if (rc == 1 && is_other_rows(r, row, out))
            rc = 0;
    }
    bool counts = rc == 1 && (out->read_by_page || (r->c.sample_n > 0 && out->placed && target_eq(&out->place, in)));
    return rc < 0 ? -1 : counts;
}

static int find(struct remote *r, const struct remote_row *row, const struct target *in, struct arena *arena,
                struct page_lead *out, struct err *e)
{
    const struct known_lead *known = row->known;
    bool live = known != NULL && known->has_lead_id && (known->flags & (KNOWN_REMOVED | KNOWN_DELETED_THERE)) == 0;
    if (live) {
        int rc = pages_find_id(r->pages, &known->lead_id, arena, out, e);
        if (rc < 0 || (rc == 1 && !is_other_person(r, row, out)))
            return rc;
    }
    return find_by_row(r, row, in, arena, out, e);
}

/* The state's number of a campaign or list. */
static int number_of(struct remote *r, const struct target *place, uint32_t *number, struct err *e)
{
    struct targets *t = r->c.targets;
    for (size_t i = 0; i < t->n; i++)
        if (target_eq(&t->v[i].target, place)) {
            *number = t->v[i].number;
            return 0;
        }
    return targets_meet(t, r->c.state, place, number, e);
}

int remote_find(struct remote *r, const struct remote_row *row, struct arena *arena, struct remote_found *out, struct err *e)
{
    const struct known_lead *known = row->known;
    *out = (struct remote_found){.where = REMOTE_ABSENT};
    const struct target *to = targets_get(r->c.targets, r->c.state, row->target, e);
    if (to == NULL)
        return -1;
    const struct target in = *to; /* number_of() may move the targets */
    int rc = find(r, row, &in, arena, &out->lead, e);
    if (rc < 0)
        return -1;
    bool expected = known != NULL && known->has_lead_id && (known->flags & (KNOWN_REMOVED | KNOWN_DELETED_THERE)) == 0;
    if (rc == 0) {
        out->where = expected ? REMOTE_GONE : REMOTE_ABSENT;
        return 0;
    }
    out->where = REMOTE_THERE;
    if (meet(r, out->lead.n, e) != 0 || normalise(&out->lead.lead, row->wanted, arena, &out->values, e) != 0 ||
        (out->lead.placed && number_of(r, &out->lead.place, &out->place, e) != 0))
        return -1;
    out->moved = out->place != (expected ? known->target : row->target);
    if (expected && row->memory != NULL)
        out->edited = differs(&out->lead.lead, row->memory);
    else if (row->same && row->wanted != NULL)
        out->edited = differs(&out->lead.lead, row->wanted);
    return 0;
}
