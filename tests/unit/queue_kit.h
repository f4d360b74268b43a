/* What the tests of the queue and of look-ups share: a client over a scripted transport and a clock that stands still,
 * and what its callbacks were told. */
#ifndef TESTS_UNIT_QUEUE_KIT_H
#define TESTS_UNIT_QUEUE_KIT_H

#include "sync/api/api.h"
#include "sync/api/http/transport.h"
#include "tests/harness/fake_transport.h"
#include "tests/unit/harness.h"

enum { CALLS_MAX = 3000 };

extern struct clock_fake fake_clock;
extern struct fake_transport fake;
extern struct api *api;
extern struct err e;
extern int numbers[CALLS_MAX]; /* contexts of calls: 0, 1, 2, … */

/* What the callbacks were told, in order. */
extern struct told {
    int ctx;
    enum api_class class;
    int status;
    unsigned attempts;
    enum exit_status xs;
    char text[400];
    int64_t room, sent_wall_ms, skew_ms, at_ms;
} told[CALLS_MAX];
extern size_t told_n;

extern const struct api_config plain_config;

void tell(void *ctx, const struct api_reply *reply);
void open_with(struct api_config config);
void setup(void);
void teardown(void);
/* What is answered next; the transport borrows the body. */
void says(int status, const char *body);
void queue(const char *method, const char *path, bool write, bool urgent, int number);
/* Steps until nothing is queued. */
void drain(void);
/* One call from its start to its end. */
void get_one(void);
void post_one(void);

#define ANSWER(...) ((struct fake_answer){__VA_ARGS__})
/* clang-format off */
#define LOCKED                                                                                                         \
    ANSWER(.status = 409,                                                                                              \
           .body = "{\"statusCode\":409,\"message\":\"There is a move-leads job in progress. You cannot\"}")
/* clang-format on */

#endif
