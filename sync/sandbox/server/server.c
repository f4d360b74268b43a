#include "sync/sandbox/server/server.h"

#include "sync/base/clock.h"
#include "sync/sandbox/server/http.h"
#include "sync/sandbox/server/route.h"
#include "sync/sandbox/server/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    CONNECTION_MEMORY = 128 << 10, /* also how much of a body comes in one piece */
    CONNECTION_IDLE_S = 75,        /* as the real edge closes unused connections */
    HEADER_MAX = 16 << 10,         /* what Node takes */
    POLL_MAX_MS = 1000,
};

struct sim_server {
    struct sim_world *world;
    struct MHD_Daemon *daemon;
    struct sim_call *waiting; /* suspended calls, no order */
    pthread_t thread;
    int wake;   /* eventfd: the end */
    int events; /* the daemon's epoll, borrowed */
    bool stopping;
    uint16_t port;
};

/* --- one request --- */

/* p NULL when it was not sent, which is not the same as sent empty. */
static struct str header(struct MHD_Connection *connection, const char *name)
{
    const char *value = NULL;
    size_t n = 0;
    if (MHD_lookup_connection_value_n(connection, MHD_HEADER_KIND, name, strlen(name), &value, &n) != MHD_YES ||
        value == NULL)
        return STR_NONE;
    return (struct str){value, n};
}

/* More parameters than any endpoint has are left out. */
static enum MHD_Result on_query(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_n, const char *value,
                                size_t value_n)
{
    struct sim_request *q = ctx;
    (void)kind;
    if (q->query_n == SIM_QUERY_MAX)
        return MHD_NO;
    q->query[q->query_n++] = (struct sim_pair){{name, name_n}, {value, value_n}};
    return MHD_YES;
}

/* The request is worked at once; only its answer waits. So a write has happened while its answer is still out, as
 * with a server far away. */
