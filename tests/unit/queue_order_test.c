/* Order, pace and connections of the queue, and how it is waited for. */
#include "tests/unit/queue_kit.h"
#include "sync/base/stop.h"

#include <json-c/json.h>
#include <signal.h>

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
    ck_assert_uint_eq(api_queued(api), 5);
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
    open_with((struct api_config){.base_url = "https://api.example",
                                  .key = "k",
                                  .user_agent = "t",
                                  .requests_per_second = 50,
                                  .requests_per_minute = 3000});
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
    open_with(
        (struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t", .requests_per_second = 10});
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
    open_with(
        (struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t", .requests_per_second = 3});
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
    open_with(
        (struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t", .requests_per_second = 100});
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

int main(void)
{
    Suite *s = suite_create("queue_order");
    TCase *t = tcase_create("plain configuration");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, callbacks_may_queue);
    tcase_add_test(t, broken_transport);
    tcase_add_test(t, call_wait);
    tcase_add_test(t, call_wait_ends_on_a_signal);
    suite_add_tcase(s, t);
    TCase *own = tcase_create("own configuration");
    tcase_add_checked_fixture(own, NULL, teardown);
    tcase_add_test(own, urgent_goes_first);
    tcase_add_test(own, retried_goes_before_fresh);
    tcase_add_test(own, cancel);
    tcase_add_test(own, paced);
    tcase_add_loop_test(own, paced_by_what_is_known, 0, 2);
    tcase_add_test(own, what_the_transport_repeats_counts);
    tcase_add_test(own, connections_grow_with_latency);
    suite_add_tcase(s, own);
    return unit_run(s);
}
