/* Fitting is a water level: every left-aligned column keeps what it needs up to one common width, and only what sticks
 * out above that is cut. Right-aligned columns hold numbers, and a cut number is a wrong number: they are never cut. */
#include "config.h"

#include "sync/report/table.h"

#include "sync/base/text.h"

#include <stdint.h>
#include <string.h>

enum { GAP_COLUMNS = 2, LEAST_COLUMNS = 3, NARROW_COLUMNS = 8 };
static const size_t HIDDEN = SIZE_MAX; /* in place of a width */

static const char *const colour_on[] = {
    [TABLE_PLAIN] = "",          [TABLE_DIM] = "\033[2m",  [TABLE_GREEN] = "\033[32m",
    [TABLE_YELLOW] = "\033[33m", [TABLE_RED] = "\033[31m",
};

void table_init(struct table *t, size_t columns_n, const enum table_align *align)
{
    buf_init(&t->text, TABLE_MAX_BYTES);
    buf_init(&t->cells, TABLE_MAX_BYTES);
    t->align = align;
    t->yield = NULL;
    t->columns_n = columns_n;
    t->hide_empty = false;
    t->records_below = 0;
}

void table_free(struct table *t)
{
    buf_free(&t->text);
    buf_free(&t->cells);
}

/* Cells lie in a byte buffer, which has a maximum where an array of our own would need one more mechanism. */
static struct table_cell cell_at(const struct table *t, size_t i)
{
    struct table_cell cell;
    memcpy(&cell, t->cells.p + i * sizeof cell, sizeof cell);
    return cell;
}

static struct str cell_text(const struct table *t, const struct table_cell *cell)
{
    return (struct str){t->text.p + cell->at, cell->n};
}

int table_add(struct table *t, struct str text, enum table_colour colour)
{
    struct table_cell cell = {.at = t->text.n, .colour = colour};
    if (text_show(text, 0, &t->text) != 0)
        return -1;
    cell.n = t->text.n - cell.at;
    cell.width = text_width(cell_text(t, &cell));
    return buf_add(&t->cells, &cell, sizeof cell);
}

static bool is_right(const struct table *t, size_t column)
{
    return t->align != NULL && t->align[column] == TABLE_RIGHT;
}

/* Width of the whole table when no left-aligned column is wider than `level`. */
static size_t width_at_level(const struct table *t, const size_t *natural, size_t level)
{
    size_t sum = 0, n = 0;
    for (size_t c = 0; c < t->columns_n; c++) {
        if (natural[c] == HIDDEN)
            continue;
        sum += is_right(t, c) || natural[c] < level ? natural[c] : level;
        n++;
    }
    return n > 0 ? sum + (n - 1) * GAP_COLUMNS : 0;
}

/* Turns natural widths into shown ones. The width that the cut columns were left, SIZE_MAX when none was cut. */
static size_t fit(const struct table *t, size_t columns, size_t *widths)
{
    size_t widest = 0;
    for (size_t c = 0; c < t->columns_n; c++)
        widest = widths[c] != HIDDEN && widths[c] > widest ? widths[c] : widest;
    if (columns == 0 || width_at_level(t, widths, widest) <= columns)
        return SIZE_MAX;
    size_t low = LEAST_COLUMNS, high = widest;
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        if (width_at_level(t, widths, middle) <= columns)
            low = middle;
        else
            high = middle;
    }
    size_t used = width_at_level(t, widths, low);
    size_t spare = used < columns ? columns - used : 0;
    for (size_t c = 0; c < t->columns_n; c++) {
        if (is_right(t, c) || widths[c] == HIDDEN || widths[c] <= low)
            continue;
        /* What the level leaves over goes to the first cut columns, one each. */
        size_t extra = spare > 0 ? 1 : 0;
        spare -= extra;
        widths[c] = low + extra;
    }
    return used > columns ? 0 : low;
}

static int add_blanks(struct buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (buf_addc(out, ' ') != 0)
            return -1;
    return 0;
}

