/* The pacer's promise is a property: whatever the schedule, no window holds more than the limit, as departed and as
 * arrived with the jitter that it allows for. */
#include "sync/api/http/pacer.h"
#include "tests/unit/harness.h"

#include <errno.h>
#include <stdlib.h>

enum { DEPARTURES_MAX = 40000 };
static int64_t departures[DEPARTURES_MAX];
static size_t departures_n;
static uint64_t seed;

static uint64_t rnd(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Most departures in any window of `us`, both ends within: [t, t + us). */
static size_t fullest(int64_t us)
{
    size_t most = 0, from = 0;
    for (size_t i = 0; i < departures_n; i++) {
        while (departures[i] - departures[from] >= us)
            from++;
        if (i - from + 1 > most)
            most = i - from + 1;
    }
    return most;
}

static void leave(int64_t now_us)
{
    ck_assert_uint_lt(departures_n, DEPARTURES_MAX);
    departures[departures_n++] = now_us;
}

/* Random schedules: idle times, busy loops, connections that take their time, some that never come. */
START_TEST(no_window_holds_too_much)
{
    static const unsigned limits[][2] = {{100, 6000}, {50, 3000}, {1, 0},    {7, 100},
                                         {0, 60},     {100, 500}, {3, 6000}, {1000, 0}};
    unsigned per_second = limits[_i % 8][0], per_minute = limits[_i % 8][1];
    seed = 0x9E3779B97F4A7C15u + (uint64_t)_i;
    struct pacer p;
    ck_assert_int_eq(pacer_init(&p, per_second, per_minute), 0);
    departures_n = 0;
    int64_t now = (int64_t)rnd(1000000), opening[64];
    size_t opening_n = 0;
    while (departures_n < 5000) {
        while (opening_n < 64 && pacer_wait_us(&p, now) == 0) {
            pacer_take(&p, now);
            if (rnd(4) != 0) { /* a connection that is open already */
                pacer_left(&p, now);
                leave(now);
            } else {
                opening[opening_n++] = now + (int64_t)rnd(300000);
            }
        }
        int64_t wait = pacer_wait_us(&p, now);
        now += rnd(50) == 0 ? (int64_t)rnd(3000000) : wait < 100000 && wait > 0 ? wait : 1 + (int64_t)rnd(5000);
        for (size_t i = 0; i < opening_n;) {
            if (opening[i] > now) {
                i++;
                continue;
            }
            if (rnd(10) == 0) {
                pacer_drop(&p);
            } else {
                pacer_left(&p, now);
                leave(now);
            }
            opening[i] = opening[--opening_n];
        }
    }
    qsort(departures, departures_n, sizeof departures[0], by_time);
    if (per_second != 0)
        ck_assert_msg(fullest(1000000) <= per_second, "seed %d: %zu in a second", _i, fullest(1000000));
    if (per_minute != 0)
        ck_assert_msg(fullest(60000000) <= per_minute, "seed %d: %zu in a minute", _i, fullest(60000000));

    /* What the server sees: each arrives up to the slack later than it left. */
    for (size_t i = 0; i < departures_n; i++)
        departures[i] += (int64_t)rnd(PACER_SLACK_US);
    qsort(departures, departures_n, sizeof departures[0], by_time);
    if (per_second != 0)
        ck_assert_msg(fullest(1000000) <= per_second, "seed %d: %zu arrive in a second", _i, fullest(1000000));
    pacer_free(&p);
}
END_TEST

/* An eager sender that wakes by the millisecond, as poll() does. */
static double share_of_rate(unsigned per_second, int64_t seconds)
{
    struct pacer p;
    ck_assert_int_eq(pacer_init(&p, per_second, 0), 0);
    int64_t now = 0, n = 0;
    while (now < seconds * 1000000) {
        while (pacer_wait_us(&p, now) == 0) {
            pacer_take(&p, now);
            pacer_left(&p, now);
            n++;
        }
        now += (pacer_wait_us(&p, now) + 999) / 1000 * 1000 + 70; /* late by a little each time */
    }
    pacer_free(&p);
    return (double)n / (double)(per_second * seconds);
}

START_TEST(the_rate_is_used)
{
    static const unsigned rates[] = {10, 50, 100, 400};
    for (size_t i = 0; i < 4; i++) {
        double share = share_of_rate(rates[i], 10);
        ck_assert_msg(share >= 0.97 && share <= 1.0, "%u/s: %.4f of the rate", rates[i], share);
    }
}
END_TEST

START_TEST(departures_are_spread)
{
    struct pacer p;
    ck_assert_int_eq(pacer_init(&p, 100, 6000), 0);
    unsigned at_once = 0;
    for (; pacer_wait_us(&p, 5000000) == 0; at_once++) {
        pacer_take(&p, 5000000);
        pacer_left(&p, 5000000);
    }
    ck_assert_uint_ge(at_once, 1);
    ck_assert_uint_le(at_once, 20);
    ck_assert_int_le(pacer_wait_us(&p, 5000000), 10000);
    pacer_free(&p);
}
END_TEST

START_TEST(pending_counts_as_leaving_now)
{
    struct pacer p;
    ck_assert_int_eq(pacer_init(&p, 2, 0), 0);
    pacer_take(&p, 0);
    pacer_take(&p, 500000);
    /* Neither has left: waiting does not help, however long. */
    ck_assert_int_eq(pacer_wait_us(&p, 3600000000), PACER_BLOCKED);
    pacer_drop(&p);
    ck_assert_int_eq(pacer_wait_us(&p, 3600000000), 0);
    pacer_left(&p, 3600000000);
    pacer_take(&p, 3600000000);
    ck_assert_int_eq(pacer_wait_us(&p, 3600000001), 1000000 + PACER_NEW_SLACK_US - 1);
    /* The transport sent the first one twice. */
    pacer_left(&p, 3600500000);
    pacer_left_again(&p, 3600600000);
    ck_assert_int_eq(pacer_wait_us(&p, 3601080000), 500000);
    pacer_free(&p);
}
END_TEST

/* The second that a request takes up begins when it arrived, and for those that left after it no earlier. */
START_TEST(arrivals_count)
{
    struct pacer p;
    ck_assert_int_eq(pacer_init(&p, 3, 0), 0);
    for (int i = 0; i < 6; i++)
        pacer_left_again(&p, 1000000 * (i / 3) + 100000 * (i % 3));
    /* The third last left at 1.0, the last at 1.2. */
    ck_assert_int_eq(pacer_wait_us(&p, 2000000), PACER_SLACK_US);
    pacer_arrived(&p, 3, 1070000);
    ck_assert_int_eq(pacer_wait_us(&p, 2000000), 70000 + PACER_SLACK_US);
    pacer_arrived(&p, 3, 1050000); /* what is known is not taken back */
    ck_assert_int_eq(pacer_wait_us(&p, 2000000), 70000 + PACER_SLACK_US);
    pacer_arrived(&p, 3, 1900000);
    pacer_left_again(&p, 1300000); /* the third last is the one that left at 1.1, behind it */
    ck_assert_int_eq(pacer_wait_us(&p, 2000000), 900000 + PACER_SLACK_US);
    pacer_arrived(&p, 3, 9000000); /* no longer the third last */
    ck_assert_int_eq(pacer_wait_us(&p, 2000000), 900000 + PACER_SLACK_US);
    pacer_free(&p);
}
END_TEST

/* What a neighbour may have used is the rest. */
START_TEST(used)
{
    struct pacer p;
    ck_assert_int_eq(pacer_init(&p, 10, 0), 0);
    for (int i = 0; i < 5; i++)
        pacer_left_again(&p, 100000 * i);
    ck_assert_double_eq_tol(pacer_used(&p, 500000), 1, 0.001); /* the full rate since it began */
    for (int i = 0; i < 5; i++)
        pacer_left_again(&p, 5000000 + 100000 * i);
    ck_assert_double_eq_tol(pacer_used(&p, 5900000), 0.5, 0.001);
    ck_assert_double_eq_tol(pacer_used(&p, 6450000), 0, 0.001);
    pacer_free(&p);
}
END_TEST

START_TEST(no_limit_and_bad_limits)
{
    struct pacer p;
    ck_assert_int_eq(pacer_init(&p, 0, 0), 0);
    for (int i = 0; i < 100000; i++) {
        ck_assert_int_eq(pacer_wait_us(&p, 0), 0);
        pacer_take(&p, 0);
        pacer_left(&p, 0);
    }
    pacer_free(&p);
    ck_assert_int_eq(pacer_init(&p, PACER_LIMIT_MAX + 1, 0), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(pacer_init(&p, 0, PACER_LIMIT_MAX + 1), -1);
    pacer_free(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pacer");
    TCase *t = tcase_create("pacer");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, no_window_holds_too_much, 0, 24);
    tcase_add_test(t, the_rate_is_used);
    tcase_add_test(t, departures_are_spread);
    tcase_add_test(t, pending_counts_as_leaving_now);
    tcase_add_test(t, arrivals_count);
    tcase_add_test(t, used);
    tcase_add_test(t, no_limit_and_bad_limits);
    suite_add_tcase(s, t);
    return unit_run(s);
}
