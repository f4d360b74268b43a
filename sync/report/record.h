/* Writes a list of records as text for people, as JSON, NDJSON, CSV or a page of HTML.
 *
 * A printer describes its columns once, in a table, and fills the cells of one record after the other. The writer knows
 * what stands before, between and after records in each format. It appends to a buffer; the caller takes bytes out of
 * that between two records. Failures stick: record_end() reports them. */
#ifndef SYNC_REPORT_RECORD_H
#define SYNC_REPORT_RECORD_H

#include "sync/base/arena.h"
#include "sync/base/buf.h"
#include "sync/base/hash.h"
#include "sync/base/jsonw.h"
#include "sync/model/entry.h"
#include "sync/model/target.h"
#include "sync/report/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_format { RECORD_TEXT, RECORD_JSON, RECORD_NDJSON, RECORD_CSV, RECORD_HTML };

/* What a cell is in JSON. An empty cell is null. */
enum record_kind {
    RECORD_STRING,
    RECORD_CELL, /* a string that can be empty: only a cell that is not filled is null */
    RECORD_NUMBER,
    RECORD_VALUE,   /* any JSON value: in JSON and NDJSON, the printer fills the cell with JSON text */
    RECORD_CHANGES, /* the same; in HTML, the printer fills the cell with a packed list of change.h */
};

/* Formats that leave a column out. */
enum {
    RECORD_NOT_TEXT = 1,
    RECORD_NOT_CSV = 2,      /* nor HTML */
    RECORD_NOT_DOCUMENT = 4, /* JSON that is one document */
    RECORD_NOT_NDJSON = 8,
    RECORD_NOT_JSON = RECORD_NOT_DOCUMENT | RECORD_NOT_NDJSON,
};

struct record_column {
    struct str name; /* RECORD_NAME("…") in a constant table */
    enum record_kind kind;
    enum table_align align;
    enum table_yield yield;
    unsigned left_out; /* RECORD_NOT_… */
};
#define RECORD_NAME(literal) .name = {(literal), sizeof(literal) - 1}

/* What stands around the list of a page. `part` appends what belongs into a slot of the template (see page.h); it is called once
 * per slot, in the template's order. `lists` is the list itself; what `part` appends there precedes it. 0/-1 (memory) */
struct record_page {
    int (*part)(void *ctx, struct str slot, struct buf *out);
    void *ctx;
    const char *title, *noun; /* "Differences", "difference" */
};

struct record_layout {
    const struct record_column *columns;
    size_t columns_n;
    /* text */
    const char *title;    /* a line above each table; NULL: none */
    const char *none;     /* in place of a table without records; NULL: its head */
    bool hide_empty;      /* see table.h */
    bool all_columns;     /* a narrow terminal hides no column: of `yield` only TABLE_BELOW counts */
    size_t records_below; /* see table.h */
    size_t table_rows;    /* a longer list comes in several tables, so that memory stays small; 0: 1000 */
    /* JSON */
    const char *json_open, *json_between, *json_close; /* NULL: "[", a comma and a newline, "]" and a newline */
    /* HTML */
    const struct record_page *page; /* NULL: the list alone */
    /* CSV */
    char delimiter; /* 0: comma */
    bool guard;     /* a ' stands before what a spreadsheet would run as a formula, but for RECORD_NUMBER */
};

struct record_cell {
    struct str text;
    enum table_colour colour;
};

struct record_format_ops;

struct record_writer {
    const struct record_layout *layout;  /* borrowed */
    const struct record_format_ops *ops; /* of `format`, see record_format.h */
    enum record_format format;
    size_t width;    /* text: of the terminal; 0: no limit */
    bool colours;    /* text */
    struct buf *out; /* borrowed */
    uint64_t n;      /* records that were written */

    struct record_cell *cells; /* of the record under way; owned, like the next two */
    enum table_align *align;   /* of the columns that text shows */
    enum table_yield *yield;
    struct arena arena; /* bytes of cells; emptied by record_end() */
    struct table table;
    size_t table_n; /* records in it */
    bool table_open;
    struct jsonw json;
    struct record_html *html; /* of record_html.c alone */
    bool begun;               /* what stands before the first record is written */
    bool in_record;           /* between record_object() or record_lines() and record_end() */
    bool failed;
};

/* `format`, `width`, `colours` and `out` are the caller's to set. 0/-1 (memory); record_free() is due after a failure too. */
int record_open(struct record_writer *w, const struct record_layout *layout);
void record_free(struct record_writer *w); /* safe on a zeroed struct */

/* ---- the cells of one record; a cell that is not filled is empty ---- */

void record_str(struct record_writer *w, size_t column, struct str text);                /* borrowed until record_end() */
void record_text(struct record_writer *w, size_t column, const char *text);              /* borrowed; NULL: empty */
void record_copy(struct record_writer *w, size_t column, struct str text);               /* a copy */
void record_count(struct record_writer *w, size_t column, int64_t n);                    /* below 0 (not known): empty */
void record_ordinal(struct record_writer *w, size_t column, uint64_t n);                 /* counts from 1; 0 (none): empty */
void record_time(struct record_writer *w, size_t column, int64_t ms);                    /* UTC; 0 (not yet): empty */
void record_uuid(struct record_writer *w, size_t column, const struct uuid *id);         /* NULL: empty */
void record_target(struct record_writer *w, size_t column, const struct target *target); /* "campaign:UUID"; NULL: empty */
void record_colour(struct record_writer *w, size_t column, enum table_colour colour);
enum table_colour record_outcome_colour(enum outcome outcome);

/* ---- records ---- */

/* True if records are JSON objects. */
bool record_is_json(const struct record_writer *w);
/* For records that have other members in JSON than columns: opens the object, to which the caller adds members. */
struct jsonw *record_object(struct record_writer *w);
/* Text, for records that are lines and no row of a table: the caller appends them to the buffer. */
struct buf *record_lines(struct record_writer *w);
/* Writes the record. 0/-1 (memory) */
int record_end(struct record_writer *w);
/* Writes a record that is JSON text already, in place of cells and record_end(). 0/-1 */
int record_json(struct record_writer *w, struct str json);
/* JSON: writes the cells as an object of another document, in place of record_end(). 0/-1 */
int record_into(struct record_writer *w, struct jsonw *json);

/* Text: prints the table of the records so far; the next record begins another. Does nothing without records. 0/-1 */
int record_flush(struct record_writer *w);
/* Writes what follows the last record. 0/-1 */
int record_finish(struct record_writer *w);

#endif
