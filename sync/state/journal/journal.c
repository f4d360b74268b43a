/* The journal: a WAL database with large pages that is only appended to and never checkpointed while it is in use, so a
 * commit is one sequential write and one fsync. It is a file of its own because it is thrown away as a whole. */
#include "config.h"

#include "sync/state/tables/pack.h"
#include "sync/state/schema.h"
#include "sync/state/state_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOSE_ENTRIES_MAX = 1000, LOOSE_BYTES_MAX = 4 << 20 };

/* ---- opening ---- */

/* 1 when this process made it, 0 when it was there (or, without `make`, is not), -1. */
static int make_file(struct state *s, struct err *e)
{
    int fd = open(s->journal_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? 0 : err_errno(e, XS_STATE, errno, "%s", s->journal_path);
    int result = fchmod(fd, 0600) < 0 ? err_errno(e, XS_STATE, errno, "%s", s->journal_path) : 1;
    close(fd);
    return result;
}

/* A run that died while it made the journal leaves a file without tables; nothing was in it. */
static int has_tables(struct db *db, bool *has, struct err *e)
{
    int64_t id, tables;
    if (db_int(db, &id, 0, "PRAGMA application_id", e) < 0 ||
        db_int(db, &tables, 0, "SELECT count(*) FROM sqlite_schema", e) < 0)
        return -1;
    *has = id != 0 || tables != 0;
    return 0;
}

/* The tables and the owner come in one commit, so that a journal with tables always has its owner. */
static int journal_fill(struct state *s, struct err *e)
{
    struct db *db = &s->journal.db;
    char setup[256];
    snprintf(setup, sizeof setup, "PRAGMA page_size = %d; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
             JOURNAL_PAGE_BYTES);
    if (db_exec(db, setup, e) < 0 || db_begin(db, e) < 0)
        return -1;
    snprintf(setup, sizeof setup, "PRAGMA application_id = %d; PRAGMA user_version = %d;", JOURNAL_APPLICATION_ID,
             JOURNAL_VERSION);
    struct str owner = {(const char *)s->id.state_id, sizeof s->id.state_id};
    if (db_exec(db, journal_tables, e) < 0 || db_exec(db, setup, e) < 0 ||
        db_run(db, e, "INSERT INTO owner(one, state_id) VALUES(1, ?)", "b", owner) < 0)
        return -1;
    return db_commit(db, e);
}

/* A journal that was copied beside another state would settle the requests of that state's leads. */
static int check_owner(struct state *s, struct err *e)
{
    struct db *db = &s->journal.db;
    sqlite3_stmt *st;
    unsigned char owner[STATE_ID_N];
    int version;
    if (state_schema_check(db, JOURNAL_APPLICATION_ID, JOURNAL_VERSION, &version, e) < 0)
        return -1;
    int rc = db_query(db, &st, e, "SELECT state_id FROM owner WHERE one = 1", "");
    if (rc < 0)
        return -1;
    bool ours = rc == 1 && db_blob16(st, 0, owner) && memcmp(owner, s->id.state_id, sizeof owner) == 0;
    if (rc == 1)
        sqlite3_reset(st);
    if (!ours)
        return err_set(e, XS_STATE,
                       "%s: is the journal of another state than %s; rename it to NAME.db.journal beside that state (with "
                       "its -wal), and run leadsync resume there",
                       s->journal_path, s->path);
    return 0;
}

static int open_db(struct state *s, struct err *e)
{
    struct journal *j = &s->journal;
    bool write = s->access == STATE_WRITE, has;
    if (db_open(&j->db, s->journal_path, write, e) < 0)
        return -1;
    if (has_tables(&j->db, &has, e) < 0) {
        /* Only making it goes through a rollback journal: who died then had put nothing in, and a reader cannot repair.
         */
        if (write || sqlite3_extended_errcode(j->db.h) != SQLITE_READONLY_ROLLBACK)
            return -1;
        err_clear(e);
        return 0;
    }
    /* Without the lock it may be one that another run is just making. One that is noted had tables: they are lost. */
    if (!has && (!write || s->lock_fd < 0 || s->id.journal_noted))
        return 0;
    if (!has && journal_fill(s, e) < 0)
        return -1;
    if (check_owner(s, e) < 0)
        return -1;
    /* FULL: a commit is on the disk when it returns. No checkpoints: they would write everything twice. */
    const char *setup = write ? "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
                                "PRAGMA cache_size = -8192; PRAGMA secure_delete = FAST;"
                              : "PRAGMA cache_size = -4096; BEGIN; SELECT one FROM owner;";
    return db_exec(&j->db, setup, e) < 0 ? -1 : 1;
}

/* A run makes the journal and a reader only opens it. What a reader finds incomplete is being made by a run, and is empty
 * for the reader. */
int journal_open(struct state *s, bool make, struct err *e)
{
    struct journal *j = &s->journal;
    if (j->open)
        return 1;
    if (make && make_file(s, e) < 0)
        return -1;
    if (access(s->journal_path, F_OK) < 0)
        return errno == ENOENT ? 0 : err_errno(e, XS_STATE, errno, "%s", s->journal_path);
    /* Before there is a lock a zero-byte journal may be one that a run is just making. */
    struct stat st;
    if (!make && stat(s->journal_path, &st) == 0 && st.st_size == 0)
        return 0;
    int there = open_db(s, e);
    if (there != 1)
        db_close(&j->db);
    j->open = there == 1;
    j->next_batch = 0;
    return there;
}

void journal_close(struct state *s)
{
    struct journal *j = &s->journal;
    if (j->open) {
        db_rollback(&j->db);
        db_close(&j->db);
    }
    j->open = false;
}

/* ---- writing ---- */

/* An event takes several statements. If one of them fails (memory, disk), a later commit must not save the others: that
 * would be a settled batch without outcomes. */
static int write_failed(struct state *s)
{
    s->journal.failed = true;
    db_rollback(&s->journal.db);
    return -1;
}

bool journal_failed(const struct state *s, struct err *e)
{
    if (s->journal.failed)
        err_set(e, XS_STATE, "%s: an earlier write failed, so nothing more is written; run the same command again",
                s->journal_path);
    return s->journal.failed;
}

/* Makes sure of a journal that the main file knows of, before the first event in it. What the main file's transaction
 * holds by then is older than that event, so it may be committed with the note. */
static int make_ready(struct state *s, struct err *e)
{
    if (s->access != STATE_WRITE || s->lock_fd < 0)
        return err_set(e, XS_INTERNAL, "%s: the journal is written without the lock; please report this", s->path);
    if (journal_failed(s, e))
        return -1;
    return journal_open(s, true, e) < 0 ? -1 : journal_note(s, e);
}

/* Opens the journal's transaction and finds the next number. */
static int write_begin(struct state *s, struct err *e)
{
    struct journal *j = &s->journal;
    int64_t last;
    if (make_ready(s, e) < 0 || db_begin(&j->db, e) < 0)
        return -1;
    if (j->next_batch == 0) {
        /* What an older version left is read as it is; what comes now it would misread. */
        char version[64];
        snprintf(version, sizeof version, "PRAGMA user_version = %d", JOURNAL_VERSION);
        if (db_exec(&j->db, version, e) < 0 || db_int(&j->db, &last, 0, "SELECT max(id) FROM batches", e) < 0)
            return -1;
        j->next_batch = (uint64_t)last + 1 > s->id.next_batch ? (uint64_t)last + 1 : s->id.next_batch;
    }
    state_touch(s);
    return 0;
}

static int insert_batch(struct state *s, const struct batch *b, uint64_t first_row, struct str intents, struct err *e)
{
    struct db *db = &s->journal.db;
    if (db_run(db, e,
               "INSERT INTO batches(id, run, op, state, target, source, sent_ms, skew_ms, http_status, body_sha256, job,"
               " first_row, entries_n) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               "uuiiiiiiizzuu", b->id, b->run, (int64_t)b->op, (int64_t)b->state, (int64_t)b->target, (int64_t)b->source,
               b->sent_ms, b->skew_ms, (int64_t)b->http_status, b->body_sha256, b->job, first_row,
               (uint64_t)b->entries_n) < 0)
        return -1;
    return db_run(db, e, "INSERT INTO intents(id, entries) VALUES(?, ?)", "ub", b->id, intents);
}

static int pack_failed(struct err *e)
{
    if (errno == EOVERFLOW)
        return err_set(e, XS_INTERNAL, "a batch takes more than %d MB; lower limits.batch", BLOB_BYTES_MAX >> 20);
    return err_oom(e);
}

/* The intent of a batch: after the next commit its request may leave. The number of the batch is its place in the journal,
 * and is never used again. */
int state_batch_add(struct state *s, struct batch *b, struct err *e)
{
    struct journal *j = &s->journal;
    uint64_t first_row = result_order(0);
    if (b->op <= OP_NONE || b->op >= OP_N || b->state >= BATCH_DONE)
        return err_set(e, XS_INTERNAL, "a batch is planned without an operation or when it is over; please report this");
    if (write_begin(s, e) < 0)
        return -1;
    buf_reset(&j->pack);
    for (size_t i = 0; i < b->entries_n; i++) {
        if (entry_pack_intent(&b->entries[i], &j->pack) < 0)
            return pack_failed(e);
        if (result_order(b->entries[i].row) < first_row)
            first_row = b->entries[i].row;
    }
    b->id = j->next_batch;
    s->before.wrote = true;
    if (insert_batch(s, b, first_row, buf_str(&j->pack), e) < 0)
        return write_failed(s);
    j->next_batch++;
    return 0;
}

/* XS_INTERNAL when the statement has changed no row. */
static int changed_one(struct state *s, uint64_t id, struct err *e)
{
    if (sqlite3_changes(s->journal.db.h) == 1)
        return 0;
    return err_set(e, XS_INTERNAL, "batch %llu is not open; please report this", (unsigned long long)id);
}

/* Notes of an open batch: the job that carries it, or that it is left open. The outcomes come with state_batch_settle()
 * alone. */
int state_batch_update(struct state *s, const struct batch *b, struct err *e)
{
    if (b->state >= BATCH_DONE)
        return err_set(e, XS_INTERNAL, "batch %llu is closed by state_batch_settle() only; please report this",
                       (unsigned long long)b->id);
    if (write_begin(s, e) < 0)
        return -1;
    if (db_run(&s->journal.db, e,
               "UPDATE batches SET state = ?, sent_ms = ?, skew_ms = ?, http_status = ?, job = ?"
               " WHERE id = ? AND state < " SQL_BATCH_DONE,
               "iiiizu", (int64_t)b->state, b->sent_ms, b->skew_ms, (int64_t)b->http_status, b->job, b->id) < 0)
        return write_failed(s);
    return changed_one(s, b->id, e);
}

/* All outcomes of a batch at once. An entry without one would be lost, because a settled batch is never read back. */
int state_batch_settle(struct state *s, const struct batch *b, struct err *e)
{
    struct journal *j = &s->journal;
    if (write_begin(s, e) < 0)
        return -1;
    s->before.wrote = true;
    buf_reset(&j->pack);
    for (size_t i = 0; i < b->entries_n; i++) {
        if (b->entries[i].outcome <= OUTCOME_NONE || b->entries[i].outcome >= OUTCOME_N)
            return err_set(e, XS_INTERNAL, "batch %llu is settled but its entry %zu has no outcome; please report this",
                           (unsigned long long)b->id, i);
        if (entry_pack_outcome(&b->entries[i], &j->pack) < 0)
            return pack_failed(e);
    }
    /* The number of entries stands in the condition: outcomes of another batch must not land here. */
    if (db_run(&j->db, e,
               "UPDATE batches SET state = " SQL_BATCH_DONE ", sent_ms = ?, skew_ms = ?, http_status = ?, job = ?"
               " WHERE id = ? AND state < " SQL_BATCH_DONE " AND entries_n = ?",
               "iiizuu", b->sent_ms, b->skew_ms, (int64_t)b->http_status, b->job, b->id, (uint64_t)b->entries_n) < 0)
        return write_failed(s);
    if (changed_one(s, b->id, e) < 0)
        return -1;
    return db_run(&j->db, e, "INSERT INTO outcomes(id, entries) VALUES(?, ?)", "ub", b->id, buf_str(&j->pack)) < 0
               ? write_failed(s)
               : 0;
}

/* ---- entries without a batch ---- */

/* Rows without a request travel as a settled batch of OP_NONE, so that they are ordered among the other batches. */
int journal_flush_loose(struct state *s, struct err *e)
{
    struct journal *j = &s->journal;
    if (j->loose_n == 0)
        return 0;
    if (write_begin(s, e) < 0)
        return -1;
    struct batch b = {.id = j->next_batch, .run = j->loose_run, .op = OP_NONE, .state = BATCH_DONE, .entries_n = j->loose_n};
    if (insert_batch(s, &b, j->loose_first_row, buf_str(&j->loose_intents), e) < 0 ||
        db_run(&j->db, e, "INSERT INTO outcomes(id, entries) VALUES(?, ?)", "ub", b.id, buf_str(&j->loose_outcomes)) < 0)
        return write_failed(s);
    j->next_batch++;
    j->loose_n = 0;
    buf_reset(&j->loose_intents);
    buf_reset(&j->loose_outcomes);
    return 0;
}

/* Many rows need no request. They are collected in memory, because a statement per row would cost more than the row. */
int state_entry_add(struct state *s, uint64_t run, uint32_t target, const struct entry *entry, struct err *e)
{
    struct journal *j = &s->journal;
    if (entry->outcome <= OUTCOME_NONE || entry->outcome >= OUTCOME_N)
        return err_set(e, XS_INTERNAL, "row %llu is recorded without an outcome; please report this",
                       (unsigned long long)entry->row);
    if (make_ready(s, e) < 0)
        return -1;
    if (j->loose_n > 0 &&
        (j->loose_run != run || j->loose_n >= LOOSE_ENTRIES_MAX || j->loose_intents.n >= LOOSE_BYTES_MAX) &&
        journal_flush_loose(s, e) < 0)
        return -1;
    size_t intents_n = j->loose_intents.n, outcomes_n = j->loose_outcomes.n;
    if (buf_add_varint(&j->loose_intents, target) < 0 || entry_pack_intent(entry, &j->loose_intents) < 0 ||
        entry_pack_outcome(entry, &j->loose_outcomes) < 0) {
        j->loose_intents.n = intents_n;
        j->loose_outcomes.n = outcomes_n;
        return pack_failed(e);
    }
    uint64_t row = result_order(entry->row);
    if (j->loose_n == 0) {
        j->loose_run = run;
        j->loose_first_row = row;
        state_touch(s);
    } else if (row < j->loose_first_row) {
        j->loose_first_row = row;
    }
    j->loose_n++;
    return 0;
}
