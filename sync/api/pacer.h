/* How often requests may leave: never more than N in any second nor M in any minute, as the server counts them.
 *
 * Two rules. A log of the last departures is the promise: the N-th last one must lie further back than a second and a
 * little (the network moves arrivals by some milliseconds against departures). A bucket of small burst is the manners:
 * departures are spread evenly, so that a late one moves the count by one and not by a hundred.
 * A request that was allowed but still waits for its connection counts as leaving now, however long that takes.
 * Knows no HTTP, no clock (callers pass monotonic microseconds) and never blocks. */
#ifndef SYNC_API_PACER_H
#define SYNC_API_PACER_H

#include <stddef.h>
#include <stdint.h>

enum {
    PACER_SLACK_US = 20000,     /* how much closer together requests may arrive than they left */
    PACER_LIMIT_MAX = 1000000,  /* requests a minute or a second that can be asked for */
};
/* pacer_wait_us(): nothing may leave before pacer_left() or pacer_drop() is told about one that was taken. */
#define PACER_BLOCKED INT64_MAX

struct pacer {
    unsigned per_second, per_minute; /* 0: no limit */
    int64_t *log;                    /* ring of departures, owned; NULL when nothing is limited */
    size_t log_cap, log_n;           /* log_n counts all departures ever */
    unsigned pending;                /* taken, not known to have left */
    int64_t interval_ns, due_ns, burst_ns;
};

/* 0, or -1 with errno: ENOMEM, or EINVAL for a limit above PACER_LIMIT_MAX. */
int pacer_init(struct pacer *p, unsigned per_second, unsigned per_minute);
void pacer_free(struct pacer *p);

/* Microseconds until one may be taken; 0: now. */
int64_t pacer_wait_us(const struct pacer *p, int64_t now_us);
void pacer_take(struct pacer *p, int64_t now_us); /* only when pacer_wait_us() is 0 */
void pacer_left(struct pacer *p, int64_t now_us); /* the taken one leaves now */
void pacer_drop(struct pacer *p);                 /* the taken one will never leave */
/* Bytes went out once more for a request already told about (a transport's own second try). */
void pacer_left_again(struct pacer *p, int64_t now_us);
/* How much of the limit this process has used in the last second, 0 to 1; 0 when nothing is limited. */
double pacer_used(const struct pacer *p, int64_t now_us);

#endif
