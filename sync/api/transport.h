/* How bytes travel: the seam for libcurl, for tests, for faults and for the dry run's brake. transport_curl.c is the
 * only file that includes curl.h. */
#ifndef SYNC_API_TRANSPORT_H
#define SYNC_API_TRANSPORT_H

#include "sync/base/buf.h"
#include "sync/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct transport_request {
    const char *method;     /* borrowed until done */
    const char *path;       /* with query, starts with "/"; borrowed until done */
    struct str body;        /* borrowed until done; empty: none is sent and no Content-Type */
    int64_t timeout_ms;     /* whole exchange */
    void *ctx;              /* the queue's */
};

/* How an exchange ended, as far as bytes can tell. */
enum transport_end {
    TRANSPORT_ANSWERED,  /* a complete HTTP answer */
    TRANSPORT_NOT_SENT,  /* surely no byte of the request reached the server: DNS, connect, TLS failed */
    TRANSPORT_LOST,      /* sent or partly sent, no complete answer */
    TRANSPORT_REFUSED,   /* this process refused to send it (dry run, redirect, answer too large comes as LOST) */
};
struct transport_answer {
    enum transport_end end;
    int status;             /* HTTP */
    struct str body;        /* borrowed during the callback */
    struct str content_type;
    int64_t retry_after_ms; /* -1: none; clamped to 0..10 min */
    int64_t date_ms;        /* server's Date header as Unix ms, 0: none */
    int64_t latency_us;
    const char *detail;     /* curl's words for what went wrong, or NULL */
};

struct transport {
    /* Starts an exchange; done() is called from poll(). 0/-1. */
    int (*start)(struct transport *self, const struct transport_request *request,
                 void (*done)(void *queue, const struct transport_request *request, const struct transport_answer *answer),
                 void *queue, struct err *e);
    /* Moves bytes, waits at most timeout_ms (0: not at all) for the first thing to happen. 0/-1. */
    int (*poll)(struct transport *self, int64_t timeout_ms, struct err *e);
    void (*free)(struct transport *self);
};

struct transport_curl_config {
    const char *base_url, *key, *workspace, *user_agent;
    unsigned connections_max;
    size_t answer_max;
};
int transport_curl_new(const struct transport_curl_config *config, struct transport **out, struct err *e);
/* A decorator that refuses whatever could write: all but GET and POST /api/v2/leads/list. Takes `inner` over. */
int transport_read_only_new(struct transport *inner, struct transport **out, struct err *e);

#endif
