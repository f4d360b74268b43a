/* Forgetting a person: every table is searched, because where the identity is not the address only values tell. */
#include "config.h"

#include "sync/base/text.h"
#include "sync/state/results.h"
#include "sync/state/values.h"

#include <string.h>

enum { EMAIL_MAX = 64 << 10 };

struct forget {
    struct state *state;
    struct hash128 key;    /* of the address */
    struct buf folded;     /* the address, case-folded */
    uint64_t hash;         /* under which it stands among hashed values */
    struct value_hasher hasher;
    struct buf scratch;
    struct forgotten *counts;
};

static int folded_is(struct forget *f, struct str text, bool *same, struct err *e)
{
    buf_reset(&f->scratch);
    if (text_fold(str_trim(text), &f->scratch) < 0)
        return err_oom(e);
    *same = str_eq(buf_str(&f->scratch), buf_str(&f->folded));
    return 0;
}

/* The address anywhere in the text, whatever its case. */
static int folded_in(struct forget *f, struct str text, bool *in, struct err *e)
{
    buf_reset(&f->scratch);
    *in = false;
    if (text.n < f->folded.n)
        return 0;
    if (text_fold(text, &f->scratch) < 0)
        return err_oom(e);
    *in = memmem(f->scratch.p, f->scratch.n, f->folded.p, f->folded.n) != NULL;
    return 0;
}

static int packed_is(struct forget *f, struct str packed, bool *same, struct err *e)
{
    struct lead lead;
    *same = false;
    if (packed.n == 0)
        return 0;
    if (value_hasher_unpack(&f->hasher, packed, &lead, e) < 0)
        return -1;
    const struct value *email = &lead.core[LEAD_EMAIL];
    return email->kind == VALUE_STRING ? folded_is(f, (struct str){email->p, email->n}, same, e) : 0;
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
    s->id.gone_n -= gone == 1 && s->id.gone_counted;
    if (db_run(db, e, "DELETE FROM former_ids WHERE n = (SELECT n FROM leads WHERE key = ?)", "k", key) < 0 ||
        db_run(db, e, "DELETE FROM lead_values WHERE n = (SELECT n FROM leads WHERE key = ?)", "k", key) < 0 ||
        db_run(db, e, "DELETE FROM leads WHERE key = ?", "k", key) < 0)
        return -1;
    s->id.leads_n -= (uint64_t)sqlite3_changes(db->h);
    f->counts->leads += (uint64_t)sqlite3_changes(db->h);
    if (db_run(db, e, "DELETE FROM refusals WHERE key = ?", "k", key) < 0)
        return -1;
    s->id.refusals_n -= (uint64_t)sqlite3_changes(db->h);
    f->counts->others += (uint64_t)sqlite3_changes(db->h);
    if (db_run(db, e, "DELETE FROM retry_values WHERE n = (SELECT n FROM retries WHERE key = ?)", "k", key) < 0 ||
        db_run(db, e, "DELETE FROM retries WHERE key = ?", "k", key) < 0)
        return -1;
    s->id.retries_n -= (uint64_t)sqlite3_changes(db->h);
    f->counts->others += (uint64_t)sqlite3_changes(db->h);
    if (db_run(db, e, "INSERT OR IGNORE INTO forgotten(key) VALUES(?)", "k", key) < 0)
        return -1;
    s->id.forgotten_n += (uint64_t)sqlite3_changes(db->h);
    return 0;
}

static int is_person(struct forget *f, sqlite3_stmt *st, struct hash128 *key, bool *person, struct err *e)
{
    struct str text, packed = db_blob(st, 2);
    int hashed;
    if (who_take(f->state, st, 1, key, &text, e) < 0 || (hashed = values_are_hashed(f->state, key, e)) < 0)
        return -1;
    *person = hash128_eq(key, &f->key);
    if (!*person && text.n > 0 && folded_is(f, text, person, e) < 0)
        return -1;
    if (!*person && hashed == 1)
        *person = values_have_hash(packed, f->hash);
    return *person || hashed == 1 ? 0 : packed_is(f, packed, person, e);
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
        if (is_person(f, st, &key, &person, e) < 0 || (person && drop_key(f, &key, e) < 0))
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
    while ((rc = db_query(db, &st, e, "SELECT n, intent FROM retry_values WHERE n > ? ORDER BY n LIMIT 1", "u",
                          after)) == 1) {
        struct str intent = db_blob(st, 1);
        const char *p = intent.p;
        struct entry entry;
        bool person = false;
        after = (uint64_t)sqlite3_column_int64(st, 0);
        if (intent.n == 0 || entry_unpack_intent(&p, intent.p + intent.n, &entry) < 0)
            return err_set(e, XS_STATE, "%s: an entry of the retry table is damaged", f->state->path);
        struct hash128 key = entry.key;
        if (packed_is(f, entry.values, &person, e) < 0)
            return -1;
        if (person && drop_key(f, &key, e) < 0)
            return -1;
    }
    return rc;
}

