/* Three ways to the same answers, which a test compares. An index of everything in memory costs 60 ms and 21 MB for a
 * million leads, and then 0.1 µs a row; where that is too much memory, the same in a temporary file, 0.7 µs a row; where
 * the source is short, one query for each row, 4 µs. */
#include "config.h"

#include "sync/state/lookup.h"

#include "sync/base/log.h"

#include <stdlib.h>
#include <string.h>

enum {
    INDEX_PAYS = 7,    /* rows × this against leads */
    INDEX_EIGHTHS = 5, /* of memory_max that the index may take */
    SEEN_SHARE = 4,    /* of memory_max for seen keys that are not in it */
    SPARED_SHARE = 16, /* of memory_max for keys of rows that make no lead */
    BITS_SHARE = 8,    /* of memory_max for a bit a lead, where the rest of it is not in memory */
};

/* Refusals stand in their index with the reason mixed into the fingerprint: 56 bits have to agree. The factor is odd,
 * so that no two fingerprints become one, and spreads those that are near each other. */
static uint64_t mixed(uint64_t fingerprint)
{
    return fingerprint * UINT64_C(0x9e3779b97f4a7c15);
}
_Static_assert(REASON_N <= 256, "a reason fits the low byte of a fingerprint");

void lookup_free(struct lookup *l)
{
    if (l == NULL)
        return;
    index_free(&l->leads);
    index_free(&l->refused);
    index_free(&l->retries);
    index_free(&l->ids);
    seen_free(&l->seen);
    seen_free(&l->spared);
    free(l->open);
    free(l->met);
    overlay_free(&l->overlay);
    free(l->forgotten);
    free(l);
}

/* ---- start ---- */

/* Is there to be an index, and where? */
static bool index_pays(const struct state *s, const struct lookup_options *o, enum index_place *place)
{
    uint64_t n = s->id.leads_n + s->id.refusals_n;
    if (o->rows_hint != 0 && o->rows_hint <= s->id.leads_n / INDEX_PAYS)
        return false;
    *place = index_bytes(n, INDEX_IN_MEMORY) <= s->memory_max / 8 * INDEX_EIGHTHS ? INDEX_IN_MEMORY : INDEX_IN_FILE;
    return *place == INDEX_IN_MEMORY || index_bytes(n, INDEX_IN_FILE) <= s->memory_max / BITS_SHARE;
}

static int load_key(struct state *s, struct index *x, sqlite3_stmt *st, uint64_t fingerprint, struct err *e)
{
    struct hash128 key;
    if (!db_blob16(st, 0, key.b))
        return err_set(e, XS_STATE, "%s: a damaged key; restore the file from a backup", s->path);
    return index_add(x, &key, fingerprint, e);
}

static int load_leads(struct state *s, struct lookup *l, enum index_place place, struct err *e)
{
    sqlite3_stmt *st;
    if (index_init(&l->leads, s->id.leads_n, place, e) < 0)
        return -1;
    int rc = db_query(&s->main, &st, e, "SELECT key, fingerprint FROM leads ORDER BY key", "");
    for (; rc == 1; rc = db_next(&s->main, st, e))
        if (load_key(s, &l->leads, st, (uint64_t)sqlite3_column_int64(st, 1), e) < 0)
            return -1;
    return rc < 0 ? -1 : index_done(&l->leads, e);
}

static int load_refused(struct state *s, struct lookup *l, enum index_place place, struct err *e)
{
    sqlite3_stmt *st;
    if (l->options.ignore_refusals || s->id.refusals_n == 0)
        return 0;
    if (index_init(&l->refused, s->id.refusals_n, place, e) < 0)
        return -1;
    int rc = db_query(&s->main, &st, e,
                      "SELECT key, fingerprint, reason FROM refusals WHERE context = ? AND at_ms >= ? ORDER BY key",
                      "ui", l->options.refusal_context, l->options.refusals_since_ms);
    for (; rc == 1; rc = db_next(&s->main, st, e)) {
        uint64_t reason = (uint64_t)sqlite3_column_int64(st, 2) & 0xff;
        if (load_key(s, &l->refused, st, mixed((uint64_t)sqlite3_column_int64(st, 1)) ^ reason, e) < 0)
            return -1;
    }
    return rc < 0 ? -1 : index_done(&l->refused, e);
}

static int load_retries(struct state *s, struct lookup *l, enum index_place place, struct err *e)
{
    sqlite3_stmt *st;
    if (s->id.retries_n == 0)
        return 0;
    if (index_init(&l->retries, s->id.retries_n, place, e) < 0)
        return -1;
    int rc = db_query(&s->main, &st, e, "SELECT key, fingerprint FROM retries ORDER BY key", "");
    for (; rc == 1; rc = db_next(&s->main, st, e))
        if (load_key(s, &l->retries, st, (uint64_t)sqlite3_column_int64(st, 1), e) < 0)
            return -1;
    return rc < 0 ? -1 : index_done(&l->retries, e);
}

