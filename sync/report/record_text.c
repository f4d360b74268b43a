/* A list of records for people: tables, or the lines that the printer writes itself (record_lines()). */
#include "config.h"

#include "sync/report/record_format.h"

enum { TABLE_ROWS = 1000 };

/* Begins a table with the names of the columns as its head. */
static int table_head(struct record_writer *w)
{
    size_t n = 0;
    int bad = 0;
    for (size_t c = 0; c < w->layout->columns_n; c++) {
        if (!record_shows(w, c))
            continue;
        w->align[n] = w->layout->columns[c].align;
        enum table_yield yield = w->layout->columns[c].yield;
        w->yield[n++] = w->layout->all_columns && yield != TABLE_BELOW ? TABLE_KEPT : yield;
    }
    table_init(&w->table, n, w->align);
    w->table.yield = w->yield;
    w->table.hide_empty = w->layout->hide_empty;
    w->table.records_below = w->layout->records_below;
    w->table_open = true;
    w->table_n = 0;
    for (size_t c = 0; c < w->layout->columns_n; c++)
        if (record_shows(w, c))
            bad |= table_add(&w->table, w->layout->columns[c].name, TABLE_DIM);
    return bad;
}

static int table_end(struct record_writer *w)
{
    if (!w->table_open)
        return 0;
    int bad = w->layout->title != NULL ? buf_adds(w->out, w->layout->title) : 0;
    bad |= table_print(&w->table, w->width, w->colours, w->out);
    table_free(&w->table);
    w->table_open = false;
    return bad;
}

/* A table begins with its first record, because the one before it may have been printed. */
static int record_text_begin(struct record_writer *w)
{
    (void)w;
    return 0;
}

static int table_row(struct record_writer *w)
{
    size_t most = w->layout->table_rows > 0 ? w->layout->table_rows : TABLE_ROWS;
    if (w->in_record)
        return 0;
    int bad = w->table_open && w->table_n == most ? table_end(w) : 0;
    if (!w->table_open)
        bad |= table_head(w);
    for (size_t c = 0; c < w->layout->columns_n; c++)
        if (record_shows(w, c))
            bad |= table_add(&w->table, w->cells[c].text, w->cells[c].colour);
    w->table_n++;
    return bad;
}

static int record_text_finish(struct record_writer *w)
{
    if (w->n == 0 && w->layout->none != NULL)
        return buf_adds(w->out, w->layout->none);
    int bad = w->n == 0 ? table_head(w) : 0;
    return bad | table_end(w);
}

const struct record_format_ops record_format_text = {RECORD_NOT_TEXT,    false, record_text_begin, table_row, table_end,
                                                     record_text_finish, NULL};
