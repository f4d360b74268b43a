#include "config.h"

#include "sync/pipeline/odd_cells.h"

#include "sync/base/log.h"
#include "sync/base/text.h"

#include <stdlib.h>
#include <string.h>

/* A single cell may hold such letters on purpose; several do not. */
enum { SAMPLE_COLUMNS = 60, TEXT_BYTES = 1 << 16, MANGLED_MIN = 2 };

static int odd_cells_note(struct odd_cell *o, const struct source *source, const struct row *row, size_t column,
                          struct err *e)
{
    struct buf text = BUF_INIT(TEXT_BYTES);
    if (o->n++ > 0)
        return 0;
    struct str cell = {row->cells[column].p, row->cells[column].n};
    int bad = source_where(source, row, &text) | buf_adds(&text, ": column \"") |
              text_show(source->columns[column].name, SAMPLE_COLUMNS, &text) | buf_adds(&text, "\": ") |
              text_show(str_trim(cell), SAMPLE_COLUMNS, &text);
    const char *made = bad == 0 ? buf_cstr(&text) : NULL;
    o->first = made != NULL ? strdup(made) : NULL;
    buf_free(&text);
    return o->first != NULL ? 0 : err_oom(e);
}

int odd_cells_see(struct odd_cells *o, const struct source *source, const struct mapping *m, const struct row *row,
                  struct err *e)
{
    const uint8_t *uses = mapping_cell_uses(m);
    for (size_t i = 0; i < row->n && i < source->columns_n; i++) {
        struct str cell = {row->cells[i].p, row->cells[i].n};
        if ((uses[i] & CELL_SENT) == 0 || row->cells[i].null || cell.n == 0 || row_flaw(row, i) != REASON_NONE)
            continue;
        struct odd_cell *kind = mapping_is_cut_number(cell) ? &o->cut : mapping_is_mangled(cell) ? &o->mangled : NULL;
        if (kind != NULL && odd_cells_note(kind, source, row, i, e) != 0)
            return -1;
    }
    return 0;
}

int odd_cells_cut_text(const struct odd_cells *o, struct buf *out)
{
    if (o->cut.n == 0)
        return 0;
    return buf_addf(
        out, "%llu number%s cut by a spreadsheet, the first is %s: the digits are lost; export the column as text again",
        (unsigned long long)o->cut.n, o->cut.n == 1 ? " was" : "s were", o->cut.first);
}

int odd_cells_mangled_text(const struct odd_cells *o, struct buf *out)
{
    if (o->mangled.n < MANGLED_MIN)
        return 0;
    return buf_addf(
        out, "%llu cells look like UTF-8 that was read as Windows-1252, the first is %s; export the file again as UTF-8",
        (unsigned long long)o->mangled.n, o->mangled.first);
}

void odd_cells_report(const struct odd_cells *o)
{
    int (*const texts[])(const struct odd_cells *, struct buf *) = {odd_cells_cut_text, odd_cells_mangled_text};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buf text = BUF_INIT(TEXT_BYTES);
        if (texts[i](o, &text) == 0 && text.n > 0)
            log_warning("%.*s", STR_ARG(buf_str(&text)));
        buf_free(&text);
    }
}

void odd_cells_free(struct odd_cells *o)
{
    free(o->cut.first);
    free(o->mangled.first);
    *o = (struct odd_cells){.cut = {0}};
}
