/* Rate, retry and priority against a scripted transport and a clock that stands still: hours of back-off take no time.
 */
#include "sync/api/api.h"
#include "sync/api/transport.h"
#include "sync/base/stop.h"
#include "tests/harness/fake_transport.h"
#include "tests/unit/harness.h"

#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct clock_fake fake_clock;
static struct fake_transport fake;
static struct api *api;
static struct err e;

/* What the callbacks were told, in order. */
static struct told {
    int ctx;
    enum api_class class;
    int status;
    unsigned attempts;
    enum exit_status xs;
    char text[400];
    int64_t room, sent_wall_ms, skew_ms, at_ms;
} told[3000];
static size_t told_n;

static void tell(void *ctx, const struct api_reply *reply)
{
    struct told *t = &told[told_n++];
    *t = (struct told){*(int *)ctx, reply->class, reply->http_status, reply->attempts, XS_DONE, "", reply->room,
                       reply->sent_wall_ms, reply->skew_ms, fake_clock.mono / 1000};
    if (reply->err != NULL)
        t->xs = reply->err->status;
    snprintf(t->text, sizeof t->text, "%s|%.*s", reply->err != NULL ? err_text(reply->err) : "",
             STR_ARG(reply->message));
}

static int numbers[3000];

static const struct api_config plain_config = {
    .base_url = "https://api.example",
    .key = "key",
    .user_agent = "test",
};

static void open_with(struct api_config config)
{
    e = (struct err)ERR_INIT;
    told_n = 0;
    for (int i = 0; i < 3000; i++)
        numbers[i] = i;
    clock_fake_init(&fake_clock, 1700000000000);
    fake_transport_init(&fake, &fake_clock);
    ck_assert_msg(api_new(&config, &fake.base, &fake_clock.base, &api, &e) == 0, "%s", err_text(&e));
}

static void setup(void)
{
    open_with(plain_config);
}

static void teardown(void)
{
    api_free(api);
    ck_assert(fake.freed);
    fake_transport_done(&fake);
    err_clear(&e);
}

static void queue(const char *method, const char *path, bool write, bool urgent, int number)
{
    struct api_call call = {.method = method, .path = path, .write = write, .urgent = urgent, .kind = API_KIND_OTHER};
    if (strcmp(method, "GET") != 0)
        call.body = STR("{}");
    ck_assert_int_eq(api_call(api, &call, tell, &numbers[number], &e), 0);
}

static void drain(void)
{
    for (int i = 0; api_queued(api) > 0; i++) {
        ck_assert_int_lt(i, 100000);
        ck_assert_msg(api_step(api, 1000, &e) == 0, "%s", err_text(&e));
    }
}

static void get_one(void)
{
    queue("GET", "/api/v2/campaigns", false, false, 0);
    drain();
    ck_assert_uint_eq(told_n, 1);
}

static void post_one(void)
{
    queue("POST", "/api/v2/leads/merge", true, false, 0);
    drain();
    ck_assert_uint_eq(told_n, 1);
}

#define ANSWER(...) ((struct fake_answer){__VA_ARGS__})
#define LOCKED                                                                                                         \
    ANSWER(.status = 409,                                                                                              \
           .body = "{\"statusCode\":409,\"message\":\"There is a move-leads job in progress. You cannot\"}")

START_TEST(answered)
{
    fake_transport_add(&fake,
                       ANSWER(.status = 200, .body = "{\"items\":[1]}", .latency_ms = 150, .date_ms = 1700000005000));
    get_one();
    ck_assert_int_eq(told[0].class, API_OK);
    ck_assert_uint_eq(told[0].attempts, 1);
    ck_assert_int_eq(told[0].sent_wall_ms, 1700000000000);
    ck_assert_int_eq(told[0].skew_ms, 5000 - 150);
    struct api_counts counts;
    api_get_counts(api, &counts);
    ck_assert_uint_eq(counts.total, 1);
    ck_assert_uint_eq(counts.by_kind[API_KIND_OTHER], 1);
    ck_assert_int_eq(counts.latency_us, 150000);
}
END_TEST

