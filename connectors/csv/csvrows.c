/* Two ways to read a row. The parser (csvparse.h) gets a physical line at a time, so that the row's line is known without
 * counting inside callbacks. But most lines leave it nothing to decide: where a quoted cell ends on its line and has no
 * quote inside, cells are what stands between the delimiters, and are handed out where they lie. Tests and a fuzz target
 * hold both ways against a third reader.
 *
 * The parser's buffer of a cell has no limit, so it is cut back between lines. */
#include "config.h"

#include "connectors/csv/csvrows_int.h"

#include "connectors/csv/csvdialect.h"
#include "sync/base/log.h"
#include "sync/base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int cells_grow(struct csvrows *r)
{
    size_t cap = r->cells_cap == 0 ? 64 : r->cells_cap * 2;
    struct cell *more = realloc(r->cells, cap * sizeof *more);
    if (more == NULL)
        return -1;
    r->cells = more;
    uint8_t *flaws = realloc(r->flaws, cap);
    if (flaws == NULL)
        return -1;
    r->flaws = flaws;
    r->cells_cap = cap;
    return 0;
}

static void cell_add(struct csvrows *r, const char *p, size_t n, bool cut)
{
    const bool too_long = cut || n > r->field_max;

    r->wide++;
    r->too_long |= too_long;
    if (r->cells_n == CSVROWS_COLUMNS_MAX)
        return;
    if (r->cells_n == r->cells_cap && cells_grow(r) != 0) {
        r->no_memory = true;
        return;
    }
    r->flaws[r->cells_n] = (uint8_t)(too_long ? REASON_FIELD_TOO_LONG : REASON_NONE);
    r->cells[r->cells_n++] = (struct cell){p, n, false};
}

/* The next quote of a line, or its end. */
static const char *quote_from(struct csvrows *r, const char *p, const char *end)
{
    size_t at = csvlines_quote(&r->lines, (size_t)(p - r->lines.text));

    return at < (size_t)(end - r->lines.text) ? r->lines.text + at : end;
}

/* The first byte at or after `p` that is not a blank. */
static const char *skip_blanks(const char *p, const char *end, char delimiter)
{
    while (p < end && csvparse_is_blank(*p) && *p != delimiter)
        p++;
    return p;
}

/* Cells of a line. false: one of them needs the parser, for it has a quote in quotes or goes on on the next line. */
static bool split_line(struct csvrows *r, const char *p, const char *end)
{
    const char *quote = quote_from(r, p, end);

    for (;; p++) {
        const char *stop;
        if (quote < end && (quote == p || skip_blanks(p, end, r->delimiter) == quote)) {
            const char *text = quote + 1, *closing = quote_from(r, text, end);
            if (closing == end)
                return false;
            stop = skip_blanks(closing + 1, end, r->delimiter);
            if (stop < end && *stop != r->delimiter)
                return false;
            cell_add(r, text, (size_t)(closing - text), false);
            quote = quote_from(r, stop, end);
        } else {
            stop = memchr(p, r->delimiter, (size_t)(end - p));
            if (stop == NULL)
                stop = end;
            cell_add(r, p, (size_t)(stop - p), false);
            if (quote < stop) /* a character of the cell */
                quote = quote_from(r, stop, end);
        }
        if (stop == end)
            return true;
        p = stop;
    }
}

/* The text moves while it grows: cells get their place when the row is complete. */
void csvrows_on_cell(void *cell, size_t n, void *arg)
{
    struct csvrows *r = arg;
    bool cut = r->parser.cut || r->text.n + n > r->row_max;

    r->parser.cut = false;
    r->lost |= cut;
    cell_add(r, NULL, cut ? 0 : n, cut);
    if (!cut && n > 0 && buf_add(&r->text, cell, n) != 0)
        r->no_memory = true;
}

void csvrows_on_row(int end, void *arg)
{
    struct csvrows *r = arg;

    (void)end;
    r->complete = true;
}

/* The row that starts on `first_line` has a quote where none may be, or one that is never closed. */
static int bad_quote(struct csvrows *r, uint64_t first_line, bool unclosed, struct err *e)
{
    struct buf column = BUF_INIT(1024);

    if (r->wide < r->columns.n &&
        (buf_adds(&column, " (\"") != 0 || text_show(r->columns.list[r->wide].name, 40, &column) != 0 ||
         buf_adds(&column, "\")") != 0))
        buf_reset(&column);
    if (unclosed)
        err_set(e, XS_SOURCE,
                "%s:%" PRIu64 ": a quote in cell %zu%.*s of the row that starts here is never closed (seen up to "
                "line %" PRIu64 "); close it, or double it if it is part of the text",
                r->in->label, first_line, r->wide + 1, STR_ARG(buf_str(&column)), r->lines.done);
    else if (csvparse_met_backslash(&r->parser))
        err_set(e, XS_SOURCE,
                "%s:%" PRIu64 ": a backslash escapes a quote in cell %zu%.*s of the row that starts here, met on line "
                "%" PRIu64 "; CSV doubles it: export with \"\" for each \\\"",
                r->in->label, first_line, r->wide + 1, STR_ARG(buf_str(&column)), r->lines.done + 1);
    else
        err_set(e, XS_SOURCE,
                "%s:%" PRIu64 ": stray quote in cell %zu%.*s of the row that starts here, met on line %" PRIu64
                ": text follows the quote that closes the cell; double the quotes inside it",
                r->in->label, first_line, r->wide + 1, STR_ARG(buf_str(&column)), r->lines.done + 1);
    buf_free(&column);
    return -1;
}

