/* The leads that are there are read first and only then written, both in key order: every page of the table is visited
 * once each, and a scan replaces lookups where a good part of the table is concerned. */
#include "config.h"

#include "sync/state/merge/merge.h"

#include <stdlib.h>
#include <string.h>

/* One lookup costs as much as stepping over this many rows. */
enum { SCAN_PAYS = 8 };

struct existing {
    struct state *state;
    bool scan, any; /* a scan stands on a row when any */
    sqlite3_stmt *st;
    struct hash128 key; /* of that row */
};

/* A scan visits the table in the order of keys, as the items are asked for, so that each row is read once. */
static int scan_next(struct existing *x, int rc, struct err *e)
{
    (void)e;
    x->any = rc == 1;
    if (rc == 1 && !db_blob16(x->st, 0, x->key.b))
        return err_set(e, XS_STATE, "%s: a lead with a damaged key; restore the file from a backup", x->state->path);
    return rc;
}

static int existing_start(struct existing *x, struct state *s, const struct fold_list *l, struct err *e)
{
    memset(x, 0, sizeof *x);
    x->state = s;
    x->scan = l->n * SCAN_PAYS >= s->id.leads_n;
    if (!x->scan || l->n == 0)
        return 0;
    return scan_next(x,
                     db_query(&s->main, &x->st, e,
                              "SELECT key, fingerprint, n, target, status, flags FROM leads WHERE key >= ? ORDER BY key",
                              "k", &l->items[0].key),
                     e) < 0
               ? -1
               : 0;
}

static void existing_stop(struct existing *x)
{
    if (x->st != NULL)
        sqlite3_reset(x->st);
}

/* Keys must be asked for in order. 1 with x->st on the row, 0, -1. */
static int existing_find(struct existing *x, const struct hash128 *key, struct err *e)
{
    if (!x->scan)
        return db_query(&x->state->main, &x->st, e,
                        "SELECT key, fingerprint, n, target, status, flags FROM leads WHERE key = ?", "k", key);
    while (x->any && memcmp(x->key.b, key->b, sizeof key->b) < 0)
        if (scan_next(x, db_next(&x->state->main, x->st, e), e) < 0)
            return -1;
    return x->any && hash128_eq(&x->key, key);
}

/* Fills what is stored of the key, and returns the number of the lead, by which its values are found. */
static uint64_t take_existing(const struct existing *x, struct fold *f)
{
    f->known = true;
    f->fingerprint = (uint64_t)sqlite3_column_int64(x->st, 1);
    f->target = (uint32_t)sqlite3_column_int64(x->st, 3);
    f->status = db_is_null(x->st, 4) ? TARGET_STATUS_UNKNOWN : sqlite3_column_int(x->st, 4);
    f->flags = (uint32_t)sqlite3_column_int64(x->st, 5);
    return (uint64_t)sqlite3_column_int64(x->st, 2);
}

/* ---- refusals and retries ---- */

/* A key has one refusal at most. It is dropped when the lead is proved, and replaced when another form of the row is
 * refused. */
static int resolve_refusal(struct merge *m, const struct hash128 *key, const struct fold *f, struct err *e)
{
    struct state *s = m->state;
    struct db *db = &s->main;
    if (f->refusal == FOLD_DROP && s->id.refusals_n > 0) {
        if (db_run(db, e, "DELETE FROM refusals WHERE key = ?", "k", key) < 0)
            return -1;
        s->id.refusals_n -= (uint64_t)sqlite3_changes(db->h);
    }
    if (f->refusal != FOLD_PUT)
        return 0;
    if (s->id.refusals_n > 0) {
        if (db_run(db, e, "UPDATE refusals SET fingerprint = ?, context = ?, reason = ?, at_ms = ? WHERE key = ?", "uuiik",
                   f->refusal_fingerprint, m->refusal_context, (int64_t)f->refusal_reason, m->now_ms, key) < 0)
            return -1;
        if (sqlite3_changes(db->h) > 0)
            return 0;
    }
    s->id.refusals_n++;
    return db_run(db, e, "INSERT INTO refusals(key, fingerprint, context, reason, at_ms) VALUES(?, ?, ?, ?, ?)", "kuuii",
                  key, f->refusal_fingerprint, m->refusal_context, (int64_t)f->refusal_reason, m->now_ms);
}

/* A batch that an earlier run left open may settle after a later run has left a newer form of its row: that one still waits,
 * unless the lead has its values now. */
