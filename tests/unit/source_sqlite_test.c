/* SQLite as a source: rows, NULLs, types, refusals with their exit status, and watermarks of each kind. */
#include "config.h"

#include "sync/base/stop.h"
#include "tests/unit/harness.h"
#include "tests/unit/rowtext.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *dir;
static char path[300];
static struct clock_fake fake;

static void run_sql(const char *sql)
{
    sqlite3 *db;
    char *why = NULL;

    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK, "%s", why);
    sqlite3_close(db);
}

static void setup(void)
{
    dir = unit_tmpdir();
    snprintf(path, sizeof path, "%s/crm.db", dir);
    clock_fake_init(&fake, 1782000000000); /* 2026-06-21T00:00:00Z */
    run_sql("create table p (id integer primary key, name text, score real, at datetime, note);"
            "insert into p values (1, 'Ann', 1.5, '2026-06-01 10:00:00', null), (2, '', null, '2026-06-02 11:30:00', x'41'),"
            " (3, 'José', 3, null, 7)");
}

static void teardown(void)
{
    free(dir);
}

static void check(const char *query, const char *want)
{
    struct source_spec spec = {.kind = SOURCE_SQLITE, .as.sql = {.url = path, .query = query}};

    rowtext_check(&spec, NULL, &fake.base, want);
}

static void check_mark(const char *query, const char *column, const char *overlap, const char *stored, const char *want)
{
    struct source_spec spec = {.kind = SOURCE_SQLITE,
                               .as.sql = {.url = path, .query = query, .watermark = column, .overlap = overlap}};
    char type[200];
    struct source_read read = {.watermark = stored, .watermark_type = type};

    rowtext_mark_type(&spec, &fake.base, type, sizeof type);
    spec.as.sql.overlap_ms = 300000;
    if (overlap != NULL)
        duration_parse(str_from(overlap), &spec.as.sql.overlap_ms);
    rowtext_check(&spec, &read, &fake.base, want);
}

START_TEST(rows_are_read)
{
    check("select * from p order by id", "id INTEGER,name,score REAL,at datetime,note\n"
                                         "1 [1][Ann][1.5][2026-06-01 10:00:00](null)\n"
                                         "2 [2][](null)[2026-06-02 11:30:00][A]\n"
                                         "3 [3][José][3.0](null)[7]\n");
    check("select id from p where id > 9", "id INTEGER\n");
    check("select count(*) as n from p; -- that was all\n", "n\n1 [3]\n");
}
END_TEST

START_TEST(refusals_have_their_status)
{
    check("select emial from p", "error 78 no such column: emial\n    1 | select emial from p\n      |        ^");
    check("select\n  id frm p where", "error 78 near \"p\": syntax error\n    2 |   id frm p where\n      |          ^");
    check("insert into p (id) values (4)", "error 78 must be one SELECT");
    check("insert into p (id) values (4) returning id", "error 78 must be one SELECT");
    check("attach '/tmp/x.db' as x", "error 78 must be one SELECT");
    check("", "error 78 must be one SELECT");
    check("select 1 as a; select 2", "error 78 remove the text after the first ;");
    check("select 1 as a, 2 as a", "error 78 columns 1 and 2 are both named \"a\"");
    check("select ? as a", "error 78 a parameter besides :watermark");
    check("select :watermark as a", "error 78 name its column with watermark:");
    check("select abs(-9223372036854775808) as a", "a\nerror 65 integer overflow");
    check("select abs(case id when 2 then -9223372036854775808 else id end) as a from p order by id",
          "a\n1 [1]\nerror 65 integer overflow");
}
END_TEST

START_TEST(unavailable_files)
{
    struct source_spec spec = {.kind = SOURCE_SQLITE, .as.sql = {.url = "/nowhere/crm.db", .query = "select 1 as a"}};

    rowtext_check(&spec, NULL, &fake.base, "error 66 cannot be opened");
    spec.as.sql.url = dir;
    rowtext_check(&spec, NULL, &fake.base, "error 66 is a directory");
    char other[320];
    snprintf(other, sizeof other, "%s/people.csv", dir);
    FILE *f = fopen(other, "w");
    for (int i = 0; i < 200; i++)
        fputs("a,b\n1,2\n", f);
    fclose(f);
    spec.as.sql.url = other;
    spec.as.sql.query = "select * from p";
    rowtext_check(&spec, NULL, &fake.base, "error 65 is this an SQLite file?");
}
END_TEST

