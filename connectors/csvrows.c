/* Two ways to read a row. libcsv is the parser: it gets a physical line at a time, so that the row's line is known
 * without counting inside callbacks. But most lines leave it nothing to decide: where every quote opens or closes a
 * whole cell, cells are what stands between the delimiters, and are handed out where they lie. Tests and a fuzz target
 * hold both ways against each other.
 *
 * libcsv as it is: it trims blanks unless nothing is a blank to it, drops empty lines (it never sees one here), and lets
 * a stray quote eat the file unless it is strict. Its field buffer has no limit, so it is cut back between lines. */
#include "config.h"

#include "connectors/csvrows.h"

#include "connectors/columns.h"
#include "connectors/csvlines.h"
#include "connectors/decode.h"
#include "connectors/delimiter.h"
#include "connectors/returned.h"
#include "sync/base/buf.h"
#include "sync/base/log.h"
#include "sync/base/text.h"

#include <csv.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    SAMPLE_WANTED = 64 * 1024, /* decoded bytes that the delimiter is found in */
    FIELD_BLOCK = 64 * 1024,   /* libcsv's field buffer grows by so much */
};

struct csvrows {
    struct input *in;
    struct csvlines lines;
    char delimiter;
    bool rows_judged_alone, names_unchecked;
    size_t field_max, row_max;
    struct columns columns;
    struct returned returned;

    uint64_t number; /* data rows handed out */
    bool headless;   /* what is read next is the file's first row */
    bool held;       /* the first row was read to see whether it is a header, and is data */
    uint64_t held_line;
    bool failed;

    struct cell *cells;
    uint8_t *flaws;  /* of the cells */
    size_t cells_n, cells_cap;
    struct csv_parser parser;
    struct buf text; /* cells of a quoted row, one behind the other */
    size_t wide;     /* cells counted, also those beyond the limit */
    bool complete;   /* libcsv has seen the row's end */
    bool cut;        /* the cell being read by libcsv has lost bytes */
    bool too_long, no_memory;
};

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

/* Cells of a line in which every quote is the first or the last character of its cell. false: one of them is not. */
static bool split_line(struct csvrows *r, const char *p, const char *end)
{
    const char *quote = quote_from(r, p, end);

    for (;; p++) {
        const char *stop;
        if (quote == p && p < end) {
            const char *closing = quote_from(r, p + 1, end);
            if (closing == end)
                return false;
            stop = closing + 1;
            if (stop < end && *stop != r->delimiter)
                return false;
            cell_add(r, p + 1, (size_t)(closing - p - 1), false);
            quote = quote_from(r, stop, end);
        } else {
            stop = memchr(p, r->delimiter, (size_t)(end - p));
            if (stop == NULL)
                stop = end;
            if (quote < stop)
                return false;
            cell_add(r, p, (size_t)(stop - p), false);
        }
        if (stop == end)
            return true;
        p = stop;
    }
}

/* libcsv's callbacks. The text moves while it grows: cells get their place when the row is complete. */
static void on_cell(void *cell, size_t n, void *arg)
{
    struct csvrows *r = arg;
    bool cut = r->cut || r->text.n + n > r->row_max;

    r->cut = false;
    cell_add(r, NULL, cut ? 0 : n, cut);
    if (!cut && n > 0 && buf_add(&r->text, cell, n) != 0)
        r->no_memory = true;
}

static void on_row(int end, void *arg)
{
    struct csvrows *r = arg;

    (void)end;
    r->complete = true;
}

