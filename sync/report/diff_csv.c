/* The diff as CSV: one line per written field, for a spreadsheet. Left-out rows and waiting leads are lines only if they are asked for,
 * so that a script that takes each line for a change can go on to do so. New columns come last. */
#include "config.h"

#include "sync/report/diff_format.h"

enum { CELLS_CHARS = 80 };

/* clang-format off */
enum { C_OP, C_KEY, C_FIELD, C_OLD, C_NEW, C_TARGET, C_TARGET_NAME, C_ROW, C_LINE, C_EMAIL, C_NAME, C_REASON, C_DETAIL, COLUMN_N };
static const struct record_column columns[COLUMN_N] = {
    [C_OP] = {RECORD_NAME("op")},         [C_KEY] = {RECORD_NAME("key")},       [C_FIELD] = {RECORD_NAME("field")},
    [C_OLD] = {RECORD_NAME("old")},       [C_NEW] = {RECORD_NAME("new")},       [C_TARGET] = {RECORD_NAME("target")},
    [C_TARGET_NAME] = {RECORD_NAME("target_name")},
    [C_ROW] = {RECORD_NAME("row"), .kind = RECORD_NUMBER},
    [C_LINE] = {RECORD_NAME("line"), .kind = RECORD_NUMBER},
    [C_EMAIL] = {RECORD_NAME("email")},   [C_NAME] = {RECORD_NAME("name")},     [C_REASON] = {RECORD_NAME("reason")},
    [C_DETAIL] = {RECORD_NAME("detail")},
};
/* clang-format on */
static const struct record_layout layout = {.columns = columns, .columns_n = COLUMN_N, .guard = true};

static struct str of_value(const struct value *v)
{
    return v->kind > VALUE_NULL ? (struct str){v->p, v->n} : STR_NONE;
}

static void csv_entry(struct record_writer *w, const struct entry *entry)
{
    record_str(w, C_KEY, entry->key_text);
    record_ordinal(w, C_ROW, entry->row);
    record_ordinal(w, C_LINE, entry->line);
    record_str(w, C_DETAIL, entry->detail);
}

/* What each line of a change has. 0/-1 */
static int csv_begin_change(struct record_writer *w, const struct diff_change *c, const char *op)
{
    const struct target *target = c->target != NULL ? c->target : c->from;
    struct buf name = BUF_INIT(w->out->max);
    int bad = diff_person(c, &name);
    csv_entry(w, c->entry);
    record_text(w, C_OP, op);
    record_copy(w, C_NAME, buf_str(&name));
    record_str(w, C_EMAIL, diff_address(c));
    record_target(w, C_TARGET, target);
    record_text(w, C_TARGET_NAME, target != NULL ? target->name : NULL);
    buf_free(&name);
    return bad;
}

static int csv_change(struct diff *d, struct record_writer *w, const struct diff_change *c)
{
    const char *op = diff_kind_text(diff_kind_of(c));
    struct diff_field field;
    int bad = 0;
    unsigned lines = 0;
    (void)d;
    for (size_t at = 0; bad == 0 && diff_field_next(c, &at, &field) == 1; lines++) {
        struct buf name = BUF_INIT(sizeof DIFF_CUSTOM + field.name.n);
        bad |= diff_field_name(&field, &name) | csv_begin_change(w, c, op);
        record_str(w, C_OLD, of_value(&field.old_value));
        record_str(w, C_NEW, of_value(&field.new_value));
        record_str(w, C_FIELD, buf_str(&name));
        bad |= record_end(w);
        buf_free(&name);
    }
    if (lines > 0)
        return bad;
    /* The changed field of a move or a removal is the location of the lead. A deletion has it in either member. */
    bool deleted = c->op == OP_REMOVE && c->from == NULL;
    bad |= csv_begin_change(w, c, op);
    record_text(w, C_FIELD, "target");
    record_target(w, C_OLD, deleted ? c->target : c->from);
    record_target(w, C_NEW, deleted ? NULL : c->target);
    return bad | record_end(w);
}

/* The cell that is at fault stands in `old`, its column in `field`. All lines come from one writer. */
static int csv_left_out(struct diff *d, struct record_writer *unused, const struct diff_left_out *l)
{
    struct record_writer *w = &d->changes.records;
    const struct entry *entry = l->entry;
    struct buf cells = BUF_INIT(w->out->max);
    (void)unused;
    if (!d->options.left_out && d->options.show == 0)
        return 0;
    int bad = entry->key_text.n == 0 ? cells_show(entry->cells, CELLS_CHARS, &cells) : 0;
    csv_entry(w, entry);
    record_text(w, C_OP, outcome_text(entry->outcome));
    record_text(w, C_FIELD, l->column);
    record_str(w, C_OLD, l->value);
    record_str(w, C_EMAIL, entry->email);
    record_copy(w, C_NAME, buf_str(&cells));
    record_text(w, C_REASON, reason_text(entry->reason));
    buf_free(&cells);
    return bad | record_end(w);
}

static int csv_waiting(struct diff *d, struct record_writer *unused, const struct diff_change *c)
{
    struct record_writer *w = &d->changes.records;
    (void)unused;
    if (!d->options.left_out && d->options.show == 0)
        return 0;
    return csv_begin_change(w, c, DIFF_WAITING) | record_end(w);
}

static int csv_finish(struct diff *d, const struct diff_summary *s, struct err *e)
{
    (void)s;
    return record_finish(&d->changes.records) == 0 ? diff_write(d, e) : err_oom(e);
}

const struct diff_format_ops diff_format_csv = {
    .format = RECORD_CSV,
    .changes = &layout,
    .change = csv_change,
    .left_out = csv_left_out,
    .waiting = csv_waiting,
    .finish = csv_finish,
};
