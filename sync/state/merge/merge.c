/* Windows of as many entries as memory allows. For each: read its batches and fold them by key, then read them again in
 * their own order and append values, results and cells. All windows are one transaction. */
#include "config.h"

#include "sync/state/merge/merge.h"

#include "sync/state/lookup/lookup.h"

#include <stdlib.h>
#include <string.h>

enum {
    BYTES_AN_ITEM = sizeof(struct fold_item) + sizeof(uint32_t) + sizeof(uint64_t),
    MEMORY_SHARE = 2, /* of memory_max for a window: a second one would visit every page of the table again */
    WINDOW_MIN = 1000,
    BULK_ENTRIES = 100000, /* from here on the main file is written straight and not through its WAL */
};

/* ---- one window ---- */

/* Adds batches until the window is full. 1 when there was one; *last is the last of them. */
static int merge_collect(struct merge *m, bool retries, uint64_t after, uint64_t *last, struct err *e)
{
    struct journal_batch jb;
    int rc, any = 0;
    fold_list_reset(&m->list);
    for (;;) {
        arena_reset(&m->arena);
        rc = journal_next(m->state, JOURNAL_SETTLED, after, &m->arena, &jb, e);
        if (rc != 1)
            return rc < 0 ? -1 : any;
        if (any && m->list.n + jb.b.entries_n > m->list.max)
            return any;
        for (size_t i = 0; i < jb.b.entries_n; i++)
            if (fold_wants(&jb.b.entries[i], jb.b.op, retries) &&
                fold_list_add_entry(&m->list, &jb.b.entries[i], jb.b.op, journal_entry_target(&jb, i), jb.b.run, false, e) <
                    0)
                return -1;
        after = *last = jb.b.id;
        any = 1;
    }
}

/* The second walk over the same batches. It must count the same entries in the same order as merge_collect(), because
 * places and ordinals connect the two. */
static int append_window(struct merge *m, uint64_t after, uint64_t last, bool retries, struct err *e)
{
    struct journal_batch jb;
    size_t ordinal = 0;
    while (after < last) {
        arena_reset(&m->arena);
        int rc = journal_next(m->state, JOURNAL_SETTLED, after, &m->arena, &jb, e);
        if (rc < 0 || (rc == 1 && append_batch(m, &jb, retries, &ordinal, e) < 0))
            return -1;
        if (rc == 0)
            return err_set(e, XS_INTERNAL, "a batch vanished from %s; please report this", m->state->journal_path);
        after = jb.b.id;
    }
    for (size_t i = 0; i < m->fixes_n; i++)
        if (db_run(&m->state->main, e, "UPDATE lead_values SET lead_id = ? WHERE n = ?", "du", &m->fixes[i].id,
                   m->fixes[i].lead) < 0)
            return -1;
    struct identity *id = &m->state->id;
    id->next_lead += m->list.n;
    id->next_retry += m->list.n;
    id->next_batch = last + 1 > id->next_batch ? last + 1 : id->next_batch;
    return 0;
}

static int merge_windows(struct merge *m, struct err *e)
{
    uint64_t after = 0, last = 0;
    for (;;) {
        /* Whether decided rows are wanted must not change between the two walks. */
        bool retries = m->state->id.retries_n > 0;
        int rc = merge_collect(m, retries, after, &last, e);
        if (rc != 1)
            return rc;
        if (resolve(m, e) < 0 || append_window(m, after, last, retries, e) < 0)
            return -1;
        after = last;
    }
}

/* In the same transaction that takes them out of the retry table, so that no death loses sight of them. */
static int note_given_up(struct merge *m, struct err *e)
{
    return m->given_up == 0 ? 0
                            : db_run(&m->state->main, e,
                                     "INSERT INTO settings(name, value) VALUES('" STATE_GIVEN_UP "', CAST(?1 AS TEXT))"
                                     " ON CONFLICT(name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + ?1 AS TEXT)",
                                     "u", m->given_up);
}

/* ---- the transaction ---- */

/* A large merge through the WAL would write everything twice. When no process reads the main file it goes to the rollback
 * journal for the time of the merge, which costs nothing for new pages; readers then wait until it is over. */
