/* The differences wait in a table, because the counts are printed before them, and because a question for an address can still
 * change what is said of a missing lead. */
#include "config.h"

#include "sync/compare/verify.h"

#include <stdlib.h>
#include <string.h>

#include "sync/compare/pages_int.h"

enum {
    ARENA_MAX = 16 << 20,
    NAMED_MAX = 20,
    ASKED_MAX = 10000, /* missing leads whose address is asked for: a hundred requests */
};

struct verify {
    struct remote *remote;
    struct pages *pages;
    const struct mapping *m;
    struct verify_counts counts;
    struct arena arena;
    struct target_names names;
    struct target *compared; /* owned, without their names */
    size_t compared_n;
    bool owns;
};

static const char table[] =
    "CREATE TEMP TABLE found("
    " n INTEGER PRIMARY KEY, sign INTEGER NOT NULL, kind INTEGER NOT NULL, row INTEGER NOT NULL, line INTEGER NOT NULL,"
    " key TEXT, email TEXT, lead_id BLOB, target_kind INTEGER NOT NULL, target_id BLOB NOT NULL, where_kind INTEGER,"
    " where_id BLOB, changes BLOB)";

const char *verify_kind_text(enum verify_kind kind)
{
    static const char *const texts[VERIFY_KIND_N] = {
        [VERIFY_NO_KIND] = "same",          [VERIFY_EDITED] = "edited",   [VERIFY_MOVED] = "moved",
        [VERIFY_DOUBLED] = "doubled",       [VERIFY_NEVER] = "missing",   [VERIFY_DELETED] = "deleted",
        [VERIFY_MOVED_AWAY] = "moved_away", [VERIFY_UNKNOWN] = "unknown", [VERIFY_OPTED_OUT] = "opted_out",
        [VERIFY_KEYLESS] = "keyless",       [VERIFY_OPEN] = "open",       [VERIFY_UNSOUND] = "unsound",
    };
    return texts[kind];
}

int verify_new(struct remote *remote, const struct mapping *m, struct verify **out, struct err *e)
{
    struct verify *v = calloc(1, sizeof *v);
    *out = NULL;
    if (v == NULL)
        return err_oom(e);
    v->remote = remote;
    v->pages = remote_pages(remote);
    v->m = m;
    arena_init(&v->arena, ARENA_MAX);
    target_names_init(&v->names);
    if (db_exec(&v->pages->db, table, e) < 0) {
        verify_free(v);
        return -1;
    }
    *out = v;
    return 0;
}

void verify_free(struct verify *v)
{
    if (v == NULL)
        return;
    if (v->owns)
        remote_close(v->remote, false);
    target_names_free(&v->names);
    arena_free(&v->arena);
    free(v->compared);
    free(v);
}

void verify_take(struct verify *v)
{
    v->owns = true;
}

void verify_name(struct verify *v, const struct target *target, bool compared)
{
    struct target *grown = compared ? reallocarray(v->compared, v->compared_n + 1, sizeof *grown) : NULL;
    target_names_add(&v->names, target);
    if (grown == NULL)
        return;
    v->compared = grown;
    v->compared[v->compared_n] = *target;
    v->compared[v->compared_n++].name = NULL;
}

void verify_names_of(struct verify *v, struct state *state)
{
    target_names_of_state(&v->names, state);
}

const struct target_names *verify_names(const struct verify *v)
{
    return &v->names;
}

bool verify_target(const struct verify *v, size_t i, const struct target **out)
{
    if (i >= v->compared_n)
        return false;
    *out = &v->compared[i];
    return true;
}

struct verify_counts *verify_counts(struct verify *v)
{
    return &v->counts;
}

