/* Every candidate reads the sample with the parser that will read the file, so that a comma inside quotes, or a
 * semicolon beside them, cannot mislead. The header has the last word: a delimiter that does not split it, or splits it
 * into another number of columns than the rows, is not taken on trust. */
#include "config.h"

#include "connectors/csv/delimiter.h"

#include "connectors/columns.h"
#include "connectors/csv/csvparse.h"
#include "sync/base/buf.h"
#include "sync/base/text.h"

#include <string.h>

static const struct {
    char c;
    const char *text, *shown; /* in a mapping, in a sentence */
} candidate_table[] = {{',', ",", "\",\""}, {';', ";", "\";\""}, {'\t', "tab", "a tab"}, {'|', "|", "\"|\""}};

enum { CANDIDATES_N = sizeof candidate_table / sizeof candidate_table[0], SHOWN_WIDTH = 40, PARSER_BLOCK = 4096 };

#define NOTE "sep="
#define LINKEDIN_NOTES "Notes:"

/* How the sample looks through one delimiter. */
struct view {
    size_t cells;    /* of the row being read */
    size_t filled;   /* of them, those that are not blank */
    size_t columns;  /* of the header, or as listed in the mapping */
    size_t named;    /* of the header's, those with a name */
    size_t rows;     /* without the header */
    size_t matching; /* of them, those as wide as the header */
    size_t split;    /* of them, those with more than one cell */
    bool has_header; /* `columns` is known */
    bool broken;     /* quotes make no sense this way */
};

static void count_cell(void *cell, size_t n, void *arg)
{
    struct view *v = arg;

    v->cells++;
    v->filled += str_trim((struct str){cell, n}).n > 0;
}

/* A row of nothing but blanks is none. */
static void count_row(int end, void *arg)
{
    struct view *v = arg;

    (void)end;
    if (v->filled > 0 && v->has_header) {
        v->rows++;
        v->matching += v->cells == v->columns;
        v->split += v->cells > 1;
    } else if (v->filled > 0) {
        v->columns = v->cells;
        v->named = v->filled;
        v->has_header = true;
    }
    v->cells = v->filled = 0;
}

static int start(struct csvparse *parser, char delimiter, void (*on_cell)(void *, size_t, void *),
                 void (*on_row)(int, void *), void *arg)
{
    return csvparse_init(parser, delimiter, PARSER_BLOCK, on_cell, on_row, arg);
}

static int look(struct str sample, bool whole, size_t names_n, char delimiter, struct view *v, struct err *e)
{
    struct csvparse parser;

    *v = (struct view){.columns = names_n, .named = names_n, .has_header = names_n > 0};
    if (start(&parser, delimiter, count_cell, count_row, v) != 0)
        return err_oom(e);
    bool short_of_memory = false;
    if (csvparse_feed(&parser, sample.p, sample.n) != sample.n) {
        short_of_memory = csvparse_no_memory(&parser);
        v->broken = true;
    } else if (whole) {
        v->broken = csvparse_end(&parser) != 0;
    } else if (!v->has_header) {
        v->columns = v->named = v->cells + 1; /* a header wider than the sample */
    }
    csvparse_free(&parser);
    return short_of_memory ? err_oom(e) : 0;
}

/* Do header and rows tell the same story? Half of the rows may be ragged; without rows the header stands alone. */
static bool agrees(const struct view *v)
{
    return v->columns > 1 && v->matching * 2 >= v->rows;
}

/* The only delimiter of the header: does it split the rows, too, if unevenly? Ragged rows are their own matter, and so are
 * the lines below a short report, as long as nothing else splits more of them than it. */
static bool fits_alone(const struct view views[CANDIDATES_N], size_t only)
{
    const struct view *v = &views[only];

    if (v->split * 2 >= v->rows)
        return true;
    for (size_t i = 0; i < CANDIDATES_N; i++)
        if (i != only && !views[i].broken && views[i].split >= v->split)
            return false;
    return v->matching > 0;
}

/* Says what each delimiter would make of the header, so that the answer is easy. */
static int ask(const struct view views[CANDIDATES_N], const char *label, struct err *e)
{
    struct buf text = BUF_INIT(256);
    int bad = 0;

    for (size_t i = 0; i < CANDIDATES_N; i++)
        if (views[i].columns > 1)
            bad |= buf_addf(&text, "%s %s makes %zu", text.n > 0 ? "," : "", candidate_table[i].shown, views[i].columns);
    err_set(e, XS_CONFIG,
            "%s: the delimiter is unclear:%.*s of the first line; set delimiter: "
            "(or --delimiter) to one of \",\" \";\" \"|\" or tab",
            label, bad == 0 ? (int)text.n : 0, bad == 0 && text.n > 0 ? text.p : "");
    buf_free(&text);
    return -1;
}

