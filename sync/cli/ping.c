#include "config.h"

#include "sync/cli/ping.h"

#include "sync/api/http/transport.h"
#include "sync/base/str.h"

#include <stdlib.h>
#include <string.h>

enum { PING_TIMEOUT_MS = 10000, PATH_MAX_BYTES = 1 << 16 };

/* The result that the transport's callback stores. */
struct pong {
    bool done;
    enum transport_end end;
    int status;
};

static void on_done(void *ctx, const struct transport_request *request, const struct transport_answer *answer)
{
    struct pong *pong = ctx;
    (void)request;
    *pong = (struct pong){true, answer->end, answer->status};
}

/* Adds the suffix to the path, before a query. "/" alone stays when there is no path. 0/-1. */
static int make_path(const char *after_host, const char *suffix, struct buf *path)
{
    size_t n = strcspn(after_host, "?");
    struct str query = str_from(after_host + n);
    while (n > 0 && after_host[n - 1] == '/')
        n--;
    if (buf_add(path, after_host, n) != 0 || buf_adds(path, suffix) != 0 || (path->n == 0 && buf_addc(path, '/') != 0))
        return -1;
    return buf_add(path, query.p, query.n);
}

static int exchange(struct transport *transport, const struct transport_request *request, struct clock *clock,
                    struct pong *pong, struct err *e)
{
    int64_t give_up_us = clock->mono_us(clock) + INT64_C(1000) * PING_TIMEOUT_MS;
    if (transport->start(transport, request, on_done, pong, e) != 0)
        return -1;
    while (!pong->done && clock->mono_us(clock) < give_up_us)
        if (transport->poll(transport, PING_TIMEOUT_MS, e) != 0)
            return -1;
    return 0;
}

static bool is_taken(const struct pong *pong)
{
    return pong->done && pong->end == TRANSPORT_ANSWERED && pong->status >= 200 && pong->status <= 299;
}

static int send_to(const char *origin, const char *path, struct str body, const char *user_agent, struct clock *clock,
                   struct err *e)
{
    const struct transport_curl_config config = {
        .base_url = origin,
        .key = "", /* the watchdog is a stranger */
        .user_agent = user_agent,
        .connections_max = 1,
    };
    const struct transport_request with = {.method = "POST", .path = path, .body = body, .timeout_ms = PING_TIMEOUT_MS};
    const struct transport_request without = {.method = "GET", .path = path, .timeout_ms = PING_TIMEOUT_MS};
    struct transport *transport = NULL;
    struct pong started = {0}, pong = {0};
    if (transport_curl_new(&config, &transport, e) != 0)
        return -1;
    int rc = body.n > 0 ? exchange(transport, &with, clock, &started, e) : 0;
    /* Some watchdogs only accept GET, so a refused POST is followed by a GET. After no answer at all it is not. */
    if (rc == 0 && (body.n == 0 || (started.done && started.end == TRANSPORT_ANSWERED && !is_taken(&started))))
        rc = exchange(transport, &without, clock, &pong, e);
    else
        pong = started;
    if (rc == 0 && (!pong.done || pong.end != TRANSPORT_ANSWERED))
        rc = err_set(e, XS_API, "--ping: no answer");
    else if (rc == 0 && !is_taken(&pong))
        rc = err_set(e, XS_API, "--ping: answered with status %d", pong.status);
    transport->free(transport);
    return rc;
}

int ping_send(const char *url, enum ping_what what, struct str body, const char *user_agent, struct clock *clock,
              struct err *e)
{
    static const char *const suffixes[] = {[PING_START] = "/start", [PING_SUCCESS] = "", [PING_FAIL] = "/fail"};
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    int rc = -1;
    const char *host = strstr(url, "://");
    /* The message leaves the address out, because anyone with the address can send pings. */
    if (host == NULL)
        return err_set(e, XS_USAGE, "--ping: not an http or https URL; give one like https://hc-ping.com/UUID");
    host += 3;
    size_t host_n = strcspn(host, "/?");
    char *origin = str_dup((struct str){url, (size_t)(host - url) + host_n});
    if (origin == NULL || make_path(host + host_n, suffixes[what], &path) != 0 || buf_cstr(&path) == NULL)
        err_oom(e);
    else
        rc = send_to(origin, path.p, body, user_agent, clock, e);
    free(origin);
    buf_free(&path);
    return rc;
}
