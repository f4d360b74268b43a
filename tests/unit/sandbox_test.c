/* The sandbox as a server: start and stop, limits, the store. What it answers is in the cases. */
#include "sync/base/clock.h"
#include "sync/base/file.h"
#include "sync/base/stop.h"
#include "sync/sandbox/sandbox.h"
#include "tests/unit/harness.h"
#include "tests/unit/sandbox_client.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- start --- */

static void refused(const struct sandbox_config *config, enum exit_status status, const char *says)
{
    struct sandbox *s = NULL;
    struct err e = ERR_INIT;
    ck_assert_int_eq(sandbox_start(config, &s, &e), -1);
    ck_assert_ptr_null(s);
    ck_assert_int_eq(e.status, status);
    ck_assert_msg(strstr(err_text(&e), says) != NULL, "%s", err_text(&e));
    err_clear(&e);
}

START_TEST(start_refuses)
{
    char *dir = unit_tmpdir(), *junk = path_join(dir, "junk"), *absent = path_join(dir, "absent/file");
    refused(&(struct sandbox_config){.faults = "POST"}, XS_USAGE, "fault rule");
    refused(&(struct sandbox_config){.key_file = absent}, XS_USAGE, "key");
    refused(&(struct sandbox_config){.store = dir}, XS_STATE, dir);
    refused(&(struct sandbox_config){.store = absent}, XS_STATE, absent);
    FILE *f = fopen(junk, "w");
    fputs("name,email\n", f);
    fclose(f);
    refused(&(struct sandbox_config){.store = junk}, XS_STATE, "not a line of a sandbox store");
    struct sandbox *s = client_start(&(struct sandbox_config){0});
    refused(&(struct sandbox_config){.port = sandbox_port(s)}, XS_IO, "--port 0");
    sandbox_free(s);
    sandbox_free(NULL);
    free(absent);
    free(junk);
    free(dir);
}
END_TEST

START_TEST(serves_until_a_signal)
{
    struct sandbox *s = client_start(&(struct sandbox_config){0});
    struct err e = ERR_INIT;
    uint16_t port = sandbox_port(s);
    json_object_put(client_json(port, "GET", "/api/v2/campaigns", NULL));
    stop_set(SIGTERM);
    ck_assert_int_eq(sandbox_serve(s, &e), 0);
    stop_set(0);
    sandbox_free(s);
    /* the port is free again */
    s = client_start(&(struct sandbox_config){.port = port});
    sandbox_free(s);
}
END_TEST

START_TEST(key_file_is_the_only_key)
{
    char *dir = unit_tmpdir(), *path = path_join(dir, "key");
    FILE *f = fopen(path, "w");
    fputs("secret-key\n", f);
    fclose(f);
    struct sandbox *s = client_start(&(struct sandbox_config){.key_file = path});
    struct client_answer answer = client_ask(sandbox_port(s), "GET", "/api/v2/campaigns", NULL);
    ck_assert_int_eq(answer.status, 401);
    client_free(&answer);
    struct client_request request = {.method = "GET",
                                     .path = "/api/v2/campaigns",
                                     .headers = {"-Authorization", "Authorization: Bearer secret-key"}};
    client_send(sandbox_port(s), &request, &answer);
    ck_assert_int_eq(answer.status, 200);
    client_free(&answer);
    sandbox_free(s);
    free(path);
    free(dir);
}
END_TEST

START_TEST(names_have_ids_of_their_own)
{
    const char *const names[] = {"Alpha", "Alpha"};
    struct sandbox_config config = {.campaigns = names, .campaigns_n = 2, .lists = names, .lists_n = 1};
    char first[2][64];
    for (int round = 0; round < 2; round++) {
        struct sandbox *s = client_start(&config);
        json_object *all = client_json(sandbox_port(s), "GET", "/api/v2/campaigns?search=Alpha", NULL), *items, *id;
        ck_assert(json_object_object_get_ex(all, "items", &items));
        ck_assert_uint_eq(json_object_array_length(items), 2);
        ck_assert(json_object_object_get_ex(json_object_array_get_idx(items, 0), "id", &id));
        snprintf(first[round], sizeof first[round], "%s", json_object_get_string(id));
        json_object_put(all);
        sandbox_free(s);
    }
    ck_assert_str_eq(first[0], first[1]); /* the name alone decides */
}
END_TEST