/* The row that starts on `first_line` has a quote where none may be, or one that is never closed. */
static int bad_quote(struct csvrows *r, uint64_t first_line, bool unclosed, struct err *e)
{
    struct buf column = BUF_INIT(1024);

    if (r->wide < r->columns.n && (buf_adds(&column, " (\"") != 0 ||
        text_show(r->columns.list[r->wide].name, 40, &column) != 0 || buf_adds(&column, "\")") != 0))
        buf_reset(&column);
    if (unclosed)
        err_set(e, XS_SOURCE, "%s:%" PRIu64 ": a quote in cell %zu%.*s of the row that starts here is never closed (seen up to "
                "line %" PRIu64 "); close it, or double it if it is part of the text", r->in->label, first_line, r->wide + 1,
                STR_ARG(buf_str(&column)), r->lines.done);
    else
        err_set(e, XS_SOURCE, "%s:%" PRIu64 ": stray quote in cell %zu%.*s of the row that starts here, met on line %" PRIu64
                "; put the cell in quotes and double the quotes inside it", r->in->label, first_line, r->wide + 1,
                STR_ARG(buf_str(&column)), r->lines.done + 1);
    buf_free(&column);
    return -1;
}

/* What the window shows of the row goes to libcsv: a line with its end, or all but the last byte of one that is longer
 * than the window (that byte may be a CR whose LF is still to come). */
static int feed(struct csvrows *r, uint64_t first_line, struct err *e)
{
    struct line line;
    bool whole = csvlines_find(&r->lines, &line);
    size_t n = whole ? line.next - r->lines.at : r->lines.end - r->lines.at - 1;

    if (csv_parse(&r->parser, r->lines.text + r->lines.at, n, on_cell, on_row, r) != n) {
        if (csv_error(&r->parser) == CSV_ENOMEM)
            return err_oom(e);
        return bad_quote(r, first_line, false, e);
    }
    /* A cell that no row may have: drop its bytes but one, which libcsv may want to take back as the closing quote. */
    if (r->parser.entry_pos > r->row_max) {
        r->parser.entry_pos = 1;
        r->cut = true;
    }
    r->lines.at += n;
    r->lines.done += whole;
    return 0;
}

