/* PostgreSQL as a source: rows, watermarks, and queries that are refused or fail. */
#include "config.h"

#include "tests/unit/postgres_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(const char *query, const char *want)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = pg_url, .query = query}};

    rowtext_check(&spec, NULL, clock_system(), want);
}

static void check_mark(const char *query, const char *column, const char *overlap, const char *stored, const char *want)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES,
                               .as.sql = {.url = pg_url, .query = query, .watermark = column, .overlap = overlap}};
    char type[200];
    struct source_read read = {.watermark = stored, .watermark_type = type};

    spec.as.sql.overlap_ms = 300000;
    if (overlap != NULL)
        duration_parse(str_from(overlap), &spec.as.sql.overlap_ms);
    rowtext_mark_type(&spec, clock_system(), type, sizeof type);
    rowtext_check(&spec, &read, clock_system(), want);
}

START_TEST(rows_are_read)
{
    check("select id, name, ok, at, amount, day from p order by id",
          "id integer,name,ok boolean,at timestamp with time zone,amount numeric(10,2),day date\n"
          "1 [1][Ann][true][2026-06-01 10:00:00.123456+00][1.50][2026-06-01]\n"
          "2 [2][][false][2026-06-02 11:30:00+00](null)[2026-06-02]\n"
          "3 [3][José](null)(null)[-3.00](null)\n");
    check("select id from p where false", "id integer\n");
    check("select 'x'::varchar(10) as a, '{1,2}'::int[] as b, interval '1 day 2 hours' as c, '\\x00ff'::bytea as d;",
          "a,b integer[],c interval,d bytea\n1 [x][{1,2}][P1DT2H][\\x00ff]\n");
    check("select current_setting('application_name') as a, current_setting('transaction_isolation') as b,"
          " current_setting('transaction_read_only') as c",
          "a,b,c\n1 [leadsync][repeatable read][on]\n");
}
END_TEST

START_TEST(sql_that_is_refused_has_a_caret)
{
    check("select id,\n  emial\nfrom p",
          "error 78 column \"emial\" does not exist (SQLSTATE 42703)\n    2 |   emial\n      |   ^");
    check("select 'é', emial from p", "error 78 \n    1 | select 'é', emial from p\n      |             ^");
    check("selec 1", "error 78 syntax error");
    check("select * from nowhere", "error 78 relation \"nowhere\" does not exist");
    check("insert into p (id) values (9)", "error 78 returns no columns");
    check("insert into p (id) values (9) returning id", "id integer\nerror 78 read-only transaction");
    check("select 1 as a; select 2", "error 78 cannot insert multiple commands");
    check("select 1 as a, 2 as a", "error 78 columns 1 and 2 are both named \"a\"");
    check("select $1::int as a", "error 78 a parameter besides :watermark");
    check("", "error 78 returns no columns");
    check("select 1/0 as a", "a integer\nerror 65 division by zero");
}
END_TEST

START_TEST(errors_while_rows_flow_are_the_data_s)
{
    check("select 1 / (2 - n) as a from generate_series(1, 5) n order by n", "a integer\nerror 65 division by zero");
    check("select ('x' || n)::int as a from generate_series(1, 2) n",
          "a integer\nerror 65 invalid input syntax for type integer");
    check("select (select n from generate_series(1, 2) n) as a", "a integer\nerror 65 more than one row");
    check("select 'x'::int as a", "error 78 invalid input syntax for type integer");
    check("select 1 / (n - 20000) as a from generate_series(19998, 20003) n",
          "a integer\n1 [0]\n2 [-1]\nerror 65 division by zero");
    struct source_spec spec =
        {.kind = SOURCE_POSTGRES,
         .as.sql = {.url = pg_url,
                    .query = "select repeat('x', 1000) || 1 / (50000 - n) as a from generate_series(1, 60000) n"}};
    struct source *s = NULL;
    struct err e = ERR_INIT;
    struct row row;
    int got, rows = 0;

    ck_assert_int_eq(source_open(&spec, NULL, clock_system(), &s, &e), 0);
    while ((got = source_next(s, &row, &e)) > 0)
        rows++;
    ck_assert_int_eq(got, -1);
    ck_assert_int_eq(rows, 49999);
    ck_assert_int_eq(e.status, XS_SOURCE);
    ck_assert_ptr_nonnull(strstr(err_text(&e), "division by zero"));
    err_clear(&e);
    ck_assert_int_eq(source_next(s, &row, &e), -1);
    err_clear(&e);
    source_close(s);
}
END_TEST