int verify_add(struct verify *v, const struct verify_item *item, struct err *e)
{
    v->counts.signs[item->sign]++;
    v->counts.kinds[item->kind]++;
    if (item->sign == VERIFY_SAME)
        return 0;
    const struct target *where = item->where;
    if (db_begin(&v->pages->db, e) < 0)
        return -1;
    return db_run(&v->pages->db, e,
                  "INSERT INTO temp.found(sign, kind, row, line, key, email, lead_id, target_kind, target_id, where_kind,"
                  " where_id, changes) VALUES(?, ?, ?, ?, ?, nullif(?, ''), ?, ?, ?, ?, ?, ?)",
                  "iiuuttdididB", (int64_t)item->sign, (int64_t)item->kind, item->row, item->line, item->key, item->email,
                  item->lead_id, (int64_t)item->target->kind, &item->target->id,
                  where != NULL ? (int64_t)where->kind : INT64_C(-1), where != NULL ? &where->id : NULL, item->changes) < 0
               ? -1
               : 0;
}

/* ---- what is missing ---- */

/* True if the mapping leaves a row alone whose lead is in this place already. */
static bool leaves_alone(const struct verify *v, const struct page_lead *lead, enum reason *reason)
{
    switch (v->m->dedupe) {
    case DEDUPE_WORKSPACE: *reason = REASON_IN_WORKSPACE; return true;
    case DEDUPE_ANY_CAMPAIGN: *reason = REASON_IN_CAMPAIGN; return lead->placed && lead->place.kind == TARGET_CAMPAIGN;
    case DEDUPE_ANY_LIST: *reason = REASON_IN_LIST; return lead->placed && lead->place.kind == TARGET_LIST;
    case DEDUPE_TARGET_ONLY: break;
    }
    return false;
}

/* A missing row of the table. */
struct missing_row {
    int64_t n;
    enum verify_kind kind;
    struct target target;
    struct str address; /* normalised */
};

static int change_kind(struct verify *v, const struct missing_row *row, enum verify_sign sign, enum verify_kind kind,
                       const struct page_lead *lead, struct err *e)
{
    v->counts.signs[VERIFY_MISSING]--;
    v->counts.signs[sign]++;
    v->counts.kinds[row->kind]--;
    v->counts.kinds[kind]++;
    const struct target *where = lead->placed ? &lead->place : NULL;
    return db_run(&v->pages->db, e,
                  "UPDATE temp.found SET sign = ?, kind = ?, lead_id = ?, where_kind = ?, where_id = ? WHERE n = ?",
                  "iididi", (int64_t)sign, (int64_t)kind, &lead->id, where != NULL ? (int64_t)where->kind : INT64_C(-1),
                  where != NULL ? &where->id : NULL, row->n);
}

/* Where a lead with the row's address is, which no page of the targets has shown. */
static int locate(struct verify *v, const struct missing_row *row, struct err *e)
{
    struct page_lead lead;
    enum reason reason;
    int rc = pages_find_address(v->pages, row->address, &row->target, &v->arena, &lead, e);
    if (rc != 1)
        return rc;
    if (lead.placed && target_eq(&lead.place, &row->target))
        return change_kind(v, row, VERIFY_UNTOLD, VERIFY_UNSOUND, &lead, e);
    if (row->kind == VERIFY_NEVER && leaves_alone(v, &lead, &reason)) {
        v->counts.signs[VERIFY_MISSING]--;
        v->counts.kinds[row->kind]--;
        v->counts.left_out++;
        v->counts.reasons[reason]++;
        return db_run(&v->pages->db, e, "DELETE FROM temp.found WHERE n = ?", "i", row->n);
    }
    return change_kind(v, row, VERIFY_MISSING, VERIFY_MOVED_AWAY, &lead, e);
}

