/* A state that was tampered with: whatever stands in one of its cells, each call does its work or says that the state is
 * damaged (73). It never asks for more memory, never reports an internal error, never crashes. */
#include "config.h"

#include "tests/unit/state_kit.h"

#include "sync/base/file.h"
#include "sync/state/state_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PEOPLE = 12, PARTS = 16, COPY_MAX = 64 << 20 };

static const char *const files[] = {"", ".journal", ".journal-wal"};
enum { FILES_N = sizeof files / sizeof files[0] };

static struct kit k;
static struct buf copies[FILES_N]; /* the state as it was made */
static char cell[512];             /* what was tampered with, for messages */

/* ---- the state ---- */

static struct entry person(uint64_t n)
{
    struct entry entry = n % 3 == 0   ? kit_with(kit_entry(&k, n, 5), OUTCOME_REJECTED, REASON_REFUSED_THERE)
                         : n % 3 == 1 ? kit_created(&k, n, 5)
                                      : kit_with(kit_entry(&k, n, 5), OUTCOME_DEFERRED, REASON_PLAN_FULL);
    entry.cells = n % 2 == 0 ? STR("raw cells") : STR_NONE;
    entry.detail = n % 4 == 0 ? STR("a detail") : STR_NONE;
    return entry;
}

static char *file_name(const char *suffix)
{
    char *name = NULL;
    ck_assert_int_ge(asprintf(&name, "%s%s", k.path, suffix), 0);
    return name;
}