START_TEST(reads_are_repeated)
{
    fake_transport_add(&fake, ANSWER(.status = 502, .body = "<html>"));
    fake_transport_add(&fake, ANSWER(.end = TRANSPORT_LOST));
    fake_transport_add(&fake, ANSWER(.status = 200, .body = "{\"items\":[")); /* cut */
    fake_transport_add(&fake, ANSWER(.status = 200, .body = "")); /* a read needs an answer */
    fake_transport_add(&fake, ANSWER(.status = 200, .body = "[1]"));
    get_one();
    ck_assert_int_eq(told[0].class, API_OK);
    ck_assert_uint_eq(told[0].attempts, 5);
    /* 0.5, 1, 2, 4 s and at most a quarter more */
    ck_assert_int_ge(told[0].at_ms, 7500);
    ck_assert_int_le(told[0].at_ms, 9400);
    struct api_counts counts;
    api_get_counts(api, &counts);
    ck_assert_uint_eq(counts.total, 5);
    ck_assert_uint_eq(counts.retried, 4);
}
END_TEST

START_TEST(reads_give_up)
{
    fake.otherwise = ANSWER(.status = 503, .body = "{\"message\":\"down\"}");
    get_one();
    ck_assert_int_eq(told[0].class, API_FAILED);
    ck_assert_uint_eq(told[0].attempts, 6);
    ck_assert_int_eq(told[0].xs, XS_API);
    ck_assert_msg(strstr(told[0].text, "503 down") != NULL, "%s", told[0].text);
    /* The next one is tried on its own merits. */
    fake.otherwise = ANSWER(.status = 200, .body = "{}");
    queue("GET", "/api/v2/campaigns", false, false, 1);
    drain();
    ck_assert_int_eq(told[1].class, API_OK);
}
END_TEST

START_TEST(retry_after_of_a_5xx_is_followed)
{
    fake_transport_add(&fake, ANSWER(.status = 503, .body = "", .retry_after_ms = 20000));
    fake_transport_add(&fake, ANSWER(.status = 503, .body = "", .retry_after_ms = 600000));
    get_one();
    ck_assert_int_eq(told[0].class, API_OK);
    ck_assert_int_ge(told[0].at_ms, 80000);
    ck_assert_int_le(told[0].at_ms, 100000);
}
END_TEST

/* Whatever leaves the outcome of a write open makes it unknown at once, and nothing is sent again. */
static const struct fake_answer open_outcomes[] = {
    {.status = 500, .body = "{\"message\":\"x\"}"},
    {.status = 502, .body = "<html>"},
    {.status = 503, .retry_after_ms = 1000},
    {.status = 504},
    {.status = 520, .body = "<html>"},
    {.status = 524},
    {.status = 527},
    {.status = 408},
    {.status = 302},
    {.status = 200, .body = "<html>"},
    {.status = 200, .body = "{\"id\":"},
    {.status = 200, .body = "{\"error\":\"boom\"}"},
    {.end = TRANSPORT_LOST},
};

START_TEST(writes_are_never_repeated)
{
    fake_transport_add(&fake, open_outcomes[_i]);
    post_one();
    ck_assert_int_eq(told[0].class, API_UNKNOWN);
    ck_assert_uint_eq(told[0].attempts, 1);
    ck_assert_uint_eq(fake.sent_n, 1);
    ck_assert(fake.sent[0].write);
    ck_assert_int_eq(told[0].sent_wall_ms, 1700000000000);
}
END_TEST

START_TEST(not_sent_is_repeated)
{
    fake_transport_add_n(&fake, 3, ANSWER(.end = TRANSPORT_NOT_SENT));
    post_one();
    ck_assert_int_eq(told[0].class, API_OK);
    ck_assert_uint_eq(told[0].attempts, 4);
    struct api_counts counts;
    api_get_counts(api, &counts);
    ck_assert_uint_eq(counts.total, 1); /* what never left is no request */
    ck_assert_uint_eq(counts.retried, 1);
}
END_TEST

START_TEST(not_sent_gives_up)
{
    fake.otherwise = ANSWER(.end = TRANSPORT_NOT_SENT);
    post_one();
    ck_assert_int_eq(told[0].class, API_FAILED);
    ck_assert_uint_eq(told[0].attempts, 6);
    ck_assert_int_eq(told[0].xs, XS_API);
    ck_assert_int_ge(told[0].at_ms, 15500);
    ck_assert_int_le(told[0].at_ms, 19400);
}
END_TEST

