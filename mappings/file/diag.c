#include "config.h"

#include "mappings/file/diag.h"

#include "sync/base/text.h"

#include <stdarg.h>
#include <string.h>

/* Widths are terminal columns: a line is shown through a window of this size, with the caret inside. */
enum { SHOWN_COLUMNS = 160, VALUE_COLUMNS = 60, MESSAGE_MAX = 8192, OUTPUT_MAX = 1 << 20 };

struct diag {
    size_t at, n;
    const char *text;
    struct diag_line {
        const char *text;
        struct diag_line *next;
    } * help, *help_last;
    struct diag *next;
};

void diags_init(struct diags *d, const char *file, struct str text, struct arena *arena)
{
    *d = (struct diags){.file = file, .text = text, .arena = arena};
}

/* A message in the arena, however long it is; NULL (and d->oom) when memory is short. */
static __attribute__((format(printf, 2, 0))) const char *message(struct diags *d, const char *fmt, va_list ap)
{
    struct buf b = BUF_INIT(MESSAGE_MAX);
    const char *kept = NULL;
    if (buf_vaddf(&b, fmt, ap) == 0)
        kept = arena_dup(d->arena, b.p, b.n);
    buf_free(&b);
    if (kept == NULL)
        d->oom = true;
    return kept;
}

/* Sorted by position; mistakes at the same position keep the order in which they were found. */
static void insert(struct diags *d, struct diag *diag)
{
    struct diag **link = &d->first;
    while (*link != NULL && (*link)->at <= diag->at)
        link = &(*link)->next;
    diag->next = *link;
    *link = diag;
}

/* Formats only the mistakes that will be printed: a broken file may have a hundred thousand. */
int diag_add(struct diags *d, size_t at, size_t n, const char *fmt, ...)
{
    d->latest = NULL;
    d->n++;
    if (d->n > DIAG_MAX)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    const char *text = message(d, fmt, ap);
    va_end(ap);
    struct diag *diag = text != NULL ? arena_calloc(d->arena, 1, sizeof *diag) : NULL;
    if (diag == NULL) {
        d->oom = true;
        return -1;
    }
    diag->at = at < d->text.n ? at : d->text.n;
    diag->n = n;
    diag->text = text;
    insert(d, diag);
    d->latest = diag;
    return -1;
}

/* Drops the help of a mistake past the maximum. */
void diag_help(struct diags *d, const char *fmt, ...)
{
    if (d->latest == NULL)
        return;
    va_list ap;
    va_start(ap, fmt);
    const char *text = message(d, fmt, ap);
    va_end(ap);
    struct diag_line *line = text != NULL ? arena_calloc(d->arena, 1, sizeof *line) : NULL;
    if (line == NULL) {
        d->oom = true;
        return;
    }
    line->text = text;
    if (d->latest->help_last != NULL)
        d->latest->help_last->next = line;
    else
        d->latest->help = line;
    d->latest->help_last = line;
}

void diags_select_last(struct diags *d)
{
    d->latest = d->first;
    while (d->latest != NULL && d->latest->next != NULL)
        d->latest = d->latest->next;
}

void diag_nearest(struct diags *d, struct str word, const char *const *candidates, size_t n)
{
    if (d->latest == NULL) /* past DIAG_MAX it is not printed */
        return;
    const char *near = str_nearest(word, candidates, n);
    if (near != NULL) {
        diag_help(d, "did you mean '%s'?", near);
        return;
    }
    struct buf b = BUF_INIT(MESSAGE_MAX / 2);
    for (size_t i = 0; i < n; i++) {
        if (buf_addf(&b, "%s%s", i > 0 ? ", " : "", candidates[i]) != 0)
            break;
    }
    if (b.n > 0)
        diag_help(d, "known are %.*s", STR_ARG(buf_str(&b)));
    buf_free(&b);
}

const char *diag_show(struct diags *d, struct str value)
{
    struct buf b = BUF_INIT(MESSAGE_MAX / 2);
    const char *shown = NULL;
    if (text_show(value, VALUE_COLUMNS, &b) == 0)
        shown = arena_dup(d->arena, b.n > 0 ? b.p : "", b.n);
    buf_free(&b);
    if (shown == NULL)
        d->oom = true;
    return shown != NULL ? shown : "";
}

/* LF, CR and CRLF end a line, because files come from all systems. */
static size_t line_start(struct str text, size_t at)
{
    while (at > 0 && text.p[at - 1] != '\n' && text.p[at - 1] != '\r')
        at--;
    return at;
}

static size_t line_end(struct str text, size_t at)
{
    while (at < text.n && text.p[at] != '\n' && text.p[at] != '\r')
        at++;
    return at;
}

void diag_place(struct str text, size_t at, size_t *line, size_t *column)
{
    size_t lines = 1, start = line_start(text, at);
    for (size_t i = 0; i < start; i++) {
        if (text.p[i] == '\n' || (text.p[i] == '\r' && !(i + 1 < start && text.p[i + 1] == '\n')))
            lines++;
    }
    size_t points = 1;
    for (size_t i = start; i < at; i++) {
        if (((unsigned char)text.p[i] & 0xC0) != 0x80)
            points++;
    }
    *line = lines;
    *column = points;
}

