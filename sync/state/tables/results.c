/* Each batch is in row order by itself, and most batches of a run do not overlap: a heap of the few that do gives row
 * order over all of them without sorting or holding the run. Unmerged batches are packed on the fly and then read like
 * the others. */
#include "config.h"

#include "sync/state/tables/results.h"

#include "sync/state/tables/values.h"

#include <stdlib.h>
#include <string.h>

/* ---- the parts of a run ---- */

struct part {
    uint64_t batch, first_row;
    bool merged;
};
struct active {
    uint64_t batch;
    enum op op;
    uint32_t source;        /* of a move: where its leads were; else 0 */
    struct buf blob, cells; /* owned */
    struct result_unpacker unpacker;
    const char *cells_at, *cells_end;
    size_t position, cells_position; /* of the current result; of the next cells, SIZE_MAX: none left */
    struct str next_cells;
    struct result now;
};
/* One result as it is handed out. */
struct result_read {
    struct entry entry;
    enum op op;
    uint32_t target;
};
struct results {
    struct state *state;
    uint64_t run;
    struct arena arena; /* of a batch from the journal */
    struct buf scratch; /* of its cells */
    struct part *parts;
    size_t parts_n, parts_cap, next_part;
    struct active **heap; /* smallest row first */
    size_t heap_n;
    bool former;             /* some leads had another id once */
    bool all;                /* also what is still open */
    struct result_read next; /* read ahead: the row's number is that of another row before it */
    bool has_next;
    struct arena next_arena;
};

static int results_damaged(struct state *s, uint64_t batch, struct err *e)
{
    return err_set(e, XS_STATE, "%s: the results of batch %llu are damaged; restore the file from a backup", s->path,
                   (unsigned long long)batch);
}

static int add_part(struct results *r, uint64_t batch, uint64_t first_row, bool merged, struct err *e)
{
    if (r->parts_n == r->parts_cap) {
        size_t cap = r->parts_cap == 0 ? 64 : r->parts_cap * 2;
        struct part *grown = reallocarray(r->parts, cap, sizeof *grown);
        if (grown == NULL)
            return err_oom(e);
        r->parts = grown;
        r->parts_cap = cap;
    }
    r->parts[r->parts_n++] = (struct part){batch, first_row, merged};
    return 0;
}

static int part_compare(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    if (x->first_row != y->first_row)
        return x->first_row < y->first_row ? -1 : 1;
    return x->batch < y->batch ? -1 : x->batch > y->batch;
}

static int find_parts(struct results *r, uint64_t run, struct err *e)
{
    struct state *s = r->state;
    sqlite3_stmt *st;
    int rc = db_query(&s->main, &st, e, "SELECT id, first_row FROM batches WHERE run = ?", "u", run);
    for (; rc == 1; rc = db_next(&s->main, st, e))
        if (add_part(r, (uint64_t)sqlite3_column_int64(st, 0), (uint64_t)sqlite3_column_int64(st, 1), true, e) < 0)
            return -1;
    if (rc == 0 && s->journal.open)
        rc = db_query(&s->journal.db, &st, e, "SELECT id, first_row FROM batches WHERE run = ? AND state >= ?", "ui", run,
                      (int64_t)(r->all ? BATCH_PLANNED : BATCH_DONE));
    for (; rc == 1; rc = db_next(&s->journal.db, st, e)) {
        uint64_t id = (uint64_t)sqlite3_column_int64(st, 0);
        int merged = batch_merged(s, id, e);
        if (merged < 0 || (merged == 0 && add_part(r, id, (uint64_t)sqlite3_column_int64(st, 1), false, e) < 0))
            return -1;
    }
    if (rc == 0 && r->parts_n > 0)
        qsort(r->parts, r->parts_n, sizeof *r->parts, part_compare);
    return rc;
}

