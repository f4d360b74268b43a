#include "config.h"

#include "sync/report/page/page_table.h"

#include "sync/report/page/page.h"
#include "sync/report/page/page_value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLAIN_MAX = 16 << 20,
    EXACT_DIGITS = 15,
    FIELDS_SHOWN = 6,   /* of a row; the others unfold */
    CONTEXT_CHARS = 60, /* of what is the same before and after a difference */
    CONTEXT_BYTES = 40, /* what is left of it if it is longer */
};

const char *const page_kind_texts[] =
    {[PAGE_KIND_TEXT] = "text",     [PAGE_KIND_NAME] = "name", [PAGE_KIND_ID] = "id",
     [PAGE_KIND_NUMBER] = "number", [PAGE_KIND_TAG] = "tag",   [PAGE_KIND_FIELDS] = "fields"};

void page_table_free(struct page_table *t)
{
    buf_free(&t->plain);
    for (size_t i = 0; i < t->fields_n; i++)
        free(t->fields[i].name);
    free(t->fields);
    t->fields = NULL;
    t->fields_n = 0;
}

/* ---- rows ---- */

int page_table_row(struct page_table *t, struct buf *out)
{
    t->n++;
    /* After the first row that is left out come no others, so that the rows that are shown are the first ones. */
    if (t->kept + 1 < t->n || t->kept == PAGE_ROWS_MAX || t->bytes > PAGE_ROWS_BYTES)
        return 0;
    t->plain.max = PLAIN_MAX;
    t->row_at = out->n;
    t->column = 0;
    t->plain_row = t->kept < PAGE_PLAIN_ROWS && t->plain.n < PAGE_PLAIN_BYTES;
    int bad = buf_adds(out, t->kept > 0 ? ",\n[" : "[");
    if (t->plain_row)
        bad |= buf_adds(&t->plain, "<tr role=\"row\">");
    return bad == 0 ? 1 : -1;
}

int page_table_row_end(struct page_table *t, struct buf *out)
{
    int bad = buf_addc(out, ']');
    if (t->plain_row) {
        bad |= buf_adds(&t->plain, "</tr>\n");
        t->plain_n++;
    }
    t->kept++;
    t->bytes += out->n - t->row_at;
    return bad;
}

static int cell_begin(struct page_table *t, struct buf *out)
{
    const struct page_column *column = &t->columns[t->column];
    int bad = t->column++ > 0 ? buf_addc(out, ',') : 0;
    if (t->plain_row)
        bad |= buf_addf(&t->plain, "<td role=\"cell\" class=\"%s\" data-l=\"%s\">", page_kind_texts[column->kind],
                        column->title);
    return bad;
}

static int cell_end(struct page_table *t)
{
    return t->plain_row ? buf_adds(&t->plain, "</td>") : 0;
}

int page_table_text(struct page_table *t, struct buf *out, struct str text)
{
    int bad = cell_begin(t, out) | (text.n > 0 ? page_json(out, text, PAGE_VALUE_CHARS) : buf_adds(out, "null"));
    if (t->plain_row && text.n > 0)
        bad |= page_bdi(&t->plain, text, PAGE_VALUE_CHARS);
    return bad | cell_end(t);
}

int page_table_number(struct page_table *t, struct buf *out, uint64_t n)
{
    int bad = cell_begin(t, out) | (n > 0 ? buf_addf(out, "%" PRIu64, n) : buf_adds(out, "null"));
    if (t->plain_row && n > 0)
        bad |= page_count(&t->plain, n);
    return bad | cell_end(t);
}

int page_table_digits(struct page_table *t, struct buf *out, struct str text)
{
    uint64_t n = 0;
    size_t i = 0;
    /* So many digits are exact in the script, and so is every row number. */
    while (i < text.n && i < EXACT_DIGITS && text.p[i] >= '0' && text.p[i] <= '9')
        n = n * 10 + (uint64_t)(text.p[i++] - '0');
    if (i < text.n || n == 0)
        return page_table_text(t, out, text);
    return page_table_number(t, out, n);
}

int page_table_tag(struct page_table *t, struct buf *out, struct str text, const char *colour)
{
    int bad = cell_begin(t, out) | buf_addc(out, '[') | page_json(out, text, PAGE_NAME_CHARS) |
              buf_addf(out, ",\"%s\"]", colour);
    if (t->plain_row)
        bad |= buf_addf(&t->plain, "<span class=\"tag %s\">", colour) | page_cut(&t->plain, text, PAGE_NAME_CHARS) |
               buf_adds(&t->plain, "</span>");
    return bad | cell_end(t);
}

/* ---- fields ---- */

