/* Forgetting a person: every table is searched, because where the identity is not the address only values tell. */
#include "config.h"

#include "sync/state/forget/person.h"
#include "sync/state/tables/results.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The name of a setting: this, and a forgotten key in hex. Its value is the key of the person's address. */
#define FORGOTTEN_KEY "forgotten_key "

struct forget {
    struct person person;
    struct state *state;
};

/* The ids of a lead, for the results and jobs that have nothing else of the person. */
static int note_ids(struct forget *f, const struct hash128 *key, struct err *e)
{
    struct db *db = &f->state->main;
    sqlite3_stmt *st;
    struct uuid id;
    int rc = db_query(db, &st, e,
                      "SELECT lead_id FROM lead_values WHERE n = (SELECT n FROM leads WHERE key = ?1)"
                      " UNION SELECT lead_id FROM former_ids WHERE n = (SELECT n FROM leads WHERE key = ?1)",
                      "k", key);
    for (; rc == 1; rc = db_next(db, st, e))
        if (db_blob16(st, 0, id.b) && person_add_id(&f->person, &id, e) < 0) {
            sqlite3_reset(st);
            return -1;
        }
    return rc;
}

/* Another key of the person is kept with that of the address, so that state_unforget() finds it. */
static int note_key(struct forget *f, const struct hash128 *key, struct err *e)
{
    struct db *db = &f->state->main;
    if (db_run(db, e, "INSERT OR IGNORE INTO forgotten(key) VALUES(?)", "k", key) < 0)
        return -1;
    f->state->id.forgotten_n += (uint64_t)sqlite3_changes(db->h);
    if (hash128_eq(key, &f->person.key))
        return 0;
    return db_run(db, e, "INSERT OR REPLACE INTO settings(name, value) VALUES('" FORGOTTEN_KEY "' || hex(?), hex(?))", "kk",
                  key, &f->person.key);
}

static int drop_key(struct forget *f, const struct hash128 *key, struct err *e)
{
    struct state *s = f->state;
    struct db *db = &s->main;
    sqlite3_stmt *st;
    int gone = db_query(db, &st, e, "SELECT 1 FROM leads WHERE key = ? AND flags & 6 <> 0", "k", key);
    if (gone < 0)
        return -1;
    if (gone == 1)
        sqlite3_reset(st);
    if (note_ids(f, key, e) < 0)
        return -1;
    s->id.absent_n -= gone == 1 && s->id.absent_counted;
    if (db_run(
            db, e,
            "DELETE FROM pulled WHERE lead IN (SELECT lead_id FROM lead_values WHERE n = (SELECT n FROM leads WHERE key = ?1)"
            " UNION SELECT lead_id FROM former_ids WHERE n = (SELECT n FROM leads WHERE key = ?1))",
            "k", key) < 0 ||
        db_run(db, e, "DELETE FROM former_ids WHERE n = (SELECT n FROM leads WHERE key = ?)", "k", key) < 0 ||
        db_run(db, e, "DELETE FROM lead_values WHERE n = (SELECT n FROM leads WHERE key = ?)", "k", key) < 0 ||
        db_run(db, e, "DELETE FROM leads WHERE key = ?", "k", key) < 0)
        return -1;
    s->id.leads_n -= (uint64_t)sqlite3_changes(db->h);
    if (db_run(db, e, "DELETE FROM refusals WHERE key = ?", "k", key) < 0)
        return -1;
    s->id.refusals_n -= (uint64_t)sqlite3_changes(db->h);
    if (db_run(db, e, "DELETE FROM retry_values WHERE n = (SELECT n FROM retries WHERE key = ?)", "k", key) < 0 ||
        db_run(db, e, "DELETE FROM retries WHERE key = ?", "k", key) < 0)
        return -1;
    s->id.retries_n -= (uint64_t)sqlite3_changes(db->h);
    return note_key(f, key, e);
}

static int forget_leads(struct forget *f, struct err *e)
{
    struct db *db = &f->state->main;
    sqlite3_stmt *st;
    uint64_t after = 0;
    int rc;
    while ((rc = db_query(db, &st, e, "SELECT n, who, packed FROM lead_values WHERE n > ? ORDER BY n LIMIT 1", "u",
                          after)) == 1) {
        struct hash128 key;
        bool person = false;
        after = (uint64_t)sqlite3_column_int64(st, 0);
        if (person_is_lead(&f->person, st, &key, &person, e) < 0 || (person && drop_key(f, &key, e) < 0))
            return -1;
    }
    return rc;
}