/* `batch` 0: those of the run that are settled, or `all` of them. */
static int open_results(struct state *s, uint64_t run, uint64_t batch, bool merged, bool all, struct results **out,
                        struct err *e)
{
    int64_t former;
    struct results *r = calloc(1, sizeof *r);
    *out = NULL;
    if (r == NULL)
        return err_oom(e);
    r->state = s;
    r->run = run;
    r->all = all;
    arena_init(&r->arena, ARENA_BATCH_MAX);
    buf_init(&r->scratch, BLOB_BYTES_MAX);
    arena_init(&r->next_arena, ARENA_BATCH_MAX);
    if ((batch == 0 ? find_parts(r, run, e) : add_part(r, batch, 0, merged, e)) < 0 ||
        db_int(&s->main, &former, 0, "SELECT EXISTS(SELECT 1 FROM former_ids)", e) < 0)
        goto fail;
    r->former = former != 0;
    r->heap = calloc(r->parts_n + 1, sizeof(struct active *));
    if (r->heap == NULL) {
        err_oom(e);
        goto fail;
    }
    *out = r;
    return 0;
fail:
    state_results_close(r);
    return -1;
}

static int open_run(struct state *s, uint64_t run, bool all, struct results **out, struct err *e)
{
    *out = NULL;
    /* What only waits for the next commit belongs to the run as well. */
    return journal_flush_loose(s, e) < 0 ? -1 : open_results(s, run, 0, false, all, out, e);
}

int state_results_open(struct state *s, uint64_t run, struct results **out, struct err *e)
{
    return open_run(s, run, false, out, e);
}

int state_results_open_all(struct state *s, uint64_t run, struct results **out, struct err *e)
{
    return open_run(s, run, true, out, e);
}

int state_batch_results_open(struct state *s, uint64_t id, struct arena *arena, struct batch *head, struct results **out,
                             struct err *e)
{
    bool merged;
    *out = NULL;
    int rc = batch_head(s, id, arena, head, &merged, e);
    if (rc != 1)
        return rc;
    return open_results(s, head->run, id, merged, false, out, e) < 0 ? -1 : 1;
}

static void active_free(struct active *a)
{
    buf_free(&a->blob);
    buf_free(&a->cells);
    free(a);
}

void state_results_close(struct results *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->heap_n; i++)
        active_free(r->heap[i]);
    free(r->heap);
    free(r->parts);
    arena_free(&r->arena);
    buf_free(&r->scratch);
    arena_free(&r->next_arena);
    free(r);
}

/* ---- one batch ---- */

/* A copy is by hand. */
static uint32_t moved_from(enum op op, uint32_t source)
{
    return op == OP_MOVE || op == OP_HAND ? source : 0;
}

static int load_merged(struct state *s, struct active *a, struct err *e)
{
    sqlite3_stmt *st;
    uint32_t target = 0;
    int rc = db_query(&s->main, &st, e, "SELECT op, target, entries, source FROM batches WHERE id = ?", "u", a->batch);
    if (rc != 1)
        return rc < 0 ? -1 : results_damaged(s, a->batch, e);
    struct str blob = db_blob(st, 2);
    int op = sqlite3_column_int(st, 0);
    a->op = op >= OP_NONE && op < OP_N ? (enum op)op : OP_NONE;
    target = (uint32_t)sqlite3_column_int64(st, 1);
    a->source = moved_from(a->op, (uint32_t)sqlite3_column_int64(st, 3));
    rc = buf_add(&a->blob, blob.p, blob.n);
    sqlite3_reset(st);
    if (rc < 0)
        return err_oom(e);
    rc = db_query(&s->main, &st, e, "SELECT cells FROM rejects WHERE batch = ?", "u", a->batch);
    if (rc == 1) {
        struct str cells = db_blob(st, 0);
        rc = buf_add(&a->cells, cells.p, cells.n);
        sqlite3_reset(st);
        if (rc < 0)
            return err_oom(e);
    }
    result_unpacker_init(&a->unpacker, target, buf_str(&a->blob));
    return rc < 0 ? -1 : 0;
}

void results_defer_open(const struct batch *b, struct entry *entry)
{
    if (b->state == BATCH_DONE)
        return;
    entry->outcome = OUTCOME_DEFERRED;
    entry->reason = b->job != NULL ? REASON_JOB_OPEN : REASON_OUTCOME_OPEN;
}

