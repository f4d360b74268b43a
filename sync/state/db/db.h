/* SQLite as this room uses it: one connection, its prepared statements, and errors that a person can act on.
 *
 * Knows nothing of leads. Files are made 0600 whatever the umask says; transactions are BEGIN IMMEDIATE. Calls block
 * for as long as the disk does, and up to DB_BUSY_MS when another process holds the file. */
#ifndef SYNC_STATE_DB_DB_H
#define SYNC_STATE_DB_DB_H

#include "sync/base/err.h"
#include "sync/base/hash.h"
#include "sync/base/str.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DB_BUSY_MS = 10000 };

struct db_statement {
    const char *sql; /* the literal itself is the cache key */
    sqlite3_stmt *st;
};
struct db {
    sqlite3 *h;
    char *path; /* owned; for messages */
    bool in_transaction;
    struct db_statement *statements; /* owned */
    size_t statements_n, statements_cap;
};

/* Opens an existing file. Errors: XS_STATE (not a database, may not be read), XS_IO. On error the db is closed. */
int db_open(struct db *db, const char *path, bool write, struct err *e);
/* Finalizes and closes; an open transaction is rolled back. Fine on a zeroed or closed db. */
void db_close(struct db *db);

int db_exec(struct db *db, const char *sql, struct err *e);
int db_begin(struct db *db, struct err *e);  /* IMMEDIATE; nothing when one is open */
int db_commit(struct db *db, struct err *e); /* nothing when none is open; a failed commit is rolled back */
void db_rollback(struct db *db);

/* Copies the WAL into the main file. A reader of an older snapshot can prevent that; this is not reported as an error. */
int db_checkpoint(struct db *db, struct err *e);

/* Lets go of every row that is still being looked at, and with it of read locks. */
void db_reset_all(struct db *db);

/* One value a letter of `types`:
 *   i int64_t · u uint64_t (kept bit for bit) · b struct str as a blob · B the same, NULL when empty · t struct str as
 *   text · z const char * (NULL is NULL) · k const struct hash128 * · d const struct uuid * (NULL is NULL) · - NULL
 * `e` stands before the values because C has it so. */
/* Runs a statement that returns no rows. */
int db_run(struct db *db, struct err *e, const char *sql, const char *types, ...);
/* Starts a query: 1 on its first row, 0 when there is none, -1. The bound values are copied, but for k and d, which
 * must stay until its last row. */
int db_query(struct db *db, sqlite3_stmt **st, struct err *e, const char *sql, const char *types, ...);
/* The next row: 1/0/-1; the statement is reset unless 1. */
int db_next(struct db *db, sqlite3_stmt *st, struct err *e);
/* One integer of the first row, or `missing` when there is none. */
int db_int(struct db *db, int64_t *out, int64_t missing, const char *sql, struct err *e);

/* Borrowed until the statement moves on. */
struct str db_blob(sqlite3_stmt *st, int column);
struct str db_text(sqlite3_stmt *st, int column);
bool db_is_null(sqlite3_stmt *st, int column);
/* Copies a blob of exactly 16 bytes; false when it has another size. */
bool db_blob16(sqlite3_stmt *st, int column, unsigned char out[16]);

/* Turns SQLite's last error into ours. Returns -1. */
int db_fail(struct db *db, struct err *e);

#endif
