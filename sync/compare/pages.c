/* Cursor and leads of a page are stored in one transaction. So whatever kills the process, the file knows exactly the leads
 * before its cursor, and the next call asks for the page after it. */
#include "config.h"

#include "sync/compare/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "mappings/mapping.h"
#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/compare/pages_int.h"

enum {
    PAGES_VERSION = 3,
    FRESH_MS = 30 * 60 * 1000, /* an older reading is not gone on with */
    ARENA_MAX = 64 << 20,
    ADDRESS_MAX = 4096,
    PATH_MAX_BYTES = 8192,
};

static const char tables[] =
    "CREATE TABLE origin(one INTEGER PRIMARY KEY CHECK(one = 1), version INTEGER, text TEXT, started_ms INTEGER) STRICT;"
    "CREATE TABLE places("
    " n INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id BLOB NOT NULL, UNIQUE(kind, id)) STRICT;"
    "CREATE TABLE parts("
    " place INTEGER NOT NULL, part INTEGER NOT NULL, after BLOB, until BLOB, cursor TEXT, leads INTEGER NOT NULL DEFAULT 0,"
    " passed INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(place, part)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE leads("
    " n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, place INTEGER NOT NULL, paged INTEGER NOT NULL, status INTEGER NOT NULL,"
    " email TEXT, address TEXT, row_key TEXT, packed BLOB NOT NULL, engagement BLOB) STRICT;"
    "CREATE INDEX leads_by_address ON leads(address) WHERE address IS NOT NULL;"
    "CREATE INDEX leads_by_key ON leads(row_key) WHERE row_key IS NOT NULL;";

/* ---- the file ---- */

static int set_up(struct pages *p, struct err *e)
{
    char cache[64];
    sqlite3_snprintf(sizeof cache, cache, "PRAGMA cache_size = -%lld", (long long)(p->options.memory_max >> 10));
    /* A lost or torn file is only read again, so no sync has to wait for the disk. */
    return db_exec(&p->db, "PRAGMA synchronous = OFF", e) < 0 || db_exec(&p->db, "PRAGMA journal_mode = TRUNCATE", e) < 0 ||
                   /* The lock on the file keeps others out, so that no query has to look for them. */
                   db_exec(&p->db, "PRAGMA locking_mode = EXCLUSIVE", e) < 0 ||
                   db_exec(&p->db, "PRAGMA temp_store = FILE", e) < 0 || db_exec(&p->db, cache, e) < 0
               ? -1
               : 0;
}

static int make(struct pages *p, struct err *e)
{
    if (ftruncate(p->fd, 0) != 0)
        return err_errno(e, XS_IO, errno, "%s", p->path);
    if (db_open(&p->db, p->path, true, e) < 0 || set_up(p, e) < 0 || db_begin(&p->db, e) < 0 ||
        db_exec(&p->db, tables, e) < 0)
        return -1;
    if (db_run(&p->db, e, "INSERT INTO origin(one, version, text, started_ms) VALUES(1, ?, ?, ?)", "izi",
               (int64_t)PAGES_VERSION, p->options.origin, p->options.clock->wall_ms(p->options.clock)) < 0)
        return -1;
    return db_commit(&p->db, e);
}

/* 1: the file is of this origin and fresh; 0 */
static int fits(struct pages *p)
{
    struct err ignored = ERR_INIT;
    sqlite3_stmt *st;
    int64_t now = p->options.clock->wall_ms(p->options.clock), started = 0;
    bool same = db_open(&p->db, p->path, true, &ignored) == 0 && set_up(p, &ignored) == 0 &&
                db_query(&p->db, &st, &ignored, "SELECT version, text, started_ms FROM origin", "") == 1;
    if (same) {
        same = sqlite3_column_int(st, 0) == PAGES_VERSION && str_is(db_text(st, 1), p->options.origin);
        started = sqlite3_column_int64(st, 2);
        sqlite3_reset(st);
    }
    err_clear(&ignored);
    same = same && started <= now && now - started < FRESH_MS;
    if (same)
        p->age_ms = now - started;
    else
        db_close(&p->db);
    return same;
}

static int open_nameless(struct pages *p, struct err *e)
{
    const char *tmp = getenv("TMPDIR");
    p->path = path_join(tmp != NULL && tmp[0] == '/' ? tmp : "/tmp", "leadsync-pages-XXXXXX");
    if (p->path == NULL)
        return err_oom(e);
    p->fd = mkostemp(p->path, O_CLOEXEC);
    return p->fd >= 0 ? 0 : err_errno(e, XS_IO, errno, "cannot make a temporary file");
}

/* Takes the named file, unless another process has it or its folder is missing. */
static bool open_named(struct pages *p)
{
    if (p->options.path == NULL)
        return false;
    p->fd = open(p->options.path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (p->fd >= 0 && flock(p->fd, LOCK_EX | LOCK_NB) == 0 && (p->path = strdup(p->options.path)) != NULL)
        return true;
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    return false;
}

char *pages_path(const char *state_path, struct err *e)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    if (buf_adds(&path, state_path) != 0 || buf_adds(&path, ".remote") != 0 || buf_cstr(&path) == NULL) {
        buf_free(&path);
        err_oom(e);
        return NULL;
    }
    return path.p;
}

int pages_forget(const char *state_path, struct err *e)
{
    char *path = pages_path(state_path, e);
    int rc = path != NULL ? 0 : -1;
    if (rc == 0 && unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR)
        rc = err_errno(e, XS_IO, errno, "%s", path);
    free(path);
    return rc;
}