START_TEST(locked_waits_and_waits)
{
    fake_transport_add_n(&fake, 200, LOCKED);
    post_one();
    ck_assert_int_eq(told[0].class, API_OK);
    ck_assert_uint_eq(told[0].attempts, 201);
    /* 2, 4, 8, 16, then 30 s each. */
    ck_assert_int_ge(fake.sent[1].at_us, 2000000);
    ck_assert_int_le(fake.sent[1].at_us, 2500000);
    ck_assert_int_ge(told[0].at_ms, 195 * 30000);
    ck_assert_int_le(told[0].at_ms, 200 * 37500);
}
END_TEST

START_TEST(a_lock_holds_up_nobody_else)
{
    fake_transport_add(&fake, LOCKED);
    queue("POST", "/api/v2/leads/merge", true, false, 0);
    queue("GET", "/api/v2/campaigns", false, false, 1);
    drain();
    ck_assert_int_eq(told[0].ctx, 1);
    ck_assert_int_eq(told[0].at_ms, 0);
    ck_assert_int_eq(told[1].ctx, 0);
}
END_TEST

START_TEST(another_conflict_is_a_refusal)
{
    fake_transport_add(&fake, ANSWER(.status = 409, .body = "{\"message\":\"exists\"}"));
    post_one();
    ck_assert_int_eq(told[0].class, API_REFUSED);
    ck_assert_int_eq(told[0].status, 409);
    ck_assert_str_eq(told[0].text, "|exists");
}
END_TEST

START_TEST(throttled_pauses_everybody)
{
    fake_transport_add(&fake, ANSWER(.status = 429, .body = "", .retry_after_ms = 7000));
    queue("POST", "/api/v2/leads/merge", true, false, 0);
    ck_assert_int_eq(api_step(api, 0, &e), 0); /* sent, and the 429 is there */
    queue("GET", "/api/v2/campaigns", false, true, 1);
    drain();
    ck_assert_uint_eq(fake.sent_n, 3);
    ck_assert_int_ge(fake.sent[1].at_us, 7000000);
    ck_assert_int_ge(fake.sent[2].at_us, 7000000);
    ck_assert_int_le(fake.sent[2].at_us, 8750000);
    ck_assert_int_eq(told[0].class, API_OK);
    ck_assert_int_eq(told[1].class, API_OK);
    struct api_counts counts;
    api_get_counts(api, &counts);
    ck_assert_uint_eq(counts.rate_limited, 1);
}
END_TEST

START_TEST(throttled_backs_off)
{
    fake_transport_add_n(&fake, 9, ANSWER(.status = 429));
    post_one();
    ck_assert_int_eq(told[0].class, API_OK);
    int64_t wanted_ms = 1000;
    for (size_t i = 1; i <= 9; i++) {
        int64_t gap_ms = (fake.sent[i].at_us - fake.sent[i - 1].at_us) / 1000;
        ck_assert_int_ge(gap_ms, wanted_ms);
        ck_assert_int_le(gap_ms, wanted_ms + wanted_ms / 4 + 1);
        wanted_ms = wanted_ms * 2 > 60000 ? 60000 : wanted_ms * 2;
    }
}
END_TEST

/* Twenty in flight all come back with 429: one pause, not twenty doublings. */
START_TEST(one_pause_for_all_in_flight)
{
    fake_transport_add_n(&fake, 40, ANSWER(.status = 429, .latency_ms = 100));
    for (int i = 0; i < 20; i++)
        queue("GET", "/api/v2/campaigns", false, false, i);
    drain();
    ck_assert_uint_eq(told_n, 20);
    ck_assert_int_ge(told[19].at_ms, 3000); /* one second, then two */
    ck_assert_int_le(told[19].at_ms, 4000);
}
END_TEST

START_TEST(throttled_for_ever_gives_up)
{
    fake.otherwise = ANSWER(.status = 429);
    post_one();
    ck_assert_int_eq(told[0].class, API_FAILED);
    ck_assert_int_eq(told[0].xs, XS_API);
    ck_assert_msg(strstr(told[0].text, "429") != NULL, "%s", told[0].text);
    ck_assert_int_ge(told[0].at_ms, 20 * 60000);
    ck_assert_int_le(told[0].at_ms, 40 * 60000);
}
END_TEST

