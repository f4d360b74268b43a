/* How much of the rate a busy client uses, against a scripted transport and a clock that stands still. */
#include "tests/unit/queue_kit.h"

/* Requests a second of a sync that is never idle for ten seconds, at the full rate and 150 ms; each `nth` request is answered
 * 429 because of somebody else's. */
static double rate_beside_a_neighbour(size_t nth)
{
    struct api_config config = plain_config;
    config.requests_per_second = 100;
    open_with(config);
    size_t ok = 0;
    fake.otherwise.latency_ms = 150;
    for (size_t i = 1; i <= 2000; i++)
        fake_transport_add(&fake, ANSWER(.status = nth != 0 && i % nth == 0 ? 429 : 200, .body = "{}", .latency_ms = 150));
    while (fake_clock.mono < 10000000) {
        while (!api_full(api))
            queue("GET", "/api/v2/campaigns", false, false, (int)(told_n % CALLS_MAX));
        ck_assert_int_eq(api_step(api, 1000, &e), 0);
    }
    for (size_t i = 0; i < told_n; i++)
        ok += told[i].class == API_OK;
    teardown();
    return (double)ok / 10;
}

START_TEST(a_rare_429_costs_little)
{
    double alone = rate_beside_a_neighbour(0);
    ck_assert_msg(alone >= 95, "%.1f a second without any", alone); /* the last 150 ms are not answered yet */
    /* Three in ten seconds: a window that was nearly all ours is free again at once. */
    double rare = rate_beside_a_neighbour(330);
    ck_assert_msg(rare >= 93, "%.1f a second beside a neighbour", rare);
    /* Five a second is no accident: then others get the room that they ask for. */
    double crowded = rate_beside_a_neighbour(20);
    ck_assert_msg(crowded <= 60 && crowded >= 10, "%.1f a second in a crowd", crowded);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("queue_rate");
    TCase *t = tcase_create("queue_rate");
    tcase_add_test(t, a_rare_429_costs_little);
    suite_add_tcase(s, t);
    return unit_run(s);
}
