#include "config.h"

#include "connectors/postgres/postgres_conn.h"

#include "connectors/postgres/postgres_url.h"
#include "connectors/process.h"
#include "connectors/sqltext.h"
#include "sync/base/clock.h"
#include "sync/base/log.h"
#include "sync/base/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LOOK_UP_MS = 250, /* a signal between the look at the flag and poll() is noticed after so long */
    ASK_AGAIN_MS = 50,
    GIVE_UP_S = 2, /* for a query that does not end when it is cancelled; the server notices that we left */
    MESSAGE_MAX = 16384,
};

static void on_notice(void *arg, const PGresult *result)
{
    const struct postgres_conn *c = arg;
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    /* What a function raises may be data. */
    log_detail("%s: %s", c->label, text != NULL ? text : "a notice");
}

/* libpq's messages end in a line feed and may have several lines, some of which begin with a tab. Each line is a sentence of its
 * own, so they are parted by a semicolon unless the first says how the next one goes on. */
static void add_one_line(struct buf *out, const char *text)
{
    struct str trimmed = str_trim(str_from(text));

    for (size_t i = 0; i < trimmed.n; i++) {
        bool breaks = trimmed.p[i] == '\n' || trimmed.p[i] == '\t';
        if (!breaks)
            (void)buf_addc(out, trimmed.p[i]);
        else if (i > 0 && trimmed.p[i - 1] != '\n')
            (void)buf_adds(out, trimmed.p[i] == '\n' && strchr(":;,.", trimmed.p[i - 1]) == NULL ? "; " : " ");
    }
}

static int fail_connection(struct postgres_conn *c, const char *what, struct err *e)
{
    struct buf text = BUF_INIT(MESSAGE_MAX);

    add_one_line(&text, c->pg != NULL ? PQerrorMessage(c->pg) : "out of memory");
    err_set(e, XS_NO_SOURCE, "%s: %s: %.*s", c->label, what, STR_ARG(buf_str(&text)));
    buf_free(&text);
    return -1;
}

/* 0 to continue, or the error of the signal or deadline that ends this. */
static int look_up(const struct postgres_conn *c, const char *doing, struct err *e)
{
    int signo = stop_requested();

    if (signo != 0)
        return err_set(e, (enum exit_status)(128 + signo), "%s: interrupted while %s", c->label, doing);
    if (c->cancelled)
        return err_set(e, XS_SOURCE, "%s: cancelled while %s", c->label, doing);
    struct clock *clock = clock_system();
    if (c->deadline_us != 0 && clock->mono_us(clock) >= c->deadline_us)
        return err_set(e, XS_LEFT_OVER, "%s: the time budget ended while %s", c->label, doing);
    return 0;
}

/* ---- connecting ---- */

/* Of one address, by libpq's rules: 0 is for ever, and less than 2 s is 2 s. */
static int64_t connect_timeout_us(PGconn *pg)
{
    PQconninfoOption *options = PQconninfo(pg);
    const char *text = postgres_url_option(options, "connect_timeout");
    long seconds = text != NULL ? strtol(text, NULL, 10) : 0;

    PQconninfoFree(options);
    if (seconds <= 0 || seconds > INT32_MAX)
        return INT64_MAX / 2;
    return INT64_C(1000000) * (seconds < 2 ? 2 : seconds);
}

/* PQconnectdb() cannot be interrupted, and PQconnectPoll() knows no time: this is the loop between them. An address that
 * does not answer in time has its socket shut, for libpq to find it broken and to go on with the next one. */