START_TEST(an_unavailable_source)
{
    char other[500];
    struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = other, .query = "select 1 as a"}};

    snprintf(other, sizeof other, "host=%s user=postgres dbname=nodb password=hunter2", pg_dir);
    rowtext_check(&spec, NULL, clock_system(), "error 66 database \"nodb\" does not exist");
    snprintf(other, sizeof other, "host=%s user=nobody_here dbname=postgres", pg_dir);
    rowtext_check(&spec, NULL, clock_system(), "error 66 role \"nobody_here\" does not exist");
    snprintf(other, sizeof other, "postgresql://u:hunter2@/x?host=/nowhere");
    rowtext_check(&spec, NULL, clock_system(), "error 66 postgres host=/nowhere dbname=x: cannot connect");
    /* The lines of libpq's message are parted. */
    rowtext_check(&spec, NULL, clock_system(), "error 66 No such file or directory; Is the server running");
    snprintf(other, sizeof other, "service=no_such_service");
    rowtext_check(&spec, NULL, clock_system(), "error 66 postgres service=no_such_service: cannot connect");
    snprintf(other, sizeof other, "host=%s user=reader dbname=postgres", pg_dir);
    spec.as.sql.query = "select id from p";
    rowtext_check(&spec, NULL, clock_system(), "id integer\nerror 66 permission denied for table p");
}
END_TEST

START_TEST(padding_of_char_is_no_value)
{
    check("select 'N1'::char(20) as a, 'N1  '::varchar(20) as b, ' x '::char(5) as c, ''::char(3) as d, 'y '::text as e",
          "a,b,c,d,e\n1 [N1][N1  ][ x][][y ]\n");
}
END_TEST

START_TEST(passwords_are_never_shown)
{
    static const char *const urls[] = {"host=/nowhere password=hunter2",
                                       "postgresql://u:hunter2@/x?host=/nowhere",
                                       "postgresql://u:hunter2%zz@/x?host=/nowhere",
                                       "host=/nowhere password=a hunter2",
                                       "password=hunter2 'oops",
                                       "postgresql://u:P@hunter2@127.0.0.1/crm",
                                       "postgresql://u:p#hunter2/x@127.0.0.1/crm",
                                       "postgresql://u:p/hunter2@127.0.0.1/crm",
                                       "postgresql://u:12/hunter2@127.0.0.1/crm",
                                       "postgresql://u:p?hunter2@127.0.0.1/crm",
                                       "postgresql://u:12?user=hunter2@127.0.0.1/crm",
                                       "postgresql://u:hunter2/crm",
                                       "u:hunter2@127.0.0.1/crm",
                                       "Postgresql://u:hunter2@h/crm",
                                       "jdbc:postgresql://u:hunter2@h/crm",
                                       "postgresql://u:P@hunter2@h/crm?connect_timeout=2",
                                       "dbname=postgresql://u:P@hunter2@h/crm",
                                       "host=/nowhere port=hunter2"};
    struct buf out = BUF_INIT(10000);

    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = urls[i], .query = "select 1 as a"}};
        buf_reset(&out);
        rowtext_read(&spec, NULL, clock_system(), &out);
        ck_assert_msg(strncmp(buf_cstr(&out), "error ", 6) == 0, "%s", out.p);
        ck_assert_msg(strstr(out.p, "hunter2") == NULL, "%s", out.p);
        ck_assert_msg(i < 5 || strstr(out.p, "percent-encode") != NULL, "%s: %s", urls[i], out.p);
    }
    struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = pg_url, .query = "select 1 as a"}};
    struct source *s = NULL;
    struct err e = ERR_INIT;
    ck_assert_int_eq(source_open(&spec, NULL, clock_system(), &s, &e), 0);
    ck_assert_ptr_null(strstr(s->label, "hunter2"));
    ck_assert_ptr_nonnull(strstr(s->label, "dbname=postgres"));
    source_close(s);
    buf_free(&out);
}
END_TEST