/* The line at `at`, once its end is in the window. 1; 0: it is longer than any row may be; -1. */
static int find_line(struct csvrows *r, struct line *line, struct err *e)
{
    while (!csvlines_find(&r->lines, line)) {
        int more = csvlines_fill(&r->lines, e);
        if (more < 0)
            return -1;
        if (more == 0 && !r->lines.ended)
            return 0;
    }
    return 1;
}

/* A row that needs the parser: from `at` to its end, over as many lines as its quotes span. A line that is longer than the
 * window goes to it in pieces, all but the last byte of each: that may be a CR whose LF is still to come. */
static int read_quoted(struct csvrows *r, uint64_t first_line, struct err *e)
{
    struct line line;

    r->complete = false;
    buf_reset(&r->text);
    while (!r->complete) {
        int whole = find_line(r, &line, e);
        if (whole < 0)
            return -1;
        if (whole > 0 && r->lines.at == r->lines.end) {
            if (csvparse_end(&r->parser) != 0)
                return bad_quote(r, first_line, true, e);
            break;
        }
        size_t n = whole > 0 ? line.next - r->lines.at : r->lines.end - r->lines.at - 1;
        if (csvparse_feed(&r->parser, r->lines.text + r->lines.at, n) != n)
            return csvparse_no_memory(&r->parser) ? err_oom(e) : bad_quote(r, first_line, false, e);
        csvparse_limit(&r->parser, r->row_max);
        r->lines.at += n;
        r->lines.done += (uint64_t)whole;
    }
    const char *p = r->text.p;
    for (size_t i = 0; i < r->cells_n; i++) {
        r->cells[i].p = p != NULL ? p : "";
        p = p != NULL ? p + r->cells[i].n : NULL;
    }
    return 0;
}

static void row_clear(struct csvrows *r)
{
    r->cells_n = r->wide = 0;
    r->too_long = r->lost = false;
}

/* Nothing but blanks in any cell: what spreadsheets write of rows that look empty. The first byte decides for most rows. */
static bool row_is_blank(const struct csvrows *r)
{
    for (size_t i = 0; i < r->cells_n; i++) {
        const struct cell *cell = &r->cells[i];
        if (cell->n > 0 && ((unsigned char)cell->p[0] - 0x21u < 0x5Eu || str_trim((struct str){cell->p, cell->n}).n > 0))
            return false;
    }
    return r->wide == r->cells_n && !r->too_long;
}

/* Reads the row at `at` into `cells`. 1, 0 at the end, -1. */
static int csvrows_read_row(struct csvrows *r, uint64_t *first_line, struct err *e)
{
    do {
        struct line line;
        int whole = find_line(r, &line, e);
        if (whole < 0)
            return -1;
        if (r->lines.at == r->lines.end)
            return 0;
        *first_line = r->lines.done + 1;
        row_clear(r);
        /* A line longer than a row may be is for the parser, too, where it is cut. */
        if (whole > 0 && line.n <= r->row_max && split_line(r, line.p, line.p + line.n)) {
            r->lines.at = line.next;
            r->lines.done++;
        } else {
            row_clear(r);
            if (read_quoted(r, *first_line, e) != 0)
                return -1;
        }
        if (r->no_memory)
            return err_oom(e);
    } while (row_is_blank(r)); /* it does not count as a row, but its lines count */
    return 1;
}

int csvrows_read_first(struct csvrows *r, uint64_t *line, struct err *e)
{
    int got = csvrows_read_row(r, line, e);

    if (got > 0 && delimiter_is_note(r->cells, r->cells_n))
        return csvrows_read_row(r, line, e);
    while (got > 0 && r->notes_above && r->cells_n == 1)
        got = csvrows_read_row(r, line, e);
    return got;
}

bool csvrows_mark_not_utf8(struct csvrows *r)
{
    bool any = false;

    for (size_t i = 0; i < r->cells_n; i++) {
        if (text_is_utf8((struct str){r->cells[i].p, r->cells[i].n}))
            continue;
        r->flaws[i] = REASON_NOT_UTF8;
        any = true;
    }
    return any;
}

/* A quote that does not belong there has swallowed the rows up to the line that was read last. */
static int swallowed(struct csvrows *r, uint64_t first_line, struct err *e)
{
    return err_set(e, XS_SOURCE,
                   "%s:%" PRIu64 ": a quote in the row that starts here swallowed everything up to line %" PRIu64
                   "; close it, or double it if it is part of the text",
                   r->in->label, first_line, r->lines.done);
}