static int connect_steps(struct postgres_conn *c, struct err *e)
{
    struct clock *clock = clock_system();
    const int64_t timeout_us = connect_timeout_us(c->pg);
    int64_t give_up_us = clock->mono_us(clock) + timeout_us;
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    const char *what = "cannot connect";

    while (next != PGRES_POLLING_OK) {
        struct pollfd pfd = {.fd = PQsocket(c->pg), .events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        if (next == PGRES_POLLING_FAILED || PQstatus(c->pg) == CONNECTION_BAD)
            return fail_connection(c, what, e);
        if (look_up(c, "connecting", e) != 0)
            return -1;
        int ready = poll(&pfd, 1, LOOK_UP_MS);
        if (ready < 0 && errno != EINTR && errno != EAGAIN)
            return err_errno(e, XS_NO_SOURCE, errno, "%s: cannot wait for the server", c->label);
        bool late = ready <= 0 && clock->mono_us(clock) >= give_up_us;
        if (late) {
            what = "no answer within connect_timeout";
            shutdown(pfd.fd, SHUT_RDWR);
        }
        if (late || ready > 0)
            next = PQconnectPoll(c->pg);
        if ((late || ready > 0) && PQstatus(c->pg) == CONNECTION_STARTED) /* with another address */
            give_up_us = clock->mono_us(clock) + timeout_us;
    }
    return 0;
}

int postgres_conn_open(struct postgres_conn *c, const char *url, int64_t deadline_us, struct err *e)
{
    /* What comes before dbname is a default that the URL may change, what comes after is ours. */
    const char *keywords[] = {"fallback_application_name", "connect_timeout", "dbname", "client_encoding", NULL};
    const char *values[] = {"leadsync", getenv("PGCONNECT_TIMEOUT") == NULL ? "30" : NULL, url, "UTF8", NULL};

    *c = (struct postgres_conn){.deadline_us = deadline_us};
    if (postgres_url_label(url, &c->label, e) != 0)
        return -1;
    c->pg = PQconnectStartParams(keywords, values, 1);
    if (c->pg == NULL)
        return err_oom(e);
    if (connect_steps(c, e) != 0)
        return -1;
    if (PQsetnonblocking(c->pg, 1) != 0)
        return fail_connection(c, "the server is gone", e);
    PQsetNoticeReceiver(c->pg, on_notice, c);
    c->cancel = PQgetCancel(c->pg);
    return c->cancel != NULL ? 0 : err_oom(e);
}

/* ---- reading ---- */

/* The connection does not block (PQsetnonblocking), so what does not fit into the socket is sent from here. */
static int wait_ready(struct postgres_conn *c, int timeout_ms, struct err *e)
{
    struct pollfd pfd = {.fd = PQsocket(c->pg), .events = PQflush(c->pg) > 0 ? POLLIN | POLLOUT : POLLIN};
    int ready = poll(&pfd, 1, timeout_ms);

    if (ready < 0 && errno != EINTR && errno != EAGAIN)
        return err_errno(e, XS_NO_SOURCE, errno, "%s: cannot wait for the server", c->label);
    if (ready > 0 && (pfd.revents & ~POLLOUT) != 0 && PQconsumeInput(c->pg) == 0)
        return fail_connection(c, "the server is gone", e);
    return 0;
}

/* PQcancel() waits for the server without a limit, so a child calls it. The child keeps no descriptor open (a lock, a
 * pipe), calls only what is safe after fork(), and ends by itself if this process dies before it. */
static pid_t start_cancel(const struct postgres_conn *c)
{
    char why[256];
    sigset_t alarm_only;
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    signal(SIGALRM, SIG_DFL);
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
    alarm(GIVE_UP_S + 1);
    process_close_from(STDIN_FILENO);
    _exit(PQcancel(c->cancel, why, sizeof why) == 1 ? 0 : 1);
}

static void end_cancel(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* Throws away results until the last one (true), or until there is nothing to read (false). */
static bool drain(struct postgres_conn *c)
{
    PGresult *result;

    while (!PQisBusy(c->pg)) {
        if ((result = PQgetResult(c->pg)) == NULL)
            return true;
        PQclear(result);
    }
    return false;
}

/* Cancels what runs and waits for its end. The server drops a request that arrives before it has begun with the query,
 * and reports nothing: so it is asked again and again while the query lives. A server that does not answer in time is
 * left: the socket is shut down, so that nothing waits for it later. */
static void cancel_running(struct postgres_conn *c)
{
    struct clock *clock = clock_system();
    int64_t now = clock->mono_us(clock), give_up = now + INT64_C(1000000) * GIVE_UP_S, ask_again = now;
    struct err gone = ERR_INIT;
    pid_t asking = 0;
    bool over;

    while (!(over = drain(c)) && now < give_up && gone.status == XS_DONE) {
        if (asking > 0 && waitpid(asking, NULL, WNOHANG) == asking)
            asking = 0;
        if (asking <= 0 && now >= ask_again) {
            asking = start_cancel(c);
            ask_again = now + ASK_AGAIN_MS * 1000;
        }
        wait_ready(c, ASK_AGAIN_MS, &gone);
        now = clock->mono_us(clock);
    }
    end_cancel(asking);
    err_clear(&gone);
    c->left = !over;
    if (c->left && PQsocket(c->pg) >= 0)
        shutdown(PQsocket(c->pg), SHUT_RDWR);
}

static void report_left(struct err *e)
{
    struct err why = *e;

    *e = (struct err)ERR_INIT;
    err_set(e, why.status, "%s; the database does not answer, so its connection is closed", err_text(&why));
    err_clear(&why);
}

void postgres_conn_cancel(struct postgres_conn *c)
{
    c->cancelled = 1;
}

void postgres_conn_close(struct postgres_conn *c)
{
    if (c->pg != NULL && c->cancel != NULL && !c->left && PQtransactionStatus(c->pg) == PQTRANS_ACTIVE) {
        cancel_running(c);
        if (c->left)
            log_notice("%s: the database does not answer, so its connection is closed", c->label);
    }
    PQfreeCancel(c->cancel);
    PQfinish(c->pg);
    free(c->label);
    *c = (struct postgres_conn){.pg = NULL};
}

PGresult *postgres_conn_result(struct postgres_conn *c, bool *failed, struct err *e)
{
    *failed = false;
    while (PQisBusy(c->pg)) {
        if (look_up(c, c->writes ? "writing" : "reading", e) != 0) {
            cancel_running(c);
            if (c->left)
                report_left(e);
            *failed = true;
            return NULL;
        }
        if (wait_ready(c, LOOK_UP_MS, e) != 0) {
            *failed = true;
            return NULL;
        }
    }
    return PQgetResult(c->pg);
}

PGresult *postgres_conn_run(struct postgres_conn *c, const char *sql, int n, const char *const *values, struct err *e)
{
    PGresult *first = NULL, *result;
    bool failed;
    /* Several statements in one string go by the simple protocol, which has no parameters. */
    int sent = n == 0 ? PQsendQuery(c->pg, sql) : PQsendQueryParams(c->pg, sql, n, NULL, values, NULL, NULL, 0);

    if (sent == 0) {
        fail_connection(c, "the server is gone", e);
        return NULL;
    }
    /* The last result counts, unless one before it failed. */
    while ((result = postgres_conn_result(c, &failed, e)) != NULL) {
        if (first != NULL && PQresultStatus(first) == PGRES_FATAL_ERROR) {
            PQclear(result);
            continue;
        }
        PQclear(first);
        first = result;
    }
    if (failed) {
        PQclear(first);
        return NULL;
    }
    if (first != NULL && (PQresultStatus(first) == PGRES_COMMAND_OK || PQresultStatus(first) == PGRES_TUPLES_OK))
        return first;
    postgres_conn_fail(c, first, false, e);
    PQclear(first);
    return NULL;
}

/* What SQLSTATEs mean for the exit status, where it is not "before or after the first row". Longest match first. */
static const struct {
    const char *prefix;
    enum exit_status status;
    const char *hint;
} state_table[] = {
    {"57014", XS_SOURCE, "statement_timeout: in the mapping, or another user, ended the query"},
    {"42501", XS_NO_SOURCE,
     "GRANT the user of the connection what it lacks: SELECT for a source, INSERT and UPDATE, too, for "
     "results_to and pull"},
    {"55P03", XS_NO_SOURCE, NULL}, /* a lock is unavailable */
    {"25006", XS_CONFIG, "query: is run in a read-only transaction"},
    {"08", XS_NO_SOURCE, NULL},     /* connection */
    {"28", XS_NO_SOURCE, NULL},     /* login */
    {"3D", XS_NO_SOURCE, NULL},     /* no such database */
    {"40", XS_SOURCE, "run again"}, /* a standby's replay came in the way */
    {"53", XS_NO_SOURCE, NULL},     /* out of disk, memory, connections */
    {"57P", XS_NO_SOURCE, NULL},    /* shut down */
    {"58", XS_SOURCE, NULL},        /* the server's own I/O */
    {"XX", XS_SOURCE, NULL},        /* corrupt or a bug */
};

static void add_caret(const struct postgres_conn *c, const PGresult *result, struct buf *out)
{
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    long chars = position != NULL ? strtol(position, NULL, 10) : 0;
    size_t before = out->n;
    struct str query = str_from(c->query);

    if (chars > 0 && sqltext_caret(query, sqltext_char_offset(query, (size_t)chars - 1), out) != 0)
        out->n = before;
}

/* Division by zero, a bad cast, two rows of a subquery, what a function raises: the server may meet them in a row before it
 * hands out the first one. */
static bool is_of_data(const char *state)
{
    static const char *const classes[] = {"21", "22", "2F", "38", "39", "P0"};

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (strncmp(state, classes[i], 2) == 0)
            return true;
    }
    return false;
}

int postgres_conn_fail(struct postgres_conn *c, const PGresult *result, bool of_query, struct err *e)
{
    struct buf caret = BUF_INIT(MESSAGE_MAX), text = BUF_INIT(MESSAGE_MAX);

    if (result == NULL || PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL)
        return fail_connection(c, "the server is gone", e);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    enum exit_status status = c->rows_flow || (c->runs && is_of_data(state)) ? XS_SOURCE : XS_CONFIG;
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    for (size_t i = 0; i < sizeof state_table / sizeof state_table[0]; i++) {
        if (strncmp(state, state_table[i].prefix, strlen(state_table[i].prefix)) == 0) {
            status = state_table[i].status;
            hint = state_table[i].hint != NULL ? state_table[i].hint : hint;
            break;
        }
    }
    add_one_line(&text, primary != NULL ? primary : "error without a message");
    if (of_query && c->query != NULL)
        add_caret(c, result, &caret);
    err_set(e, status, "%s: %.*s (SQLSTATE %s)%.*s%s%s", c->label, STR_ARG(buf_str(&text)), state, STR_ARG(buf_str(&caret)),
            hint == NULL  ? ""
            : caret.n > 0 ? "\n      = hint: "
                          : "; hint: ",
            hint != NULL ? hint : "");
    buf_free(&caret);
    buf_free(&text);
    return -1;
}
