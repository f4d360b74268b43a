/* Opening: whose file it is comes first, and nothing is written to a file that is not ours. */
#include "config.h"

#include "sync/base/file.h"
#include "sync/state/lookup/lookup.h"
#include "sync/state/schema.h"
#include "sync/state/state_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CACHE_KB_MIN = 2048, CACHE_KB_MAX = 16384, CACHE_SHARE = 32 };

/* ---- identity ---- */

static int replace_text(char **to, sqlite3_stmt *st, int column, struct err *e)
{
    char *text = NULL;
    if (!db_is_null(st, column) && (text = str_dup(db_text(st, column))) == NULL)
        return err_oom(e);
    free(*to);
    *to = text;
    return 0;
}

/* Counts decide how much memory is taken. Each row of them has a key of 16 bytes, so they cannot exceed the file. */
static int check_counts(struct state *s, struct err *e)
{
    const struct identity *id = &s->id;
    const uint64_t counts[] = {id->leads_n, id->refusals_n, id->retries_n, id->forgotten_n, id->absent_n};
    int64_t pages;
    if (db_int(&s->main, &pages, 0, "PRAGMA page_count", e) < 0)
        return -1;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (counts[i] > (uint64_t)pages * (STATE_PAGE_BYTES / sizeof(struct hash128)))
            return err_set(e, XS_STATE, "%s: is damaged (it claims more rows than fit into it); restore it from a backup",
                           s->path);
    return 0;
}

int identity_load(struct state *s, struct err *e)
{
    sqlite3_stmt *st;
    struct identity *id = &s->id;
    int rc = db_query(&s->main, &st, e,
                      "SELECT state_id, secret, sync, api_host, hashed, next_batch, next_lead, next_retry, leads_n,"
                      " refusals_n, retries_n, forgotten_n, (SELECT value FROM settings WHERE name = 'leads_gone'),"
                      " EXISTS (SELECT 1 FROM settings WHERE name = '" JOURNAL_NOTE "')"
                      " FROM identity WHERE one = 1",
                      "");
    if (rc < 0)
        return -1;
    struct str secret = rc == 1 ? db_blob(st, 1) : STR_NONE;
    if (rc == 0 || !db_blob16(st, 0, id->state_id) || secret.n != sizeof id->secret) {
        if (rc == 1)
            sqlite3_reset(st);
        return err_set(e, XS_STATE, "%s: is damaged (it does not name its sync); restore it from a backup", s->path);
    }
    memcpy(id->secret, secret.p, sizeof id->secret);
    id->hashed = sqlite3_column_int(st, 4) != 0;
    uint64_t *numbers[] = {&id->next_batch, &id->next_lead, &id->next_retry, &id->leads_n,
                           &id->refusals_n, &id->retries_n, &id->forgotten_n};
    for (int i = 0; i < 7; i++)
        *numbers[i] = (uint64_t)sqlite3_column_int64(st, 5 + i);
    id->absent_n = (uint64_t)sqlite3_column_int64(st, 12);
    id->absent_counted = id->leads_n == 0 || !db_is_null(st, 12);
    id->journal_noted = sqlite3_column_int(st, 13) != 0;
    int result = replace_text(&id->sync, st, 2, e) < 0 || replace_text(&id->api_host, st, 3, e) < 0 ? -1 : 0;
    sqlite3_reset(st);
    return result < 0 ? -1 : check_counts(s, e);
}

int identity_store(struct state *s, struct err *e)
{
    const struct identity *id = &s->id;
    if (serial_next(s, e) < 0)
        return -1;
    if (id->absent_counted && db_run(&s->main, e,
                                     "INSERT INTO settings(name, value) VALUES('leads_gone', CAST(? AS TEXT))"
                                     " ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                                     "u", id->absent_n) < 0)
        return -1;
    return db_run(&s->main, e,
                  "UPDATE identity SET sync = ?, api_host = ?, hashed = ?, next_batch = ?, next_lead = ?, next_retry = ?,"
                  " leads_n = ?, refusals_n = ?, retries_n = ?, forgotten_n = ? WHERE one = 1",
                  "zziuuuuuuu", id->sync, id->api_host, (int64_t)id->hashed, id->next_batch, id->next_lead, id->next_retry,
                  id->leads_n, id->refusals_n, id->retries_n, id->forgotten_n);
}

int identity_count_absent(struct state *s, struct err *e)
{
    int64_t n = 0;
    if (s->id.absent_counted)
        return 0;
    if (db_int(&s->main, &n, 0, "SELECT count(*) FROM leads WHERE flags & 6 <> 0", e) < 0)
        return -1;
    s->id.absent_n = (uint64_t)n;
    s->id.absent_counted = true;
    return 0;
}

/* Compares what was asked for with what the file says; *set becomes true when the file did not say. */
static int agree(struct state *s, char **stored, const char *asked, const char *what, bool *set, struct err *e)
{
    if (asked == NULL)
        return 0;
    if (*stored != NULL) {
        if (stored == &s->id.sync ? state_name_is(*stored, asked) : strcmp(*stored, asked) == 0)
            return 0;
        return err_set(e, XS_CONFIG, "%s: belongs to %s %s, not %s; name another state with --state", s->path, what, *stored,
                       asked);
    }
    if (s->access == STATE_READ)
        return 0;
    *stored = strdup(asked);
    *set = true;
    return *stored == NULL ? err_oom(e) : 0;
}

static int check_identity(struct state *s, const struct state_options *o, const char *host, struct err *e)
{
    bool set = false;
    if (agree(s, &s->id.sync, o->sync, "sync", &set, e) < 0 || agree(s, &s->id.api_host, host, "the API at", &set, e) < 0)
        return -1;
    if (!set)
        return 0;
    if (db_begin(&s->main, e) < 0)
        return -1;
    return identity_store(s, e) < 0 || db_commit(&s->main, e) < 0 ? -1 : 0;
}

/* ---- the file ---- */

/* 1 there is a file, 0 there is none. */
static int look_at_file(const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st) < 0 && errno != ENOENT)
        return err_errno(e, XS_STATE, errno, "%s", path);
    if (stat(path, &st) < 0)
        return lstat(path, &st) == 0 ? state_missing(path, e) : 0;
    if (S_ISDIR(st.st_mode))
        return err_set(e, XS_STATE, "%s: is a folder; --state wants the name of a file", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, XS_STATE, "%s: is not a regular file; name another with --state", path);
    if (st.st_size == 0)
        return err_set(e, XS_STATE, "%s: is empty, so it is not a state; remove it, or name another with --state", path);
    if (access(path, R_OK) < 0)
        return err_errno(e, XS_STATE, errno, "%s: cannot be read; check who owns it", path);
    return 1;
}

