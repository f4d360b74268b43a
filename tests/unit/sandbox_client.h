/* A tiny HTTP/1.1 client of the tests' own, on a plain socket: one request a connection, and it tells how that
 * ended. */
#ifndef TESTS_UNIT_SANDBOX_CLIENT_H
#define TESTS_UNIT_SANDBOX_CLIENT_H

#include "sync/base/buf.h"
#include "sync/sandbox/sandbox.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

enum { CLIENT_HEADERS_MAX = 8, CLIENT_PATIENCE_MS = 60000 };
/* The body of a POST /leads/add. */
#define CLIENT_ONE_LEAD "{\"campaign_id\":\"" SANDBOX_CAMPAIGN_DEMO "\",\"leads\":[{\"email\":\"a@b.co\"}]}"

struct client_request {
    const char *method, *path;
    struct str body;                         /* n 0: none */
    const char *headers[CLIENT_HEADERS_MAX]; /* "Name: value" lines more; "-Name" leaves a usual one out */
    int timeout_ms;                          /* 0: CLIENT_PATIENCE_MS */
};

enum client_end { CLIENT_DONE, CLIENT_EMPTY, CLIENT_CUT, CLIENT_RESET, CLIENT_TIMEOUT, CLIENT_NO_HTTP };

struct client_answer {
    enum client_end end;
    int status;
    struct buf head, body;
};

/* A sandbox that must start. */
struct sandbox *client_start(const struct sandbox_config *config);
/* Sends with User-Agent, Authorization and, with a body, Content-Type. The caller frees the answer. */
void client_send(uint16_t port, const struct client_request *request, struct client_answer *answer);
void client_free(struct client_answer *answer);
/* The same, with nothing but method, path and body. */
struct client_answer client_ask(uint16_t port, const char *method, const char *path, const char *body);
/* A request that must succeed; its JSON, which the caller puts. */
json_object *client_json(uint16_t port, const char *method, const char *path, const char *body);
/* POST /__control that must succeed. */
void client_control(uint16_t port, const char *body);
/* A counter of GET /__state. */
int64_t client_counter(uint16_t port, const char *name);

#endif
