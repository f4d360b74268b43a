/* PostgreSQL as a source, against a real server that lives in a scratch folder and listens on a socket there alone. */
#include "config.h"

#include "connectors/postgres_conn.h"
#include "connectors/postgres_results.h"
#include "connectors/postgres_role.h"
#include "sync/base/stop.h"
#include "tests/unit/harness.h"
#include "tests/unit/rowtext.h"

#include <arpa/inet.h>
#include <glob.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static char *dir;
static char bin[300], as_user[100], url[600];

/* Runs a shell command, with the server's user and programs at hand. */
__attribute__((format(printf, 1, 2))) static int shell(const char *fmt, ...)
{
    char command[1000];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    return system(command);
}

/* Why there is no server to test with, or NULL. */
static const char *find_server(void)
{
    glob_t found;

    if (system("command -v initdb >/dev/null 2>&1") == 0) {
        bin[0] = '\0';
    } else if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) == 0) {
        const char *last = found.gl_pathv[found.gl_pathc - 1];
        snprintf(bin, sizeof bin, "%.*s", (int)(strlen(last) - strlen("initdb")), last);
        globfree(&found);
    } else {
        return "initdb was not found: apt-get install postgresql";
    }
    if (geteuid() != 0)
        return NULL;
    if (getpwnam("postgres") == NULL)
        return "running as root, and there is no user postgres to run the server as";
    snprintf(as_user, sizeof as_user, "setpriv --reuid=postgres --regid=postgres --clear-groups ");
    return system("command -v setpriv >/dev/null 2>&1") == 0 ? NULL : "setpriv was not found: apt-get install util-linux";
}

static void run_sql(const char *sql)
{
    PGconn *pg = PQconnectdb(url);

    ck_assert_msg(PQstatus(pg) == CONNECTION_OK, "%s", PQerrorMessage(pg));
    PGresult *result = PQexec(pg, sql);
    ck_assert_msg(PQresultStatus(result) != PGRES_FATAL_ERROR, "%s", PQerrorMessage(pg));
    PQclear(result);
    PQfinish(pg);
}

static void start_server(void)
{
    dir = unit_tmpdir();
    if (as_user[0] != '\0') {
        struct passwd *user = getpwnam("postgres");
        ck_assert_int_eq(chown(dir, user->pw_uid, user->pw_gid), 0);
    }
    ck_assert_int_eq(shell("cd / && %s%sinitdb -N -A trust -U postgres -E UTF8 --locale=C -D %s/db >%s.log 2>&1", as_user, bin,
                           dir, dir), 0);
    ck_assert_int_eq(shell("cd / && %s%spg_ctl -s -w -D %s/db -l %s/log -o \"-c listen_addresses='' -k %s -c fsync=off\" start",
                           as_user, bin, dir, dir, dir), 0);
    shell("rm -f %s.log", dir);
    snprintf(url, sizeof url, "host=%s user=postgres dbname=postgres password=hunter2", dir);
    run_sql("create table p (id int primary key, name text, ok boolean, at timestamptz, amount numeric(10,2), day date,"
            " plain timestamp);"
            "set timezone = 'UTC';"
            "insert into p values (1, 'Ann', true, '2026-06-01 10:00:00.123456+00', 1.50, '2026-06-01', '2026-06-01 10:00'),"
            " (2, '', false, '2026-06-02 11:30:00+00', null, '2026-06-02', '2026-06-02 11:30'),"
            " (3, 'José', null, null, -3, null, null);"
            "create role reader login; alter database postgres set timezone = 'UTC'");
}

static void stop_server(void)
{
    shell("cd / && %s%spg_ctl -s -m immediate -D %s/db stop", as_user, bin, dir);
    free(dir);
}

static void check(const char *query, const char *want)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = url, .query = query}};

    rowtext_check(&spec, NULL, clock_system(), want);
}

static void check_mark(const char *query, const char *column, const char *overlap, const char *stored, const char *want)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES,
                               .as.sql = {.url = url, .query = query, .watermark = column, .overlap = overlap}};
    struct source_read read = {.watermark = stored};

    duration_parse(str_from(overlap), &spec.as.sql.overlap_ms);
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
          " current_setting('transaction_read_only') as c", "a,b,c\n1 [leadsync][repeatable read][on]\n");
}
END_TEST

