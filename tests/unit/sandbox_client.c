#include "tests/unit/sandbox_client.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 256 << 20 };

static bool left_out(const struct client_request *request, const char *name)
{
    for (size_t i = 0; i < CLIENT_HEADERS_MAX && request->headers[i] != NULL; i++)
        if (request->headers[i][0] == '-' && strcasecmp(request->headers[i] + 1, name) == 0)
            return true;
    return false;
}

static void add_header(struct buf *out, const struct client_request *request, const char *name, const char *value)
{
    if (!left_out(request, name))
        ck_assert_int_eq(buf_addf(out, "%s: %s\r\n", name, value), 0);
}

static void write_request(struct buf *out, const struct client_request *request)
{
    char length[32];
    ck_assert_int_eq(buf_addf(out, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n", request->method,
                              request->path),
                     0);
    add_header(out, request, "User-Agent", "sandbox-test/1.0");
    add_header(out, request, "Authorization", "Bearer test-key");
    if (request->body.n > 0) {
        add_header(out, request, "Content-Type", "application/json");
        snprintf(length, sizeof length, "%zu", request->body.n);
        add_header(out, request, "Content-Length", length);
    }
    for (size_t i = 0; i < CLIENT_HEADERS_MAX && request->headers[i] != NULL; i++)
        if (request->headers[i][0] != '-')
            ck_assert_int_eq(buf_addf(out, "%s\r\n", request->headers[i]), 0);
    ck_assert_int_eq(buf_adds(out, "\r\n"), 0);
    if (request->body.n > 0)
        ck_assert_int_eq(buf_add(out, request->body.p, request->body.n), 0);
}

/* Everything up to the end of the connection. */
static enum client_end read_all(int fd, struct buf *out, int timeout_ms)
{
    char piece[65536];
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, timeout_ms) == 0)
            return CLIENT_TIMEOUT;
        ssize_t n = recv(fd, piece, sizeof piece, 0);
        if (n < 0 && errno == ECONNRESET)
            return CLIENT_RESET;
        ck_assert_int_ge(n, 0);
        if (n == 0)
            return out->n == 0 ? CLIENT_EMPTY : CLIENT_DONE;
        ck_assert_int_eq(buf_add(out, piece, (size_t)n), 0);
    }
}

static void split(struct client_answer *answer, struct buf *all)
{
    const char *end = strstr(buf_cstr(all), "\r\n\r\n"); /* the head comes before any NUL */
    if (end == NULL || strncmp(all->p, "HTTP/1.1 ", 9) != 0) {
        answer->end = CLIENT_NO_HTTP;
        return;
    }
    size_t head_n = (size_t)(end - all->p) + 4;
    ck_assert_int_eq(buf_add(&answer->head, all->p, head_n), 0);
    ck_assert_int_eq(buf_add(&answer->body, all->p + head_n, all->n - head_n), 0);
    answer->status = atoi(buf_cstr(&answer->head) + 9);
    const char *length = strstr(answer->head.p, "Content-Length:");
    if (length != NULL && strtoull(length + 15, NULL, 10) > answer->body.n)
        answer->end = CLIENT_CUT;
}

void client_send(uint16_t port, const struct client_request *request, struct client_answer *answer)
{
    struct buf out = BUF_INIT(ANSWER_MAX), all = BUF_INIT(ANSWER_MAX);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    *answer = (struct client_answer){0};
    buf_init(&answer->head, ANSWER_MAX);
    buf_init(&answer->body, ANSWER_MAX);
    write_request(&out, request);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    for (size_t at = 0; at < out.n;) {
        ssize_t n = send(fd, out.p + at, out.n - at, MSG_NOSIGNAL);
        ck_assert_int_gt(n, 0);
        at += (size_t)n;
    }
    answer->end = read_all(fd, &all, request->timeout_ms > 0 ? request->timeout_ms : CLIENT_PATIENCE_MS);
    if (answer->end == CLIENT_DONE)
        split(answer, &all);
    close(fd);
    buf_free(&out);
    buf_free(&all);
}

struct client_answer client_ask(uint16_t port, const char *method, const char *path, const char *body)
{
    struct client_request request = {.method = method, .path = path, .body = str_from(body)};
    struct client_answer answer;
    client_send(port, &request, &answer);
    return answer;
}

struct sandbox *client_start(const struct sandbox_config *config)
{
    struct sandbox *s = NULL;
    struct err e = ERR_INIT;
    ck_assert_msg(sandbox_start(config, &s, &e) == 0, "%s", err_text(&e));
    ck_assert_uint_ne(sandbox_port(s), 0);
    return s;
}

void client_free(struct client_answer *answer)
{
    buf_free(&answer->head);
    buf_free(&answer->body);
}

json_object *client_json(uint16_t port, const char *method, const char *path, const char *body)
{
    struct client_request request = {.method = method, .path = path, .body = str_from(body)};
    struct client_answer answer;
    client_send(port, &request, &answer);
    ck_assert_int_eq(answer.end, CLIENT_DONE);
    ck_assert_msg(answer.status / 100 == 2, "%s %s: %d %s", method, path, answer.status, buf_cstr(&answer.body));
    json_object *o = json_tokener_parse(buf_cstr(&answer.body));
    ck_assert_ptr_nonnull(o);
    client_free(&answer);
    return o;
}

void client_control(uint16_t port, const char *body)
{
    json_object_put(client_json(port, "POST", "/__control", body));
}

int64_t client_counter(uint16_t port, const char *name)
{
    json_object *state = client_json(port, "GET", "/__state?leads=0", NULL), *counters, *value;
    ck_assert(json_object_object_get_ex(state, "counters", &counters));
    ck_assert_msg(json_object_object_get_ex(counters, name, &value), "no counter %s", name);
    int64_t n = json_object_get_int64(value);
    json_object_put(state);
    return n;
}
