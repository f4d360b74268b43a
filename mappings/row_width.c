/* Rows with more or fewer cells than there are columns. Those that end early are whole as a rule: many programs leave out
 * empty cells at the end. */
#include "config.h"

#include "mappings/compiled.h"

#include <string.h>

/* Has the row the cells that say whose it is? */
static bool has_key(const struct mapping *m, size_t cells_n)
{
    const struct mapping_impl *impl = m->impl;
    const struct column *email = impl->has_email ? &impl->columns[0] : NULL;
    bool all = m->has_key || email != NULL;
    for (size_t i = 0; m->has_key && i < impl->keys_n; i++)
        all = all && impl->keys[i].index < cells_n;
    if (m->has_key || email == NULL)
        return all;
    if (email->origin == ORIGIN_COLUMN) {
        all = email->from.index < cells_n;
        for (size_t i = 0; i < email->others_n; i++)
            all = all || email->others[i].index < cells_n;
        return all;
    }
    for (size_t i = 0; email->origin == ORIGIN_TEMPLATE && i < email->template.n; i++)
        all = all && (!email->template.parts[i].is_column || email->template.parts[i].column < cells_n);
    return all;
}

int row_width_fill_up(const struct mapping *m, const struct row *row, struct arena *scratch, struct row *out)
{
    const size_t n = m->impl->bound_n;
    const bool rejected = m->source.kind == SOURCE_CSV && m->source.as.csv.short_rows_rejected;
    const size_t found = row->found > 0 ? row->found : row->n;
    if (found >= n || found < 2 || rejected || !has_key(m, found))
        return 0;
    if (row->n == n) {
        *out = *row;
        out->defect = REASON_NONE;
        return 1;
    }
    struct cell *cells = arena_alloc(scratch, n * sizeof *cells);
    uint8_t *flaws = row->flaws != NULL ? arena_calloc(scratch, n, sizeof *flaws) : NULL;
    if (cells == NULL || (row->flaws != NULL && flaws == NULL))
        return -1;
    for (size_t i = 0; i < n; i++)
        cells[i] = i < row->n ? row->cells[i] : (struct cell){"", 0, false};
    if (flaws != NULL)
        memcpy(flaws, row->flaws, row->n);
    *out = *row;
    out->cells = cells;
    out->n = n;
    out->flaws = flaws;
    out->defect = REASON_NONE;
    return 1;
}

int row_width_why(const struct mapping *m, const struct row *row, struct arena *scratch, const char **why)
{
    struct buf text = BUF_INIT(256);
    int rc = row_shape(row, m->impl->bound_n, &text);
    char *kept = rc == 0 && text.n > 0 ? arena_dup(scratch, text.p, text.n) : NULL;
    if (kept != NULL)
        *why = kept;
    else if (text.n > 0)
        rc = -1;
    buf_free(&text);
    return rc;
}
