/* What a client may be made of, what it may be asked, and the brake of a dry run. */
#include "tests/unit/queue_kit.h"
#include <string.h>

/* The brake decides by method and path; what it lets through is listed, not what it stops. */
static const struct {
    const char *method, *path;
    bool passes;
} brake_rows[] = {
    {"GET", "/api/v2/campaigns", true},
    {"POST", "/api/v2/leads/list", true},
    {"POST", "/api/v2/leads/list?x", false},
    {"POST", "/api/v2/leads/listing", false},
    {"POST", "/api/v2/leads/add", false},
    {"POST", "/api/v2/leads", false},
    {"POST", "/api/v2/leads/move", false},
    {"POST", "/api/v2/something-new", false},
    {"POST", "/api/v2/email-verification", false},
    {"PATCH", "/api/v2/leads/x", false},
    {"DELETE", "/api/v2/leads", false},
    {"DELETE", "/api/v2/leads/x", false},
};

START_TEST(the_brake_of_a_dry_run)
{
    for (size_t i = 0; i < sizeof brake_rows / sizeof brake_rows[0]; i++) {
        open_with((struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t", .read_only = true});
        queue(brake_rows[i].method, brake_rows[i].path, false, false, 0);
        queue(brake_rows[i].method, brake_rows[i].path, true, false, 1);
        drain();
        ck_assert_uint_eq(told_n, 2);
        ck_assert_msg((fake.sent_n == 2) == brake_rows[i].passes, "%s %s", brake_rows[i].method, brake_rows[i].path);
        if (!brake_rows[i].passes) {
            ck_assert_uint_eq(fake.sent_n, 0);
            ck_assert_int_eq(told[0].class, API_FATAL);
            ck_assert_int_eq(told[0].xs, XS_INTERNAL);
        }
        teardown();
    }
    /* A GET that carries something is none. */
    open_with((struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t", .read_only = true});
    struct api_call call = {.method = "GET", .path = "/api/v2/leads", .body = STR("{}")};
    ck_assert_int_eq(api_call(api, &call, tell, &numbers[0], &e), 0);
    drain();
    ck_assert_uint_eq(fake.sent_n, 0);
    ck_assert_int_eq(told[0].class, API_FATAL);
    teardown();
    /* Taken back before it was called back. */
    open_with((struct api_config){.base_url = "https://api.example", .key = "k", .user_agent = "t", .read_only = true});
    queue("DELETE", "/api/v2/leads", true, false, 0);
}
END_TEST

static const struct {
    const char *url;
    bool fine;
} urls[] = {
    {"https://api.instantly.ai", true},
    {"https://api.instantly.ai/", true},
    {"https://gateway.example:8443/instantly", true},
    {"http://127.0.0.1:8080", true},
    {"http://127.1.2.3:8080", true},
    {"http://localhost:1", true},
    {"http://LOCALHOST", true},
    {"http://[::1]:9", true},
    {"https://[2001:db8::1]:9", true},
    {"http://api.instantly.ai", false},
    {"http://127.0.0.1.example.com", false},
    {"http://127.0.0.1@example.com", false},
    {"http://127.0.0.256", false},
    {"http://0127.0.0.1", false},
    {"http://128.0.0.1", false},
    {"http://[::ffff:127.0.0.1]", false},
    {"http://localhost.", false},
    {"http://", false},
    {"https://", false},
    {"https://:443", false},
    {"https://host:65536", false},
    {"https://host:80:80", false},
    {"https://user:pw@host", false},
    {"https://host?x", false},
    {"https://ho st", false},
    {"https://host\\@evil", false},
    {"ftp://host", false},
    {"api.instantly.ai", false},
    {"", false},
    {"https://api.instantly.ai/api/v2", false},
    {"https://[zz]", false},
};

START_TEST(addresses)
{
    struct err err = ERR_INIT;
    struct api *a = NULL;
    struct api_config config = {.base_url = urls[_i].url, .key = "k", .user_agent = "t"};
    clock_fake_init(&fake_clock, 0);
    fake_transport_init(&fake, &fake_clock);
    int r = api_new(&config, &fake.base, &fake_clock.base, &a, &err);
    ck_assert_msg((r == 0) == urls[_i].fine, "%s: %s", urls[_i].url, err_text(&err));
    ck_assert_int_eq(err.status, urls[_i].fine ? XS_DONE : XS_USAGE);
    if (r == 0)
        api_free(a);
    ck_assert(fake.freed);
    err_clear(&err);
}
END_TEST

static void check_config_refused(struct api_config config, enum exit_status status)
{
    struct err err = ERR_INIT;
    struct api *a = NULL;
    clock_fake_init(&fake_clock, 0);
    fake_transport_init(&fake, &fake_clock);
    ck_assert_int_eq(api_new(&config, &fake.base, &fake_clock.base, &a, &err), -1);
    ck_assert_int_eq(err.status, status);
    if (config.key != NULL && config.key[0] != '\0')
        ck_assert_ptr_null(strstr(err_text(&err), config.key));
    err_clear(&err);
}

START_TEST(bad_configurations)
{
    struct api_config config = plain_config;
    config.key = NULL;
    check_config_refused(config, XS_KEY);
    config.key = "";
    check_config_refused(config, XS_KEY);
    config.key = "secret\r\nX-Evil: 1";
    check_config_refused(config, XS_KEY);
    config.key = "secret key";
    check_config_refused(config, XS_KEY);
    config = plain_config;
    config.workspace = "a\nb";
    check_config_refused(config, XS_USAGE);
    config = plain_config;
    config.requests_per_minute = 100000000;
    check_config_refused(config, XS_CONFIG);
    config = plain_config;
    config.in_flight = 100000;
    check_config_refused(config, XS_CONFIG);
    config = plain_config;
    config.rate_share = "/nonexistent/folder/rate";
    check_config_refused(config, XS_STATE);
}
END_TEST

START_TEST(calls_that_are_none)
{
    struct api_call call = {.method = "PUT", .path = "/api/v2/leads"};
    ck_assert_int_eq(api_call(api, &call, tell, &numbers[0], &e), -1);
    ck_assert_int_eq(e.status, XS_INTERNAL);
    err_clear(&e);
    call = (struct api_call){.method = "GET", .path = "/api/v1/lead"};
    ck_assert_int_eq(api_call(api, &call, tell, &numbers[0], &e), -1);
    ck_assert_uint_eq(api_queued(api), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("api_config");
    TCase *t = tcase_create("plain configuration");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, calls_that_are_none);
    suite_add_tcase(s, t);
    TCase *own = tcase_create("own configuration");
    tcase_add_checked_fixture(own, NULL, teardown);
    tcase_add_test(own, the_brake_of_a_dry_run);
    suite_add_tcase(s, own);
    TCase *bare = tcase_create("no client");
    tcase_add_loop_test(bare, addresses, 0, (int)(sizeof urls / sizeof urls[0]));
    tcase_add_test(bare, bad_configurations);
    suite_add_tcase(s, bare);
    return unit_run(s);
}
