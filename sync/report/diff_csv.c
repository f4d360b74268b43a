/* The diff as CSV: one line per written field, for a spreadsheet. It has no left-out rows. */
#include "config.h"

#include "sync/report/diff_format.h"

enum { C_OP, C_KEY, C_FIELD, C_OLD, C_NEW, COLUMN_N };
static const struct record_column columns[COLUMN_N] = {
    [C_OP] = {RECORD_NAME("op")},   [C_KEY] = {RECORD_NAME("key")}, [C_FIELD] = {RECORD_NAME("field")},
    [C_OLD] = {RECORD_NAME("old")}, [C_NEW] = {RECORD_NAME("new")},
};
static const struct record_layout layout = {.columns = columns, .columns_n = COLUMN_N, .guard = true};

static struct str of_value(const struct value *v)
{
    return v->kind > VALUE_NULL ? (struct str){v->p, v->n} : STR_NONE;
}

static void diff_csv_fill(struct record_writer *w, const struct diff_change *c, struct str old_value, struct str new_value)
{
    record_text(w, C_OP, diff_kind_text(diff_kind_of(c)));
    record_str(w, C_KEY, c->entry->key_text);
    record_str(w, C_OLD, old_value);
    record_str(w, C_NEW, new_value);
}

static int csv_change(struct diff *d, struct record_writer *w, const struct diff_change *c)
{
    struct diff_field field;
    int bad = 0;
    unsigned lines = 0;
    (void)d;
    for (size_t at = 0; bad == 0 && diff_field_next(c, &at, &field) == 1; lines++) {
        struct buf name = BUF_INIT(sizeof DIFF_CUSTOM + field.name.n);
        bad |= diff_field_name(&field, &name);
        diff_csv_fill(w, c, of_value(&field.old_value), of_value(&field.new_value));
        record_str(w, C_FIELD, buf_str(&name));
        bad |= record_end(w);
        buf_free(&name);
    }
    if (lines > 0)
        return bad;
    /* The changed field of a move or a removal is the location of the lead. A deletion has it in either member. */
    bool deleted = c->op == OP_REMOVE && c->from == NULL;
    diff_csv_fill(w, c, STR_NONE, STR_NONE);
    record_text(w, C_FIELD, "target");
    record_target(w, C_OLD, deleted ? c->target : c->from);
    record_target(w, C_NEW, deleted ? NULL : c->target);
    return record_end(w);
}

static int csv_finish(struct diff *d, const struct diff_summary *s, struct err *e)
{
    (void)s;
    return record_finish(&d->changes.records) == 0 ? diff_write(d, e) : err_oom(e);
}

const struct diff_format_ops diff_format_csv = {.format = RECORD_CSV,
                                                .changes = &layout,
                                                .change = csv_change,
                                                .finish = csv_finish};