START_TEST(watermarks_of_times)
{
    const char *query = "select id, at from p where at > :watermark order by id";

    /* Microseconds survive. The greatest value is stored; the overlap is the server's arithmetic when it is bound. */
    check_mark(
        query, "at", "0", NULL,
        "id integer,at timestamp with time zone\n1 [1][2026-06-01 10:00:00.123456+00]\n2 [2][2026-06-02 11:30:00+00]\n"
        "watermark 2026-06-02 11:30:00+00\n");
    check_mark("select at from p where at > :watermark and id = 1", "at", "5m", NULL,
               "at timestamp with time zone\n1 [2026-06-01 10:00:00.123456+00]\nwatermark 2026-06-01 10:00:00.123456+00\n");
    static const char *const second = "id integer,at timestamp with time zone\n1 [2][2026-06-02 11:30:00+00]\n"
                                      "watermark 2026-06-02 11:30:00+00\n";
    static const char *const none = "id integer,at timestamp with time zone\n";
    check_mark(query, "at", "5m", "2026-06-02 11:34:59.999999+00", second);
    check_mark(query, "at", NULL, "2026-06-02 11:34:59.999999+00", second);
    check_mark(query, "at", "5m", "2026-06-02 11:35:00+00", none);
    check_mark(query, "at", "0", "2026-06-02 11:30:00+00", none);
    check_mark(query, "at", "3650d", "2036-05-30 11:29:59+00", second);
    check_mark("select day from p where day > :watermark order by 1", "day", "5m", NULL,
               "day date\n1 [2026-06-01]\n2 [2026-06-02]\nwatermark 2026-06-02\n");
    check_mark("select day from p where day > :watermark order by 1", "day", "5m", "2026-06-02",
               "day date\n1 [2026-06-02]\nwatermark 2026-06-02\n");
    check_mark("select plain from p where plain > :watermark order by 1", "plain", "1h", "2026-06-01 10:59",
               "plain timestamp without time zone\n1 [2026-06-01 10:00:00]\n2 [2026-06-02 11:30:00]\n"
               "watermark 2026-06-02 11:30:00\n");
    /* What a query calls its column need not be what it compares. */
    check_mark("select at as seen from p where at > :watermark::timestamptz and id = 2 -- not :watermark", "seen", "0", NULL,
               "seen timestamp with time zone\n1 [2026-06-02 11:30:00+00]\nwatermark 2026-06-02 11:30:00+00\n");
}
END_TEST

START_TEST(a_time_to_come_does_not_hide_what_is_written_until_then)
{
    struct buf out = BUF_INIT(10000);
    struct source_spec spec = {.kind = SOURCE_POSTGRES,
                               .as.sql = {.url = pg_url,
                                          .watermark = "at",
                                          .overlap = "0",
                                          .query = "select at, now()::text as n from (values ('2999-01-01'::timestamptz), "
                                                   "('infinity')) v (at) where at > :watermark"}};

    rowtext_read(&spec, NULL, clock_system(), &out);
    char *mark = strstr(buf_cstr(&out), "watermark ");
    char *now = strstr(out.p, "][");
    ck_assert(mark != NULL && now != NULL);
    mark += strlen("watermark ");
    mark[strcspn(mark, "\n")] = '\0';
    ck_assert_msg(strncmp(mark, now + 2, strlen(mark)) == 0 && strlen(mark) > 20, "%s against %s", mark, now);
    buf_free(&out);
}
END_TEST