START_TEST(nothing_is_written)
{
    char journal[320];

    check("select id from p where id = 1", "id INTEGER\n1 [1]\n");
    snprintf(journal, sizeof journal, "%s-wal", path);
    ck_assert_int_ne(access(journal, F_OK), 0);
}
END_TEST

START_TEST(bytes_that_are_not_text_spoil_their_cell)
{
    run_sql("create table b (v); insert into b values (x'ff'), ('a' || char(0) || 'b'), ('fine')");
    struct source_spec spec = {.kind = SOURCE_SQLITE, .as.sql = {.url = path, .query = "select v from b"}};
    struct source *s = NULL;
    struct err e = ERR_INIT;
    struct row row;
    static const enum reason want[] = {REASON_NOT_UTF8, REASON_NOT_UTF8, REASON_NONE};

    ck_assert_int_eq(source_open(&spec, NULL, &fake.base, &s, &e), 0);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(source_next(s, &row, &e), 1);
        ck_assert_int_eq(row_flaw(&row, 0), want[i]);
        ck_assert_int_eq(row.defect, REASON_NONE);
    }
    ck_assert_uint_eq(row.line, 0);
    source_close(s);

    struct source_read read = {.field_max = 3};
    spec.as.sql.query = "select 'abc' as v union all select 'abcd'";
    rowtext_check(&spec, &read, &fake.base, "v\n1 [abc]\n2 field_too_long [abcd]\n");
}
END_TEST

START_TEST(watermarks_of_integers)
{
    const char *query = "select id, name from p where id > :watermark order by id desc";

    check_mark(query, "id", NULL, NULL, "id INTEGER,name\n1 [3][José]\n2 [2][]\n3 [1][Ann]\nwatermark 3\n");
    check_mark(query, "id", "2", "3", "id INTEGER,name\n1 [3][José]\n2 [2][]\nwatermark 3\n");
    check_mark(query, "id", "2", "-9223372036854775808", "id INTEGER,name\n1 [3][José]\n2 [2][]\n3 [1][Ann]\nwatermark 3\n");
    check_mark(query, "id", "0", "2", "id INTEGER,name\n1 [3][José]\nwatermark 3\n");
    check_mark(query, "id", "0", "3", "id INTEGER,name\n");
    check_mark(query, "id", "10m", NULL, "error 78 is a duration");
    check_mark(query, "id", "5m", NULL, "error 78 is a duration");
    check_mark(query, "at", "0", NULL, "error 78 column \"at\" is not in the query; it has \"id\", \"name\"");
    check_mark("select id from p", "id", "0", NULL, "error 78 does not use :watermark");
}
END_TEST

START_TEST(watermarks_of_reals_and_expressions)
{
    check_mark("select score from p where score > :watermark", "score", ".5", NULL,
               "score REAL\n1 [1.5]\n2 [3.0]\nwatermark 3\n");
    check_mark("select score from p where score > :watermark", "score", ".5", "3", "score REAL\n1 [3.0]\nwatermark 3\n");
    check_mark("select score from p where score > :watermark", "score", "0", "2.5", "score REAL\n1 [3.0]\nwatermark 3\n");
    /* An expression has no affinity: the number stays a number. */
    check_mark("select id + 0 as v from p where id + 0 > :watermark", "v", "0", "2", "v\n1 [3]\nwatermark 3\n");
    check_mark("select id + 0 as v from p where id + 0 > :watermark", "v", "1", "3", "v\n1 [3]\nwatermark 3\n");
    check_mark("select id + 0 as v from p where id + 0 > :watermark", "v", "5m", NULL, "v\nerror 78 is a duration");
    check_mark("select id + 0 as v from p where id + 0 > :watermark", "v", "5m", "2", "error 78 is a duration");
    check_mark("select id + 0 as v from p where id + 0 > :watermark", "v", "0", NULL,
               "v\n1 [1]\n2 [2]\n3 [3]\nwatermark 3\n");
}
END_TEST