static int load_forgotten(struct state *s, struct lookup *l, struct err *e)
{
    sqlite3_stmt *st;
    if (s->id.forgotten_n == 0)
        return 0;
    l->forgotten = calloc((size_t)s->id.forgotten_n, sizeof *l->forgotten);
    if (l->forgotten == NULL)
        return err_oom(e);
    int rc = db_query(&s->main, &st, e, "SELECT key FROM forgotten ORDER BY key", "");
    for (; rc == 1; rc = db_next(&s->main, st, e)) {
        if (l->forgotten_n == s->id.forgotten_n || !db_blob16(st, 0, l->forgotten[l->forgotten_n].b))
            return err_set(e, XS_STATE, "%s: the list of the forgotten is damaged; restore the file from a backup",
                           s->path);
        l->forgotten_n++;
    }
    return rc;
}

static int key_compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct hash128));
}

/* What earlier runs sent and could not settle: nothing may be decided about those leads. */
static int load_open(struct state *s, struct lookup *l, struct err *e)
{
    struct arena arena;
    struct journal_batch jb;
    uint64_t after = 0;
    int rc;
    if (!s->journal.open)
        return 0;
    arena_init(&arena, ARENA_BATCH_MAX);
    while ((rc = journal_next(s, JOURNAL_OPEN, after, &arena, &jb, e)) == 1) {
        struct hash128 *grown = reallocarray(l->open, l->open_n + jb.b.entries_n + 1, sizeof *grown);
        if (grown == NULL) {
            rc = err_oom(e);
            break;
        }
        l->open = grown;
        for (size_t i = 0; i < jb.b.entries_n; i++)
            l->open[l->open_n++] = jb.b.entries[i].key;
        after = jb.b.id;
        arena_reset(&arena);
    }
    arena_free(&arena);
    if (rc == 0 && l->open_n > 0)
        qsort(l->open, l->open_n, sizeof *l->open, key_compare);
    return rc;
}

bool lookup_is_open(const struct lookup *l, const struct hash128 *key)
{
    return l->open_n > 0 && bsearch(key, l->open, l->open_n, sizeof *l->open, key_compare) != NULL;
}

/* A statement that stands on a row keeps its read transaction, and the lookups after it need not take one each. Writing
 * goes on through the same connection; the merge lets go of it. */
static int pin(struct state *s, struct err *e)
{
    sqlite3_stmt *st;
    return db_query(&s->main, &st, e, "SELECT one FROM identity", "") < 0 ? -1 : 0;
}

/* Without an index a bit for each lead says whether it was met: an eighth of a byte, where the set of seen keys would
 * take 24. Too many leads even for that go to the set. */
static int make_met(struct state *s, struct lookup *l, struct err *e)
{
    if (s->id.next_lead / 8 > s->memory_max / BITS_SHARE)
        return 0;
    l->met_n = s->id.next_lead;
    l->met = calloc((size_t)(l->met_n / 8) + 1, 1);
    return l->met == NULL ? err_oom(e) : 0;
}

/* 1, or 0 when there is no room for its file: then rows are looked up without one. */
static int make_index(struct state *s, struct lookup *l, enum index_place place, struct err *e)
{
    if (load_leads(s, l, place, e) == 0 && load_refused(s, l, place, e) == 0 && load_retries(s, l, place, e) == 0)
        return 1;
    if (place != INDEX_IN_FILE || e->status != XS_IO)
        return -1;
    log_detail("%s; going on slowly, without it", err_text(e));
    err_clear(e);
    db_reset_all(&s->main);
    index_free(&l->leads);
    index_free(&l->refused);
    index_free(&l->retries);
    return 0;
}

static int load(struct state *s, struct lookup *l, struct err *e)
{
    enum index_place place;
    if (load_forgotten(s, l, e) < 0)
        return -1;
    if ((s->access == STATE_READ ? overlay_load(s, &l->overlay, e) : load_open(s, l, e)) < 0)
        return -1;
    int indexed = index_pays(s, &l->options, &place) ? make_index(s, l, place, e) : 0;
    l->indexed = indexed == 1;
    if (indexed != 0)
        return indexed < 0 ? -1 : 0;
    return pin(s, e) < 0 ? -1 : make_met(s, l, e);
}