static void serve(struct sim_server *s, struct sim_call *call, const char *url, const char *method)
{
    struct MHD_Connection *c = call->connection;
    const union MHD_ConnectionInfo *size = MHD_get_connection_info(c, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    struct sim_request q = {.method = method,
                            .path = url,
                            .user_agent = header(c, "User-Agent"),
                            .authorization = header(c, "Authorization"),
                            .content_type = header(c, "Content-Type"),
                            .as_workspace = header(c, "x-as-workspace"),
                            .body = buf_str(&call->body),
                            .body_too_large = call->too_large,
                            .url_too_long = size != NULL && size->header_size > HEADER_MAX};
    MHD_get_connection_values_n(c, MHD_GET_ARGUMENT_KIND, on_query, &q);
    int64_t now_us = clock_system()->mono_us(clock_system());
    s->world->now_ms = clock_system()->wall_ms(clock_system()) + s->world->knobs.advance_ms;
    sim_route_serve(s->world, &q, &call->answer, now_us);
    call->now_ms = s->world->now_ms;
    buf_free(&call->body);
    call->served = true;
    bool control = strncmp(url, "/__", 3) == 0;
    call->due_us = now_us + (control ? 0 : s->world->knobs.latency_ms * 1000);
    const struct sim_fault *fault = &call->answer.fault;
    if (fault->kind == SIM_FAULT_SLOW || fault->kind == SIM_FAULT_HANG || fault->hold)
        call->due_us += fault->arg * 1000;
}

static void take_body(struct sim_call *call, const char *p, size_t n)
{
    /* The rest of a body that is too large is read and dropped: closing early would cost the client the 413. */
    if (!call->too_large && buf_add(&call->body, p, n) != 0) {
        call->too_large = true;
        buf_free(&call->body);
    }
}

/* Called by the library with the headers, then with each piece of the body, then at its end, and again when a
 * suspended connection was resumed. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_n, void **slot)
{
    struct sim_server *s = ctx;
    struct sim_call *call = *slot;
    (void)version;
    if (call == NULL) {
        call = calloc(1, sizeof *call);
        if (call == NULL)
            return MHD_NO;
        call->connection = connection;
        buf_init(&call->body, SIM_BODY_MAX);
        sim_answer_init(&call->answer);
        *slot = call;
        return MHD_YES;
    }
    if (*upload_n > 0) {
        take_body(call, upload, *upload_n);
        *upload_n = 0;
        return MHD_YES;
    }
    if (!call->served)
        serve(s, call, url, method);
    if (s->stopping)
        return MHD_NO;
    if (call->due_us > clock_system()->mono_us(clock_system())) {
        call->next = s->waiting;
        s->waiting = call;
        MHD_suspend_connection(connection);
        return MHD_YES;
    }
    return sim_wire_answer(call);
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **slot, enum MHD_RequestTerminationCode why)
{
    struct sim_call *call = *slot;
    (void)ctx;
    (void)connection;
    (void)why;
    if (call == NULL)
        return;
    buf_free(&call->body);
    sim_answer_free(&call->answer);
    free(call);
    *slot = NULL;
}

/* --- the loop --- */

/* Wakes the calls whose time has come; all of them when a story says so, and at the end. */
static void resume_due(struct sim_server *s)
{
    int64_t now = clock_system()->mono_us(clock_system());
    for (struct sim_call **link = &s->waiting; *link != NULL;) {
        struct sim_call *call = *link;
        if (call->due_us <= now || s->stopping || s->world->answer_now) {
            *link = call->next;
            call->due_us = now;
            MHD_resume_connection(call->connection);
        } else {
            link = &call->next;
        }
    }
    s->world->answer_now = false;
}

/* How long nothing is due: neither the library's own time-outs nor a call that waits. */
static int wait_ms(struct sim_server *s)
{
    MHD_UNSIGNED_LONG_LONG library_ms;
    int64_t ms = POLL_MAX_MS, now = clock_system()->mono_us(clock_system());
    if (MHD_get_timeout(s->daemon, &library_ms) == MHD_YES && library_ms < (MHD_UNSIGNED_LONG_LONG)ms)
        ms = (int64_t)library_ms;
    for (const struct sim_call *call = s->waiting; call != NULL; call = call->next) {
        int64_t left = (call->due_us - now + 999) / 1000;
        ms = left < 0 ? 0 : left < ms ? left : ms;
    }
    return (int)ms;
}

/* Owned by the thread: the world, the daemon, the list of calls that wait. */
static void *loop(void *ctx)
{
    struct sim_server *s = ctx;
    struct pollfd fds[] = {{.fd = s->events, .events = POLLIN}, {.fd = s->wake, .events = POLLIN}};
    while (fds[1].revents == 0) {
        resume_due(s);
        MHD_run(s->daemon);
        if (poll(fds, 2, wait_ms(s)) < 0 && errno != EINTR)
            break;
    }
    s->stopping = true;
    resume_due(s);
    MHD_run(s->daemon); /* the library refuses to end while calls are suspended */
    return NULL;
}

static int start_thread(struct sim_server *s, struct err *e)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
    int rc = pthread_create(&s->thread, NULL, loop, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? 0 : err_errno(e, XS_IO, rc, "sandbox: cannot start its thread");
}

/* Driven by poll() on the daemon's epoll, because the library's own thread could not wake calls by the clock. */
int sim_server_start(struct sim_world *w, uint16_t port, struct sim_server **out, struct err *e)
{
    struct sim_server *s = calloc(1, sizeof *s);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (s == NULL)
        return err_oom(e);
    s->world = w;
    s->wake = eventfd(0, EFD_CLOEXEC);
    if (s->wake < 0) {
        err_errno(e, XS_IO, errno, "sandbox: eventfd");
        goto fail;
    }
    errno = 0;
    s->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK, port, NULL, NULL,
                                 on_request, s, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_IDLE_S, MHD_OPTION_NOTIFY_COMPLETED,
                                 on_completed, s, MHD_OPTION_END);
    if (s->daemon == NULL) {
        err_errno(e, XS_IO, errno != 0 ? errno : EADDRINUSE,
                  "sandbox: port %u of 127.0.0.1 is unavailable; use --port 0 for any free port", port);
        goto fail;
    }
    const union MHD_DaemonInfo *bound = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
    s->port = bound != NULL ? bound->port : port;
    const union MHD_DaemonInfo *events = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (events == NULL) {
        err_set(e, XS_INTERNAL, "sandbox: libmicrohttpd was built without epoll; install Debian's libmicrohttpd12");
        goto fail;
    }
    s->events = events->epoll_fd;
    if (start_thread(s, e) != 0)
        goto fail;
    *out = s;
    return 0;
fail:
    if (s->daemon != NULL)
        MHD_stop_daemon(s->daemon);
    if (s->wake >= 0)
        close(s->wake);
    free(s);
    return -1;
}

uint16_t sim_server_port(const struct sim_server *s)
{
    return s->port;
}

void sim_server_stop(struct sim_server *s)
{
    const uint64_t one = 1;
    if (s == NULL)
        return;
    while (write(s->wake, &one, sizeof one) < 0 && errno == EINTR)
        continue;
    pthread_join(s->thread, NULL);
    MHD_stop_daemon(s->daemon);
    close(s->wake);
    free(s);
}
