/* A transport that plays a script: each request gets the next answer whose method and path fit. With a clock_fake it
 * takes no time: waiting moves the clock. Everything that was sent is kept for assertions. */
#ifndef TESTS_HARNESS_FAKE_TRANSPORT_H
#define TESTS_HARNESS_FAKE_TRANSPORT_H

#include "sync/api/http/transport.h"
#include "sync/base/clock.h"

struct fake_answer {
    enum transport_end end;
    int status;
    const char *body;       /* NULL: "" */
    int64_t retry_after_ms; /* 0 here is "none"; -1: zero milliseconds */
    int64_t latency_ms;
    int64_t date_ms;
    int64_t opens_ms;   /* when the connection is open: calls left() then; -1: never calls it */
    bool leaves_again;  /* calls left() twice */
    const char *advice; /* of one that is not sent */
};

struct fake_sent {
    char *method, *path, *body;
    int64_t at_us; /* monotonic */
    bool write;
};

enum { FAKE_SENT_MAX = 4096, FAKE_SCRIPT_MAX = 4096, FAKE_FLYING_MAX = 512 };
struct fake_flying {
    const struct transport_request *request;
    transport_done_fn *done;
    void *queue;
    struct fake_answer answer;
    int64_t due_us, left_us;
};
struct fake_transport {
    struct transport base;
    struct clock_fake *clock;
    struct fake_answer script[FAKE_SCRIPT_MAX];
    size_t script_n, script_at;
    struct fake_answer otherwise; /* when the script has ended */
    struct fake_sent sent[FAKE_SENT_MAX];
    size_t sent_n;
    struct fake_flying flying[FAKE_FLYING_MAX];
    size_t flying_n, flying_most;
    bool start_fails, freed;
    void (*on_request)(void *ctx, const struct transport_request *request, struct fake_answer *answer); /* may change it */
    void *ctx;
};

void fake_transport_init(struct fake_transport *f, struct clock_fake *clock);
void fake_transport_add(struct fake_transport *f, struct fake_answer answer);
void fake_transport_add_n(struct fake_transport *f, size_t n, struct fake_answer answer);
void fake_transport_done(struct fake_transport *f); /* frees what was kept */

#endif