/* The number of a name, which is new or was met before. */
static int field_index(struct page_table *t, struct str name, size_t *index)
{
    size_t i = 0;
    while (i < t->fields_n && (t->fields[i].name_n != name.n || memcmp(t->fields[i].name, name.p, name.n) != 0))
        i++;
    if (i == t->fields_n) {
        struct page_field_count *grown = reallocarray(t->fields, t->fields_n + 1, sizeof *grown);
        if (grown == NULL)
            return -1;
        t->fields = grown;
        grown[i] = (struct page_field_count){.name = str_dup(name), .name_n = name.n};
        if (grown[i].name == NULL)
            return -1;
        t->fields_n++;
    }
    *index = i;
    return 0;
}

int page_table_field_count(struct page_table *t, struct str name)
{
    size_t index;
    if (field_index(t, name, &index) != 0)
        return -1;
    t->fields[index].n++;
    return 0;
}

int page_table_fields(struct page_table *t, struct buf *out)
{
    int bad = cell_begin(t, out) | buf_addc(out, '[');
    t->fields_in_cell = 0;
    return bad;
}

int page_table_fields_end(struct page_table *t, struct buf *out)
{
    int bad = buf_addc(out, ']');
    if (t->plain_row && t->fields_in_cell > 0)
        bad |= buf_adds(&t->plain, t->fields_in_cell > FIELDS_SHOWN ? "</ul></details>" : "</ul>");
    return bad | cell_end(t);
}

/* In JSON null is a value that is cleared, and 0 one that is not known. */
static int json_value(struct buf *out, const struct value *v)
{
    if (v->kind == VALUE_ABSENT)
        return buf_addc(out, '0');
    if (v->kind == VALUE_NULL)
        return buf_adds(out, "null");
    return page_json(out, (struct str){v->p, v->n}, PAGE_VALUE_CHARS);
}

static int plain_value(struct buf *out, const struct value *v)
{
    if (v->kind == VALUE_ABSENT)
        return buf_adds(out, "<i>not known</i>");
    if (v->kind == VALUE_NULL)
        return buf_adds(out, "<i>cleared</i>");
    if (v->n == 0)
        return buf_adds(out, "<i>empty</i>");
    return page_bdi(out, (struct str){v->p, v->n}, PAGE_VALUE_CHARS);
}

/* Of a long text that did not change only what stands next to the difference is of use. */
static struct str near_end(struct str s, bool *cut)
{
    size_t at = s.n > CONTEXT_CHARS ? s.n - CONTEXT_BYTES : 0;
    while (at > 0 && at < s.n && ((unsigned char)s.p[at] & 0xc0) == 0x80)
        at++;
    *cut = at > 0;
    return (struct str){s.p + at, s.n - at};
}

static struct str near_start(struct str s, bool *cut)
{
    size_t n = s.n > CONTEXT_CHARS ? CONTEXT_BYTES : s.n;
    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    *cut = n < s.n;
    return (struct str){s.p, n};
}

struct marks {
    struct page_value_marks m;
    bool cut_before, cut_after;
};

/* The ellipses are put on by the script, too; an empty string before them says that there is one. */
static int json_marks(struct buf *out, const struct marks *k)
{
    return page_json(out, k->m.before, PAGE_WHOLE) | buf_addc(out, ',') | page_json(out, k->m.removed, PAGE_VALUE_CHARS) |
           buf_addc(out, ',') | page_json(out, k->m.added, PAGE_VALUE_CHARS) | buf_addc(out, ',') |
           page_json(out, k->m.after, PAGE_WHOLE) | buf_addf(out, ",%d", k->cut_before + 2 * k->cut_after);
}

static int plain_marks(struct buf *out, const struct marks *k, const char *element, struct str different)
{
    int bad = buf_adds(out, k->cut_before ? "<bdi>\xe2\x80\xa6" : "<bdi>") | page_text(out, k->m.before);
    if (different.n > 0)
        bad |= buf_addf(out, "<%s>", element) | page_cut(out, different, PAGE_VALUE_CHARS) | buf_addf(out, "</%s>", element);
    return bad | page_text(out, k->m.after) | buf_adds(out, k->cut_after ? "\xe2\x80\xa6</bdi>" : "</bdi>");
}

static int plain_field(struct page_table *t, struct str name, const struct value *old_value, const struct value *new_value,
                       const struct marks *marks)
{
    static const char arrow[] = " <span class=\"to\">\xe2\x86\x92</span> ";
    struct buf *out = &t->plain;
    int bad = t->fields_in_cell == 0 ? buf_adds(out, "<ul>") : 0;
    if (t->fields_in_cell == FIELDS_SHOWN)
        bad |= buf_adds(out, "</ul><details><summary>more</summary><ul>");
    bad |= buf_adds(out, "<li><b>") | page_cut(out, name, PAGE_NAME_CHARS) | buf_adds(out, "</b> ");
    if (marks != NULL)
        bad |= plain_marks(out, marks, "del", marks->m.removed) | buf_adds(out, arrow) |
               plain_marks(out, marks, "ins", marks->m.added);
    else if (old_value != NULL)
        bad |= plain_value(out, old_value) | buf_adds(out, arrow) | plain_value(out, new_value);
    else
        bad |= plain_value(out, new_value);
    return bad | buf_adds(out, "</li>");
}