START_TEST(zero_retry_after_is_not_a_storm)
{
    fake_transport_add_n(&fake, 5, ANSWER(.status = 429, .retry_after_ms = -1));
    post_one();
    ck_assert_int_ge(told[0].at_ms, 5 * 250);
}
END_TEST

static const struct {
    struct fake_answer answer;
    enum api_class class;
    enum exit_status xs;
    const char *part;
} endings[] = {
    {{.status = 401, .body = "{\"message\":\"Missing Authorization header\"}"}, API_FATAL, XS_KEY, "INSTANTLY_API_KEY"},
    {{.status = 402, .body = "{\"message\":\"no plan\"}"}, API_FATAL, XS_KEY, "no plan"},
    {{.status = 403, .body = "{\"message\":\"missing scope\"}"}, API_FATAL, XS_KEY, "leads:update"},
    {{.status = 403, .body = "error code: 1010"}, API_FATAL, XS_API, "1010"},
    {{.end = TRANSPORT_REFUSED}, API_FATAL, XS_INTERNAL, "as scripted"},
    {{.status = 403, .body = "{\"message\":\"Lead limit reached. Remaining uploads: 52\"}"},
     API_PLAN_FULL,
     XS_DONE,
     "52"},
    {{.status = 400, .body = "{\"message\":\"body/leads/3/email must be string\"}"}, API_REFUSED, XS_DONE, "leads/3"},
    {{.status = 404, .body = ""}, API_REFUSED, XS_DONE, ""},
    {{.status = 413, .body = "<html>"}, API_REFUSED, XS_DONE, "HTML"},
    {{.status = 202, .body = "{\"status\":\"accepted\"}"}, API_OK, XS_DONE, ""},
    {{.status = 204}, API_OK, XS_DONE, ""},
};

START_TEST(endings_of_a_write)
{
    fake_transport_add(&fake, endings[_i].answer);
    post_one();
    ck_assert_int_eq(told[0].class, endings[_i].class);
    ck_assert_int_eq(told[0].xs, endings[_i].xs);
    ck_assert_int_eq(told[0].status, endings[_i].answer.status);
    ck_assert_msg(strstr(told[0].text, endings[_i].part) != NULL, "%s", told[0].text);
    ck_assert_int_eq(told[0].room, endings[_i].class == API_PLAN_FULL ? 52 : -1);
    ck_assert_uint_eq(fake.sent_n, 1);
}
END_TEST

