/* Reading the journal back, batch by batch, and emptying it. Every byte may be wrong: the file may be years old. */
#include "config.h"

#include "sync/state/schema.h"
#include "sync/state/state_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int malformed(struct state *s, uint64_t id, struct err *e)
{
    return err_set(e, XS_STATE, "%s: batch %llu is damaged; restore it together with %s from a backup", s->journal_path,
                   (unsigned long long)id, s->path);
}

/* Intents and, unless the batch is open, outcomes into one array. The array is no larger than its bytes allow. */
static int decode(struct state *s, struct journal_batch *out, struct str intents, struct str outcomes, bool settled,
                  struct arena *arena, struct err *e)
{
    size_t n = out->b.entries_n;
    if (n > intents.n)
        return malformed(s, out->b.id, e);
    bool loose = out->b.op == OP_NONE;
    struct entry *entries = arena_alloc(arena, n * sizeof *entries); /* each is written whole */
    uint32_t *targets = loose ? arena_calloc(arena, n == 0 ? 1 : n, sizeof *targets) : NULL;
    if (entries == NULL || (loose && targets == NULL))
        return err_oom(e);
    const char *p = intents.p, *end = p + intents.n;
    const char *o = outcomes.p, *o_end = o + outcomes.n;
    for (size_t i = 0; i < n; i++) {
        unsigned long long target = 0;
        if (loose && (unpack_varint(&p, end, &target) < 0 || target > UINT32_MAX))
            return malformed(s, out->b.id, e);
        if (entry_unpack_intent(&p, end, &entries[i]) < 0 || (settled && entry_unpack_outcome(&o, o_end, &entries[i]) < 0))
            return malformed(s, out->b.id, e);
        if (loose)
            targets[i] = (uint32_t)target;
    }
    if (p != end || (settled && o != o_end))
        return malformed(s, out->b.id, e);
    out->b.entries = entries;
    out->targets = targets;
    return 0;
}

#define BATCH_COLUMNS \
    "SELECT b.id, b.run, b.op, b.state, b.target, b.source, b.sent_ms, b.skew_ms, b.http_status, b.body_sha256, " \
    "b.job," \
    " b.entries_n, i.entries, o.entries FROM batches b JOIN intents i USING(id) LEFT JOIN outcomes o USING(id)"

/* Numbers that no version has written are damage, and are refused before they are used as an index. */
static int read_batch(struct state *s, sqlite3_stmt *st, struct arena *arena, struct journal_batch *out, struct err *e)
{
    static const char empty[] = "";
    struct batch *b = &out->b;
    memset(out, 0, sizeof *out);
    b->id = (uint64_t)sqlite3_column_int64(st, 0);
    b->run = (uint64_t)sqlite3_column_int64(st, 1);
    int op = sqlite3_column_int(st, 2), state = sqlite3_column_int(st, 3);
    if (op < OP_NONE || op >= OP_N || state < BATCH_PLANNED || state > BATCH_DONE)
        return malformed(s, b->id, e);
    b->op = (enum op)op;
    b->state = (enum batch_state)state;
    b->target = (uint32_t)sqlite3_column_int64(st, 4);
    b->source = (uint32_t)sqlite3_column_int64(st, 5);
    b->sent_ms = sqlite3_column_int64(st, 6);
    b->skew_ms = sqlite3_column_int64(st, 7);
    b->http_status = sqlite3_column_int(st, 8);
    struct str digest = db_text(st, 9);
    if (digest.n < sizeof b->body_sha256)
        memcpy(b->body_sha256, digest.p, digest.n);
    b->job = db_is_null(st, 10) ? NULL : db_text(st, 10).p;
    b->entries_n = (size_t)sqlite3_column_int64(st, 11);
    struct str intents = db_blob(st, 12), outcomes = db_blob(st, 13);
    if (intents.p == NULL)
        intents.p = empty;
    if (outcomes.p == NULL)
        outcomes.p = empty;
    bool settled = state == BATCH_DONE;
    if (settled && db_is_null(st, 13))
        return malformed(s, b->id, e);
    return decode(s, out, intents, outcomes, settled, arena, e);
}

