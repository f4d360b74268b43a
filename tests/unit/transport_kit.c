#include "config.h"

#include "tests/unit/transport_kit.h"

#include <stdio.h>
#include <string.h>

struct peer peer;
struct transport *transport;
struct err e;

struct result results[8];

void on_done(void *queue, const struct transport_request *request, const struct transport_answer *answer)
{
    struct result *r = request->ctx;
    (void)queue;
    r->n++;
    r->end = answer->end;
    r->status = answer->status;
    r->retry_after_ms = answer->retry_after_ms;
    r->date_ms = answer->date_ms;
    r->latency_us = answer->latency_us;
    snprintf(r->detail, sizeof r->detail, "%s", answer->detail != NULL ? answer->detail : "");
}

static void on_left(void *queue, const struct transport_request *request)
{
    (void)queue;
    ((struct result *)request->ctx)->left_n++;
}

static enum transport_take on_take(void *queue, const struct transport_request *request, int status, struct str piece)
{
    struct result *r = request->ctx;
    (void)queue;
    ck_assert_int_ge(status, 200);
    if (r->put_off != NULL && r->put_off->n == 0 && r->body_n >= r->put_off_at) {
        r->put_off_n++;
        return TRANSPORT_TAKE_LATER;
    }
    if (r->body_n + piece.n > BODY_MAX)
        return TRANSPORT_TAKE_NEVER;
    for (size_t i = 0; i < piece.n && r->body_n + i + 1 < sizeof r->body; i++)
        r->body[r->body_n + i] = piece.p[i];
    for (size_t i = 0; i < piece.n; i++)
        r->body_sum = r->body_sum * 31 + (unsigned char)piece.p[i];
    r->body_n += piece.n;
    return TRANSPORT_TAKE_MORE;
}

void open_transport(const char *url)
{
    struct transport_curl_config config = {url, "sesame", "0a-workspace", "leadsync/test", 8};
    memset(results, 0, sizeof results);
    e = (struct err)ERR_INIT;
    ck_assert_msg(transport_curl_new(&config, &transport, &e) == 0, "%s", err_text(&e));
}

void open_peer(const struct peer_step *steps, size_t n)
{
    peer_start(&peer, steps, n);
    open_transport(peer.url);
}

void close_all(void)
{
    transport->free(transport);
    peer_stop(&peer);
}

struct transport_request request(const char *method, const char *body, size_t number)
{
    struct transport_request r = {.method = method,
                                  .path = "/api/v2/leads/add",
                                  .body = str_from(body),
                                  .timeout_ms = 60000,
                                  .write = strcmp(method, "GET") != 0,
                                  .left = on_left,
                                  .take = on_take,
                                  .ctx = &results[number]};
    return r;
}

struct result *go(const struct transport_request *r)
{
    struct result *result = r->ctx;
    ck_assert_msg(transport->start(transport, r, on_done, NULL, &e) == 0, "%s", err_text(&e));
    for (int i = 0; result->n == 0 && i < 1000; i++)
        ck_assert_int_eq(transport->poll(transport, 100, &e), 0);
    ck_assert_uint_eq(result->n, 1);
    return result;
}

struct result *post(size_t number)
{
    struct transport_request r = request("POST", "{\"leads\":[1,2,3]}", number);
    return go(&r);
}

struct result *get(size_t number)
{
    struct transport_request r = request("GET", "", number);
    return go(&r);
}

bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}
