#include "config.h"

#include "sync/base/hash.h"
#include "sync/base/jsonw.h"
#include "tests/unit/harness.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Some of everything; returns what jsonw_end() says. */
static int write_document(struct buf *out)
{
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_member_array(&w, "a");
    jsonw_int(&w, -5);
    jsonw_uint(&w, UINT64_MAX);
    jsonw_int(&w, INT64_MIN);
    jsonw_array_end(&w);
    jsonw_key_str(&w, STR("b\"c"));
    jsonw_object(&w);
    jsonw_object_end(&w);
    jsonw_member_number(&w, "n", 1.25, 1);
    jsonw_member_number(&w, "inf", INFINITY, 1);
    jsonw_member_bool(&w, "t", true);
    jsonw_key_plain(&w, STR("\"f\":"));
    jsonw_bool(&w, false);
    jsonw_member_text(&w, "z", NULL);
    jsonw_member_text(&w, "s", "x");
    jsonw_member_raw(&w, "r", STR("[1,2]"));
    jsonw_member_array(&w, "e");
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    return jsonw_end(&w);
}

static const char document[] =
    "{\"a\":[-5,18446744073709551615,-9223372036854775808],\"b\\\"c\":{},\"n\":1.2,\"inf\":null,\"t\":true,"
    "\"f\":false,\"z\":null,\"s\":\"x\",\"r\":[1,2],\"e\":[]}";

START_TEST(a_document)
{
    struct buf out = BUF_INIT(4096);
    ck_assert_int_eq(write_document(&out), 0);
    ck_assert_str_eq(buf_cstr(&out), document);
    buf_free(&out);
}
END_TEST

