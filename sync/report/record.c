#include "config.h"

#include "sync/report/record.h"

#include "sync/base/clock.h"
#include "sync/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_BYTES = 64 << 20, TABLE_ROWS = 1000, NUMBER_BYTES = 24 };

int record_open(struct record_writer *w, const struct record_layout *layout)
{
    w->layout = layout;
    arena_init(&w->arena, RECORD_BYTES);
    w->cells = calloc(layout->columns_n + 1, sizeof *w->cells);
    w->align = calloc(layout->columns_n + 1, sizeof *w->align);
    w->yield = calloc(layout->columns_n + 1, sizeof *w->yield);
    w->failed = w->cells == NULL || w->align == NULL || w->yield == NULL;
    return w->failed ? -1 : 0;
}

void record_free(struct record_writer *w)
{
    if (w->table_open)
        table_free(&w->table);
    arena_free(&w->arena);
    free(w->cells);
    free(w->align);
    free(w->yield);
    *w = (struct record_writer){.out = w->out};
}

static bool is_shown(const struct record_writer *w, size_t column)
{
    static const unsigned left_out[] = {[RECORD_TEXT] = RECORD_NOT_TEXT,
                                        [RECORD_JSON] = RECORD_NOT_JSON,
                                        [RECORD_NDJSON] = RECORD_NOT_JSON,
                                        [RECORD_CSV] = RECORD_NOT_CSV};
    return (w->layout->columns[column].left_out & left_out[w->format]) == 0;
}

/* ---- cells ---- */

void record_str(struct record_writer *w, size_t column, struct str text)
{
    w->cells[column].text = text;
}

void record_text(struct record_writer *w, size_t column, const char *text)
{
    record_str(w, column, str_from(text));
}

void record_copy(struct record_writer *w, size_t column, struct str text)
{
    struct str copy = STR_NONE;
    if (text.n > 0 && arena_str(&w->arena, text, &copy) != 0)
        w->failed = true;
    record_str(w, column, copy);
}

void record_count(struct record_writer *w, size_t column, int64_t n)
{
    if (n >= 0)
        record_ordinal(w, column, (uint64_t)n);
    if (n == 0)
        record_str(w, column, STR("0"));
}

void record_ordinal(struct record_writer *w, size_t column, uint64_t n)
{
    char digits[NUMBER_BYTES];
    if (n == 0)
        return;
    snprintf(digits, sizeof digits, "%" PRIu64, n);
    record_copy(w, column, str_from(digits));
}

void record_time(struct record_writer *w, size_t column, int64_t ms)
{
    char text[TIME_TEXT_N];
    if (ms > 0)
        record_copy(w, column, str_from(time_format(ms, text)));
}

void record_uuid(struct record_writer *w, size_t column, const struct uuid *id)
{
    char text[UUID_TEXT_N];
    if (id != NULL)
        record_copy(w, column, str_from(uuid_format(id, text)));
}

void record_target(struct record_writer *w, size_t column, const struct target *target)
{
    char text[TARGET_TEXT_N];
    if (target != NULL)
        record_copy(w, column, str_from(target_format(target, text)));
}

void record_colour(struct record_writer *w, size_t column, enum table_colour colour)
{
    w->cells[column].colour = colour;
}

enum table_colour record_outcome_colour(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_CREATED:
    case OUTCOME_CHANGED: return TABLE_GREEN;
    case OUTCOME_REJECTED:
    case OUTCOME_FAILED: return TABLE_RED;
    case OUTCOME_DEFERRED:
    case OUTCOME_REMOVED: return TABLE_YELLOW;
    default: return TABLE_PLAIN;
    }
}

/* ---- text ---- */

/* Begins a table with the names of the columns as its head. */
static int table_head(struct record_writer *w)
{
    size_t n = 0;
    int bad = 0;
    for (size_t c = 0; c < w->layout->columns_n; c++) {
        if (!is_shown(w, c))
            continue;
        w->align[n] = w->layout->columns[c].align;
        w->yield[n++] = w->layout->columns[c].yield;
    }
    table_init(&w->table, n, w->align);
    w->table.yield = w->layout->all_columns ? NULL : w->yield;
    w->table.hide_empty = w->layout->hide_empty;
    w->table.records_below = w->layout->records_below;
    w->table_open = true;
    w->table_n = 0;
    for (size_t c = 0; c < w->layout->columns_n; c++)
        if (is_shown(w, c))
            bad |= table_add(&w->table, w->layout->columns[c].name, TABLE_DIM);
    return bad;
}

static int table_end(struct record_writer *w)
{
    int bad = w->layout->title != NULL ? buf_adds(w->out, w->layout->title) : 0;
    bad |= table_print(&w->table, w->width, w->colours, w->out);
    table_free(&w->table);
    w->table_open = false;
    return bad;
}