/* Takes up to LEADS_LIST_MAX missing rows with an address after number `after`. */
static int take_missing(struct verify *v, int64_t after, struct missing_row rows[LEADS_LIST_MAX], size_t *n, struct err *e)
{
    struct buf address = BUF_INIT(4096);
    sqlite3_stmt *st;
    *n = 0;
    arena_reset(&v->arena);
    int rc = db_query(&v->pages->db, &st, e,
                      "SELECT n, kind, email, target_kind, target_id FROM temp.found"
                      " WHERE sign = ? AND email IS NOT NULL AND n > ? ORDER BY n LIMIT ?",
                      "iii", (int64_t)VERIFY_MISSING, after, (int64_t)LEADS_LIST_MAX);
    while (rc == 1) {
        struct missing_row *row = &rows[*n];
        row->n = sqlite3_column_int64(st, 0);
        row->kind = (enum verify_kind)sqlite3_column_int(st, 1);
        row->target = (struct target){.kind = sqlite3_column_int(st, 3) == TARGET_LIST ? TARGET_LIST : TARGET_CAMPAIGN};
        db_blob16(st, 4, row->target.id.b);
        buf_reset(&address);
        if (mapping_email_key(db_text(st, 2), &address) == 0) {
            if (arena_str(&v->arena, buf_str(&address), &row->address) != 0) {
                sqlite3_reset(st);
                rc = err_oom(e);
                break;
            }
            ++*n;
        }
        rc = db_next(&v->pages->db, st, e);
    }
    buf_free(&address);
    return rc;
}

static int locate_missing(struct verify *v, const struct remote_config *c, struct err *e)
{
    struct missing_row rows[LEADS_LIST_MAX];
    struct str addresses[LEADS_LIST_MAX];
    int64_t after = 0, left;
    size_t n = 0;
    for (uint64_t asked = 0; asked < ASKED_MAX; asked += n) {
        if (take_missing(v, after, rows, &n, e) != 0)
            return -1;
        if (n == 0)
            return 0;
        after = rows[n - 1].n;
        for (size_t i = 0; i < n; i++)
            addresses[i] = rows[i].address;
        if (pages_ask_addresses(v->pages, c->api, addresses, n, c->step, c->ctx, e) != 0 || db_begin(&v->pages->db, e) < 0)
            return -1;
        for (size_t i = 0; i < n; i++)
            if (locate(v, &rows[i], e) < 0)
                return -1;
    }
    if (take_missing(v, after, rows, &n, e) != 0 ||
        db_int(&v->pages->db, &left, 0,
               "SELECT count(*) FROM temp.found WHERE sign = 2 /* VERIFY_MISSING */ AND email IS NOT NULL", e) < 0)
        return -1;
    v->counts.unasked = n > 0 ? (uint64_t)left : 0;
    return 0;
}

/* ---- what is too much ---- */

static int add_unmet(struct verify *v, struct err *e)
{
    struct page_lead lead;
    bool keyless = v->counts.keyless > 0;
    uint64_t after = 0;
    int rc;
    for (;;) {
        arena_reset(&v->arena);
        rc = pages_next(v->pages, after, false, &v->arena, &lead, e);
        if (rc != 1)
            return rc;
        after = lead.n;
        if (remote_is_met(v->remote, lead.n))
            continue;
        const struct value *key = v->m->has_key && v->m->shape.custom_n > 0 ? &lead.lead.custom[v->m->shape.custom_n - 1]
                                                                            : &lead.lead.core[LEAD_EMAIL];
        const struct verify_item item = {
            .sign = keyless ? VERIFY_UNTOLD : VERIFY_SURPLUS,
            .kind = keyless ? VERIFY_KEYLESS : VERIFY_UNKNOWN,
            .key = key->kind == VALUE_STRING ? (struct str){key->p, key->n} : STR_NONE,
            .email = lead.email,
            .lead_id = &lead.id,
            .target = &lead.place,
        };
        if (verify_add(v, &item, e) != 0)
            return -1;
    }
}

