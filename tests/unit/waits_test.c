/* What the user reads about waiting for the API: lines are few, come at once, and name the reason and the end. */
#include "tests/unit/queue_kit.h"

#include "sync/api/http/rate_share.h"
#include "sync/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FILE *lines;
static char text[1 << 16];

static void hear(enum log_level level)
{
    lines = tmpfile();
    ck_assert_ptr_nonnull(lines);
    log_configure(&(struct log_config){.level = level, .out = lines});
}

static void open_and_hear(void)
{
    setup();
    hear(LOG_NOTICE);
}

static void close_all(void)
{
    log_configure(&(struct log_config){.level = LOG_NOTICE});
    fclose(lines);
    teardown();
}

/* Everything that was logged so far. */
static const char *heard(void)
{
    rewind(lines);
    text[fread(text, 1, sizeof text - 1, lines)] = '\0';
    return text;
}

static unsigned lines_n(void)
{
    unsigned n = 0;
    for (const char *p = heard(); (p = strchr(p, '\n')) != NULL; p++)
        n++;
    return n;
}

static void ask(const char *method, const char *path)
{
    queue(method, path, strcmp(method, "GET") != 0, false, 0);
    ck_assert_int_eq(api_step(api, 0, &e), 0);
    ck_assert_int_eq(api_step(api, 0, &e), 0);
}

/* The clock stands at 2023-11-14 22:13:20; the end of the pause is within the quarter that is added. */
START_TEST(a_pause_is_reported_when_it_begins)
{
    fake_transport_add(&fake, ANSWER(.status = 429, .retry_after_ms = 120000));
    ask("POST", "/api/v2/leads/add");
    unsigned minute, second, seconds;
    ck_assert_msg(sscanf(heard(), "warning: the API answered 429 (rate limit); waiting until 22:%2u:%2u UTC (%3u s)\n",
                         &minute, &second, &seconds) == 3,
                  "%s", text);
    ck_assert_uint_ge(seconds, 120);
    ck_assert_uint_le(seconds, 151);
    ck_assert_uint_le(minute * 60 + second - (13 * 60 + 20), seconds);
    ck_assert_uint_ge(minute * 60 + second - (13 * 60 + 20) + 1, seconds);
    struct api_wait wait;
    ck_assert(api_waits(api, &wait));
    ck_assert_int_eq(wait.kind, API_WAIT_RATE_LIMIT);
    ck_assert_int_ge(wait.left_ms, 120000);
    ck_assert_int_eq(fake_clock.mono, 0);
    drain();
    ck_assert(!api_waits(api, &wait));
    ck_assert_uint_eq(lines_n(), 1);
}
END_TEST

START_TEST(one_line_for_all_requests)
{
    fake_transport_add_n(&fake, 20, ANSWER(.status = 429, .latency_ms = 100, .retry_after_ms = 7000));
    for (int i = 0; i < 20; i++)
        queue("GET", "/api/v2/campaigns", false, false, i);
    drain();
    ck_assert_uint_eq(lines_n(), 1);
    ck_assert_int_eq(strncmp(text, "the API answered 429 (rate limit); waiting until 22:13:", 55), 0);
}
END_TEST

/* A neighbour costs a moment now and then; the report counts these. */
START_TEST(short_pauses_are_not_told)
{
    for (int i = 0; i < 3; i++) {
        fake_transport_add(&fake, ANSWER(.status = 429));
        fake_transport_add(&fake, ANSWER(.status = 200, .body = "{}"));
    }
    for (int i = 0; i < 3; i++)
        queue("GET", "/api/v2/campaigns", false, false, i);
    drain();
    ck_assert_str_eq(heard(), "");
}
END_TEST

/* Half an hour of 429 makes some lines, and a minute of it a warning. */
START_TEST(back_off_is_reported_as_it_grows)
{
    fake.otherwise = ANSWER(.status = 429);
    post_one();
    ck_assert_uint_ge(lines_n(), 5);
    ck_assert_uint_le(lines_n(), 12);
    const char *first_warning = strstr(text, "warning: ");
    ck_assert_ptr_nonnull(first_warning);
    ck_assert_ptr_ne(first_warning, text);
}
END_TEST

/* Several hours by what the API asks for. */
START_TEST(a_long_retry_after_is_reported_each_round)
{
    fake_transport_add_n(&fake, 3, ANSWER(.status = 429, .retry_after_ms = 600000));
    post_one();
    ck_assert_uint_eq(lines_n(), 3);
}
END_TEST

START_TEST(quiet_shows_long_waits_only)
{
    hear(LOG_WARNING);
    fake_transport_add(&fake, ANSWER(.status = 429, .retry_after_ms = 10000));
    post_one();
    ck_assert_str_eq(heard(), "");
    told_n = 0;
    clock_fake_advance_us(&fake_clock, 3600000000);
    fake_transport_add(&fake, ANSWER(.status = 429, .retry_after_ms = 40000));
    post_one();
    ck_assert_uint_eq(lines_n(), 1);
}
END_TEST