int pages_open(const struct pages_options *options, struct pages **out, struct err *e)
{
    struct pages *p = calloc(1, sizeof *p);
    *out = NULL;
    if (p == NULL)
        return err_oom(e);
    p->options = *options;
    p->fd = -1;
    p->shape = *options->shape;
    p->shape.id = 1; /* the file's own number */
    arena_init(&p->arena, ARENA_MAX);
    buf_init(&p->packed, ARENA_MAX);
    buf_init(&p->address, ADDRESS_MAX);
    bool named = open_named(p);
    if ((!named && open_nameless(p, e) != 0) || ((!named || !fits(p)) && make(p, e) != 0)) {
        pages_close(p, false);
        return -1;
    }
    p->resumable = named;
    if (db_int(&p->db, &p->leads_n, 0, "SELECT count(*) FROM leads WHERE paged", e) < 0) {
        pages_close(p, false);
        return -1;
    }
    *out = p;
    return 0;
}

void pages_hide(struct pages *p)
{
    if (!p->hidden)
        unlink(p->path);
    p->hidden = true;
    p->resumable = false;
}

void pages_close(struct pages *p, bool keep)
{
    struct err ignored = ERR_INIT;
    if (p == NULL)
        return;
    if (keep && p->resumable && p->db.h != NULL)
        db_commit(&p->db, &ignored);
    err_clear(&ignored);
    db_close(&p->db);
    /* Unlinked under the lock, so that no other process can have opened it meanwhile. */
    if (p->path != NULL && !p->hidden && !(keep && p->resumable))
        unlink(p->path);
    if (p->fd >= 0)
        close(p->fd);
    err_clear(&p->failed);
    arena_free(&p->arena);
    buf_free(&p->packed);
    buf_free(&p->address);
    free(p->abandoned);
    free(p->path);
    free(p);
}

/* ---- one lead ---- */

int pages_place(struct pages *p, const struct target *t, int64_t *n, struct err *e)
{
    sqlite3_stmt *st;
    if (db_run(&p->db, e, "INSERT INTO places(kind, id) VALUES(?, ?) ON CONFLICT DO NOTHING", "id", (int64_t)t->kind,
               &t->id) < 0)
        return -1;
    int rc = db_query(&p->db, &st, e, "SELECT n FROM places WHERE kind = ? AND id = ?", "id", (int64_t)t->kind, &t->id);
    if (rc == 1) {
        *n = sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
    }
    return rc == 1 ? 0 : -1;
}

static int pack(struct pages *p, const struct remote_lead *remote, struct lead *lead, struct err *e)
{
    arena_reset(&p->arena);
    buf_reset(&p->packed);
    buf_reset(&p->address);
    lead->shape = &p->shape;
    lead->custom = arena_calloc(&p->arena, p->shape.custom_n + 1, sizeof *lead->custom);
    if (lead->custom == NULL)
        return err_oom(e);
    for (int f = 0; f < LEAD_FIELD_N; f++)
        api_remote_field(remote, (enum lead_field)f, &lead->core[f]);
    for (size_t c = 0; c < p->shape.custom_n; c++)
        api_remote_custom(remote, p->shape.custom_names[c], &lead->custom[c]);
    if (lead_pack(lead, &p->packed) != 0)
        return err_oom(e);
    if (remote->email.n > 0 && mapping_email_key(remote->email, &p->address) != 0)
        buf_reset(&p->address);
    return 0;
}

int pages_put(struct pages *p, const struct remote_lead *remote, int64_t place, bool paged, struct err *e)
{
    struct lead lead;
    struct value key = {VALUE_ABSENT, NULL, 0};
    struct engagement engagement;
    struct str packed_engagement = STR_NONE;
    if (pack(p, remote, &lead, e) != 0)
        return -1;
    if (p->options.has_key)
        api_remote_custom(remote, STR("leadsync_key"), &key);
    /* As it is in memory, because only this program on this host reads the file. */
    if (p->options.has_engagement) {
        api_remote_engagement(remote, &engagement);
        packed_engagement = (struct str){(const char *)&engagement, sizeof engagement};
    }
    struct str row_key = key.kind == VALUE_STRING ? (struct str){key.p, key.n} : STR_NONE;
    int rc = db_run(&p->db, e,
                    "INSERT INTO leads(id, place, paged, status, email, address, row_key, packed, engagement)"
                    " VALUES(?1, ?2, ?3, ?4, nullif(?5, ''), nullif(?6, ''), nullif(?7, ''), ?8, ?9)"
                    " ON CONFLICT(id) DO UPDATE SET place = excluded.place, paged = max(paged, excluded.paged),"
                    " status = excluded.status, email = excluded.email, address = excluded.address,"
                    " row_key = excluded.row_key, packed = excluded.packed, engagement = excluded.engagement",
                    "diiitttbB", &remote->id, place, (int64_t)paged, (int64_t)remote->status, remote->email,
                    buf_str(&p->address), row_key, buf_str(&p->packed), packed_engagement);
    return rc < 0 ? -1 : 0;
}

int pages_place_of(struct pages *p, const struct remote_lead *remote, int64_t *n, struct err *e)
{
    struct target t = {.kind = remote->has_campaign ? TARGET_CAMPAIGN : TARGET_LIST};
    t.id = remote->has_campaign ? remote->campaign : remote->list;
    *n = 0;
    return remote->has_campaign || remote->has_list ? pages_place(p, &t, n, e) : 0;
}

uint64_t pages_leads_n(const struct pages *p)
{
    return (uint64_t)p->leads_n;
}
