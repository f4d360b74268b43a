/* Packed cells: a number a cell, 0 for NULL, else its length + 1, then its bytes. There is no count: a record ends
 * where its bytes end, and a rejected row is written back with as many cells as it had. */
#include "config.h"

#include "sync/model/row.h"

#include "sync/base/text.h"

#include <errno.h>
#include <string.h>

int row_shape(const struct row *row, size_t columns_n, struct buf *out)
{
    if (row->found > columns_n)
        return buf_adds(out, "as it was rejected: put what " LEADSYNC_EXTRA " holds in its place and empty " LEADSYNC_EXTRA);
    if (row->found > 0)
        return buf_adds(out, "as it was rejected: fill in the cells that were missing, or empty " LEADSYNC_REASON);
    if (row->n == columns_n) /* an object: it has no places */
        return buf_adds(out, "has a name that the first line does not have");
    return buf_addf(out, "%zu cell%s in place of %zu", row->n, row->n == 1 ? "" : "s", columns_n);
}

int cells_pack(const struct cell *cells, size_t n, struct buf *out)
{
    /* The whole row or nothing of it. */
    size_t start = out->n;
    for (size_t i = 0; i < n; i++) {
        unsigned long long head = cells[i].null ? 0 : (unsigned long long)cells[i].n + 1;
        if (buf_add_varint(out, head) != 0 || (head > 1 && buf_add(out, cells[i].p, cells[i].n) != 0)) {
            out->n = start;
            return -1;
        }
    }
    return 0;
}

int cells_next(const char **p, const char *end, struct cell *out)
{
    const char *at = *p;
    unsigned long long head;
    if (at == end)
        return 0;
    if (unpack_varint(&at, end, &head) != 0 || (head > 0 && head - 1 > (size_t)(end - at)))
        return -1;
    /* "" instead of a pointer behind the record's end, where an empty cell is the last. */
    size_t n = head > 0 ? (size_t)(head - 1) : 0;
    *out = (struct cell){n > 0 ? at : "", n, head == 0};
    *p = at + n;
    return 1;
}

/* 1: it was cut; 0/-1 */
static int show_chars(struct str text, size_t *left, struct buf *out)
{
    for (size_t i = 0; i < text.n; --*left) {
        if (*left == 0)
            return buf_adds(out, "…") == 0 ? 1 : -1;
        size_t bytes = text_utf8_char(text.p + i, text.n - i);
        if ((bytes > 0 ? buf_add(out, text.p + i, bytes) : buf_addc(out, '?')) != 0)
            return -1;
        i += bytes > 0 ? bytes : 1;
    }
    return 0;
}

int cells_show(struct str packed, size_t chars, struct buf *out)
{
    const char *p = packed.p, *end = p != NULL ? p + packed.n : p;
    struct cell cell;
    bool first = true;
    int rc = 0;
    while (rc == 0 && p != end && cells_next(&p, end, &cell) > 0) {
        if (cell.n == 0)
            continue;
        if (!first)
            rc = show_chars(STR("; "), &chars, out);
        if (rc == 0)
            rc = show_chars((struct str){cell.p, cell.n}, &chars, out);
        first = false;
    }
    return rc < 0 ? -1 : 0;
}

int cells_show_name(const char *before, struct str packed, size_t chars, struct buf *out)
{
    size_t from = out->n, open;
    int bad = buf_adds(out, before) | buf_addc(out, '(');
    open = out->n;
    bad |= cells_show(packed, chars, out);
    if (bad == 0 && out->n == open) {
        out->n = from;
        return 0;
    }
    return (bad | buf_addc(out, ')')) != 0 ? -1 : 1;
}

/* ---- cells as references into another text ----
 *
 * Each piece starts with a number. The lowest bit says what the piece is: 0, literal bytes, which follow; 1, a cell in
 * the base, at a distance from the end of the cell before. The other bits are the number of bytes. Most mappings use
 * columns in order and unchanged, so a cell usually takes two numbers of one byte each. */

enum { SHRINK_MIN = 3 }; /* a shorter cell is its own shortest name */

/* Where the cell stands in the base: right after the last one, behind it, anywhere; or not at all. */
static const char *find_cell(const struct cell *cell, struct str base, size_t at)
{
    for (size_t head = 1; head <= 2; head++) /* the length that a packed value has before it */
        if (at + head + cell->n <= base.n && base.p[at + head] == cell->p[0] &&
            memcmp(base.p + at + head, cell->p, cell->n) == 0)
            return base.p + at + head;
    struct str text = {cell->p, cell->n};
    const char *found = str_find((struct str){base.p + at, base.n - at}, text);
    return found != NULL || at == 0 ? found : str_find(base, text);
}

static unsigned long long zigzag(ptrdiff_t d)
{
    return ((unsigned long long)d << 1) ^ (unsigned long long)(d >> (8 * sizeof d - 1));
}

/* One that the base does not have, as it is packed. */
static char *put_verbatim(char *to, const struct cell *cell)
{
    unsigned long long head = cell->null ? 0 : (unsigned long long)cell->n + 1;
    to = varint_put(to, (unsigned long long)(varint_n(head) + cell->n) << 1);
    to = varint_put(to, head);
    return cell->n > 0 ? (char *)memcpy(to, cell->p, cell->n) + cell->n : to;
}

int cells_shrink(const struct cell *cells, size_t n, struct str base, struct buf *out)
{
    size_t start = out->n, at = 0;
    for (size_t i = 0; i < n; i++) {
        const struct cell *cell = &cells[i];
        if (buf_reserve(out, 2 * VARINT_MAX + cell->n) != 0) {
            out->n = start;
            return -1;
        }
        const char *found = cell->n >= SHRINK_MIN ? find_cell(cell, base, at) : NULL;
        char *to = out->p + out->n;
        if (found == NULL) {
            to = put_verbatim(to, cell);
        } else {
            to = varint_put(to, (unsigned long long)cell->n << 1 | 1);
            to = varint_put(to, zigzag(found - base.p - (ptrdiff_t)at));
            at = (size_t)(found - base.p) + cell->n;
        }
        out->n = (size_t)(to - out->p);
    }
    return 0;
}

/* The cell that a piece names. Offsets wrap where they are wrong, and are then beyond the base. */
static int add_named(struct buf *out, struct str base, unsigned long long n, unsigned long long distance, size_t *at)
{
    unsigned long long from = *at + ((distance >> 1) ^ (0 - (distance & 1)));
    if (n > base.n || from > base.n - n) {
        errno = EINVAL;
        return -1;
    }
    *at = (size_t)(from + n);
    return buf_add_varint(out, n + 1) != 0 ? -1 : buf_add(out, base.p + from, (size_t)n);
}

int cells_expand(struct str shrunk, struct str base, struct buf *out)
{
    size_t start = out->n, at = 0;
    const char *p = shrunk.p, *end = shrunk.n > 0 ? shrunk.p + shrunk.n : shrunk.p;
    while (p != end) {
        unsigned long long head, distance;
        errno = EINVAL;
        if (unpack_varint(&p, end, &head) != 0)
            goto fail;
        if ((head & 1) != 0) {
            if (unpack_varint(&p, end, &distance) != 0 || add_named(out, base, head >> 1, distance, &at) != 0)
                goto fail;
            continue;
        }
        if (head >> 1 > (size_t)(end - p) || buf_add(out, p, (size_t)(head >> 1)) != 0)
            goto fail;
        p += head >> 1;
    }
    return 0;
fail:
    out->n = start;
    return -1;
}
