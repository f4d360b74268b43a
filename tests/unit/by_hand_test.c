/* Requests that are made by hand, as exact bytes; and words that become filters. */
#include "sync/api/by_hand.h"
#include "tests/unit/harness.h"

#include <stdlib.h>
#include <string.h>

#define ID1 "019f1a0d-70d9-756a-bc19-c8b5cc3a0215"
#define ID2 "5c194eae-9382-4bf1-aff4-d9eaa90668e1"
#define ID3 "c737308b-aec0-4a0f-bd51-d6feefd8df6b"

static struct err e;
static struct by_hand r;

static void setup(void)
{
    e = (struct err)ERR_INIT;
    r = (struct by_hand){.method = NULL};
}

static void teardown(void)
{
    err_clear(&e);
    by_hand_free(&r);
}

static struct uuid uuid(const char *text)
{
    struct uuid id;
    ck_assert_int_eq(uuid_parse(str_from(text), &id), 0);
    return id;
}

static struct target target(enum target_kind kind, const char *id)
{
    return (struct target){.kind = kind, .id = uuid(id)};
}

static void is_request(const char *method, const char *path, const char *body)
{
    ck_assert_str_eq(r.method, method);
    ck_assert_str_eq(buf_cstr(&r.path), path);
    ck_assert_str_eq(r.body.n > 0 ? buf_cstr(&r.body) : "", body);
}

static void is_refused(int rc, const char *why)
{
    ck_assert_int_eq(rc, -1);
    ck_assert_msg(strstr(err_text(&e), why) != NULL, "\"%s\" is not in: %s", why, err_text(&e));
    err_clear(&e);
    by_hand_free(&r);
}

/* ---- selection ---- */

START_TEST(list_of_all_leads)
{
    const struct leads_filter filter = {.in_campaign = -1, .in_list = -1};
    ck_assert_int_eq(by_hand_list(&r, &filter, 100, STR_NONE, &e), 0);
    is_request("POST", "/api/v2/leads/list", "{\"limit\":100}");
    ck_assert(!r.write);
}
END_TEST

START_TEST(list_with_every_filter)
{
    const struct target in = target(TARGET_CAMPAIGN, ID2);
    const struct uuid id = uuid(ID1), user = uuid(ID2);
    const struct str contact = STR("a@x.example");
    struct leads_query queries[2];
    ck_assert_int_eq(leads_query_parse(STR("email-open,days=7,count=more:3"), &queries[0], &e), 0);
    ck_assert_int_eq(leads_query_parse(STR("lead-status,status=is-not:-1"), &queries[1], &e), 0);
    /* clang-format off */
    const struct leads_filter filter = {
        .in = &in, .search = STR("Ada \"L\""), .filter = leads_filter_find(STR("not-contacted")), .in_campaign = 1,
        .in_list = 0, .contacts = &contact, .contacts_n = 1, .ids = &id, .ids_n = 1, .users = &user, .users_n = 1,
        .queries = queries, .queries_n = 2, .esg = leads_esg_find(STR("Cisco")), .enrichment = -1, .has_smart_view = true,
        .smart_view = id, .website_visitor = true, .distinct = true,
    };
    /* clang-format on */
    ck_assert_int_eq(by_hand_list(&r, &filter, 7, STR("a@x.example"), &e), 0);
    is_request("POST", "/api/v2/leads/list",
               "{\"campaign\":\"" ID2 "\",\"search\":\"Ada \\\"L\\\"\",\"filter\":\"FILTER_VAL_NOT_CONTACTED\","
               "\"in_campaign\":true,\"in_list\":false,\"contacts\":[\"a@x.example\"],\"ids\":[\"" ID1 "\"],"
               "\"organization_user_ids\":[\"" ID2 "\"],\"queries\":[{\"actionType\":\"email-open\",\"values\":"
               "{\"occurrence-days\":7,\"occurrence-count\":{\"count\":3,\"condition\":\"more\"}}},"
               "{\"actionType\":\"lead-status\",\"values\":{\"lead-status\":{\"status\":-1,\"condition\":\"is-not\"}}}],"
               "\"esg_code\":\"4\",\"enrichment_status\":-1,\"smart_view_id\":\"" ID1 "\",\"is_website_visitor\":true,"
               "\"distinct_contacts\":true,\"limit\":7,\"starting_after\":\"a@x.example\"}");
}
END_TEST

START_TEST(list_has_limits)
{
    struct uuid ids[LEADS_LIST_MAX + 1] = {{{1}}};
    struct leads_filter filter = {.in_campaign = -1, .in_list = -1};
    is_refused(by_hand_list(&r, &filter, 0, STR_NONE, &e), "a page of 0");
    is_refused(by_hand_list(&r, &filter, 101, STR_NONE, &e), "a page of 101");
    filter.ids = ids;
    filter.ids_n = LEADS_LIST_MAX + 1;
    is_refused(by_hand_list(&r, &filter, 100, STR_NONE, &e), "101 ids");
}
END_TEST

