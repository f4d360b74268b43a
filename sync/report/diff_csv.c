/* The diff as CSV: one line per written field, for a spreadsheet. It has no left-out rows. */
#include "config.h"

#include "sync/base/text.h"
#include "sync/report/diff_format.h"

static int diff_csv_columns(struct diff *d, struct err *e)
{
    return buf_adds(&d->record, "op,key,field,old,new\n") == 0 ? diff_write(d, e) : err_oom(e);
}

/* A spreadsheet runs a cell that starts like a formula, so such a cell gets a ' in front. */
static int diff_csv_cell(struct buf *out, struct str text, char end)
{
    return text_csv_cell(text, true, out) | buf_addc(out, end);
}

static struct str of_value(const struct value *v)
{
    return v->kind > VALUE_NULL ? (struct str){v->p, v->n} : STR_NONE;
}

static int line(struct diff *d, const struct diff_change *c, const struct str cells[3])
{
    struct buf *out = &d->record;
    int bad = buf_adds(out, diff_kind_text(diff_kind_of(c))) | buf_addc(out, ',');
    bad |= diff_csv_cell(out, c->entry->key_text, ',');
    bad |= diff_csv_cell(out, cells[0], ',');
    bad |= diff_csv_cell(out, cells[1], ',');
    bad |= diff_csv_cell(out, cells[2], '\n');
    return bad;
}

static int csv_change(struct diff *d, const struct diff_change *c, struct err *e)
{
    struct diff_field field;
    int bad = 0;
    unsigned lines = 0;
    for (size_t at = 0; bad == 0 && diff_field_next(c, &at, &field) == 1; lines++) {
        struct buf name = BUF_INIT(sizeof "custom_variables." + field.name.n);
        bad |= buf_adds(&name, field.custom ? "custom_variables." : "") | buf_add(&name, field.name.p, field.name.n);
        bad |= line(d, c, (struct str[]){buf_str(&name), of_value(&field.old_value), of_value(&field.new_value)});
        buf_free(&name);
    }
    /* The changed field of a move or a removal is the location of the lead. */
    if (lines == 0) {
        /* A deletion has the location of the lead in either member. */
        bool deleted = c->op == OP_REMOVE && c->from == NULL;
        const struct target *from = deleted ? c->target : c->from, *to = deleted ? NULL : c->target;
        char from_text[TARGET_TEXT_N] = "", to_text[TARGET_TEXT_N] = "";
        if (from != NULL)
            target_format(from, from_text);
        if (to != NULL)
            target_format(to, to_text);
        bad |= line(d, c, (struct str[]){STR("target"), str_from(from_text), str_from(to_text)});
    }
    return bad == 0 ? diff_write(d, e) : err_oom(e);
}

static int csv_left_out(struct diff *d, const struct diff_left_out *l, struct err *e)
{
    (void)d;
    (void)l;
    (void)e;
    return 0;
}

static int csv_finish(struct diff *d, const struct diff_summary *s, struct err *e)
{
    (void)s;
    return diff_write(d, e);
}

const struct diff_format_ops diff_format_csv = {diff_csv_columns, csv_change, csv_left_out, csv_finish};