static int judge(struct csvrows *r, uint64_t first_line, struct row *out, struct err *e)
{
    bool over_lines = r->lines.done > first_line;
    size_t wide = r->wide <= r->columns.n ? returned_width(&r->returned, &r->columns, r->cells, r->cells_n) : r->wide;

    out->defect = REASON_NONE;
    if (wide != r->columns.n)
        out->defect = REASON_RAGGED_ROW;
    out->found = wide == r->wide || wide == r->columns.n ? 0 : wide > 0 ? wide : 1;
    if ((r->rows_judged_alone && csvrows_mark_not_utf8(r)) || r->too_long)
        out->flaws = r->flaws;
    if (over_lines && !r->embedded_rows && csvdialect_embeds_rows(r->cells, r->cells_n, r->columns.n, r->delimiter))
        return err_set(e, XS_SOURCE,
                       "%s:%" PRIu64 ": a quoted cell of the row that starts here holds whole rows, up to line %" PRIu64
                       ": remove the quote that swallowed them, or double it; if they belong to the cell, set "
                       "embedded_rows: allow (or --embedded-rows allow)",
                       r->in->label, first_line, r->lines.done);
    if (r->number == 1 && r->columns.n > 1 && csvdialect_single_quotes(r->cells, r->cells_n) > 1)
        return err_set(e, XS_SOURCE,
                       "%s:%" PRIu64 ": the cells stand in single quotes, which are characters in CSV; export with "
                       "double quotes",
                       r->in->label, first_line);
    if (!r->too_long)
        return 1;
    /* Far too long, of the wrong shape, and over line ends, or longer than any row: that was no cell. */
    if (over_lines && (out->defect == REASON_RAGGED_ROW || (r->lost && !r->embedded_rows)))
        return swallowed(r, first_line, e);
    if (out->defect == REASON_RAGGED_ROW)
        out->defect = REASON_FIELD_TOO_LONG;
    return 1;
}

static void report_tail(const struct csvrows *r)
{
    struct buf name = BUF_INIT(1024);
    const bool tab = r->tail.c == '\t';

    if (text_show(r->columns.list[r->columns.n - 1].name, 40, &name) != 0)
        buf_reset(&name);
    log_warning("%s: column \"%.*s\" ends with %zu \"%s\" in each of the first %" PRIu64
                " rows: an extra delimiter is part of the value; export the file again, or remove it with "
                "apply: [{replace: ['[%s]+$', '']}]",
                r->in->label, STR_ARG(buf_str(&name)), r->tail.n, delimiter_text(r->tail.c), r->number,
                tab ? "\\t" : delimiter_text(r->tail.c));
    buf_free(&name);
}

/* After a row, or at the `end`. One row that ends in one delimiter says nothing. */
static void look_at_tail(struct csvrows *r, bool end)
{
    struct csvrows_tail *tail = &r->tail;

    if (!end) {
        struct str found = csvdialect_tail(r->cells, r->cells_n, r->delimiter);
        bool same = r->number == 1 || (found.n == tail->n && found.n > 0 && *found.p == tail->c);
        if (found.n == 0 || !same || r->wide != r->columns.n) {
            tail->over = true;
            return;
        }
        tail->n = found.n;
        tail->c = *found.p;
        if (r->number < CSVROWS_TAIL_ROWS)
            return;
    }
    tail->over = true;
    if (tail->n + r->number > 2)
        report_tail(r);
}

int csvrows_next(struct csvrows *r, struct row *out, struct err *e)
{
    uint64_t first_line = 0;

    if (r->failed)
        return err_set(e, XS_SOURCE, "%s: read again after an error", r->in->label);
    int got = 1;
    if (r->held)
        first_line = r->held_line;
    else
        got = r->headless ? csvrows_read_first(r, &first_line, e) : csvrows_read_row(r, &first_line, e);
    r->held = r->headless = false;
    if (got > 0) {
        *out = (struct row){.number = ++r->number, .line = first_line, .cells = r->cells, .n = r->cells_n};
        got = judge(r, first_line, out, e);
    }
    if (!r->tail.over && got >= 0)
        look_at_tail(r, got == 0);
    r->failed = got < 0;
    return got;
}

bool csvrows_is_open(const struct csvrows *r)
{
    const struct csvlines *l = &r->lines;

    return l->ended && l->at == l->end && l->end > 0 && l->text[l->end - 1] != '\n' && l->text[l->end - 1] != '\r';
}

void csvrows_free(struct csvrows *r)
{
    if (r == NULL)
        return;
    csvparse_free(&r->parser);
    csvlines_free(&r->lines);
    buf_free(&r->text);
    free(r->cells);
    free(r->flaws);
    columns_free(&r->columns);
    free(r);
}

const struct column *csvrows_columns(const struct csvrows *r, size_t *n)
{
    *n = r->columns.n;
    return r->columns.list;
}

char csvrows_delimiter(const struct csvrows *r)
{
    return r->delimiter;
}

const char *csvrows_assumed(const struct csvrows *r)
{
    const struct charset_guess *g = decoder_guess(r->lines.decoder);

    return g != NULL ? g->name : NULL;
}
