/* Letting go of old results. */
#include "config.h"

#include "sync/state/state_int.h"

enum { REJECTS_RUNS = 3 };

/* The id of the oldest of the newest `keep` runs that read a source; 0: there are not more. What is done by hand, and
 * what only settles, must not push out what nights have brought. */
static int oldest_kept(struct state *s, unsigned keep, uint64_t *run, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&s->main, &st, e,
                      "SELECT id FROM runs WHERE coalesce(read, '') <> '' ORDER BY id DESC LIMIT 1 OFFSET ?", "i",
                      (int64_t)(keep == 0 ? 0 : keep - 1));
    if (rc < 0)
        return -1;
    *run = rc == 1 ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
    if (rc == 1)
        sqlite3_reset(st);
    return 0;
}

int state_prune(struct state *s, unsigned keep_runs, struct err *e)
{
    struct db *db = &s->main;
    uint64_t run, rejects_run;
    if (oldest_kept(s, keep_runs, &run, e) < 0 || oldest_kept(s, REJECTS_RUNS, &rejects_run, e) < 0)
        return -1;
    if (run <= 1 && rejects_run <= 1)
        return 0;
    /* A batch that is still in the journal is known to be merged by its row here, so the journal goes first. */
    if (state_commit(s, e) < 0 || journal_empty(s, e) < 0 || state_write_begin(s, e) < 0)
        return -1;
    if (db_run(db, e, "DELETE FROM rejects WHERE run < ?", "u", rejects_run) < 0 ||
        db_run(db, e, "DELETE FROM headers WHERE run < ?", "u", rejects_run) < 0)
        return -1;
    if (db_run(db, e, "DELETE FROM batches WHERE run < ?", "u", run) < 0 ||
        db_run(db, e, "DELETE FROM former_ids WHERE run < ?", "u", run) < 0 ||
        db_run(db, e, "DELETE FROM jobs WHERE run < ? AND run > 0", "u", run) < 0)
        return -1;
    /* The newest complete full read is what the next one is compared with. */
    return db_run(db, e,
                  "DELETE FROM runs WHERE id < ?1 AND id <> coalesce((SELECT max(id) FROM runs"
                  " WHERE status = 'complete' AND read = 'full'), 0)",
                  "u", run);
}