/* A word behind the last colon is a status when it is one; else it belongs to the name, as a list's does. */
START_TEST(campaigns_have_a_status)
{
    static const struct {
        const char *text, *name;
        int status;
    } rows[] = {
        {"Plain", "Plain", 0},      {"A:draft", "A", 0},         {"B:active", "B", 1},
        {"C: x:paused", "C: x", 2}, {"D:completed", "D", 3},     {"E:running", "E:running", 0},
        {":active", ":active", 0},  {"F:Active", "F:Active", 0}, {"G:active:draft", "G:active", 0},
    };
    enum { ROWS_N = sizeof rows / sizeof rows[0] };
    const char *names[ROWS_N];
    const char *const lists[] = {"L:active"};
    for (size_t i = 0; i < ROWS_N; i++)
        names[i] = rows[i].text;
    struct sandbox *s = client_start(
        &(struct sandbox_config){.campaigns = names, .campaigns_n = ROWS_N, .lists = lists, .lists_n = 1});
    json_object *all = client_json(sandbox_port(s), "GET", "/api/v2/campaigns?limit=100", NULL), *items, *v;
    ck_assert(json_object_object_get_ex(all, "items", &items));
    for (size_t i = 0; i < ROWS_N; i++) {
        bool found = false;
        for (size_t k = 0; k < json_object_array_length(items) && !found; k++) {
            json_object *item = json_object_array_get_idx(items, k);
            ck_assert(json_object_object_get_ex(item, "name", &v));
            found = strcmp(json_object_get_string(v), rows[i].name) == 0;
            if (found && json_object_object_get_ex(item, "status", &v))
                ck_assert_int_eq(json_object_get_int(v), rows[i].status);
        }
        ck_assert_msg(found, "no campaign %s", rows[i].name);
    }
    json_object_put(all);
    all = client_json(sandbox_port(s), "GET", "/api/v2/lead-lists?search=L%3Aactive", NULL);
    ck_assert(json_object_object_get_ex(all, "items", &items));
    ck_assert_uint_eq(json_object_array_length(items), 1);
    json_object_put(all);
    sandbox_free(s);
}
END_TEST

START_TEST(seed_decides_ids)
{
    char ids[2][64];
    for (int round = 0; round < 2; round++) {
        struct sandbox *s = client_start(&(struct sandbox_config){.seed = 11, .plan_limit = -1});
        json_object *o = client_json(sandbox_port(s), "POST", "/api/v2/leads/add", CLIENT_ONE_LEAD), *leads, *id;
        ck_assert(json_object_object_get_ex(o, "created_leads", &leads));
        ck_assert(json_object_object_get_ex(json_object_array_get_idx(leads, 0), "id", &id));
        snprintf(ids[round], sizeof ids[round], "%s", json_object_get_string(id));
        json_object_put(o);
        sandbox_free(s);
    }
    ck_assert_str_eq(ids[0], ids[1]);
}
END_TEST

/* --- limits --- */

START_TEST(rate_is_limited)
{
    struct sandbox *s = client_start(&(struct sandbox_config){.rate_per_second = 5, .rate_per_minute = 7, .plan_limit = -1});
    uint16_t port = sandbox_port(s);
    int ok = 0, limited = 0;
    for (int i = 0; i < 8; i++) {
        struct client_answer answer = client_ask(port, "GET", "/api/v2/campaigns", NULL);
        ok += answer.status == 200;
        limited += answer.status == 429;
        if (answer.status == 429) {
            ck_assert_str_eq(buf_cstr(&answer.body), "{\"statusCode\":429,\"error\":\"Too Many Requests\","
                                                     "\"message\":\"Rate limit exceeded\"}");
            ck_assert_ptr_null(strstr(buf_cstr(&answer.head), "Retry-After"));
            ck_assert_ptr_null(strstr(buf_cstr(&answer.head), "RateLimit"));
        }
        client_free(&answer);
    }
    ck_assert_int_eq(ok + limited, 8);
    ck_assert_int_ge(limited, 1); /* 5 in a second, 7 in a minute, however slow this machine is */
    ck_assert_int_eq(client_counter(port, "rate_limited"), limited);
    ck_assert_int_eq(client_counter(port, "max_in_60s"), 8);
    sandbox_free(s);
}
END_TEST

