#include "config.h"

#include "connectors/csv/csvdialect.h"

#include <string.h>

enum { WHOLE_LINES_MIN = 2 };

static bool has_address(struct str text)
{
    return text.n > 0 && memchr(text.p, '@', text.n) != NULL;
}

static bool has_line_end(const struct cell *cell)
{
    return cell->n > 0 && (memchr(cell->p, '\n', cell->n) != NULL || memchr(cell->p, '\r', cell->n) != NULL);
}

/* Takes the next line off `rest`, without its end. */
static struct str next_line(struct str *rest)
{
    size_t n = 0;

    while (n < rest->n && rest->p[n] != '\n' && rest->p[n] != '\r')
        n++;
    struct str line = {rest->p, n};
    n += n < rest->n;
    rest->p += n;
    rest->n -= n;
    return line;
}

/* As many cells as columns, and an address in cell `at` (SIZE_MAX: in any, if `needs_address`). */
static bool is_whole_row(struct str line, size_t columns_n, char delimiter, size_t at, bool needs_address)
{
    size_t cells = 0;
    bool found = false;

    for (const char *p = line.p, *end = line.p + line.n;; cells++) {
        const char *stop = memchr(p, delimiter, (size_t)(end - p));
        if (stop == NULL)
            stop = end;
        found |= (at == SIZE_MAX || at == cells) && has_address((struct str){p, (size_t)(stop - p)});
        if (stop == end)
            break;
        p = stop + 1;
    }
    return cells + 1 == columns_n && (found || !needs_address);
}

bool csvdialect_embeds_rows(const struct cell *cells, size_t n, size_t columns_n, char delimiter)
{
    size_t at = SIZE_MAX;

    if (columns_n < 2)
        return false; /* each line of a note is a row of one column */
    for (size_t i = 0; i < n && at == SIZE_MAX; i++)
        if (!has_line_end(&cells[i]) && has_address((struct str){cells[i].p, cells[i].n}))
            at = i;
    for (size_t i = 0; i < n; i++) {
        struct str rest = {cells[i].p, cells[i].n};
        size_t whole = 0;
        if (!has_line_end(&cells[i]))
            continue;
        while (rest.n > 0 && whole < WHOLE_LINES_MIN)
            whole += is_whole_row(next_line(&rest), columns_n, delimiter, at, at != SIZE_MAX || columns_n == 2);
        if (whole == WHOLE_LINES_MIN)
            return true;
    }
    return false;
}

size_t csvdialect_single_quotes(const struct cell *cells, size_t n)
{
    size_t quoted = 0;
    bool open = false;

    for (size_t i = 0; i < n; i++) {
        struct str cell = str_trim((struct str){cells[i].p, cells[i].n});
        bool opens = !open && cell.n > 0 && cell.p[0] == '\'';
        if (!open && !opens && cell.n > 0)
            return 0;
        open |= opens;
        if (open && cell.n > (size_t)opens && cell.p[cell.n - 1] == '\'') {
            open = false;
            quoted++;
        }
    }
    return open ? 0 : quoted;
}

static size_t count(struct str text, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == c;
    return n;
}

/* "…" from end to end, with no quote inside that is not doubled. */
static bool is_one_quoted(struct str line)
{
    if (line.n < 2 || line.p[0] != '"' || line.p[line.n - 1] != '"')
        return false;
    for (size_t i = 1; i + 1 < line.n; i++) {
        if (line.p[i] != '"')
            continue;
        if (i + 2 >= line.n || line.p[i + 1] != '"')
            return false;
        i++;
    }
    return true;
}

bool csvdialect_rows_quoted(struct str sample, bool whole, struct str header)
{
    char delimiter = '\0';
    size_t inside = 0, lines = 0, addresses = 0;

    for (size_t i = 0; i < header.n && delimiter == '\0'; i++)
        if (delimiter_text(header.p[i]) != NULL)
            delimiter = header.p[i];
    if (delimiter == '\0')
        return false;
    inside = count(header, delimiter);
    while (sample.n > 0) {
        struct str line = next_line(&sample);
        struct str text = str_trim(line);
        if (text.n == 0 || (sample.n == 0 && !whole))
            continue;
        if (!is_one_quoted(text) || count(text, delimiter) < inside)
            return false;
        lines++;
        addresses += has_address(text);
    }
    return lines > 0 && addresses > 0;
}

struct str csvdialect_tail(const struct cell *cells, size_t n, char delimiter)
{
    struct str last = n > 0 ? (struct str){cells[n - 1].p, cells[n - 1].n} : STR_NONE;
    size_t tail = 0;

    if (last.n == 0 || last.p[last.n - 1] == delimiter || delimiter_text(last.p[last.n - 1]) == NULL)
        return STR_NONE;
    while (tail < last.n && last.p[last.n - 1 - tail] == last.p[last.n - 1])
        tail++;
    return (struct str){last.p + last.n - tail, tail};
}
