#include "config.h"

#include "sync/report/record_format.h"

#include "sync/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_BYTES = 64 << 20, NUMBER_BYTES = 24 };

static const struct record_format_ops *const formats[] = {[RECORD_TEXT] = &record_format_text,
                                                          [RECORD_JSON] = &record_format_json,
                                                          [RECORD_NDJSON] = &record_format_ndjson,
                                                          [RECORD_CSV] = &record_format_csv,
                                                          [RECORD_HTML] = &record_format_html};

int record_open(struct record_writer *w, const struct record_layout *layout)
{
    w->layout = layout;
    w->ops = formats[w->format];
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
    if (w->ops != NULL && w->ops->free != NULL)
        w->ops->free(w);
    arena_free(&w->arena);
    free(w->cells);
    free(w->align);
    free(w->yield);
    *w = (struct record_writer){.out = w->out};
}

bool record_shows(const struct record_writer *w, size_t column)
{
    return (w->layout->columns[column].left_out & w->ops->left_out) == 0;
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

/* ---- records ---- */

bool record_is_json(const struct record_writer *w)
{
    return w->ops->is_json;
}

static void record_begin(struct record_writer *w)
{
    if (!w->begun && w->ops->begin(w) != 0)
        w->failed = true;
    w->begun = true;
}

struct jsonw *record_object(struct record_writer *w)
{
    record_begin(w);
    if (record_json_before(w) != 0)
        w->failed = true;
    jsonw_init_output(&w->json, w->out);
    jsonw_object(&w->json);
    w->in_record = true;
    return &w->json;
}

struct buf *record_lines(struct record_writer *w)
{
    record_flush(w);
    w->in_record = true;
    return w->out;
}

/* Makes ready for the next record. */
static int record_next(struct record_writer *w, int bad)
{
    memset(w->cells, 0, w->layout->columns_n * sizeof *w->cells);
    arena_reset(&w->arena);
    w->in_record = false;
    w->failed |= bad != 0;
    w->n++;
    return w->failed ? -1 : 0;
}

int record_end(struct record_writer *w)
{
    record_begin(w);
    return record_next(w, w->ops->record(w));
}

int record_json(struct record_writer *w, struct str json)
{
    record_begin(w);
    return record_next(w, record_json_before(w) | jsonw_copy_output(json, w->out) | record_json_after(w));
}

int record_into(struct record_writer *w, struct jsonw *json)
{
    jsonw_object(json);
    record_json_members(w, json);
    jsonw_object_end(json);
    return record_next(w, 0);
}

int record_flush(struct record_writer *w)
{
    if (w->ops->flush != NULL && w->ops->flush(w) != 0)
        w->failed = true;
    return w->failed ? -1 : 0;
}

int record_finish(struct record_writer *w)
{
    record_begin(w);
    if (w->ops->finish(w) != 0)
        w->failed = true;
    return w->failed ? -1 : 0;
}