static int edit_result(void *ctx, struct result *r, struct err *e)
{
    struct forget *f = ctx;
    struct entry *entry = &r->entry;
    bool person = false, in = false;
    /* By now every key under which the person was known stands among the forgotten. */
    if (r->lead == 0 && state_forgotten(f->state, &entry->key, &person, e) < 0)
        return -1;
    if (!person && entry->key_text.n > 0 && folded_is(f, entry->key_text, &person, e) < 0)
        return -1;
    if (entry->detail.n > 0 && folded_in(f, entry->detail, &in, e) < 0)
        return -1;
    if (!person && !in)
        return 0;
    entry->detail = STR_NONE;
    if (person) {
        entry->key_text = STR_NONE;
        memset(&entry->key, 0, sizeof entry->key);
    }
    f->counts->others++;
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
        if (folded_in(f, cells, &in, e) < 0)
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
        f->counts->others += rc == 1;
    }
    buf_free(&out);
    return rc < 0 ? -1 : 0;
}

static int forget_jobs(struct forget *f, struct err *e)
{
    struct db *db = &f->state->main;
    if (buf_cstr(&f->folded) == NULL)
        return err_oom(e);
    if (db_run(db, e, "UPDATE jobs SET filters = NULL WHERE instr(lower(filters), ?) > 0", "t", buf_str(&f->folded)) <
        0)
        return -1;
    f->counts->others += (uint64_t)sqlite3_changes(db->h);
    return 0;
}

/* What merges and prunings let go of before is still in pages that nobody uses: the file is written anew, and nothing
 * older is left in the WAL. The person is forgotten by now, whatever becomes of this. */
static int scrub(struct state *s, struct err *e)
{
    int64_t busy;
    db_reset_all(&s->main);
    if (db_exec(&s->main, "VACUUM", e) < 0 ||
        db_int(&s->main, &busy, 0, "PRAGMA wal_checkpoint(TRUNCATE)", e) < 0)
        return err_context(e, "forgotten, but old bytes may still be in free pages; run the same command again");
    if (busy != 0)
        return err_set(e, XS_LOCKED, "forgotten, but old bytes may still be in %s-wal while another program reads the "
                       "state; run the same command again when it is done", s->path);
    return 0;
}

static int forget_status(struct forget *f, struct err *e)
{
    struct db *db = &f->state->main;
    if (db_run(db, e, "DELETE FROM people WHERE address = ?", "u", f->hash) < 0)
        return -1;
    f->counts->others += (uint64_t)sqlite3_changes(db->h);
    return 0;
}

static int forget_all(struct forget *f, struct err *e)
{
    struct state *s = f->state;
    if (db_exec(&s->main, "PRAGMA secure_delete = ON", e) < 0 || state_write_begin(s, e) < 0)
        return -1;
    if (forget_leads(f, e) < 0 || forget_retries(f, e) < 0 || drop_key(f, &f->key, e) < 0)
        return -1;
    if (results_rewrite(s, edit_result, f, e) < 0 || forget_cells(f, e) < 0 || forget_jobs(f, e) < 0 ||
        forget_status(f, e) < 0)
        return -1;
    return identity_store(s, e) < 0 || state_commit(s, e) < 0 ? -1 : scrub(s, e);
}

int state_forget(struct state *s, struct str email, const struct hash128 *key, struct forgotten *counts, struct err *e)
{
    struct forget f = {.state = s, .key = *key, .counts = counts};
    memset(counts, 0, sizeof *counts);
    if (state_commit(s, e) < 0 || journal_empty(s, e) < 0)
        return -1;
    if (s->journal.open)
        return err_set(e, XS_STATE,
                       "%s: a run is not settled yet and may hold that person; run `leadsync resume` first",
                       s->journal_path);
    buf_init(&f.folded, EMAIL_MAX);
    buf_init(&f.scratch, BLOB_BYTES_MAX);
    value_hasher_init(&f.hasher, s);
    int result = text_fold(str_trim(email), &f.folded) < 0 ? err_oom(e) : 0;
    if (result == 0 && f.folded.n == 0)
        result = err_set(e, XS_USAGE, "an empty address names nobody; give the address to forget");
    if (result == 0) {
        f.hash = values_email_hash(s, buf_str(&f.folded));
        result = forget_all(&f, e);
    }
    if (result < 0) {
        struct err ignored = ERR_INIT;
        db_rollback(&s->main);
        identity_load(s, &ignored);
        err_clear(&ignored);
    }
    buf_free(&f.folded);
    buf_free(&f.scratch);
    value_hasher_free(&f.hasher);
    return result;
}
