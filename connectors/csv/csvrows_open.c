/* Before the first data row: the delimiter, the header, and whether the file is quoted as CSV is. */
#include "config.h"

#include "connectors/csv/csvrows_int.h"

#include "connectors/csv/csvdialect.h"
#include "sync/base/log.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    SAMPLE_WANTED = 64 * 1024, /* decoded bytes that the delimiter is found in */
    FIELD_BLOCK = 64 * 1024,   /* the parser's buffer of a cell grows by so much */
};

/* After the row that was read last, which starts on `line`. */
static int name_columns(struct csvrows *r, uint64_t line, struct err *e)
{
    struct str *names = malloc(r->cells_n * sizeof *names);
    struct buf label = BUF_INIT(1 << 20);
    int status = -1;

    if (names == NULL || buf_addf(&label, "%s:%" PRIu64, r->in->label, line) != 0) {
        err_oom(e);
        goto done;
    }
    for (size_t i = 0; i < r->cells_n; i++)
        names[i] = (struct str){r->cells[i].p, r->cells[i].n};
    status = columns_set(&r->columns, names, NULL, r->cells_n, buf_cstr(&label), NULL, e);
done:
    buf_free(&label);
    free(names);
    return status;
}

/* Fills the window with what a look at the first rows needs. */
static int read_sample(struct csvrows *r, struct err *e)
{
    int more = 1;

    while (more > 0 && r->lines.end - r->lines.at < SAMPLE_WANTED) {
        struct err later = ERR_INIT;
        more = csvlines_fill(&r->lines, &later);
        /* Bad bytes further on come up again where they are, with their line, once the rows before them were read. */
        if (more < 0 && (later.status != XS_SOURCE || r->lines.end == 0))
            return err_take(e, &later);
        err_clear(&later);
    }
    return 0;
}

/* A header that shows that the quotes of the file are not those of CSV. After name_columns(): the window may move. */
static int judge_quotes(struct csvrows *r, uint64_t line, struct err *e)
{
    struct str name = r->columns.list[0].name;
    bool divided = false;

    if (csvdialect_single_quotes(r->cells, r->cells_n) > 0)
        return err_set(e, XS_SOURCE,
                       "%s:%" PRIu64 ": the names stand in single quotes, which are characters in CSV; export with "
                       "double quotes",
                       r->in->label, line);
    for (size_t i = 0; i < name.n; i++)
        divided |= delimiter_text(name.p[i]) != NULL;
    if (r->columns.n > 1 || !divided)
        return 0;
    if (read_sample(r, e) != 0)
        return -1;
    if (csvdialect_rows_quoted((struct str){r->lines.text + r->lines.at, r->lines.end - r->lines.at}, r->lines.ended, name))
        return err_set(e, XS_SOURCE,
                       "%s:%" PRIu64 ": each line is one cell in quotes, with the delimiters inside; take off the quotes "
                       "around the lines, as with: sed 's/^\"//; s/\"\\r*$//; s/\"\"/\"/g'",
                       r->in->label, line);
    return 0;
}

static int read_header(struct csvrows *r, bool silent, struct err *e)
{
    uint64_t line = 0;
    int got = csvrows_read_first(r, &line, e);

    if (got < 0)
        return -1;
    if (got == 0)
        return err_set(e, XS_SOURCE,
                       "%s: has no header: nothing but blank lines; set header: to a list of names if there is "
                       "none",
                       r->in->label);
    if (r->wide > CSVROWS_COLUMNS_MAX || r->too_long)
        return err_set(e, XS_SOURCE, "%s:%" PRIu64 ": no header: %zu columns, or a name of more than %zu bytes",
                       r->in->label, line, r->wide, r->field_max);
    if (r->rows_judged_alone && csvrows_mark_not_utf8(r))
        return err_set(e, XS_SOURCE, "%s:%" PRIu64 ": the header is not UTF-8", r->in->label, line);
    if (r->notes_above && !silent)
        log_notice("%s: the header is line %" PRIu64 "; the notes above it are ignored", r->in->label, line);
    return name_columns(r, line, e) != 0 ? -1 : judge_quotes(r, line, e);
}

/* The mapping has the names. If the file may still have a header, the first row decides. */
static int read_without_header(struct csvrows *r, const struct csvrows_format *format, struct err *e)
{
    struct columns_header look = {.names = format->names, .n = format->names_n};

    r->headless = true;
    if (columns_set(&r->columns, format->names, NULL, format->names_n, r->in->label,
                    "give each a name of its own in header:", e) != 0)
        return -1;
    if (!format->header_may_stand)
        return 0;
    int got = csvrows_read_first(r, &r->held_line, e);
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
        log_notice("%s: the delimiter is \"%s\", not \"%s\", and is used as such", r->in->label,
                   delimiter_text(r->delimiter), delimiter_text(named));
    return 0;
}

static int find_delimiter(struct csvrows *r, const struct csvrows_format *format, struct err *e)
{
    size_t names_n = format->header ? 0 : format->names_n;

    if (read_sample(r, e) != 0)
        return -1;
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
    r->notes_above = format->header && delimiter_notes_above(sample, r->lines.ended, found);
    return take_delimiter(r, found);
}

int csvrows_new(struct input *in, const struct csvrows_format *format, struct csvrows **out, struct err *e)
{
    struct csvrows *r = calloc(1, sizeof *r);
    const struct decode_spec decode = {.encoding = format->encoding,
                                       .uncertain_is_fine = format->uncertain_encoding,
                                       .bytes_as_they_are = format->rows_judged_alone};

    *out = NULL;
    if (r == NULL)
        return err_oom(e);
    r->in = in;
    r->delimiter = format->delimiter;
    r->rows_judged_alone = format->rows_judged_alone;
    r->embedded_rows = format->embedded_rows;
    r->field_max = format->field_max;
    r->row_max = format->field_max > CSVROWS_ROW_MIN_MAX / 4 ? format->field_max * 4 : CSVROWS_ROW_MIN_MAX;
    buf_init(&r->text, r->row_max);
    if (csvlines_init(&r->lines, in, &decode, r->row_max, e) != 0)
        goto fail;
    if ((r->delimiter == 0 || format->delimiter_may_differ) && find_delimiter(r, format, e) != 0)
        goto fail;
    if (csvparse_init(&r->parser, r->delimiter, FIELD_BLOCK, csvrows_on_cell, csvrows_on_row, r) != 0) {
        err_oom(e);
        goto fail;
    }
    if ((format->header ? read_header(r, format->silent, e) : read_without_header(r, format, e)) != 0)
        goto fail;
    returned_init(&r->returned, &r->columns);
    r->tail.over = format->silent || columns_is_ours(r->columns.list[r->columns.n - 1].name);
    *out = r;
    return 0;

fail:
    csvrows_free(r);
    return -1;
}
