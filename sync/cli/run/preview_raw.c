#include "config.h"

#include "sync/cli/run/preview_raw.h"

#include "sync/base/jsonw.h"
#include "sync/base/log.h"

#include <stdio.h>
#include <stdlib.h>

/* A member's name is there once: columns without one, and the second of two of one name, go by their number. */
int preview_raw_start(struct preview_raw *p, const struct source *source, const struct source_spec *spec, struct err *e)
{
    const struct column *columns = source->columns;

    *p = (struct preview_raw){.source = source,
                              .spec = spec,
                              .nameless = calloc(source->columns_n + 1, sizeof *p->nameless)};
    if (p->nameless == NULL)
        return err_oom(e);
    for (size_t i = 0; i < source->columns_n; i++) {
        p->nameless[i] = str_trim(columns[i].name).n == 0;
        for (size_t k = 0; k < i && !p->nameless[i]; k++)
            p->nameless[i] = str_eq(columns[k].name, columns[i].name);
    }
    return 0;
}

void preview_raw_free(struct preview_raw *p)
{
    free(p->nameless);
}

static bool is_null(const struct row *row, size_t i)
{
    return row->cells[i].null || row_flaw(row, i) == REASON_NOT_UTF8;
}

static void json_row(const struct preview_raw *p, const struct row *row, struct jsonw *w)
{
    for (size_t i = 0; i < p->source->columns_n && i < row->n; i++) {
        char number[32];
        int n = snprintf(number, sizeof number, "column_%zu", i + 1);
        jsonw_key_str(w, p->nameless[i] ? (struct str){number, (size_t)n} : p->source->columns[i].name);
        if (is_null(row, i))
            jsonw_null(w);
        else
            jsonw_str(w, (struct str){row->cells[i].p, row->cells[i].n});
    }
}

static void text_row(const struct preview_raw *p, const struct row *row, struct record_writer *w)
{
    for (size_t i = 0; i < p->source->columns_n && i < row->n; i++) {
        record_str(w, i, is_null(row, i) ? STR("NULL") : (struct str){row->cells[i].p, row->cells[i].n});
        record_colour(w, i, is_null(row, i) ? TABLE_DIM : TABLE_PLAIN);
    }
}

/* Prints "FILE:LINE: …" without a prefix, for editors and scripts, also with -q. `column` may be empty. */
static void report_defect(const struct preview_raw *p, const struct row *row, struct str column, enum reason reason,
                          const char *so)
{
    struct buf where = BUF_INIT(1 << 16), shape = BUF_INIT(256);
    if (source_where(p->source, row, &where) != 0)
        buf_reset(&where);
    if (reason == REASON_RAGGED_ROW && row_shape(row, p->source->columns_n, &shape) != 0)
        buf_reset(&shape);
    const char *text = buf_cstr(&where), *why = shape.n > 0 ? buf_cstr(&shape) : NULL;
    log_msg(log_enabled(LOG_NOTICE) ? LOG_NOTICE : LOG_WARNING, "%s: %s%.*s%s%s: %s; %s", text != NULL ? text : "a row",
            column.n > 0 ? "column \"" : "", STR_ARG(column), column.n > 0 ? "\": " : "", reason_text(reason),
            why != NULL ? why : reason_help(reason), so);
    buf_free(&where);
    buf_free(&shape);
}

/* A row that only ends early is filled up by the mapping, and shown as read. */
static bool has_shape(const struct preview_raw *p, const struct row *row)
{
    bool filled_up = row->defect == REASON_RAGGED_ROW && row_may_be_filled_up(row, p->source->columns_n) &&
                     !(p->spec->kind == SOURCE_CSV && p->spec->as.csv.short_rows_rejected);
    return row->defect == REASON_NONE || filled_up;
}

int preview_raw_row(struct preview_raw *p, const struct row *row, struct record_writer *w)
{
    if (!has_shape(p, row)) {
        report_defect(p, row, STR_NONE, row->defect, "left out");
        return 0;
    }
    for (size_t i = 0; row->flaws != NULL && i < row->n; i++)
        if (row_flaw(row, i) == REASON_NOT_UTF8)
            report_defect(p, row, p->source->columns[i].name, REASON_NOT_UTF8, "shown as NULL");
    if (record_is_json(w))
        json_row(p, row, record_object(w));
    else
        text_row(p, row, w);
    return 1;
}