/* Names of places that neither the mapping nor the state has. A place without a known name is shown by its id. */
static int name_places(struct verify *v, struct api *api, struct err *e)
{
    struct target places[NAMED_MAX];
    size_t n = 0;
    sqlite3_stmt *st;
    int rc = db_query(&v->pages->db, &st, e,
                      "SELECT DISTINCT where_kind, where_id FROM temp.found WHERE where_id IS NOT NULL LIMIT ?", "i",
                      (int64_t)NAMED_MAX);
    for (; rc == 1; rc = db_next(&v->pages->db, st, e)) {
        places[n] = (struct target){.kind = sqlite3_column_int(st, 0) == TARGET_LIST ? TARGET_LIST : TARGET_CAMPAIGN,
                                    .status = TARGET_STATUS_UNKNOWN};
        n += db_blob16(st, 1, places[n].id.b) && !target_names_know(&v->names, &places[n]);
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct api_reply reply;
        struct target named;
        struct err unnamed = ERR_INIT;
        arena_reset(&v->arena);
        if (api_target_get_wait(api, &places[i], &reply, &unnamed) == 0 &&
            api_target_read(&reply, &places[i], &v->arena, &named))
            target_names_add(&v->names, &named);
        err_clear(&unnamed);
    }
    return rc;
}

int verify_finish(struct verify *v, const struct remote_config *config, bool whole, struct err *e)
{
    v->counts.leads = pages_leads_n(v->pages);
    if ((config->sample_n == 0 && locate_missing(v, config, e) != 0) || (whole && add_unmet(v, e) != 0) ||
        name_places(v, config->api, e) != 0)
        return -1;
    return db_commit(&v->pages->db, e);
}

/* ---- the list ---- */

int verify_each(struct verify *v, verify_each_fn *each, void *ctx, struct err *e)
{
    sqlite3_stmt *st;
    int rc =
        db_query(&v->pages->db, &st, e,
                 "SELECT sign, kind, row, line, key, email, lead_id, target_kind, target_id, where_kind, where_id, changes"
                 " FROM temp.found ORDER BY sign, row, n",
                 "");
    while (rc == 1) {
        struct uuid id;
        struct target target = {.status = TARGET_STATUS_UNKNOWN}, where = target;
        struct verify_item item = {
            .sign = (enum verify_sign)sqlite3_column_int(st, 0),
            .kind = (enum verify_kind)sqlite3_column_int(st, 1),
            .row = (uint64_t)sqlite3_column_int64(st, 2),
            .line = (uint64_t)sqlite3_column_int64(st, 3),
            .key = db_text(st, 4),
            .email = db_text(st, 5),
            .lead_id = db_blob16(st, 6, id.b) ? &id : NULL,
            .target = &target,
            .where = db_blob16(st, 10, where.id.b) ? &where : NULL,
            .changes = db_blob(st, 11),
        };
        target.kind = sqlite3_column_int(st, 7) == TARGET_LIST ? TARGET_LIST : TARGET_CAMPAIGN;
        where.kind = sqlite3_column_int(st, 9) == TARGET_LIST ? TARGET_LIST : TARGET_CAMPAIGN;
        db_blob16(st, 8, target.id.b);
        if (each(ctx, &item, e) != 0) {
            sqlite3_reset(st);
            return -1;
        }
        rc = db_next(&v->pages->db, st, e);
    }
    return rc;
}

/* Newton's method; the program links no mathematics library. */
static double root(double x)
{
    double r = x > 1 ? x : 1;
    for (int i = 0; i < 64; i++)
        r = (r + x / r) / 2;
    return r;
}

/* Wilson's score interval keeps a sensible width near shares of 0 and 1, where the usual one has none:
 * (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n) with z for 95 %. */
void verify_interval(uint64_t found, uint64_t sample, double *low, double *high)
{
    static const double z = 1.959964;
    *low = 0;
    *high = 1;
    if (sample == 0)
        return;
    double n = (double)sample, p = (double)found / n;
    double middle = p + z * z / (2 * n), width = z * root(p * (1 - p) / n + z * z / (4 * n * n)), scale = 1 + z * z / n;
    *low = found > 0 && (middle - width) / scale > 0 ? (middle - width) / scale : 0;
    *high = found < sample && (middle + width) / scale < 1 ? (middle + width) / scale : 1;
}
