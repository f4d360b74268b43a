/* A list of records as CSV: a head, then a line per record. */
#include "config.h"

#include "sync/base/text.h"
#include "sync/report/record_format.h"

static int csv_cell(struct record_writer *w, struct str text, bool *first, bool guard)
{
    char delimiter = w->layout->delimiter != 0 ? w->layout->delimiter : ',';
    int bad = *first ? 0 : buf_addc(w->out, delimiter);
    *first = false;
    return bad | text_csv_cell(text, guard, w->out);
}

static int record_csv_begin(struct record_writer *w)
{
    bool first = true;
    int bad = 0;
    for (size_t c = 0; c < w->layout->columns_n; c++)
        if (record_shows(w, c))
            bad |= csv_cell(w, w->layout->columns[c].name, &first, false);
    return bad | buf_addc(w->out, '\n');
}

static int csv_row(struct record_writer *w)
{
    bool first = true;
    int bad = 0;
    for (size_t c = 0; c < w->layout->columns_n; c++)
        if (record_shows(w, c))
            bad |= csv_cell(w, w->cells[c].text, &first, w->layout->guard && w->layout->columns[c].kind != RECORD_NUMBER);
    return bad | buf_addc(w->out, '\n');
}

static int record_csv_finish(struct record_writer *w)
{
    (void)w;
    return 0;
}

const struct record_format_ops record_format_csv = {RECORD_NOT_CSV,    false, record_csv_begin, csv_row, NULL,
                                                    record_csv_finish, NULL};
