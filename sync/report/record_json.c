/* A list of records as one JSON document, and as one JSON object per line (NDJSON). */
#include "config.h"

#include "sync/report/record_format.h"

static int record_json_begin(struct record_writer *w)
{
    const char *open = w->layout->json_open;
    return buf_adds(w->out, open != NULL ? open : "[");
}

int record_json_before(struct record_writer *w)
{
    const char *between = w->layout->json_between;
    if (w->format == RECORD_NDJSON || w->n == 0)
        return 0;
    return buf_adds(w->out, between != NULL ? between : ",\n");
}

int record_json_after(struct record_writer *w)
{
    return w->format == RECORD_NDJSON ? buf_addc(w->out, '\n') : 0;
}

void record_json_members(const struct record_writer *w, struct jsonw *json)
{
    for (size_t c = 0; c < w->layout->columns_n; c++) {
        const struct record_column *column = &w->layout->columns[c];
        struct str text = w->cells[c].text;
        if (!record_shows(w, c))
            continue;
        jsonw_key_str(json, column->name);
        if (text.n == 0 && (text.p == NULL || column->kind != RECORD_CELL))
            jsonw_null(json);
        else if (column->kind == RECORD_STRING || column->kind == RECORD_CELL)
            jsonw_str(json, text);
        else
            jsonw_raw(json, text);
    }
}

static int json_row(struct record_writer *w)
{
    if (!w->in_record)
        record_json_members(w, record_object(w));
    jsonw_object_end(&w->json);
    return jsonw_end(&w->json) | record_json_after(w);
}

static int record_json_finish(struct record_writer *w)
{
    const char *close = w->layout->json_close;
    return buf_adds(w->out, close != NULL ? close : "]\n");
}

const struct record_format_ops record_format_json = {RECORD_NOT_DOCUMENT, true, record_json_begin, json_row, NULL,
                                                     record_json_finish,  NULL};

/* ---- one object per line ---- */

static int nothing_around(struct record_writer *w)
{
    (void)w;
    return 0;
}

const struct record_format_ops record_format_ndjson = {RECORD_NOT_NDJSON, true, nothing_around, json_row, NULL,
                                                       nothing_around,    NULL};