static int begin(struct state *s, bool bulk, struct err *e)
{
    sqlite3_stmt *st = NULL;
    if (bulk) {
        db_reset_all(&s->main);
        sqlite3_busy_timeout(s->main.h, 0);
        if (sqlite3_prepare_v2(s->main.h, "PRAGMA journal_mode = DELETE", -1, &st, NULL) == SQLITE_OK)
            sqlite3_step(st);
        sqlite3_finalize(st);
        /* A failure is harmless: the WAL is correct too, only slower. Exclusive at once, so that no reader comes between.
         */
        s->main.in_transaction = sqlite3_exec(s->main.h, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK;
        sqlite3_busy_timeout(s->main.h, DB_BUSY_MS);
    }
    return state_write_begin(s, e);
}

static int end(struct state *s, bool bulk, struct err *e)
{
    if (db_commit(&s->main, e) < 0)
        return -1;
    s->pending_n = 0;
    if (!bulk)
        return 0;
    db_reset_all(&s->main);
    /* Both may find a reader in the way, and both have time until the next opening. */
    sqlite3_busy_timeout(s->main.h, 0);
    sqlite3_exec(s->main.h, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    sqlite3_wal_checkpoint_v2(s->main.h, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(s->main.h, DB_BUSY_MS);
    return 0;
}

/* The window takes half of the memory; the lookup is freed before, and the other half is for SQLite and the batch that is
 * read. */
static void merge_init(struct merge *m, struct state *s, uint64_t refusal_context)
{
    memset(m, 0, sizeof *m);
    size_t window = s->memory_max / MEMORY_SHARE / BYTES_AN_ITEM;
    m->state = s;
    m->refusal_context = refusal_context;
    m->now_ms = s->clock->wall_ms(s->clock);
    fold_list_init(&m->list, window < WINDOW_MIN ? WINDOW_MIN : window);
    arena_init(&m->arena, ARENA_BATCH_MAX);
    value_hasher_init(&m->hasher, s);
    buf_init(&m->results, BLOB_BYTES_MAX);
    buf_init(&m->rejects, BLOB_BYTES_MAX);
    buf_init(&m->scratch, BLOB_BYTES_MAX);
}

static void merge_free(struct merge *m)
{
    fold_list_free(&m->list);
    free(m->places);
    free(m->fixes);
    arena_free(&m->arena);
    value_hasher_free(&m->hasher);
    buf_free(&m->results);
    buf_free(&m->rejects);
    buf_free(&m->scratch);
}

/* One transaction for all windows, hashes, counters and numbers. A death leaves either the old leads with their journal, or
 * the new ones. */
static int merge_in_transaction(struct merge *m, bool bulk, struct err *e)
{
    struct state *s = m->state;
    if (begin(s, bulk, e) < 0)
        return -1;
    if (s->hashed && !s->id.hashed && values_hash_all(s, e) < 0)
        return -1;
    s->id.hashed = s->hashed;
    if (identity_count_absent(s, e) < 0 || merge_windows(m, e) < 0 || note_given_up(m, e) < 0 || identity_store(s, e) < 0)
        return -1;
    return end(s, bulk, e);
}

int state_merge(struct state *s, uint64_t refusal_context, struct err *e)
{
    struct merge m;
    int64_t entries = 0;
    if (s->access != STATE_WRITE || s->lock_fd < 0)
        return err_set(e, XS_INTERNAL, "%s: merged without its lock; please report this", s->path);
    if (state_commit(s, e) < 0)
        return -1;
    /* What it knows is about to be the past, and the window needs the room. */
    lookup_free(s->lookup);
    s->lookup = NULL;
    s->people_counted = false;
    lead_ids_free(s);
    /* One more a batch: one without entries has to be merged too. */
    if (s->journal.open &&
        db_int(&s->journal.db, &entries, 0, "SELECT sum(entries_n + 1) FROM batches WHERE state = " SQL_BATCH_DONE, e) < 0)
        return -1;
    if (entries == 0 && s->hashed == s->id.hashed)
        return journal_empty(s, e);
    merge_init(&m, s, refusal_context);
    int result = merge_in_transaction(&m, entries >= BULK_ENTRIES, e);
    if (result < 0) {
        db_rollback(&s->main);
        /* The counters were changed in memory; what counts is what is in the file. */
        struct err ignored = ERR_INIT;
        identity_load(s, &ignored);
        err_clear(&ignored);
    }
    merge_free(&m);
    return result < 0 ? -1 : journal_empty(s, e);
}
