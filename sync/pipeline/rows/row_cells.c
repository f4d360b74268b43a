/* The cells of a row as they were read, for `rejects` and `diff --match`, and for a diff that has no key to show. The row is at
 * hand, or has waited in a spool. */
#include "config.h"

#include "sync/pipeline/run_int.h"

bool row_cells_wanted(const struct run *r)
{
    return r->diff == NULL || diff_wants_cells(r->diff);
}

int row_cells_keep(struct run *r, struct entry *entry, struct err *e)
{
    bool nameless = entry->key_text.n == 0;
    if ((!row_cells_wanted(r) && !nameless) || r->scratch.row == NULL || entry->cells.n > 0 || entry->cells_by_values.n > 0)
        return 0;
    buf_reset(&r->scratch.cells);
    if (source_cells_pack(r->source, r->scratch.row, &r->scratch.cells) != 0)
        return err_oom(e);
    entry->cells = buf_str(&r->scratch.cells);
    return 0;
}

/* Unpacks the cells of a row that has waited, into row_arena. */
static int unpack_cells(struct run *r, struct str packed, struct cell **out, size_t *n, struct err *e)
{
    const char *p = packed.p, *end = packed.p + packed.n;
    struct cell cell;
    int rc;
    for (*n = 0; (rc = cells_next(&p, end, &cell)) == 1; ++*n)
        ;
    *out = rc == 0 ? arena_calloc(&r->row_arena, *n + 1, sizeof **out) : NULL;
    if (*out == NULL)
        return rc == 0 ? err_oom(e) : err_set(e, XS_INTERNAL, "a held row cannot be read back: please report");
    p = packed.p;
    for (size_t i = 0; i < *n; i++)
        cells_next(&p, end, &(*out)[i]);
    return 0;
}

int row_cells_keep_by_values(struct run *r, struct entry *entry, struct err *e)
{
    const struct cell *cells = r->scratch.row != NULL ? r->scratch.row->cells : NULL;
    size_t n = r->scratch.row != NULL ? r->scratch.row->n : 0;
    struct cell *unpacked;
    if (entry->values.n == 0)
        return row_cells_keep(r, entry, e);
    if (entry->cells.n > 0) {
        if (unpack_cells(r, entry->cells, &unpacked, &n, e) != 0)
            return -1;
        cells = unpacked;
    }
    if (n == 0)
        return 0;
    buf_reset(&r->scratch.cells);
    if (cells_shrink(cells, n, entry->values, &r->scratch.cells) != 0)
        return err_oom(e);
    entry->cells = STR_NONE;
    entry->cells_by_values = buf_str(&r->scratch.cells);
    return 0;
}
