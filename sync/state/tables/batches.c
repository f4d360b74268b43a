/* Batches by id or job, settled or not, and how what is kept of them is packed and rewritten. */
#include "config.h"

#include "sync/state/tables/results.h"
#include "sync/state/tables/values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- order ---- */

struct place {
    uint64_t row;
    uint32_t at;
};

static int place_compare(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

const uint32_t *results_order(const struct entry *entries, size_t n, struct arena *arena, struct err *e)
{
    uint32_t *order = arena_calloc(arena, n + 1, sizeof *order);
    struct place *places = NULL;
    bool sorted = true;
    for (size_t i = 1; i < n && sorted; i++)
        sorted = result_order(entries[i - 1].row) <= result_order(entries[i].row);
    if (!sorted)
        places = arena_calloc(arena, n, sizeof *places);
    if (order == NULL || (!sorted && places == NULL)) {
        err_oom(e);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        order[i] = (uint32_t)i;
        if (places != NULL)
            places[i] = (struct place){result_order(entries[i].row), (uint32_t)i};
    }
    if (places == NULL)
        return order;
    qsort(places, n, sizeof *places, place_compare);
    for (size_t i = 0; i < n; i++)
        order[i] = places[i].at;
    return order;
}

/* ---- cells ---- */

int reject_add(struct state *s, struct buf *rejects, struct buf *scratch, size_t position, const struct entry *entry,
               struct err *e)
{
    struct str cells;
    if (entry->outcome != OUTCOME_REJECTED && entry->outcome != OUTCOME_FAILED && entry->outcome != OUTCOME_DEFERRED)
        return 0;
    if (entry_cells(entry, scratch, &cells) < 0)
        return errno != EINVAL ? err_oom(e)
                               : err_set(e, XS_STATE,
                                         "%s: the cells of row %llu are damaged; restore it together with "
                                         "%s from a backup",
                                         s->journal_path, (unsigned long long)entry->row, s->path);
    return cells.n == 0 || reject_pack(rejects, position, cells) == 0 ? 0 : err_oom(e);
}

/* ---- by id or job ---- */

int state_batch_find(struct state *s, const char *job, uint64_t after, uint64_t *id, struct err *e)
{
    sqlite3_stmt *st;
    int64_t found = INT64_MAX;
    int rc = db_query(&s->main, &st, e, "SELECT min(id) FROM batches WHERE job = ? AND id > ?", "zu", job, after);
    if (rc < 0)
        return -1;
    if (rc == 1 && !db_is_null(st, 0))
        found = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    if (s->journal.open) {
        rc = db_query(&s->journal.db, &st, e, "SELECT min(id) FROM batches WHERE job = ? AND id > ?", "zu", job, after);
        if (rc < 0)
            return -1;
        if (rc == 1 && !db_is_null(st, 0) && sqlite3_column_int64(st, 0) < found)
            found = sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
    }
    *id = (uint64_t)found;
    return found != INT64_MAX;
}

int state_run_sent(struct state *s, uint64_t run, int64_t from_ms, int64_t step_ms, uint64_t *counts, size_t n,
                   struct err *e)
{
    static const char sql[] = "SELECT id, entries_n, sent_ms FROM batches WHERE run = ? AND sent_ms > 0";
    struct db *const files[] = {&s->main, s->journal.open ? &s->journal.db : NULL};
    for (size_t i = 0; i < 2 && files[i] != NULL; i++) {
        sqlite3_stmt *st;
        int rc = db_query(files[i], &st, e, sql, "u", run);
        for (; rc == 1; rc = db_next(files[i], st, e)) {
            /* What is merged stands in both files until the journal is emptied. */
            int merged = i == 0 ? 0 : batch_merged(s, (uint64_t)sqlite3_column_int64(st, 0), e);
            int64_t step = (sqlite3_column_int64(st, 2) - from_ms) / step_ms;
            size_t at = step < 0 ? 0 : step >= (int64_t)n ? n - 1 : (size_t)step;
            if (merged < 0) {
                sqlite3_reset(st);
                return -1;
            }
            counts[at] += merged == 0 ? (uint64_t)sqlite3_column_int64(st, 1) : 0;
        }
        if (rc < 0)
            return -1;
    }
    return 0;
}

int state_unmerged_rows(struct state *s, uint64_t *rows, struct err *e)
{
    sqlite3_stmt *st;
    *rows = 0;
    if (!s->journal.open)
        return 0;
    int rc = db_query(&s->journal.db, &st, e, "SELECT id, entries_n FROM batches WHERE state = ? AND op <> ? ORDER BY id",
                      "ii", (int64_t)BATCH_DONE, (int64_t)OP_NONE);
    for (; rc == 1; rc = db_next(&s->journal.db, st, e)) {
        int merged = batch_merged(s, (uint64_t)sqlite3_column_int64(st, 0), e);
        if (merged < 0) {
            sqlite3_reset(st);
            return -1;
        }
        *rows += merged == 0 ? (uint64_t)sqlite3_column_int64(st, 1) : 0;
    }
    return rc;
}

static int take_head(sqlite3_stmt *st, struct arena *arena, struct batch *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    int op = sqlite3_column_int(st, 2), state = sqlite3_column_int(st, 3);
    out->id = (uint64_t)sqlite3_column_int64(st, 0);
    out->run = (uint64_t)sqlite3_column_int64(st, 1);
    out->op = op >= OP_NONE && op < OP_N ? (enum op)op : OP_NONE;
    out->state = state >= BATCH_PLANNED && state <= BATCH_DONE ? (enum batch_state)state : BATCH_UNKNOWN;
    out->target = (uint32_t)sqlite3_column_int64(st, 4);
    out->source = (uint32_t)sqlite3_column_int64(st, 5);
    out->sent_ms = sqlite3_column_int64(st, 6);
    out->http_status = sqlite3_column_int(st, 7);
    out->entries_n = (size_t)sqlite3_column_int64(st, 9);
    if (!db_is_null(st, 8)) {
        struct str job = db_text(st, 8);
        out->job = arena_dup(arena, job.p, job.n);
        if (out->job == NULL)
            return err_oom(e);
    }
    return 0;
}

int batch_head(struct state *s, uint64_t id, struct arena *arena, struct batch *out, bool *merged, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&s->main, &st, e,
                      "SELECT id, run, op, 5, target, source, sent_ms, http_status, job, entries_n FROM batches"
                      " WHERE id = ?",
                      "u", id);
    *merged = rc == 1;
    if (rc == 0 && s->journal.open)
        rc = db_query(&s->journal.db, &st, e,
                      "SELECT id, run, op, state, target, source, sent_ms, http_status, job, entries_n FROM batches"
                      " WHERE id = ?",
                      "u", id);
    if (rc != 1)
        return rc;
    rc = take_head(st, arena, out, e) < 0 ? -1 : 1;
    sqlite3_reset(st);
    return rc;
}

