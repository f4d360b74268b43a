/* Waiting for PostgreSQL has its ends: time limits, signals, a cancel at any moment, hosts that do not answer. */
#include "config.h"

#include "connectors/postgres/postgres_conn.h"
#include "sync/base/stop.h"
#include "tests/unit/postgres_kit.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

START_TEST(time_limits_and_dying_servers)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES,
                               .as.sql = {.url = pg_url,
                                          .query = "select pg_sleep(60)::text as a",
                                          .statement_timeout_ms = 1500}};

    rowtext_check(&spec, NULL, clock_system(), "a\nerror 65 statement_timeout");
    spec.as.sql.statement_timeout_ms = 0;
    spec.as.sql.query = "select pg_terminate_backend(pg_backend_pid())::text as a";
    rowtext_check(&spec, NULL, clock_system(), "a\n1 [true]\nerror 66 terminating connection");
}
END_TEST

START_TEST(a_signal_cancels_the_query)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES,
                               .as.sql = {.url = pg_url, .query = "select pg_sleep(60)::text as a"}};
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
    pg_no_sleepers();
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

    ck_assert_int_eq(postgres_conn_open(&c, pg_url, 0, &e), 0);
    /* The server's end of the session is held, so that the first request to cancel surely meets no query. */
    int pid = PQbackendPID(c.pg);
    kill(pid, SIGSTOP);
    ck_assert_int_eq(PQsendQuery(c.pg, "select pg_sleep(60)"), 1);
    postgres_conn_cancel(&c);
    pg_shell("(sleep 0.3; kill -CONT %d) &", pid);
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
    struct source_spec spec = {.kind = SOURCE_POSTGRES,
                               .as.sql = {.url = pg_url, .query = "select pg_sleep(50)::text as a"}};
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
    pg_no_sleepers();
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

START_TEST(no_wait_passes_the_deadline)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES,
                               .as.sql = {.url = pg_url, .query = "select pg_sleep(55)::text as a"}};
    char where[200];

    rowtext_check_late(&spec, clock_system(), "a\nerror 1 the time budget ended while reading");
    pg_no_sleepers();
    snprintf(where, sizeof where, "host=127.0.0.1 port=%d sslmode=disable", deaf_port(true));
    spec.as.sql.url = where;
    rowtext_check_late(&spec, clock_system(), "error 1 the time budget ended while connecting");
}
END_TEST

START_TEST(connecting_has_its_time)
{
    char where[700];

    snprintf(where, sizeof where, "host=127.0.0.1 port=%d connect_timeout=1 sslmode=disable", deaf_port(true));
    double took = seconds_of(where, "error 66 postgres host=127.0.0.1: no answer within connect_timeout");
    ck_assert_msg(took > 1.9 && took < 60, "%f s", took);
    /* The next host of the list has its turn, whether this one does not answer or is not there. */
    snprintf(where, sizeof where, "host=127.0.0.1,%s port=%d,5432 connect_timeout=5 user=postgres dbname=postgres", pg_dir,
             deaf_port(false));
    seconds_of(where, "a integer\n1 [1]\n");
    snprintf(where, sizeof where, "host=/nowhere,%s user=postgres dbname=postgres", pg_dir);
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
        ck_assert_msg(took < 60, "%f s", took);
        stop_set(0);
    }
}
END_TEST

START_TEST(cancel_makes_a_blocking_read_return)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES,
                               .as.sql = {.url = pg_url, .query = "select pg_sleep(60)::text as a"}};
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

/* Stops all processes of the server, or lets them go on; a failed test must not leave them stopped. */
static void freeze(bool frozen)
{
    static const char each[] = "p=$(head -n 1 %s/db/postmaster.pid); kill -%s $p $(ps -o pid= --ppid $p)";
    char stop[400], go_on[400];

    snprintf(stop, sizeof stop, each, pg_dir, "STOP");
    snprintf(go_on, sizeof go_on, each, pg_dir, "CONT");
    if (frozen)
        ck_assert_int_eq(pg_shell("(sleep 40; %s) >/dev/null 2>&1 & %s", go_on, stop), 0);
    else
        ck_assert_int_eq(pg_shell("%s", go_on), 0);
}

/* A read of a server that stops answering ends soon after a signal (0) or the deadline (1). */
START_TEST(a_frozen_server_is_left)
{
    struct source_spec spec = {.kind = SOURCE_POSTGRES,
                               .as.sql = {.url = pg_url, .query = "select pg_sleep(55)::text as a"}};
    struct clock *clock = clock_system();
    const bool late = _i == 1;
    const struct source_read read = {.deadline_us = late ? clock->mono_us(clock) + 1500000 : 0};
    struct source *s = NULL;
    struct err e = ERR_INIT;
    struct row row;

    ck_assert_msg(source_open(&spec, &read, clock, &s, &e) == 0, "%s", err_text(&e));
    freeze(true);
    if (!late)
        stop_set(SIGTERM);
    const int64_t start_us = clock->mono_us(clock);
    ck_assert_int_eq(source_next(s, &row, &e), -1);
    ck_assert_int_eq(e.status, late ? XS_LEFT_OVER : XS_SIGTERM);
    ck_assert_ptr_nonnull(strstr(err_text(&e), "while reading; the database does not answer"));
    source_close(s);
    ck_assert_int_lt(clock->mono_us(clock) - start_us, 10000000);
    freeze(false);
    stop_set(0);
    err_clear(&e);
    pg_no_sleepers();
}
END_TEST

/* More is sent than a socket takes. */
START_TEST(a_frozen_server_keeps_no_write)
{
    struct clock *clock = clock_system();
    struct postgres_conn c;
    struct err e = ERR_INIT;
    static char much[4 << 20];
    const char *values[] = {much};

    memset(much, 'x', sizeof much - 1);
    ck_assert_int_eq(postgres_conn_open(&c, pg_url, clock->mono_us(clock) + 1500000, &e), 0);
    freeze(true);
    const int64_t start_us = clock->mono_us(clock);
    ck_assert_ptr_null(postgres_conn_run(&c, "select length($1)", 1, values, &e));
    ck_assert_int_eq(e.status, XS_LEFT_OVER);
    postgres_conn_close(&c);
    ck_assert_int_lt(clock->mono_us(clock) - start_us, 10000000);
    freeze(false);
    err_clear(&e);
    /* What a socket does not take at once is sent all the same. */
    ck_assert_int_eq(postgres_conn_open(&c, pg_url, 0, &e), 0);
    PGresult *result = postgres_conn_run(&c, "select length($1)", 1, values, &e);
    ck_assert_msg(result != NULL, "%s", err_text(&e));
    ck_assert_int_eq(atoi(PQgetvalue(result, 0, 0)), sizeof much - 1);
    PQclear(result);
    postgres_conn_close(&c);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("postgres_conn");
    TCase *t = tcase_create("all");

    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, pg_start, pg_stop);
    tcase_add_test(t, time_limits_and_dying_servers);
    tcase_add_test(t, a_signal_cancels_the_query);
    tcase_add_test(t, a_cancel_that_comes_too_early_is_not_lost);
    tcase_add_test(t, a_stop_at_any_moment_ends_the_read);
    tcase_add_loop_test(t, a_frozen_server_is_left, 0, 2);
    tcase_add_test(t, a_frozen_server_keeps_no_write);
    tcase_add_test(t, no_wait_passes_the_deadline);
    tcase_add_test(t, connecting_has_its_time);
    tcase_add_test(t, connecting_can_be_interrupted);
    tcase_add_test(t, cancel_makes_a_blocking_read_return);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return pg_run(suite());
}