static int table_row(struct record_writer *w)
{
    size_t most = w->layout->table_rows > 0 ? w->layout->table_rows : TABLE_ROWS;
    int bad = w->table_open && w->table_n == most ? table_end(w) : 0;
    if (!w->table_open)
        bad |= table_head(w);
    for (size_t c = 0; c < w->layout->columns_n; c++)
        if (is_shown(w, c))
            bad |= table_add(&w->table, w->cells[c].text, w->cells[c].colour);
    w->table_n++;
    return bad;
}

int record_flush(struct record_writer *w)
{
    if (w->table_open && table_end(w) != 0)
        w->failed = true;
    return w->failed ? -1 : 0;
}

/* ---- JSON ---- */

bool record_is_json(const struct record_writer *w)
{
    return w->format == RECORD_JSON || w->format == RECORD_NDJSON;
}

/* What stands before a record: the head of the list, or a separator. */
static int json_before(struct record_writer *w)
{
    const char *head = w->layout->json_open, *between = w->layout->json_between;
    if (w->format == RECORD_NDJSON)
        return 0;
    if (w->n == 0)
        return buf_adds(w->out, head != NULL ? head : "[");
    return buf_adds(w->out, between != NULL ? between : ",\n");
}

static int json_after(struct record_writer *w)
{
    return w->format == RECORD_NDJSON ? buf_addc(w->out, '\n') : 0;
}

static void json_members(const struct record_writer *w, struct jsonw *json)
{
    for (size_t c = 0; c < w->layout->columns_n; c++) {
        const struct record_column *column = &w->layout->columns[c];
        if ((column->left_out & RECORD_NOT_JSON) != 0)
            continue;
        jsonw_key_str(json, column->name);
        if (w->cells[c].text.n == 0)
            jsonw_null(json);
        else if (column->kind == RECORD_STRING)
            jsonw_str(json, w->cells[c].text);
        else
            jsonw_raw(json, w->cells[c].text);
    }
}

struct jsonw *record_object(struct record_writer *w)
{
    if (json_before(w) != 0)
        w->failed = true;
    jsonw_init_output(&w->json, w->out);
    jsonw_object(&w->json);
    w->in_object = true;
    return &w->json;
}

static int json_row(struct record_writer *w)
{
    if (!w->in_object)
        json_members(w, record_object(w));
    w->in_object = false;
    jsonw_object_end(&w->json);
    return jsonw_end(&w->json) | json_after(w);
}

/* ---- CSV ---- */

static int csv_cell(struct record_writer *w, struct str text, bool *first, bool guard)
{
    char delimiter = w->layout->delimiter != 0 ? w->layout->delimiter : ',';
    int bad = *first ? 0 : buf_addc(w->out, delimiter);
    *first = false;
    return bad | text_csv_cell(text, guard, w->out);
}

static int record_csv_head(struct record_writer *w)
{
    bool first = true;
    int bad = 0;
    for (size_t c = 0; c < w->layout->columns_n; c++)
        if (is_shown(w, c))
            bad |= csv_cell(w, w->layout->columns[c].name, &first, false);
    return bad | buf_addc(w->out, '\n');
}

static int csv_row(struct record_writer *w)
{
    bool first = true;
    int bad = w->n == 0 ? record_csv_head(w) : 0;
    for (size_t c = 0; c < w->layout->columns_n; c++)
        if (is_shown(w, c))
            bad |= csv_cell(w, w->cells[c].text, &first, w->layout->guard);
    return bad | buf_addc(w->out, '\n');
}

/* ---- records ---- */

/* Makes ready for the next record. */
static int record_next(struct record_writer *w, int bad)
{
    memset(w->cells, 0, w->layout->columns_n * sizeof *w->cells);
    arena_reset(&w->arena);
    w->failed |= bad != 0;
    w->n++;
    return w->failed ? -1 : 0;
}

int record_end(struct record_writer *w)
{
    switch (w->format) {
    case RECORD_TEXT: return record_next(w, table_row(w));
    case RECORD_CSV: return record_next(w, csv_row(w));
    default: return record_next(w, json_row(w));
    }
}

int record_json(struct record_writer *w, struct str json)
{
    return record_next(w, json_before(w) | jsonw_copy_output(json, w->out) | json_after(w));
}

int record_into(struct record_writer *w, struct jsonw *json)
{
    jsonw_object(json);
    json_members(w, json);
    jsonw_object_end(json);
    return record_next(w, 0);
}

int record_finish(struct record_writer *w)
{
    const char *close = w->layout->json_close;
    int bad = 0;
    switch (w->format) {
    case RECORD_TEXT:
        if (w->n == 0 && w->layout->none != NULL)
            bad = buf_adds(w->out, w->layout->none);
        else if (w->n == 0)
            bad = table_head(w);
        bad |= record_flush(w);
        break;
    case RECORD_JSON:
        if (w->n == 0)
            bad = json_before(w);
        bad |= buf_adds(w->out, close != NULL ? close : "]\n");
        break;
    case RECORD_CSV:
        if (w->n == 0)
            bad = record_csv_head(w);
        break;
    case RECORD_NDJSON: break;
    }
    w->failed |= bad != 0;
    return w->failed ? -1 : 0;
}