START_TEST(sql_that_is_refused_has_a_caret)
{
    check("select id,\n  emial\nfrom p", "error 78 column \"emial\" does not exist (SQLSTATE 42703)\n    2 |   emial\n      |   ^");
    check("select 'é', emial from p", "error 78 \n    1 | select 'é', emial from p\n      |             ^");
    check("selec 1", "error 78 syntax error");
    check("select * from nowhere", "error 78 relation \"nowhere\" does not exist");
    check("insert into p (id) values (9)", "error 78 returns no columns");
    check("insert into p (id) values (9) returning id", "id integer\nerror 78 read-only transaction");
    check("select 1 as a; select 2", "error 78 cannot insert multiple commands");
    check("select 1 as a, 2 as a", "error 78 columns 1 and 2 are both named \"a\"");
    check("select $1::int as a", "error 78 a parameter besides :watermark");
    check("", "error 78 returns no columns");
    check("select 1/0 as a", "a integer\nerror 78 division by zero");
}
END_TEST

START_TEST(errors_while_rows_flow_are_the_data_s)
{
    check("select 1 / (2 - n) as a from generate_series(1, 5) n order by n", "a integer\nerror 78 division by zero");
    check("select 1 / (n - 20000) as a from generate_series(19998, 20003) n", "a integer\n1 [0]\n2 [-1]\nerror 65 division by zero");
    struct source_spec spec = {.kind = SOURCE_POSTGRES,
                               .as.sql = {.url = url, .query = "select repeat('x', 1000) || 1 / (50000 - n) as a from generate_series(1, 60000) n"}};
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

START_TEST(a_source_that_cannot_be_had)
{
    char other[500];
    struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = other, .query = "select 1 as a"}};

    snprintf(other, sizeof other, "host=%s user=postgres dbname=nodb password=hunter2", dir);
    rowtext_check(&spec, NULL, clock_system(), "error 66 database \"nodb\" does not exist");
    snprintf(other, sizeof other, "host=%s user=nobody_here dbname=postgres", dir);
    rowtext_check(&spec, NULL, clock_system(), "error 66 role \"nobody_here\" does not exist");
    snprintf(other, sizeof other, "postgresql://u:hunter2@/x?host=/nowhere");
    rowtext_check(&spec, NULL, clock_system(), "error 66 postgres host=/nowhere dbname=x: cannot connect");
    snprintf(other, sizeof other, "service=no_such_service");
    rowtext_check(&spec, NULL, clock_system(), "error 66 postgres service=no_such_service: cannot connect");
    snprintf(other, sizeof other, "host=%s user=reader dbname=postgres", dir);
    spec.as.sql.query = "select id from p";
    rowtext_check(&spec, NULL, clock_system(), "id integer\nerror 66 permission denied for table p");
}
END_TEST

START_TEST(passwords_are_never_shown)
{
    static const char *const urls[] = {"host=/nowhere password=hunter2", "postgresql://u:hunter2@/x?host=/nowhere",
                                       "postgresql://u:hunter2%zz@/x?host=/nowhere", "host=/nowhere password=a hunter2",
                                       "password=hunter2 'oops"};
    struct buf out = BUF_INIT(10000);

    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = urls[i], .query = "select 1 as a"}};
        buf_reset(&out);
        rowtext_read(&spec, NULL, clock_system(), &out);
        ck_assert_msg(strncmp(buf_cstr(&out), "error ", 6) == 0, "%s", out.p);
        ck_assert_msg(strstr(out.p, "hunter2") == NULL, "%s", out.p);
    }
    struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = url, .query = "select 1 as a"}};
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

    /* Microseconds survive, and the overlap is the server's arithmetic. */
    check_mark(query, "at", "0", NULL,
               "id integer,at timestamp with time zone\n1 [1][2026-06-01 10:00:00.123456+00]\n2 [2][2026-06-02 11:30:00+00]\n"
               "watermark 2026-06-02 11:30:00+00\n");
    check_mark("select at from p where at > :watermark and id = 1", "at", "5m", NULL,
               "at timestamp with time zone\n1 [2026-06-01 10:00:00.123456+00]\nwatermark 2026-06-01 09:55:00.123456+00\n");
    check_mark(query, "at", "5m", "2026-06-02 11:25:00+00",
               "id integer,at timestamp with time zone\n1 [2][2026-06-02 11:30:00+00]\nwatermark 2026-06-02 11:25:00+00\n");
    check_mark(query, "at", "5m", "2026-06-02 11:30:00+00", "id integer,at timestamp with time zone\n");
    check_mark("select day from p where day > :watermark order by 1", "day", "5m", NULL,
               "day date\n1 [2026-06-01]\n2 [2026-06-02]\nwatermark 2026-06-01\n");
    check_mark("select plain from p where plain > :watermark order by 1", "plain", "1h", "2026-06-01 10:00",
               "plain timestamp without time zone\n1 [2026-06-02 11:30:00]\nwatermark 2026-06-02 10:30:00\n");
    /* What a query calls its column need not be what it compares. */
    check_mark("select at as seen from p where at > :watermark::timestamptz and id = 2 -- not :watermark", "seen", "0", NULL,
               "seen timestamp with time zone\n1 [2026-06-02 11:30:00+00]\nwatermark 2026-06-02 11:30:00+00\n");
}
END_TEST