/* Something in every table, and a journal with a settled batch, an open one, and entries of none. */
static void setup(void)
{
    struct str names[] = {STR("seats"), STR("origin")};
    struct entry entries[PEOPLE];
    uint32_t shape;
    kit_start(&k);
    kit_ok(&k, state_shape_put(k.s, names, 2, &shape, &k.e));
    kit_ok(&k, state_header_put(k.s, k.run, STR("\5email\5first"), ',', &k.e));
    struct job_record job = {.id = "j1",
                             .type = "move-leads",
                             .status = "pending",
                             .filters = "{}",
                             .total = 3,
                             .from = "list:a",
                             .to = "campaign:b",
                             .run = k.run,
                             .created_ms = 7};
    kit_ok(&k, state_job_put(k.s, &job, &k.e));
    for (uint64_t i = 0; i < PEOPLE; i++)
        entries[i] = person(i + 1);
    kit_batch(&k, OP_CREATE, k.target, entries, PEOPLE);
    kit_merge(&k);
    struct run_record run = {.id = k.run, .finished_ms = 9, .status = "complete", .read = "full", .report = "{\"rows\":{}}"};
    kit_ok(&k, state_run_finish(k.s, &run, &k.e));
    kit_run(&k);
    for (uint64_t i = 0; i < PEOPLE; i++)
        entries[i] = person(i + PEOPLE / 2);
    kit_batch(&k, OP_UPDATE, k.target, entries, PEOPLE);
    struct entry loose = kit_with(kit_entry(&k, 90, 5), OUTCOME_SKIPPED, REASON_SKIP_WHEN);
    kit_ok(&k, state_entry_add(k.s, k.run, k.target, &loose, &k.e));
    struct batch open = {.run = k.run,
                         .op = OP_MOVE,
                         .state = BATCH_SENT,
                         .target = k.target,
                         .source = k.target,
                         .job = "j1",
                         .entries = entries,
                         .entries_n = PEOPLE};
    kit_ok(&k, state_batch_add(k.s, &open, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    /* Into the files themselves, so that they can be copied. */
    kit_ok(&k, db_exec(&k.s->main, "PRAGMA wal_checkpoint(TRUNCATE)", &k.e));
    kit_ok(&k, db_exec(&k.s->journal.db, "PRAGMA wal_checkpoint(TRUNCATE)", &k.e));
    kit_close(&k);
    for (size_t i = 0; i < FILES_N; i++) {
        char *name = file_name(files[i]);
        buf_init(&copies[i], COPY_MAX);
        if (kit_exists(&k, files[i]))
            kit_ok(&k, file_read(name, &copies[i], XS_STATE, XS_STATE, &k.e));
        free(name);
    }
}

static void teardown(void)
{
    for (size_t i = 0; i < FILES_N; i++)
        buf_free(&copies[i]);
    kit_free(&k);
}

static void put_back(void)
{
    static const char *const all[] = {"", "-wal", "-shm", "-journal", ".journal", ".journal-wal", ".journal-shm"};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char *name = file_name(all[i]);
        unlink(name);
        free(name);
    }
    for (size_t i = 0; i < FILES_N; i++) {
        char *name = file_name(files[i]);
        FILE *f = copies[i].n > 0 ? fopen(name, "w") : NULL;
        ck_assert(copies[i].n == 0 || f != NULL);
        if (f != NULL) {
            ck_assert_uint_eq(fwrite(copies[i].p, 1, copies[i].n, f), copies[i].n);
            fclose(f);
        }
        free(name);
    }
}

/* ---- use ---- */

/* Whatever failed must say that it is the state. 1 when it succeeded. */
static bool fine(int rc)
{
    if (rc < 0)
        ck_assert_msg(k.e.status == XS_STATE, "%s: status %d: %s", cell, k.e.status, err_text(&k.e));
    err_clear(&k.e);
    return rc >= 0;
}

static void read_results(uint64_t run)
{
    struct results *r;
    struct entry entry;
    enum op op;
    uint32_t target;
    int rc;
    if (!fine(state_results_open(k.s, run, &r, &k.e)))
        return;
    while ((rc = state_results_next(r, &k.arena, &entry, &op, &target, &k.e)) == 1)
        continue;
    fine(rc);
    state_results_close(r);
}

static void read_leads(uint64_t hint)
{
    struct lookup_options o = {.refusal_context = 1, .rows_hint = hint};
    struct unseen *u;
    struct known_lead lead;
    struct hash128 key;
    uint64_t mark;
    int rc = 1;
    if (!fine(state_lookup_start(k.s, &o, &k.e)))
        return;
    for (uint64_t i = 1; rc >= 0 && i <= 2 * PEOPLE; i += 2) {
        struct remembered known;
        key = kit_key(&k, i);
        rc = state_lookup(k.s, &key, 5, i, &known, &k.e);
        if (fine(rc))
            fine(rc = state_lead_get(k.s, &key, &k.arena, &lead, &k.e));
    }
    if (rc < 0 || !fine(state_unseen_open(k.s, false, &u, &k.e)))
        return;
    while ((rc = state_unseen_next(u, &key, &k.arena, &lead, &mark, &k.e)) == 1)
        continue;
    fine(rc);
    state_unseen_close(u);
    struct uuid id = kit_uuid(4);
    fine(state_id_owner(k.s, &id, &key, &k.e));
}

static void read_tables(void)
{
    struct retries *retries;
    struct run_record *runs;
    struct job_record *jobs;
    struct entry entry;
    struct lead_shape shape;
    struct target target;
    struct str header;
    uint64_t n64, mapping;
    uint32_t to;
    size_t n;
    char delimiter;
    int rc;
    fine(state_runs(k.s, 100, &k.arena, &runs, &n, &k.e));
    fine(state_jobs(k.s, &k.arena, &jobs, &n, &k.e));
    fine(state_header_get(k.s, 1, &k.arena, &header, &delimiter, &k.e));
    fine(state_shape_get(k.s, 1, &k.arena, &shape, &k.e));
    fine(state_target_get(k.s, 1, &k.arena, &target, &k.e));
    fine(state_leads_there(k.s, &n64, &k.e));
    fine(state_unmerged_rows(k.s, &n64, &k.e));
    if (!fine(state_retries_open(k.s, &retries, &k.e)))
        return;
    while ((rc = state_retries_next(retries, &k.arena, &entry, &to, &mapping, &k.e)) == 1)
        continue;
    fine(rc);
    state_retries_close(retries);
}

static void read_all(void)
{
    struct state_options o = {.path = k.path, .access = STATE_READ, .memory_max = k.memory_max, .clock = &k.clock.base};
    struct buf found = BUF_INIT(1 << 20);
    struct batch *open, head;
    struct results *r;
    size_t n;
    if (!fine(state_open(&o, &k.s, &k.e)))
        return;
    read_tables();
    fine(state_batches_open(k.s, &k.arena, &open, &n, &k.e));
    for (uint64_t run = 1; run <= 2; run++)
        read_results(run);
    for (uint64_t id = 1; id <= 4; id++)
        if (state_batch_results_open(k.s, id, &k.arena, &head, &r, &k.e) == 1)
            state_results_close(r);
        else
            fine(k.e.status != 0 ? -1 : 0);
    read_leads(0);
    fine(state_audit(k.s, &found, &n, &k.e));
    buf_free(&found);
    kit_close(&k);
}

/* What a sync does: settle what is open, merge, take up a row, merge, prune. */
static int write_all(void)
{
    struct state_options o = {.path = k.path, .access = STATE_WRITE, .memory_max = k.memory_max, .clock = &k.clock.base};
    struct run_record run = {.started_ms = 1, .status = "running", .read = "full"};
    struct batch *open;
    size_t n;
    if (state_open(&o, &k.s, &k.e) < 0 || state_lock(k.s, 0, &k.e) < 0 || state_run_start(k.s, &run, &k.e) < 0 ||
        state_batches_open(k.s, &k.arena, &open, &n, &k.e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        for (size_t m = 0; m < open[i].entries_n; m++)
            open[i].entries[m].outcome = OUTCOME_CHANGED;
        if (state_batch_settle(k.s, &open[i], &k.e) < 0)
            return -1;
    }
    if (state_merge(k.s, 1, &k.e) < 0)
        return -1;
    read_leads(1000);
    struct entry entry = kit_created(&k, 50, 5);
    struct batch b = {.run = run.id, .op = OP_CREATE, .target = 1, .entries = &entry, .entries_n = 1};
    if (state_batch_add(k.s, &b, &k.e) < 0 || state_commit(k.s, &k.e) < 0 || state_batch_settle(k.s, &b, &k.e) < 0 ||
        state_merge(k.s, 1, &k.e) < 0 || state_prune(k.s, 1, &k.e) < 0)
        return -1;
    return state_commit(k.s, &k.e);
}

/* ---- tampering ---- */

static void change(const char *suffix, const char *sql)
{
    char *name = file_name(suffix);
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(name, &db), SQLITE_OK);
    /* A constraint may refuse it, and then the state is as it was. */
    sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
    free(name);
}

static void try_cell(const char *suffix, const char *sql)
{
    snprintf(cell, sizeof cell, "%s%s", suffix[0] != '\0' ? "journal: " : "", sql);
    put_back();
    change(suffix, sql);
    read_all();
    fine(write_all());
    kit_close(&k);
    arena_reset(&k.arena);
}

/* The sixteen places of a blob in which a byte is changed, its end, its length; and numbers that are none. */
static void try_column(const char *suffix, const char *table, const char *column)
{
    static const char *const numbers[] = {"-1", "0", "9223372036854775807", "1099511627776", "4294967296"};
    static const char *const bytes[] = {"ff", "80", "00", "7f"};
    char sql[400];
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        snprintf(sql, sizeof sql,
                 "UPDATE %s SET %s = %s WHERE rowid = (SELECT max(rowid) FROM %s) AND typeof(%s) = 'integer'", table, column,
                 numbers[i], table, column);
        try_cell(suffix, sql);
    }
    for (int part = 0; part < PARTS; part++) {
        snprintf(
            sql, sizeof sql,
            "UPDATE %s SET %s = CAST(substr(%s, 1, length(%s) * %d / %d) || x'%s' || substr(%s, length(%s) * %d / %d + 2)"
            " AS BLOB) WHERE typeof(%s) = 'blob'",
            table, column, column, column, part, PARTS, bytes[part % 4], column, column, part, PARTS, column);
        try_cell(suffix, sql);
    }
    static const char *const whole[] = {"x''", "x'ffffffffffffffffffff'", "zeroblob(100000)"};
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        snprintf(sql, sizeof sql, "UPDATE %s SET %s = %s WHERE typeof(%s) = 'blob'", table, column, whole[i], column);
        try_cell(suffix, sql);
    }
    snprintf(sql, sizeof sql, "UPDATE %s SET %s = substr(%s, 1, length(%s) / 2) WHERE typeof(%s) = 'blob'", table, column,
             column, column, column);
    try_cell(suffix, sql);
}