static int load_unmerged(struct results *r, struct active *a, struct err *e)
{
    struct journal_batch jb;
    struct result_packer packer;
    arena_reset(&r->arena);
    int rc = journal_get(r->state, a->batch, &r->arena, &jb, e);
    if (rc != 1)
        return rc < 0 ? -1 : results_damaged(r->state, a->batch, e);
    const uint32_t *order = results_order(jb.b.entries, jb.b.entries_n, &r->arena, e);
    if (order == NULL)
        return -1;
    a->op = jb.b.op;
    a->source = moved_from(a->op, jb.b.source);
    result_packer_init(&packer, jb.b.target, &a->blob);
    for (size_t i = 0; i < jb.b.entries_n; i++) {
        struct result one = {.entry = jb.b.entries[order[i]], .target = journal_entry_target(&jb, order[i])};
        if (r->all)
            results_defer_open(&jb.b, &one.entry);
        if (result_pack(&packer, &one) < 0)
            return err_oom(e);
        if (reject_add(r->state, &a->cells, &r->scratch, i, &one.entry, e) < 0)
            return -1;
    }
    result_unpacker_init(&a->unpacker, jb.b.target, buf_str(&a->blob));
    return 0;
}

static int next_cells(struct state *s, struct active *a, struct err *e)
{
    int rc = reject_unpack(&a->cells_at, a->cells_end, &a->cells_position, &a->next_cells);
    if (rc == 0)
        a->cells_position = SIZE_MAX;
    return rc < 0 ? results_damaged(s, a->batch, e) : 0;
}

/* 1 with a->now, 0 at the end of the batch. */
static int advance(struct state *s, struct active *a, struct err *e)
{
    int rc = result_unpack(&a->unpacker, &a->now);
    if (rc < 0)
        return results_damaged(s, a->batch, e);
    if (rc == 0)
        return 0;
    a->now.entry.cells = STR_NONE;
    if (a->position++ == a->cells_position) {
        a->now.entry.cells = a->next_cells;
        return next_cells(s, a, e) < 0 ? -1 : 1;
    }
    return 1;
}

/* 1 with the batch on its first result, 0 when it has none. */
static int active_open(struct results *r, const struct part *part, struct active **out, struct err *e)
{
    struct active *a = calloc(1, sizeof *a);
    if (a == NULL)
        return err_oom(e);
    a->batch = part->batch;
    buf_init(&a->blob, BLOB_BYTES_MAX);
    buf_init(&a->cells, BLOB_BYTES_MAX);
    int rc = part->merged ? load_merged(r->state, a, e) : load_unmerged(r, a, e);
    if (rc == 0) {
        a->cells_at = a->cells.p;
        a->cells_end = a->cells.n > 0 ? a->cells.p + a->cells.n : a->cells.p;
        rc = next_cells(r->state, a, e) < 0 ? -1 : advance(r->state, a, e);
    }
    if (rc != 1) {
        active_free(a);
        return rc;
    }
    *out = a;
    return 1;
}

/* ---- the heap ---- */

static bool results_before(const struct active *a, const struct active *b)
{
    uint64_t x = result_order(a->now.entry.row), y = result_order(b->now.entry.row);
    return x != y ? x < y : a->batch < b->batch;
}

static void sift_up(struct results *r, size_t at)
{
    for (size_t up; at > 0 && results_before(r->heap[at], r->heap[up = (at - 1) / 2]); at = up) {
        struct active *swap = r->heap[at];
        r->heap[at] = r->heap[up];
        r->heap[up] = swap;
    }
}

static void sift_down(struct results *r)
{
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++)
            if (child < r->heap_n && results_before(r->heap[child], r->heap[least]))
                least = child;
        if (least == at)
            return;
        struct active *swap = r->heap[at];
        r->heap[at] = r->heap[least];
        r->heap[least] = swap;
        at = least;
    }
}

/* Opens every batch that may hold a smaller row than the heap's smallest. */
static int open_parts(struct results *r, struct err *e)
{
    while (r->next_part < r->parts_n) {
        const struct part *part = &r->parts[r->next_part];
        if (r->heap_n > 0 && part->first_row > result_order(r->heap[0]->now.entry.row))
            return 0;
        struct active *a = NULL;
        int rc = active_open(r, part, &a, e);
        if (rc < 0)
            return -1;
        r->next_part++;
        if (rc == 1) {
            r->heap[r->heap_n++] = a;
            sift_up(r, r->heap_n - 1);
        }
    }
    return 0;
}

/* ---- what the record refers to ---- */

static int former_id(struct results *r, uint64_t n, struct entry *entry, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&r->state->main, &st, e,
                      "SELECT lead_id FROM former_ids WHERE n = ? AND run >= ? ORDER BY run LIMIT 1", "uu", n, r->run);
    if (rc == 1) {
        entry->has_lead_id = db_blob16(st, 0, entry->lead_id.b);
        sqlite3_reset(st);
    }
    return rc < 0 ? -1 : 0;
}

