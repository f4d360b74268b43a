/* One column spec over one row: from|template|value, apply, map, type, default, required, in this order. The message for a
 * refused value shows the cell as the source has it, because people look for that text and correct it. */
#include "config.h"

#include "mappings/cells.h"
#include "mappings/file/compiled.h"

#include <errno.h>

/* A binary search; the loader has sorted the entries. */
static const struct map_entry *map_find(const struct column *column, struct str text)
{
    size_t low = 0, high = column->map_n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(text, column->map[middle].from);
        if (order == 0)
            return &column->map[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* The value in progress. It becomes a struct reject only if it is refused, which is rare; this is the hot path. */
struct cell_work {
    const struct column *column;
    const char *name; /* of the cell's column, or of the field */
    struct str cell;  /* as the source has it */
    struct reject *flaw;
};

static enum column_result column_run_refuse(const struct cell_work *w, enum reason reason, struct str worked,
                                            const char *why)
{
    *w->flaw = (struct reject){.column = w->name,
                               .reason = reason,
                               .value = w->cell,
                               .worked = worked,
                               .why = why,
                               .slot = w->column->slot};
    return COLUMN_REJECT;
}

/* `map`: exact match; empty values are not mapped. */
static enum column_result run_map(const struct cell_work *w, struct str *text)
{
    const struct column *column = w->column;
    const struct map_entry *entry = map_find(column, *text);
    if (entry != NULL) {
        *text = entry->to;
        return COLUMN_VALUE;
    }
    switch (column->otherwise) {
    case UNMATCHED_KEEP: return COLUMN_VALUE;
    case UNMATCHED_EMPTY: *text = STR_NONE; return COLUMN_VALUE;
    case UNMATCHED_VALUE: *text = column->otherwise_value; return COLUMN_VALUE;
    case UNMATCHED_SKIP:
        column_run_refuse(w, REASON_SKIP_WHEN, *text, "is not in the map, and otherwise: skip leaves the row out");
        return COLUMN_SKIP;
    default: return column_run_refuse(w, REASON_MAP_UNMATCHED, *text, "is not in the map");
    }
}

enum column_result column_map(const struct column *column, struct str *text, struct reject *flaw)
{
    const struct cell_work w = {.column = column, .name = column->label, .flaw = flaw};
    return run_map(&w, text);
}

const struct source_column *column_cell(const struct column *column, const struct row *row)
{
    if (column->others_n == 0 || !is_blank(cell_text(row, column->from.index)))
        return &column->from;
    for (size_t i = 0; i < column->others_n; i++)
        if (!is_blank(cell_text(row, column->others[i].index)))
            return &column->others[i];
    return &column->from;
}

/* from | template | value. An unusable cell comes here only with on_error: empty. Returns the cell separately, so
 * that the hot path keeps it in registers. */
static enum column_result run_origin(struct cell_work *w, const struct row *row, struct arena *scratch, struct str *cell)
{
    const struct column *column = w->column;
    if (column->origin == ORIGIN_VALUE) {
        w->cell = *cell = column->value;
        return is_utf8(*cell) ? COLUMN_VALUE : column_run_refuse(w, REASON_NOT_UTF8, STR_NONE, NULL);
    }
    if (column->origin == ORIGIN_TEMPLATE) {
        if (template_run(&column->template, row->cells, row->n, scratch, &w->cell) == 0) {
            *cell = w->cell;
            return is_utf8(*cell) ? COLUMN_VALUE : column_run_refuse(w, REASON_NOT_UTF8, STR_NONE, NULL);
        }
        w->cell = STR_NONE;
        return errno == EOVERFLOW ? column_run_refuse(w, REASON_FIELD_TOO_LONG, STR_NONE, "makes more than 1 MiB of text")
                                  : COLUMN_ERROR;
    }
    const struct source_column *from = column->others_n == 0 ? &column->from : column_cell(column, row);
    enum reason unusable = row_flaw(row, from->index);
    *cell = unusable == REASON_NONE ? cell_text(row, from->index) : cell_shown(row, from->index);
    w->cell = *cell;
    if (column->others_n > 0 && !is_blank(*cell))
        w->name = from->name.p;
    if (unusable != REASON_NONE)
        return column_run_refuse(w, unusable, STR_NONE, cell_why(*cell));
    return cell_is_utf8(row, *cell) ? COLUMN_VALUE : column_run_refuse(w, REASON_NOT_UTF8, STR_NONE, NULL);
}

/* Finds the step that refused the value, only after a refusal. */
static enum column_result run_steps(const struct cell_work *w, struct arena *scratch, struct str *text)
{
    const struct column *column = w->column;
    struct str before = *text;
    const char *why;
    if (column->steps_n == 0)
        return COLUMN_VALUE;
    if (transform_run(column->steps, column->steps_n, before, scratch, text, &why) != 0)
        return COLUMN_ERROR;
    if (why == NULL)
        return COLUMN_VALUE;
    for (size_t i = 0; i < column->steps_n; i++) {
        if (transform_run(&column->steps[i], 1, before, scratch, text, &why) != 0)
            return COLUMN_ERROR;
        if (why != NULL) {
            column_run_refuse(w, REASON_TYPE_INVALID, before, why);
            w->flaw->step = transform_table[column->steps[i].op].name;
            return COLUMN_REJECT;
        }
        before = *text;
    }
    return COLUMN_VALUE;
}

static enum column_result run_type(const struct cell_work *w, struct str text, struct arena *scratch, struct value *out)
{
    bool oom = false;
    if (w->column->type == TYPE_STRING) {
        *out = (struct value){VALUE_STRING, text.p, text.n};
        return COLUMN_VALUE;
    }
    const char *why = column_type_value(w->column->type, text, scratch, out, &oom);
    if (oom)
        return COLUMN_ERROR;
    return why != NULL ? column_run_refuse(w, REASON_TYPE_INVALID, text, why) : COLUMN_VALUE;
}

/* default, required, empty: handles an empty value. `refused`: on_error: empty dropped a value; the flaw says why. */
static enum column_result run_empty(const struct cell_work *w, bool refused, struct value *out)
{
    const struct column *column = w->column;
    *out = column->fallback;
    if (out->kind != VALUE_ABSENT)
        return COLUMN_VALUE;
    if (column->required) {
        enum reason reason = column->slot == LEAD_EMAIL ? REASON_EMAIL_MISSING : REASON_REQUIRED_MISSING;
        if (refused) {
            w->flaw->why = w->flaw->why != NULL ? w->flaw->why : reason_help(w->flaw->reason);
            w->flaw->reason = reason;
            return COLUMN_REJECT;
        }
        column_run_refuse(w, reason, STR_NONE, is_blank(w->cell) ? "no value" : "leaves no value");
        w->flaw->value = is_blank(w->cell) ? STR_NONE : w->cell;
        return COLUMN_REJECT;
    }
    if (column->clear)
        out->kind = VALUE_NULL;
    return COLUMN_VALUE;
}

/* All steps that can refuse a value, which are all but those for an empty value. *empty: the result is empty. */
static enum column_result run_value(struct cell_work *w, const struct row *row, struct arena *scratch, struct value *out,
                                    bool *empty)
{
    struct str cell, text;
    enum column_result result = run_origin(w, row, scratch, &cell);
    text = cell;
    if (result == COLUMN_VALUE)
        result = run_steps(w, scratch, &text);
    if (result == COLUMN_VALUE && w->column->map_n > 0 && !is_blank(text))
        result = run_map(w, &text);
    *empty = result == COLUMN_VALUE && is_blank(text);
    return result != COLUMN_VALUE || *empty ? result : run_type(w, text, scratch, out);
}

enum column_result column_run(const struct column *column, const struct row *row, struct arena *scratch, struct value *out,
                              struct reject *flaw, bool *emptied)
{
    struct cell_work w = {.column = column, .name = column->label, .flaw = flaw};
    bool empty;
    enum column_result result = run_value(&w, row, scratch, out, &empty);
    *emptied = result == COLUMN_REJECT && column->empty_on_error && flaw->reason != REASON_MAP_UNMATCHED;
    if (*emptied || empty)
        result = run_empty(&w, *emptied, out);
    *emptied = *emptied && result == COLUMN_VALUE;
    /* apply.c still checks an address, and its message may show the cell. */
    if (result == COLUMN_VALUE && !*emptied && column->slot == LEAD_EMAIL)
        column_run_refuse(&w, REASON_NONE, STR_NONE, NULL);
    return result;
}