static const struct {
    const char *suffix, *table, *column;
} columns[] = {
    {"", "lead_values", "packed"},
    {"", "lead_values", "lead_id"},
    {"", "retry_values", "intent"},
    {"", "retry_values", "target"},
    {"", "batches", "entries"},
    {"", "batches", "entries_n"},
    {"", "batches", "first_row"},
    {"", "batches", "op"},
    {"", "batches", "target"},
    {"", "batches", "run"},
    {"", "rejects", "cells"},
    {"", "headers", "header"},
    {"", "shapes", "names"},
    {"", "identity", "next_lead"},
    {"", "identity", "next_batch"},
    {"", "identity", "next_retry"},
    {"", "identity", "leads_n"},
    {"", "identity", "refusals_n"},
    {"", "identity", "retries_n"},
    {"", "identity", "secret"},
    {"", "targets", "id"},
    {"", "targets", "kind"},
    {"", "runs", "id"},
    {"", "jobs", "total"},
    {".journal", "intents", "entries"},
    {".journal", "outcomes", "entries"},
    {".journal", "batches", "entries_n"},
    {".journal", "batches", "op"},
    {".journal", "batches", "state"},
    {".journal", "batches", "id"},
    {".journal", "batches", "run"},
    {".journal", "batches", "target"},
    {".journal", "batches", "first_row"},
};

