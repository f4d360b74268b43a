/* Tables for people: columns aligned by what the terminal shows (wide characters count two), fitted to its width,
 * cut cells marked with "…"; in blocks nothing is cut, long values go on in the next line. Foreign text is made harmless on the way in. Knows nothing of what the cells mean. */
#ifndef SYNC_REPORT_TABLE_H
#define SYNC_REPORT_TABLE_H

#include "sync/base/buf.h"
#include "sync/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum table_align { TABLE_LEFT, TABLE_RIGHT };
/* How a column changes if the table is too wide. Blocks have all but those that are said once. */
enum table_yield {
    TABLE_STAYS,   /* it may be cut; if all its cells are the same, it is said once before anything is cut */
    TABLE_REPEATS, /* the first to go, if all its cells are the same: said once in a line above the table */
    TABLE_YIELDS,  /* left out after those, the last one first: an id that only programs want */
    TABLE_BELOW, /* the next to go: its cells stand in lines of their own below their rows, because a sentence must not be cut */
    TABLE_KEPT, /* it may be cut, but is never left out */
};
enum table_colour { TABLE_PLAIN, TABLE_DIM, TABLE_GREEN, TABLE_YELLOW, TABLE_RED };

struct table_cell {
    size_t at, n; /* in the table's text */
    size_t width; /* columns on a terminal */
    enum table_colour colour;
};

struct table {
    struct buf text;               /* harmless bytes of all cells */
    struct buf cells;              /* struct table_cell, row after row, the header first */
    const enum table_align *align; /* borrowed; NULL: all left */
    const enum table_yield *yield; /* borrowed; NULL, as table_init() sets it: all stay */
    size_t columns_n;
    bool hide_empty;      /* a column with nothing under its header is not shown; may be set after table_init() */
    size_t records_below; /* where columns would have to be cut to less than this, each row is a block of lines with a
                             * "name  value" each instead; 0, as table_init() sets it: never; TABLE_WHOLE: before anything is cut */
};

enum { TABLE_MAX_BYTES = 16 << 20 };
#define TABLE_WHOLE SIZE_MAX
enum { TABLE_READABLE = 24 }; /* records_below for tables with addresses and sentences */

/* The first row that is added is the header. `align` has columns_n members or is NULL. */
void table_init(struct table *t, size_t columns_n, const enum table_align *align);
void table_free(struct table *t);
/* Adds the next cell, row by row. 0, or -1 (memory, or the table's maximum). */
int table_add(struct table *t, struct str text, enum table_colour colour);
/* Appends the table to `out`: at most `columns` wide (0: as wide as it is), each line without blanks at its end.
 * A last row that is not complete is not shown. 0/-1. */
int table_print(const struct table *t, size_t columns, bool colour, struct buf *out);

#endif