/* One cell at its width. `blanks` collects what is owed before the next visible character, so that no line ends in
 * blanks. */
static int print_cell(const struct table *t, bool right, const struct table_cell *cell, size_t width, bool colour,
                      size_t *blanks, struct buf *out)
{
    struct str text = cell_text(t, cell);
    size_t shown = cell->width;
    struct buf cut = BUF_INIT(TABLE_MAX_BYTES);
    int rc = -1;

    if (shown > width) {
        if (text_show(text, width, &cut) != 0)
            goto done;
        text = buf_str(&cut);
        shown = text_width(text); /* a wide character may have left one column over */
    }
    size_t pad = width > shown ? width - shown : 0;
    if (right)
        *blanks += pad;
    if (text.n > 0) {
        const char *on = colour ? colour_on[cell->colour] : "";
        if (add_blanks(out, *blanks) != 0 || buf_adds(out, on) != 0 || buf_add(out, text.p, text.n) != 0 ||
            (*on != '\0' && buf_adds(out, "\033[0m") != 0))
            goto done;
        *blanks = 0;
    }
    *blanks += (right ? 0 : pad) + GAP_COLUMNS;
    rc = 0;
done:
    buf_free(&cut);
    return rc;
}

/* The widest cell of each column; HIDDEN where only the header has something to say and that is not enough. */
static void natural_widths(const struct table *t, size_t rows, size_t *widths)
{
    for (size_t c = 0; c < t->columns_n; c++) {
        size_t widest = 0;
        for (size_t row = 1; row < rows; row++) {
            size_t width = cell_at(t, row * t->columns_n + c).width;
            widest = width > widest ? width : widest;
        }
        size_t header = cell_at(t, c).width;
        widths[c] = t->hide_empty && widest == 0 ? HIDDEN : widest > header ? widest : header;
    }
}

/* Width of the table when nothing is cut. */
static size_t whole_width(const struct table *t, const size_t *widths)
{
    return width_at_level(t, widths, SIZE_MAX);
}

static bool table_is_repeated(const struct table *t, size_t column, size_t rows)
{
    struct table_cell first = cell_at(t, t->columns_n + column);
    for (size_t row = 2; row < rows; row++) {
        struct table_cell cell = cell_at(t, row * t->columns_n + column);
        if (!str_eq(cell_text(t, &cell), cell_text(t, &first)))
            return false;
    }
    return rows > 2;
}

/* Takes columns of one kind that are the same in all rows out until the rest fits, and marks them: they are said once. */
static void shed_repeated(const struct table *t, enum table_yield kind, size_t rows, size_t columns, size_t *widths,
                          bool *shed)
{
    for (size_t c = 0; c < t->columns_n && whole_width(t, widths) > columns; c++)
        if (t->yield[c] == kind && widths[c] != HIDDEN && table_is_repeated(t, c, rows)) {
            shed[c] = cell_at(t, t->columns_n + c).n > 0; /* that there is nothing need not be said */
            widths[c] = HIDDEN;
        }
}

static void leave_out(const struct table *t, size_t columns, size_t *widths)
{
    for (size_t c = t->columns_n; c-- > 0 && whole_width(t, widths) > columns;)
        if (t->yield[c] == TABLE_YIELDS)
            widths[c] = HIDDEN;
}

/* How many bytes of the text go on a line, if possible before a blank; *next is where the next line starts. */
static size_t line_bytes(struct str text, size_t width, size_t *next)
{
    size_t fits = text_fitting(text, width), at = fits;
    *next = fits;
    if (fits == text.n)
        return fits;
    while (at > 0 && text.p[at] != ' ')
        at--;
    /* A long word, such as an address, is rather parted than a line left half empty. */
    if (at <= fits / 2)
        return fits;
    for (*next = at; *next < text.n && text.p[*next] == ' ';)
        ++*next;
    while (at > 0 && text.p[at - 1] == ' ')
        at--;
    return at;
}