START_TEST(body_is_limited)
{
    struct sandbox *s = client_start(&(struct sandbox_config){.plan_limit = -1});
    size_t sizes[] = {1 << 20, (1 << 20) + 1, 5 << 20};
    for (size_t i = 0; i < 3; i++) {
        char *body = malloc(sizes[i]);
        memset(body, ' ', sizes[i]);
        body[0] = '{';
        body[sizes[i] - 1] = '}';
        struct client_request request = {.method = "POST", .path = "/api/v2/leads/list", .body = {body, sizes[i]}};
        struct client_answer answer;
        client_send(sandbox_port(s), &request, &answer);
        ck_assert_int_eq(answer.status, i == 0 ? 200 : 413);
        client_free(&answer);
        free(body);
    }
    sandbox_free(s);
}
END_TEST

START_TEST(header_is_limited)
{
    struct sandbox *s = client_start(&(struct sandbox_config){.plan_limit = -1});
    char path[20000];
    memset(path, 'x', sizeof path);
    memcpy(path, "/api/v2/campaigns?search=", 25);
    path[sizeof path - 1] = '\0';
    struct client_answer answer = client_ask(sandbox_port(s), "GET", path, NULL);
    ck_assert_int_eq(answer.status, 431);
    client_free(&answer);
    sandbox_free(s);
}
END_TEST

START_TEST(latency_delays_all_at_once)
{
    struct sandbox *s = client_start(&(struct sandbox_config){.latency_ms = 150, .plan_limit = -1});
    int64_t before = clock_system()->mono_us(clock_system());
    struct client_answer answer = client_ask(sandbox_port(s), "GET", "/api/v2/campaigns", NULL);
    int64_t took = clock_system()->mono_us(clock_system()) - before;
    ck_assert_int_eq(answer.status, 200);
    ck_assert_int_ge(took, 150000);
    client_free(&answer);
    sandbox_free(s);
}
END_TEST

/* --- store --- */

static char *snapshot(uint16_t port)
{
    json_object *state = client_json(port, "GET", "/__state", NULL);
    json_object_object_del(state, "counters");
    json_object_object_del(state, "knobs");
    char *text = strdup(json_object_to_json_string(state));
    json_object_put(state);
    return text;
}

static void change_much(uint16_t port)
{
    json_object_put(client_json(port, "POST", "/api/v2/leads/add", CLIENT_ONE_LEAD));
    client_control(port, "{\"campaigns\":[\"More\"],\"block\":[\"x.example\"],\"esp_ms\":0,"
                         "\"add\":[{\"to\":\"Incoming\",\"leads\":[{\"email\":\"l@b.co\","
                         "\"custom_variables\":{\"a\":1,\"b\":\"\\u00e9\\\"\"}},{\"first_name\":\"N\"}]},"
                         "{\"to\":\"More\",\"leads\":[{\"email\":\"gone@b.co\"}]}],\"status\":{\"l@b.co\":-2}}");
    client_control(port, "{\"delete\":[\"gone@b.co\"]}");
    json_object_put(client_json(port, "POST", "/api/v2/leads/move",
                                "{\"list_id\":\"" SANDBOX_LIST_INCOMING "\",\"contacts\":[\"l@b.co\"],"
                                "\"to_campaign_id\":\"" SANDBOX_CAMPAIGN_DEMO "\"}"));
    client_control(port, "{\"advance_ms\":300}");
    json_object_put(client_json(port, "POST", "/api/v2/leads/update-interest-status",
                                "{\"lead_email\":\"a@b.co\",\"interest_value\":2}"));
    json_object_put(client_json(port, "POST", "/api/v2/lead-lists", "{\"name\":\"Made\",\"has_enrichment_task\":true}"));
}

static void copy_file(const char *from, const char *to, const char *more)
{
    struct buf text = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    ck_assert_int_eq(file_read(from, &text, XS_STATE, XS_STATE, &e), 0);
    FILE *f = fopen(to, "w");
    ck_assert_uint_eq(fwrite(text.p, 1, text.n, f), text.n);
    fputs(more, f);
    fclose(f);
    buf_free(&text);
}

