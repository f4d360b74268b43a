#include "sync/api/http/http_time.h"
#include "tests/unit/harness.h"

static const struct {
    const char *text;
    int64_t ms; /* -1: no date */
} dates[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777000},
    {" Sun, 06 Nov 1994 08:49:37 GMT\r\n", 784111777000},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777000},
    {"Sun Nov  6 08:49:37 1994", 784111777000},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Wed, 31 Dec 2098 23:59:60 GMT", 4070908800000},
    {"Sun, 06 Foo 1994 08:49:37 GMT", -1},
    {"Sun, 00 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06 Nov 1994 24:00:00 GMT", -1},
    {"tomorrow", -1},
    {"", -1},
    {"Sun, 06 Nov 1994 08:49:37 GMT and a tail that is longer than any date is", -1},
};

START_TEST(http_dates)
{
    int64_t ms = 0;
    int r = http_date_parse(str_from(dates[_i].text), &ms);
    ck_assert_msg(r == (dates[_i].ms < 0 ? -1 : 0), "%s", dates[_i].text);
    if (r == 0)
        ck_assert_int_eq(ms, dates[_i].ms);
}
END_TEST

static const struct {
    const char *text;
    int64_t ms;
} waits[] = {
    {"0", 0},
    {"1", 1000},
    {" 120 \r\n", 120000},
    {"1.5", 2000},
    {"600", RETRY_AFTER_MAX_MS},
    {"601", RETRY_AFTER_MAX_MS},
    {"99999999999999999999999999999", RETRY_AFTER_MAX_MS},
    {"Sun, 06 Nov 1994 08:49:47 GMT", 10000}, /* ten seconds after now */
    {"Sun, 06 Nov 1994 08:49:07 GMT", 0},     /* has passed: libcurl made it a large negative number */
    {"Sun, 06 Nov 2094 08:49:37 GMT", RETRY_AFTER_MAX_MS},
    {"-1", -1},
    {"soon", -1},
    {"1s", -1},
    {"1.5.2", -1},
    {"", -1},
};

START_TEST(retry_after)
{
    ck_assert_msg(retry_after_parse(str_from(waits[_i].text), 784111777000) == waits[_i].ms, "%s", waits[_i].text);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("http_time");
    TCase *t = tcase_create("http_time");
    tcase_add_loop_test(t, http_dates, 0, (int)(sizeof dates / sizeof dates[0]));
    tcase_add_loop_test(t, retry_after, 0, (int)(sizeof waits / sizeof waits[0]));
    suite_add_tcase(s, t);
    return unit_run(s);
}
