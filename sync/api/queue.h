/* The request queue: the only place with rate, retry and priority, and inside of `struct api`. For this room only.
 *
 * A request is queued with everything it needs, leaves when the pacer lets it, is repeated where that is surely
 * harmless, and is called back exactly once. Time comes from the clock, bytes travel by the transport: both injected. */
#ifndef SYNC_API_QUEUE_H
#define SYNC_API_QUEUE_H

#include "sync/api/api.h"
#include "sync/api/classify.h"
#include "sync/api/pacer.h"
#include "sync/api/transport.h"

#include <json-c/json_types.h>

struct request {
    const char *method;        /* static */
    char *path;                /* owned */
    struct buf body;           /* owned */
    struct expected expected;
    enum api_kind kind;
    bool urgent;
    bool optional;             /* 403 for a missing scope is a refusal of this request, not the run's end */
    api_done_fn *done;
    void *ctx;
    void (*drop)(void *ctx);   /* frees ctx when the client goes away instead of calling back; NULL: nothing to free */

    /* the queue's */
    struct api *api;
    struct transport_request wire;
    struct request *prev, *next;
    enum { REQUEST_READY, REQUEST_WAITING, REQUEST_FLYING } where;
    int64_t due_us;            /* REQUEST_WAITING */
    int64_t sent_wall_ms;
    unsigned attempts, not_sent_n, lost_n, locked_n;
    bool left;                 /* the pacer has been told about this attempt */
    bool last_try;             /* taken back while it was in flight: not to be repeated */
};

struct request_list {
    struct request *first, *last;
    size_t n;
};

/* The waiting place of api_call_wait(), whose answer lives until the next call. */
struct waiter {
    bool done;
    struct api_reply reply;
    struct json_object *json;
    struct buf message;
    struct err err;
};

struct rate_share;
struct api {
    struct clock *clock;           /* borrowed */
    struct transport *transport;
    struct pacer pacer;
    struct rate_share *share;      /* NULL: not shared */
    struct json_tokener *tokener;
    unsigned in_flight_fixed;      /* 0: by latency */
    struct request_list urgent, ready, waiting, flying; /* waiting is in order of due_us */
    int64_t pause_until_us;        /* nothing leaves before */
    unsigned throttled_n;          /* pauses in a row without an answer in between */
    struct err fatal;
    struct api_counts counts;
    uint64_t random;
    bool stepping;                 /* callbacks must not step: transports do not nest */
    struct waiter waiter;
};

/* Takes over request->path and request->body, also when it fails. `request` is a template on the caller's stack. 0/-1 */
int queue_add(struct api *a, struct request *template, struct err *e);
/* Lets go of the answer that api_call_wait() keeps. */
void wait_forget(struct api *a);
/* Forgets the callback of a request that its caller no longer waits for; cancelled when it has not left. */
void queue_abandon(struct api *a, const void *ctx);

#endif