START_TEST(store_survives)
{
    char *dir = unit_tmpdir(), *path = path_join(dir, "store"), *killed = path_join(dir, "killed");
    struct sandbox_config config = {.store = path, .plan_limit = -1}, again = {.store = killed, .plan_limit = -1};
    struct sandbox *s = client_start(&config);
    change_much(sandbox_port(s));
    char *before = snapshot(sandbox_port(s));
    /* as kill -9 would leave it, once in the middle of a line */
    copy_file(path, killed, "{\"lead\":\"01a2");
    struct sandbox *t = client_start(&again);
    client_control(sandbox_port(t), "{\"esp_ms\":0}"); /* knobs are not kept, the clock is */
    char *after_kill = snapshot(sandbox_port(t));
    ck_assert_str_eq(after_kill, before);
    sandbox_free(t);
    sandbox_free(s);
    /* twice, so that the compact form is read too */
    for (int round = 0; round < 2; round++) {
        s = client_start(&config);
        client_control(sandbox_port(s), "{\"esp_ms\":0}");
        char *after = snapshot(sandbox_port(s));
        ck_assert_str_eq(after, before);
        free(after);
        sandbox_free(s);
    }
    /* what is there still counts */
    s = client_start(&config);
    json_object *o = client_json(sandbox_port(s), "POST", "/api/v2/leads/add", CLIENT_ONE_LEAD), *n;
    ck_assert(json_object_object_get_ex(o, "duplicated_leads", &n));
    ck_assert_int_eq(json_object_get_int(n), 1);
    json_object_put(o);
    sandbox_free(s);
    free(before);
    free(after_kill);
    free(killed);
    free(path);
    free(dir);
}
END_TEST

START_TEST(store_keeps_an_open_job)
{
    char *dir = unit_tmpdir(), *path = path_join(dir, "store");
    struct sandbox_config config = {.store = path, .plan_limit = -1, .job_ms = 3600000};
    struct sandbox *s = client_start(&config);
    json_object_put(client_json(sandbox_port(s), "POST", "/api/v2/leads/add", CLIENT_ONE_LEAD));
    json_object_put(client_json(sandbox_port(s), "POST", "/api/v2/leads/move",
                                "{\"campaign\":\"" SANDBOX_CAMPAIGN_DEMO "\",\"to_list_id\":\"" SANDBOX_LIST_INCOMING
                                "\"}"));
    sandbox_free(s);
    s = client_start(&config);
    struct client_answer answer = client_ask(sandbox_port(s), "POST", "/api/v2/leads/add", CLIENT_ONE_LEAD);
    ck_assert_int_eq(answer.status, 409); /* still locked */
    client_free(&answer);
    client_control(sandbox_port(s), "{\"advance_ms\":3600000}");
    ck_assert_int_eq(client_counter(sandbox_port(s), "moved"), 1);
    sandbox_free(s);
    free(path);
    free(dir);
}
END_TEST

START_TEST(store_never_gives_an_id_twice)
{
    char *dir = unit_tmpdir(), *path = path_join(dir, "store"), ids[3][64], lists[3][64];
    for (int round = 0; round < 3; round++) {
        struct sandbox *s = client_start(&(struct sandbox_config){.store = path, .seed = 5, .plan_limit = -1});
        json_object *o = client_json(sandbox_port(s), "POST", "/api/v2/leads/add", CLIENT_ONE_LEAD), *leads, *id;
        ck_assert(json_object_object_get_ex(o, "created_leads", &leads));
        ck_assert(json_object_object_get_ex(json_object_array_get_idx(leads, 0), "id", &id));
        snprintf(ids[round], sizeof ids[round], "%s", json_object_get_string(id));
        json_object_put(o);
        client_control(sandbox_port(s), "{\"delete\":[\"a@b.co\"]}");
        o = client_json(sandbox_port(s), "POST", "/api/v2/lead-lists", "{\"name\":\"x\"}");
        ck_assert(json_object_object_get_ex(o, "id", &id));
        snprintf(lists[round], sizeof lists[round], "%s", json_object_get_string(id));
        json_object_put(o);
        sandbox_free(s);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert_str_ne(ids[i], ids[(i + 1) % 3]);
        ck_assert_str_ne(lists[i], lists[(i + 1) % 3]);
    }
    free(path);
    free(dir);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sandbox");
    TCase *t = tcase_create("server");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, start_refuses);
    tcase_add_test(t, serves_until_a_signal);
    tcase_add_test(t, key_file_is_the_only_key);
    tcase_add_test(t, names_have_ids_of_their_own);
    tcase_add_test(t, campaigns_have_a_status);
    tcase_add_test(t, seed_decides_ids);
    tcase_add_test(t, rate_is_limited);
    tcase_add_test(t, body_is_limited);
    tcase_add_test(t, header_is_limited);
    tcase_add_test(t, latency_delays_all_at_once);
    tcase_add_test(t, store_survives);
    tcase_add_test(t, store_keeps_an_open_job);
    tcase_add_test(t, store_never_gives_an_id_twice);
    suite_add_tcase(suite, t);
    return unit_run(suite);
}