/* ---- rewriting ---- */

/* 1 when the blob was changed; the new one is in `out`. */
static int rewrite_blob(struct state *s, uint32_t target, struct str blob, results_edit *edit, void *ctx, struct buf *out,
                        struct err *e)
{
    struct result_unpacker from;
    struct result_packer to;
    struct result r;
    int rc, changed = 0;
    buf_reset(out);
    result_unpacker_init(&from, target, blob);
    result_packer_init(&to, target, out);
    while ((rc = result_unpack(&from, &r)) == 1) {
        int edited = edit(ctx, &r, e);
        if (edited < 0)
            return -1;
        changed |= edited;
        if (result_pack(&to, &r) < 0)
            return err_oom(e);
    }
    return rc == 0 ? changed : err_set(e, XS_STATE, "%s: results are damaged; restore the file from a backup", s->path);
}

int results_rewrite(struct state *s, results_edit *edit, void *ctx, struct err *e)
{
    struct buf out = BUF_INIT(BLOB_BYTES_MAX);
    sqlite3_stmt *st;
    uint64_t after = 0;
    int rc;
    while ((rc = db_query(&s->main, &st, e, "SELECT id, target, entries FROM batches WHERE id > ? ORDER BY id LIMIT 1", "u",
                          after)) == 1) {
        after = (uint64_t)sqlite3_column_int64(st, 0);
        rc = rewrite_blob(s, (uint32_t)sqlite3_column_int64(st, 1), db_blob(st, 2), edit, ctx, &out, e);
        if (rc < 0 || (rc == 1 &&
                       db_run(&s->main, e, "UPDATE batches SET entries = ? WHERE id = ?", "bu", buf_str(&out), after) < 0)) {
            rc = -1;
            break;
        }
    }
    buf_free(&out);
    return rc < 0 ? -1 : 0;
}

static int strip(void *ctx, struct result *r, struct err *e)
{
    (void)ctx;
    (void)e;
    if (r->entry.detail.n == 0 && r->entry.changes.n == 0 && r->entry.key_text.n == 0)
        return 0;
    r->entry.detail = r->entry.changes = r->entry.key_text = STR_NONE;
    return 1;
}

int results_strip_all(struct state *s, struct err *e)
{
    return results_rewrite(s, strip, NULL, e);
}
