/* One column spec over one row: from|template|value, apply, map, type, default, required, in this order. A value that is
 * refused is told by the cell as the source has it, since that is what people can look for and correct. */
#include "config.h"

#include "mappings/cells.h"
#include "mappings/compiled.h"

#include <errno.h>

/* By halving, over entries that the loader has sorted. */
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

static enum column_result refuse(struct reject *flaw, enum reason reason, struct str worked, const char *why)
{
    flaw->reason = reason;
    flaw->worked = worked;
    flaw->why = why;
    return COLUMN_REJECT;
}

/* `map`: exact; empties have passed by. */
static enum column_result run_map(const struct column *column, struct str *text, struct reject *flaw)
{
    const struct map_entry *entry = map_find(column, *text);
    if (entry != NULL) {
        *text = entry->to;
        return COLUMN_VALUE;
    }
    switch (column->otherwise) {
    case UNMATCHED_KEEP:
        return COLUMN_VALUE;
    case UNMATCHED_EMPTY:
        *text = STR_NONE;
        return COLUMN_VALUE;
    case UNMATCHED_VALUE:
        *text = column->otherwise_value;
        return COLUMN_VALUE;
    case UNMATCHED_SKIP:
        refuse(flaw, REASON_SKIP_WHEN, *text, "is not in the map, and otherwise: skip leaves the row out");
        return COLUMN_SKIP;
    default:
        return refuse(flaw, REASON_MAP_UNMATCHED, *text, "is not in the map");
    }
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

/* from | template | value. An unusable cell comes here only when on_error: empty lets it go. */
static enum column_result run_origin(const struct column *column, const struct row *row, struct arena *scratch,
                                     struct reject *flaw)
{
    if (column->origin == ORIGIN_VALUE) {
        flaw->value = column->value;
    } else if (column->origin == ORIGIN_COLUMN) {
        const struct source_column *from = column_cell(column, row);
        enum reason unusable = row_flaw(row, from->index);
        flaw->value = unusable == REASON_NONE ? cell_text(row, from->index) : cell_shown(row, from->index);
        if (column->others_n > 0 && !is_blank(flaw->value))
            flaw->column = from->name.p;
        if (unusable != REASON_NONE)
            return refuse(flaw, unusable, STR_NONE, cell_why(flaw->value));
        return cell_is_utf8(row, flaw->value) ? COLUMN_VALUE : refuse(flaw, REASON_NOT_UTF8, STR_NONE, NULL);
    } else if (template_run(&column->template, row->cells, row->n, scratch, &flaw->value) != 0) {
        flaw->value = STR_NONE;
        return errno == EOVERFLOW ? refuse(flaw, REASON_FIELD_TOO_LONG, STR_NONE, "makes more than 1 MiB of text")
                                  : COLUMN_ERROR;
    }
    return is_utf8(flaw->value) ? COLUMN_VALUE : refuse(flaw, REASON_NOT_UTF8, STR_NONE, NULL);
}

/* One by one, so that the step that refuses can be named. */
static enum column_result run_steps(const struct column *column, struct arena *scratch, struct str *text,
                                    struct reject *flaw)
{
    for (size_t i = 0; i < column->steps_n && text->n > 0; i++) {
        struct str before = *text;
        const char *why;
        if (transform_run(&column->steps[i], 1, before, scratch, text, &why) != 0)
            return COLUMN_ERROR;
        if (why != NULL) {
            flaw->step = transform_table[column->steps[i].op].name;
            return refuse(flaw, REASON_TYPE_INVALID, before, why);
        }
    }
    return COLUMN_VALUE;
}

static enum column_result run_type(const struct column *column, struct str text, struct arena *scratch,
                                   struct value *out, struct reject *flaw)
{
    bool oom = false;
    if (column->type == TYPE_STRING) {
        *out = (struct value){VALUE_STRING, text.p, text.n};
        return COLUMN_VALUE;
    }
    const char *why = column_type_value(column->type, text, scratch, out, &oom);
    if (oom)
        return COLUMN_ERROR;
    return why != NULL ? refuse(flaw, REASON_TYPE_INVALID, text, why) : COLUMN_VALUE;
}

/* default, required, empty: what an empty value becomes. */
static enum column_result run_empty(const struct column *column, struct value *out, struct reject *flaw)
{
    *out = column->fallback;
    if (out->kind != VALUE_ABSENT)
        return COLUMN_VALUE;
    if (column->required) {
        enum reason reason = column->slot == LEAD_EMAIL ? REASON_EMAIL_MISSING : REASON_REQUIRED_MISSING;
        const char *refused = flaw->why != NULL || flaw->reason == REASON_NONE ? flaw->why : reason_help(flaw->reason);
        const char *why = refused != NULL ? refused : is_blank(flaw->value) ? "no value" : "leaves no value";
        flaw->value = is_blank(flaw->value) ? STR_NONE : flaw->value;
        return refuse(flaw, reason, flaw->worked, why);
    }
    if (column->clear)
        out->kind = VALUE_NULL;
    return COLUMN_VALUE;
}

/* All that can be refused: everything but what becomes of an empty value. *empty: nothing is left. */
static enum column_result run_value(const struct column *column, const struct row *row, struct arena *scratch,
                                    struct value *out, struct reject *flaw, bool *empty)
{
    enum column_result result = run_origin(column, row, scratch, flaw);
    struct str text = flaw->value;
    if (result == COLUMN_VALUE)
        result = run_steps(column, scratch, &text, flaw);
    if (result == COLUMN_VALUE && column->map_n > 0 && !is_blank(text))
        result = run_map(column, &text, flaw);
    *empty = result == COLUMN_VALUE && is_blank(text);
    return result != COLUMN_VALUE || *empty ? result : run_type(column, text, scratch, out, flaw);
}

enum column_result column_run(const struct column *column, const struct row *row, struct arena *scratch,
                              struct value *out, struct reject *flaw, bool *emptied)
{
    bool empty;
    *flaw = (struct reject){.column = column->label, .slot = column->slot};
    enum column_result result = run_value(column, row, scratch, out, flaw, &empty);
    *emptied = result == COLUMN_REJECT && column->empty_on_error && flaw->reason != REASON_MAP_UNMATCHED;
    if (*emptied || empty)
        result = run_empty(column, out, flaw);
    *emptied = *emptied && result == COLUMN_VALUE;
    return result;
}