/* A lead that was forgotten leaves a result without a name. */
static int refer(struct results *results, const struct result *r, struct arena *arena, struct entry *entry, struct err *e)
{
    struct state *s = results->state;
    sqlite3_stmt *st;
    if (r->lead == 0)
        return 0;
    int rc = db_query(&s->main, &st, e, "SELECT who, lead_id FROM lead_values WHERE n = ?", "u", r->lead);
    if (rc != 1)
        return rc;
    rc = who_take(s, st, 0, &entry->key, &entry->key_text, e);
    if (rc == 0 && arena_str(arena, entry->key_text, &entry->key_text) < 0)
        rc = err_oom(e);
    bool here = entry->has_lead_id;
    if (rc == 0 && !here)
        entry->has_lead_id = db_blob16(st, 1, entry->lead_id.b);
    sqlite3_reset(st);
    return rc == 0 && results->former && !here ? former_id(results, r->lead, entry, e) : rc;
}

static int copy_out(const struct result *r, struct arena *arena, struct entry *out, struct err *e)
{
    *out = r->entry;
    if (arena_str(arena, r->entry.key_text, &out->key_text) < 0 || arena_str(arena, r->entry.detail, &out->detail) < 0 ||
        arena_str(arena, r->entry.cells, &out->cells) < 0 || arena_str(arena, r->entry.changes, &out->changes) < 0)
        return err_oom(e);
    return 0;
}

/* 1/0/-1 */
static int results_read_row(struct results *r, struct arena *arena, struct result_read *out, struct err *e)
{
    struct state *s = r->state;
    if (open_parts(r, e) < 0)
        return -1;
    if (r->heap_n == 0)
        return 0;
    struct active *a = r->heap[0];
    out->op = a->op;
    out->target = a->now.target;
    a->now.entry.from = a->source;
    if (copy_out(&a->now, arena, &out->entry, e) < 0 || refer(r, &a->now, arena, &out->entry, e) < 0)
        return -1;
    int rc = advance(s, a, e);
    if (rc < 0)
        return -1;
    if (rc == 0) {
        active_free(a);
        r->heap[0] = r->heap[--r->heap_n];
    }
    sift_down(r);
    return 1;
}

/* Does the next result bear this number, too? 1/0/-1 */
static int same_number_follows(struct results *r, uint64_t row, struct err *e)
{
    if (open_parts(r, e) < 0)
        return -1;
    return r->heap_n > 0 && row != 0 && r->heap[0]->now.entry.row == row;
}

static int read_ahead(struct results *r, const struct entry *row, struct err *e)
{
    int follows = same_number_follows(r, row->row, e);
    if (follows != 1)
        return follows;
    arena_reset(&r->next_arena);
    int rc = results_read_row(r, &r->next_arena, &r->next, e);
    r->has_next = rc == 1;
    return rc;
}

static int take_next(struct results *r, struct arena *arena, struct result_read *out, struct err *e)
{
    const struct result as_result = {.entry = r->next.entry};
    *out = r->next;
    r->has_next = false;
    return copy_out(&as_result, arena, &out->entry, e) < 0 ? -1 : 1;
}

/* A row that was in two batches of the run, one step after the other, is listed once, with the result of the last one.
 * Two rows may have one number if one of them comes from an earlier run. */
int state_results_next(struct results *r, struct arena *arena, struct entry *out, enum op *op, uint32_t *target,
                       struct err *e)
{
    struct result_read now;
    int rc = r->has_next ? take_next(r, arena, &now, e) : results_read_row(r, arena, &now, e);
    while (rc == 1) {
        int more = r->has_next ? 1 : read_ahead(r, &now.entry, e);
        if (more < 0)
            return -1;
        if (more == 0 || r->next.entry.row != now.entry.row || !hash128_eq(&r->next.entry.key, &now.entry.key))
            break;
        const struct entry earlier = now.entry;
        rc = take_next(r, arena, &now, e);
        if (rc == 1 && !now.entry.has_lead_id) {
            now.entry.has_lead_id = earlier.has_lead_id;
            now.entry.lead_id = earlier.lead_id;
        }
        if (rc == 1 && now.entry.changes.n == 0)
            now.entry.changes = earlier.changes;
    }
    if (rc == 1) {
        *out = now.entry;
        *op = now.op;
        *target = now.target;
    }
    return rc;
}
