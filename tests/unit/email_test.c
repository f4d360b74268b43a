#include "config.h"

#include "mappings/convert/email.h"
#include "tests/unit/convert_cases.h"
#include "tests/unit/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *check_address(const struct test_case *c)
{
    struct arena arena;
    struct email email;
    struct str trimmed = str_trim(c->fields[0]), send = c->n == 3 ? c->fields[1] : trimmed, key = c->fields[c->n - 1];
    const char *why = NULL;

    arena_init(&arena, 1 << 16);
    ck_assert_int_eq(email_parse(c->fields[0], &arena, &email), 0);
    if (key.n > 1 && key.p[0] == '!') {
        char wanted[200];
        snprintf(wanted, sizeof wanted, "%.*s", (int)key.n - 2, key.p + 2);
        if (email.why == NULL)
            why = case_said("is taken as %.*s, but %s", STR_ARG(email.send), wanted);
        else if (strstr(email.why, wanted) == NULL)
            why = case_said("\"%s\" does not say \"%s\"", email.why, wanted);
        else if (email.send.n != 0 || email.key.n != 0)
            why = "a refused address leaves something to be sent";
    } else if (email.why != NULL) {
        why = case_said("is refused: %s", email.why);
    } else if (!str_eq(email.send, send) || !str_eq(email.key, key)) {
        why = case_said("is sent as %.*s and known as %.*s", STR_ARG(email.send), STR_ARG(email.key));
    }
    arena_free(&arena);
    return why;
}

START_TEST(addresses)
{
    cases_run("email/addresses.txt", 200, check_address);
}
END_TEST

static const char *check_unwrap(const struct test_case *c)
{
    struct str got = email_unwrap(c->fields[0]);
    return str_eq(got, c->fields[1]) ? NULL : case_said("gives %.*s", STR_ARG(got));
}

START_TEST(unwrapping)
{
    cases_run("email/unwrap.txt", 10, check_unwrap);
}
END_TEST

/* The hot path: what is in order already is not copied, and needs no arena. */
START_TEST(nothing_is_copied)
{
    struct arena none;
    struct email email;
    struct str raw = STR("  anna.muster+x@mail.example.com\n");

    arena_init(&none, 0);
    ck_assert_int_eq(email_parse(raw, &none, &email), 0);
    ck_assert_ptr_null(email.why);
    ck_assert_ptr_eq(email.send.p, raw.p + 2);
    ck_assert_ptr_eq(email.key.p, raw.p + 2);
    ck_assert_uint_eq(email.key.n, raw.n - 3);
}
END_TEST

START_TEST(limits)
{
    struct arena arena;
    struct email email;
    char raw[400], label[70];

    arena_init(&arena, 4096);
    memset(raw, 'a', sizeof raw);
    memset(label, 'b', sizeof label);
    for (size_t local = 63; local <= 65; local++) {
        memcpy(raw + local, "@example.com", 12);
        ck_assert_int_eq(email_parse((struct str){raw, local + 12}, &arena, &email), 0);
        ck_assert_msg((email.why == NULL) == (local <= EMAIL_LOCAL_MAX), "local part of %zu", local);
        memset(raw + local, 'a', 12);
    }
    for (size_t n = 62; n <= 64; n++) {
        int len = snprintf(raw, sizeof raw, "a@%.*s.com", (int)n, label);
        ck_assert_int_eq(email_parse((struct str){raw, (size_t)len}, &arena, &email), 0);
        ck_assert_msg((email.why == NULL) == (n <= EMAIL_LABEL_MAX), "label of %zu", n);
    }
    /* 64 + 1 + 3 * 60 + dots: the address as a whole */
    for (size_t n = 4; n <= 6; n++) {
        char local[65];
        memset(local, 'a', 64);
        local[64] = 0;
        int len = snprintf(raw, sizeof raw, "%s@%.60s.%.60s.%.60s.%.*s", local, label, label, label, (int)n, label);
        ck_assert_int_eq(email_parse((struct str){raw, (size_t)len}, &arena, &email), 0);
        ck_assert_msg((email.why == NULL) == (len <= EMAIL_MAX), "address of %d", len);
    }
    arena_free(&arena);
}
END_TEST

/* Without memory: an error, no verdict. Every number of bytes, so that each allocation fails once. */
START_TEST(short_of_memory)
{
    static const char *const raws[] = {"A@Example.com", "jos\xc3\xa9@M\xc3\xbcller.example",
                                       "\"A b\"@m\xc3\xbcller.example"};

    for (size_t i = 0; i < sizeof raws / sizeof raws[0]; i++) {
        int rc = -1;
        for (size_t max = 0; max <= 512; max += 16) {
            struct arena arena;
            struct email email;
            arena_init(&arena, max);
            rc = email_parse(str_from(raws[i]), &arena, &email);
            ck_assert(rc == -1 || email.why == NULL);
            arena_free(&arena);
            if (max == 0)
                ck_assert_int_eq(rc, -1);
        }
        ck_assert_int_eq(rc, 0);
    }
}
END_TEST

START_TEST(unknown_tlds)
{
    static const struct {
        const char *address;
        bool unknown;
    } cases[] = {{"a@example.com", false},
                 {"a@example.COM", false},
                 {"a@example.con", true},
                 {"a@b.co.uk", false},
                 {"a@b.cmo", true},
                 {"a@b.xn--p1ai", false},
                 {"a@b.\xd1\x80\xd1\x84", false},
                 {"a@b.museum", false},
                 {"a@github.io", false},
                 {"a@b.example", false},
                 {"a@b.invalid", true}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena;
        struct email email;
        arena_init(&arena, 4096);
        ck_assert_int_eq(email_parse(str_from(cases[i].address), &arena, &email), 0);
        ck_assert_ptr_null(email.why);
        ck_assert_msg(email_tld_unknown(email.key) == cases[i].unknown, "%s", cases[i].address);
        arena_free(&arena);
    }
    ck_assert(!email_tld_unknown(STR_NONE));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("email");
    TCase *all = tcase_create("all");
    tcase_add_test(all, addresses);
    tcase_add_test(all, unwrapping);
    tcase_add_test(all, nothing_is_copied);
    tcase_add_test(all, limits);
    tcase_add_test(all, short_of_memory);
    tcase_add_test(all, unknown_tlds);
    suite_add_tcase(suite, all);
    return unit_run(suite);
}
