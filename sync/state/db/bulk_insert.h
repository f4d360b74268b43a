/* A virtual table that hands rows from C to SQLite, so that one INSERT … SELECT takes thousands of them: the insertion
 * point is kept from row to row, which halves the time of as many prepared statements. Knows nothing of what it feeds.
 *
 * Such a statement says INSERT OR FAIL: its transaction is rolled back as a whole when it fails, and otherwise SQLite
 * would copy every page that it touches to a file, so as to be able to undo the statement alone. */
#ifndef SYNC_STATE_DB_BULK_INSERT_H
#define SYNC_STATE_DB_BULK_INSERT_H

#include "sync/state/db/db.h"

#include <stdbool.h>

/* Set up before each statement that reads from `feed`; read once, front to back. */
struct bulk_insert {
    void *ctx;
    bool (*next)(void *ctx); /* to the first or next row; false at the end */
    /* The column's value by one sqlite3_result_…() call, or none for NULL; bytes must stay until next(). */
    void (*column)(void *ctx, sqlite3_context *out, int column);
};

/* Makes the table `feed` (c0 … c5) known to the connection; `f` must outlive its use. */
int bulk_insert_register(struct db *db, struct bulk_insert *f, struct err *e);

#endif