START_TEST(fatal_ends_the_queue)
{
    open_with((struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t", .in_flight = 2});
    fake_transport_add(&fake, ANSWER(.status = 401, .latency_ms = 10));
    fake_transport_add(&fake, ANSWER(.status = 200, .body = "{\"id\":\"1\"}", .latency_ms = 50));
    for (int i = 0; i < 5; i++)
        queue("POST", "/api/v2/leads/merge", true, i == 4, i);
    drain();
    ck_assert_uint_eq(told_n, 5);
    ck_assert_uint_eq(fake.sent_n, 2); /* the urgent one and the first */
    unsigned fatal = 0, ok = 0;
    for (size_t i = 0; i < 5; i++) {
        fatal += told[i].class == API_FATAL && told[i].xs == XS_KEY;
        ok += told[i].class == API_OK; /* what was in flight keeps its own answer */
    }
    ck_assert_uint_eq(fatal, 4);
    ck_assert_uint_eq(ok, 1);
    queue("GET", "/api/v2/campaigns", false, false, 7);
    drain();
    ck_assert_int_eq(told[5].class, API_FATAL);
    ck_assert_uint_eq(fake.sent_n, 2);
}
END_TEST

START_TEST(optional_scope)
{
    struct api_call call = {.method = "GET", .path = "/api/v2/workspaces/current", .optional = true};
    fake_transport_add(&fake, ANSWER(.status = 403, .body = "{\"message\":\"missing scope\"}"));
    ck_assert_int_eq(api_call(api, &call, tell, &numbers[0], &e), 0);
    drain();
    ck_assert_int_eq(told[0].class, API_REFUSED);
    ck_assert_int_eq(told[0].status, 403);
    queue("GET", "/api/v2/campaigns", false, false, 1);
    drain();
    ck_assert_int_eq(told[1].class, API_OK);
}
END_TEST

START_TEST(urgent_goes_first)
{
    open_with((struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t", .in_flight = 1});
    for (int i = 0; i < 6; i++)
        queue("GET", "/api/v2/campaigns", false, i >= 4, i);
    drain();
    static const int order[] = {4, 5, 0, 1, 2, 3};
    for (size_t i = 0; i < 6; i++)
        ck_assert_int_eq(told[i].ctx, order[i]);
}
END_TEST

START_TEST(retried_goes_before_fresh)
{
    open_with((struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t", .in_flight = 1});
    fake_transport_add(&fake, ANSWER(.status = 429, .retry_after_ms = 1000));
    queue("POST", "/api/v2/leads/merge", true, false, 0);
    queue("POST", "/api/v2/leads/merge", true, false, 1);
    drain();
    ck_assert_int_eq(told[0].ctx, 0);
}
END_TEST

START_TEST(cancel)
{
    open_with((struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t", .in_flight = 3});
    fake_transport_add(&fake, LOCKED);
    fake_transport_add(&fake, ANSWER(.status = 200, .latency_ms = 500));
    fake_transport_add(&fake, ANSWER(.status = 429, .latency_ms = 500));
    fake_transport_add(&fake, ANSWER(.status = 500, .latency_ms = 500));
    queue("POST", "/api/v2/leads/merge", true, false, 0);
    ck_assert_int_eq(api_step(api, 0, &e), 0); /* locked, waits */
    queue("POST", "/api/v2/leads/merge", true, false, 1);
    queue("POST", "/api/v2/leads/merge", true, false, 2);
    queue("GET", "/api/v2/campaigns", false, false, 3);
    queue("POST", "/api/v2/leads/merge", true, false, 4);
    ck_assert_int_eq(api_step(api, 0, &e), 0);
    ck_assert_uint_eq(api_in_flight(api), 3);
    api_cancel_queued(api);
    ck_assert_uint_eq(told_n, 2); /* the locked one and the one that had no connection */
    ck_assert_int_eq(told[0].class, API_CANCELLED);
    ck_assert_int_eq(told[1].class, API_CANCELLED);
    drain();
    enum api_class by_ctx[5] = {0};
    for (size_t i = 0; i < told_n; i++)
        by_ctx[told[i].ctx] = told[i].class;
    ck_assert_uint_eq(told_n, 5);
    ck_assert_int_eq(by_ctx[1], API_OK);
    ck_assert_int_eq(by_ctx[2], API_CANCELLED); /* 429: surely not applied, and not sent again */
    ck_assert_int_eq(by_ctx[3], API_CANCELLED);
    ck_assert_uint_eq(fake.sent_n, 4);
}
END_TEST

START_TEST(paced)
{
    open_with((struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t",
                                  .requests_per_second = 50, .requests_per_minute = 3000});
    fake.otherwise.latency_ms = 150;
    int next = 0;
    while (told_n < 500) {
        while (next < 500 && !api_full(api))
            queue("GET", "/api/v2/campaigns", false, false, next++);
        ck_assert_int_eq(api_step(api, 1000, &e), 0);
    }
    for (size_t i = 50; i < 500; i++)
        ck_assert_int_gt(fake.sent[i].at_us - fake.sent[i - 50].at_us, 1000000);
    ck_assert_int_ge(told[499].at_ms, 9500);
    ck_assert_int_le(told[499].at_ms, 10310); /* 97 % of the rate */
}
END_TEST

/* A transport that does not tell when bytes leave is paced by its starts, one whose connections open slowly by when
 * they are open. */
START_TEST(paced_by_what_is_known)
{
    open_with((struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t",
                                  .requests_per_second = 10});
    fake.otherwise.opens_ms = _i == 0 ? -1 : 900;
    fake.otherwise.latency_ms = 950;
    int next = 0;
    while (told_n < 60) {
        while (next < 60 && !api_full(api))
            queue("GET", "/api/v2/campaigns", false, false, next++);
        ck_assert_int_eq(api_step(api, 1000, &e), 0);
    }
    for (size_t i = 10; i < 60; i++)
        ck_assert_int_ge(fake.sent[i].at_us - fake.sent[i - 10].at_us, 1000000);
}
END_TEST

START_TEST(what_the_transport_repeats_counts)
{
    open_with((struct api_config){
        .base_url = "https://api.example", .key = "k", .user_agent = "t", .requests_per_second = 3});
    fake_transport_add(&fake, ANSWER(.status = 200, .body = "{}", .leaves_again = true));
    for (int i = 0; i < 3; i++)
        queue("GET", "/api/v2/campaigns", false, false, i);
    drain();
    ck_assert_int_lt(fake.sent[1].at_us, 1000000);
    ck_assert_int_ge(fake.sent[2].at_us, 1000000); /* the third by number, the fourth on the wire */
}
END_TEST

START_TEST(connections_grow_with_latency)
{
    open_with((struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t",
                                  .requests_per_second = 100});
    fake.otherwise.latency_ms = 400;
    int next = 0;
    while (told_n < 1500) {
        while (next < 1500 && !api_full(api))
            queue("GET", "/api/v2/campaigns", false, false, next++);
        ck_assert_int_eq(api_step(api, 1000, &e), 0);
    }
    ck_assert_uint_ge(fake.flying_most, 40);
    ck_assert_uint_le(fake.flying_most, 64);
}
END_TEST

static void queue_another(void *ctx, const struct api_reply *reply)
{
    struct err inner = ERR_INIT;
    tell(ctx, reply);
    if (told_n < 3) {
        struct api_call call = {.method = "GET", .path = "/api/v2/campaigns"};
        ck_assert_int_eq(api_call(api, &call, queue_another, ctx, &inner), 0);
    }
    ck_assert_int_eq(api_step(api, 0, &inner), -1); /* a callback must not step */
    err_clear(&inner);
}

START_TEST(callbacks_may_queue)
{
    struct api_call call = {.method = "GET", .path = "/api/v2/campaigns"};
    ck_assert_int_eq(api_call(api, &call, queue_another, &numbers[0], &e), 0);
    drain();
    ck_assert_uint_eq(told_n, 3);
}
END_TEST

START_TEST(broken_transport)
{
    fake.start_fails = true;
    queue("GET", "/api/v2/campaigns", false, false, 0);
    ck_assert_int_eq(api_step(api, 0, &e), -1);
    ck_assert_int_eq(e.status, XS_API);
    ck_assert_uint_eq(api_queued(api), 1);
    err_clear(&e);
    fake.start_fails = false;
    drain();
    ck_assert_int_eq(told[0].class, API_OK);
}
END_TEST

START_TEST(call_wait)
{
    struct api_call call = {.method = "GET", .path = "/api/v2/campaigns"};
    struct api_reply reply;
    fake_transport_add(&fake, ANSWER(.status = 502));
    fake_transport_add(&fake, ANSWER(.status = 200, .body = "{\"items\":[]}"));
    ck_assert_int_eq(api_call_wait(api, &call, &reply, &e), 0);
    ck_assert_int_eq(reply.class, API_OK);
    ck_assert(json_object_is_type(reply.json, json_type_object));
    fake_transport_add(&fake, ANSWER(.status = 404, .body = "{\"message\":\"Resource not found\"}"));
    ck_assert_int_eq(api_call_wait(api, &call, &reply, &e), 0);
    ck_assert_int_eq(reply.class, API_REFUSED);
    ck_assert(str_is(reply.message, "Resource not found"));
    fake_transport_add(&fake, ANSWER(.status = 401));
    ck_assert_int_eq(api_call_wait(api, &call, &reply, &e), -1);
    ck_assert_int_eq(e.status, XS_KEY);
    ck_assert_int_eq(reply.class, API_FATAL);
}
END_TEST

START_TEST(call_wait_ends_on_a_signal)
{
    struct api_call call = {.method = "GET", .path = "/api/v2/campaigns"};
    struct api_reply reply;
    fake.otherwise.latency_ms = 5000;
    stop_set(SIGTERM);
    ck_assert_int_eq(api_call_wait(api, &call, &reply, &e), -1);
    ck_assert_int_eq(e.status, XS_SIGTERM);
    ck_assert_uint_eq(api_queued(api), 0);
    stop_set(0);
}
END_TEST

/* The brake decides by method and path; what it lets through is listed, not what it stops. */
static const struct {
    const char *method, *path;
    bool passes;
} brake_rows[] = {
    {"GET", "/api/v2/campaigns", true},
    {"POST", "/api/v2/leads/list", true},
    {"POST", "/api/v2/leads/list?x", false},
    {"POST", "/api/v2/leads/listing", false},
    {"POST", "/api/v2/leads/add", false},
    {"POST", "/api/v2/leads", false},
    {"POST", "/api/v2/leads/move", false},
    {"POST", "/api/v2/something-new", false},
    {"POST", "/api/v2/email-verification", false},
    {"PATCH", "/api/v2/leads/x", false},
    {"DELETE", "/api/v2/leads", false},
    {"DELETE", "/api/v2/leads/x", false},
};

START_TEST(the_brake_of_a_dry_run)
{
    for (size_t i = 0; i < sizeof brake_rows / sizeof brake_rows[0]; i++) {
        open_with(
            (struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t", .read_only = true});
        queue(brake_rows[i].method, brake_rows[i].path, false, false, 0);
        queue(brake_rows[i].method, brake_rows[i].path, true, false, 1);
        drain();
        ck_assert_uint_eq(told_n, 2);
        ck_assert_msg((fake.sent_n == 2) == brake_rows[i].passes, "%s %s", brake_rows[i].method, brake_rows[i].path);
        if (!brake_rows[i].passes) {
            ck_assert_uint_eq(fake.sent_n, 0);
            ck_assert_int_eq(told[0].class, API_FATAL);
            ck_assert_int_eq(told[0].xs, XS_INTERNAL);
        }
        teardown();
    }
    /* A GET that carries something is none. */
    open_with((struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t", .read_only = true});
    struct api_call call = {.method = "GET", .path = "/api/v2/leads", .body = STR("{}")};
    ck_assert_int_eq(api_call(api, &call, tell, &numbers[0], &e), 0);
    drain();
    ck_assert_uint_eq(fake.sent_n, 0);
    ck_assert_int_eq(told[0].class, API_FATAL);
    teardown();
    /* Taken back before it was called back. */
    open_with((struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t", .read_only = true});
    queue("DELETE", "/api/v2/leads", true, false, 0);
}
END_TEST

static const struct {
    const char *url;
    bool fine;
} urls[] = {
    {"https://api.instantly.ai", true},
    {"https://api.instantly.ai/", true},
    {"https://gateway.example:8443/instantly", true},
    {"http://127.0.0.1:8080", true},
    {"http://127.1.2.3:8080", true},
    {"http://localhost:1", true},
    {"http://LOCALHOST", true},
    {"http://[::1]:9", true},
    {"https://[2001:db8::1]:9", true},
    {"http://api.instantly.ai", false},
    {"http://127.0.0.1.example.com", false},
    {"http://127.0.0.1@example.com", false},
    {"http://127.1", false},
    {"http://127.0.0.256", false},
    {"http://127.0.0.01", false},
    {"http://0127.0.0.1", false},
    {"http://128.0.0.1", false},
    {"http://2130706433", false},
    {"http://[::ffff:127.0.0.1]", false},
    {"http://localhost.", false},
    {"http://", false},
    {"https://", false},
    {"https://:443", false},
    {"https://host:", false},
    {"https://host:0", false},
    {"https://host:65536", false},
    {"https://host:80:80", false},
    {"https://host/a:b", false},
    {"https://user:pw@host", false},
    {"https://host?x", false},
    {"https://host/%2e", false},
    {"https://ho st", false},
    {"https://host\\@evil", false},
    {"ftp://host", false},
    {"api.instantly.ai", false},
    {"", false},
    {"https://api.instantly.ai/api/v2", false},
    {"https://[zz]", false},
};

START_TEST(addresses)
{
    struct err err = ERR_INIT;
    struct api *a = NULL;
    struct api_config config = {.base_url = urls[_i].url, .key = "k", .user_agent = "t"};
    clock_fake_init(&fake_clock, 0);
    fake_transport_init(&fake, &fake_clock);
    int r = api_new(&config, &fake.base, &fake_clock.base, &a, &err);
    ck_assert_msg((r == 0) == urls[_i].fine, "%s: %s", urls[_i].url, err_text(&err));
    ck_assert_int_eq(err.status, urls[_i].fine ? XS_DONE : XS_USAGE);
    if (r == 0)
        api_free(a);
    ck_assert(fake.freed);
    err_clear(&err);
}
END_TEST

static void check_config_refused(struct api_config config, enum exit_status status)
{
    struct err err = ERR_INIT;
    struct api *a = NULL;
    clock_fake_init(&fake_clock, 0);
    fake_transport_init(&fake, &fake_clock);
    ck_assert_int_eq(api_new(&config, &fake.base, &fake_clock.base, &a, &err), -1);
    ck_assert_int_eq(err.status, status);
    if (config.key != NULL && config.key[0] != '\0')
        ck_assert_ptr_null(strstr(err_text(&err), config.key));
    err_clear(&err);
}

START_TEST(bad_configurations)
{
    struct api_config config = plain_config;
    config.key = NULL;
    check_config_refused(config, XS_KEY);
    config.key = "";
    check_config_refused(config, XS_KEY);
    config.key = "secret\r\nX-Evil: 1";
    check_config_refused(config, XS_KEY);
    config.key = "secret key";
    check_config_refused(config, XS_KEY);
    config = plain_config;
    config.workspace = "a\nb";
    check_config_refused(config, XS_USAGE);
    config = plain_config;
    config.requests_per_minute = 100000000;
    check_config_refused(config, XS_CONFIG);
    config = plain_config;
    config.in_flight = 100000;
    check_config_refused(config, XS_CONFIG);
    config = plain_config;
    config.rate_share = "/nonexistent/folder/rate";
    check_config_refused(config, XS_STATE);
}
END_TEST

START_TEST(calls_that_are_none)
{
    struct api_call call = {.method = "PUT", .path = "/api/v2/leads"};
    ck_assert_int_eq(api_call(api, &call, tell, &numbers[0], &e), -1);
    ck_assert_int_eq(e.status, XS_INTERNAL);
    err_clear(&e);
    call = (struct api_call){.method = "GET", .path = "/api/v1/lead"};
    ck_assert_int_eq(api_call(api, &call, tell, &numbers[0], &e), -1);
    ck_assert_uint_eq(api_queued(api), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("queue");
    TCase *t = tcase_create("queue");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, answered);
    tcase_add_test(t, reads_are_repeated);
    tcase_add_test(t, reads_give_up);
    tcase_add_test(t, retry_after_of_a_5xx_is_followed);
    tcase_add_loop_test(t, writes_are_never_repeated, 0, (int)(sizeof open_outcomes / sizeof open_outcomes[0]));
    tcase_add_test(t, not_sent_is_repeated);
    tcase_add_test(t, not_sent_gives_up);
    tcase_add_test(t, locked_waits_and_waits);
    tcase_add_test(t, a_lock_holds_up_nobody_else);
    tcase_add_test(t, another_conflict_is_a_refusal);
    tcase_add_test(t, throttled_pauses_everybody);
    tcase_add_test(t, throttled_backs_off);
    tcase_add_test(t, one_pause_for_all_in_flight);
    tcase_add_test(t, throttled_for_ever_gives_up);
    tcase_add_test(t, zero_retry_after_is_not_a_storm);
    tcase_add_loop_test(t, endings_of_a_write, 0, (int)(sizeof endings / sizeof endings[0]));
    tcase_add_test(t, optional_scope);
    tcase_add_test(t, callbacks_may_queue);
    tcase_add_test(t, broken_transport);
    tcase_add_test(t, call_wait);
    tcase_add_test(t, call_wait_ends_on_a_signal);
    tcase_add_test(t, calls_that_are_none);
    suite_add_tcase(s, t);

    TCase *own = tcase_create("own configuration");
    tcase_add_checked_fixture(own, NULL, teardown);
    tcase_add_test(own, fatal_ends_the_queue);
    tcase_add_test(own, urgent_goes_first);
    tcase_add_test(own, retried_goes_before_fresh);
    tcase_add_test(own, cancel);
    tcase_add_test(own, paced);
    tcase_add_loop_test(own, paced_by_what_is_known, 0, 2);
    tcase_add_test(own, what_the_transport_repeats_counts);
    tcase_add_test(own, connections_grow_with_latency);
    tcase_add_test(own, the_brake_of_a_dry_run);
    suite_add_tcase(s, own);

    TCase *config = tcase_create("configuration");
    tcase_add_loop_test(config, addresses, 0, (int)(sizeof urls / sizeof urls[0]));
    tcase_add_test(config, bad_configurations);
    suite_add_tcase(s, config);
    return unit_run(s);
}