/* Bytes of the code point at p; 1 for what is not UTF-8, so that a broken file can still be shown. */
static size_t point_bytes(const char *p, const char *end)
{
    unsigned char c = (unsigned char)*p;
    size_t n = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    struct str point = {p, n};
    return n <= (size_t)(end - p) && text_is_utf8(point) ? n : 1;
}

/* One code point as it is shown; a tab is an arrow. Returns its columns. */
static size_t show_point(struct str point, struct buf *out, bool *failed)
{
    if (out != NULL) {
        int rc = point.p[0] == '\t' ? buf_adds(out, "\xE2\x86\x92") : text_show(point, 0, out);
        *failed = *failed || rc != 0;
    }
    if (point.p[0] == '\t')
        return 1;
    if (!text_is_utf8(point))
        return 6; /* \x{ff} */
    return text_width(point);
}

/* Where the window begins so that the caret stands in its first three quarters: walks back from the caret, since a line
 * may be as long as the file. */
static size_t window_start(struct str text, size_t start, size_t at)
{
    size_t columns = 0, i = at;
    bool failed = false;
    while (i > start) {
        size_t back = 1;
        while (back < 4 && back < i - start && ((unsigned char)text.p[i - back] & 0xC0) == 0x80)
            back++;
        if (point_bytes(text.p + i - back, text.p + i) != back)
            back = 1;
        columns += show_point((struct str){text.p + i - back, back}, NULL, &failed);
        if (columns > SHOWN_COLUMNS * 3 / 4)
            return i;
        i -= back;
    }
    return start;
}

/* The source line through the window, and the caret line under the span. A long line loses its beginning when the
 * caret would stand outside, and always loses what is past the window. */
static int print_source(const struct diags *d, const struct diag *diag, size_t line, struct buf *out)
{
    size_t start = line_start(d->text, diag->at), end = line_end(d->text, diag->at);
    size_t from = window_start(d->text, start, diag->at);
    bool failed = false, cut = from > start;
    int rc = buf_addf(out, "%5zu | %s", line, cut ? "\xE2\x80\xA6" : "");
    size_t column = cut ? 1 : 0, caret = 0, tail = 0, span = diag->n > 0 ? diag->n : 1;
    for (size_t i = from; i < end && column < SHOWN_COLUMNS;) {
        size_t n = point_bytes(d->text.p + i, d->text.p + end);
        if (i == diag->at)
            caret = column;
        column += show_point((struct str){d->text.p + i, n}, out, &failed);
        if (i >= diag->at && i < diag->at + span)
            tail = column;
        i += n;
        if (column >= SHOWN_COLUMNS && i < end)
            rc |= buf_adds(out, "\xE2\x80\xA6");
    }
    if (diag->at >= end) /* at the end of the line or of the file */
        caret = column;
    rc |= buf_addf(out, "\n      | %*s^", (int)caret, "");
    for (size_t i = caret + 1; i < tail; i++)
        rc |= buf_addc(out, '~');
    return rc != 0 || failed ? -1 : 0;
}

/* Prints the position and the text, the source line with a caret, and a line per help. */
static int print_one(const struct diags *d, const struct diag *diag, struct buf *out)
{
    if (d->file == NULL) { /* an option: one line is all there is to show */
        if (buf_adds(out, diag->text) != 0)
            return -1;
        for (const struct diag_line *h = diag->help; h != NULL; h = h->next) {
            if (buf_addf(out, "; %s", h->text) != 0)
                return -1;
        }
        return 0;
    }
    size_t line, column;
    diag_place(d->text, diag->at, &line, &column);
    if (buf_addf(out, "%s:%zu:%zu: %s\n", d->file, line, column, diag->text) != 0 || print_source(d, diag, line, out) != 0)
        return -1;
    for (const struct diag_line *h = diag->help; h != NULL; h = h->next) {
        if (buf_addf(out, "\n      = help: %s", h->text) != 0)
            return -1;
    }
    return 0;
}

/* If memory was short for a mistake, the print fails, because an incomplete list is worse than none. */
/* Appends all mistakes in the order of the file, without a newline after the last. 0/-1 (memory). */
static int diags_print(const struct diags *d, struct buf *out)
{
    if (d->oom)
        return -1;
    for (const struct diag *diag = d->first; diag != NULL; diag = diag->next) {
        if (print_one(d, diag, out) != 0 || (diag->next != NULL && buf_addc(out, '\n') != 0))
            return -1;
    }
    if (d->n > DIAG_MAX)
        return buf_addf(out, "\n%s: and %zu more mistakes", d->file != NULL ? d->file : "mapping", d->n - DIAG_MAX);
    return 0;
}

int diags_result(const struct diags *d, enum exit_status status, struct err *e)
{
    if (d->n == 0 && !d->oom)
        return 0;
    struct buf b = BUF_INIT(OUTPUT_MAX);
    if (diags_print(d, &b) != 0)
        err_oom(e);
    else
        err_set(e, status, "%.*s", STR_ARG(buf_str(&b)));
    buf_free(&b);
    return -1;
}