START_TEST(a_time_to_come_does_not_hide_what_is_written_until_then)
{
    struct buf out = BUF_INIT(10000);
    struct source_spec spec = {.kind = SOURCE_POSTGRES,
                               .as.sql = {.url = url, .watermark = "at", .overlap = "0",
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
    check_mark("select id from p where id > :watermark order by id desc", "id", "5m", NULL,
               "id integer\n1 [3]\n2 [2]\n3 [1]\nwatermark 3\n");
    check_mark("select id from p where id > :watermark order by id", "id", "10", "1", "id integer\n1 [2]\n2 [3]\nwatermark -7\n");
    check_mark("select (-2147483648)::int as id from p where id > :watermark and id = 1", "id", "10", "0",
               "id integer\n1 [-2147483648]\nwatermark -2147483648\n");
    check_mark("select amount from p where amount > :watermark order by id", "amount", "0.25", NULL,
               "amount numeric(10,2)\n1 [1.50]\n2 [-3.00]\nwatermark 1.25\n");
    check_mark("select v from (values (1.5::float8), ('NaN'), ('Infinity')) t (v) where v > :watermark", "v", "0.5", NULL,
               "v double precision\n1 [1.5]\n2 [NaN]\n3 [Infinity]\nwatermark 1\n");
    check_mark("select name from p where name > :watermark order by 1", "name", "5m", NULL, "name\n1 [Ann]\n2 [José]\nwatermark José\n");
    check_mark("select name from p where name > :watermark order by 1", "name", "0", "Ann", "name\n1 [José]\nwatermark José\n");
}
END_TEST

START_TEST(watermarks_that_are_refused)
{
    check_mark("select id from p", "id", "0", NULL, "error 78 does not use :watermark");
    check_mark("select id from p where name = ':watermark'", "id", "0", NULL, "error 78 does not use :watermark");
    check_mark("select id from p where at > :watermark", "at", "0", NULL, "error 78 column \"at\" is not in the query; it has \"id\"");
    check_mark("select id, at from p where at > :watermark", "id", "0", NULL, "error 78 \"id\" is integer, but :watermark is compared as timestamp with time zone");
    check_mark("select gen_random_uuid() as u where gen_random_uuid() > :watermark", "u", "0", NULL, "error 78 add a cast");
    check_mark("select id from p where id > :watermark", "id", "10m", NULL, "error 78 write a number");
    check_mark("select id from p where id > :watermark and emial", "id", "0", NULL,
               "error 78 \n    1 | select id from p where id > :watermark and emial\n      |                                            ^");
    check_mark("select id from p where id > :watermark", "id", "0", "no number", "error 78 invalid input syntax");
    check("select :watermark as a", "error 78 name its column with watermark:");
}
END_TEST

START_TEST(rows_without_a_watermark_are_for_full_reads)
{
    const char *query = "select id from (select id, at from p) q where at > :watermark or at is null order by id";

    check_mark("select id, at from p where at > :watermark or at is null order by id desc", "at", "0", NULL,
               "id integer,at timestamp with time zone\n1 [3](null)\n2 [2][2026-06-02 11:30:00+00]\n"
               "3 [1][2026-06-01 10:00:00.123456+00]\nwatermark 2026-06-02 11:30:00+00\n");
    check_mark("select id, at from p where at > :watermark or at is null order by id desc", "at", "0", "2026-06-02 00:00+00",
               "id integer,at timestamp with time zone\n1 [2][2026-06-02 11:30:00+00]\nnull watermarks 1\n"
               "watermark 2026-06-02 11:30:00+00\n");
    check_mark(query, "id", "0", NULL, "error 78 \"id\" is integer");
}
END_TEST

START_TEST(cells_have_their_limit)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = url, .query = "select 'abc' as v union all select 'abcd'"}};
    struct source_read read = {.field_max = 3};

    rowtext_check(&spec, &read, clock_system(), "v\n1 [abc]\n2 field_too_long [abcd]\n");
}
END_TEST

