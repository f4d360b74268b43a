/* Before the first lookup: what of the state is wanted in memory, and how much of it fits. Three ways lead to the same
 * answers, which a test compares. An index of everything in memory costs 60 ms and 21 MB for a million leads, and then
 * 0.1 µs a row; where that is too much memory, the same in a temporary file, 0.7 µs a row; where the source is short,
 * one query for each row, 3 µs. */
#include "config.h"

#include "sync/state/lookup/lookup.h"

#include "sync/base/log.h"

#include <stdlib.h>
#include <string.h>

enum {
    INDEX_PAYS = 7,       /* rows × this against leads */
    INDEX_EIGHTHS = 5,    /* of memory_max that the index may take */
    SEEN_SHARE = 4,       /* of memory_max for seen keys that are not in it */
    PROTECTED_SHARE = 16, /* of memory_max for keys of rows that make no lead, and again for those that opt out */
    BITS_SHARE = 8,       /* of memory_max for a bit a lead, where the rest of it is not in memory */
};

void lookup_free(struct lookup *l)
{
    if (l == NULL)
        return;
    index_free(&l->leads);
    index_free(&l->refused);
    index_free(&l->retries);
    seen_free(&l->seen);
    seen_free(&l->protected);
    seen_free(&l->opted_out);
    free(l->open);
    free(l->met);
    overlay_free(&l->overlay);
    free(l->forgotten);
    free(l);
}

/* Is there to be an index, and where? */
static bool index_pays(const struct state *s, const struct lookup_options *o, enum index_place *place)
{
    uint64_t n = s->id.leads_n + s->id.refusals_n;
    if (o->rows_hint != 0 && o->rows_hint <= s->id.leads_n / INDEX_PAYS)
        return false;
    *place = index_bytes(n, INDEX_IN_MEMORY) <= s->memory_max / 8 * INDEX_EIGHTHS ? INDEX_IN_MEMORY : INDEX_IN_FILE;
    return *place == INDEX_IN_MEMORY || index_bytes(n, INDEX_IN_FILE) <= s->memory_max / BITS_SHARE;
}

/* NULL is a key of another length. */
static int put_key(struct state *s, struct index *x, const struct hash128 *key, uint64_t fingerprint, struct err *e)
{
    if (key == NULL)
        return err_set(e, XS_STATE, "%s: a damaged key; restore the file from a backup", s->path);
    return index_add(x, key, fingerprint, e);
}

static int load_key(struct state *s, struct index *x, sqlite3_stmt *st, uint64_t fingerprint, struct err *e)
{
    struct hash128 key;
    return put_key(s, x, db_blob16(st, 0, key.b) ? &key : NULL, fingerprint, e);
}

/* One row of `index_put(key, fingerprint)`, for the leads of the state that is being loaded. */
static void put_row(sqlite3_context *c, int n, sqlite3_value **values)
{
    struct state *s = sqlite3_user_data(c);
    struct lookup *l = s->lookup;
    struct hash128 key;
    (void)n;
    if (l == NULL || l->loading == NULL) {
        sqlite3_result_error_code(c, SQLITE_MISUSE);
        return;
    }
    const void *p = sqlite3_value_blob(values[0]);
    bool whole = sqlite3_value_bytes(values[0]) == (int)sizeof key.b;
    if (whole)
        memcpy(key.b, p, sizeof key.b);
    if (put_key(s, &l->leads, whole ? &key : NULL, (uint64_t)sqlite3_value_int64(values[1]), l->loading) < 0)
        sqlite3_result_error_code(c, SQLITE_ABORT); /* what it was is said already */
}

static void put_end(sqlite3_context *c)
{
    sqlite3_result_null(c);
}

int lookup_register(struct state *s, struct err *e)
{
    return sqlite3_create_function(s->main.h, "index_put", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, s, NULL, put_row, put_end) ==
                   SQLITE_OK
               ? 0
               : db_fail(&s->main, e);
}

/* By an aggregate: SQLite goes through the table by itself, in two thirds of the time of handing out row after row. The
 * table has no other order than that of its keys, and a file says so if it ever has. */
static int load_leads(struct state *s, struct lookup *l, enum index_place place, struct err *e)
{
    sqlite3_stmt *st;
    if (index_init(&l->leads, s->id.leads_n, place, e) < 0)
        return -1;
    l->loading = e;
    int rc = db_query(&s->main, &st, e, "SELECT index_put(key, fingerprint) FROM leads", "");
    l->loading = NULL;
    if (rc == 1)
        sqlite3_reset(st);
    return rc < 0 ? -1 : index_done(&l->leads, e);
}

/* A refusal from the time to come was learnt while the clock was ahead: it counts as learnt now, or it would be remembered
 * until the clock has caught up. A reader leaves that to the next run. */
static int date_refusals(struct state *s, struct err *e)
{
    sqlite3_stmt *st;
    int64_t now_ms = s->clock->wall_ms(s->clock);
    if (s->access != STATE_WRITE || s->id.refusals_n == 0)
        return 0;
    int rc = db_query(&s->main, &st, e, "SELECT 1 FROM refusals WHERE at_ms > ? LIMIT 1", "i", now_ms);
    if (rc != 1)
        return rc;
    sqlite3_reset(st);
    if (state_write_begin(s, e) < 0 ||
        db_run(&s->main, e, "UPDATE refusals SET at_ms = ?1 WHERE at_ms > ?1", "i", now_ms) < 0)
        return -1;
    return state_commit(s, e);
}

static int load_refused(struct state *s, struct lookup *l, enum index_place place, struct err *e)
{
    sqlite3_stmt *st;
    if (l->options.ignore_refusals || s->id.refusals_n == 0)
        return 0;
    if (index_init(&l->refused, s->id.refusals_n, place, e) < 0)
        return -1;
    int rc = db_query(&s->main, &st, e,
                      "SELECT key, fingerprint, reason FROM refusals WHERE context = ? AND at_ms >= ? ORDER BY key", "ui",
                      l->options.refusal_context, l->options.refusals_since_ms);
    for (; rc == 1; rc = db_next(&s->main, st, e)) {
        uint64_t reason = (uint64_t)sqlite3_column_int64(st, 2) & 0xff;
        if (load_key(s, &l->refused, st, lookup_mixed((uint64_t)sqlite3_column_int64(st, 1)) ^ reason, e) < 0)
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
            return err_set(e, XS_STATE,
                           "%s: the list of forgotten people is damaged; restore the file from a "
                           "backup",
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

bool lookup_is_forgotten(const struct lookup *l, const struct hash128 *key)
{
    return l->forgotten_n > 0 && bsearch(key, l->forgotten, l->forgotten_n, sizeof *l->forgotten, key_compare) != NULL;
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

static int lookup_load_load(struct state *s, struct lookup *l, struct err *e)
{
    enum index_place place;
    if (date_refusals(s, e) < 0 || load_forgotten(s, l, e) < 0)
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
    seen_init(&l->protected, s->memory_max / PROTECTED_SHARE);
    seen_init(&l->opted_out, s->memory_max / PROTECTED_SHARE);
    if (lookup_load_load(s, l, e) < 0) {
        db_reset_all(&s->main);
        lookup_free(l);
        s->lookup = NULL;
        return -1;
    }
    return 0;
}