int state_lookup_start(struct state *s, const struct lookup_options *options, struct err *e)
{
    lookup_free(s->lookup);
    struct lookup *l = s->lookup = calloc(1, sizeof *s->lookup);
    if (l == NULL)
        return err_oom(e);
    l->options = *options;
    seen_init(&l->seen, s->memory_max / SEEN_SHARE);
    seen_init(&l->spared, s->memory_max / SPARED_SHARE);
    if (load(s, l, e) < 0) {
        db_reset_all(&s->main);
        lookup_free(l);
        s->lookup = NULL;
        return -1;
    }
    return 0;
}

/* ---- what is stored of a key ---- */

/* A lead as the lead table or its index has it. */
struct stored {
    bool known;
    int64_t slot;         /* when indexed */
    uint64_t n;           /* when not */
    uint64_t fingerprint;
};

static int find_lead(struct state *s, const struct hash128 *key, struct stored *out, struct err *e)
{
    const struct lookup *l = s->lookup;
    sqlite3_stmt *st;
    *out = (struct stored){.slot = -1};
    if (l->indexed) {
        int found = index_find(&l->leads, key, &out->slot, &out->fingerprint, e);
        out->known = found == 1;
        return found < 0 ? -1 : 0;
    }
    int rc = db_query(&s->main, &st, e, "SELECT fingerprint, n FROM leads WHERE key = ?", "k", key);
    if (rc != 1)
        return rc;
    out->known = true;
    out->fingerprint = (uint64_t)sqlite3_column_int64(st, 0);
    out->n = (uint64_t)sqlite3_column_int64(st, 1);
    sqlite3_reset(st);
    return 0;
}

static bool bit_is_set(const unsigned char *bits, uint64_t n)
{
    return (bits[n / 8] >> (n % 8) & 1) != 0;
}

/* Has this run met the key? 1/0/-1; *row where known. */
static int is_seen(struct lookup *l, const struct hash128 *key, const struct stored *lead, uint64_t *row, struct err *e)
{
    if (lead->known && l->indexed)
        return index_seen(&l->leads, lead->slot);
    if (lead->known && lead->n < l->met_n)
        return bit_is_set(l->met, lead->n);
    return seen_find(&l->seen, key, row, e);
}

/* As is_seen(), and marks it. */
static int see(struct lookup *l, const struct hash128 *key, const struct stored *lead, uint64_t row,
               uint64_t *first_row, struct err *e)
{
    bool bit = lead->known && (l->indexed || lead->n < l->met_n);
    if (!bit)
        return seen_put(&l->seen, key, row, first_row, e);
    int seen = is_seen(l, key, lead, first_row, e);
    if (seen != 0)
        return seen;
    if (l->indexed)
        index_mark(&l->leads, lead->slot);
    else
        l->met[lead->n / 8] = (unsigned char)(l->met[lead->n / 8] | 1u << (lead->n % 8));
    return 0;
}

static int find_refusal(struct state *s, const struct hash128 *key, uint64_t fingerprint, struct remembered *out,
                        struct err *e)
{
    const struct lookup *l = s->lookup;
    uint64_t reason = UINT64_MAX;
    if (l->options.ignore_refusals || s->id.refusals_n == 0)
        return 0;
    if (l->indexed) {
        int64_t slot;
        uint64_t refused;
        int found = index_find(&l->refused, key, &slot, &refused, e);
        if (found != 1)
            return found;
        reason = refused ^ mixed(fingerprint);
    } else {
        sqlite3_stmt *st;
        int rc =
            db_query(&s->main, &st, e,
                     "SELECT reason FROM refusals WHERE key = ? AND fingerprint = ? AND context = ? AND at_ms >= ?",
                     "kuui", key, fingerprint, l->options.refusal_context, l->options.refusals_since_ms);
        if (rc != 1)
            return rc;
        reason = (uint64_t)sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
    }
    if (reason < REASON_N) {
        out->kind = REMEMBERED_REFUSED;
        out->reason = (enum reason)reason;
    }
    return 0;
}

/* Says in `out` that the key waits. Only to a reader it is also an answer: a run takes what waits after its source. */
static int find_retry(struct state *s, const struct hash128 *key, uint64_t fingerprint, struct remembered *out,
                      struct err *e)
{
    const struct lookup *l = s->lookup;
    uint64_t waiting;
    if (s->id.retries_n == 0)
        return 0;
    if (l->indexed) {
        int64_t slot;
        int found = index_find(&l->retries, key, &slot, &waiting, e);
        if (found != 1)
            return found;
    } else {
        sqlite3_stmt *st;
        int rc = db_query(&s->main, &st, e, "SELECT fingerprint FROM retries WHERE key = ?", "k", key);
        if (rc != 1)
            return rc;
        waiting = (uint64_t)sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
    }
    out->waits = true;
    if (s->access == STATE_READ && waiting == fingerprint && out->kind != REMEMBERED_SAME)
        out->kind = REMEMBERED_RETRY;
    return 0;
}

