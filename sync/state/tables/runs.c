/* Records of runs and of background jobs. */
#include "config.h"

#include "sync/state/state_int.h"

#include <string.h>

#include "sync/base/log.h"
#include "sync/base/text.h"

static int take_text(sqlite3_stmt *st, int column, struct arena *arena, const char **out, struct err *e)
{
    *out = NULL;
    if (db_is_null(st, column))
        return 0;
    struct str text = db_text(st, column);
    *out = arena_dup(arena, text.p, text.n);
    return *out == NULL ? err_oom(e) : 0;
}

/* ---- runs ---- */

/* A run that reads no source (resume) has none. */
static const char *read_text(const struct run_record *run)
{
    return run->read != NULL ? run->read : "";
}

/* Notes what the run finds. 0/-1 */
static int run_note_before(struct state *s, struct err *e)
{
    if (state_serial(s, &s->before.serial, e) < 0)
        return -1;
    s->before.leads_n = s->id.leads_n;
    s->before.retries_n = s->id.retries_n;
    s->before.absent_n = s->id.absent_n;
    s->before.wrote = false;
    return 0;
}

/* A run that a guard stopped, or that could not start, has left its record and nothing else: whatever was planned before it is
 * still true. A run that ended well may have moved the watermark. */
static bool run_changed_nothing(const struct state *s, const struct run_record *run)
{
    bool stopped = run->exit_code != XS_DONE && run->exit_code != XS_LEFT_OVER;
    return stopped && run->id == s->before.run && !s->before.wrote && s->id.leads_n == s->before.leads_n &&
           s->id.retries_n == s->before.retries_n && s->id.absent_n == s->before.absent_n;
}

int state_run_start(struct state *s, struct run_record *run, struct err *e)
{
    /* Who holds the lock is the only one alive: what still calls itself running was killed. */
    if (run_note_before(s, e) < 0 || state_write_begin(s, e) < 0 ||
        db_run(&s->main, e, "UPDATE runs SET status = 'interrupted' WHERE status = 'running'", "") < 0 ||
        db_run(&s->main, e,
               "INSERT INTO runs(id, started_ms, finished_ms, status, read, report, exit_code, mapping, begun)"
               " VALUES((SELECT max(coalesce(max(id), 0) + 1, ?) FROM runs), ?, 0, ?, ?, NULL, 0, ?, ?)",
               "uizzuz", run->id, run->started_ms, run->status != NULL ? run->status : "running", read_text(run),
               run->mapping, run->begun) < 0 ||
        serial_next(s, e) < 0)
        return -1;
    run->id = s->before.run = (uint64_t)sqlite3_last_insert_rowid(s->main.h);
    /* Batches refer to it. */
    return wal_pair_next(s, e) < 0 || state_commit(s, e) < 0 ? -1 : wal_pair_note(s, e);
}

int state_run_finish(struct state *s, const struct run_record *run, struct err *e)
{
    if (state_write_begin(s, e) < 0 ||
        db_run(&s->main, e, "UPDATE runs SET finished_ms = ?, status = ?, read = ?, report = ?, exit_code = ? WHERE id = ?",
               "izzziu", run->finished_ms, run->status, read_text(run), run->report, (int64_t)run->exit_code, run->id) < 0)
        return -1;
    bool found = sqlite3_changes(s->main.h) == 1;
    if (found && run_changed_nothing(s, run))
        return serial_restore(s, s->before.serial, e);
    if (found)
        return serial_next(s, e);
    return err_set(e, XS_INTERNAL, "run %llu is finished but was never started; please report this",
                   (unsigned long long)run->id);
}

#define RUN_COLUMNS \
    "SELECT id, started_ms, finished_ms, status, read, report, exit_code, report IS NULL OR json_valid(report)," \
    " mapping, begun, begun IS NULL OR json_valid(begun) FROM runs"

/* It goes as it is into what other programs read as JSON, so one that is not JSON is left out. `valid` is the column that
 * says so. */
static int take_json(struct state *s, sqlite3_stmt *st, int column, int valid, struct arena *arena,
                     const struct run_record *run, const char **out, struct err *e)
{
    if (sqlite3_column_int(st, valid) != 0 && text_is_utf8(db_text(st, column)))
        return take_text(st, column, arena, out, e);
    log_warning("%s: the report of run %llu is damaged and is left out; restore the state from a backup", s->path,
                (unsigned long long)run->id);
    return 0;
}

static int take_run(struct state *s, sqlite3_stmt *st, struct arena *arena, struct run_record *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    out->id = (uint64_t)sqlite3_column_int64(st, 0);
    out->started_ms = sqlite3_column_int64(st, 1);
    out->finished_ms = sqlite3_column_int64(st, 2);
    out->exit_code = sqlite3_column_int(st, 6);
    out->mapping = (uint64_t)sqlite3_column_int64(st, 8);
    if (take_text(st, 3, arena, &out->status, e) < 0 || take_text(st, 4, arena, &out->read, e) < 0 ||
        take_json(s, st, 5, 7, arena, out, &out->report, e) < 0 || take_json(s, st, 9, 10, arena, out, &out->begun, e) < 0)
        return -1;
    /* A run that was killed could not say so, but the kernel has freed its lock. */
    if (out->status != NULL && strcmp(out->status, "running") == 0 && !lock_is_held(s))
        out->status = "interrupted";
    return 0;
}