START_TEST(bytes_of_a_server_without_an_encoding_are_checked)
{
    char other[500];
    struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = other, .query = "select v from b"}};

    run_sql("create database ascii encoding 'SQL_ASCII' template template0");
    snprintf(other, sizeof other, "host=%s user=postgres dbname=ascii", dir);
    snprintf(url, sizeof url, "%s client_encoding=SQL_ASCII", other);
    run_sql("create table b (v text); insert into b values (E'Jos\\xe9'), ('José')");
    rowtext_check(&spec, NULL, clock_system(), "v\n1 not_utf8 [Jos\xe9]\n2 [José]\n");
}
END_TEST

START_TEST(time_limits_and_dying_servers)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES,
                               .as.sql = {.url = url, .query = "select pg_sleep(60)::text as a", .statement_timeout_ms = 50}};

    rowtext_check(&spec, NULL, clock_system(), "a\nerror 65 statement_timeout");
    spec.as.sql.statement_timeout_ms = 0;
    spec.as.sql.query = "select pg_terminate_backend(pg_backend_pid())::text as a";
    rowtext_check(&spec, NULL, clock_system(), "a\n1 [true]\nerror 66 terminating connection");
}
END_TEST

/* Queries that sleep, by what the server says of all its sessions. */
static int sleepers(void)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES,
                               .as.sql = {.url = url,
                                          .query = "select count(*)::text as n from pg_stat_activity where state = 'active' "
                                                   "and query like 'select pg_sleep(%'"}};
    struct buf out = BUF_INIT(1000);

    rowtext_read(&spec, NULL, clock_system(), &out);
    int n = atoi(strchr(buf_cstr(&out), '[') + 1);
    buf_free(&out);
    return n;
}

START_TEST(a_signal_cancels_the_query)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = url, .query = "select pg_sleep(60)::text as a"}};
    struct source *s = NULL;
    struct err e = ERR_INIT;
    struct row row;

    ck_assert_int_eq(source_open(&spec, NULL, clock_system(), &s, &e), 0);
    stop_set(SIGINT);
    ck_assert_int_eq(source_next(s, &row, &e), -1);
    ck_assert_int_eq(e.status, XS_SIGINT);
    source_close(s);
    stop_set(0);
    err_clear(&e);
    ck_assert_int_eq(sleepers(), 0);
}
END_TEST

/* The value that the one column of the one row of `query` has. */
static void ask(const char *query, const char *want)
{
    PGconn *pg = PQconnectdb(url);
    PGresult *result = PQexec(pg, query);

    ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK, "%s", PQerrorMessage(pg));
    ck_assert_str_eq(PQgetvalue(result, 0, 0), want);
    PQclear(result);
    PQfinish(pg);
}