int batch_merged(struct state *s, uint64_t id, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&s->main, &st, e, "SELECT 1 FROM batches WHERE id = ?", "u", id);
    if (rc == 1)
        sqlite3_reset(st);
    return rc;
}

/* Batches that are merged already are left out: a run can die after the merge and before it has emptied the journal. */
int journal_next(struct state *s, enum journal_part part, uint64_t after, struct arena *arena, struct journal_batch *out,
                 struct err *e)
{
    static const struct {
        int low, high;
    } states[] = {[JOURNAL_SETTLED] = {BATCH_DONE, BATCH_DONE},
                  [JOURNAL_OPEN] = {BATCH_PLANNED, BATCH_DONE - 1},
                  [JOURNAL_ALL] = {BATCH_PLANNED, BATCH_DONE}};
    if (!s->journal.open)
        return 0;
    for (;;) {
        sqlite3_stmt *st;
        int rc = db_query(&s->journal.db, &st, e,
                          BATCH_COLUMNS " WHERE b.id > ? AND b.state BETWEEN ? AND ? ORDER BY b.id LIMIT 1", "uii", after,
                          (int64_t)states[part].low, (int64_t)states[part].high);
        if (rc != 1)
            return rc;
        after = (uint64_t)sqlite3_column_int64(st, 0);
        int merged = sqlite3_column_int(st, 3) == BATCH_DONE ? batch_merged(s, after, e) : 0;
        if (merged < 0)
            return -1;
        if (merged == 0)
            return read_batch(s, st, arena, out, e) < 0 ? -1 : 1;
    }
}

int journal_get(struct state *s, uint64_t id, struct arena *arena, struct journal_batch *out, struct err *e)
{
    sqlite3_stmt *st;
    if (!s->journal.open)
        return 0;
    int rc = db_query(&s->journal.db, &st, e, BATCH_COLUMNS " WHERE b.id = ?", "u", id);
    return rc != 1 ? rc : read_batch(s, st, arena, out, e) < 0 ? -1 : 1;
}

uint32_t journal_entry_target(const struct journal_batch *b, size_t i)
{
    return b->targets != NULL ? b->targets[i] : b->b.target;
}

/* ---- what is open ---- */

static int keep(struct arena *arena, struct str *s)
{
    return arena_str(arena, *s, s);
}

/* Everything that borrows from SQLite is copied. */
static int keep_batch(struct arena *arena, const struct batch *from, struct batch *to)
{
    *to = *from;
    if (from->job != NULL && (to->job = arena_dup(arena, from->job, strlen(from->job))) == NULL)
        return -1;
    for (size_t i = 0; i < to->entries_n; i++) {
        struct entry *entry = &to->entries[i];
        if (keep(arena, &entry->key_text) < 0 || keep(arena, &entry->email) < 0 || keep(arena, &entry->values) < 0 ||
            keep(arena, &entry->hashes) < 0 || keep(arena, &entry->cells) < 0 || keep(arena, &entry->cells_by_values) < 0 ||
            keep(arena, &entry->detail) < 0 || keep(arena, &entry->changes) < 0)
            return -1;
    }
    return 0;
}

/* All open batches at once, in memory of the caller. A run has a bounded number of them, and the next run settles them
 * first. */
int state_batches_open(struct state *s, struct arena *arena, struct batch **out, size_t *n, struct err *e)
{
    struct journal_batch jb;
    struct batch *found = NULL;
    uint64_t after = 0;
    size_t count = 0, cap = 0;
    int rc;
    *out = NULL;
    *n = 0;
    while ((rc = journal_next(s, JOURNAL_OPEN, after, arena, &jb, e)) == 1) {
        if (count == cap) {
            size_t grown_cap = cap == 0 ? 16 : cap * 2;
            struct batch *grown = arena_calloc(arena, grown_cap, sizeof *grown);
            if (grown == NULL)
                return err_oom(e);
            if (count > 0)
                memcpy(grown, found, count * sizeof *grown);
            found = grown;
            cap = grown_cap;
        }
        if (keep_batch(arena, &jb.b, &found[count]) < 0)
            return err_oom(e);
        after = jb.b.id;
        count++;
    }
    if (rc < 0)
        return -1;
    *out = found;
    *n = count;
    return 0;
}