/* Each member with a value, and with what it writes null for. */
START_TEST(members)
{
    static const struct uuid id = {.b = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
    struct buf out = BUF_INIT(4096);
    struct jsonw w;
    jsonw_init(&w, &out);
    jsonw_object(&w);
    jsonw_member_object(&w, "o");
    jsonw_member_str(&w, "s", STR("x"));
    jsonw_member_str(&w, "s0", STR_NONE);
    jsonw_member_str_or_null(&w, "n", STR("x"));
    jsonw_member_str_or_null(&w, "n0", STR(""));
    jsonw_object_end(&w);
    jsonw_member_int(&w, "i", -1);
    jsonw_member_uint(&w, "u", 1);
    jsonw_member_count(&w, "c", 0);
    jsonw_member_count(&w, "c0", -1);
    jsonw_member_ordinal(&w, "d", 1);
    jsonw_member_ordinal(&w, "d0", 0);
    jsonw_member_null(&w, "z");
    jsonw_member_raw(&w, "r0", STR_NONE);
    jsonw_member_time(&w, "t", 1000);
    jsonw_member_time(&w, "t0", 0);
    jsonw_member_uuid(&w, "id", &id);
    jsonw_member_uuid(&w, "id0", NULL);
    jsonw_object_end(&w);
    ck_assert_int_eq(jsonw_end(&w), 0);
    ck_assert_str_eq(buf_cstr(&out),
                     "{\"o\":{\"s\":\"x\",\"s0\":\"\",\"n\":\"x\",\"n0\":null},\"i\":-1,\"u\":1,\"c\":0,\"c0\":null,"
                     "\"d\":1,\"d0\":null,\"z\":null,\"r0\":null,\"t\":\"1970-01-01T00:00:01.000Z\",\"t0\":null,"
                     "\"id\":\"01020304-0506-0708-090a-0b0c0d0e0f10\",\"id0\":null}");
    buf_free(&out);
}
END_TEST

START_TEST(any_maximum_is_reported)
{
    for (size_t max = 0; max < sizeof document - 1; max++) {
        struct buf out = BUF_INIT(max);
        errno = 0;
        ck_assert_int_eq(write_document(&out), -1);
        ck_assert_int_eq(errno, EOVERFLOW);
        buf_free(&out);
    }
}
END_TEST

static void check_string(struct str in, const char *expected, size_t i)
{
    struct buf out = BUF_INIT(4096);
    struct jsonw w;
    jsonw_init(&w, &out);
    jsonw_str(&w, in);
    ck_assert_int_eq(jsonw_end(&w), 0);
    ck_assert_msg(str_is(buf_str(&out), expected), "case %zu: %.*s", i, STR_ARG(buf_str(&out)));
    buf_free(&out);
}

START_TEST(strings)
{
    static const struct {
        struct str in;
        const char *out;
        /* clang-format off */
    } cases[] = {
        {{"", 0}, "\"\""},
        {{NULL, 0}, "\"\""},
        {{"plain text of some length", 25}, "\"plain text of some length\""},
        {{"\"\\/\b\f\n\r\t\x7f", 9}, "\"\\\"\\\\/\\b\\f\\n\\r\\t\x7f\""},
        {{"\0\x01\x1f", 3}, "\"\\u0000\\u0001\\u001f\""},
        {{"caf\xc3\xa9 \xf0\x9f\x98\x80", 10}, "\"caf\xc3\xa9 \xf0\x9f\x98\x80\""},
        {{"a\xff" "b\xc3", 4}, "\"a\xef\xbf\xbd" "b\xef\xbf\xbd\""},
        {{"\xed\xa0\x80", 3}, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {{"\xc3\xa9\n\xc3\xa9", 5}, "\"\xc3\xa9\\n\xc3\xa9\""},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_string(cases[i].in, cases[i].out, i);
}
END_TEST

/* What a command prints is the same JSON, without characters that a terminal acts on or does not show. */
START_TEST(hidden_characters)
{
    static const struct {
        const char *in, *out;
        /* clang-format off */
    } cases[] = {
        {"caf\xc3\xa9 \xf0\x9f\x98\x80 \xe2\x82\xac", "caf\xc3\xa9 \xf0\x9f\x98\x80 \xe2\x82\xac"},
        {"\xc2\x9b" "31m", "\\u009b31m"},
        {"a\xc2\x85\xc2\xad" "b", "a\\u0085\\u00adb"},
        {"\xe2\x80\xae" "moc", "\\u202emoc"},
        {"x\xe2\x81\xa6y\xe2\x81\xa9", "x\\u2066y\\u2069"},
        {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},
        {"p\xe2\x80\x8b@example.org", "p\\u200b@example.org"},
        {"\xef\xbb\xbf\xff\"", "\\ufeff\xef\xbf\xbd\\\""},
        {"\xf3\xa0\x81\x81", "\\udb40\\udc41"},
        {"eight by\xe2\x80\x8b", "eight by\\u200b"},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = BUF_INIT(4096), plain = BUF_INIT(4096), copy = BUF_INIT(4096);
        struct jsonw w;
        jsonw_init_output(&w, &out);
        jsonw_object(&w);
        jsonw_member_text(&w, cases[i].in, cases[i].in);
        jsonw_object_end(&w);
        ck_assert_int_eq(jsonw_end(&w), 0);
        ck_assert_int_eq(buf_addf(&copy, "{\"%s\":\"%s\"}", cases[i].out, cases[i].out), 0);
        ck_assert_msg(str_eq(buf_str(&out), buf_str(&copy)), "case %zu: %.*s", i, STR_ARG(buf_str(&out)));
        /* What another writer made. */
        jsonw_init(&w, &plain);
        jsonw_object(&w);
        jsonw_member_text(&w, cases[i].in, cases[i].in);
        jsonw_object_end(&w);
        buf_reset(&copy);
        ck_assert_int_eq(jsonw_copy_output(buf_str(&plain), &copy), 0);
        ck_assert_msg(str_eq(buf_str(&out), buf_str(&copy)), "case %zu: %.*s", i, STR_ARG(buf_str(&copy)));
        buf_reset(&copy);
        jsonw_init_output(&w, &copy);
        jsonw_raw(&w, buf_str(&plain));
        ck_assert(str_eq(buf_str(&out), buf_str(&copy)));
        buf_free(&out);
        buf_free(&plain);
        buf_free(&copy);
    }
}
END_TEST

/* Every byte, at every place of the eight-byte words. */
START_TEST(every_byte_at_every_offset)
{
    char in[24], expected[64];
    for (int byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < sizeof in; at++) {
            const char *shown;
            char escape[8];
            memset(in, 'x', sizeof in);
            in[at] = (char)byte;
            if (byte >= 0x80)
                shown = "\xef\xbf\xbd";
            else if (byte == '"')
                shown = "\\\"";
            else if (byte == '\\')
                shown = "\\\\";
            else if (byte >= 0x20) {
                escape[0] = (char)byte;
                escape[1] = '\0';
                shown = escape;
            } else {
                static const char *const shorts[0x20] =
                    {['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"};
                snprintf(escape, sizeof escape, "\\u%04x", (unsigned)byte & 0x1fu);
                shown = shorts[byte] != NULL ? shorts[byte] : escape;
            }
            snprintf(expected, sizeof expected, "\"%.*s%s%.*s\"", (int)at, in, shown, (int)(sizeof in - at - 1),
                     in + at + 1);
            check_string((struct str){in, sizeof in}, expected, (size_t)byte);
        }
    }
}
END_TEST

START_TEST(mistakes_of_the_caller)
{
    struct buf out = BUF_INIT(4096);
    struct jsonw w;
    jsonw_init(&w, &out);
    ck_assert_int_eq(jsonw_end(&w), -1); /* nothing written */
    ck_assert_int_eq(errno, EINVAL);
    jsonw_init(&w, &out);
    jsonw_array(&w);
    ck_assert_int_eq(jsonw_end(&w), -1); /* not closed */
    ck_assert_int_eq(errno, EINVAL);
    jsonw_init(&w, &out);
    jsonw_array_end(&w); /* not open */
    ck_assert_int_eq(jsonw_end(&w), -1);
    jsonw_init(&w, &out);
    jsonw_int(&w, 1);
    jsonw_int(&w, 2); /* two values */
    ck_assert_int_eq(jsonw_end(&w), -1);
    jsonw_init(&w, &out);
    jsonw_key(&w, "a"); /* outside an object */
    ck_assert_int_eq(jsonw_end(&w), -1);
    ck_assert_int_eq(errno, EINVAL);
    buf_free(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("jsonw");
    TCase *tc = tcase_create("jsonw");
    tcase_add_test(tc, a_document);
    tcase_add_test(tc, members);
    tcase_add_test(tc, any_maximum_is_reported);
    tcase_add_test(tc, strings);
    tcase_add_test(tc, hidden_characters);
    tcase_add_test(tc, every_byte_at_every_offset);
    tcase_add_test(tc, mistakes_of_the_caller);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
