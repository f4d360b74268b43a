/* The watermark of an SQLite source. SQLite infers no type for a parameter and has none for times, so what a value is
 * follows from its column's declared affinity and its own looks. What is stored is the greatest value; the overlap is taken
 * off when it is bound. Whatever is bound never lies above a value that was read, so that at worst rows are read twice. */
#ifndef CONNECTORS_SQLITE_SQLITE_MARK_H
#define CONNECTORS_SQLITE_SQLITE_MARK_H

#include "connectors/source.h"
#include "sync/base/buf.h"
#include "sync/base/err.h"
#include "sync/model/source_spec.h"

#include <sqlite3.h>
#include <stdint.h>

/* https://sqlite.org/datatype3.html#determination_of_column_affinity; "none" is BLOB's. */
enum sqlite_affinity { AFFINITY_NONE, AFFINITY_TEXT, AFFINITY_INTEGER, AFFINITY_NUMBER };
enum sqlite_affinity sqlite_affinity(const char *decltype_text); /* NULL: none */

struct sqlite_mark {
    enum sqlite_affinity affinity;
    const struct sql_spec *spec; /* for the overlap. Borrowed, like the label */
    const char *label;
    int64_t now_ms;  /* when the read began */
    int seen;        /* SQLITE_INTEGER, SQLITE_FLOAT or SQLITE_TEXT; 0: nothing yet */
    int64_t integer; /* the greatest value, by what `seen` says */
    double real;
    struct buf text;
};

void sqlite_mark_init(struct sqlite_mark *m, const char *decltype_text, const struct sql_spec *spec, const char *label,
                      int64_t now_ms);
void sqlite_mark_free(struct sqlite_mark *m);

/* Binds the stored value less the overlap, or the smallest there is when `stored` is NULL. 0/-1: XS_CONFIG when the overlap
 * does not go with the value. */
int sqlite_mark_bind(const struct sqlite_mark *m, sqlite3_stmt *stmt, int parameter, const char *stored, struct err *e);
/* Takes note of the current row's value, which is not NULL, in `out`, too. 0/-1: as of bind. */
int sqlite_mark_see(struct sqlite_mark *m, sqlite3_stmt *stmt, int column, struct source_mark *out, struct err *e);
/* What to store: the greatest value, times not past the start of the read; NULL when none was seen. Borrowed until free.
 * 0/-1 (memory). */
int sqlite_mark_finish(struct sqlite_mark *m, const char **value, struct source_mark *out);

#endif