START_TEST(results_are_written_as_they_are)
{
    static const char *const keys[] = {"NULL", "a\"b\\c,{d}", "", " ", "José\n", "a"};
    struct postgres_results *w = NULL;
    struct err e = ERR_INIT;
    struct result_row row = {.run = 7, .outcome = "created", .http_status = 200, .at_ms = 1782854132254};

    ck_assert_int_eq(postgres_results_open(url, "lead_out", false, "nightly", &w, &e), -1);
    ck_assert_int_eq(e.status, XS_CONFIG);
    ck_assert_ptr_nonnull(strstr(err_text(&e), "create table lead_out (run bigint"));
    err_clear(&e);
    for (int again = 0; again < 2; again++) {
        ck_assert_msg(postgres_results_open(url, "lead_out", true, "nightly", &w, &e) == 0, "%s", err_text(&e));
        ck_assert_ptr_nonnull(strstr(postgres_results_label(w), "table lead_out"));
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            row.row = i + 1;
            row.key = str_from(keys[i]);
            ck_assert_int_eq(postgres_results_add(w, &row, &e), 0);
        }
        /* Two records of one row: the one that went wrong stays, whichever came first. */
        row.outcome = again == 0 ? "failed" : "changed";
        ck_assert_int_eq(postgres_results_add(w, &row, &e), 0);
        row.outcome = again == 0 ? "created" : "failed";
        row.reason = STR("api_error");
        row.lead_id = STR("01890f4a-7b6c-7cc0-98c4-dc0c0c07398f");
        ck_assert_int_eq(postgres_results_add(w, &row, &e), 0);
        ck_assert_int_eq(postgres_results_flush(w, &e), 0);
        ck_assert_int_eq(postgres_results_flush(w, &e), 0);
        postgres_results_close(w);
        row.outcome = "created";
        row.reason = row.lead_id = STR_NONE;
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char query[200];
        snprintf(query, sizeof query, "select key from lead_out where \"row\" = %zu", i + 1);
        ask(query, keys[i]);
    }
    ask("select count(*) from lead_out", "6");
    ask("select string_agg(distinct sync || run || coalesce(line::text, '-') || http_status || at, ',') from lead_out",
        "nightly7-2002026-06-30 21:15:32.254+00");
    ask("select outcome || reason || lead_id from lead_out where \"row\" = 6", "failedapi_error01890f4a-7b6c-7cc0-98c4-dc0c0c07398f");
}
END_TEST

/* What goes wrong, to the message; `made` is what the user has made for a table. */
static void refused(const char *made, const char *table, enum exit_status status, const char *why)
{
    struct err e = ERR_INIT;
    struct postgres_results *w;
    bool missing;

    run_sql(made);
    ck_assert_int_eq(postgres_results_check(url, table, false, &missing, &e), -1);
    ck_assert_int_eq(e.status, status);
    err_clear(&e);
    ck_assert_int_eq(postgres_results_open(url, table, true, "nightly", &w, &e), -1);
    ck_assert_ptr_null(w);
    ck_assert_int_eq(e.status, status);
    ck_assert_msg(strstr(err_text(&e), why) != NULL, "%s", err_text(&e));
    err_clear(&e);
}

START_TEST(tables_that_cannot_take_results)
{
    refused("create table other (a int)", "other", XS_CONFIG, "column \"sync\" of relation \"other\" does not exist");
    refused("create table keyless (like lead_out)", "keyless", XS_CONFIG, "no unique or exclusion constraint matching");
    refused("create table texts (like lead_out including all); alter table texts alter line type date using null", "texts", XS_CONFIG,
            "column \"line\" is of type date but expression is of type bigint");
    refused("select 1", "a.b.c.d", XS_CONFIG, "improper");
    refused("select 1", "1x", XS_CONFIG, "not a valid identifier");
}
END_TEST

START_TEST(roles_are_looked_at)
{
    char where[700];
    struct postgres_role role;
    struct err e = ERR_INIT;

    ck_assert_int_eq(postgres_role_look(url, &role, &e), 0);
    ck_assert(role.superuser);
    ck_assert_str_eq(role.name, "postgres");
    postgres_role_free(&role);
    snprintf(where, sizeof where, "host=%s user=reader dbname=postgres", dir);
    ck_assert_int_eq(postgres_role_look(where, &role, &e), 0);
    ck_assert(!role.superuser && !role.creates);
    ck_assert_uint_eq(role.writable_n, 0);
    ck_assert_ptr_null(role.example);
    postgres_role_free(&role);
    /* However it came by it. */
    run_sql("create role editors; grant delete on p to editors; grant editors to reader; alter role reader createdb");
    ck_assert_int_eq(postgres_role_look(where, &role, &e), 0);
    ck_assert(role.creates);
    ck_assert_uint_eq(role.writable_n, 1);
    ck_assert_str_eq(role.example, "p");
    postgres_role_free(&role);
    run_sql("revoke editors from reader; alter role reader nocreatedb");
    ck_assert_int_eq(postgres_role_look("host=/nowhere", &role, &e), -1);
    ck_assert_int_eq(e.status, XS_NO_SOURCE);
    postgres_role_free(&role);
    err_clear(&e);
}
END_TEST

