/* A new state is made in memory and appears in its place when it is whole. So no process ever sees half of one, and a
 * crash leaves nothing behind. If two processes make it at once, one wins and the other uses it. */
#include "config.h"

#include "sync/base/file.h"
#include "sync/state/schema.h"
#include "sync/state/state_int.h"

#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The host without its port: "[::1]:80" and "host:80". An IPv6 address without brackets has no port. */
static struct str without_port(const char *host)
{
    struct str s = str_from(host);
    if (s.n > 0 && s.p[0] == '[') {
        const char *close_bracket = memchr(s.p, ']', s.n);
        return close_bracket != NULL ? (struct str){s.p + 1, (size_t)(close_bracket - s.p) - 1} : s;
    }
    const char *colon = memchr(s.p, ':', s.n);
    if (colon != NULL && memchr(colon + 1, ':', (size_t)(s.p + s.n - colon) - 1) == NULL)
        return (struct str){s.p, (size_t)(colon - s.p)};
    return s;
}

static bool is_loopback(struct str host)
{
    if (str_eq_nocase(host, STR("localhost")) || str_eq_nocase(host, STR("::1")) || str_eq_nocase(host, STR("loopback")))
        return true;
    /* 127.0.0.0/8, and nothing that merely begins like it ("127.0.0.1.example.com"). */
    if (host.n < 4 || strncmp(host.p, "127.", 4) != 0)
        return false;
    for (size_t i = 0; i < host.n; i++)
        if (!isdigit((unsigned char)host.p[i]) && host.p[i] != '.')
            return false;
    return true;
}

char *state_host_name(const char *host, struct err *e)
{
    char *out = is_loopback(without_port(host)) ? strdup("loopback") : strdup(host);
    if (out == NULL) {
        err_oom(e);
        return NULL;
    }
    for (char *p = out; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    return out;
}

static int create_fill(struct db *db, const struct state_options *o, const char *host, struct err *e)
{
    unsigned char secret[HASH_SECRET_N], state_id[STATE_ID_N];
    char setup[256];
    int result = -1;
    if (random_bytes(secret, sizeof secret) < 0 || random_bytes(state_id, sizeof state_id) < 0)
        return err_errno(e, XS_IO, errno, "random bytes from the kernel");
    snprintf(setup, sizeof setup, "PRAGMA page_size = %d", STATE_PAGE_BYTES);
    if (db_exec(db, setup, e) < 0 || db_begin(db, e) < 0)
        goto out;
    snprintf(setup, sizeof setup, "PRAGMA application_id = %d; PRAGMA user_version = %d;", STATE_APPLICATION_ID,
             SCHEMA_VERSION);
    if (db_exec(db, schema_tables, e) < 0 || db_exec(db, setup, e) < 0)
        goto out;
    if (db_run(db, e,
               "INSERT INTO identity(one, state_id, secret, sync, api_host, hashed, created_ms)"
               " VALUES(1, ?, ?, ?, ?, ?, ?)",
               "bbzzii", (struct str){(const char *)state_id, sizeof state_id},
               (struct str){(const char *)secret, sizeof secret}, o->sync, host, (int64_t)o->values_hashed,
               o->clock->wall_ms(o->clock)) < 0)
        goto out;
    result = db_commit(db, e);
out:
    explicit_bzero(secret, sizeof secret);
    if (result < 0)
        db_rollback(db);
    return result;
}

static int make_folder(const char *path, struct err *e)
{
    char *copy = strdup(path);
    if (copy == NULL)
        return err_oom(e);
    int result = folder_make(dirname(copy), e);
    free(copy);
    return result;
}

/* A file in WAL mode says so in two bytes of its header (SQLite's file format, 1.3.3). A database in memory has no such
 * mode, and a switch later on would be one more write to die in. */
static void set_wal(unsigned char *file)
{
    enum { WRITE_VERSION = 18, READ_VERSION = 19, WAL = 2 };
    file[WRITE_VERSION] = file[READ_VERSION] = WAL;
}

int state_create(const struct state_options *o, const char *host, struct err *e)
{
    struct db db;
    int result = -1;
    if (make_folder(o->path, e) < 0)
        return err_context(e, "%s", o->path);
    if (db_open(&db, ":memory:", true, e) < 0)
        return -1;
    if (create_fill(&db, o, host, e) == 0) {
        sqlite3_int64 n;
        unsigned char *file = sqlite3_serialize(db.h, "main", &n, 0);
        if (file == NULL) {
            err_oom(e);
        } else {
            set_wal(file);
            result = file_publish(o->path, file, (size_t)n, e) < 0 ? -1 : 0;
            explicit_bzero(file, (size_t)n); /* the secret is in it */
            sqlite3_free(file);
        }
    }
    db_close(&db);
    return result;
}