START_TEST(watermarks_of_texts)
{
    const char *query = "select name from p where name > :watermark order by name";

    check_mark(query, "name", NULL, NULL, "name\n1 [Ann]\n2 [José]\nwatermark José\n");
    check_mark(query, "name", NULL, "Ann", "name\n1 [José]\nwatermark José\n");
    check_mark(query, "name", "0", "Ann", "name\n1 [José]\nwatermark José\n");
    check_mark(query, "name", "5m", NULL, "name\nerror 78 cannot be taken off text");
    check_mark(query, "name", "5m", "Ann", "error 78 cannot be taken off text");
}
END_TEST

START_TEST(watermarks_of_times)
{
    const char *query = "select id, at from p where at > :watermark order by id";

    static const char *const second = "id INTEGER,at datetime\n1 [2][2026-06-02 11:30:00]\nwatermark 2026-06-02 11:30:00\n";
    static const char *const none = "id INTEGER,at datetime\n";
    check_mark(
        query, "at", "5m", NULL,
        "id INTEGER,at datetime\n1 [1][2026-06-01 10:00:00]\n2 [2][2026-06-02 11:30:00]\nwatermark 2026-06-02 11:30:00\n");
    check_mark(query, "at", "5m", "2026-06-02 11:34:59", second);
    check_mark(query, "at", NULL, "2026-06-02 11:34:59", second);
    check_mark(query, "at", "5m", "2026-06-02 11:35:00", none);
    check_mark(query, "at", "0", "2026-06-02 11:30:00", none);
    check_mark(query, "at", "315360001", NULL, "id INTEGER,at datetime\nerror 78 longer than 3650d");
    check_mark(
        query, "at", "0", NULL,
        "id INTEGER,at datetime\n1 [1][2026-06-01 10:00:00]\n2 [2][2026-06-02 11:30:00]\nwatermark 2026-06-02 11:30:00\n");
    run_sql("insert into p (id, at) values (4, '2099-01-01T00:00:00.123Z')");
    check_mark("select at from p where at > :watermark and id = 4", "at", "1h", NULL,
               "at datetime\n1 [2099-01-01T00:00:00.123Z]\nwatermark 2026-06-21T00:00:00\n");
    /* Fractions are kept. */
    run_sql("insert into p (id, at) values (5, '2026-06-10 10:00:00.250')");
    check_mark("select at from p where at > :watermark and id = 5", "at", "0", NULL,
               "at datetime\n1 [2026-06-10 10:00:00.250]\nwatermark 2026-06-10 10:00:00.250\n");
    check_mark("select date(at) as d from p where d > :watermark and id = 2", "d", "1d", "2026-06-02",
               "d\n1 [2026-06-02]\nwatermark 2026-06-02\n");
}
END_TEST

START_TEST(rows_without_a_watermark_are_for_full_reads)
{
    const char *query = "select id, at from p where at > :watermark or at is null order by id desc";

    check_mark(query, "at", "0", NULL,
               "id INTEGER,at datetime\n1 [3](null)\n2 [2][2026-06-02 11:30:00]\n3 [1][2026-06-01 10:00:00]\n"
               "null watermarks 1\nwatermark 2026-06-02 11:30:00\n");
    check_mark(query, "at", "0", "2026-06-01 10:00:00",
               "id INTEGER,at datetime\n1 [2][2026-06-02 11:30:00]\nnull watermarks 1\nwatermark 2026-06-02 11:30:00\n");
}
END_TEST

START_TEST(a_full_query_is_what_a_full_read_runs)
{
    static const char *const wrong[][2] = {
        {"select id, at, note from p", "error 78 full_query: has 3 columns and query: has 2"},
        {"select at, id from p", "error 78 column 1 is \"at\" and in query: \"id\""},
        {"select id, at from p where at > :watermark", "error 78 full_query: has a parameter"},
        {"select id, att from p", "error 78 \n    1 | select id, att from p\n      |            ^"},
        {"delete from p", "error 78 full_query: must be one SELECT"},
    };
    const struct source_read since = {.watermark = "2026-06-02 11:00:00", .watermark_type = "datetime, text"};
    struct source_spec spec = {.kind = SOURCE_SQLITE,
                               .as.sql = {.url = path,
                                          .watermark = "at",
                                          .full_query = "select id, at from p order by id desc",
                                          .query = "select id, at from p where at > :watermark order by id"}};

    rowtext_check(&spec, NULL, &fake.base,
                  "id INTEGER,at datetime\n1 [3](null)\n2 [2][2026-06-02 11:30:00]\n3 [1][2026-06-01 10:00:00]\n"
                  "null watermarks 1\nwatermark 2026-06-02 11:30:00\n");
    rowtext_check(&spec, &since, &fake.base,
                  "id INTEGER,at datetime\n1 [2][2026-06-02 11:30:00]\nwatermark 2026-06-02 11:30:00\n");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        spec.as.sql.full_query = wrong[i][0];
        rowtext_check(&spec, NULL, &fake.base, wrong[i][1]);
        rowtext_check(&spec, &since, &fake.base, wrong[i][1]);
    }
}
END_TEST

