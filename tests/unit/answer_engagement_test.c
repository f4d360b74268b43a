/* What an answer says of a lead beside its fields. */
#include "tests/unit/answer_kit.h"

/* What is absent, or of another type, is untold and not 0. */
START_TEST(engagement_of_a_lead)
{
    struct remote_lead lead;
    struct engagement g;
    struct json_object *json = parse(
        "{\"id\":\"" ID1 "\",\"status\":-2,\"lt_interest_status\":0,\"verification_status\":12,"
        "\"email_open_count\":3,\"email_click_count\":0,\"email_reply_count\":1,"
        "\"timestamp_last_contact\":\"2026-06-30T21:15:32.254Z\",\"timestamp_last_open\":\"2026-06-30T21:15:32.255Z\","
        "\"timestamp_last_click\":null,\"timestamp_last_reply\":\"2026-06-30T21:15:32.256Z\","
        "\"timestamp_updated\":\"2026-06-30T21:15:32.257Z\",\"status_summary\":{\"lastStep\":{\"from\":\"campaign\"}}}");
    ck_assert_int_eq(api_remote_lead_read(json, &lead, &e), 0);
    api_remote_engagement(&lead, &g);
    ck_assert(g.status == -2 && g.interest == 0 && g.verification == 12 && g.opens == 3 && g.clicks == 0 && g.replies == 1);
    ck_assert(g.contacted_ms == 1782854132254 && g.opened_ms == 1782854132255 && g.clicked_ms == ENGAGEMENT_UNTOLD);
    ck_assert(g.replied_ms == 1782854132256 && g.updated_ms == 1782854132257 && g.stepped == 1);
    json_object_put(json);
    json = parse(
        "{\"id\":\"" ID1 "\",\"status\":\"1\",\"lt_interest_status\":null,\"email_open_count\":-1,\"email_click_count\":1.5,"
        "\"email_reply_count\":\"2\",\"timestamp_last_open\":\"soon\",\"timestamp_updated\":7,\"status_summary\":{\"lastStep\":null}}");
    ck_assert_int_eq(api_remote_lead_read(json, &lead, &e), 0);
    struct engagement untold;
    engagement_init(&untold);
    api_remote_engagement(&lead, &g);
    ck_assert_mem_eq(&g, &untold, sizeof g);
    json_object_put(json);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("answer_engagement");
    TCase *a = tcase_create("all");
    tcase_add_checked_fixture(a, akit_setup, akit_teardown);
    tcase_add_test(a, engagement_of_a_lead);
    suite_add_tcase(s, a);
    return unit_run(s);
}
