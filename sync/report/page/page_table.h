/* A list of a page that may be long: all rows as JSON for the script, which shows, searches, filters and sorts them, and the
 * first ones as rows of a plain table, for readers without script. The owner takes the JSON out of `out` between two rows, so
 * memory stays flat: only the plain rows are kept. */
#ifndef SYNC_REPORT_PAGE_PAGE_TABLE_H
#define SYNC_REPORT_PAGE_PAGE_TABLE_H

#include "sync/base/buf.h"
#include "sync/model/lead.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PAGE_ROWS_MAX = 100000,     /* rows after that are counted and left out */
    PAGE_ROWS_BYTES = 96 << 20, /* so are those that would not fit into this much JSON */
    PAGE_PLAIN_ROWS = 200,      /* rows that a reader without script has, */
    PAGE_PLAIN_BYTES = 1 << 20, /* in at most about this much HTML */
};

enum page_kind { PAGE_KIND_TEXT, PAGE_KIND_NAME, PAGE_KIND_ID, PAGE_KIND_NUMBER, PAGE_KIND_TAG, PAGE_KIND_FIELDS };
extern const char *const page_kind_texts[];

struct page_column {
    const char *title;
    enum page_kind kind;
};

/* A field that some row has, and how many rows have it with an old value. */
struct page_field_count {
    char *name; /* owned */
    size_t name_n;
    uint64_t n;
};

struct page_table {
    const char *id, *heading, *noun; /* "changes", "Changes", "change"; the noun takes an s */
    const char *instead;             /* where all rows are, if some are left out: "--format csv" */
    const struct page_column *columns;
    size_t columns_n;
    /* its own */
    struct buf plain;
    uint64_t n, kept, plain_n, bytes;
    size_t column, row_at;
    bool plain_row; /* the row under way is also one of the plain table */
    size_t fields_in_cell;
    struct page_field_count *fields;
    size_t fields_n;
};

/* Members up to columns_n are set by the caller, all others are 0. */
void page_table_free(struct page_table *t);

/* ---- rows; all append to `out` and return 0, or -1 (memory) ---- */

/* Counts a row. 1: it follows, cell by cell in the order of the columns; 0: it is one too many and left out. */
int page_table_row(struct page_table *t, struct buf *out);
int page_table_text(struct page_table *t, struct buf *out, struct str text);
int page_table_number(struct page_table *t, struct buf *out, uint64_t n); /* 0: empty */
/* A number that is text already. What is none stays a text. */
int page_table_digits(struct page_table *t, struct buf *out, struct str text);
/* A word with a colour, which is a class of page.css. */
int page_table_tag(struct page_table *t, struct buf *out, struct str text, const char *colour);
/* The cell of the fields that change, one after the other. */
int page_table_fields(struct page_table *t, struct buf *out);
/* old_value NULL: there is no old value. VALUE_ABSENT: it is not known, or nothing. */
int page_table_field(struct page_table *t, struct buf *out, struct str name, const struct value *old_value,
                     const struct value *new_value);
int page_table_fields_end(struct page_table *t, struct buf *out);
int page_table_row_end(struct page_table *t, struct buf *out);
/* Counts a field of a row that is left out. */
int page_table_field_count(struct page_table *t, struct str name);

/* ---- the list in the page: page_table_begin(), the JSON of the rows, page_table_end() ---- */

int page_table_begin(const struct page_table *t, struct buf *out);
int page_table_end(const struct page_table *t, struct buf *out);

#endif