START_TEST(a_watermark_of_another_type_is_left)
{
    struct source_spec spec = {.kind = SOURCE_SQLITE,
                               .as.sql = {.url = path,
                                          .watermark = "id",
                                          .query = "select id from p where id > :watermark"}};
    struct source_read read = {.watermark = "2", .watermark_type = "TEXT"};

    rowtext_check(&spec, &read, &fake.base, "id INTEGER\n1 [1]\n2 [2]\n3 [3]\nwatermark 3\n");
    read.watermark_type = NULL;
    rowtext_check(&spec, &read, &fake.base, "id INTEGER\n1 [1]\n2 [2]\n3 [3]\nwatermark 3\n");
    read.watermark_type = "INTEGER";
    rowtext_check(&spec, &read, &fake.base, "id INTEGER\n1 [3]\nwatermark 3\n");
    /* The declared type is the same, and every number is below every text. */
    run_sql("update p set at = 1782000000 + id");
    read = (struct source_read){.watermark = "2026-06-02 11:30:00", .watermark_type = "datetime, text"};
    spec.as.sql.watermark = "at";
    spec.as.sql.query = "select at from p where at > :watermark and id < 3";
    rowtext_check(&spec, &read, &fake.base, "at datetime\n1 [1782000001]\n2 [1782000002]\nwatermark 1782000002\n");
    read = (struct source_read){.watermark = "1782000001", .watermark_type = "datetime, numbers"};
    rowtext_check(&spec, &read, &fake.base, "at datetime\n1 [1782000002]\nwatermark 1782000002\n");
}
END_TEST

static void check_origin(const char *query, const char *column, const char *table, bool may_be_null, uint64_t nulls)
{
    struct source_spec spec = {.kind = SOURCE_SQLITE, .as.sql = {.url = path, .query = query, .watermark = column}};
    const struct source_read read = {.count_nulls = true};
    struct source *s = NULL;
    struct err e = ERR_INIT;

    ck_assert_msg(source_open(&spec, &read, &fake.base, &s, &e) == 0, "%s", err_text(&e));
#ifdef HAVE_SQLITE3_COLUMN_ORIGIN_NAME
    ck_assert_msg((s->mark.table != NULL) == (table != NULL), "%s", query);
    if (table != NULL)
        ck_assert_str_eq(s->mark.table, table);
    ck_assert_msg(s->mark.may_be_null == may_be_null, "%s", query);
    ck_assert_uint_eq(s->mark.table_nulls, nulls);
#else
    (void)table, (void)may_be_null, (void)nulls;
    ck_assert(s->mark.may_be_null);
#endif
    source_close(s);
}

START_TEST(sqlite_knows_which_columns_may_be_null)
{
    run_sql("create table \"Odd one\" (n integer not null)");
    check_origin("select id, at from p where at > :watermark", "at", "\"main\".\"p\"", true, 1);
    check_origin("select id from p where id > :watermark", "id", "\"main\".\"p\"", false, 0);
    check_origin("select n from \"Odd one\" where n > :watermark", "n", "\"main\".\"Odd one\"", false, 0);
    check_origin("select n from p left join \"Odd one\" on n = id where n > :watermark", "n", "\"main\".\"Odd one\"", true,
                 0);
    check_origin("select n + 0 as n from \"Odd one\" where n > :watermark", "n", NULL, true, 0);
}
END_TEST