static void count_only(int end, void *arg)
{
    struct view *v = arg;

    (void)end;
    v->rows++;
    v->columns = v->cells;
    v->cells = 0;
}

static bool ends_line(struct str s, size_t at)
{
    return s.p[at] == '\n' || (s.p[at] == '\r' && (at + 1 == s.n || s.p[at + 1] != '\n'));
}

/* The line on which the first row starts that the delimiter splits; there is one, 0: out of memory. Fed by lines, so that
 * rows have one. */
static size_t first_split_line(struct str sample, char delimiter)
{
    struct csvparse parser;
    struct view v = {0};
    size_t line = 1, start_line = 1, found = 0;
    bool inside = false; /* a row that began on an earlier line */

    if (start(&parser, delimiter, count_cell, count_only, &v) != 0)
        return 0;
    for (size_t at = 0, n; at < sample.n && found == 0; at += n, line++) {
        size_t rows = v.rows;
        bool blank = sample.p[at] == '\n' || sample.p[at] == '\r';
        for (n = 1; at + n < sample.n && !ends_line(sample, at + n - 1); n++)
            continue;
        if (csvparse_feed(&parser, sample.p + at, n) != n)
            break;
        if (at + n == sample.n) /* the last line may lack its end */
            (void)csvparse_end(&parser);
        if (v.rows > rows && v.columns > 1)
            found = start_line;
        inside = v.rows == rows && (inside || !blank);
        if (!inside)
            start_line = line + 1;
    }
    csvparse_free(&parser);
    return found;
}

static struct str first_line(struct str sample)
{
    size_t n = 0;

    while (n < sample.n && sample.p[n] != '\n' && sample.p[n] != '\r')
        n++;
    return (struct str){sample.p, n};
}

bool delimiter_notes_above(struct str sample, bool whole, char delimiter)
{
    struct err e = ERR_INIT;
    struct view v = {0};

    bool notes = str_is(first_line(sample), LINKEDIN_NOTES) && look(sample, whole, 0, delimiter, &v, &e) == 0 && !v.broken &&
                 v.split > 0 && v.split * 2 >= v.rows;
    err_clear(&e);
    return notes;
}

/* No candidate splits the header: a file of one column, unless its rows say otherwise. Exports like to put a title or
 * notes above the header. Only those of LinkedIn are known well enough to be passed over. */
static int one_column(const struct view views[CANDIDATES_N], struct str sample, bool whole, const char *label, char *out,
                      struct err *e)
{
    for (size_t i = 0; i < CANDIDATES_N; i++)
        if (delimiter_notes_above(sample, whole, candidate_table[i].c)) {
            *out = candidate_table[i].c;
            return 0;
        }
    for (size_t i = 0; i < CANDIDATES_N; i++) {
        if (views[i].broken || views[i].split * 2 <= views[i].rows)
            continue;
        struct buf text = BUF_INIT(1024);
        if (text_show(first_line(sample), SHOWN_WIDTH, &text) != 0)
            buf_reset(&text);
        size_t line = first_split_line(sample, candidate_table[i].c);
        if (line == 0)
            err_oom(e);
        else
            err_set(e, XS_CONFIG,
                    "%s: the first line, '%.*s', is one column, yet %s splits most rows; the header seems to be "
                    "line %zu: remove the lines above it (as with: tail -n +%zu), or set delimiter: (or --delimiter)",
                    label, STR_ARG(buf_str(&text)), candidate_table[i].shown, line, line);
        buf_free(&text);
        return -1;
    }
    *out = ',';
    return 0;
}

/* The delimiter that the first line names, as Excel would have it; 0: it names none. */
static char delimiter_noted(struct str sample)
{
    size_t n = strlen(NOTE);

    if (sample.n <= n + 1 || !str_eq_nocase((struct str){sample.p, n}, STR(NOTE)) ||
        (sample.p[n + 1] != '\n' && sample.p[n + 1] != '\r'))
        return 0;
    return delimiter_text(sample.p[n]) != NULL ? sample.p[n] : 0;
}

bool delimiter_is_note(const struct cell *cells, size_t n)
{
    struct str first = n > 0 ? (struct str){cells[0].p, cells[0].n} : STR_NONE;

    /* "sep=" and an empty cell where the delimiter is the one it names, else "sep=;" in one piece. */
    if (n == 2 && cells[1].n == 0)
        return str_eq_nocase(first, STR(NOTE));
    return n == 1 && first.n == strlen(NOTE) + 1 && str_eq_nocase((struct str){first.p, first.n - 1}, STR(NOTE)) &&
           delimiter_text(first.p[first.n - 1]) != NULL;
}

/* The first row of a sample, held against names that are known. */
struct header_view {
    struct columns_header look;
    bool filled; /* some cell of the row is not blank */
    bool over;   /* the first row is */
};

