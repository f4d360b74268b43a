/* A source read ahead into a temporary file, so that a slow upload does not hold a transaction open on the user's
 * database (in PostgreSQL it keeps dead rows alive, in SQLite it keeps writers out).
 *
 * A decorator: it looks like the source that it wraps. Knows nothing of SQL. The file has no name and mode 0600, and is as
 * large as the rows. Pulling goes on row by row; what is read ahead is on disk, never in memory. */
#ifndef CONNECTORS_SPOOL_H
#define CONNECTORS_SPOOL_H

#include "connectors/source.h"

enum { SPOOL_AUTO_AFTER_US = 60 * 1000 * 1000 }; /* a harmless length of a transaction */

/* Wraps `inner`, which it owns from here on, also when it fails (inner is closed then). Rows pass straight through until
 * `after_us` after this call by the clock's mono; then all the others are read into the file at once and inner is done with.
 * Errors of its own, from source_next(): XS_IO (the file), XS_SOURCE (a row of more than 64 MiB). */
int spool_open(struct source *inner, struct clock *clock, int64_t after_us, struct source **out, struct err *e);

#endif
