/* Opening: whose file it is, who may read it, what a reader may not touch, one writer at a time. */
#include "config.h"

#include "tests/unit/state_kit.h"

#include "sync/base/file.h"
#include "sync/state/schema.h"
#include "sync/state/state_int.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct kit k;

static void setup(void)
{
    kit_init(&k);
}

static void teardown(void)
{
    kit_free(&k);
}

static int try_open(enum state_access access, const char *sync, const char *host, struct state **out)
{
    struct state_options o = {.path = k.path,
                              .access = access,
                              .sync = sync,
                              .api_host = host,
                              .memory_max = k.memory_max,
                              .clock = &k.clock.base};
    return state_open(&o, out, &k.e);
}

static void refused(enum state_access access, const char *sync, const char *host, enum exit_status status, const char *part)
{
    struct state *s = &(struct state){0};
    int rc = try_open(access, sync, host, &s);
    ck_assert_ptr_null(s);
    kit_failed(&k, rc, status, part);
}

static void opens(const char *sync, const char *host)
{
    struct state *s;
    kit_ok(&k, try_open(STATE_WRITE, sync, host, &s));
    state_close(s);
}

static void write_file(const char *bytes, size_t n)
{
    FILE *f = fopen(k.path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void sql(const char *text)
{
    struct db db;
    kit_ok(&k, db_open(&db, k.path, true, &k.e));
    kit_ok(&k, db_exec(&db, text, &k.e));
    db_close(&db);
}

static unsigned mode_of(const char *suffix)
{
    struct stat st;
    char *name = NULL;
    ck_assert_int_ge(asprintf(&name, "%s%s", k.path, suffix), 0);
    ck_assert_msg(stat(name, &st) == 0, "%s is missing", name);
    free(name);
    return st.st_mode & 0777;
}

START_TEST(missing_stays_missing_for_readers)
{
    struct state *s;
    ck_assert_int_eq(try_open(STATE_READ, NULL, NULL, &s), 1);
    ck_assert_ptr_null(s);
    ck_assert(!kit_exists(&k, ""));
    ck_assert(!kit_exists(&k, ".lock"));
}
END_TEST

START_TEST(every_file_is_private_whatever_the_umask)
{
    mode_t masks[] = {0, 0777};
    for (size_t i = 0; i < 2; i++) {
        mode_t before = umask(masks[i]);
        kit_open(&k, STATE_WRITE);
        kit_run(&k);
        struct entry entry = kit_entry(&k, 1, 1);
        entry.outcome = OUTCOME_CREATED;
        kit_ok(&k, state_entry_add(k.s, k.run, k.target, &entry, &k.e));
        kit_ok(&k, state_commit(k.s, &k.e));
        umask(before);
        static const char *const suffixes[] = {"", "-wal", "-shm", ".lock", ".journal", ".journal-wal", ".journal-shm"};
        for (size_t f = 0; f < sizeof suffixes / sizeof suffixes[0]; f++)
            ck_assert_msg(mode_of(suffixes[f]) == 0600, "%s is %o", suffixes[f], mode_of(suffixes[f]));
        kit_close(&k);
    }
    ck_assert_int_eq(chmod(k.path, 0644), 0);
    kit_open(&k, STATE_WRITE);
    ck_assert_uint_eq(mode_of(""), 0600);
}
END_TEST

START_TEST(folders_are_made_private)
{
    char *folder = path_join(k.dir, "a/b");
    struct stat st;
    free(k.path);
    k.path = path_join(folder, "people.db");
    kit_open(&k, STATE_WRITE);
    ck_assert_int_eq(stat(folder, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0700);
    free(folder);
}
END_TEST

START_TEST(what_is_not_ours_is_refused)
{
    ck_assert_int_eq(mkdir(k.path, 0700), 0);
    refused(STATE_WRITE, NULL, NULL, XS_STATE, "is a folder");
    refused(STATE_READ, NULL, NULL, XS_STATE, "is a folder");
    rmdir(k.path);
    write_file("", 0);
    refused(STATE_WRITE, NULL, NULL, XS_STATE, "is empty");
    write_file("email,name\nada@example.com,Ada\n", 31);
    refused(STATE_WRITE, NULL, NULL, XS_STATE, "not an SQLite file");
    refused(STATE_READ, NULL, NULL, XS_STATE, "not an SQLite file");
    char digest[SHA256_HEX_N], after[SHA256_HEX_N];
    kit_digest(&k, "", digest);
    unlink(k.path);
    struct db db;
    int fd = open(k.path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    kit_ok(&k, db_open(&db, k.path, true, &k.e));
    kit_ok(&k, db_exec(&db, "CREATE TABLE t(x)", &k.e));
    db_close(&db);
    kit_digest(&k, "", digest);
    refused(STATE_WRITE, NULL, NULL, XS_STATE, "another program");
    refused(STATE_READ, NULL, NULL, XS_STATE, "another program");
    kit_digest(&k, "", after);
    ck_assert_str_eq(digest, after);
    unlink(k.path);
    ck_assert_int_eq(mkfifo(k.path, 0600), 0);
    refused(STATE_READ, NULL, NULL, XS_STATE, "not a regular file");
    unlink(k.path);
}
END_TEST

START_TEST(damage_is_named)
{
    kit_open(&k, STATE_WRITE);
    kit_close(&k);
    struct buf bytes = BUF_INIT(1 << 20);
    kit_ok(&k, file_read(k.path, &bytes, XS_STATE, XS_STATE, &k.e));
    write_file(bytes.p, bytes.n / 2); /* cut */
    refused(STATE_WRITE, NULL, NULL, XS_STATE, "damaged");
    for (size_t i = 5000; i < bytes.n; i++)
        bytes.p[i] = (char)kit_mix(i);
    write_file(bytes.p, bytes.n);
    refused(STATE_WRITE, NULL, NULL, XS_STATE, k.path);
    buf_free(&bytes);
}
END_TEST

START_TEST(newer_and_missing_tables_are_refused)
{
    kit_open(&k, STATE_WRITE);
    kit_close(&k);
    sql("PRAGMA user_version = 7");
    refused(STATE_WRITE, NULL, NULL, XS_STATE, "newer leadsync");
    refused(STATE_READ, NULL, NULL, XS_STATE, "newer leadsync");
    sql("PRAGMA user_version = 0");
    refused(STATE_WRITE, NULL, NULL, XS_STATE, "no version");
    sql("PRAGMA user_version = 6; DROP TABLE identity");
    refused(STATE_WRITE, NULL, NULL, XS_STATE, "lacks the tables");
}
END_TEST

START_TEST(an_older_state_is_taken_up)
{
    kit_open(&k, STATE_WRITE);
    kit_close(&k);
    sql("DROP TABLE people; DROP TABLE pulled; ALTER TABLE retries DROP COLUMN run; ALTER TABLE runs DROP COLUMN mapping; "
        "ALTER TABLE runs DROP COLUMN begun; PRAGMA user_version = 1");
    refused(STATE_READ, NULL, NULL, XS_STATE, "leadsync resume");
    kit_open(&k, STATE_WRITE);
    kit_close(&k);
    kit_open(&k, STATE_READ);
    kit_close(&k);
}
END_TEST

static int count_step(void *ctx, struct err *e)
{
    (void)e;
    ++*(int *)ctx;
    return 0;
}

START_TEST(steps_migrate_in_a_transaction_each)
{
    static const struct schema_step steps[] = {{2, "ALTER TABLE extra ADD COLUMN y INTEGER", count_step},
                                               {1, "CREATE TABLE extra(x INTEGER)", NULL},
                                               {3, "NONSENSE", NULL},
                                               {0, NULL, NULL}};
    int filled = 0;
    struct db db;
    int64_t n;
    kit_open(&k, STATE_WRITE);
    kit_close(&k);
    sql("PRAGMA user_version = 1");
    kit_ok(&k, db_open(&db, k.path, true, &k.e));
    kit_ok(&k, schema_migrate(&db, steps, &filled, 3, &k.e));
    ck_assert_int_eq(filled, 1);
    kit_ok(&k, db_int(&db, &n, 0, "PRAGMA user_version", &k.e));
    ck_assert_int_eq(n, 3);
    kit_ok(&k, db_exec(&db, "INSERT INTO extra(x, y) VALUES(1, 2)", &k.e));
    kit_failed(&k, schema_migrate(&db, steps, &filled, 4, &k.e), XS_STATE, "from version 3 to 4");
    kit_ok(&k, db_int(&db, &n, 0, "PRAGMA user_version", &k.e));
    ck_assert_int_eq(n, 3);
    kit_failed(&k, schema_migrate(&db, steps + 3, &filled, 5, &k.e), XS_STATE, "version 3 of a state");
    kit_failed(&k, schema_migrate(&db, steps, &filled, 9, &k.e), XS_STATE, "");
    db_close(&db);
}
END_TEST

START_TEST(one_sync_and_one_host_a_file)
{
    opens(NULL, NULL);
    opens("nightly", "127.0.0.1:4000"); /* what was not said is set */
    opens("nightly", "localhost:1");
    opens("nightly", "[::1]:80");
    opens(NULL, "127.9.9.9");
    refused(STATE_WRITE, "weekly", NULL, XS_CONFIG, "belongs to sync nightly");
    refused(STATE_READ, "weekly", NULL, XS_CONFIG, "belongs to sync nightly");
    refused(STATE_WRITE, "nightly", "api.instantly.ai", XS_CONFIG, "loopback");
    refused(STATE_WRITE, "nightly", "127.0.0.1.example.com:80", XS_CONFIG, "loopback");
    ck_assert_int_eq(unlink(k.path), 0);
    opens("nightly", "API.instantly.ai");
    opens("nightly", "api.instantly.ai");
    refused(STATE_READ, "nightly", "localhost:3", XS_CONFIG, "api.instantly.ai");
}
END_TEST

START_TEST(a_reader_changes_no_byte)
{
    static const char *const suffixes[] = {"", ".journal", ".journal-wal", ".lock"};
    char before[4][SHA256_HEX_N], after[SHA256_HEX_N];
    struct entry entries[2];
    kit_open(&k, STATE_WRITE);
    kit_run(&k);
    for (uint64_t n = 0; n < 2; n++) {
        entries[n] = kit_entry(&k, n + 1, 11);
        entries[n].outcome = OUTCOME_CREATED;
    }
    kit_batch(&k, OP_CREATE, k.target, entries, 2);
    for (int during = 1; during >= 0; during--) {
        for (size_t i = 0; i < 4; i++)
            kit_digest(&k, suffixes[i], before[i]);
        struct state *writer = k.s;
        k.s = kit_reader(&k);
        struct remembered r = kit_lookup(&k, 1, 11, 0);
        ck_assert_int_eq(r.kind, REMEMBERED_SAME);
        kit_failed(&k, state_set(k.s, "a", "b", &k.e), XS_INTERNAL, "for reading");
        kit_failed(&k, state_lock(k.s, 0, &k.e), XS_INTERNAL, "for reading");
        kit_audit(&k);
        state_close(k.s);
        k.s = writer;
        for (size_t i = 0; i < 4; i++) {
            kit_digest(&k, suffixes[i], after);
            ck_assert_msg(strcmp(before[i], after) == 0, "%s changed", suffixes[i]);
        }
        if (during)
            kit_close(&k); /* the second time nobody writes, and the -shm and -wal of the main file are gone */
    }
}
END_TEST

START_TEST(a_read_only_folder_says_what_to_do)
{
    enum { SOMEBODY = 65534 };
    struct state *s = NULL;
    bool root = geteuid() == 0; /* who may write everywhere, and becomes somebody who may not */
    kit_open(&k, STATE_WRITE);
    kit_close(&k);
    for (int beside = 0; beside < 2; beside++) {
        if (beside == 1) {
            /* With the files that SQLite wants beside it already there, reading works. */
            s = kit_reader(&k);
            ck_assert_uint_eq(state_leads_n(s), 0);
        }
        static const char *const suffixes[] = {"", ".lock", "-wal", "-shm"};
        for (size_t i = 0; i < 4; i++) {
            char *name = NULL;
            ck_assert_int_ge(asprintf(&name, "%s%s", k.path, suffixes[i]), 0);
            ck_assert(!root || !kit_exists(&k, suffixes[i]) || chown(name, SOMEBODY, SOMEBODY) == 0);
            free(name);
        }
        ck_assert(!root || chown(k.dir, SOMEBODY, SOMEBODY) == 0);
        ck_assert_int_eq(chmod(k.dir, 0500), 0);
        ck_assert(!root || seteuid(SOMEBODY) == 0);
        struct state *again = NULL;
        int rc = try_open(STATE_READ, NULL, NULL, &again);
        ck_assert(!root || seteuid(0) == 0);
        ck_assert_int_eq(chmod(k.dir, 0700), 0);
        state_close(again);
        if (beside == 0)
            kit_failed(&k, rc, XS_STATE, "copy all of it");
        else
            kit_ok(&k, rc);
    }
    state_close(s);
}
END_TEST

START_TEST(the_lock_names_its_holder_and_dies_with_it)
{
    int ready[2];
    char byte;
    struct state *other;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        kit_open(&k, STATE_WRITE);
        if (write(ready[1], "x", 1) == 1)
            pause();
        _exit(0);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    kit_ok(&k, try_open(STATE_WRITE, NULL, NULL, &other));
    char pid[32];
    snprintf(pid, sizeof pid, "(pid %ld on ", (long)child);
    kit_failed(&k, state_lock(other, 0, &k.e), XS_LOCKED, pid);
    int64_t before = k.clock.mono;
    kit_failed(&k, state_lock(other, 250, &k.e), XS_LOCKED, "since 20");
    ck_assert_int_eq(k.clock.mono - before, 250000);
    kit_failed(&k, state_set(other, "a", "b", &k.e), XS_INTERNAL, "without its lock");
    kit_failed(&k, state_merge(other, 1, &k.e), XS_INTERNAL, "without its lock");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    kit_ok(&k, state_lock(other, 0, &k.e));
    kit_ok(&k, state_lock(other, 0, &k.e)); /* held is held */
    kit_ok(&k, state_set(other, "a", "b", &k.e));
    state_close(other);
}
END_TEST

START_TEST(a_foreign_journal_is_refused)
{
    kit_open(&k, STATE_WRITE);
    kit_run(&k);
    struct entry entry = kit_entry(&k, 1, 11);
    struct batch b = {.run = k.run, .op = OP_CREATE, .entries = &entry, .entries_n = 1};
    kit_ok(&k, state_batch_add(k.s, &b, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    kit_close(&k);
    unlink(k.path);
    refused(STATE_WRITE, NULL, NULL, XS_STATE, "journal of another state");
    refused(STATE_READ, NULL, NULL, XS_STATE, "journal of another state");
}
END_TEST

START_TEST(half_a_journal_is_no_journal)
{
    kit_open(&k, STATE_WRITE);
    char *name = NULL;
    ck_assert_int_ge(asprintf(&name, "%s.journal", k.path), 0);
    close(open(name, O_CREAT | O_WRONLY, 0600));
    free(name);
    struct state *reader = kit_reader(&k);
    state_close(reader);
    kit_run(&k);
    struct entry entry = kit_entry(&k, 1, 11);
    entry.outcome = OUTCOME_CREATED;
    kit_batch(&k, OP_CREATE, k.target, &entry, 1);
    kit_merge(&k);
    ck_assert_uint_eq(state_leads_n(k.s), 1);
}
END_TEST

START_TEST(default_places)
{
    char *expect = NULL, *path;
    char **paths;
    size_t n;
    setenv("XDG_STATE_HOME", k.dir, 1);
    kit_ok(&k, state_find_all(&paths, &n, &k.e));
    ck_assert_uint_eq(n, 0);
    free(paths);
    static const char *const names[] = {"one", "two"};
    for (int i = 0; i < 2; i++) {
        path = state_default_path(names[i], i == 1, &k.e);
        ck_assert_int_ge(asprintf(&expect, "%s/leadsync/%s%s.db", k.dir, names[i], i == 1 ? ".sandbox" : ""), 0);
        ck_assert_str_eq(path, expect);
        free(expect);
        free(k.path);
        k.path = path;
        kit_open(&k, STATE_WRITE);
        kit_close(&k);
        struct timespec when[2] = {{1000 + i, 0}, {1000 + i, 0}};
        ck_assert_int_eq(utimensat(AT_FDCWD, path, when, 0), 0);
    }
    kit_ok(&k, state_find_all(&paths, &n, &k.e));
    ck_assert_uint_eq(n, 2);
    ck_assert_str_eq(paths[0], k.path);
    for (size_t i = 0; i < n; i++)
        free(paths[i]);
    free(paths);
    ck_assert_ptr_null(state_default_path("../up", false, &k.e));
    err_clear(&k.e);
    unsetenv("XDG_STATE_HOME");
    unsetenv("HOME");
    ck_assert_ptr_null(state_default_path("one", false, &k.e));
    kit_failed(&k, -1, XS_STATE, "--state");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("state_open");
    TCase *c = tcase_create("open");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, missing_stays_missing_for_readers);
    tcase_add_test(c, every_file_is_private_whatever_the_umask);
    tcase_add_test(c, folders_are_made_private);
    tcase_add_test(c, what_is_not_ours_is_refused);
    tcase_add_test(c, damage_is_named);
    tcase_add_test(c, newer_and_missing_tables_are_refused);
    tcase_add_test(c, an_older_state_is_taken_up);
    tcase_add_test(c, steps_migrate_in_a_transaction_each);
    tcase_add_test(c, one_sync_and_one_host_a_file);
    tcase_add_test(c, a_reader_changes_no_byte);
    tcase_add_test(c, a_read_only_folder_says_what_to_do);
    tcase_add_test(c, the_lock_names_its_holder_and_dies_with_it);
    tcase_add_test(c, a_foreign_journal_is_refused);
    tcase_add_test(c, half_a_journal_is_no_journal);
    tcase_add_test(c, default_places);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
