/* The sandbox's faults as a client meets them: on the wire, late, and by its clock. */
#include "sync/sandbox/sandbox.h"
#include "tests/unit/harness.h"
#include "tests/unit/sandbox_client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *fault;
    enum client_end end;
    int status;
    int created; /* whether the lead is there afterwards */
    const char *head;
} wires[] = {
    {"drop-before=1", CLIENT_EMPTY, 0, 0, NULL},
    {"drop-after=1", CLIENT_EMPTY, 0, 1, NULL},
    {"drop-before@rst=1", CLIENT_RESET, 0, 0, NULL},
    {"drop-after@rst=1", CLIENT_RESET, 0, 1, NULL},
    {"500=1", CLIENT_DONE, 500, 0, "application/json"},
    {"500-after=1", CLIENT_DONE, 500, 1, NULL},
    {"503@3=1", CLIENT_DONE, 503, 0, "Retry-After: 3\r\n"},
    {"524=1", CLIENT_DONE, 524, 0, "text/html"},
    {"402=1", CLIENT_DONE, 402, 0, "application/json"},
    {"429=1", CLIENT_DONE, 429, 0, NULL},
    {"429@2=1", CLIENT_DONE, 429, 0, "Retry-After: 2\r\n"},
    {"429@date9=1", CLIENT_DONE, 429, 0, " GMT\r\n"},
    {"truncate=1", CLIENT_CUT, 200, 1, NULL},
    {"garbage=1", CLIENT_DONE, 200, 1, "application/json"},
    {"garbage@http=1", CLIENT_NO_HTTP, 0, 1, NULL},
    {"empty=1", CLIENT_DONE, 204, 1, NULL},
    {"slow@50=1", CLIENT_DONE, 200, 1, NULL},
    {"hang@50=1", CLIENT_EMPTY, 0, 0, NULL},
    {"hang-after@50=1", CLIENT_EMPTY, 0, 1, NULL},
    {"hang=1", CLIENT_TIMEOUT, 0, 0, NULL},
    {"drop-after=#2", CLIENT_DONE, 200, 1, NULL},
};

START_TEST(faults_are_real)
{
    char text[128];
    snprintf(text, sizeof text, "POST /leads/add:%s", wires[_i].fault);
    struct sandbox *s = client_start(&(struct sandbox_config){.faults = text, .plan_limit = -1, .seed = 1});
    struct client_request request = {.method = "POST",
                                     .path = "/api/v2/leads/add",
                                     .body = STR(CLIENT_ONE_LEAD),
                                     .timeout_ms = wires[_i].end == CLIENT_TIMEOUT ? 1000 : CLIENT_PATIENCE_MS};
    struct client_answer answer;
    client_send(sandbox_port(s), &request, &answer);
    ck_assert_int_eq(answer.end, wires[_i].end);
    ck_assert_int_eq(answer.status, wires[_i].status);
    if (wires[_i].head != NULL)
        ck_assert_ptr_nonnull(strstr(buf_cstr(&answer.head), wires[_i].head));
    ck_assert_int_eq(client_counter(sandbox_port(s), "created"), wires[_i].created);
    client_free(&answer);
    sandbox_free(s); /* also while a call hangs */
}
END_TEST

/* A client that reckons with the server's clock must see it move on. */
START_TEST(date_follows_the_clock)
{
    struct sandbox *s = client_start(&(struct sandbox_config){0});
    char dates[2][64];
    for (int i = 0; i < 2; i++) {
        struct client_answer answer = client_ask(sandbox_port(s), "GET", "/api/v2/campaigns", NULL);
        const char *date = strstr(buf_cstr(&answer.head), "Date: ");
        ck_assert_ptr_nonnull(date);
        ck_assert_ptr_null(strstr(date + 1, "Date: "));
        snprintf(dates[i], sizeof dates[i], "%.*s", (int)strcspn(date + 6, "\r"), date + 6);
        client_free(&answer);
        client_control(sandbox_port(s), "{\"advance_ms\":86400000}");
    }
    ck_assert_str_ne(dates[0], dates[1]);
    ck_assert_int_ne(strncmp(dates[0], dates[1], 3), 0); /* another day of the week */
    sandbox_free(s);
}
END_TEST

