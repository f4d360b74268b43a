/* Thin, and on purpose: SQL stays readable where it is used, this file only takes away what is the same each time. */
#include "config.h"

#include "sync/state/db/db.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* SQLite does not always keep the error of the write. */
static const char *io_reason(int os)
{
    struct rlimit limit;
    if (os == 0 && getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        os = EFBIG;
    return os != 0 ? err_io_text(os) : "no reason given";
}

/* What a person can do about it decides the status: space and disks are XS_IO, everything that is wrong with the file
 * itself XS_STATE, another process XS_LOCKED. What is left is a bug of ours. */
static int fail_code(struct db *db, int rc, struct err *e)
{
    const char *path = db->path != NULL ? db->path : "state";
    const char *text = db->h != NULL ? sqlite3_errmsg(db->h) : sqlite3_errstr(rc);
    if (rc == SQLITE_READONLY_ROLLBACK || rc == SQLITE_READONLY_RECOVERY)
        return err_set(e, XS_STATE, "%s: a run died while it was writing; `leadsync resume` repairs it", path);
    if (rc == SQLITE_READONLY_DIRECTORY || (rc & 0xff) == SQLITE_CANTOPEN)
        return err_set(e, XS_STATE,
                       "%s: cannot be opened; its folder must be writable too, because SQLite keeps %s-shm and %s-wal "
                       "beside it: copy all of it to a folder of yours",
                       path, path, path);
    switch (rc & 0xff) {
    case SQLITE_NOMEM: return err_oom(e);
    case SQLITE_FULL:
        return err_set(e, XS_IO, "%s: the disk is full; free some space and run again; no proven outcome is lost", path);
    case SQLITE_IOERR: {
        int os = db->h != NULL ? sqlite3_system_errno(db->h) : 0;
        return err_set(e, XS_IO, "%s: %s (%s); look at the disk and run again", path, text, io_reason(os));
    }
    case SQLITE_NOTADB:
        return err_set(e, XS_STATE, "%s: is not a leadsync state (not an SQLite file); name another with --state", path);
    case SQLITE_CONSTRAINT: /* our statements keep the tables' rules, so earlier rows break them */
    case SQLITE_MISMATCH:
    case SQLITE_CORRUPT: return err_set(e, XS_STATE, "%s: is damaged (%s); restore it from a backup", path, text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(e, XS_LOCKED, "%s: another process is writing to it (%s); run again when it is done", path, text);
    case SQLITE_ERROR: /* our statements are fixed: one that does not fit the file's tables means other tables */
        return err_set(e, XS_STATE, "%s: lacks the tables of a leadsync state (%s); restore it from a backup", path, text);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return err_set(e, XS_STATE, "%s: cannot be written (%s); check who owns it and its folder", path, text);
    default: return err_set(e, XS_INTERNAL, "%s: %s (SQLite %d); please report this", path, text, rc);
    }
}

int db_fail(struct db *db, struct err *e)
{
    return fail_code(db, sqlite3_extended_errcode(db->h), e);
}

int db_open(struct db *db, const char *path, bool write, struct err *e)
{
    memset(db, 0, sizeof *db);
    db->path = strdup(path);
    if (db->path == NULL)
        return err_oom(e);
    /* One thread uses it, so the connection needs no mutex of its own. READONLY is what a URI calls mode=ro; never
     * immutable, which would not see what a running sync has in its WAL. */
    int flags = SQLITE_OPEN_NOMUTEX | (write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    int rc = sqlite3_open_v2(path, &db->h, flags, NULL);
    if (rc != SQLITE_OK) {
        fail_code(db, rc, e);
        db_close(db);
        return -1;
    }
    sqlite3_extended_result_codes(db->h, 1);
    sqlite3_busy_timeout(db->h, DB_BUSY_MS);
    /* The file may come from anywhere: no function with side effects and no odd schema is to run because of it. */
    sqlite3_db_config(db->h, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    sqlite3_db_config(db->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
    return 0;
}

void db_close(struct db *db)
{
    for (size_t i = 0; i < db->statements_n; i++)
        sqlite3_finalize(db->statements[i].st);
    free(db->statements);
    sqlite3_close(db->h);
    free(db->path);
    memset(db, 0, sizeof *db);
}

int db_checkpoint(struct db *db, struct err *e)
{
    int rc = sqlite3_wal_checkpoint_v2(db->h, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED ? 0 : db_fail(db, e);
}

int db_exec(struct db *db, const char *sql, struct err *e)
{
    int rc = sqlite3_exec(db->h, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : fail_code(db, rc, e);
}

int db_begin(struct db *db, struct err *e)
{
    if (db->in_transaction)
        return 0;
    /* A deferred transaction that reads and then writes fails with "busy" at once when another has written between. */
    if (db_exec(db, "BEGIN IMMEDIATE", e) < 0)
        return -1;
    db->in_transaction = true;
    return 0;
}

int db_commit(struct db *db, struct err *e)
{
    if (!db->in_transaction)
        return 0;
    if (db_exec(db, "COMMIT", e) < 0) {
        db_rollback(db);
        return -1;
    }
    db->in_transaction = false;
    return 0;
}

void db_reset_all(struct db *db)
{
    for (size_t i = 0; i < db->statements_n; i++)
        sqlite3_reset(db->statements[i].st);
}

void db_rollback(struct db *db)
{
    if (!db->in_transaction)
        return;
    db_reset_all(db);
    /* SQLite has rolled back by itself after a full disk or an I/O error; then there is nothing left to do. */
    if (!sqlite3_get_autocommit(db->h))
        sqlite3_exec(db->h, "ROLLBACK", NULL, NULL, NULL);
    db->in_transaction = false;
}

/* Kept until db_close() under the address of `sql`, which is a literal. Reset, without bindings. */
static sqlite3_stmt *prepare(struct db *db, const char *sql, struct err *e)
{
    for (size_t i = 0; i < db->statements_n; i++) {
        if (db->statements[i].sql == sql) {
            sqlite3_reset(db->statements[i].st);
            sqlite3_clear_bindings(db->statements[i].st);
            return db->statements[i].st;
        }
    }
    if (db->statements_n == db->statements_cap) {
        size_t cap = db->statements_cap == 0 ? 16 : db->statements_cap * 2;
        struct db_statement *grown = reallocarray(db->statements, cap, sizeof *grown);
        if (grown == NULL) {
            err_oom(e);
            return NULL;
        }
        db->statements = grown;
        db->statements_cap = cap;
    }
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v3(db->h, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
    if (rc != SQLITE_OK) {
        fail_code(db, rc, e);
        return NULL;
    }
    db->statements[db->statements_n++] = (struct db_statement){sql, st};
    return st;
}

/* An empty run of bytes may have no address, and SQLite takes a missing address for NULL. */
static int bind_bytes(sqlite3_stmt *st, int at, struct str s, bool text, sqlite3_destructor_type keep)
{
    const char *p = s.p != NULL ? s.p : "";
    return text ? sqlite3_bind_text64(st, at, p, s.n, keep, SQLITE_UTF8) : sqlite3_bind_blob64(st, at, p, s.n, keep);
}

static int bind_one(sqlite3_stmt *st, int at, char type, va_list *values, sqlite3_destructor_type keep)
{
    switch (type) {
    case 'i': return sqlite3_bind_int64(st, at, va_arg(*values, int64_t));
    case 'u': return sqlite3_bind_int64(st, at, (int64_t)va_arg(*values, uint64_t));
    case 'b': return bind_bytes(st, at, va_arg(*values, struct str), false, keep);
    case 'B': {
        struct str s = va_arg(*values, struct str);
        return s.n == 0 ? sqlite3_bind_null(st, at) : bind_bytes(st, at, s, false, keep);
    }
    case 't': return bind_bytes(st, at, va_arg(*values, struct str), true, keep);
    case 'z': {
        const char *text = va_arg(*values, const char *);
        return text == NULL ? sqlite3_bind_null(st, at) : sqlite3_bind_text(st, at, text, -1, keep);
    }
    case 'k': return sqlite3_bind_blob(st, at, va_arg(*values, const struct hash128 *)->b, 16, SQLITE_STATIC);
    case 'd': {
        const struct uuid *id = va_arg(*values, const struct uuid *);
        return id == NULL ? sqlite3_bind_null(st, at) : sqlite3_bind_blob(st, at, id->b, 16, SQLITE_STATIC);
    }
    case '-': return sqlite3_bind_null(st, at);
    default: return SQLITE_MISUSE;
    }
}

static sqlite3_stmt *prepare_bound(struct db *db, const char *sql, const char *types, va_list *values,
                                   sqlite3_destructor_type keep, struct err *e)
{
    sqlite3_stmt *st = prepare(db, sql, e);
    for (int i = 0; st != NULL && types[i] != '\0'; i++) {
        int rc = bind_one(st, i + 1, types[i], values, keep);
        if (rc != SQLITE_OK) {
            fail_code(db, rc, e);
            return NULL;
        }
    }
    return st;
}

int db_run(struct db *db, struct err *e, const char *sql, const char *types, ...)
{
    va_list values;
    va_start(values, types);
    sqlite3_stmt *st = prepare_bound(db, sql, types, &values, SQLITE_STATIC, e);
    va_end(values);
    if (st == NULL)
        return -1;
    int rc = sqlite3_step(st);
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        fail_code(db, rc, e);
    sqlite3_reset(st);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : -1;
}

int db_query(struct db *db, sqlite3_stmt **st, struct err *e, const char *sql, const char *types, ...)
{
    va_list values;
    va_start(values, types);
    *st = prepare_bound(db, sql, types, &values, SQLITE_TRANSIENT, e);
    va_end(values);
    return *st == NULL ? -1 : db_next(db, *st, e);
}

int db_next(struct db *db, sqlite3_stmt *st, struct err *e)
{
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc != SQLITE_DONE)
        fail_code(db, rc, e);
    sqlite3_reset(st);
    return rc == SQLITE_DONE ? 0 : -1;
}

int db_int(struct db *db, int64_t *out, int64_t missing, const char *sql, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(db, &st, e, sql, "");
    if (rc < 0)
        return -1;
    *out = rc == 1 && !db_is_null(st, 0) ? sqlite3_column_int64(st, 0) : missing;
    sqlite3_reset(st);
    return 0;
}

struct str db_blob(sqlite3_stmt *st, int column)
{
    const void *p = sqlite3_column_blob(st, column);
    return (struct str){p, (size_t)sqlite3_column_bytes(st, column)};
}

struct str db_text(sqlite3_stmt *st, int column)
{
    const void *p = sqlite3_column_text(st, column);
    return (struct str){p, (size_t)sqlite3_column_bytes(st, column)};
}

bool db_is_null(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_NULL;
}

bool db_blob16(sqlite3_stmt *st, int column, unsigned char out[16])
{
    struct str s = db_blob(st, column);
    if (s.n != 16)
        return false;
    memcpy(out, s.p, 16);
    return true;
}
