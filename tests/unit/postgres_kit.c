#include "config.h"

#include "tests/unit/postgres_kit.h"

#include <glob.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *pg_dir;
char pg_url[600];

static char bin[300], as_user[100];

__attribute__((format(printf, 1, 2))) int pg_shell(const char *fmt, ...)
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

void pg_sql(const char *sql)
{
    PGconn *pg = PQconnectdb(pg_url);

    ck_assert_msg(PQstatus(pg) == CONNECTION_OK, "%s", PQerrorMessage(pg));
    PGresult *result = PQexec(pg, sql);
    ck_assert_msg(PQresultStatus(result) != PGRES_FATAL_ERROR, "%s", PQerrorMessage(pg));
    PQclear(result);
    PQfinish(pg);
}

void pg_start(void)
{
    pg_dir = unit_tmpdir();
    if (as_user[0] != '\0') {
        struct passwd *user = getpwnam("postgres");
        ck_assert_int_eq(chown(pg_dir, user->pw_uid, user->pw_gid), 0);
    }
    ck_assert_int_eq(pg_shell("cd / && %s%sinitdb -N -A trust -U postgres -E UTF8 --locale=C -D %s/db >%s.log 2>&1", as_user,
                              bin, pg_dir, pg_dir),
                     0);
    ck_assert_int_eq(pg_shell("cd / && %s%spg_ctl -s -w -t 300 -D %s/db -l %s/log "
                              "-o \"-c listen_addresses='' -k %s -c fsync=off\" start",
                              as_user, bin, pg_dir, pg_dir, pg_dir),
                     0);
    pg_shell("rm -f %s.log", pg_dir);
    snprintf(pg_url, sizeof pg_url, "host=%s user=postgres dbname=postgres password=hunter2", pg_dir);
    pg_sql("create table p (id int primary key, name text, ok boolean, at timestamptz, amount numeric(10,2), day date,"
           " plain timestamp);"
           "set timezone = 'UTC';"
           "insert into p values (1, 'Ann', true, '2026-06-01 10:00:00.123456+00', 1.50, '2026-06-01', '2026-06-01 10:00'),"
           " (2, '', false, '2026-06-02 11:30:00+00', null, '2026-06-02', '2026-06-02 11:30'),"
           " (3, 'José', null, null, -3, null, null);"
           "create role reader login; alter database postgres set timezone = 'UTC'");
}

void pg_stop(void)
{
    pg_shell("cd / && %s%spg_ctl -s -m immediate -D %s/db stop", as_user, bin, pg_dir);
    free(pg_dir);
}

static int sleepers(void)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES,
                               .as.sql = {.url = pg_url,
                                          .query = "select count(*)::text as n from pg_stat_activity where state = 'active' "
                                                   "and query like 'select pg_sleep(%'"}};
    struct buf out = BUF_INIT(1000);

    rowtext_read(&spec, NULL, clock_system(), &out);
    int n = atoi(strchr(buf_cstr(&out), '[') + 1);
    buf_free(&out);
    return n;
}

void pg_no_sleepers(void)
{
    struct clock *clock = clock_system();
    const int64_t until_us = clock->mono_us(clock) + 15000000;

    /* The server's end of a session goes in its own time. */
    while (sleepers() != 0) {
        ck_assert_int_lt(clock->mono_us(clock), until_us);
        clock->sleep_us(clock, 10000);
    }
}

int pg_run(Suite *suite)
{
    const char *missing = find_server();

    if (missing == NULL)
        return unit_run(suite);
    printf("1..0 # SKIP %s\n", missing);
    srunner_free(srunner_create(suite)); /* the suite with it */
    return 0;
}
