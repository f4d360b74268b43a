/* Checks whether the journal belongs to this copy of the state. Both have the same owner when an older copy of the main file is
 * put back beside the journal of today; going on would settle batches of runs that the main file does not know. */
#include "config.h"

#include "sync/state/schema.h"
#include "sync/state/state_int.h"

#include <stdio.h>

static int refuse(const struct state *s, const char *what, struct err *e)
{
    return err_set(e, XS_STATE,
                   "%s: %s: was an older copy put back? Move %s-wal, %s-shm and %s away (with its -wal), or copy all "
                   "files of one time",
                   s->path, what, s->path, s->path, s->journal_path);
}

/* A run is in the main file before its first batch is in the journal. */
static int check_run(struct state *s, struct err *e)
{
    int64_t ours, theirs;
    char what[96];
    if (db_int(&s->journal.db, &theirs, 0, "SELECT max(run) FROM batches", e) < 0 ||
        db_int(&s->main, &ours, 0, "SELECT max(id) FROM runs", e) < 0)
        return -1;
    if (theirs <= ours)
        return 0;
    snprintf(what, sizeof what, "the journal is of run %lld, the state of run %lld", (long long)theirs, (long long)ours);
    return refuse(s, what, e);
}

/* Only merged batches leave the journal, so from the first number that was never merged on it has every batch. */
static int check_numbers(struct state *s, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&s->journal.db, &st, e, "SELECT count(*), max(id) FROM batches WHERE id >= ?", "u", s->id.next_batch);
    if (rc != 1)
        return rc;
    uint64_t n = (uint64_t)sqlite3_column_int64(st, 0), last = (uint64_t)sqlite3_column_int64(st, 1);
    sqlite3_reset(st);
    if (n == 0 || n == last - s->id.next_batch + 1)
        return 0;
    return refuse(s, "the journal lacks batches that this state has not merged", e);
}

/* A batch is merged after it is settled. A reader may see the two files at two moments, so only the writer knows this. */
static int check_open(struct state *s, struct err *e)
{
    sqlite3_stmt *st;
    int merged = 0;
    int rc = db_query(&s->journal.db, &st, e, "SELECT id FROM batches WHERE state < " SQL_BATCH_DONE, "");
    for (; rc == 1 && merged == 0; rc = db_next(&s->journal.db, st, e))
        if ((merged = batch_merged(s, (uint64_t)sqlite3_column_int64(st, 0), e)) != 0)
            break;
    if (rc == 1)
        sqlite3_reset(st);
    if (rc < 0 || merged < 0)
        return -1;
    return merged == 0 ? 0 : refuse(s, "the journal has open batches that the state has settled", e);
}

int journal_pair_check(struct state *s, struct err *e)
{
    if (!s->journal.open)
        return 0;
    if (check_run(s, e) < 0 || check_numbers(s, e) < 0)
        return -1;
    return s->lock_fd < 0 ? 0 : check_open(s, e);
}
