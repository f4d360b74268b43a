/* Where the key may be sent: https anywhere, http to this machine only, and nothing that parsers read differently. */
#include "config.h"

#include "sync/api/http/url.h"
#include "tests/unit/harness.h"

#include <string.h>

static const struct good_case {
    const char *url, *base, *host;
    bool loopback;
} good_cases[] = {
    {"https://api.instantly.ai", "https://api.instantly.ai", "api.instantly.ai", false},
    {"https://api.instantly.ai///", "https://api.instantly.ai", "api.instantly.ai", false},
    {"HTTPS://Example.com:8443/prefix/", "HTTPS://Example.com:8443/prefix", "Example.com", false},
    {"http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1", true},
    {"http://127.9.9.9", "http://127.9.9.9", "127.9.9.9", true},
    {"http://localhost:1", "http://localhost:1", "localhost", true},
    {"http://LOCALHOST:65535/", "http://LOCALHOST:65535", "LOCALHOST", true},
    {"http://[::1]:99", "http://[::1]:99", "::1", true},
    {"https://[2001:db8::1]:443", "https://[2001:db8::1]:443", "2001:db8::1", false},
    {"https://127.0.0.1", "https://127.0.0.1", "127.0.0.1", true},
    /* Other forms of 127.0.0.1, which libcurl connects to. */
    {"http://127.1", "http://127.1", "127.0.0.1", true},
    {"http://2130706433:80", "http://2130706433:80", "127.0.0.1", true},
    {"http://0x7f.0.0.1", "http://0x7f.0.0.1", "127.0.0.1", true},
};

START_TEST(test_good)
{
    const struct good_case *c = &good_cases[_i];
    struct err e = ERR_INIT;
    struct url url;
    ck_assert_msg(url_check(c->url, XS_USAGE, "--api-url", &url, &e) == 0, "%s: %s", c->url, err_text(&e));
    ck_assert_str_eq(url.base, c->base);
    ck_assert_str_eq(url.host, c->host);
    ck_assert_int_eq(url.loopback, c->loopback);
    url_free(&url);
}
END_TEST

static const char *const bad_urls[] = {
    "",
    "api.instantly.ai",
    "ftp://127.0.0.1",
    "https:/x",
    "https://",
    "https:///path",
    "http://example.com",
    "http://api.instantly.ai",
    "http://127.0.0.1.example.com",
    "http://localhost.example.com",
    "http://0.0.0.0",
    "http://167772161", /* 10.0.0.1 */
    "http://[::]",
    "http://[::ffff:10.0.0.1]",
    "http://[::1",
    "http://[::1]x:1",
    "http://localhost@example.com/",
    "http://user:pass@127.0.0.1",
    "https://127.0.0.1:65536",
    "https://127.0.0.1:8080x",
    "https://a b.example",
    "https://example.com\\@127.0.0.1",
    "https://exa\nmple.com",
    "https://b\303\274cher.example",
    "https://example.com?x=1",
    "https://example.com#x",
    "http://example.com#@127.0.0.1/",
    "https://api.instantly.ai/api/v2",
    "https://api.instantly.ai/api/v2/",
};

START_TEST(test_bad)
{
    struct err e = ERR_INIT;
    struct url url;
    ck_assert_msg(url_check(bad_urls[_i], XS_CONFIG, "INSTANTLY_API_URL", &url, &e) == -1, "%s passed", bad_urls[_i]);
    ck_assert_ptr_null(url.base);
    ck_assert_int_eq(e.status, XS_CONFIG);
    ck_assert_ptr_nonnull(strstr(err_text(&e), "INSTANTLY_API_URL"));
    ck_assert_ptr_null(strstr(err_text(&e), "pass@"));
    err_clear(&e);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("url");
    TCase *tc = tcase_create("addresses");
    tcase_add_loop_test(tc, test_good, 0, sizeof good_cases / sizeof good_cases[0]);
    tcase_add_loop_test(tc, test_bad, 0, sizeof bad_urls / sizeof bad_urls[0]);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