START_TEST(watermarks_of_numbers_and_text)
{
    check_mark("select id from p where id > :watermark order by id desc", "id", NULL, NULL,
               "id integer\n1 [3]\n2 [2]\n3 [1]\nwatermark 3\n");
    check_mark("select id from p where id > :watermark order by id", "id", "10", "11",
               "id integer\n1 [2]\n2 [3]\nwatermark 3\n");
    check_mark("select id from p where id > :watermark order by id", "id", NULL, "2", "id integer\n1 [3]\nwatermark 3\n");
    check_mark("select id from p where id > :watermark order by id", "id", "10", "-2147483648",
               "id integer\n1 [1]\n2 [2]\n3 [3]\nwatermark 3\n");
    check_mark("select amount from p where amount > :watermark order by id", "amount", "0.25", NULL,
               "amount numeric(10,2)\n1 [1.50]\n2 [-3.00]\nwatermark 1.50\n");
    check_mark("select amount from p where amount > :watermark order by id", "amount", "0.25", "1.74",
               "amount numeric(10,2)\n1 [1.50]\nwatermark 1.50\n");
    check_mark("select v from (values (1.5::float8), ('NaN'), ('Infinity')) t (v) where v > :watermark", "v", "0.5", NULL,
               "v double precision\n1 [1.5]\n2 [NaN]\n3 [Infinity]\nwatermark 1.5\n");
    check_mark("select name from p where name > :watermark order by 1", "name", NULL, NULL,
               "name\n1 [Ann]\n2 [José]\nwatermark José\n");
    check_mark("select name from p where name > :watermark order by 1", "name", "0", "Ann",
               "name\n1 [José]\nwatermark José\n");
}
END_TEST

START_TEST(watermarks_that_are_refused)
{
    check_mark("select id from p", "id", "0", NULL, "error 78 does not use :watermark");
    check_mark("select id from p where name = ':watermark'", "id", "0", NULL, "error 78 does not use :watermark");
    check_mark("select id from p where at > :watermark", "at", "0", NULL,
               "error 78 column \"at\" is not in the query; it has \"id\"");
    check_mark("select id, at from p where at > :watermark", "id", "0", NULL,
               "error 78 \"id\" is integer, but :watermark is compared as timestamp with time zone");
    check_mark("select gen_random_uuid() as u where gen_random_uuid() > :watermark", "u", "0", NULL,
               "error 78 compared as uuid");
    check_mark("select id from p where id > :watermark", "id", "10m", NULL, "error 78 write a number");
    check_mark("select id from p where id > :watermark", "id", "5m", NULL, "error 78 write a number");
    check_mark("select name from p where name > :watermark", "name", "5m", NULL, "error 78 cannot be taken off text");
    check_mark("select at from p where at > :watermark", "at", "315360001", NULL, "error 78 longer than 3650d");
    check_mark(
        "select id from p where id > :watermark and emial", "id", "0", NULL,
        "error 78 \n    1 | select id from p where id > :watermark and emial\n      |                                            ^");
    check_mark("select id from p where id > :watermark", "id", "0", "no number", "error 78 leadsync sync --full");
    check("select :watermark as a", "error 78 name its column with watermark:");
}
END_TEST

START_TEST(rows_without_a_watermark_are_for_full_reads)
{
    const char *query = "select id from (select id, at from p) q where at > :watermark or at is null order by id";

    check_mark("select id, at from p where at > :watermark or at is null order by id desc", "at", "0", NULL,
               "id integer,at timestamp with time zone\n1 [3](null)\n2 [2][2026-06-02 11:30:00+00]\n"
               "3 [1][2026-06-01 10:00:00.123456+00]\nnull watermarks 1\nwatermark 2026-06-02 11:30:00+00\n");
    check_mark("select id, at from p where at > :watermark or at is null order by id desc", "at", "0", "2026-06-02 00:00+00",
               "id integer,at timestamp with time zone\n1 [2][2026-06-02 11:30:00+00]\nnull watermarks 1\n"
               "watermark 2026-06-02 11:30:00+00\n");
    check_mark(query, "id", "0", NULL, "error 78 \"id\" is integer");
}
END_TEST

