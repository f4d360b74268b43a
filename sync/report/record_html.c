/* A list of records as one HTML page. The rows go out as JSON one by one; the plain rows of the first ones wait until the end. */
#include "config.h"

#include "sync/model/change.h"
#include "sync/report/page/page.h"
#include "sync/report/page/page_table.h"
#include "sync/report/record_format.h"

#include <stdlib.h>

struct record_html {
    struct page page;
    struct page_table table;
    struct page_column *columns; /* owned: those that are shown */
};

static const struct record_page no_page = {.title = "Records", .noun = "record"};

static const struct record_page *page_of(const struct record_writer *w)
{
    return w->layout->page != NULL ? w->layout->page : &no_page;
}

static enum page_kind kind_of(const struct record_column *column)
{
    if (column->kind == RECORD_CHANGES)
        return PAGE_KIND_FIELDS;
    if (str_is(column->name, "key"))
        return PAGE_KIND_NAME;
    if (str_is(column->name, "lead_id") || str_is(column->name, "target"))
        return PAGE_KIND_ID;
    return column->kind == RECORD_NUMBER || column->align == TABLE_RIGHT ? PAGE_KIND_NUMBER : PAGE_KIND_TEXT;
}

static int html_new(struct record_writer *w)
{
    struct record_html *html = calloc(1, sizeof *html);
    w->html = html;
    if (html == NULL)
        return -1;
    html->columns = calloc(w->layout->columns_n + 1, sizeof *html->columns);
    html->table = (struct page_table){.id = "list",
                                      .heading = page_of(w)->title,
                                      .noun = page_of(w)->noun,
                                      .instead = "--format csv",
                                      .columns = html->columns};
    if (html->columns == NULL || page_open(&html->page) != 0)
        return -1;
    for (size_t c = 0; c < w->layout->columns_n; c++)
        if (record_shows(w, c))
            html->columns[html->table.columns_n++] = (struct page_column){w->layout->columns[c].name.p,
                                                                          kind_of(&w->layout->columns[c])};
    return 0;
}

static void html_free(struct record_writer *w)
{
    if (w->html == NULL)
        return;
    page_free(&w->html->page);
    page_table_free(&w->html->table);
    free(w->html->columns);
    free(w->html);
    w->html = NULL;
}

/* Fills the slots up to the list (1) or the end of the page (0). */
static int fill_slots(struct record_writer *w)
{
    const struct record_page *page = page_of(w);
    struct str slot;
    int more;
    while ((more = page_next(&w->html->page, w->out, &slot)) == 1) {
        int bad = 0;
        if (page->part != NULL)
            bad = page->part(page->ctx, slot, w->out);
        else if (str_is(slot, "title") || str_is(slot, "heading"))
            bad = page_say(w->out, page->title);
        if (bad != 0)
            return -1;
        if (str_is(slot, "lists"))
            return 1;
    }
    return more;
}

static int html_begin(struct record_writer *w)
{
    if (html_new(w) != 0 || fill_slots(w) != 1)
        return -1;
    return page_table_begin(&w->html->table, w->out);
}

static int add_changes(struct page_table *t, struct str list, struct buf *out)
{
    const char *at = list.p, *end = list.p + list.n;
    struct change change;
    int more = 0, bad = page_table_fields(t, out);
    if (change_is_text(list)) {
        const struct value text = {VALUE_STRING, list.p, list.n};
        return bad | page_table_field(t, out, STR("changes"), NULL, &text) | page_table_fields_end(t, out);
    }
    while (bad == 0 && list.n > 0 && (more = change_next(&at, end, &change)) == 1)
        bad = page_table_field(t, out, change.name, change.before.kind == VALUE_ABSENT ? NULL : &change.before,
                               &change.after);
    return bad | (more < 0 ? -1 : 0) | page_table_fields_end(t, out);
}

static int add_cell(struct record_writer *w, size_t c)
{
    static const char *const colours[] =
        {[TABLE_DIM] = "left", [TABLE_GREEN] = "good", [TABLE_YELLOW] = "warn", [TABLE_RED] = "bad"};
    struct page_table *t = &w->html->table;
    struct str text = w->cells[c].text;
    enum table_colour colour = w->cells[c].colour;
    switch (t->columns[t->column].kind) {
    case PAGE_KIND_FIELDS: return add_changes(t, text, w->out);
    case PAGE_KIND_NUMBER: return page_table_digits(t, w->out, text);
    default: break;
    }
    if (colour != TABLE_PLAIN && text.n > 0)
        return page_table_tag(t, w->out, text, colours[colour]);
    return page_table_text(t, w->out, text);
}

static int html_record(struct record_writer *w)
{
    struct page_table *t = &w->html->table;
    int wanted = page_table_row(t, w->out), bad = 0;
    if (wanted <= 0)
        return wanted;
    for (size_t c = 0; c < w->layout->columns_n; c++)
        if (record_shows(w, c))
            bad |= add_cell(w, c);
    return bad | page_table_row_end(t, w->out);
}

static int record_html_finish(struct record_writer *w)
{
    return page_table_end(&w->html->table, w->out) | (fill_slots(w) == 0 ? 0 : -1);
}

const struct record_format_ops record_format_html = {
    .left_out = RECORD_NOT_CSV,
    .begin = html_begin,
    .record = html_record,
    .finish = record_html_finish,
    .free = html_free,
};
