/* People who have no row key, because their address is not valid: they are known by a cell of a row that was left out. The state
 * keeps the cells of rejected rows for its latest runs; of skipped rows only the source has them. */
#include "config.h"

#include "sync/cli/explain/explain.h"

#include <string.h>

enum { SCRATCH_BYTES = 64 << 20, LOOK_BACK = 20, ROWS_MAX = 20 };

bool explain_is_who(const struct explain *x, const struct cell *cell)
{
    return !cell->null && cell->n > 0 && str_eq_nocase(str_trim((struct str){cell->p, cell->n}), x->who);
}

/* A row with a key is found by it; cells of it, such as a town, are no names. */
static bool has_who(const struct explain *x, const struct entry *entry)
{
    const char *p = entry->cells.p, *end = p + entry->cells.n;
    struct cell cell;
    if (entry->key_text.n > 0 || entry->cells.n == 0)
        return false;
    while (cells_next(&p, end, &cell) == 1)
        if (explain_is_who(x, &cell))
            return true;
    return false;
}

static int keep_found(struct explain *x, struct trace *t, uint64_t run, const struct entry *entry, enum op op, struct err *e)
{
    if (t->batches == NULL)
        t->batches = arena_calloc(&x->arena, ROWS_MAX, sizeof *t->batches);
    if (t->batches == NULL)
        return err_oom(e);
    struct traced_batch *b = &t->batches[t->batches_n];
    *b = (struct traced_batch){.batch = {.run = run, .op = op, .state = BATCH_DONE}, .entry = *entry};
    b->entry.cells = b->entry.changes = b->entry.values = STR_NONE;
    if (arena_str(&x->arena, entry->detail, &b->entry.detail) != 0)
        return err_oom(e);
    t->batches_n++;
    return 0;
}

static int find_in_run(struct explain *x, struct explained_state *s, uint64_t run, struct err *e)
{
    struct results *results = NULL;
    struct arena scratch;
    struct entry entry;
    enum op op;
    uint32_t target;
    int rc;
    if (state_results_open(s->state, run, &results, e) != 0)
        return -1;
    arena_init(&scratch, SCRATCH_BYTES);
    while ((rc = state_results_next(results, &scratch, &entry, &op, &target, e)) > 0 && s->trace.batches_n < ROWS_MAX) {
        if (has_who(x, &entry) && (rc = keep_found(x, &s->trace, run, &entry, op, e)) != 0)
            break;
        arena_reset(&scratch);
    }
    state_results_close(results);
    arena_free(&scratch);
    return rc < 0 ? -1 : 0;
}

int explain_cells_find(struct explain *x, struct explained_state *s, struct err *e)
{
    struct run_record *runs;
    struct arena scratch;
    size_t n = 0;
    arena_init(&scratch, SCRATCH_BYTES);
    int rc = state_runs(s->state, LOOK_BACK, &scratch, &runs, &n, e);
    /* Newest first: what an older run said of the row is no longer true. */
    for (size_t i = 0; i < n && rc == 0 && s->trace.batches_n == 0; i++) {
        struct str header;
        char delimiter;
        int kept = state_header_get(s->state, runs[i].id, &scratch, &header, &delimiter, e);
        rc = kept > 0 ? find_in_run(x, s, runs[i].id, e) : kept;
    }
    arena_free(&scratch);
    return rc;
}
