#include "config.h"

#include "sync/model/lead_status.h"
#include "sync/model/target.h"
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

START_TEST(statuses_of_leads)
{
    static const struct {
        int status;
        const char *text, *number;
        enum reason reason;
    } known[] = {
        {-3, "skipped", "-3", REASON_SKIPPED_THERE},
        {-2, "unsubscribed", "-2", REASON_UNSUBSCRIBED},
        {-1, "bounced", "-1", REASON_BOUNCED},
        {0, "new", "0", REASON_NONE},
        {1, "active", "1", REASON_NONE},
        {3, "completed", "3", REASON_NONE},
    };
    int status;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        ck_assert_str_eq(lead_status_text(known[i].status), known[i].text);
        ck_assert_int_eq(lead_status_find(str_from(known[i].text), &status), 0);
        ck_assert_int_eq(status, known[i].status);
        ck_assert_int_eq(lead_status_find(str_from(known[i].number), &status), 0);
        ck_assert_int_eq(status, known[i].status);
        ck_assert_int_eq(lead_status_reason(known[i].status), known[i].reason);
        if (known[i].reason != REASON_NONE)
            ck_assert_int_eq(lead_status_of_reason(known[i].reason), known[i].status);
    }
    ck_assert_ptr_null(lead_status_text(7));
    ck_assert_int_eq(lead_status_find(STR("7"), &status), -1);
    ck_assert_int_eq(lead_status_reason(7), REASON_NONE);
    ck_assert_int_eq(lead_status_of_reason(REASON_NONE), TARGET_STATUS_UNKNOWN);
    ck_assert_int_eq(lead_status_of_reason(REASON_CONTACTED), TARGET_STATUS_UNKNOWN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reason");
    TCase *tc = tcase_create("reason");
    tcase_add_test(tc, names_are_found_again);
    tcase_add_test(tc, everything_is_explained);
    tcase_add_test(tc, numbers_are_stored_and_must_stay);
    tcase_add_test(tc, statuses_of_leads);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