/* A file that came from a backup or a copy may be readable by others. */
static int tighten(const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st) == 0 && (st.st_mode & 077) != 0 && chmod(path, 0600) < 0)
        return err_errno(e, XS_STATE, errno, "%s: is readable by others and cannot be changed", path);
    return 0;
}

static int open_for_reading(struct state *s, struct err *e)
{
    int version;
    /* The journal's snapshot before the main file's: a merge between the two is then seen twice, which is harmless
     * since merged batches are known by their ids, and never missed. */
    if (db_open(&s->main, s->path, false, e) < 0 ||
        state_schema_check(&s->main, STATE_APPLICATION_ID, SCHEMA_VERSION, &version, e) < 0)
        return -1;
    if (version < SCHEMA_VERSION)
        return err_set(e, XS_STATE, "%s: was written by an older leadsync; `leadsync resume` brings it up to date", s->path);
    if (lock_guard_share(s, e) < 0 || wal_pair_check(s, e) < 0 || identity_load(s, e) < 0 || journal_open(s, false, e) < 0)
        return -1;
    if (db_exec(&s->main, "BEGIN", e) < 0 || identity_load(s, e) < 0)
        return -1;
    return journal_check(s, e) < 0 ? -1 : journal_pair_check(s, e);
}

static int open_for_writing(struct state *s, struct err *e)
{
    int version;
    if (tighten(s->path, e) < 0 || db_open(&s->main, s->path, true, e) < 0)
        return -1;
    sqlite3_db_config(s->main.h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL); /* Until wal_pair_check() allows it. */
    if (state_schema_check(&s->main, STATE_APPLICATION_ID, SCHEMA_VERSION, &version, e) < 0 || wal_pair_check(s, e) < 0)
        return -1;
    if (sqlite3_db_readonly(s->main.h, "main") == 1)
        return err_set(e, XS_STATE, "%s: cannot be written; check who owns it and its folder", s->path);
    /* A step must not happen under a run of an older leadsync. */
    if (version < SCHEMA_VERSION &&
        (state_lock(s, 0, e) < 0 || schema_migrate(&s->main, schema_steps, s, SCHEMA_VERSION, e) < 0))
        return -1;
    if (db_exec(&s->main, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", e) < 0 || identity_load(s, e) < 0)
        return -1;
    if (bulk_insert_register(&s->main, &s->feed, e) < 0)
        return -1;
    /* Zeroes are written over what is deleted where the point of the mode is that nothing is left to read. */
    return db_exec(&s->main, s->hashed ? "PRAGMA secure_delete = ON" : "PRAGMA secure_delete = FAST", e);
}

static int set_cache(struct state *s, struct err *e)
{
    char pragma[64];
    size_t kb = s->memory_max / CACHE_SHARE / 1024;
    kb = kb < CACHE_KB_MIN ? CACHE_KB_MIN : kb > CACHE_KB_MAX ? CACHE_KB_MAX : kb;
    snprintf(pragma, sizeof pragma, "PRAGMA cache_size = -%zu", kb);
    return db_exec(&s->main, pragma, e);
}

static struct state *new_state(const struct state_options *o, struct err *e)
{
    struct state *s = calloc(1, sizeof *s);
    if (s == NULL) {
        err_oom(e);
        return NULL;
    }
    s->lock_fd = s->guard_fd = -1;
    s->access = o->access;
    s->claim = o->claim;
    s->hashed = o->values_hashed;
    s->memory_max = o->memory_max;
    s->clock = o->clock;
    s->journal.may_be_lost = o->journal_lost;
    buf_init(&s->journal.loose_intents, BLOB_BYTES_MAX);
    buf_init(&s->journal.loose_outcomes, BLOB_BYTES_MAX);
    buf_init(&s->journal.pack, BLOB_BYTES_MAX);
    return s;
}

/* The lock and the journal stand beside the file itself, so that a state has one of each under whatever name. */
static int set_paths(struct state *s, const char *path, struct err *e)
{
    if (state_path_resolve(path, &s->path, e) < 0)
        return -1;
    if (asprintf(&s->journal_path, "%s.journal", s->path) < 0)
        s->journal_path = NULL;
    if (asprintf(&s->lock_path, "%s.lock", s->path) < 0)
        s->lock_path = NULL;
    return s->journal_path != NULL && s->lock_path != NULL ? 0 : err_oom(e);
}

/* A caller without a mapping (such as resume of a state) keeps the file's own setting. */
static int keep_mode(struct state *s, const struct state_options *o, struct err *e)
{
    if (o->sync != NULL || !s->id.hashed || s->hashed)
        return 0;
    s->hashed = true;
    return s->access == STATE_WRITE ? db_exec(&s->main, "PRAGMA secure_delete = ON", e) : 0;
}

static int open_file(struct state *s, const struct state_options *o, const char *host, struct err *e)
{
    int there = look_at_file(o->path, e);
    if (there < 0)
        return -1;
    if (there == 0 && s->access == STATE_READ)
        return 1;
    if ((there == 0 && state_create(o, host, e) < 0) || set_paths(s, o->path, e) < 0)
        return -1;
    if ((s->access == STATE_READ ? open_for_reading(s, e) : open_for_writing(s, e)) < 0)
        return -1;
    if (check_identity(s, o, host, e) < 0 || keep_mode(s, o, e) < 0 || set_cache(s, e) < 0 || lookup_register(s, e) < 0)
        return -1;
    /* A journal that is there goes on; a new one is made when there is something to write. */
    return s->access == STATE_WRITE && journal_open(s, false, e) < 0 ? -1 : 0;
}

int state_open(const struct state_options *options, struct state **out, struct err *e)
{
    char *host = NULL;
    *out = NULL;
    if (options->api_host != NULL && (host = state_host_name(options->api_host, e)) == NULL)
        return -1;
    struct state *s = new_state(options, e);
    int result = s == NULL ? -1 : open_file(s, options, host, e);
    free(host);
    if (result != 0) {
        if (s != NULL && e->status == XS_LOCKED)
            lock_name_holder(s, e);
        state_close(s);
        return result;
    }
    *out = s;
    return 0;
}

void state_close(struct state *s)
{
    if (s == NULL)
        return;
    lookup_free(s->lookup);
    lists_close(s);
    lead_ids_free(s);
    journal_close(s);
    buf_free(&s->journal.loose_intents);
    buf_free(&s->journal.loose_outcomes);
    buf_free(&s->journal.pack);
    db_rollback(&s->main);
    db_close(&s->main);
    if (s->guard_fd >= 0)
        close(s->guard_fd);
    /* Last: until here no other process may write. */
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    explicit_bzero(s->id.secret, sizeof s->id.secret);
    free(s->id.sync);
    free(s->id.api_host);
    free(s->setting);
    free(s->path);
    free(s->journal_path);
    free(s->lock_path);
    free(s);
}

/* ---- commits ---- */

int state_write_begin(struct state *s, struct err *e)
{
    if (s->access != STATE_WRITE || s->lock_fd < 0)
        return err_set(e, XS_INTERNAL, "%s: written to %s; please report this", s->path,
                       s->access != STATE_WRITE ? "although it was opened for reading" : "without its lock");
    if (db_begin(&s->main, e) < 0)
        return -1;
    state_touch(s);
    return 0;
}

void state_touch(struct state *s)
{
    if (s->pending_n++ == 0)
        s->pending_since_us = s->clock->mono_us(s->clock);
}

int state_commit(struct state *s, struct err *e)
{
    /* The journal first: what the main file holds until here (a watermark, above all) says that everything before it is
     * durable. What a batch refers to (its run, targets, shapes) was committed when it was put. */
    if (journal_failed(s, e) || journal_flush_loose(s, e) < 0 || (s->journal.open && db_commit(&s->journal.db, e) < 0))
        return -1;
    if (s->access == STATE_WRITE && db_commit(&s->main, e) < 0)
        return -1;
    s->pending_n = 0;
    return 0;
}

void state_rollback(struct state *s)
{
    db_rollback(&s->main);
    s->pending_n = 0;
}

size_t state_pending(const struct state *s, int64_t *age_us)
{
    if (age_us != NULL)
        *age_us = s->pending_n > 0 ? s->clock->mono_us(s->clock) - s->pending_since_us : 0;
    return s->pending_n;
}

const unsigned char *state_secret(const struct state *s)
{
    return s->id.secret;
}

const char *state_sync(const struct state *s)
{
    return s->id.sync != NULL ? s->id.sync : "";
}

const char *state_host(const struct state *s)
{
    return s->id.api_host;
}