/* A row that needs a parser: from `at` to its end, over as many lines as its quotes span. */
static int read_quoted(struct csvrows *r, uint64_t first_line, struct err *e)
{
    r->complete = false;
    buf_reset(&r->text);
    while (!r->complete) {
        if (r->lines.end - r->lines.at > 1 || (r->lines.ended && r->lines.at < r->lines.end)) {
            if (feed(r, first_line, e) != 0)
                return -1;
            continue;
        }
        if (csvlines_fill(&r->lines, e) < 0)
            return -1;
        if (!r->lines.ended || r->lines.at < r->lines.end)
            continue;
        if (csv_fini(&r->parser, on_cell, on_row, r) != 0)
            return bad_quote(r, first_line, true, e);
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
    r->too_long = false;
}

/* Reads the row at `at` into `cells`. 1, 0 at the end, -1. */
static int read_row(struct csvrows *r, uint64_t *first_line, struct err *e)
{
    struct line line;

    row_clear(r);
    for (;;) {
        while (!csvlines_find(&r->lines, &line)) {
            int more = csvlines_fill(&r->lines, e);
            if (more < 0)
                return -1;
            if (more == 0 && !r->lines.ended) {
                line.n = SIZE_MAX; /* longer than any row may be: read it piece by piece */
                break;
            }
        }
        if (r->lines.at == r->lines.end)
            return 0;
        *first_line = r->lines.done + 1;
        if (line.n > 0 || r->columns.n == 1)
            break;
        r->lines.done++; /* a line without any character is a line, but no row */
        r->lines.at = line.next;
    }
    /* A line longer than a row may be is for libcsv, too, where it is cut. */
    if (line.n <= r->row_max && split_line(r, line.p, line.p + line.n)) {
        r->lines.at = line.next;
        r->lines.done++;
    } else {
        row_clear(r);
        if (read_quoted(r, *first_line, e) != 0)
            return -1;
    }
    return r->no_memory ? err_oom(e) : 1;
}

/* The first row, but for a note that stands above it. */
static int read_first(struct csvrows *r, uint64_t *line, struct err *e)
{
    int got = read_row(r, line, e);

    return got > 0 && delimiter_is_note(r->cells, r->cells_n) ? read_row(r, line, e) : got;
}

/* Marks the cells that are not UTF-8. true: there is one. */
static bool mark_not_utf8(struct csvrows *r)
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

static int judge(struct csvrows *r, uint64_t first_line, struct row *out, struct err *e)
{
    size_t wide = r->wide == r->columns.n ? returned_width(&r->returned, &r->columns, r->cells) : r->wide;

    out->defect = REASON_NONE;
    if (wide != r->columns.n)
        out->defect = REASON_RAGGED_ROW;
    if ((r->rows_judged_alone && mark_not_utf8(r)) || r->too_long)
        out->flaws = r->flaws;
    if (!r->too_long)
        return 1;
    /* Far too long, of the wrong shape, and over line ends: that was no cell, a quote has swallowed rows. */
    if (out->defect == REASON_RAGGED_ROW && r->lines.done > first_line)
        return err_set(e, XS_SOURCE, "%s:%" PRIu64 ": a quote in the row that starts here swallowed everything up to line %" PRIu64
                       "; close it, or double it if it is part of the text", r->in->label, first_line, r->lines.done);
    if (out->defect == REASON_RAGGED_ROW)
        out->defect = REASON_FIELD_TOO_LONG;
    return 1;
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
        got = r->headless ? read_first(r, &first_line, e) : read_row(r, &first_line, e);
    r->held = r->headless = false;
    if (got > 0) {
        *out = (struct row){.number = ++r->number, .line = first_line, .cells = r->cells, .n = r->cells_n};
        got = judge(r, first_line, out, e);
    }
    r->failed = got < 0;
    return got;
}

/* After the row that was read last, which starts on `line`. */
static int name_columns(struct csvrows *r, uint64_t line, struct err *e)
{
    const char *remedy = r->names_unchecked ? NULL : "mend the header (a delimiter at its end makes a column too), or take away "
                         "what stands above it; if this line is data already, list the names in header: of a mapping";
    struct str *names = malloc(r->cells_n * sizeof *names);
    struct buf label = BUF_INIT(1 << 20);
    int status = -1;

    if (names == NULL || buf_addf(&label, "%s:%" PRIu64, r->in->label, line) != 0) {
        err_oom(e);
        goto done;
    }
    for (size_t i = 0; i < r->cells_n; i++)
        names[i] = (struct str){r->cells[i].p, r->cells[i].n};
    status = columns_set(&r->columns, names, NULL, r->cells_n, buf_cstr(&label), remedy, e);
done:
    buf_free(&label);
    free(names);
    return status;
}

static int read_header(struct csvrows *r, struct err *e)
{
    uint64_t line = 0;
    int got = read_first(r, &line, e);

    if (got < 0)
        return -1;
    if (got == 0)
        return err_set(e, XS_SOURCE, "%s: has no header: nothing but blank lines; set header: to a list of names if there is "
                       "none", r->in->label);
    if (r->wide > CSVROWS_COLUMNS_MAX || r->too_long)
        return err_set(e, XS_SOURCE, "%s:%" PRIu64 ": no header: %zu columns, or a name of more than %zu bytes", r->in->label,
                       line, r->wide, r->field_max);
    if (r->rows_judged_alone && mark_not_utf8(r))
        return err_set(e, XS_SOURCE, "%s:%" PRIu64 ": the header is not UTF-8", r->in->label, line);
    return name_columns(r, line, e);
}

/* The names are the mapping's. Of a file that may have a header all the same, the first row tells. */
static int read_without_header(struct csvrows *r, const struct csvrows_format *format, struct err *e)
{
    struct columns_header look = {.names = format->names, .n = format->names_n};

    r->headless = true;
    if (columns_set(&r->columns, format->names, NULL, format->names_n, r->in->label, "give each a name of its own in header:",
                    e) != 0)
        return -1;
    if (!format->header_may_stand)
        return 0;
    int got = read_first(r, &r->held_line, e);
    if (got < 0)
        return -1;
    r->headless = false;
    for (size_t i = 0; got > 0 && i < r->cells_n; i++)
        columns_header_cell(&look, (struct str){r->cells[i].p, r->cells[i].n});
    if (got > 0 && r->wide == r->cells_n && columns_header_is(&look)) {
        columns_free(&r->columns);
        return name_columns(r, r->held_line, e);
    }
    r->held = got > 0;
    return 0;
}

/* The one in place of the one that the mapping names, if it names any. */
static int take_delimiter(struct csvrows *r, char found)
{
    char named = r->delimiter;

    r->delimiter = found;
    if (named != 0 && found != named)
        log_notice("%s: its columns are divided by \"%s\" and read so, not by \"%s\"", r->in->label,
                   delimiter_text(r->delimiter), delimiter_text(named));
    return 0;
}

static int find_delimiter(struct csvrows *r, const struct csvrows_format *format, struct err *e)
{
    size_t names_n = format->header ? 0 : format->names_n;
    int more = 1;

    while (more > 0 && r->lines.end < SAMPLE_WANTED) {
        struct err later = ERR_INIT;
        more = csvlines_fill(&r->lines, &later);
        /* Bad bytes further on come up again where they are, with their line, once the rows before them were read. */
        bool fatal = more < 0 && (later.status != XS_SOURCE || r->lines.end == 0);
        if (fatal)
            err_set(e, later.status, "%s", err_text(&later));
        err_clear(&later);
        if (fatal)
            return -1;
    }
    struct str sample = {r->lines.text, r->lines.end};
    char found = 0;
    if (names_n > 0 && format->header_may_stand &&
        delimiter_find_header(sample, r->lines.ended, format->names, names_n, &found, e) != 0)
        return -1;
    if (found != 0)
        return take_delimiter(r, found);
    found = r->delimiter;
    if ((found != 0 ? delimiter_find_other : delimiter_find)(sample, r->lines.ended, names_n, r->in->label, &found, e) != 0)
        return -1;
    return take_delimiter(r, found);
}

int csvrows_new(struct input *in, const struct csvrows_format *format, struct csvrows **out, struct err *e)
{
    struct csvrows *r = calloc(1, sizeof *r);
    const struct decode_spec decode = {.encoding = format->encoding, .uncertain_is_fine = format->uncertain_encoding,
                                       .bytes_as_they_are = format->rows_judged_alone};

    *out = NULL;
    if (r == NULL)
        return err_oom(e);
    r->in = in;
    r->delimiter = format->delimiter;
    r->rows_judged_alone = format->rows_judged_alone;
    r->names_unchecked = format->names_unchecked;
    r->field_max = format->field_max;
    r->row_max = format->field_max > CSVROWS_ROW_MIN_MAX / 4 ? format->field_max * 4 : CSVROWS_ROW_MIN_MAX;
    buf_init(&r->text, r->row_max);
    if (csv_init(&r->parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        err_oom(e);
        goto fail;
    }
    if (csvlines_init(&r->lines, in, &decode, r->row_max, e) != 0)
        goto fail;
    if ((r->delimiter == 0 || format->delimiter_may_differ) && find_delimiter(r, format, e) != 0)
        goto fail;
    csv_set_delim(&r->parser, (unsigned char)r->delimiter);
    csv_set_space_func(&r->parser, delimiter_no_space);
    csv_set_blk_size(&r->parser, FIELD_BLOCK);
    if ((format->header ? read_header(r, e) : read_without_header(r, format, e)) != 0)
        goto fail;
    returned_init(&r->returned, &r->columns);
    *out = r;
    return 0;

fail:
    csvrows_free(r);
    return -1;
}

void csvrows_free(struct csvrows *r)
{
    if (r == NULL)
        return;
    csv_free(&r->parser);
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
