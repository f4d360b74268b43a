#include "config.h"

#include "sync/base/str.h"
#include "tests/unit/harness.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

START_TEST(comparisons)
{
    ck_assert(str_eq(STR_NONE, STR("")));
    ck_assert(str_eq(STR("ab"), STR("ab")));
    ck_assert(!str_eq(STR("ab"), STR("abc")));
    ck_assert(!str_eq(STR("ab"), STR("aB")));
    ck_assert(str_eq_nocase(STR("aB-\xc3\xa9"), STR("Ab-\xc3\xa9")));
    ck_assert(!str_eq_nocase(STR("\xc3\x89"), STR("\xc3\xa9")));
    ck_assert(!str_eq_nocase(STR("@["), STR("`{")));
    ck_assert(str_is(STR("email"), "email"));
    ck_assert(!str_is(STR("email\0"), "email"));
    ck_assert(str_is(str_from(NULL), ""));
    ck_assert_int_lt(str_cmp(STR("a"), STR("ab")), 0);
    ck_assert_int_gt(str_cmp(STR("ab"), STR("a")), 0);
    ck_assert_int_lt(str_cmp(STR("a"), STR("\xff")), 0);
    ck_assert_int_eq(str_cmp(STR_NONE, STR("")), 0);
}
END_TEST

START_TEST(trimming)
{
    static const struct {
        struct str in, out;
        /* clang-format off */
    } cases[] = {
        {{"", 0}, {"", 0}},
        {{" \t\r\n\v\f", 6}, {"", 0}},
        {{"  a b ", 6}, {"a b", 3}},
        {{"\xef\xbb\xbf" "a", 4}, {"a", 1}},
        {{"\xc2\xa0" "a\xc2\xa0 ", 6}, {"a", 1}},
        {{"\xc3\xa0", 2}, {"\xc3\xa0", 2}},             /* à ends in the byte that NBSP ends in */
        {{"a\xa0", 2}, {"a\xa0", 2}},                   /* alone it is no blank */
        {{"\xc2", 1}, {"\xc2", 1}},
        {{"\xef\xbb", 2}, {"\xef\xbb", 2}},
        {{"\0a\0", 3}, {"\0a\0", 3}},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(str_eq(str_trim(cases[i].in), cases[i].out), "case %zu", i);
    ck_assert_uint_eq(str_trim(STR_NONE).n, 0);
}
END_TEST

START_TEST(copies)
{
    char *copy = str_dup(STR_NONE);
    ck_assert_str_eq(copy, "");
    free(copy);
    copy = str_dup((struct str){"abcdef", 3});
    ck_assert_str_eq(copy, "abc");
    free(copy);
    ck_assert_int_eq(str_len_int((struct str){"", (size_t)INT_MAX + 5}), INT_MAX);
    ck_assert_int_eq(str_len_int(STR("abc")), 3);
}
END_TEST

START_TEST(finding)
{
    struct str in = STR("aabaabaac");
    ck_assert_ptr_eq(str_find(in, STR("aab")), in.p);
    ck_assert_ptr_eq(str_find(in, STR("aac")), in.p + 6);
    ck_assert_ptr_eq(str_find(in, in), in.p);
    ck_assert_ptr_null(str_find(in, STR("aad")));
    ck_assert_ptr_null(str_find(in, STR("c\0")));
    ck_assert_ptr_null(str_find(in, STR("aabaabaaca")));
    ck_assert_ptr_null(str_find(in, STR_NONE));
    ck_assert_ptr_null(str_find(STR_NONE, STR("a")));
    ck_assert_ptr_null(str_find(STR_NONE, STR_NONE));
    /* Every length to both sides of the one from which on memmem() is asked, in memory that ASan guards. */
    for (size_t n = 1; n < 100; n++) {
        char *text = malloc(2 * n);
        memset(text, 'x', 2 * n);
        text[2 * n - 1] = 'y';
        struct str what = {text + n, n};
        ck_assert_ptr_eq(str_find((struct str){text, 2 * n}, what), text + n);
        ck_assert_ptr_null(str_find((struct str){text, 2 * n - 1}, what));
        free(text);
    }
}
END_TEST

START_TEST(nearest)
{
    static const char *const words[] = {"email", "first_name", "last_name", "phone", "o", "website"};
    static const struct {
        const char *word, *near;
        /* clang-format off */
    } cases[] = {
        {"emial", "email"}, {"EMAIL", "email"}, {"e-mail", "email"},   {"fist_name", "first_name"},
        {"lastname", "last_name"}, {"fone", "phone"}, {"webiste", "website"}, {"company", NULL},
        {"x", NULL}, {"", NULL}, {"zzzzz", NULL}, {"em", NULL},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *near = str_nearest(str_from(cases[i].word), words, sizeof words / sizeof words[0]);
        if (cases[i].near == NULL)
            ck_assert_msg(near == NULL, "%s is near %s", cases[i].word, near != NULL ? near : "");
        else
            ck_assert_str_eq(near, cases[i].near);
    }
    ck_assert_ptr_null(str_nearest(STR("email"), words, 0));
    /* Slips only, no other words. */
    static const char *const options[] = {"list", "raw", "version", "all-columns", "requests-per-second"};
    static const char *const others[] = {"limit", "row", "reason", "all", "request"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        ck_assert_ptr_null(str_near_miss(str_from(others[i]), options, sizeof options / sizeof options[0]));
    ck_assert_str_eq(str_near_miss(STR("lsit"), options, 5), "list");
    ck_assert_str_eq(str_near_miss(STR("requests_per-secnd"), options, 5), "requests-per-second");
    char longest[200];
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = 'a';
    ck_assert_ptr_null(str_nearest((struct str){longest, sizeof longest}, words, 1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("str");
    TCase *tc = tcase_create("str");
    tcase_add_test(tc, comparisons);
    tcase_add_test(tc, trimming);
    tcase_add_test(tc, copies);
    tcase_add_test(tc, finding);
    tcase_add_test(tc, nearest);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