static struct source_spec full_spec(const char *full)
{
    return (struct source_spec){.kind = SOURCE_POSTGRES,
                                .as.sql = {.url = pg_url,
                                           .watermark = "at",
                                           .full_query = full,
                                           .query = "select id, at from p where at > :watermark order by id"}};
}

START_TEST(a_full_query_is_what_a_full_read_runs)
{
    struct source_spec spec = full_spec("select id, at from p order by id desc");
    const struct source_read since = {.watermark = "2026-06-02 11:00+00", .watermark_type = "timestamp with time zone"};

    rowtext_check(&spec, NULL, clock_system(),
                  "id integer,at timestamp with time zone\n1 [3](null)\n2 [2][2026-06-02 11:30:00+00]\n"
                  "3 [1][2026-06-01 10:00:00.123456+00]\nnull watermarks 1\nwatermark 2026-06-02 11:30:00+00\n");
    rowtext_check(
        &spec, &since, clock_system(),
        "id integer,at timestamp with time zone\n1 [2][2026-06-02 11:30:00+00]\nwatermark 2026-06-02 11:30:00+00\n");
}
END_TEST

START_TEST(a_full_query_has_the_columns_of_the_query)
{
    static const char *const wrong[][2] = {
        {"select id, at, day from p", "error 78 full_query: has 3 columns and query: has 2"},
        {"select at, id from p", "error 78 column 1 is \"at\" and in query: \"id\""},
        {"select id, at::text as at from p", "error 78 \"at\" has another type"},
        {"select id, at from p where at > :watermark", "error 78 full_query: uses :watermark"},
        {"select id, at from p where id = $1", "error 78 full_query: has a parameter"},
        {"select id, att from p", "error 78 \n    1 | select id, att from p\n      |            ^"},
    };
    const struct source_read since = {.watermark = "2026-06-02 11:00+00", .watermark_type = "timestamp with time zone"};

    /* An incremental read refuses it, too: the next full read may be a week away. */
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct source_spec spec = full_spec(wrong[i][0]);
        rowtext_check(&spec, NULL, clock_system(), wrong[i][1]);
        rowtext_check(&spec, &since, clock_system(), wrong[i][1]);
    }
}
END_TEST

/* A stored text that still fits a cast says nothing about rows that are compared in another way. */
START_TEST(a_watermark_of_another_type_is_left)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES,
                               .as.sql = {.url = pg_url,
                                          .query = "select day from p where day > :watermark order by 1",
                                          .watermark = "day"}};
    struct source_read read = {.watermark = "2026-06-02", .watermark_type = "timestamp with time zone"};
    static const char *const all = "day date\n1 [2026-06-01]\n2 [2026-06-02]\nwatermark 2026-06-02\n";

    rowtext_check(&spec, &read, clock_system(), all);
    read.watermark_type = NULL; /* stored by a version that did not keep it */
    rowtext_check(&spec, &read, clock_system(), all);
    read.watermark_type = "date";
    rowtext_check(&spec, &read, clock_system(), "day date\n");
    /* A cast keeps the type of the parameter; the column is of another one all the same. */
    read.watermark_type = "timestamp without time zone";
    spec.as.sql.query = "select day from p where day > :watermark::timestamp order by 1";
    rowtext_check(&spec, &read, clock_system(), "day date\n1 [2026-06-01]\n2 [2026-06-02]\nwatermark 2026-06-02 00:00:00\n");
}
END_TEST