/* A value as many lines as it needs, the first one after `blanks`, the others after `indent`, and the end of its line. */
static int print_value(const struct table *t, const struct table_cell *cell, size_t indent, size_t width, bool colour,
                       size_t blanks, struct buf *out)
{
    struct str rest = cell_text(t, cell);
    const char *on = colour ? colour_on[cell->colour] : "";
    while (rest.n > 0) {
        size_t next, n = line_bytes(rest, width, &next);
        if (n > 0 && (add_blanks(out, blanks) != 0 || buf_adds(out, on) != 0 || buf_add(out, rest.p, n) != 0 ||
                      (*on != '\0' && buf_adds(out, "\033[0m") != 0)))
            return -1;
        rest = (struct str){rest.p + next, rest.n - next};
        blanks = indent;
        if (rest.n > 0 && buf_addc(out, '\n') != 0)
            return -1;
    }
    return buf_addc(out, '\n');
}

/* "target: campaign "Q4 founders"" for a column that is the same in all rows. */
static int print_shed(const struct table *t, const bool *shed, size_t columns, bool colour, struct buf *out)
{
    for (size_t c = 0; c < t->columns_n; c++) {
        if (!shed[c])
            continue; /* a table of one row has no second one to read */
        struct table_cell name = cell_at(t, c), value = cell_at(t, t->columns_n + c);
        size_t blanks = 0, room = columns > name.width + GAP_COLUMNS + LEAST_COLUMNS ? columns - name.width - GAP_COLUMNS
                                                                                     : LEAST_COLUMNS;
        if (print_cell(t, false, &name, name.width, colour, &blanks, out) != 0 ||
            print_value(t, &value, name.width + GAP_COLUMNS, room, colour, blanks, out) != 0)
            return -1;
    }
    return 0;
}

/* The rows as blocks of lines, for a terminal that is too narrow for the columns. */
static int print_records(const struct table *t, size_t rows, const size_t *widths, size_t columns, bool colour,
                         struct buf *out)
{
    size_t names = 0;
    for (size_t c = 0; c < t->columns_n; c++) {
        size_t width = cell_at(t, c).width;
        names = widths[c] != HIDDEN && width > names ? width : names;
    }
    names = names > columns / 2 ? columns / 2 : names;
    size_t values = columns > names + GAP_COLUMNS + LEAST_COLUMNS ? columns - names - GAP_COLUMNS : LEAST_COLUMNS;
    for (size_t row = 1; row < rows; row++) {
        if (row > 1 && buf_addc(out, '\n') != 0)
            return -1;
        for (size_t c = 0; c < t->columns_n; c++) {
            struct table_cell name = cell_at(t, c), value = cell_at(t, row * t->columns_n + c);
            size_t blanks = 0;
            if (widths[c] == HIDDEN || (t->hide_empty && value.n == 0))
                continue;
            if (print_cell(t, false, &name, names, colour, &blanks, out) != 0 ||
                print_value(t, &value, names + GAP_COLUMNS, values, colour, blanks, out) != 0)
                return -1;
        }
    }
    return 0;
}

/* What is said once is no part of the blocks either. */
static void hide(const struct table *t, const bool *shed, size_t *widths)
{
    for (size_t c = 0; c < t->columns_n; c++)
        widths[c] = shed[c] ? HIDDEN : widths[c];
}

/* Marks the columns whose cells stand below their rows, if the table is too wide. */
static void put_below(const struct table *t, size_t columns, size_t *widths, bool *below)
{
    if (whole_width(t, widths) <= columns)
        return;
    for (size_t c = 0; c < t->columns_n; c++)
        if (t->yield[c] == TABLE_BELOW && widths[c] != HIDDEN) {
            below[c] = true;
            widths[c] = HIDDEN;
        }
}

static bool any(const bool *flags, size_t n)
{
    return memchr(flags, true, n) != NULL;
}