static struct source *running; /* what the timer's handler cancels; NULL: it sets the stop flag */

static void on_timer(int signo)
{
    (void)signo;
    if (running != NULL)
        running->ops->cancel(running);
    else
        stop_set(SIGTERM);
}

static void set_timer(long us)
{
    struct itimerval in = {.it_value = {.tv_usec = us}};

    setitimer(ITIMER_REAL, &in, NULL);
}

START_TEST(a_cancel_that_comes_too_early_is_not_lost)
{
    struct postgres_conn c;
    struct err e = ERR_INIT;
    bool failed;

    ck_assert_int_eq(postgres_conn_open(&c, url, 0, &e), 0);
    /* The server's end of the session is held, so that the first request to cancel surely meets no query. */
    int pid = PQbackendPID(c.pg);
    kill(pid, SIGSTOP);
    ck_assert_int_eq(PQsendQuery(c.pg, "select pg_sleep(60)"), 1);
    postgres_conn_cancel(&c);
    shell("(sleep 0.3; kill -CONT %d) &", pid);
    ck_assert_ptr_null(postgres_conn_result(&c, &failed, &e));
    ck_assert(failed);
    ck_assert_int_eq(e.status, XS_SOURCE);
    ck_assert_int_eq(PQtransactionStatus(c.pg), PQTRANS_IDLE);
    err_clear(&e);
    /* Remembered: what is sent after it does not run, either. */
    ck_assert_ptr_null(postgres_conn_run(&c, "select pg_sleep(60)", 0, NULL, &e));
    ck_assert_ptr_nonnull(strstr(err_text(&e), "cancelled"));
    err_clear(&e);
    postgres_conn_close(&c);
}
END_TEST

START_TEST(a_stop_at_any_moment_ends_the_read)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = url, .query = "select pg_sleep(50)::text as a"}};
    struct sigaction act = {.sa_handler = on_timer};

    srand(5);
    sigaction(SIGALRM, &act, NULL);
    for (int i = 0; i < 60; i++) {
        const bool by_cancel = i % 2 == 0;
        const long us = 1 + rand() % 8000;
        struct source *s = NULL;
        struct row row;
        struct err e = ERR_INIT;
        running = NULL;
        if (!by_cancel)
            set_timer(us);
        int status = source_open(&spec, NULL, clock_system(), &s, &e);
        running = by_cancel ? s : NULL;
        if (by_cancel)
            set_timer(us / 4 + 1);
        if (status == 0)
            status = source_next(s, &row, &e);
        set_timer(0);
        ck_assert_int_eq(status, -1);
        ck_assert_msg(e.status == (by_cancel ? XS_SOURCE : XS_SIGTERM), "after %ld us: %s", us, err_text(&e));
        stop_set(0);
        source_close(s);
        err_clear(&e);
    }
    ck_assert_int_eq(sleepers(), 0);
}
END_TEST

/* A listener whose backlog is full: the kernel drops who knocks. Returns its port. */
static int deaf_port(bool accepts)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, n), 0);
    ck_assert_int_eq(listen(fd, accepts ? 16 : 0), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    for (int i = 0; !accepts && i < 4; i++) {
        int knock = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(knock, (struct sockaddr *)&at, n);
    }
    return ntohs(at.sin_port);
}

static double seconds_of(const char *where, const char *want)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = where, .query = "select 1 as a"}};
    struct clock *clock = clock_system();
    int64_t start = clock->mono_us(clock);

    rowtext_check(&spec, NULL, clock_system(), want);
    return (double)(clock->mono_us(clock) - start) / 1e6;
}

