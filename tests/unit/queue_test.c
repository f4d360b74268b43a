/* Retries and what a call ends as, against a scripted transport and a clock that stands still: hours of back-off take no
 * time. */
#include "tests/unit/queue_kit.h"
#include <stdlib.h>
#include <string.h>

START_TEST(answered)
{
    fake_transport_add(&fake, ANSWER(.status = 200, .body = "{\"items\":[1]}", .latency_ms = 150, .date_ms = 1700000005000));
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
    fake_transport_add(&fake, ANSWER(.status = 200, .body = ""));             /* a read needs an answer */
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

/* The next answer would be as large. */
START_TEST(too_large_an_answer)
{
    char *body = malloc(400000);
    size_t n = 0;
    body[n++] = '[';
    while (n < 300000) {
        memcpy(body + n, "{},", 3);
        n += 3;
    }
    memcpy(body + n, "0]", 3);
    fake.otherwise = ANSWER(.status = 200, .body = body);
    get_one();
    ck_assert_int_eq(told[0].class, API_FAILED);
    ck_assert_uint_eq(told[0].attempts, 1);
    ck_assert_int_eq(told[0].xs, XS_API);
    ck_assert_ptr_nonnull(strstr(told[0].text, "GET /api/v2/campaigns: the answer takes more than 64 MB of memory"));
    queue("POST", "/api/v2/leads/merge", true, false, 1);
    drain();
    ck_assert_int_eq(told[1].class, API_UNKNOWN);
    ck_assert_uint_eq(told[1].attempts, 1);
    free(body);
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

/* A certificate that does not hold will not hold in half a second either. */
START_TEST(not_sent_and_never_will_be)
{
    fake.otherwise = ANSWER(.end = TRANSPORT_NOT_SENT, .advice = "look into the passport");
    post_one();
    ck_assert_int_eq(told[0].class, API_FAILED);
    ck_assert_uint_eq(told[0].attempts, 1);
    ck_assert_int_eq(told[0].xs, XS_API);
    ck_assert_msg(strstr(told[0].text, "the API at https://api.example cannot be reached: as scripted (1 attempt); "
                                       "look into the passport, then run the same command again") != NULL,
                  "%s", told[0].text);
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

/* Whoever sets a limit hears of the lock in the end, and that nothing was done. */
START_TEST(locked_for_longer_than_allowed)
{
    api_lock_wait(api, 60000);
    fake_transport_add_n(&fake, 200, LOCKED);
    post_one();
    ck_assert_int_eq(told[0].class, API_REFUSED);
    ck_assert_int_eq(told[0].status, 409);
    ck_assert_int_eq(told[0].at_ms, 60000);
    ck_assert_uint_le(told[0].attempts, 7);
}
END_TEST

START_TEST(a_lock_holds_up_no_other_process)
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

START_TEST(throttled_pauses_all_requests)
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
    static const int64_t wanted_ms[] = {1000, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    for (size_t i = 1; i <= 9; i++) {
        int64_t gap_ms = (fake.sent[i].at_us - fake.sent[i - 1].at_us) / 1000;
        ck_assert_int_ge(gap_ms, wanted_ms[i - 1]);
        ck_assert_int_le(gap_ms, wanted_ms[i - 1] * 5 / 4 + 1);
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
    ck_assert_int_ge(told[19].at_ms, 2000); /* the rest of a second, then a second */
    ck_assert_int_le(told[19].at_ms, 3000);
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
    {{.status = 403, .body = "{\"message\":\"Lead limit reached. Remaining uploads: 52\"}"}, API_PLAN_FULL, XS_DONE, "52"},
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

#define FORBIDDEN ANSWER(.status = 403, .body = "{\"message\":\"Forbidden\"}")

/* Ids and queries do not make another endpoint; a method does. */
START_TEST(forbidden_after_success_is_sent_again)
{
    says(200, "{\"id\":\"1\"}");
    fake_transport_add(&fake, FORBIDDEN);
    says(200, "{\"id\":\"1\"}");
    queue("PATCH", "/api/v2/leads/01a22c55-0000-7000-8000-000000000001", true, false, 0);
    drain();
    queue("PATCH", "/api/v2/leads/0bbbbbbb-0000-7000-8000-000000000002?x=1", true, false, 1);
    drain();
    ck_assert_uint_eq(told_n, 2);
    ck_assert_int_eq(told[1].class, API_OK);
    ck_assert_uint_eq(told[1].attempts, 2);
    ck_assert_int_ge(told[1].at_ms, 15000);
    ck_assert_int_le(told[1].at_ms, 20000);
}
END_TEST

START_TEST(forbidden_twice_ends_it)
{
    says(200, "{\"id\":\"1\"}");
    fake_transport_add(&fake, ANSWER(.status = 403, .body = "{\"message\":\"Forbidden\"}", .retry_after_ms = 3600000));
    fake_transport_add(&fake, FORBIDDEN);
    queue("POST", "/api/v2/leads/merge", true, false, 0);
    drain();
    queue("POST", "/api/v2/leads/merge", true, false, 1);
    drain();
    ck_assert_int_eq(told[1].class, API_FATAL);
    ck_assert_int_eq(told[1].xs, XS_KEY);
    ck_assert_int_le(told[1].at_ms, 61000); /* no Retry-After makes it longer */
    ck_assert_uint_eq(fake.sent_n, 3);
}
END_TEST

static const struct {
    const char *worked, *path;
    struct fake_answer answer;
    enum api_class class;
    enum exit_status xs;
} no_second_chance[] = {
    {"/api/v2/leads/move", "/api/v2/leads/merge", {.status = 403, .body = "{}"}, API_FATAL, XS_KEY},
    {"/api/v2/leads", "/api/v2/leads/merge", {.status = 403, .body = "{}"}, API_FATAL, XS_KEY},
    {"/api/v2/leads/merge", "/api/v2/leads/merge", {.status = 403, .body = "error code: 1010"}, API_FATAL, XS_API},
    {"/api/v2/leads/merge", "/api/v2/leads/merge", {.status = 401, .body = "{}"}, API_FATAL, XS_KEY},
};

START_TEST(forbidden_without_a_second_chance)
{
    says(200, "{\"id\":\"1\"}");
    fake_transport_add(&fake, no_second_chance[_i].answer);
    queue("POST", no_second_chance[_i].worked, true, false, 0);
    drain();
    queue("POST", no_second_chance[_i].path, true, false, 1);
    drain();
    ck_assert_int_eq(told[1].class, no_second_chance[_i].class);
    ck_assert_int_eq(told[1].xs, no_second_chance[_i].xs);
    ck_assert_uint_eq(fake.sent_n, 2);
}
END_TEST

/* A signal or the deadline takes back what waits. */
START_TEST(forbidden_waits_no_longer_than_the_run)
{
    says(200, "{\"id\":\"1\"}");
    fake_transport_add(&fake, FORBIDDEN);
    queue("POST", "/api/v2/leads/merge", true, false, 0);
    drain();
    queue("POST", "/api/v2/leads/merge", true, false, 1);
    ck_assert_int_eq(api_step(api, 1000, &e), 0);
    ck_assert_uint_eq(told_n, 1);
    api_cancel_queued(api);
    ck_assert_uint_eq(told_n, 2);
    ck_assert_int_eq(told[1].class, API_CANCELLED);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("queue");
    TCase *t = tcase_create("plain configuration");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, answered);
    tcase_add_test(t, reads_are_repeated);
    tcase_add_test(t, reads_give_up);
    tcase_add_test(t, too_large_an_answer);
    tcase_add_test(t, retry_after_of_a_5xx_is_followed);
    tcase_add_loop_test(t, writes_are_never_repeated, 0, (int)(sizeof open_outcomes / sizeof open_outcomes[0]));
    tcase_add_test(t, not_sent_is_repeated);
    tcase_add_test(t, not_sent_gives_up);
    tcase_add_test(t, not_sent_and_never_will_be);
    tcase_add_test(t, locked_waits_and_waits);
    tcase_add_test(t, locked_for_longer_than_allowed);
    tcase_add_test(t, a_lock_holds_up_no_other_process);
    tcase_add_test(t, another_conflict_is_a_refusal);
    tcase_add_test(t, throttled_pauses_all_requests);
    tcase_add_test(t, throttled_backs_off);
    tcase_add_test(t, one_pause_for_all_in_flight);
    tcase_add_test(t, throttled_for_ever_gives_up);
    tcase_add_test(t, zero_retry_after_is_not_a_storm);
    tcase_add_loop_test(t, endings_of_a_write, 0, (int)(sizeof endings / sizeof endings[0]));
    tcase_add_test(t, optional_scope);
    tcase_add_test(t, forbidden_after_success_is_sent_again);
    tcase_add_test(t, forbidden_twice_ends_it);
    tcase_add_loop_test(t, forbidden_without_a_second_chance, 0,
                        (int)(sizeof no_second_chance / sizeof no_second_chance[0]));
    tcase_add_test(t, forbidden_waits_no_longer_than_the_run);
    suite_add_tcase(s, t);
    TCase *own = tcase_create("own configuration");
    tcase_add_checked_fixture(own, NULL, teardown);
    tcase_add_test(own, fatal_ends_the_queue);
    suite_add_tcase(s, own);
    return unit_run(s);
}