/* Where lines below a row begin. */
static size_t below_indent(const struct table *t, const size_t *widths)
{
    size_t c = 0;
    while (c < t->columns_n && widths[c] == HIDDEN)
        c++;
    return c < t->columns_n && widths[c] <= NARROW_COLUMNS ? widths[c] + GAP_COLUMNS : LEAST_COLUMNS + 1;
}

/* The cells of the row that have no column. They begin on the row's own line if only its first cell is filled. */
static int print_below(const struct table *t, size_t row, const size_t *widths, const bool *below, size_t columns,
                       bool alone, bool colour, struct buf *out)
{
    size_t indent = below_indent(t, widths), room = columns > indent + LEAST_COLUMNS ? columns - indent : LEAST_COLUMNS;
    size_t shown = is_right(t, 0) ? widths[0] : cell_at(t, row * t->columns_n).width;
    for (size_t c = 0; c < t->columns_n; c++) {
        struct table_cell cell = cell_at(t, row * t->columns_n + c);
        if (!below[c] || cell.n == 0)
            continue;
        if (alone)
            out->n--; /* the end of the line */
        if (print_value(t, &cell, indent, room, colour, alone ? indent - shown : indent, out) != 0)
            return -1;
        alone = false;
    }
    return 0;
}

static int print_rows(const struct table *t, size_t rows, const size_t *widths, const bool *below, size_t columns,
                      bool colour, struct buf *out)
{
    for (size_t row = 0; row < rows; row++) {
        size_t blanks = 0, filled = 0;
        for (size_t c = 0; c < t->columns_n; c++) {
            struct table_cell cell = cell_at(t, row * t->columns_n + c);
            if (widths[c] == HIDDEN)
                continue;
            filled += cell.n > 0;
            if (print_cell(t, is_right(t, c), &cell, widths[c], colour, &blanks, out) != 0)
                return -1;
        }
        if (buf_addc(out, '\n') != 0)
            return -1;
        bool alone = filled == 1 && widths[0] <= NARROW_COLUMNS && cell_at(t, row * t->columns_n).n > 0;
        if (row > 0 && print_below(t, row, widths, below, columns, alone, colour, out) != 0)
            return -1;
    }
    return 0;
}

int table_print(const struct table *t, size_t columns, bool colour, struct buf *out)
{
    size_t rows = t->cells.n / sizeof(struct table_cell) / t->columns_n;
    struct buf storage = BUF_INIT(TABLE_MAX_BYTES);
    int rc = -1;

    if (rows == 0)
        return 0;
    if (buf_reserve(&storage, t->columns_n * 2 * (sizeof(size_t) + sizeof(bool))) != 0)
        return -1;
    size_t *widths = (size_t *)(void *)storage.p, *all = widths + t->columns_n; /* fresh from malloc, so aligned */
    bool *shed = (bool *)(void *)(all + t->columns_n), *below = shed + t->columns_n;
    memset(shed, 0, 2 * t->columns_n * sizeof *shed);
    natural_widths(t, rows, widths);
    if (rows == 1 && t->hide_empty) {
        rc = 0; /* every column is empty */
        goto done;
    }
    if (t->yield != NULL && columns > 0)
        shed_repeated(t, TABLE_REPEATS, rows, columns, widths, shed);
    memcpy(all, widths, t->columns_n * sizeof *all);
    if (t->yield != NULL && columns > 0) {
        leave_out(t, columns, widths);
        shed_repeated(t, TABLE_STAYS, rows, columns, widths, shed);
        hide(t, shed, all);
        put_below(t, columns, widths, below);
    }
    bool records = fit(t, columns, widths) < t->records_below;
    if (print_shed(t, shed, columns, colour, out) != 0 || (records && any(shed, t->columns_n) && buf_addc(out, '\n') != 0))
        goto done;
    if (records)
        rc = print_records(t, rows, all, columns, colour, out);
    else
        rc = print_rows(t, rows, widths, below, columns, colour, out);
done:
    buf_free(&storage);
    return rc;
}