START_TEST(nobody_waits_past_the_deadline)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = url, .query = "select pg_sleep(55)::text as a"}};
    struct clock *clock = clock_system();
    int64_t start = clock->mono_us(clock);
    struct source_read read = {.deadline_us = start + 300000};
    char where[200];

    rowtext_check(&spec, &read, clock, "a\nerror 1 the time budget ended while reading");
    ck_assert_int_eq(sleepers(), 0);
    snprintf(where, sizeof where, "host=127.0.0.1 port=%d sslmode=disable", deaf_port(true));
    spec.as.sql.url = where;
    rowtext_check(&spec, &read, clock, "error 1 the time budget ended while connecting");
    ck_assert(clock->mono_us(clock) - start < 5000000);
}
END_TEST

START_TEST(connecting_has_its_time)
{
    char where[700];

    snprintf(where, sizeof where, "host=127.0.0.1 port=%d connect_timeout=1 sslmode=disable", deaf_port(true));
    double took = seconds_of(where, "error 66 postgres host=127.0.0.1: no answer within connect_timeout");
    ck_assert_msg(took > 1.9 && took < 5, "%f s", took);
    /* The next host of the list has its turn, whether this one does not answer or is not there. */
    snprintf(where, sizeof where, "host=127.0.0.1,%s port=%d,5432 connect_timeout=1 user=postgres dbname=postgres", dir,
             deaf_port(false));
    seconds_of(where, "a integer\n1 [1]\n");
    snprintf(where, sizeof where, "host=/nowhere,%s user=postgres dbname=postgres", dir);
    seconds_of(where, "a integer\n1 [1]\n");
}
END_TEST

START_TEST(connecting_can_be_interrupted)
{
    struct sigaction act = {.sa_handler = on_timer};
    char where[200];

    sigaction(SIGALRM, &act, NULL);
    for (int accepts = 0; accepts < 2; accepts++) {
        snprintf(where, sizeof where, "host=127.0.0.1 port=%d sslmode=disable", deaf_port(accepts));
        set_timer(100000);
        double took = seconds_of(where, "error 143 interrupted while connecting");
        ck_assert_msg(took < 2, "%f s", took);
        stop_set(0);
    }
}
END_TEST

START_TEST(cancel_makes_a_blocking_read_return)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES, .as.sql = {.url = url, .query = "select pg_sleep(60)::text as a"}};
    struct source *s = NULL;
    struct err e = ERR_INIT;
    struct row row;

    ck_assert_int_eq(source_open(&spec, NULL, clock_system(), &s, &e), 0);
    s->ops->cancel(s);
    ck_assert_int_eq(source_next(s, &row, &e), -1);
    ck_assert_int_eq(e.status, XS_SOURCE);
    err_clear(&e);
    source_close(s);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("postgres");
    TCase *t = tcase_create("postgres");

    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, start_server, stop_server);
    tcase_add_test(t, rows_are_read);
    tcase_add_test(t, sql_that_is_refused_has_a_caret);
    tcase_add_test(t, errors_while_rows_flow_are_the_data_s);
    tcase_add_test(t, a_source_that_cannot_be_had);
    tcase_add_test(t, passwords_are_never_shown);
    tcase_add_test(t, watermarks_of_times);
    tcase_add_test(t, a_time_to_come_does_not_hide_what_is_written_until_then);
    tcase_add_test(t, watermarks_of_numbers_and_text);
    tcase_add_test(t, watermarks_that_are_refused);
    tcase_add_test(t, rows_without_a_watermark_are_for_full_reads);
    tcase_add_test(t, cells_have_their_limit);
    tcase_add_test(t, bytes_of_a_server_without_an_encoding_are_checked);
    tcase_add_test(t, time_limits_and_dying_servers);
    tcase_add_test(t, a_signal_cancels_the_query);
    tcase_add_test(t, a_cancel_that_comes_too_early_is_not_lost);
    tcase_add_test(t, a_stop_at_any_moment_ends_the_read);
    tcase_add_test(t, results_are_written_as_they_are);
    tcase_add_test(t, tables_that_cannot_take_results);
    tcase_add_test(t, roles_are_looked_at);
    tcase_add_test(t, nobody_waits_past_the_deadline);
    tcase_add_test(t, connecting_has_its_time);
    tcase_add_test(t, connecting_can_be_interrupted);
    tcase_add_test(t, cancel_makes_a_blocking_read_return);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void)
{
    const char *missing = find_server();

    if (missing != NULL) {
        printf("1..0 # SKIP %s\n", missing);
        return 0;
    }
    return unit_run(make_suite());
}
