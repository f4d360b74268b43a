#include "config.h"

#include "tests/harness/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MAX = 4 << 20 };

struct connection {
    int fd;
    char *in;
    size_t in_n;
    size_t request; /* number of the request under way + 1; 0: its head is not complete */
};

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

static void end(struct connection *c, bool reset)
{
    struct linger linger = {1, 0};
    if (reset)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    else
        shutdown(c->fd, SHUT_WR);
    close(c->fd);
    free(c->in);
    *c = (struct connection){.fd = -1};
}

static void send_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the other side has had enough: a test of that looks at what it got */
        p += sent;
        n -= (size_t)sent;
    }
}

static void answer(int fd, const struct peer_step *step)
{
    const char *bytes = step->bytes != NULL ? step->bytes : "";
    size_t n = step->bytes_n > 0 ? step->bytes_n : strlen(bytes), first = step->split_at > 0 ? (size_t)step->split_at : 0;
    if (first > 0)
        send_all(fd, bytes, first);
    if (step->delay_ms > 0)
        usleep((useconds_t)step->delay_ms * 1000);
    send_all(fd, bytes + first, n - first);
    char block[4096];
    memset(block, 'x', sizeof block);
    for (size_t left = step->repeat_n; left > 0;) {
        size_t part = left < sizeof block ? left : sizeof block;
        send_all(fd, block, part);
        left -= part;
    }
}

/* Bytes of the whole request, or 0 while its head is not complete. */
static size_t request_bytes(const struct connection *c)
{
    const char *head_end = memmem(c->in, c->in_n, "\r\n\r\n", 4);
    if (head_end == NULL)
        return 0;
    size_t n = (size_t)(head_end + 4 - c->in);
    static const char name[] = "\r\nContent-Length:";
    for (const char *p = c->in; p + sizeof name <= head_end; p++)
        if (strncasecmp(p, name, sizeof name - 1) == 0)
            return n + strtoul(p + sizeof name - 1, NULL, 10);
    return n;
}

static const struct peer_step *step_of(const struct peer *p, size_t request)
{
    static const struct peer_step empty = {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    return request < p->steps_n ? &p->steps[request] : &empty;
}

static void play(struct peer *p, struct connection *c)
{
    for (;;) {
        size_t wanted = request_bytes(c);
        if (wanted == 0)
            return;
        if (c->request == 0) {
            need(p->requests_n < PEER_REQUESTS_MAX, "too many requests");
            c->request = ++p->requests_n;
        }
        const struct peer_step *step = step_of(p, c->request - 1);
        bool whole = c->in_n >= wanted;
        if (whole || step->act == PEER_CLOSE_EARLY) {
            size_t n = whole ? wanted : c->in_n;
            p->requests[c->request - 1] = strndup(c->in, n);
        }
        if (step->act == PEER_CLOSE_EARLY) {
            end(c, true);
            atomic_fetch_add(&p->ended_n, 1);
            return;
        }
        if (!whole || step->act == PEER_SILENT)
            return;
        memmove(c->in, c->in + wanted, c->in_n - wanted);
        c->in_n -= wanted;
        c->request = 0;
        if (step->act == PEER_ANSWER || step->act == PEER_ANSWER_CLOSE || step->act == PEER_ANSWER_RESET)
            answer(c->fd, step);
        if (step->act != PEER_ANSWER) {
            end(c, step->act == PEER_RESET || step->act == PEER_ANSWER_RESET);
            atomic_fetch_add(&p->ended_n, 1);
            return;
        }
    }
}

static void take(struct peer *p, struct connection *c)
{
    if (c->in == NULL)
        c->in = malloc(REQUEST_MAX);
    need(c->in != NULL && c->in_n < REQUEST_MAX, "request too large");
    ssize_t n = recv(c->fd, c->in + c->in_n, REQUEST_MAX - c->in_n, 0);
    if (n <= 0) {
        end(c, false);
        return;
    }
    c->in_n += (size_t)n;
    play(p, c);
}

static void *run(void *ctx)
{
    struct peer *p = ctx;
    struct connection connections[PEER_CONNECTIONS_MAX];
    for (size_t i = 0; i < PEER_CONNECTIONS_MAX; i++)
        connections[i] = (struct connection){.fd = -1};
    for (;;) {
        struct pollfd fds[PEER_CONNECTIONS_MAX + 2] = {{p->wake[0], POLLIN, 0}, {p->listener, POLLIN, 0}};
        for (size_t i = 0; i < PEER_CONNECTIONS_MAX; i++)
            fds[i + 2] = (struct pollfd){connections[i].fd, POLLIN, 0};
        if (poll(fds, PEER_CONNECTIONS_MAX + 2, -1) < 0 && errno != EINTR)
            break;
        if (fds[0].revents != 0)
            break;
        for (size_t i = 0; i < PEER_CONNECTIONS_MAX; i++)
            if (connections[i].fd >= 0 && fds[i + 2].revents != 0)
                take(p, &connections[i]);
        if (fds[1].revents != 0) {
            size_t i = 0;
            while (i < PEER_CONNECTIONS_MAX && connections[i].fd >= 0)
                i++;
            need(i < PEER_CONNECTIONS_MAX, "too many connections");
            connections[i].fd = accept(p->listener, NULL, NULL);
            p->connections_n++;
        }
    }
    for (size_t i = 0; i < PEER_CONNECTIONS_MAX; i++)
        if (connections[i].fd >= 0)
            end(&connections[i], false);
    return NULL;
}

void peer_start(struct peer *p, const struct peer_step *steps, size_t steps_n)
{
    memset(p, 0, sizeof *p);
    p->steps = steps;
    p->steps_n = steps_n;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    need(p->listener >= 0 && bind(p->listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(p->listener, 64) == 0 &&
             getsockname(p->listener, (struct sockaddr *)&at, &n) == 0 && pipe(p->wake) == 0,
         "peer");
    p->port = ntohs(at.sin_port);
    snprintf(p->url, sizeof p->url, "http://127.0.0.1:%d", p->port);
    need(pthread_create(&p->thread, NULL, run, p) == 0, "pthread_create");
}

void peer_stop(struct peer *p)
{
    need(write(p->wake[1], "x", 1) == 1, "wake");
    pthread_join(p->thread, NULL);
    close(p->wake[0]);
    close(p->wake[1]);
    close(p->listener);
}

void peer_free(struct peer *p)
{
    for (size_t i = 0; i < p->requests_n; i++)
        free(p->requests[i]);
}