static int resolve_retry(struct merge *m, const struct hash128 *key, const struct fold *f, struct err *e)
{
#define OLDER " WHERE key = ?1 AND (run <= ?2 OR fingerprint = ?3)"
    struct state *s = m->state;
    struct db *db = &s->main;
    uint64_t run = f->retry_run;
    if (f->retry == FOLD_KEEP)
        return 0;
    if (s->id.retries_n > 0) {
        if (db_run(db, e, "DELETE FROM retry_values WHERE n = (SELECT n FROM retries" OLDER ")", "kuu", key, run,
                   f->fingerprint) < 0 ||
            db_run(db, e, "DELETE FROM retries" OLDER, "kuu", key, run, f->fingerprint) < 0)
            return -1;
        s->id.retries_n -= (uint64_t)sqlite3_changes(db->h);
    }
#undef OLDER
    if (f->retry == FOLD_DROP)
        return 0;
    if (db_run(db, e, "INSERT INTO retries(key, fingerprint, n, run) VALUES(?, ?, ?, ?) ON CONFLICT(key) DO NOTHING", "kuuu",
               key, f->retry_fingerprint, s->id.next_retry + f->retry_from, run) < 0)
        return -1;
    if (sqlite3_changes(db->h) == 0)
        return 0;
    m->places[f->retry_from] |= PLACE_RETRY;
    s->id.retries_n++;
    return 0;
}

/* ---- leads ---- */

static int stored_id(struct state *s, uint64_t n, struct uuid *id, bool *has, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&s->main, &st, e, "SELECT lead_id FROM lead_values WHERE n = ?", "u", n);
    if (rc < 0)
        return -1;
    *has = rc == 1 && db_blob16(st, 0, id->b);
    if (rc == 1)
        sqlite3_reset(st);
    return 0;
}

/* Results of earlier runs show the id that the lead had then. */
static int keep_former_id(struct merge *m, uint64_t n, const struct fold *f, uint32_t run, struct err *e)
{
    struct uuid old;
    bool has;
    if (stored_id(m->state, n, &old, &has, e) < 0)
        return -1;
    if (!has || uuid_eq(&old, &f->lead_id))
        return 0;
    return db_run(&m->state->main, e, "INSERT OR REPLACE INTO former_ids(n, run, lead_id) VALUES(?, ?, ?)", "uud", n,
                  (uint64_t)(run > 0 ? run - 1 : 0), &old);
}

static int add_fix(struct merge *m, uint64_t lead, const struct uuid *id, struct err *e)
{
    if (m->fixes_n == m->fixes_cap) {
        size_t cap = m->fixes_cap == 0 ? 64 : m->fixes_cap * 2;
        struct id_fix *grown = reallocarray(m->fixes, cap, sizeof *grown);
        if (grown == NULL)
            return err_oom(e);
        m->fixes = grown;
        m->fixes_cap = cap;
    }
    m->fixes[m->fixes_n++] = (struct id_fix){lead, *id};
    return 0;
}

/* Says in the items and places of a key what is to be written for it. */
static int place_group(struct merge *m, size_t from, size_t to, struct fold *f, uint64_t n, bool fresh, struct err *e)
{
    struct fold_list *l = &m->list;
    bool write = fresh || f->values_from != FOLD_NONE || f->id_recorded;
    bool hashed = m->state->hashed;
    uint32_t writer = !write ? FOLD_NONE : f->values_from != FOLD_NONE ? f->values_from : f->proven_from;
    for (size_t i = from; i < to; i++) {
        struct fold_item *item = &l->items[i];
        bool has_id = (item->bits & ITEM_LEAD_ID) != 0;
        bool same_id = has_id && f->id_recorded && uuid_eq(&item->lead_id, &f->lead_id);
        uint64_t place = n << PLACE_BITS | (has_id && !same_id ? PLACE_ID_HERE : 0u);
        if (item->ordinal == f->values_from)
            hashed = hashed || (item->bits & ITEM_HASHES) != 0;
        if (item->ordinal == writer) {
            place |= fresh ? PLACE_INSERT : PLACE_UPDATE;
            if (f->id_recorded && !same_id && add_fix(m, n, &f->lead_id, e) < 0)
                return -1;
        }
        m->places[item->ordinal] |= place;
        item->change = (struct lead_change){.kind = LEAD_KEPT};
    }
    if (f->values_from != FOLD_NONE)
        f->flags = hashed ? f->flags | KNOWN_HASHED_VALUES : f->flags & ~(unsigned)KNOWN_HASHED_VALUES;
    l->items[from].change = (struct lead_change){.kind = fresh        ? LEAD_NEW
                                                         : f->changed ? LEAD_CHANGED
                                                                      : LEAD_KEPT,
                                                 .status = f->status,
                                                 .n = n,
                                                 .fingerprint = f->fingerprint,
                                                 .target = f->target,
                                                 .flags = f->flags};
    return 0;
}

static bool is_absent(const struct fold *f)
{
    return f->known && (f->flags & (KNOWN_REMOVED | KNOWN_DELETED_THERE)) != 0;
}

/* All entries of one key, in the order of the journal: what is stored, then each entry, then what has to be written. The
 * number of a new lead follows from its place in the window, so that the order of numbers is the order of rows. */