START_TEST(filter_names)
{
    ck_assert_str_eq(leads_filter_find(STR("FILTER_VAL_BOUNCED")), "FILTER_VAL_BOUNCED");
    ck_assert_str_eq(leads_filter_find(STR("Bounced")), "FILTER_VAL_BOUNCED");
    ck_assert_str_eq(leads_filter_find(STR("meeting-booked")), "FILTER_LEAD_MEETING_BOOKED");
    ck_assert_ptr_null(leads_filter_find(STR("FILTER_VAL_")));
    ck_assert_ptr_null(leads_filter_find(STR("")));
    ck_assert_ptr_null(leads_filter_find(STR("bounce")));
    for (size_t i = 0; leads_filter_names[i] != NULL; i++)
        ck_assert_ptr_eq(leads_filter_find(str_from(leads_filter_names[i])), leads_filter_names[i]);
    ck_assert_int_eq(leads_esp_find(STR("google")), 1);
    ck_assert_int_eq(leads_esp_find(STR("Not_Found")), 1000);
    ck_assert_int_eq(leads_esp_find(STR("999")), 999);
    ck_assert_int_eq(leads_esp_find(STR("4")), -1);
    ck_assert_ptr_null(leads_esg_find(STR("5")));
    ck_assert_str_eq(leads_esg_find(STR("none")), "none");
}
END_TEST

START_TEST(queries)
{
    struct leads_query q;
    static const char *const bad[] = {"",
                                      "opens",
                                      "reply,",
                                      "reply,days",
                                      "reply,days=x",
                                      "reply,days=-1",
                                      "reply,count=3",
                                      "reply,count=most:3",
                                      "reply,count=more:",
                                      "reply,when=3",
                                      "reply days=3",
                                      "lead-status,status=is",
                                      "reply,days=99999999999999999999",
                                      "reply,,days=1"};
    ck_assert_int_eq(leads_query_parse(STR("Reply"), &q, &e), 0);
    ck_assert_int_eq(q.action, 0);
    ck_assert_int_eq(q.days, -1);
    ck_assert_int_eq(leads_query_parse(STR("link_click,count=equal:0"), &q, &e), 0);
    ck_assert_int_eq(q.count, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(leads_query_parse(str_from(bad[i]), &q, &e) == -1, "\"%s\" was understood", bad[i]);
        ck_assert_int_eq(e.status, XS_USAGE);
        err_clear(&e);
    }
}
END_TEST

/* ---- writes ---- */

START_TEST(single_leads)
{
    const struct uuid a = uuid(ID1), b = uuid(ID2);
    const struct target in = target(TARGET_LIST, ID3);
    ck_assert_int_eq(by_hand_get(&r, &a, &e), 0);
    is_request("GET", "/api/v2/leads/" ID1, "");
    by_hand_free(&r);
    ck_assert_int_eq(by_hand_merge(&r, &a, &b, &e), 0);
    is_request("POST", "/api/v2/leads/merge", "{\"lead_id\":\"" ID1 "\",\"destination_lead_id\":\"" ID2 "\"}");
    by_hand_free(&r);
    is_refused(by_hand_merge(&r, &a, &a, &e), "into itself");
    ck_assert_int_eq(by_hand_subsequence(&r, &a, &b, &e), 0);
    is_request("POST", "/api/v2/leads/subsequence/move", "{\"id\":\"" ID1 "\",\"subsequence_id\":\"" ID2 "\"}");
    by_hand_free(&r);
    ck_assert_int_eq(by_hand_subsequence(&r, &a, NULL, &e), 0);
    is_request("POST", "/api/v2/leads/subsequence/remove", "{\"id\":\"" ID1 "\"}");
    by_hand_free(&r);
    const struct leads_interest clear = {.email = STR("a@x.example"), .clear = true, .value = 3};
    ck_assert_int_eq(by_hand_interest(&r, &clear, &e), 0);
    is_request("POST", "/api/v2/leads/update-interest-status", "{\"lead_email\":\"a@x.example\",\"interest_value\":null}");
    by_hand_free(&r);
    const struct leads_interest full =
        {.email = STR("a@x.example"), .value = -2, .in = &in, .has_ai_value = true, .ai_value = 1, .disable_auto = true};
    ck_assert_int_eq(by_hand_interest(&r, &full, &e), 0);
    is_request("POST", "/api/v2/leads/update-interest-status",
               "{\"lead_email\":\"a@x.example\",\"interest_value\":-2,\"list_id\":\"" ID3 "\",\"ai_interest_value\":1,"
               "\"disable_auto_interest\":true}");
    by_hand_free(&r);
    const struct leads_interest nobody = {.value = 1};
    is_refused(by_hand_interest(&r, &nobody, &e), "no address");
}
END_TEST

START_TEST(assigns)
{
    const struct uuid ids[] = {uuid(ID1)}, users[] = {uuid(ID2), uuid(ID3)};
    const struct target in = target(TARGET_CAMPAIGN, ID3);
    const struct leads_assign assign = {&in, ids, 1, users, 2};
    ck_assert_int_eq(by_hand_assign(&r, &assign, &e), 0);
    is_request("POST", "/api/v2/leads/bulk-assign",
               "{\"organization_user_ids\":[\"" ID2 "\",\"" ID3 "\"],\"ids\":[\"" ID1 "\"],\"campaign\":\"" ID3
               "\",\"limit\":1}");
    by_hand_free(&r);
    const struct leads_assign nobody = {&in, ids, 0, users, 2}, to_nobody = {&in, ids, 1, users, 0};
    is_refused(by_hand_assign(&r, &nobody, &e), "0 ids");
    is_refused(by_hand_assign(&r, &to_nobody, &e), "0 users");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("by_hand");
    TCase *tc = tcase_create("requests");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, list_of_all_leads);
    tcase_add_test(tc, list_with_every_filter);
    tcase_add_test(tc, list_has_limits);
    tcase_add_test(tc, filter_names);
    tcase_add_test(tc, queries);
    tcase_add_test(tc, single_leads);
    tcase_add_test(tc, assigns);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
