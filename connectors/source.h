/* A source of rows: CSV, PostgreSQL, SQLite, a command's output. One file a connector, one line of the table here.
 *
 * Pull all the way: a row is read when it is asked for, never ahead. Knows nothing of leads, mappings or the API. */
#ifndef CONNECTORS_SOURCE_H
#define CONNECTORS_SOURCE_H

#include "sync/base/clock.h"
#include "sync/base/err.h"
#include "sync/base/hash.h"
#include "sync/model/row.h"
#include "sync/model/source_spec.h"

struct source;

/* How much is read; the owner of the state decides before opening. */
struct source_read {
    const char *watermark;      /* the greatest value that was read; NULL: read everything */
    const char *watermark_type; /* source_mark's type of that read; another one than today's: read everything */
    bool count_nulls;           /* count the rows whose watermark is NULL, where the source can (source_mark) */
    size_t field_max;           /* bytes of one cell; more is REASON_FIELD_TOO_LONG; 0: 1 MiB */
    int64_t deadline_us;        /* what is waited for past this moment of the clock's mono is given up; 0: none */
};

struct column {
    struct str name;  /* UTF-8, as in the header, borrowed until close */
    const char *type; /* type name of SQL sources, NULL for text */
};

enum source_mark_kind { MARK_NONE, MARK_TIME, MARK_NUMBER, MARK_TEXT };

/* What an SQL source knows of its watermark. After open, unless a comment says more. */
struct source_mark {
    enum source_mark_kind kind;
    const char *type;     /* of the column and of what it is compared with; stored beside the value. Borrowed until close */
    bool incremental;     /* the stored value was bound; else everything is read */
    bool overlaps;        /* the read begins before the stored value */
    bool excludes_equal;  /* the query compares with > */
    bool may_be_null;     /* the column may be NULL, as far as the source knows */
    bool reads_nulls;     /* a full read has rows whose watermark is NULL: full_query: is set */
    const char *table;    /* the column's; NULL: an expression, or not known. Borrowed until close */
    uint64_t table_nulls; /* rows of `table` whose column is NULL, when they were to be counted */
    uint64_t null_rows;   /* so far: rows whose watermark is NULL. An incremental read leaves them out */
    bool has_age;         /* after the end: the value of watermark() */
    int64_t age_ms;       /* is so much older than the read */
    bool has_numbers;     /* so far: some value was a number, */
    double least, greatest; /* from here to here */
};

/* The contract of a connector. `open` allocates its own struct that starts with `struct source`. */
struct source_ops {
    const char *name; /* "csv", "postgres", "sqlite", "command" */
    int (*open)(const struct source_spec *spec, const struct source_read *read, struct clock *clock, struct source **out,
                struct err *e);
    /* 1 with the row (valid until the next call), 0 at the clean end (again, if asked again), -1 with XS_SOURCE (its
     * bytes, its program's exit status), XS_NO_SOURCE (it went away, no privilege), XS_CONFIG (SQL that is refused
     * only when it runs, before the first row), XS_IO (disk, spool), XS_SIGINT and XS_SIGTERM (a stop was asked for
     * while nothing came), or XS_LEFT_OVER (the deadline passed while nothing came). A row that alone is unusable
     * comes with `defect` set, and one with unusable cells with `flaws`; neither is an error. All other cells are UTF-8.
     * Blocks on I/O. */
    int (*next)(struct source *self, struct row *out, struct err *e);
    /* After the clean end of a read with a watermark column: the greatest value, to store once everything read is durable, NULL
     * when there is none (no row had one: what is stored stays). Borrowed until close. The member is NULL for sources
     * without watermarks. */
    const char *(*watermark)(struct source *self);
    /* Safe from a signal's point of view: makes a blocking next() return. May be NULL. */
    void (*cancel)(struct source *self);
    void (*close)(struct source *self);
};

struct source {
    const struct source_ops *ops;
    const struct column *columns; /* known after open */
    size_t columns_n;
    const char *label;    /* for messages: "people.csv", "postgres service=crm" (never a password) */
    uint64_t bytes_total; /* 0: not known; for progress only */
    uint64_t bytes_read;
    char delimiter;               /* of CSV-shaped sources: what rejects are written with; else ',' */
    const char *encoding_assumed; /* of a CSV file: what was not UTF-8 and is read as, so far; NULL: nothing was assumed */
    const char *changed; /* after the end: what happened to the source while it was read, so that rows may be missing or
                                     half old ("was written to"); NULL: nothing. The read is not complete then */
    char sha256[SHA256_HEX_N]; /* after the clean end of a CSV: of its bytes; "": not known */
    struct source_mark mark;   /* of SQL sources */
    const bool *used;          /* source_use() */
    struct cell *kept;         /* of a row that had unusable cells in columns that are not used */
};

/* Picks the connector from the table and opens. Errors: XS_NO_SOURCE, XS_SOURCE, XS_CONFIG (SQL refused, header names
 * twice or empty). NULL `read` reads everything with defaults. SQL sources are read ahead into a temporary file as their
 * `spool` says, so that a slow reader does not hold their transaction open (spool.h); `ops` is the spool's then. */
int source_open(const struct source_spec *spec, const struct source_read *read, struct clock *clock, struct source **out,
                struct err *e);
int source_next(struct source *s, struct row *out, struct err *e);
/* Says which columns are used, borrowed until close. An unusable cell of any other column is NULL from now on, and no flaw
 * of its row: what it holds is neither judged nor kept. Before: all of them are used. */
void source_use(struct source *s, const bool *used);
void source_close(struct source *s); /* NULL is fine */

/* "people.csv:1841" or "row 17 of postgres service=crm": where a row stands, for messages. Appends to out. */
int source_where(const struct source *s, const struct row *row, struct buf *out);
/* cells_pack() of a row of this source, in which the cells that `rejects` added are empty: they are no data, and would be shown
 * as such. Only leadsync_extra holds something of the source. 0/-1 (memory) */
int source_cells_pack(const struct source *s, const struct row *row, struct buf *out);

#endif