START_TEST(a_signal_ends_a_long_step)
{
    stop_set(SIGINT);
    check("with recursive c(n) as (select 1 union all select n + 1 from c where n < 100000000) select max(n) as n from c",
          "n\nerror 130 interrupted");
    stop_set(0);
}
END_TEST

START_TEST(no_wait_passes_the_deadline)
{
    struct source_spec spec =
        {.kind = SOURCE_SQLITE,
         .as.sql = {.url = path,
                    .query = "with recursive c(n) as (select 1 union all select n + 1 from c where n < 1000000000)"
                             " select max(n) as n from c"}};

    rowtext_check_late(&spec, clock_system(), "n\nerror 1 the time budget ended while reading");
}
END_TEST

/* A writer gets in only when no read is under way (the file has no WAL). */
static bool can_write(void)
{
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    bool can = sqlite3_exec(db, "update p set note = 'new'", NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_close(db);
    return can;
}

START_TEST(a_spooled_read_lets_go_of_its_source)
{
    struct source_spec spec = {.kind = SOURCE_SQLITE,
                               .as.sql = {.url = path,
                                          .query = "select id, at, note from p where id > :watermark order by id",
                                          .watermark = "id",
                                          .spool = _i}};
    struct source *s = NULL;
    struct err e = ERR_INIT;
    struct row row;

    ck_assert_int_eq(source_open(&spec, NULL, &fake.base, &s, &e), 0);
    ck_assert_uint_eq(s->columns_n, 3);
    ck_assert_int_eq(source_next(s, &row, &e), 1);
    ck_assert(can_write() == (_i == 1));
    clock_fake_advance_us(&fake, 61 * 1000 * 1000);
    ck_assert_int_eq(source_next(s, &row, &e), 1);
    ck_assert(can_write() == (_i != 0));
    ck_assert_uint_eq(row.number, 2);
    ck_assert_uint_eq(row.n, 3);
    ck_assert(row.cells[1].n == 19 && memcmp(row.cells[1].p, "2026-06-02 11:30:00", 19) == 0);
    ck_assert_int_eq(source_next(s, &row, &e), 1);
    ck_assert(row.cells[1].null);
    ck_assert_int_eq(source_next(s, &row, &e), 0);
    ck_assert_int_eq(source_next(s, &row, &e), 0);
    ck_assert_str_eq(s->ops->watermark(s), "3");
    source_close(s);
}
END_TEST

START_TEST(a_spooled_read_ends_with_its_source_s_error)
{
    struct source_spec spec = {.kind = SOURCE_SQLITE,
                               .as.sql = {.url = path,
                                          .spool = 1,
                                          .query = "select abs(case id when 2 then -9223372036854775808 else id end) as a "
                                                   "from p order by id"}};

    /* Nothing is handed out: the rows before it are no complete read either way. */
    rowtext_check(&spec, NULL, &fake.base, "a\nerror 65 integer overflow");
    setenv("TMPDIR", "/nowhere", 1);
    spec.as.sql.query = "select 1 as a";
    rowtext_check(&spec, NULL, &fake.base, "a\nerror 74 TMPDIR");
    unsetenv("TMPDIR");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("sqlite");
    TCase *t = tcase_create("sqlite");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, rows_are_read);
    tcase_add_test(t, refusals_have_their_status);
    tcase_add_test(t, unavailable_files);
    tcase_add_test(t, nothing_is_written);
    tcase_add_test(t, bytes_that_are_not_text_spoil_their_cell);
    tcase_add_test(t, watermarks_of_integers);
    tcase_add_test(t, watermarks_of_reals_and_expressions);
    tcase_add_test(t, watermarks_of_texts);
    tcase_add_test(t, watermarks_of_times);
    tcase_add_test(t, rows_without_a_watermark_are_for_full_reads);
    tcase_add_test(t, a_full_query_is_what_a_full_read_runs);
    tcase_add_test(t, a_watermark_of_another_type_is_left);
    tcase_add_test(t, sqlite_knows_which_columns_may_be_null);
    tcase_add_test(t, a_signal_ends_a_long_step);
    tcase_add_test(t, no_wait_passes_the_deadline);
    tcase_add_loop_test(t, a_spooled_read_lets_go_of_its_source, -1, 2);
    tcase_add_test(t, a_spooled_read_ends_with_its_source_s_error);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void)
{
    return unit_run(make_suite());
}