static int resolve_group(struct merge *m, struct existing *x, size_t from, size_t to, struct err *e)
{
    struct fold_list *l = &m->list;
    struct hash128 key = l->items[from].key;
    struct fold f;
    uint64_t n = 0;
    uint32_t run = 0;
    fold_init(&f);
    int found = existing_find(x, &key, e);
    if (found < 0)
        return -1;
    if (found == 1)
        n = take_existing(x, &f);
    m->state->id.absent_n -= is_absent(&f);
    for (size_t i = from; i < to; i++) {
        const struct fold_item *item = &l->items[i];
        fold_item(&f, item);
        m->given_up += item->reason == REASON_ATTEMPTS_EXHAUSTED;
        if (item->bits & ITEM_LEAD_ID)
            run = item->run;
    }
    m->state->id.absent_n += is_absent(&f);
    bool fresh = f.known && found == 0;
    if (fresh)
        n = m->state->id.next_lead + (f.values_from != FOLD_NONE ? f.values_from : f.proven_from);
    if (!fresh && f.known && f.id_recorded && keep_former_id(m, n, &f, run, e) < 0)
        return -1;
    if (resolve_refusal(m, &key, &f, e) < 0 || resolve_retry(m, &key, &f, e) < 0)
        return -1;
    if (fresh)
        m->state->id.leads_n++;
    return place_group(m, from, to, &f, n, fresh, e);
}

static int write_changed(struct merge *m, const struct fold_item *item, struct err *e)
{
    static const char with_status[] = "UPDATE leads SET fingerprint = ?, target = ?, flags = ?, status = ? WHERE key = ?";
    static const char without[] = "UPDATE leads SET fingerprint = ?, target = ?, flags = ?, status = NULL WHERE key = ?";
    const struct lead_change *c = &item->change;
    if (c->status != TARGET_STATUS_UNKNOWN)
        return db_run(&m->state->main, e, with_status, "uiiik", c->fingerprint, (int64_t)c->target, (int64_t)c->flags,
                      (int64_t)c->status, &item->key);
    return db_run(&m->state->main, e, without, "uiik", c->fingerprint, (int64_t)c->target, (int64_t)c->flags, &item->key);
}

/* ---- new leads, fed in key order ---- */

static bool new_next(void *ctx)
{
    struct merge *m = ctx;
    do {
        m->lead_at++;
    } while (m->lead_at < m->list.n && m->list.items[m->lead_at].change.kind != LEAD_NEW);
    return m->lead_at < m->list.n;
}

static void new_column(void *ctx, sqlite3_context *out, int column)
{
    struct merge *m = ctx;
    const struct fold_item *item = &m->list.items[m->lead_at];
    switch (column) {
    case 0: sqlite3_result_blob(out, item->key.b, sizeof item->key.b, SQLITE_STATIC); break;
    case 1: sqlite3_result_int64(out, (int64_t)item->change.fingerprint); break;
    case 2: sqlite3_result_int64(out, (int64_t)item->change.n); break;
    case 3: sqlite3_result_int64(out, item->change.target); break;
    case 4:
        if (item->change.status != TARGET_STATUS_UNKNOWN)
            sqlite3_result_int(out, item->change.status);
        break;
    default: sqlite3_result_int64(out, item->change.flags); break;
    }
}

static int write_leads(struct merge *m, struct err *e)
{
    const struct fold_list *l = &m->list;
    size_t fresh = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (l->items[i].change.kind == LEAD_CHANGED && write_changed(m, &l->items[i], e) < 0)
            return -1;
        m->state->before.wrote |= l->items[i].change.kind == LEAD_CHANGED;
        fresh += l->items[i].change.kind == LEAD_NEW;
    }
    if (fresh == 0)
        return 0;
    m->lead_at = SIZE_MAX; /* before the first */
    m->state->feed = (struct bulk_insert){m, new_next, new_column};
    return db_run(&m->state->main, e,
                  "INSERT OR FAIL INTO leads(key, fingerprint, n, target, status, flags)"
                  " SELECT c0, c1, c2, c3, c4, c5 FROM feed",
                  "");
}

int resolve(struct merge *m, struct err *e)
{
    struct fold_list *l = &m->list;
    struct existing x;
    if (l->n > m->places_cap) {
        uint64_t *grown = reallocarray(m->places, l->n, sizeof *grown);
        if (grown == NULL)
            return err_oom(e);
        m->places = grown;
        m->places_cap = l->n;
    }
    if (l->n > 0)
        memset(m->places, 0, l->n * sizeof *m->places);
    m->fixes_n = 0;
    if (fold_list_sort(l, e) < 0 || existing_start(&x, m->state, l, e) < 0)
        return -1;
    int result = 0;
    for (size_t from = 0, to; from < l->n && result == 0; from = to) {
        to = fold_list_group(l, from);
        result = resolve_group(m, &x, from, to, e);
    }
    existing_stop(&x);
    return result < 0 ? -1 : write_leads(m, e);
}