static void look_at_name(void *cell, size_t n, void *arg)
{
    struct header_view *v = arg;

    if (v->over)
        return;
    v->filled |= str_trim((struct str){cell, n}).n > 0;
    columns_header_cell(&v->look, (struct str){cell, n});
}

static void end_first_row(int end, void *arg)
{
    struct header_view *v = arg;

    (void)end;
    v->over |= v->filled;
    if (!v->over)
        v->look = (struct columns_header){.names = v->look.names, .n = v->look.n};
}

/* A line at a time, so that only the header is read. */
static int look_for_header(struct str sample, bool whole, char delimiter, struct header_view *v, struct err *e)
{
    struct csvparse parser;
    bool sound = true;

    if (start(&parser, delimiter, look_at_name, end_first_row, v) != 0)
        return err_oom(e);
    for (size_t at = 0, n; at < sample.n && sound && !v->over; at += n) {
        for (n = 1; at + n < sample.n && sample.p[at + n - 1] != '\n' && sample.p[at + n - 1] != '\r'; n++)
            continue;
        sound = csvparse_feed(&parser, sample.p + at, n) == n;
    }
    if (sound && !v->over && whole)
        sound = csvparse_end(&parser) == 0;
    bool short_of_memory = !sound && csvparse_no_memory(&parser);
    csvparse_free(&parser);
    v->over &= sound;
    return short_of_memory ? err_oom(e) : 0;
}

int delimiter_find_header(struct str sample, bool whole, const struct str *names, size_t n, char *out, struct err *e)
{
    *out = 0;
    for (size_t i = 0; i < CANDIDATES_N && *out == 0; i++) {
        struct header_view v = {.look = {.names = names, .n = n}};
        if (look_for_header(sample, whole, candidate_table[i].c, &v, e) != 0)
            return -1;
        if (v.over && columns_header_is(&v.look))
            *out = candidate_table[i].c;
    }
    return 0;
}

int delimiter_find(struct str sample, bool whole, size_t names_n, const char *label, char *out, struct err *e)
{
    struct view views[CANDIDATES_N];
    char note = delimiter_noted(sample);
    size_t splitting = 0, sound = 0, named = 0, agreeing = 0, only_splitting = 0, only_agreeing = 0, rows = 0;

    if (note != 0) {
        *out = note;
        return 0;
    }
    for (size_t i = 0; i < CANDIDATES_N; i++) {
        if (look(sample, whole, names_n, candidate_table[i].c, &views[i], e) != 0)
            return -1;
        sound += !views[i].broken && views[i].columns > 1;
        named += views[i].columns > 1 && views[i].named > 1;
        rows += views[i].rows;
    }
    if (names_n > 0 && rows == 0) { /* nothing to be split */
        *out = ',';
        return 0;
    }
    for (size_t i = 0; i < CANDIDATES_N; i++) {
        const struct view *v = &views[i];
        /* Quotes that make no sense rule a candidate out as long as they make sense to another; and so does a header of one
         * name, with empty columns beside it, as long as there are more names by another. */
        if (v->columns <= 1 || (v->broken && sound > 0) || (v->named <= 1 && named > 0))
            continue;
        splitting++;
        only_splitting = i;
        if (agrees(v)) {
            agreeing++;
            only_agreeing = i;
        }
    }
    if (splitting == 0)
        return one_column(views, sample, whole, label, out, e);
    if (agreeing == 1) {
        *out = candidate_table[only_agreeing].c;
        return 0;
    }
    /* Nothing else splits the header. */
    if (agreeing == 0 && splitting == 1 && fits_alone(views, only_splitting)) {
        *out = candidate_table[only_splitting].c;
        return 0;
    }
    return ask(views, label, e);
}

int delimiter_find_other(struct str sample, bool whole, size_t names_n, const char *label, char *delimiter, struct err *e)
{
    struct err none = ERR_INIT;
    struct view v;
    char found = 0;

    if (look(sample, whole, 0, *delimiter, &v, e) != 0)
        return -1;
    if (v.columns > 1)
        return 0;
    if (delimiter_find(sample, whole, names_n, label, &found, &none) != 0) {
        if (none.status != XS_CONFIG)
            return err_take(e, &none);
        err_clear(&none);
        return 0;
    }
    /* One column whatever divides it is what the mapping says it is, too. */
    if (look(sample, whole, 0, found, &v, e) != 0)
        return -1;
    if (v.columns > 1 || delimiter_noted(sample) != 0)
        *delimiter = found;
    return 0;
}

const char *delimiter_text(char delimiter)
{
    for (size_t i = 0; i < CANDIDATES_N; i++) {
        if (candidate_table[i].c == delimiter)
            return candidate_table[i].text;
    }
    return NULL;
}
