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

/* ---- what the server counts ---- */

enum { ARRIVALS_MAX = 4000 };
static int64_t arrivals[ARRIVALS_MAX];
static size_t arrivals_n;
static bool work_differs; /* how long answers take is the work's doing, not the way's */
static uint64_t seed;

static uint64_t below(uint64_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
}

/* Something in between holds everything up for a while, again and again, and then lets go at once. */
static void arrive(void *ctx, const struct transport_request *request, struct fake_answer *answer)
{
    enum { EVERY_US = 730000, HOLD_US = 65000 };
    (void)ctx, (void)request;
    int64_t phase = fake_clock.mono % EVERY_US, held_us = work_differs ? 0 : phase < HOLD_US ? HOLD_US - phase : 0;
    ck_assert_uint_lt(arrivals_n, ARRIVALS_MAX);
    arrivals[arrivals_n++] = fake_clock.mono + held_us;
    answer->latency_ms = 150 + held_us / 1000 + (work_differs ? (int64_t)below(300) : 0);
}

static size_t fullest_second(void)
{
    size_t most = 0;
    for (size_t from = 0, i = 0; i < arrivals_n; i++) {
        while (arrivals[i] - arrivals[from] >= 1000000)
            from++;
        most = i - from + 1 > most ? i - from + 1 : most;
    }
    return most;
}

/* Requests a second that arrive in twenty seconds, but for the first two, in which the latency is learnt. */
static double rate_of_arrivals(void)
{
    struct api_config config = plain_config;
    config.requests_per_second = 100;
    open_with(config);
    fake.on_request = arrive;
    arrivals_n = 0;
    seed = 1;
    while (fake_clock.mono < 20000000) {
        while (!api_full(api))
            queue("GET", "/api/v2/campaigns", false, false, (int)(told_n % CALLS_MAX));
        ck_assert_int_eq(api_step(api, 1000, &e), 0);
    }
    teardown();
    size_t first = 0;
    while (arrivals[first] < 2000000)
        first++;
    return (double)(arrivals_n - 1 - first) * 1e6 / (double)(arrivals[arrivals_n - 1] - arrivals[first]);
}

START_TEST(no_second_is_too_full_where_requests_are_held_up)
{
    work_differs = false;
    double rate = rate_of_arrivals();
    ck_assert_msg(fullest_second() <= 100, "%zu arrive in a second", fullest_second());
    ck_assert_msg(rate >= 95, "%.1f a second", rate);
}
END_TEST

START_TEST(answers_that_differ_cost_little)
{
    work_differs = true;
    double rate = rate_of_arrivals();
    ck_assert_msg(fullest_second() <= 100, "%zu arrive in a second", fullest_second());
    ck_assert_msg(rate >= 97, "%.1f a second", rate);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("queue_rate");
    TCase *t = tcase_create("queue_rate");
    tcase_add_test(t, a_rare_429_costs_little);
    tcase_add_test(t, no_second_is_too_full_where_requests_are_held_up);
    tcase_add_test(t, answers_that_differ_cost_little);
    suite_add_tcase(s, t);
    return unit_run(s);
}