int page_table_field(struct page_table *t, struct buf *out, struct str name, const struct value *old_value,
                     const struct value *new_value)
{
    size_t index;
    struct marks marks;
    bool marked = old_value != NULL && old_value->kind > VALUE_NULL && new_value->kind > VALUE_NULL && old_value->n > 0 &&
                  new_value->n > 0;
    if (field_index(t, name, &index) != 0)
        return -1;
    t->fields[index].n += old_value != NULL;
    int bad = buf_addf(out, t->fields_in_cell > 0 ? ",[%zu," : "[%zu,", index);
    if (marked) {
        struct str from = {old_value->p, old_value->n}, to = {new_value->p, new_value->n};
        page_value_compare(from, to, &marks.m);
        /* Digits that two numbers share mean nothing. */
        if (old_value->kind != VALUE_STRING || new_value->kind != VALUE_STRING)
            marks.m = (struct page_value_marks){.removed = from, .added = to};
        marks.m.before = near_end(marks.m.before, &marks.cut_before);
        marks.m.after = near_start(marks.m.after, &marks.cut_after);
        bad |= json_marks(out, &marks);
    } else if (old_value != NULL) {
        bad |= json_value(out, old_value) | buf_addc(out, ',') | json_value(out, new_value);
    } else {
        bad |= json_value(out, new_value);
    }
    bad |= buf_addc(out, ']');
    if (t->plain_row)
        bad |= plain_field(t, name, old_value, new_value, marked ? &marks : NULL);
    t->fields_in_cell++;
    return bad;
}

/* ---- the list ---- */

int page_table_begin(const struct page_table *t, struct buf *out)
{
    int bad = buf_addf(out, "<section class=\"table\" id=\"%s\">\n<script type=\"application/json\">{\"columns\":[", t->id);
    for (size_t i = 0; i < t->columns_n; i++)
        bad |= buf_addf(out, "%s{\"title\":\"%s\",\"kind\":\"%s\"}", i > 0 ? "," : "", t->columns[i].title,
                        page_kind_texts[t->columns[i].kind]);
    return bad | buf_addf(out, "],\"noun\":\"%s\",\"rows\":[\n", t->noun);
}

static int json_end(const struct page_table *t, struct buf *out)
{
    int bad = buf_adds(out, "],\n\"fields\":[");
    for (size_t i = 0; i < t->fields_n; i++)
        bad |= (i > 0 ? buf_addc(out, ',') : 0) |
               page_json(out, (struct str){t->fields[i].name, t->fields[i].name_n}, PAGE_NAME_CHARS);
    return bad | buf_adds(out, "]}</script>\n");
}

static int list_notes(const struct page_table *t, struct buf *out)
{
    int bad = 0;
    if (t->kept < t->n)
        bad |= buf_adds(out, "<p class=\"note\">This page holds the first ") | page_counted(out, t->kept, t->noun) |
               buf_adds(out, " of ") | page_count(out, t->n) | buf_adds(out, "; <code>") | page_say(out, t->instead) |
               buf_adds(out, "</code> writes all of them.</p>\n");
    if (t->plain_n < t->kept)
        bad |= buf_adds(out, "<noscript><p class=\"note\">Without JavaScript, this list shows the first ") |
               page_counted(out, t->plain_n, t->noun) | buf_adds(out, " of ") | page_count(out, t->n) |
               buf_adds(out, ".</p></noscript>\n");
    return bad;
}

int page_table_end(const struct page_table *t, struct buf *out)
{
    int bad = json_end(t, out) | buf_addf(out, "<h2 id=\"%s-heading\">", t->id) | page_say(out, t->heading) |
              buf_adds(out, " <span>") | page_count(out, t->n) | buf_adds(out, "</span></h2>\n") | list_notes(t, out);
    if (t->n == 0)
        return bad | buf_addf(out, "<p class=\"note\">There is no %s.</p></section>\n", t->noun);
    bad |= buf_addf(
        out,
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"%s-heading\">\n<table role=\"table\" "
        "aria-labelledby=\"%s-heading\" aria-rowcount=\"%" PRIu64 "\">\n<thead role=\"rowgroup\"><tr role=\"row\">",
        t->id, t->id, t->kept + 1);
    for (size_t i = 0; i < t->columns_n; i++)
        bad |= buf_addf(out, "<th role=\"columnheader\" scope=\"col\" class=\"%s\">", page_kind_texts[t->columns[i].kind]) |
               page_say(out, t->columns[i].title) | buf_adds(out, "</th>");
    bad |= buf_adds(out, "</tr></thead>\n<tbody role=\"rowgroup\">\n") | buf_add(out, t->plain.p, t->plain.n);
    return bad | buf_adds(out, "</tbody></table></div></section>\n");
}