/* A lead of ours with another fingerprint may still be one whose new form was refused, or waits to be tried again. */
static int find_stored(struct state *s, const struct hash128 *key, const struct stored *lead, uint64_t fingerprint,
                       struct remembered *out, struct err *e)
{
    if (lead->known)
        out->kind = lead->fingerprint == fingerprint && fingerprint != 0 ? REMEMBERED_SAME : REMEMBERED_OTHER;
    if (out->kind != REMEMBERED_SAME && find_refusal(s, key, fingerprint, out, e) < 0)
        return -1;
    return out->kind != REMEMBERED_REFUSED ? find_retry(s, key, fingerprint, out, e) : 0;
}

static int find_overlaid(struct state *s, const struct overlay_lead *lead, const struct hash128 *key,
                         uint64_t fingerprint, struct remembered *out, struct err *e)
{
    const struct fold *f = &lead->fold;
    out->kind = f->known ? REMEMBERED_OTHER : REMEMBERED_NOTHING;
    if (f->open) {
        out->kind = REMEMBERED_OPEN;
    } else if (f->known && f->fingerprint == fingerprint && fingerprint != 0) {
        out->kind = REMEMBERED_SAME;
    } else {
        if (f->refusal == FOLD_KEEP && find_refusal(s, key, fingerprint, out, e) < 0)
            return -1;
        if (f->refusal == FOLD_PUT && f->refusal_fingerprint == fingerprint && !s->lookup->options.ignore_refusals) {
            out->kind = REMEMBERED_REFUSED;
            out->reason = f->refusal_reason;
        }
        if (out->kind == REMEMBERED_REFUSED)
            return 0;
        if (f->retry == FOLD_PUT && f->retry_fingerprint == fingerprint)
            out->kind = REMEMBERED_RETRY;
        return f->retry == FOLD_KEEP ? find_retry(s, key, fingerprint, out, e) : 0;
    }
    return 0;
}

static bool is_forgotten(const struct lookup *l, const struct hash128 *key)
{
    return l->forgotten_n > 0 &&
           bsearch(key, l->forgotten, l->forgotten_n, sizeof *l->forgotten, key_compare) != NULL;
}

/* ---- lookups ---- */

void state_lookup_soon(const struct state *s, const struct hash128 *key)
{
    if (s->lookup != NULL && s->lookup->indexed)
        index_prefetch(&s->lookup->leads, key);
}

int state_lookup(struct state *s, const struct hash128 *key, uint64_t fingerprint, uint64_t row, struct remembered *out,
                 struct err *e)
{
    struct lookup *l = s->lookup;
    *out = (struct remembered){.kind = REMEMBERED_NOTHING};
    if (l == NULL)
        return err_set(e, XS_INTERNAL, "state_lookup() before state_lookup_start(); please report this");
    struct stored lead;
    if (find_lead(s, key, &lead, e) < 0)
        return -1;
    int seen = see(l, key, &lead, row, &out->first_row, e);
    if (seen != 0) {
        out->kind = REMEMBERED_SEEN;
        return seen < 0 ? -1 : 0;
    }
    if (is_forgotten(l, key)) {
        out->kind = REMEMBERED_FORGOTTEN;
        return 0;
    }
    const struct overlay_lead *overlaid = l->overlay.n > 0 ? overlay_find(&l->overlay, key) : NULL;
    return overlaid != NULL ? find_overlaid(s, overlaid, key, fingerprint, out, e)
                            : find_stored(s, key, &lead, fingerprint, out, e);
}

int lookup_seen(struct state *s, const struct hash128 *key, struct err *e)
{
    struct lookup *l = s->lookup;
    if (l == NULL)
        return 0;
    struct stored lead;
    return find_lead(s, key, &lead, e) < 0 ? -1 : is_seen(l, key, &lead, NULL, e);
}

int lookup_spared(struct state *s, const struct hash128 *key, uint64_t *mark, struct err *e)
{
    return s->lookup == NULL ? 0 : seen_find(&s->lookup->spared, key, mark, e);
}

int state_spare(struct state *s, const struct hash128 *key, uint64_t mark, struct err *e)
{
    if (s->lookup == NULL)
        return err_set(e, XS_INTERNAL, "state_spare() before state_lookup_start(); please report this");
    return seen_put(&s->lookup->spared, key, mark, NULL, e) < 0 ? -1 : 0;
}

int state_seen(struct state *s, const struct hash128 *key, bool *seen, struct err *e)
{
    int rc = lookup_seen(s, key, e);
    if (rc == 0)
        rc = lookup_spared(s, key, NULL, e);
    *seen = rc == 1;
    return rc < 0 ? -1 : 0;
}

uint64_t state_leads_n(struct state *s)
{
    return s->id.leads_n;
}