/* ---- emptying ---- */

static int remove_one(const char *path, const char *suffix, struct err *e)
{
    char *name = NULL;
    if (asprintf(&name, "%s%s", path, suffix) < 0)
        return err_oom(e);
    int result = unlink(name) < 0 && errno != ENOENT ? err_errno(e, XS_STATE, errno, "%s", name) : 0;
    free(name);
    return result;
}

/* The files are removed while no process reads them. The database first: without it SQLite ignores the other two. */
static int remove_files(struct state *s, struct err *e)
{
    /* Closing would copy the whole WAL into a file that is about to go. */
    sqlite3_db_config(s->journal.db.h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    journal_close(s);
    if (remove_one(s->journal_path, "", e) < 0 || remove_one(s->journal_path, "-wal", e) < 0)
        return -1;
    return remove_one(s->journal_path, "-shm", e);
}

/* Is every batch settled and merged? 1/0/-1. */
static int all_merged(struct state *s, struct err *e)
{
    sqlite3_stmt *st;
    int merged = 1;
    int rc = db_query(&s->journal.db, &st, e, "SELECT id, state FROM batches", "");
    for (; rc == 1 && merged == 1; rc = db_next(&s->journal.db, st, e))
        merged = sqlite3_column_int(st, 1) < BATCH_DONE ? 0 : batch_merged(s, (uint64_t)sqlite3_column_int64(st, 0), e);
    if (rc == 1)
        sqlite3_reset(st);
    return rc < 0 ? -1 : merged;
}

/* The journal has open batches, or another process reads it. So the files stay, and only what is merged is deleted. */
static int delete_merged(struct state *s, struct err *e)
{
    struct db *db = &s->journal.db;
    sqlite3_stmt *st;
    uint64_t after = 0;
    int rc;
    /* In the hashed mode nothing readable may stay behind in free pages. */
    if (db_exec(db, s->hashed ? "PRAGMA secure_delete = ON" : "PRAGMA secure_delete = FAST", e) < 0 || db_begin(db, e) < 0)
        return -1;
    while ((rc = db_query(db, &st, e,
                          "SELECT id FROM batches WHERE state = " SQL_BATCH_DONE " AND id > ?"
                          " ORDER BY id LIMIT 1",
                          "u", after)) == 1) {
        after = (uint64_t)sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
        int merged = batch_merged(s, after, e);
        if (merged < 0)
            return -1;
        if (merged == 1 && (db_run(db, e, "DELETE FROM batches WHERE id = ?", "u", after) < 0 ||
                            db_run(db, e, "DELETE FROM intents WHERE id = ?", "u", after) < 0 ||
                            db_run(db, e, "DELETE FROM outcomes WHERE id = ?", "u", after) < 0))
            return -1;
    }
    if (rc < 0 || db_commit(db, e) < 0)
        return -1;
    /* What was deleted is still in the WAL until that is copied back and cut; a reader may keep that from happening. */
    return db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", e);
}

int journal_empty(struct state *s, struct err *e)
{
    if (!s->journal.open)
        return 0;
    db_reset_all(&s->journal.db);
    int alone = all_merged(s, e);
    if (alone == 1)
        alone = lock_guard_take(s, e);
    if (alone < 0)
        return -1;
    if (alone == 0)
        return delete_merged(s, e);
    /* First the note, then the files: a death between the two leaves a journal in which nothing is left to merge. */
    int result = journal_unnote(s, e) < 0 ? -1 : remove_files(s, e);
    lock_guard_free(s);
    return result;
}
