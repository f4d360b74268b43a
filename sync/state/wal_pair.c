/* Checks whether the WAL beside the main file belongs to it. SQLite cannot: it applies the WAL of yesterday to any file of the
 * right page size, so an older copy that is put over a state and its WAL becomes a mix of both.
 *
 * The schema cookie in the file's header counts the runs. Each run takes it STEP further, copies it from the WAL into the main
 * file, and then notes in the settings that the main file has it. A WAL with that note fits only a file that has the cookie. */
#include "config.h"

#include "sync/state/state_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define COOKIE_IN_FILE "cookie_in_file"

enum { COOKIE_AT = 40, COOKIE_BYTES = 4, STEP = 64 /* SQLite itself adds 1 for a change of tables and for a VACUUM. */ };

struct cookies {
    int64_t file;  /* in the main file, without its WAL */
    int64_t seen;  /* as SQLite sees it, through the WAL */
    int64_t noted; /* what the main file must have at least */
};

/* Reads through SQLite's own descriptor, because closing another one would free the locks that SQLite holds. */
static int read_file_cookie(struct db *db, int64_t *out, struct err *e)
{
    sqlite3_file *file = NULL;
    unsigned char b[COOKIE_BYTES];
    int rc = sqlite3_file_control(db->h, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (rc == SQLITE_OK && file != NULL && file->pMethods != NULL)
        rc = file->pMethods->xRead(file, b, sizeof b, COOKIE_AT);
    else
        rc = SQLITE_MISUSE;
    if (rc != SQLITE_OK)
        return err_set(e, XS_IO, "%s: the header cannot be read (%s); look at the disk and run again", db->path,
                       sqlite3_errstr(rc));
    *out = (int64_t)b[0] << 24 | (int64_t)b[1] << 16 | (int64_t)b[2] << 8 | b[3];
    return 0;
}

/* The file first: a run that starts in between makes the file look older, never newer, and holds the lock. */
static int read_cookies(struct state *s, struct cookies *c, struct err *e)
{
    if (read_file_cookie(&s->main, &c->file, e) < 0 || db_int(&s->main, &c->seen, 0, "PRAGMA schema_version", e) < 0)
        return -1;
    return db_int(&s->main, &c->noted, 0, "SELECT CAST(value AS INTEGER) FROM settings WHERE name = '" COOKIE_IN_FILE "'",
                  e);
}

static bool fits(const struct cookies *c)
{
    return c->noted <= c->file && c->file <= c->seen;
}

static bool has_wal(const struct state *s)
{
    struct stat st;
    char *path = NULL;
    if (asprintf(&path, "%s-wal", s->path) < 0)
        return true; /* The check itself is always right; without a WAL it is only superfluous. */
    bool has = stat(path, &st) == 0 && st.st_size > 0;
    free(path);
    return has;
}

/* 1 it is the file's own, or there is none; 0 a run that is at work keeps that from being seen; -1 */
static int judge(struct state *s, struct err *e)
{
    struct cookies c;
    if (!has_wal(s))
        return 1;
    if (read_cookies(s, &c, e) < 0)
        return -1;
    if (fits(&c))
        return 1;
    char *holder = s->lock_fd >= 0 ? NULL : state_lock_holder(s);
    bool runs = holder != NULL;
    free(holder);
    if (runs)
        return 0;
    /* A run may have ended since. Then a second look is right. */
    if (read_cookies(s, &c, e) < 0)
        return -1;
    if (fits(&c))
        return 1;
    return err_set(e, XS_STATE,
                   "%s: %s-wal is of another copy of this state: was an older copy put back? Move %s-wal, %s-shm "
                   "and %s away (with its -wal), or copy all files of one time",
                   s->path, s->path, s->path, s->path, s->journal_path);
}

int wal_pair_check(struct state *s, struct err *e)
{
    /* Closing copies the WAL into the main file, which would spoil a copy that it does not belong to. */
    sqlite3_db_config(s->main.h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    int rc = judge(s, e);
    if (rc == 1)
        sqlite3_db_config(s->main.h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, (int *)NULL);
    return rc < 0 ? -1 : 0;
}

int wal_pair_next(struct state *s, struct err *e)
{
    struct cookies c;
    char sql[64];
    if (read_cookies(s, &c, e) < 0)
        return -1;
    /* Copied by other tools, a state can have a cookie that is below the note. */
    int64_t next = (c.seen > c.noted ? c.seen : c.noted) + STEP;
    if (next > INT32_MAX)
        return 0;
    snprintf(sql, sizeof sql, "PRAGMA schema_version = %lld", (long long)next);
    /* SQLite forbids this to SQL that comes from outside. Ours does not. */
    sqlite3_db_config(s->main.h, SQLITE_DBCONFIG_DEFENSIVE, 0, (int *)NULL);
    int rc = db_exec(&s->main, sql, e);
    sqlite3_db_config(s->main.h, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    return rc;
}

int wal_pair_note(struct state *s, struct err *e)
{
    struct cookies c;
    if (db_checkpoint(&s->main, e) < 0 || read_cookies(s, &c, e) < 0)
        return -1;
    if (c.file != c.seen)
        return 0; /* A reader of an older snapshot keeps the copy from happening. This run goes without the note. */
    if (db_begin(&s->main, e) < 0 ||
        db_run(&s->main, e, "INSERT OR REPLACE INTO settings(name, value) VALUES('" COOKIE_IN_FILE "', CAST(? AS TEXT))",
               "i", c.seen) < 0)
        return -1;
    return db_commit(&s->main, e);
}
