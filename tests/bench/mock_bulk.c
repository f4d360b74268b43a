/* A fast stand-in of the bulk endpoints for the benches: one thread per connection, TLS on request, a scripted latency.
 *
 * usage: mock_bulk [--tls CERT.pem] [--latency MS] [--port N]
 *
 * Prints its address as the first line and serves on 127.0.0.1 until SIGTERM; at the end the counters go to stdout, and
 * GET /__stats answers them at any time; GET /__reset sets them to zero. With --tls it makes a certificate at the start
 * and writes it to CERT.pem. A request's latency is counted from its last byte, so a slow scan does not add to it. */
#include "config.h"

#include "tests/bench/mock_answer.h"
#include "tests/bench/mock_cert.h"
#include "tests/bench/mock_window.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_BYTES_MAX = 1 << 16, BODY_BYTES_MAX = 1 << 23, READ_BYTES = 1 << 16 };

/* Shared by all threads; all but the counters is set before the first of them starts. */
struct mock {
    SSL_CTX *tls; /* NULL: plain */
    const char *certificate;
    long latency_ms, port;
    int listener;
    atomic_ullong requests[MOCK_KINDS_N], leads[MOCK_KINDS_N];
    atomic_uint connections, connections_most, connections_all;
    struct mock_window all, kinds[MOCK_KINDS_N];
};

struct connection {
    struct mock *mock;
    int fd;
    SSL *tls;
    struct text in, answer, out;
};

/* --- bytes --- */

static ssize_t receive(struct connection *c, char *p, size_t n)
{
    if (c->tls != NULL) {
        int got = SSL_read(c->tls, p, (int)n);
        return got > 0 ? got : -1;
    }
    ssize_t got;
    do
        got = recv(c->fd, p, n, 0);
    while (got < 0 && errno == EINTR);
    return got;
}

static int send_all(struct connection *c, const char *p, size_t n)
{
    if (c->tls != NULL)
        return SSL_write(c->tls, p, (int)n) == (int)n ? 0 : -1;
    while (n > 0) {
        ssize_t put = send(c->fd, p, n, MSG_NOSIGNAL);
        if (put < 0 && errno != EINTR)
            return -1;
        if (put > 0) {
            p += put;
            n -= (size_t)put;
        }
    }
    return 0;
}

/* Reads until `in` holds at least `n` bytes. 0/-1 (the peer is gone, or memory). */
static int fill(struct connection *c, size_t n)
{
    char piece[READ_BYTES];
    while (c->in.n < n) {
        ssize_t got = receive(c, piece, sizeof piece);
        if (got <= 0 || text_add(&c->in, piece, (size_t)got) != 0)
            return -1;
    }
    return 0;
}

/* --- one request --- */

/* Where the head ends (behind its empty line), 0: the peer is gone or sends none. */
static size_t read_head(struct connection *c)
{
    for (size_t want = 1; want < HEAD_BYTES_MAX; want = c->in.n + 1) {
        if (fill(c, want) != 0)
            return 0;
        const char *end = memmem(c->in.p, c->in.n, "\r\n\r\n", 4);
        if (end != NULL)
            return (size_t)(end - c->in.p) + 4;
    }
    return 0;
}

static size_t content_length(const char *head)
{
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, "content-length:", 15) == 0)
            return strtoul(line + 17, NULL, 10);
    return 0;
}

static void wait_until(struct timespec start, long latency_ms)
{
    start.tv_sec += latency_ms / 1000;
    start.tv_nsec += latency_ms % 1000 * 1000000;
    if (start.tv_nsec >= 1000000000) {
        start.tv_sec++;
        start.tv_nsec -= 1000000000;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &start, NULL) == EINTR)
        ;
}

static int write_stats(struct mock *m, struct text *out)
{
    static const char *const names[] = {"other", "add", "patch", "list"};
    unsigned long long requests = 0;
    for (int k = 0; k < MOCK_KINDS_N; k++)
        requests += m->requests[k];
    int rc = text_addf(out,
                       "{\"requests\":%llu,\"max_in_1s\":%zu,\"max_in_60s\":%zu,\"connections_most\":%u,\"connections\":%u",
                       requests, mock_window_most(&m->all, 1000000), mock_window_most(&m->all, 60000000),
                       m->connections_most, m->connections_all);
    for (int k = 0; k < MOCK_KINDS_N && rc == 0; k++)
        rc = text_addf(out, ",\"%s\":{\"requests\":%llu,\"leads\":%llu,\"span_seconds\":%.4f}", names[k], m->requests[k],
                       m->leads[k], (double)mock_window_span_us(&m->kinds[k]) / 1e6);
    return rc != 0 ? rc : text_add(out, "}\n", 2);
}

static void reset(struct mock *m)
{
    mock_window_reset(&m->all);
    for (int k = 0; k < MOCK_KINDS_N; k++) {
        m->requests[k] = m->leads[k] = 0;
        mock_window_reset(&m->kinds[k]);
    }
    m->connections_most = m->connections;
    m->connections_all = 0;
}

static int control(struct mock *m, const struct mock_request *q, struct text *out)
{
    out->n = 0;
    if (strcmp(q->path, "/__reset") == 0)
        reset(m);
    return write_stats(m, out) == 0 ? 200 : -1;
}

