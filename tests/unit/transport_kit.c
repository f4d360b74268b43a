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
    r->body_n = answer->body.n;
    snprintf(r->body, sizeof r->body, "%.*s", STR_ARG(answer->body));
    snprintf(r->detail, sizeof r->detail, "%s", answer->detail != NULL ? answer->detail : "");
}

static void on_left(void *queue, const struct transport_request *request)
{
    (void)queue;
    ((struct result *)request->ctx)->left_n++;
}

void open_transport(const char *url, size_t answer_max)
{
    struct transport_curl_config config = {url, "sesame", "0a-workspace", "leadsync/test", 8, answer_max};
    memset(results, 0, sizeof results);
    e = (struct err)ERR_INIT;
    ck_assert_msg(transport_curl_new(&config, &transport, &e) == 0, "%s", err_text(&e));
}

void open_peer(const struct peer_step *steps, size_t n)
{
    peer_start(&peer, steps, n);
    open_transport(peer.url, 1 << 20);
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
