#include "config.h"

#include "sync/base/clock.h"
#include "tests/unit/harness.h"

#include <time.h>

START_TEST(system_clock_moves)
{
    struct clock *clock = clock_system();
    int64_t before = clock->mono_us(clock);
    time_t first = time(NULL);
    int64_t wall_s = clock->wall_ms(clock) / 1000;
    /* Coarse clocks may lag a little; how long it took to ask does not matter. */
    ck_assert_int_ge(wall_s, first - 1);
    ck_assert_int_le(wall_s, time(NULL) + 1);
    clock->sleep_us(clock, 2000);
    clock->sleep_us(clock, 0);
    clock->sleep_us(clock, -5);
    ck_assert_int_ge(clock->mono_us(clock) - before, 2000);
}
END_TEST

START_TEST(fake_clock_stands_still)
{
    struct clock_fake fake;
    clock_fake_init(&fake, 1000);
    struct clock *clock = &fake.base;
    ck_assert_int_eq(clock->wall_ms(clock), 1000);
    ck_assert_int_eq(clock->mono_us(clock), 0);
    for (int i = 0; i < 1000; i++)
        clock->sleep_us(clock, 1);
    ck_assert_int_eq(clock->wall_ms(clock), 1001);
    ck_assert_int_eq(clock->mono_us(clock), 1000);
    clock->sleep_us(clock, -7);
    clock_fake_advance_us(&fake, 3600 * INT64_C(1000000));
    ck_assert_int_eq(clock->wall_ms(clock), 3601001);
    ck_assert_int_eq(clock->mono_us(clock), 3600001000);
}
END_TEST

START_TEST(times_there_and_back)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {1782854132254, "2026-06-30T21:15:32.254Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {4107542399999, "2100-02-28T23:59:59.999Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {-62167219200000, "0000-01-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
    };
    char out[TIME_TEXT_N];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t back = 1;
        ck_assert_str_eq(time_format(cases[i].ms, out), cases[i].text);
        ck_assert_int_eq(time_parse(str_from(cases[i].text), &back), 0);
        ck_assert_int_eq(back, cases[i].ms);
    }
    ck_assert_str_eq(time_format(INT64_MAX, out), "9999-12-31T23:59:59.999Z");
    ck_assert_str_eq(time_format(INT64_MIN, out), "0000-01-01T00:00:00.000Z");
}
END_TEST

START_TEST(every_day_agrees_with_the_c_library)
{
    char out[TIME_TEXT_N], expected[TIME_TEXT_N];
    for (int64_t day = -100000; day < 100000; day += 7) {
        time_t t = (time_t)(day * 86400);
        struct tm tm;
        gmtime_r(&t, &tm);
        strftime(expected, sizeof expected, "%Y-%m-%dT00:00:00.000Z", &tm);
        ck_assert_str_eq(time_format(day * 86400000, out), expected);
    }
}
END_TEST

START_TEST(forms_of_times)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},      {"1970-01-01t00:00:00z", 0},
        {"1970-01-01 00:00:00Z", 0},      {"1970-01-01T01:00:00+01:00", 0},
        {"1969-12-31T19:00:00-05:00", 0}, {"1970-01-01T00:00:00-00:00", 0},
        {"1970-01-01T00:00:00.5Z", 500},  {"1970-01-01T00:00:00.123456789Z", 123},
        {"1969-12-31T23:59:60Z", 0}, /* a leap second */
    };
    /* clang-format off */
    static const char *const bad[] = {
        "", "1970", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01T00:00Z", "1970-13-01T00:00:00Z",
        "1970-00-01T00:00:00Z", "1970-01-00T00:00:00Z", "1970-02-29T00:00:00Z", "1970-04-31T00:00:00Z",
        "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z", "1970-01-01T00:00:61Z", "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00Zx", "1970-01-01T00:00:00+1:00", "1970-01-01T00:00:00+0100", " 1970-01-01T00:00:00Z",
        "197a-01-01T00:00:00Z", "1970-01-01T00:00:00+24:00", "+970-01-01T00:00:00Z",
    };
    /* clang-format on */
    int64_t ms;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(time_parse(str_from(good[i].text), &ms) == 0, "%s", good[i].text);
        ck_assert_int_eq(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(time_parse(str_from(bad[i]), &ms) == -1, "%s", bad[i]);
    ck_assert_int_eq(time_parse((struct str){"1970-01-01T00:00:00\0", 20}, &ms), -1);
}
END_TEST

START_TEST(durations)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0", 0},
                {"7s", 7000},
                {"10m", 600000},
                {"5h", 18000000},
                {"30d", 2592000000},
                {"250ms", 250},
                {"15", 15000},
                {"0.5s", 500},
                {"1.5h", 5400000},
                {"007s", 7000},
                {"106751991167d", INT64_C(9223372036828800000)}};
    static const char *const bad[] = {"",
                                      "s",
                                      "-1s",
                                      "+1s",
                                      "1 s",
                                      " 1s",
                                      "1S",
                                      "1w",
                                      "1.",
                                      ".5s",
                                      "1.s",
                                      "1e3",
                                      "7sx",
                                      "1s2m",
                                      "106751991168d",
                                      "9223372036854775808ms",
                                      "0x10",
                                      "ms"};
    int64_t ms;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(duration_parse(str_from(good[i].text), &ms) == 0, "%s", good[i].text);
        ck_assert_int_eq(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(duration_parse(str_from(bad[i]), &ms) == -1, "%s", bad[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clock");
    TCase *tc = tcase_create("clock");
    tcase_add_test(tc, system_clock_moves);
    tcase_add_test(tc, fake_clock_stands_still);
    tcase_add_test(tc, times_there_and_back);
    tcase_add_test(tc, every_day_agrees_with_the_c_library);
    tcase_add_test(tc, forms_of_times);
    tcase_add_test(tc, durations);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