static int forget_retries(struct forget *f, struct err *e)
{
    struct db *db = &f->state->main;
    sqlite3_stmt *st;
    uint64_t after = 0;
    int rc;
    while ((rc = db_query(db, &st, e, "SELECT n, intent FROM retry_values WHERE n > ? ORDER BY n LIMIT 1", "u", after)) ==
           1) {
        struct str intent = db_blob(st, 1);
        const char *p = intent.p;
        struct entry entry;
        bool person = false;
        after = (uint64_t)sqlite3_column_int64(st, 0);
        if (intent.n == 0 || entry_unpack_intent(&p, intent.p + intent.n, &entry) < 0)
            return err_set(e, XS_STATE, "%s: an entry of the retry table is damaged", f->state->path);
        struct hash128 key = entry.key;
        if (person_is_packed(&f->person, entry.values, &person, e) < 0)
            return -1;
        if (person && drop_key(f, &key, e) < 0)
            return -1;
    }
    return rc;
}

/* The values of a change are the person's own, though they name no address. What is known of the leads is gone by now. */
static int edit_changes(struct forget *f, struct result *r, bool *edited, struct err *e)
{
    int64_t known = 1;
    if (r->entry.changes.n == 0)
        return 0;
    if (person_in_changes(&f->person, r->entry.changes, edited, e) < 0)
        return -1;
    if (!*edited && r->lead != 0) {
        sqlite3_stmt *st;
        int rc = db_query(&f->state->main, &st, e, "SELECT 1 FROM lead_values WHERE n = ?", "u", r->lead);
        if (rc == 1)
            sqlite3_reset(st);
        known = rc;
    }
    *edited = *edited || known == 0;
    if (*edited)
        r->entry.changes = STR_NONE;
    return known < 0 ? -1 : 0;
}

static int edit_result(void *ctx, struct result *r, struct err *e)
{
    struct forget *f = ctx;
    struct entry *entry = &r->entry;
    bool person = false, in = false, changes = false;
    /* By now every key under which the person was known stands among the forgotten. */
    if (r->lead == 0 && state_forgotten(f->state, &entry->key, &person, e) < 0)
        return -1;
    if (!person && entry->key_text.n > 0 && person_is_text(&f->person, entry->key_text, &person, e) < 0)
        return -1;
    person = person || (entry->has_lead_id && person_has_id(&f->person, &entry->lead_id));
    if (entry->detail.n > 0 && person_named_in(&f->person, entry->detail, &in, e) < 0)
        return -1;
    if (edit_changes(f, r, &changes, e) < 0)
        return -1;
    if (!person && !in)
        return changes;
    entry->detail = STR_NONE;
    if (person) {
        entry->changes = STR_NONE;
        entry->key_text = STR_NONE;
        entry->has_lead_id = false;
        memset(&entry->key, 0, sizeof entry->key);
    }
    return 1;
}

/* 1 when cells of the person were left out of `out`. */
static int edit_cells(struct forget *f, struct str blob, struct buf *out, struct err *e)
{
    const char *p = blob.p, *end = blob.n > 0 ? blob.p + blob.n : blob.p;
    struct str cells;
    size_t position;
    int rc, changed = 0;
    buf_reset(out);
    while ((rc = reject_unpack(&p, end, &position, &cells)) == 1) {
        bool in;
        if (person_in_cells(&f->person, cells, &in, e) < 0)
            return -1;
        if (in)
            changed = 1;
        else if (reject_pack(out, position, cells) < 0)
            return err_oom(e);
    }
    return rc == 0 ? changed : err_set(e, XS_STATE, "%s: kept rows are damaged", f->state->path);
}

static int forget_cells(struct forget *f, struct err *e)
{
    struct db *db = &f->state->main;
    struct buf out = BUF_INIT(BLOB_BYTES_MAX);
    sqlite3_stmt *st;
    uint64_t after = 0;
    int rc;
    while ((rc = db_query(db, &st, e, "SELECT batch, cells FROM rejects WHERE batch > ? ORDER BY batch LIMIT 1", "u",
                          after)) == 1) {
        after = (uint64_t)sqlite3_column_int64(st, 0);
        rc = edit_cells(f, db_blob(st, 1), &out, e);
        if (rc == 1 && db_run(db, e, "UPDATE rejects SET cells = ? WHERE batch = ?", "bu", buf_str(&out), after) < 0)
            rc = -1;
        if (rc < 0)
            break;
    }
    buf_free(&out);
    return rc < 0 ? -1 : 0;
}

static int forget_job_text(struct forget *f, struct str text, struct err *e)
{
    return text.n == 0 ? 0
                       : db_run(&f->state->main, e,
                                "UPDATE jobs SET filters = NULL"
                                " WHERE instr(lower(filters), '\"' || ? || '\"') > 0",
                                "t", text);
}

