/* How the mapping reads cells: inlined, because this runs for every cell of every row. Internal to the room. */
#ifndef MAPPINGS_CELLS_H
#define MAPPINGS_CELLS_H

#include "sync/base/text.h"
#include "sync/model/row.h"

#include <string.h>

/* Checks ASCII in words of eight bytes; libunistring checks anything else. */
static inline bool is_utf8(struct str s)
{
    if (s.n == 0)
        return true;
    const char *p = s.p, *end = s.p + s.n;
    for (; end - p >= 8; p += 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            return text_is_utf8((struct str){p, (size_t)(end - p)});
    }
    for (; p < end; p++) {
        if (((unsigned char)*p & 0x80) != 0)
            return text_is_utf8((struct str){p, (size_t)(end - p)});
    }
    return true;
}

/* Checks only cells that were not checked before. */
static inline bool cell_is_utf8(const struct row *row, struct str cell)
{
    return row->utf8 || is_utf8(cell);
}

/* Most values begin with a letter or digit, so they are not blank; this saves the trimming. */
static inline bool is_blank(struct str s)
{
    if (s.n == 0)
        return true;
    unsigned char c = (unsigned char)s.p[0];
    return (c <= ' ' || c >= 0x80) && str_trim(s).n == 0;
}

/* SQL's NULL, an empty cell and a cell that a short row lacks are the same here: they have no value to send. */
static inline struct str cell_text(const struct row *row, size_t index)
{
    const struct cell *cell = &row->cells[index];
    return index >= row->n || cell->null || row_flaw(row, index) != REASON_NONE ? STR_NONE : (struct str){cell->p, cell->n};
}

/* The printable form of an unusable cell, if it is text. */
static inline struct str cell_shown(const struct row *row, size_t index)
{
    const struct cell *cell = &row->cells[index];
    return row_flaw(row, index) == REASON_TYPE_INVALID ? (struct str){cell->p, cell->n} : STR_NONE;
}

/* Why a connector could not read it; NULL: its reason says so. */
static inline const char *cell_why(struct str shown)
{
    return shown.n == 0                             ? NULL
           : shown.p[0] == '[' || shown.p[0] == '{' ? "is a list or an object; a cell takes one value"
                                                    : "has more digits than can be read; write it as text";
}

#endif