static void check_origin(const char *query, const char *column, const char *table, bool may_be_null, uint64_t nulls)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = pg_url, .query = query, .watermark = column}};
    const struct source_read read = {.count_nulls = true};
    struct source *s = NULL;
    struct err e = ERR_INIT;

    ck_assert_msg(source_open(&spec, &read, clock_system(), &s, &e) == 0, "%s", err_text(&e));
    ck_assert_msg((s->mark.table != NULL) == (table != NULL), "%s", query);
    if (table != NULL)
        ck_assert_str_eq(s->mark.table, table);
    ck_assert_msg(s->mark.may_be_null == may_be_null, "%s", query);
    ck_assert_uint_eq(s->mark.table_nulls, nulls);
    source_close(s);
}

START_TEST(the_server_knows_which_columns_may_be_null)
{
    pg_sql("create table \"Odd one\" (n int not null, at timestamptz); insert into \"Odd one\" values (1, null), (2, null)");
    pg_sql("create view v as select * from p");
    check_origin("select id, at from p where at > :watermark", "at", "p", true, 1);
    check_origin("select at from v where at > :watermark", "at", "v", true, 1);
    check_origin("select n from \"Odd one\" where n > :watermark", "n", "\"Odd one\"", false, 0);
    check_origin("select q.at from (select * from \"Odd one\") q where q.at > :watermark", "at", "\"Odd one\"", true, 2);
    check_origin("select o.n from p left join \"Odd one\" o on o.n = p.id where o.n > :watermark", "n", "\"Odd one\"", true,
                 0);
    check_origin("select least(n, 5) as n from \"Odd one\" where n > :watermark", "n", NULL, true, 0);
}
END_TEST

START_TEST(cells_have_their_limit)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES,
                               .as.sql = {.url = pg_url, .query = "select 'abc' as v union all select 'abcd'"}};
    struct source_read read = {.field_max = 3};

    rowtext_check(&spec, &read, clock_system(), "v\n1 [abc]\n2 field_too_long [abcd]\n");
}
END_TEST

START_TEST(bytes_of_a_server_without_an_encoding_are_checked)
{
    char other[500];
    struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = other, .query = "select v from b"}};

    pg_sql("create database ascii encoding 'SQL_ASCII' template template0");
    snprintf(other, sizeof other, "host=%s user=postgres dbname=ascii", pg_dir);
    snprintf(pg_url, sizeof pg_url, "%s client_encoding=SQL_ASCII", other);
    pg_sql("create table b (v text); insert into b values (E'Jos\\xe9'), ('José')");
    rowtext_check(&spec, NULL, clock_system(), "v\n1 not_utf8 [Jos\xe9]\n2 [José]\n");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("source_postgres");
    TCase *t = tcase_create("all");

    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, pg_start, pg_stop);
    tcase_add_test(t, rows_are_read);
    tcase_add_test(t, sql_that_is_refused_has_a_caret);
    tcase_add_test(t, errors_while_rows_flow_are_the_data_s);
    tcase_add_test(t, an_unavailable_source);
    tcase_add_test(t, passwords_are_never_shown);
    tcase_add_test(t, padding_of_char_is_no_value);
    tcase_add_test(t, watermarks_of_times);
    tcase_add_test(t, a_time_to_come_does_not_hide_what_is_written_until_then);
    tcase_add_test(t, watermarks_of_numbers_and_text);
    tcase_add_test(t, watermarks_that_are_refused);
    tcase_add_test(t, rows_without_a_watermark_are_for_full_reads);
    tcase_add_test(t, a_full_query_is_what_a_full_read_runs);
    tcase_add_test(t, a_full_query_has_the_columns_of_the_query);
    tcase_add_test(t, a_watermark_of_another_type_is_left);
    tcase_add_test(t, the_server_knows_which_columns_may_be_null);
    tcase_add_test(t, cells_have_their_limit);
    tcase_add_test(t, bytes_of_a_server_without_an_encoding_are_checked);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return pg_run(suite());
}