static int answer(struct connection *c, const struct mock_request *q)
{
    struct mock *m = c->mock;
    struct timespec start;
    size_t leads = 0;
    int status;
    clock_gettime(CLOCK_MONOTONIC, &start);
    if (strncmp(q->path, "/__", 3) == 0) {
        status = control(m, q, &c->answer);
    } else {
        enum mock_kind kind = mock_kind_of(q);
        status = mock_answer(q, &c->answer, &leads);
        m->requests[kind]++;
        m->leads[kind] += leads;
        wait_until(start, m->latency_ms);
    }
    c->out.n = 0;
    if (status < 0 ||
        text_addf(&c->out, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", status,
                  status == 200 ? "OK" : "Not Found", c->answer.n) != 0 ||
        text_add(&c->out, c->answer.p, c->answer.n) != 0)
        return -1;
    return send_all(c, c->out.p, c->out.n);
}

/* Reads and answers one request; -1 ends the connection. */
static int serve_request(struct connection *c)
{
    size_t head_n = read_head(c);
    if (head_n == 0)
        return -1;
    char method[16], path[1024];
    c->in.p[head_n - 1] = '\0';
    size_t body_n = content_length(c->in.p);
    if (sscanf(c->in.p, "%15s %1023s", method, path) != 2 || path[0] != '/' || body_n > BODY_BYTES_MAX)
        return -1;
    path[strcspn(path, "?")] = '\0';
    struct mock_request q = {.method = method, .path = path, .body_n = body_n};
    if (strncmp(path, "/__", 3) != 0 &&
        (mock_window_note(&c->mock->all) != 0 || mock_window_note(&c->mock->kinds[mock_kind_of(&q)]) != 0))
        return -1;
    if (fill(c, head_n + body_n) != 0)
        return -1;
    q.body = c->in.p + head_n;
    if (answer(c, &q) != 0)
        return -1;
    memmove(c->in.p, c->in.p + head_n + body_n, c->in.n - head_n - body_n);
    c->in.n -= head_n + body_n;
    return 0;
}

/* --- connections --- */

static void *serve_connection(void *argument)
{
    struct connection *c = argument;
    struct mock *m = c->mock;
    unsigned now = ++m->connections, most = m->connections_most;
    m->connections_all++;
    while (now > most && !atomic_compare_exchange_weak(&m->connections_most, &most, now))
        ;
    if (m->tls != NULL) {
        c->tls = SSL_new(m->tls);
        if (c->tls == NULL || SSL_set_fd(c->tls, c->fd) != 1 || SSL_accept(c->tls) != 1)
            goto out;
    }
    while (serve_request(c) == 0)
        ;
out:
    SSL_free(c->tls);
    close(c->fd);
    free(c->in.p);
    free(c->answer.p);
    free(c->out.p);
    free(c);
    m->connections--;
    return NULL;
}

static int take(struct mock *m, int fd)
{
    struct connection *c = calloc(1, sizeof *c);
    pthread_t thread;
    int on = 1;
    if (c == NULL)
        return -1;
    c->mock = m;
    c->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (pthread_create(&thread, NULL, serve_connection, c) != 0) {
        free(c);
        return -1;
    }
    return pthread_detach(thread);
}

static void *serve(void *argument)
{
    struct mock *m = argument;
    int fd;
    while ((fd = accept(m->listener, NULL, NULL)) >= 0 || errno == EINTR || errno == ECONNABORTED)
        if (fd >= 0 && take(m, fd) != 0)
            close(fd);
    fprintf(stderr, "mock_bulk: accept: %s\n", strerror(errno));
    exit(1);
    return NULL;
}

static int start(struct mock *m)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)m->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    pthread_t thread;
    if (m->certificate != NULL) {
        m->tls = SSL_CTX_new(TLS_server_method());
        if (m->tls == NULL || mock_cert_make(m->tls, m->certificate) != 0) {
            ERR_print_errors_fp(stderr);
            return -1;
        }
    }
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&address, n) != 0 || listen(fd, 256) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &n) != 0) {
        fprintf(stderr, "mock_bulk: %s\n", strerror(errno));
        return -1;
    }
    m->listener = fd;
    if (pthread_create(&thread, NULL, serve, m) != 0)
        return -1;
    printf("%s://localhost:%u\n", m->tls != NULL ? "https" : "http", ntohs(address.sin_port));
    return fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct mock m;
    sigset_t ends;
    int ending;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 < argc && strcmp(argv[i], "--tls") == 0) {
            m.certificate = argv[i + 1];
        } else if (i + 1 < argc && strcmp(argv[i], "--latency") == 0) {
            m.latency_ms = strtol(argv[i + 1], NULL, 10);
        } else if (i + 1 < argc && strcmp(argv[i], "--port") == 0) {
            m.port = strtol(argv[i + 1], NULL, 10);
        } else {
            fputs("usage: mock_bulk [--tls CERT.pem] [--latency MS] [--port N]\n", stderr);
            return 64;
        }
    }
    mock_window_init(&m.all);
    for (int k = 0; k < MOCK_KINDS_N; k++)
        mock_window_init(&m.kinds[k]);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if (start(&m) != 0)
        return 1;
    sigwait(&ends, &ending);
    struct text out = {.p = NULL};
    if (write_stats(&m, &out) != 0)
        return 1;
    fputs(out.p, stdout);
    free(out.p);
    return 0;
}
