/* The watermark of an SQLite source. SQLite infers no type for a parameter and has none for times, so what a value is
 * follows from its column's declared affinity and its own looks. Whatever is stored never lies above a value that was
 * read, so that at worst rows are read twice. */
#ifndef CONNECTORS_SQLITE_MARK_H
#define CONNECTORS_SQLITE_MARK_H

#include "sync/base/buf.h"
#include "sync/model/source_spec.h"

#include <sqlite3.h>
#include <stdint.h>

/* https://sqlite.org/datatype3.html#determination_of_column_affinity; "none" is BLOB's. */
enum sqlite_affinity { AFFINITY_NONE, AFFINITY_TEXT, AFFINITY_INTEGER, AFFINITY_NUMBER };
enum sqlite_affinity sqlite_affinity(const char *decltype_text); /* NULL: none */

struct sqlite_mark {
    enum sqlite_affinity affinity;
    int64_t now_ms;        /* when the read began */
    int64_t overlap_ms;    /* for times */
    const char *overlap;   /* for numbers; NULL: none. Borrowed */
    bool overlap_misfit;   /* a duration where numbers are declared */
    int seen;              /* SQLITE_INTEGER, SQLITE_FLOAT or SQLITE_TEXT; 0: nothing yet */
    int64_t integer;       /* the greatest value, by what `seen` says */
    double real;
    struct buf text;
    bool is_time;          /* after finish: what is stored is, and how old */
    int64_t age_ms;
};

void sqlite_mark_init(struct sqlite_mark *m, const char *decltype_text, const struct sql_spec *spec, int64_t now_ms);
void sqlite_mark_free(struct sqlite_mark *m);

/* Binds the stored value, or the smallest there is when `stored` is NULL. An SQLite result code. */
int sqlite_mark_bind(const struct sqlite_mark *m, sqlite3_stmt *stmt, int parameter, const char *stored);
/* Takes note of the current row's value, which is not NULL. 0/-1 (memory). */
int sqlite_mark_see(struct sqlite_mark *m, sqlite3_stmt *stmt, int column);
/* What to store: the greatest value less the overlap, times not past the start of the read; NULL when none was seen.
 * Borrowed until free. 0/-1 (memory). */
int sqlite_mark_finish(struct sqlite_mark *m, const char **out);

#endif
