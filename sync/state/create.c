/* A new state is made beside its place and linked there when it is whole: nobody ever meets half of one, and of two
 * processes that make it at once one wins and the other uses it. */
#include "config.h"

#include "sync/base/file.h"
#include "sync/state/schema.h"
#include "sync/state/state_int.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

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
    if (str_eq_nocase(host, STR("localhost")) || str_eq_nocase(host, STR("::1")) ||
        str_eq_nocase(host, STR("loopback")))
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

static int fill(struct db *db, const struct state_options *o, const char *host, struct err *e)
{
    unsigned char secret[HASH_SECRET_N], state_id[STATE_ID_N];
    char setup[256];
    int result = -1;
    if (random_bytes(secret, sizeof secret) < 0 || random_bytes(state_id, sizeof state_id) < 0)
        return err_errno(e, XS_IO, errno, "random bytes from the kernel");
    /* WAL only once everything is in the file: a WAL would have the temporary file's name and stay behind. */
    snprintf(setup, sizeof setup, "PRAGMA page_size = %d; PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;",
             STATE_PAGE_BYTES);
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
    result = db_commit(db, e) < 0 ? -1 : db_exec(db, "PRAGMA journal_mode = WAL", e);
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

/* What a failed making leaves behind. */
static void discard(const char *tmp)
{
    static const char *const suffixes[] = {"", "-journal", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char *name = NULL;
        if (asprintf(&name, "%s%s", tmp, suffixes[i]) >= 0) {
            unlink(name);
            free(name);
        }
    }
}

/* link() refuses to replace; where a file system has no links, rename() after a look is the best there is. */
static int put_in_place(const char *tmp, const char *path, struct err *e)
{
    if (link(tmp, path) == 0) {
        unlink(tmp);
        return folder_sync(path, e);
    }
    if (errno == EEXIST) {
        unlink(tmp);
        return 0;
    }
    if ((errno == EPERM || errno == EOPNOTSUPP) && access(path, F_OK) != 0 && rename(tmp, path) == 0)
        return folder_sync(path, e);
    err_errno(e, XS_STATE, errno, "%s", path);
    unlink(tmp);
    return -1;
}

int state_create(const struct state_options *o, const char *host, struct err *e)
{
    struct db db;
    char *tmp = NULL;
    if (make_folder(o->path, e) < 0)
        return err_context(e, "%s", o->path);
    if (asprintf(&tmp, "%s.new-XXXXXX", o->path) < 0)
        return err_oom(e);
    int fd = mkostemp(tmp, O_CLOEXEC);
    if (fd < 0) {
        err_errno(e, XS_STATE, errno, "%s: cannot be made", o->path);
        free(tmp);
        return -1;
    }
    /* mkostemp() asks for 0600, and a umask could only take from that. */
    int result = fchmod(fd, 0600) < 0 ? err_errno(e, XS_STATE, errno, "%s", tmp) : 0;
    close(fd);
    if (result == 0)
        result = db_open(&db, tmp, true, e);
    if (result == 0) {
        result = fill(&db, o, host, e);
        db_close(&db);
    }
    if (result == 0)
        result = put_in_place(tmp, o->path, e);
    else
        discard(tmp);
    free(tmp);
    return result;
}
