/* How bytes travel: the seam for libcurl, for tests, for faults and for the dry run's brake. transport_curl.c is the
 * only file that includes curl.h. Knows no rate, no retry, no JSON. */
#ifndef SYNC_API_HTTP_TRANSPORT_H
#define SYNC_API_HTTP_TRANSPORT_H

#include "sync/base/buf.h"
#include "sync/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* What is to be done with a piece of an answer. */
enum transport_take {
    TRANSPORT_TAKE_MORE,  /* taken */
    TRANSPORT_TAKE_LATER, /* offered again, unchanged, after another exchange has ended; until then nothing is read */
    TRANSPORT_TAKE_NEVER, /* the exchange ends, TRANSPORT_LOST */
};
struct transport_request {
    const char *method; /* borrowed until done */
    const char *path;   /* with query, starts with "/"; borrowed until done */
    struct str body;    /* borrowed until done; empty: none is sent and no Content-Type */
    int64_t timeout_ms; /* whole exchange */
    bool write;         /* must never be sent twice, not even by the transport itself */
    /* Called from poll() each time the first byte is about to leave on an open connection; NULL: not needed. A
     * transport that cannot know never calls it. */
    void (*left)(void *queue, const struct transport_request *request);
    /* Takes the next piece of the answer's body, from poll(), after decoding. NULL: the body is not needed. */
    enum transport_take (*take)(void *queue, const struct transport_request *request, int status, struct str piece);
    void *ctx; /* the queue's */
};

/* How an exchange ended, as far as bytes can tell. */
enum transport_end {
    TRANSPORT_ANSWERED, /* a complete HTTP answer; redirects are answers and never followed */
    TRANSPORT_NOT_SENT, /* surely no byte of the request reached the server: DNS, connect, TLS failed */
    TRANSPORT_LOST,     /* sent or partly sent, no complete answer (one that was not taken is incomplete) */
    TRANSPORT_REFUSED,  /* this process refused to send it: the dry run's brake */
};
struct transport_answer {
    enum transport_end end;
    int status;      /* HTTP */
    struct str body; /* what take() was not called for; borrowed during the callback */
    struct str content_type;
    int64_t retry_after_ms; /* -1: none; clamped to 0..10 min */
    int64_t date_ms;        /* server's Date header as Unix ms, 0: none */
    int64_t latency_us;
    const char *detail; /* curl's words for what went wrong, or NULL */
    const char *advice; /* of TRANSPORT_NOT_SENT: what helps where a second try does not, or NULL; static */
    const char *proxy;  /* of TRANSPORT_NOT_SENT: the variable that names the proxy, if the proxy failed; else NULL */
};

typedef void transport_done_fn(void *queue, const struct transport_request *request, const struct transport_answer *answer);
struct transport {
    /* Starts an exchange; done() is called once, from poll(). 0/-1 (then done is never called). */
    int (*start)(struct transport *self, const struct transport_request *request, transport_done_fn *done, void *queue,
                 struct err *e);
    /* Moves bytes, waits at most timeout_ms (0: not at all) for the first thing to happen; a signal ends the wait.
     * 0/-1. */
    int (*poll)(struct transport *self, int64_t timeout_ms, struct err *e);
    void (*free)(struct transport *self); /* exchanges under way are dropped without their callbacks */
};

struct transport_curl_config {
    const char *base_url, *key, *workspace, *user_agent; /* copied; key "": none is sent */
    unsigned connections_max;
};
/* Authorities that CURL_CA_BUNDLE, SSL_CERT_FILE or SSL_CERT_DIR name replace libcurl's own file or folder; the
 * other of the two stays. https goes through the proxy of HTTPS_PROXY, ALL_PROXY and NO_PROXY, by CONNECT: it sees the
 * host's name and nothing else. http never does. */
int transport_curl_new(const struct transport_curl_config *config, struct transport **out, struct err *e);
/* A decorator that refuses whatever could write: all but GET and POST /api/v2/leads/list. Takes `inner` over, also
 * when it fails. */
int transport_read_only_new(struct transport *inner, struct transport **out, struct err *e);

#endif
