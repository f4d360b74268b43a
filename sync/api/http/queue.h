/* The request queue: the only place with rate, retry and priority, and inside of `struct api`. For this room only.
 *
 * A request is queued with everything it needs, leaves when the pacer lets it, is repeated where that is surely
 * harmless, and is called back exactly once. Time comes from the clock and bytes travel by the transport, both given. */
#ifndef SYNC_API_HTTP_QUEUE_H
#define SYNC_API_HTTP_QUEUE_H

#include "sync/api/http/jitter.h"
#include "sync/api/http/pacer.h"
#include "sync/api/http/request.h"
#include "sync/api/http/second_chance.h"
#include "sync/api/http/waits.h"

/* The waiting place of api_call_wait(), whose answer lives until the next call. */
struct waiter {
    bool done, taken_back;
    struct api_reply reply;
    struct json_object *json;
    struct buf message;
    struct err err;
};

struct rate_share;
struct api {
    struct clock *clock; /* borrowed */
    struct transport *transport;
    struct pacer pacer;
    struct jitter jitter;
    struct rate_share *share; /* NULL: not shared */
    struct answer_memory answers;
    struct json_tokener *tokener;
    struct created_leads created;                       /* owned; of the answer that is being called back */
    unsigned in_flight_fixed;                           /* 0: by latency */
    struct request_list urgent, ready, waiting, flying; /* waiting is in order of due_us */
    int64_t pause_until_us;                             /* nothing leaves before */
    struct second_chance chances;
    unsigned throttled_n; /* pauses in a row without another answer to what left after one */
    unsigned crowded_n;   /* pauses of late, one less for each second that has passed since */
    int64_t crowded_us;   /* the last of them */
    struct waits waits;
    struct err fatal;
    uint64_t writes_answered, writes_lost; /* by a success or a refusal; without any usable answer */
    struct err last_lost;                  /* how the last write was lost; unset: none was */
    struct api_counts counts;
    uint64_t random;
    bool stepping; /* callbacks must not step: transports do not nest */
    struct waiter waiter;
    int64_t lock_wait_ms;       /* 0: for ever */
    int64_t wait_until_us;      /* deadline of a caller that waits for one call; 0: none */
    int64_t last_wait_until_us; /* of api_last_wait(); 0: it has not begun */
    char *address;              /* for messages */
};

/* Queues a copy of the template; takes over its path and body, also when it fails. 0/-1 */
int queue_add(struct api *a, struct request *template, struct err *e);
/* Forgets the callback of a request that its caller no longer waits for; cancelled when it has not left. */
void queue_abandon(struct api *a, const void *ctx);

#endif
