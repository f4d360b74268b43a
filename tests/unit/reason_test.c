#include "config.h"

#include "sync/model/reason.h"
#include "tests/unit/harness.h"

#include <string.h>

START_TEST(names_are_found_again)
{
    for (int r = 1; r < REASON_N; r++)
        ck_assert_int_eq(reason_find(str_from(reason_text((enum reason)r))), r);
    for (int o = 1; o < OUTCOME_N; o++)
        ck_assert_int_eq(outcome_find(str_from(outcome_text((enum outcome)o))), o);
    ck_assert_int_eq(reason_find(STR("")), -1);
    ck_assert_int_eq(outcome_find(STR("")), -1);
    ck_assert_int_eq(reason_find(STR("in_tarGet")), -1);
    ck_assert_str_eq(reason_text(REASON_NONE), "");
    ck_assert_str_eq(outcome_text(OUTCOME_NONE), "");
    ck_assert_str_eq(reason_text(REASON_N), "");
    ck_assert_str_eq(outcome_text(OUTCOME_N), "");
}
END_TEST

START_TEST(everything_is_explained)
{
    for (int r = 1; r < REASON_N; r++) {
        const char *help = reason_help((enum reason)r);
        ck_assert_msg(strlen(help) > 10 && help[strlen(help) - 1] != '.', "%s: %s", reason_text((enum reason)r), help);
    }
    ck_assert_str_eq(reason_help(REASON_NONE), "");
    ck_assert_str_eq(reason_help(REASON_N), "");
}
END_TEST

START_TEST(numbers_are_stored_and_must_stay)
{
    /* States hold these numbers. */
    ck_assert_int_eq(OUTCOME_REMOVED, 8);
    ck_assert_int_eq(REASON_DUPLICATE_IN_SOURCE, 1);
    ck_assert_int_eq(REASON_EMAIL_MISSING, 15);
    ck_assert_int_eq(REASON_GONE_THERE, 29);
    ck_assert_int_eq(REASON_VERIFICATION_OPEN, 40);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reason");
    TCase *tc = tcase_create("reason");
    tcase_add_test(tc, names_are_found_again);
    tcase_add_test(tc, everything_is_explained);
    tcase_add_test(tc, numbers_are_stored_and_must_stay);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