int state_run_get(struct state *s, uint64_t id, struct arena *arena, struct run_record *out, struct err *e)
{
    sqlite3_stmt *st;
    int rc = id != 0 ? db_query(&s->main, &st, e, RUN_COLUMNS " WHERE id = ?", "u", id)
                     : db_query(&s->main, &st, e, RUN_COLUMNS " ORDER BY id DESC LIMIT 1", "");
    if (rc != 1)
        return rc;
    rc = take_run(s, st, arena, out, e) < 0 ? -1 : 1;
    sqlite3_reset(st);
    return rc;
}

int state_runs(struct state *s, size_t limit, struct arena *arena, struct run_record **out, size_t *n, struct err *e)
{
    sqlite3_stmt *st;
    int64_t have;
    *out = NULL;
    *n = 0;
    if (db_int(&s->main, &have, 0, "SELECT count(*) FROM runs", e) < 0)
        return -1;
    size_t most = (size_t)have < limit ? (size_t)have : limit;
    struct run_record *runs = arena_calloc(arena, most + 1, sizeof *runs);
    if (runs == NULL)
        return err_oom(e);
    int rc = db_query(&s->main, &st, e, RUN_COLUMNS " ORDER BY id DESC LIMIT ?", "i", (int64_t)most);
    for (; rc == 1; rc = db_next(&s->main, st, e)) {
        if (take_run(s, st, arena, &runs[*n], e) < 0) {
            sqlite3_reset(st);
            return -1;
        }
        ++*n;
    }
    *out = runs;
    return rc;
}

/* ---- background jobs ---- */

int state_job_put(struct state *s, const struct job_record *job, struct err *e)
{
    if (state_write_begin(s, e) < 0)
        return -1;
    return db_run(&s->main, e,
                  "INSERT OR REPLACE INTO jobs(id, type, status, progress, filters, total, success, failed, came_from,"
                  " went_to, run, created_ms, updated_ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  "zzzizuuuzzuii", job->id, job->type, job->status, (int64_t)job->progress, job->filters, job->total,
                  job->success, job->failed, job->from, job->to, job->run, job->created_ms, job->updated_ms);
}

#define JOB_COLUMNS \
    "SELECT id, type, status, progress, filters, total, success, failed, came_from, went_to, run, created_ms," \
    " updated_ms FROM jobs"

static int take_job(sqlite3_stmt *st, struct arena *arena, struct job_record *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    out->progress = sqlite3_column_int(st, 3);
    out->total = (uint64_t)sqlite3_column_int64(st, 5);
    out->success = (uint64_t)sqlite3_column_int64(st, 6);
    out->failed = (uint64_t)sqlite3_column_int64(st, 7);
    out->run = (uint64_t)sqlite3_column_int64(st, 10);
    out->created_ms = sqlite3_column_int64(st, 11);
    out->updated_ms = sqlite3_column_int64(st, 12);
    return take_text(st, 0, arena, &out->id, e) < 0 || take_text(st, 1, arena, &out->type, e) < 0 ||
                   take_text(st, 2, arena, &out->status, e) < 0 || take_text(st, 4, arena, &out->filters, e) < 0 ||
                   take_text(st, 8, arena, &out->from, e) < 0 || take_text(st, 9, arena, &out->to, e) < 0
               ? -1
               : 0;
}

int state_job_get(struct state *s, const char *id, struct arena *arena, struct job_record *out, struct err *e)
{
    sqlite3_stmt *st;
    int rc = db_query(&s->main, &st, e, JOB_COLUMNS " WHERE id = ?", "z", id);
    if (rc != 1)
        return rc;
    rc = take_job(st, arena, out, e) < 0 ? -1 : 1;
    sqlite3_reset(st);
    return rc;
}

int state_jobs(struct state *s, struct arena *arena, struct job_record **out, size_t *n, struct err *e)
{
    sqlite3_stmt *st;
    int64_t have;
    *out = NULL;
    *n = 0;
    if (db_int(&s->main, &have, 0, "SELECT count(*) FROM jobs", e) < 0)
        return -1;
    struct job_record *jobs = arena_calloc(arena, (size_t)have + 1, sizeof *jobs);
    if (jobs == NULL)
        return err_oom(e);
    int rc = db_query(&s->main, &st, e, JOB_COLUMNS " ORDER BY created_ms DESC, id", "");
    for (; rc == 1; rc = db_next(&s->main, st, e)) {
        if (take_job(st, arena, &jobs[*n], e) < 0) {
            sqlite3_reset(st);
            return -1;
        }
        ++*n;
    }
    *out = jobs;
    return rc;
}