/* A budget is shared by the processes of a user, and so is its pause. */
START_TEST(a_pause_of_another_process)
{
    char path[] = "/tmp/leadsync-waits-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    teardown();
    struct api_config config = plain_config;
    config.requests_per_second = 50;
    config.rate_share = path;
    open_with(config);
    struct rate_share *other;
    ck_assert_int_eq(rate_share_open(path, 50, 0, &other, &e), 0);
    rate_share_pause(other, 0, 90000000);
    rate_share_free(other);
    ask("GET", "/api/v2/campaigns");
    ck_assert_str_eq(heard(),
                     "warning: the API answered 429 (rate limit) to another leadsync process; waiting until 22:14:50 UTC "
                     "(90 s)\n");
    drain();
    ck_assert_uint_eq(lines_n(), 1);
    ck_assert_int_ge(fake.sent[0].at_us, 90000000);
    close(fd);
    unlink(path);
}
END_TEST

/* An address in a query is lead data. */
START_TEST(a_failing_server)
{
    fake_transport_add(&fake, ANSWER(.status = 503, .retry_after_ms = 20000));
    ask("GET", "/api/v2/block-lists-entries?search=ann%40example.com");
    ck_assert_ptr_eq(strstr(heard(), "GET /api/v2/block-lists-entries: the API answered 503; trying again at 22:13:4"),
                     text);
    drain();
    ck_assert_uint_eq(lines_n(), 1);
}
END_TEST

START_TEST(no_connection)
{
    fake.otherwise = ANSWER(.end = TRANSPORT_NOT_SENT);
    post_one();
    ck_assert_ptr_eq(strstr(heard(), "the API at https://api.example cannot be reached: as scripted; trying again at "),
                     text);
    ck_assert_uint_le(lines_n(), 2);
}
END_TEST

START_TEST(a_lock)
{
    api_lock_wait(api, 600000);
    fake_transport_add_n(&fake, 12, LOCKED);
    ask("POST", "/api/v2/leads/add");
    ck_assert_str_eq(heard(),
                     "POST /api/v2/leads/add: leads are being moved in Instantly (409); trying again until 22:23:20 "
                     "UTC at the latest\n");
    struct api_wait wait;
    ck_assert(api_waits(api, &wait));
    ck_assert_int_eq(wait.kind, API_WAIT_LOCK);
    drain();
    ck_assert_int_eq(told[0].class, API_OK);
    ck_assert_uint_eq(lines_n(), 2); /* and once as a warning, when it lasts */
    ck_assert_ptr_nonnull(strstr(text, "\nwarning: POST /api/v2/leads/add: leads are being moved"));
}
END_TEST

static void wait_for_one(int64_t max_ms)
{
    struct api_reply reply;
    const struct api_call call = {.method = "GET", .path = "/api/v2/campaigns", .kind = API_KIND_OTHER};
    api_wait_until(api, fake_clock.mono + max_ms * 1000);
    ck_assert_int_eq(api_call_wait(api, &call, &reply, &e), -1);
    ck_assert_int_eq(e.status, XS_API);
}

START_TEST(last_word)
{
    fake.otherwise = ANSWER(.status = 429, .retry_after_ms = 600000);
    wait_for_one(5000);
    const char *said = err_text(&e);
    ck_assert_msg(strstr(said,
                         "the API answered 429 (rate limit); the time that --max-seconds gives is over before the next try "
                         "at 22:2") == said,
                  "%s", said);
    ck_assert_ptr_nonnull(strstr(said, "run the same command again then"));
}
END_TEST

START_TEST(last_word_about_a_failing_server)
{
    fake.otherwise = ANSWER(.status = 502, .latency_ms = 500);
    wait_for_one(1300);
    ck_assert_str_eq(err_text(&e),
                     "GET /api/v2/campaigns: the API answered 502 for as long as --max-seconds gives: run the same "
                     "command again later, or give more time");
}
END_TEST

/* What was waited for and then answered is no reason. */
START_TEST(last_word_about_silence)
{
    fake_transport_add(&fake, ANSWER(.status = 429, .retry_after_ms = 3000));
    post_one();
    fake.otherwise = ANSWER(.status = 200, .latency_ms = 90000);
    wait_for_one(5000);
    ck_assert_ptr_nonnull(strstr(err_text(&e), "has not answered"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("waits");
    TCase *t = tcase_create("waits");
    tcase_add_checked_fixture(t, open_and_hear, close_all);
    tcase_add_test(t, a_pause_is_reported_when_it_begins);
    tcase_add_test(t, one_line_for_all_requests);
    tcase_add_test(t, short_pauses_are_not_told);
    tcase_add_test(t, back_off_is_reported_as_it_grows);
    tcase_add_test(t, a_long_retry_after_is_reported_each_round);
    tcase_add_test(t, quiet_shows_long_waits_only);
    tcase_add_test(t, a_pause_of_another_process);
    tcase_add_test(t, a_failing_server);
    tcase_add_test(t, no_connection);
    tcase_add_test(t, a_lock);
    tcase_add_test(t, last_word);
    tcase_add_test(t, last_word_about_a_failing_server);
    tcase_add_test(t, last_word_about_silence);
    suite_add_tcase(s, t);
    return unit_run(s);
}
