/* An answer onto the wire, or what a fault makes of it: real effects on a real TCP connection. */
#ifndef SYNC_SANDBOX_SERVER_WIRE_H
#define SYNC_SANDBOX_SERVER_WIRE_H

#include "sync/sandbox/server/http.h"

#include <microhttpd.h>

/* A request in flight. */
struct sim_call {
    struct MHD_Connection *connection;
    struct buf body; /* of the request, until it is served */
    struct sim_answer answer;
    bool served, too_large;
    int64_t now_ms;        /* the world's clock, for Date */
    int64_t due_us;        /* when to answer, monotonic */
    struct sim_call *next; /* in the list of those that wait */
};

/* Queues the answer; MHD_NO closes the connection without one. */
enum MHD_Result sim_wire_answer(struct sim_call *call);

#endif