static int forget_jobs(struct forget *f, struct err *e)
{
    char id[UUID_TEXT_N];
    int rc = forget_job_text(f, buf_str(&f->person.folded), e) < 0 || forget_job_text(f, buf_str(&f->person.unicode), e) < 0
                 ? -1
                 : 0;
    for (size_t i = 0; rc == 0 && i < f->person.ids_n; i++)
        rc = forget_job_text(f, str_from(uuid_format(&f->person.ids[i], id)), e);
    return rc;
}

/* Unused pages still have what earlier merges and prunings dropped. So the file is rewritten, and the WAL keeps nothing
 * older. The person is already forgotten, even if this fails. */
static int scrub(struct state *s, struct err *e)
{
    int64_t busy;
    db_reset_all(&s->main);
    if (db_exec(&s->main, "VACUUM", e) < 0 || db_int(&s->main, &busy, 0, "PRAGMA wal_checkpoint(TRUNCATE)", e) < 0)
        return err_context(e, "forgotten, but old bytes may still be in free pages; run the same command again");
    if (busy != 0)
        return err_set(e, XS_LOCKED,
                       "forgotten, but old bytes may still be in %s-wal while another program reads the "
                       "state; run the same command again when it is done",
                       s->path);
    return 0;
}

static int forget_status(struct forget *f, struct err *e)
{
    return db_run(&f->state->main, e, "DELETE FROM people WHERE address = ?", "u", f->person.hash);
}

static int forget_all(struct forget *f, struct err *e)
{
    struct state *s = f->state;
    if (db_exec(&s->main, "PRAGMA secure_delete = ON", e) < 0 || state_write_begin(s, e) < 0)
        return -1;
    if (forget_leads(f, e) < 0 || forget_retries(f, e) < 0 || drop_key(f, &f->person.key, e) < 0)
        return -1;
    if (results_rewrite(s, edit_result, f, e) < 0 || forget_cells(f, e) < 0 || forget_jobs(f, e) < 0 ||
        forget_status(f, e) < 0)
        return -1;
    return identity_store(s, e) < 0 || state_commit(s, e) < 0 ? -1 : scrub(s, e);
}

/* Leads of the targets that an interrupted reading has left beside the state. */
static int remove_pages(const struct state *s, struct err *e)
{
    struct buf path = BUF_INIT(1 << 16);
    int rc = buf_addf(&path, "%s.remote", s->path) != 0 || buf_cstr(&path) == NULL ? err_oom(e) : 0;
    if (rc == 0 && unlink(path.p) != 0 && errno != ENOENT)
        rc = err_errno(e, XS_STATE, errno, "%s", path.p);
    buf_free(&path);
    return rc;
}

int state_forget(struct state *s, const struct person_name *name, struct forgotten *counts, struct err *e)
{
    struct forget f = {.state = s};
    if (state_commit(s, e) < 0 || journal_empty(s, e) < 0)
        return -1;
    if (s->journal.open)
        return err_set(e, XS_STATE,
                       "%s: requests of a run are not settled yet and may hold this person; run `leadsync resume "
                       "--state %s`, then the same command again",
                       s->path, s->path);
    if (state_person_count(s, name, counts, e) != 0)
        return -1;
    int result = person_init(&f.person, s, name, e) < 0 ? -1 : forget_all(&f, e);
    if (result < 0) {
        struct err ignored = ERR_INIT;
        db_rollback(&s->main);
        identity_load(s, &ignored);
        err_clear(&ignored);
    }
    person_free(&f.person);
    return result < 0 ? -1 : remove_pages(s, e);
}

/* ---- the way back ---- */

static int unforget(struct state *s, const struct hash128 *key, uint64_t *keys, struct err *e)
{
    struct db *db = &s->main;
    if (state_write_begin(s, e) < 0 ||
        db_run(db, e,
               "DELETE FROM forgotten WHERE key = ?1 OR hex(key) IN (SELECT substr(name, length('" FORGOTTEN_KEY
               "') + 1) FROM settings WHERE name GLOB '" FORGOTTEN_KEY "*' AND value = hex(?1))",
               "k", key) < 0)
        return -1;
    *keys = (uint64_t)sqlite3_changes(db->h);
    s->id.forgotten_n -= *keys;
    if (db_run(db, e, "DELETE FROM settings WHERE name GLOB '" FORGOTTEN_KEY "*' AND value = hex(?)", "k", key) < 0)
        return -1;
    return identity_store(s, e) < 0 ? -1 : state_commit(s, e);
}

int state_unforget(struct state *s, struct str address, uint64_t *keys, struct err *e)
{
    const struct hash128 key = hash_keyed128(s->id.secret, address.p, address.n);
    int result = unforget(s, &key, keys, e);
    if (result < 0) {
        struct err ignored = ERR_INIT;
        db_rollback(&s->main);
        identity_load(s, &ignored);
        err_clear(&ignored);
    }
    return result;
}
