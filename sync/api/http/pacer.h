/* How often requests may leave: never more than N in any second nor M in any minute, as the server counts them.
 *
 * Two rules. A log is the promise: the N-th last request must have reached the server a second ago and a little. It counts
 * from its departure until its answer shows when it arrived at the latest (jitter.h). Where answers differ because the work
 * does, these times say little and would cost much, so they are believed only as far as they cost PACER_BUDGET_US per second. A
 * bucket of small burst is the manners: departures are spread evenly, so that a late one moves the count by one and not by a
 * hundred.
 * A request that was allowed but still waits for its connection counts as leaving now, however long that takes.
 * Knows no HTTP, no clock (callers pass monotonic microseconds) and never blocks. */
#ifndef SYNC_API_HTTP_PACER_H
#define SYNC_API_HTTP_PACER_H

#include <stddef.h>
#include <stdint.h>

enum {
    PACER_SLACK_US = 10000,     /* how much closer together requests may arrive than is known */
    PACER_NEW_SLACK_US = 80000, /* the same for the first PACER_NEW_N, when the fastest answer is still to come */
    PACER_NEW_N = 64,
    PACER_BUDGET_US = 15000,
    PACER_LIMIT_MAX = 1000000, /* maximum of requests per minute or second */
};
/* pacer_wait_us(): no request may leave before pacer_left() or pacer_drop() was called for a taken one. */
#define PACER_BLOCKED INT64_MAX

struct pacer {
    unsigned per_second, per_minute; /* 0: no limit */
    struct pacer_departure {
        int64_t left_us;
        int64_t at_us;     /* what it counts from; ascending */
    } * log;               /* ring, owned; NULL when nothing is limited */
    size_t log_cap, log_n; /* log_n counts all departures ever */
    unsigned pending;      /* taken, not known to have left */
    int64_t interval_ns, due_ns, burst_ns;
    double trust; /* share of the lateness of arrivals that is believed, 0 to 1 */
};

/* 0, or -1 with errno: ENOMEM, or EINVAL for a limit above PACER_LIMIT_MAX. */
int pacer_init(struct pacer *p, unsigned per_second, unsigned per_minute);
void pacer_free(struct pacer *p);

/* Microseconds until one may be taken; 0: now. */
int64_t pacer_wait_us(const struct pacer *p, int64_t now_us);
void pacer_take(struct pacer *p, int64_t now_us); /* only when pacer_wait_us() is 0 */
void pacer_left(struct pacer *p, int64_t now_us); /* the taken one leaves now */
void pacer_drop(struct pacer *p);                 /* the taken one will never leave */
/* A reported request sent its bytes again (a transport's own second try). */
void pacer_left_again(struct pacer *p, int64_t now_us);
/* The `nth` departure ever, from 0, reached the server at the given time at the latest, and what left after it no earlier. */
void pacer_arrived(struct pacer *p, size_t nth, int64_t at_us);
/* How much of the limit this process has used in the last second, or since it began if that is shorter: 0 to 1; 0 when nothing is limited. */
double pacer_used(const struct pacer *p, int64_t now_us);

#endif
