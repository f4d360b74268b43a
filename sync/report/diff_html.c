/* The diff as one HTML page, for people who approve a change: what happens to which lead, why rows are left out, and what it costs.
 *
 * The rows of both lists wait as JSON in the diff's temporary files, because figures and guards stand before them. The page is
 * assembled at the end, in the order of the template. */
#include "config.h"

#include "sync/report/diff_format.h"
#include "sync/report/diff_html.h"
#include "sync/report/page/page.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20, CELLS_CHARS = 40 };

static const struct page_column change_columns[] = {
    {"Operation", PAGE_KIND_TAG}, {"Lead", PAGE_KIND_NAME},   {"What changes", PAGE_KIND_FIELDS}, {"Where", PAGE_KIND_TEXT},
    {"Row", PAGE_KIND_NUMBER},    {"Line", PAGE_KIND_NUMBER}, {"Note", PAGE_KIND_TEXT},
};
static const struct page_column left_out_columns[] = {
    {"Outcome", PAGE_KIND_TAG}, {"Reason", PAGE_KIND_TEXT}, {"Row", PAGE_KIND_NUMBER}, {"Line", PAGE_KIND_NUMBER},
    {"Lead", PAGE_KIND_NAME},   {"Column", PAGE_KIND_TEXT}, {"Value", PAGE_KIND_TEXT}, {"Detail", PAGE_KIND_TEXT},
};

struct diff_html {
    struct page_table changes, left_out;
    struct buf text; /* of the cell under way */
};

static int html_open(struct diff *d)
{
    d->html = calloc(1, sizeof *d->html);
    if (d->html == NULL)
        return -1;
    d->html->changes = (struct page_table){
        .id = "changes",
        .heading = "Changes",
        .noun = "change",
        .instead = "--format csv",
        .columns = change_columns,
        .columns_n = sizeof change_columns / sizeof change_columns[0],
    };
    d->html->left_out = (struct page_table){
        .id = "left-out",
        .heading = "Rows that are left out",
        .noun = "row",
        .instead = "--format ndjson",
        .columns = left_out_columns,
        .columns_n = sizeof left_out_columns / sizeof left_out_columns[0],
    };
    buf_init(&d->html->text, TEXT_MAX);
    return 0;
}

static void html_close(struct diff *d)
{
    if (d->html == NULL)
        return;
    page_table_free(&d->html->changes);
    page_table_free(&d->html->left_out);
    buf_free(&d->html->text);
    free(d->html);
}

/* ---- cells ---- */

/* The text of a cell, which is empty at first; page_table_text() escapes it. */
static struct buf *html_cell_text(struct diff *d)
{
    buf_reset(&d->html->text);
    return &d->html->text;
}

static int diff_html_cell(struct diff *d, struct page_table *t)
{
    return page_table_text(t, &d->record, buf_str(&d->html->text));
}

/* The key; under `key:` the address, too; of a row without either, what its cells say. */
static int lead_cell(struct diff *d, struct page_table *t, const struct entry *entry)
{
    struct buf *text = html_cell_text(d);
    int bad = buf_add(text, entry->key_text.p, entry->key_text.n);
    if (entry->key_text.n == 0)
        bad |= cells_show_name("", entry->cells, CELLS_CHARS, text) < 0 ? -1 : 0;
    else if (entry->email.n > 0 && !str_eq_nocase(entry->email, entry->key_text))
        bad |= buf_adds(text, " (") | buf_add(text, entry->email.p, entry->email.n) | buf_addc(text, ')');
    return bad | diff_html_cell(d, t);
}

static int target_text(struct buf *text, const struct target *t)
{
    char id[UUID_TEXT_N];
    if (t == NULL)
        return buf_adds(text, "a target that is not known");
    return buf_adds(text, target_kind_text(t->kind)) | buf_addc(text, ' ') |
           buf_adds(text, t->name != NULL ? t->name : uuid_format(&t->id, id));
}

static int target_cell(struct diff *d, struct page_table *t, const struct diff_change *c)
{
    struct buf *text = html_cell_text(d);
    const struct target *from = c->op == OP_REMOVE && c->from == NULL ? c->target : c->from;
    bool moves = c->op == OP_MOVE ||
                 (c->op == OP_REMOVE && c->from != NULL && c->target != NULL && !target_eq(c->from, c->target));
    int bad = 0;
    if (moves)
        bad |= buf_adds(text, "from ") | target_text(text, from) | buf_adds(text, " to ") | target_text(text, c->target);
    else if (c->op == OP_REMOVE)
        bad |= buf_adds(text, "deleted from ") | target_text(text, from);
    else if (c->target != NULL)
        bad |= target_text(text, c->target);
    return bad | diff_html_cell(d, t);
}

static int note_cell(struct diff *d, struct page_table *t, const struct diff_change *c)
{
    struct buf *text = html_cell_text(d);
    int bad = 0;
    if (c->op == OP_REMOVE)
        bad |= buf_add(text, c->entry->detail.p, c->entry->detail.n);
    /* Every create is uncertain: that is said once, with the figures. */
    if (!c->certain && c->op != OP_CREATE)
        bad |= buf_adds(text, text->n > 0 ? "; uncertain" : "uncertain");
    if (c->drift)
        bad |= buf_adds(text, text->n > 0 ? "; changed by hand" : "changed by hand");
    return bad | diff_html_cell(d, t);
}

