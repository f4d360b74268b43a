/* Rows with more or fewer cells than there are columns. Rows with fewer cells are usually complete, because
 * many programs omit empty cells at the end. */
#include "config.h"

#include "mappings/file/compiled.h"
#include "mappings/footer.h"

#include <string.h>

/* Checks the cells that identify a row: 0 if `cells_n` cells include them, else 1 with the column to fill, NULL if none is
 * named. */
static int lacks_key(const struct mapping *m, size_t cells_n, const struct source_column **lacking)
{
    const struct mapping_impl *impl = m->impl;
    const struct column *email = impl->has_email ? &impl->columns[0] : NULL;
    *lacking = NULL;
    for (size_t i = 0; m->has_key && i < impl->keys_n && *lacking == NULL; i++)
        if (impl->keys[i].index >= cells_n)
            *lacking = &impl->keys[i];
    if (m->has_key || email == NULL)
        return !m->has_key || *lacking != NULL;
    if (email->origin == ORIGIN_COLUMN && email->from.index >= cells_n) {
        *lacking = &email->from;
        for (size_t i = 0; i < email->others_n; i++)
            if (email->others[i].index < cells_n)
                *lacking = NULL;
    }
    for (size_t i = 0; email->origin == ORIGIN_TEMPLATE && i < email->template.n; i++)
        if (email->template.parts[i].is_column && email->template.parts[i].column >= cells_n)
            return 1;
    return *lacking != NULL;
}

static bool short_rows_rejected(const struct mapping *m)
{
    return m->source.kind == SOURCE_CSV && m->source.as.csv.short_rows_rejected;
}

int row_width_fill_up(const struct mapping *m, const struct row *row, struct arena *scratch, struct row *out)
{
    const size_t n = m->impl->bound_n;
    const struct source_column *lacking;
    if (!row_may_be_filled_up(row, n) || short_rows_rejected(m) ||
        lacks_key(m, row->found > 0 ? row->found : row->n, &lacking))
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

/* For a short row that `rejects` wrote: what the user must fill in before leadsync accepts it. 0/-1 */
static int to_fill(const struct mapping *m, const struct row *row, struct buf *out)
{
    const struct source_column *lacking;
    if (lacks_key(m, row->found, &lacking) && lacking != NULL)
        return buf_addf(out, "as it was rejected: fill %.*s, or empty " LEADSYNC_REASON, STR_ARG(lacking->name));
    if (row->found == 1)
        return buf_adds(out, "as it was rejected: fill another cell, or empty " LEADSYNC_REASON);
    return row_shape(row, m->impl->bound_n, out);
}

int row_width_why(const struct mapping *m, const struct row *row, struct arena *scratch, const char **why)
{
    const size_t n = m->impl->bound_n;
    struct buf text = BUF_INIT(1 << 16);
    bool short_one = row->found > 0 && row->found < n && !short_rows_rejected(m);
    int rc = short_one ? to_fill(m, row, &text) : row_shape(row, n, &text);
    if (rc == 0 && row->n < n && footer_looks_like(row, m->impl->data_n))
        rc = buf_adds(&text, "; " FOOTER_HINT);
    char *kept = rc == 0 && text.n > 0 ? arena_dup(scratch, text.p, text.n) : NULL;
    if (kept != NULL)
        *why = kept;
    else
        rc = -1;
    buf_free(&text);
    return rc;
}