/* The lead comes when its time has come, after the client has gone. */
static void late(const char *fault, bool hold)
{
    char text[128];
    snprintf(text, sizeof text, "* *:%s@3600000=1", fault);
    struct sandbox *s = client_start(&(struct sandbox_config){.faults = text, .plan_limit = -1, .seed = 1});
    struct client_request request = {.method = "POST",
                                     .path = "/api/v2/leads/add",
                                     .body = STR(CLIENT_ONE_LEAD),
                                     .timeout_ms = hold ? 100 : CLIENT_PATIENCE_MS};
    struct client_answer answer;
    uint16_t port = sandbox_port(s);
    client_send(port, &request, &answer);
    ck_assert_int_eq(answer.end, hold ? CLIENT_TIMEOUT : CLIENT_EMPTY);
    client_free(&answer);
    ck_assert_int_eq(client_counter(port, "created"), 0);
    ck_assert_int_eq(client_counter(port, "late_writes"), 1);
    client_control(port, "{\"advance_ms\":3599000}");
    ck_assert_int_eq(client_counter(port, "created"), 0);
    client_control(port, "{\"advance_ms\":1000}");
    ck_assert_int_eq(client_counter(port, "created"), 1);
    ck_assert_int_eq(client_counter(port, "late_writes"), 0);
    sandbox_free(s);
}

START_TEST(late_writes_come_late)
{
    late("late-write", false);
    late("late-hang", true);
}
END_TEST

/* Two late writes and a job are worked in the order of their times, and reads are never late. */
START_TEST(late_writes_keep_the_order_of_their_times)
{
    static const char move[] = "{\"campaign\":\"" SANDBOX_CAMPAIGN_DEMO "\",\"to_list_id\":\"" SANDBOX_LIST_INCOMING "\"}";
    struct sandbox *s = client_start(&(struct sandbox_config){.plan_limit = -1, .seed = 1, .job_ms = 2000000});
    uint16_t port = sandbox_port(s);
    client_control(port, "{\"faults\":\"POST *:late-write@3000000=#2,late-write@1000000=#3\"}");
    json_object_put(client_json(port, "POST", "/api/v2/leads/list", "{}"));
    struct client_answer answer = client_ask(port, "POST", "/api/v2/leads/move", move);
    ck_assert_int_eq(answer.end, CLIENT_EMPTY); /* starts at 3000 s, ends at 5000 s */
    client_free(&answer);
    answer = client_ask(port, "POST", "/api/v2/leads/add", CLIENT_ONE_LEAD);
    ck_assert_int_eq(answer.end, CLIENT_EMPTY); /* at 1000 s, so before the move */
    client_free(&answer);
    client_control(port, "{\"advance_ms\":4000000}");
    ck_assert_int_eq(client_counter(port, "created"), 1);
    ck_assert_int_eq(client_counter(port, "moved"), 0);
    client_control(port, "{\"advance_ms\":1000000}");
    ck_assert_int_eq(client_counter(port, "moved"), 1);
    /* one that is still to come ends with the sandbox */
    client_control(port, "{\"faults\":\"POST *:late-write=1\"}");
    answer = client_ask(port, "POST", "/api/v2/leads/add", CLIENT_ONE_LEAD);
    client_free(&answer);
    sandbox_free(s);
}
END_TEST

static void *ask_for_one(void *port)
{
    struct client_answer answer = client_ask(*(uint16_t *)port, "POST", "/api/v2/leads/add", CLIENT_ONE_LEAD);
    bool well = answer.end == CLIENT_DONE && answer.status == 200;
    client_free(&answer);
    return well ? port : NULL;
}

START_TEST(who_waits_is_answered_on_demand)
{
    struct sandbox *s = client_start(&(struct sandbox_config){.faults = "POST /leads/add:slow@3600000=1", .plan_limit = -1});
    uint16_t port = sandbox_port(s);
    pthread_t asking;
    void *well;
    ck_assert_int_eq(pthread_create(&asking, NULL, ask_for_one, &port), 0);
    while (client_counter(port, "created") == 0)
        usleep(1000);
    client_control(port, "{\"answer\":true}");
    ck_assert_int_eq(pthread_join(asking, &well), 0);
    ck_assert_ptr_nonnull(well);
    sandbox_free(s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sandbox_faults");
    TCase *t = tcase_create("faults");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, faults_are_real, 0, sizeof wires / sizeof wires[0]);
    tcase_add_test(t, date_follows_the_clock);
    tcase_add_test(t, late_writes_come_late);
    tcase_add_test(t, late_writes_keep_the_order_of_their_times);
    tcase_add_test(t, who_waits_is_answered_on_demand);
    suite_add_tcase(suite, t);
    return unit_run(suite);
}