START_TEST(a_cell_that_was_tampered_with_is_damage)
{
    try_column(columns[_i].suffix, columns[_i].table, columns[_i].column);
}
END_TEST

/* Tables without a rowid, in which all rows change. */
START_TEST(leads_that_were_tampered_with_are_damage)
{
    static const char *const sqls[] = {"UPDATE leads SET n = 9223372036854775807 - n",
                                       "UPDATE leads SET n = -n",
                                       "UPDATE leads SET n = 1",
                                       "UPDATE leads SET target = -1",
                                       "UPDATE leads SET target = 99",
                                       "UPDATE leads SET flags = -1",
                                       "UPDATE leads SET status = 1099511627776",
                                       "UPDATE leads SET key = x'01' WHERE n = 1",
                                       "UPDATE leads SET key = zeroblob(40) WHERE n = 1",
                                       "UPDATE refusals SET reason = 999",
                                       "UPDATE refusals SET reason = -1",
                                       "UPDATE refusals SET key = x'01' WHERE rowid = 1",
                                       "UPDATE retries SET n = -1",
                                       "UPDATE retries SET n = 77",
                                       "UPDATE retries SET key = x'' WHERE n = 1",
                                       "DELETE FROM lead_values",
                                       "DELETE FROM retry_values",
                                       "DELETE FROM shapes",
                                       "DELETE FROM targets",
                                       "DELETE FROM batches",
                                       "DELETE FROM runs",
                                       "UPDATE lead_values SET who = x'00'",
                                       "UPDATE lead_values SET who = 7",
                                       "UPDATE settings SET value = 'nonsense'"};
    try_cell("", sqls[_i]);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("state_tamper");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 300);
    tcase_add_loop_test(c, a_cell_that_was_tampered_with_is_damage, 0, (int)(sizeof columns / sizeof columns[0]));
    tcase_add_loop_test(c, leads_that_were_tampered_with_are_damage, 0, 24);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