/* A create has no old values, but for the address of a lead that it replaces. */
static const struct value *old_of(const struct diff_change *c, const struct diff_field *field)
{
    return c->op == OP_CREATE && field->old_value.kind == VALUE_ABSENT ? NULL : &field->old_value;
}

static int fields_cell(struct diff *d, struct page_table *t, const struct diff_change *c)
{
    struct diff_field field;
    int bad = page_table_fields(t, &d->record);
    for (size_t at = 0; bad == 0 && diff_field_next(c, &at, &field) == 1;) {
        /* The address is the lead's name in the cell before, nearly always. */
        bool same = c->op == OP_CREATE && old_of(c, &field) == NULL &&
                    str_eq_nocase((struct str){field.new_value.p, field.new_value.n}, c->entry->key_text);
        if (!same)
            bad = page_table_field(t, &d->record, field.name, old_of(c, &field), &field.new_value);
    }
    return bad | page_table_fields_end(t, &d->record);
}

/* Fields of changes that the page has no room for still count. */
static int count_fields(struct page_table *t, const struct diff_change *c)
{
    struct diff_field field;
    int bad = 0;
    for (size_t at = 0; bad == 0 && diff_field_next(c, &at, &field) == 1;)
        if (old_of(c, &field) != NULL)
            bad = page_table_field_count(t, field.name);
    return bad;
}

static int html_change(struct diff *d, struct record_writer *w, const struct diff_change *c)
{
    struct page_table *t = &d->html->changes;
    const char *kind = diff_kind_text(diff_kind_of(c));
    (void)w;
    int wanted = page_table_row(t, &d->record);
    if (wanted <= 0)
        return wanted < 0 ? -1 : count_fields(t, c);
    return page_table_tag(t, &d->record, str_from(kind), kind) | lead_cell(d, t, c->entry) | fields_cell(d, t, c) |
           target_cell(d, t, c) | page_table_number(t, &d->record, c->entry->row) |
           page_table_number(t, &d->record, c->entry->line) | note_cell(d, t, c) | page_table_row_end(t, &d->record);
}

static int html_left_out(struct diff *d, struct record_writer *w, const struct diff_left_out *l)
{
    struct page_table *t = &d->html->left_out;
    const struct entry *entry = l->entry;
    (void)w;
    int wanted = page_table_row(t, &d->record);
    if (wanted <= 0)
        return wanted;
    return page_table_tag(t, &d->record, str_from(outcome_text(entry->outcome)),
                          entry->outcome == OUTCOME_REJECTED ? "bad" : "left") |
           page_table_text(t, &d->record, str_from(entry->reason == REASON_NONE ? "" : reason_text(entry->reason))) |
           page_table_number(t, &d->record, entry->row) | page_table_number(t, &d->record, entry->line) |
           lead_cell(d, t, entry) | page_table_text(t, &d->record, str_from(l->column)) |
           page_table_text(t, &d->record, l->value) | page_table_text(t, &d->record, entry->detail) |
           page_table_row_end(t, &d->record);
}

/* ---- the page ---- */

/* Appends the list, whose rows were kept, in the place of its slot. */
static int pour_list(struct diff *d, const struct page_table *t, struct diff_list *list, struct err *e)
{
    if (page_table_begin(t, &d->record) != 0)
        return err_oom(e);
    if (diff_pour(d, list, e) != 0)
        return -1;
    return page_table_end(t, &d->record) == 0 ? diff_write(d, e) : err_oom(e);
}

static int html_lists(struct diff *d, struct err *e)
{
    if (d->options.summary)
        return 0;
    return pour_list(d, &d->html->changes, &d->changes, e) != 0 ? -1 : pour_list(d, &d->html->left_out, &d->left_out, e);
}

static int diff_html_finish(struct diff *d, const struct diff_summary *summary, struct err *e)
{
    const struct diff_html_parts parts = {d, summary, d->html->changes.fields, d->html->changes.fields_n};
    struct page page;
    struct str slot;
    int rc = page_open(&page) == 0 ? 1 : err_oom(e);
    while (rc == 1) {
        rc = page_next(&page, &d->record, &slot);
        if (rc == 1 && str_is(slot, "lists"))
            rc = html_lists(d, e) == 0 ? 1 : -2;
        else if (rc == 1)
            rc = diff_html_part(&parts, slot, &d->record) == 0 ? 1 : -1;
        /* The parts are small, but the lists are poured after what stands before them is written. */
        if (rc >= 0 && diff_write(d, e) != 0)
            rc = -2;
    }
    page_free(&page);
    if (rc == -1)
        err_oom(e);
    return rc == 0 ? 0 : -1;
}

const struct diff_format_ops diff_format_html = {
    .format = RECORD_HTML,
    .waits = true,
    .open = html_open,
    .close = html_close,
    .change = html_change,
    .left_out = html_left_out,
    .finish = diff_html_finish,
};
