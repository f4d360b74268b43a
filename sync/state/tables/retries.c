/* The retry table, in row order. */
#include "config.h"

#include "sync/state/state_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct waiting {
    uint64_t n, mapping;
};
struct retries {
    struct state *state;
    struct waiting *rows; /* owned; in row order, so that the values stay where they are */
    size_t n, at;
};

/* Which retry rows another mapping made: `retries` as r; 0, which no mapping has, where it is not known. */
#define MAPPING "coalesce((SELECT mapping FROM runs WHERE id = r.run), 0)"

int state_retries_open(struct state *s, struct retries **out, struct err *e)
{
    sqlite3_stmt *st;
    struct retries *r = calloc(1, sizeof *r);
    *out = NULL;
    if (r == NULL)
        return err_oom(e);
    r->state = s;
    r->rows = calloc((size_t)s->id.retries_n + 1, sizeof *r->rows);
    if (r->rows == NULL) {
        free(r);
        return err_oom(e);
    }
    int rc = db_query(&s->main, &st, e, "SELECT n, " MAPPING " FROM retries r JOIN retry_values USING(n) ORDER BY row, n",
                      "");
    for (; rc == 1 && r->n < s->id.retries_n; rc = db_next(&s->main, st, e))
        r->rows[r->n++] = (struct waiting){(uint64_t)sqlite3_column_int64(st, 0), (uint64_t)sqlite3_column_int64(st, 1)};
    if (rc == 1) {
        sqlite3_reset(st);
        rc = err_set(e, XS_STATE, "%s: the retry table is damaged; see `leadsync status --audit`", s->path);
    }
    if (rc < 0) {
        state_retries_close(r);
        return -1;
    }
    *out = r;
    return 0;
}

/* The taker of the entry may give it other values, so its cells must not refer to them. */
static int plain_cells(struct entry *entry, struct arena *arena)
{
    struct buf scratch = BUF_INIT(BLOB_BYTES_MAX);
    int result = entry_cells(entry, &scratch, &entry->cells) < 0 ? -1 : arena_str(arena, entry->cells, &entry->cells);
    entry->cells_by_values = STR_NONE;
    buf_free(&scratch);
    return result;
}

int state_retries_next(struct retries *r, struct arena *arena, struct entry *out, uint32_t *target, uint64_t *mapping,
                       struct err *e)
{
    struct state *s = r->state;
    sqlite3_stmt *st;
    struct str intent;
    if (r->at == r->n)
        return 0;
    int rc = db_query(&s->main, &st, e, "SELECT target, intent FROM retry_values WHERE n = ?", "u", r->rows[r->at].n);
    if (rc < 0)
        return -1;
    if (rc == 0)
        return err_set(e, XS_INTERNAL, "the retry table changed while it was read; please report this");
    *target = (uint32_t)sqlite3_column_int64(st, 0);
    *mapping = r->rows[r->at].mapping;
    rc = arena_str(arena, db_blob(st, 1), &intent);
    sqlite3_reset(st);
    if (rc < 0)
        return err_oom(e);
    const char *p = intent.p;
    if (intent.n == 0 || entry_unpack_intent(&p, intent.p + intent.n, out) < 0)
        return err_set(e, XS_STATE, "%s: an entry of the retry table is damaged; restore the file from a backup", s->path);
    if (plain_cells(out, arena) < 0)
        return errno != EINVAL ? err_oom(e)
                               : err_set(e, XS_STATE,
                                         "%s: the cells of an entry of the retry table are damaged; restore "
                                         "the file from a backup",
                                         s->path);
    r->at++;
    return 1;
}

void state_retries_close(struct retries *r)
{
    if (r == NULL)
        return;
    free(r->rows);
    free(r);
}

uint64_t state_retries_n(struct state *s)
{
    return s->id.retries_n;
}

/* Does the row of this key wait since this run? 1/0/-1 */
static int left_by(struct state *s, const struct hash128 *key, uint64_t run, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&s->main, &st, e, "SELECT 1 FROM retries WHERE key = ? AND run = ?", "ku", key, run);
    if (rc == 1)
        sqlite3_reset(st);
    return rc;
}

/* Counts the results of the run that left a row waiting. */
static int count_reasons(struct state *s, uint64_t run, uint64_t reasons[REASON_N], struct err *e)
{
    struct results *results;
    struct arena arena;
    struct entry entry;
    enum op op;
    uint32_t target;
    if (state_results_open(s, run, &results, e) < 0)
        return -1;
    arena_init(&arena, ARENA_BATCH_MAX);
    int rc = 1;
    while (rc == 1 && (rc = state_results_next(results, &arena, &entry, &op, &target, e)) == 1) {
        if (entry.row > 0 && (entry.outcome == OUTCOME_FAILED || entry.outcome == OUTCOME_DEFERRED)) {
            int waits = left_by(s, &entry.key, run, e);
            reasons[entry.reason] += waits == 1;
            rc = waits < 0 ? -1 : 1;
        }
        arena_reset(&arena);
    }
    state_results_close(results);
    arena_free(&arena);
    return rc;
}

int state_retries_reasons(struct state *s, uint64_t reasons[REASON_N], uint64_t *newest, struct err *e)
{
    sqlite3_stmt *st;
    uint64_t run = 0;
    *newest = 0;
    if (s->id.retries_n == 0)
        return 0;
    for (;;) {
        int rc = db_query(&s->main, &st, e, "SELECT run FROM retries WHERE run > ? ORDER BY run LIMIT 1", "u", run);
        if (rc != 1)
            return rc;
        run = *newest = (uint64_t)sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
        if (count_reasons(s, run, reasons, e) < 0)
            return -1;
    }
}

int state_retries_of_others(struct state *s, uint64_t mapping, uint64_t *n, struct err *e)
{
    sqlite3_stmt *st;
    *n = 0;
    if (s->id.retries_n == 0)
        return 0;
    int rc = db_query(&s->main, &st, e, "SELECT count(*) FROM retries r WHERE " MAPPING " <> ?", "u", mapping);
    if (rc != 1)
        return rc;
    *n = (uint64_t)sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return 0;
}

int state_retries_drop_others(struct state *s, uint64_t mapping, uint64_t *n, struct err *e)
{
    *n = 0;
    if (s->id.retries_n == 0)
        return 0;
    if (state_write_begin(s, e) < 0 ||
        db_run(&s->main, e, "DELETE FROM retry_values WHERE n IN (SELECT n FROM retries r WHERE " MAPPING " <> ?)", "u",
               mapping) < 0 ||
        db_run(&s->main, e, "DELETE FROM retries AS r WHERE " MAPPING " <> ?", "u", mapping) < 0)
        return -1;
    *n = (uint64_t)sqlite3_changes(s->main.h);
    s->id.retries_n -= *n;
    return *n > 0 ? identity_store(s, e) : 0;
}
