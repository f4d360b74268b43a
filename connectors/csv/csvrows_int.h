/* What the files of the CSV reader share. Internal: csvrows_open.c everything before the first data row, csvrows.c the
 * rows. */
#ifndef CONNECTORS_CSV_CSVROWS_INT_H
#define CONNECTORS_CSV_CSVROWS_INT_H

#include "connectors/columns.h"
#include "connectors/csv/csvlines.h"
#include "connectors/csv/csvparse.h"
#include "connectors/csv/csvrows.h"
#include "connectors/csv/returned.h"
#include "sync/base/buf.h"

enum { CSVROWS_TAIL_ROWS = 10 }; /* whose ends are looked at */

/* The ends of the first rows: the same characters of another delimiter behind each of them (csvdialect_tail()). */
struct csvrows_tail {
    size_t n; /* characters behind each row so far */
    char c;
    bool over; /* enough was seen, or a row ended otherwise */
};

struct csvrows {
    struct input *in;
    struct csvlines lines;
    char delimiter;
    bool rows_judged_alone, embedded_rows;
    size_t field_max, row_max;
    struct columns columns;
    struct returned returned;

    uint64_t number;  /* data rows handed out */
    bool headless;    /* what is read next is the file's first row */
    bool notes_above; /* LinkedIn's, which end where a row has more than one cell: that is the header */
    bool held;        /* the first row was read to see whether it is a header, and is data */
    uint64_t held_line;
    bool failed;
    struct csvrows_tail tail;

    struct cell *cells;
    uint8_t *flaws; /* of the cells */
    size_t cells_n, cells_cap;
    struct csvparse parser;
    struct buf text; /* cells of a quoted row, one behind the other */
    size_t wide;     /* cells counted, also those beyond the limit */
    bool complete;   /* the parser has seen the row's end */
    bool too_long, no_memory;
    bool lost; /* a cell was longer than a row may be: its bytes are gone */
};

/* The parser's callbacks; `arg` is the struct csvrows. */
void csvrows_on_cell(void *cell, size_t n, void *arg);
void csvrows_on_row(int end, void *arg);
/* The first row, but for a note that stands above it, into `cells`. 1, 0 at the end, -1. */
int csvrows_read_first(struct csvrows *r, uint64_t *line, struct err *e);
/* Marks the cells that are not UTF-8. true: there is one. */
bool csvrows_mark_not_utf8(struct csvrows *r);

#endif
