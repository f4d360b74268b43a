/* Look-ups, against answers by path: names, pages, refusals. */
#include "tests/unit/queue_kit.h"

#include <stdio.h>
#include <string.h>

#define ID1 "5c194eae-9382-4bf1-aff4-d9eaa90668e1"
#define ID2 "c737308b-aec0-4a0f-bd51-d6feefd8df6b"

static struct arena arena;
static struct target target;

static void setup_lookup(void)
{
    setup();
    arena_init(&arena, 1 << 20);
}

static void teardown_lookup(void)
{
    teardown();
    arena_free(&arena);
}

static int find(enum target_kind kind, const char *text, bool ask)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", text);
    struct target_spec spec = {kind, copy};
    return api_target_find(api, &spec, ask, &arena, &target, &e);
}

static bool id_is(const struct uuid *id, const char *text)
{
    char buffer[UUID_TEXT_N];
    return strcmp(uuid_format(id, buffer), text) == 0;
}

START_TEST(uuid_without_asking)
{
    ck_assert_int_eq(find(TARGET_CAMPAIGN, "5C194EAE-9382-4BF1-AFF4-D9EAA90668E1", false), 0);
    ck_assert(id_is(&target.id, ID1));
    ck_assert_ptr_null(target.name);
    ck_assert_int_eq(target.status, TARGET_STATUS_UNKNOWN);
    ck_assert_uint_eq(fake.sent_n, 0);
}
END_TEST

START_TEST(uuid_asked)
{
    says(200, "{\"id\":\"" ID1 "\",\"name\":\"Q4\",\"status\":2}");
    ck_assert_int_eq(find(TARGET_CAMPAIGN, ID1, true), 0);
    ck_assert_str_eq(fake.sent[0].path, "/api/v2/campaigns/" ID1);
    ck_assert_str_eq(target.name, "Q4");
    ck_assert_int_eq(target.status, 2);
    says(404, "{\"message\":\"Resource not found\"}");
    ck_assert_int_eq(find(TARGET_LIST, ID1, true), -1);
    ck_assert_str_eq(fake.sent[1].path, "/api/v2/lead-lists/" ID1);
    ck_assert_int_eq(e.status, XS_CONFIG);
    err_clear(&e);
    says(200, "{\"id\":\"" ID2 "\",\"name\":\"another\"}");
    ck_assert_int_eq(find(TARGET_LIST, ID1, true), -1);
    ck_assert_int_eq(e.status, XS_API);
}
END_TEST

START_TEST(name_found_on_a_later_page)
{
    says(200, "{\"items\":[{\"id\":\"" ID2
              "\",\"name\":\"Q4 founders (copy)\"},{\"name\":\"no id\"}],\"next_starting_after\":\"x y\"}");
    says(200, "{\"items\":[{\"id\":\"" ID1 "\",\"name\":\"Q4 founders\",\"status\":1}],\"next_starting_after\":\"z\"}");
    says(200, "{\"items\":[]}");
    ck_assert_msg(find(TARGET_CAMPAIGN, "Q4 founders", false) == 0, "%s", err_text(&e));
    ck_assert(id_is(&target.id, ID1));
    ck_assert_int_eq(target.status, 1);
    ck_assert_uint_eq(fake.sent_n, 3);
    ck_assert_str_eq(fake.sent[0].path, "/api/v2/campaigns?limit=100&search=Q4%20founders");
    ck_assert_str_eq(fake.sent[1].path, "/api/v2/campaigns?limit=100&search=Q4%20founders&starting_after=x%20y");
    ck_assert_str_eq(fake.sent[2].path, "/api/v2/campaigns?limit=100&search=Q4%20founders&starting_after=z");
}
END_TEST

START_TEST(the_same_one_twice_is_one)
{
    says(200, "{\"items\":[{\"id\":\"" ID1 "\",\"name\":\"In\"}],\"next_starting_after\":\"2026-06-30T21:15:32.254Z\"}");
    says(200, "{\"items\":[{\"id\":\"" ID1 "\",\"name\":\"In\"}]}");
    ck_assert_int_eq(find(TARGET_LIST, "In", true), 0);
    ck_assert(id_is(&target.id, ID1));
}
END_TEST

START_TEST(several_of_a_name)
{
    says(200, "{\"items\":[{\"id\":\"" ID1 "\",\"name\":\"In\"},{\"id\":\"" ID2 "\",\"name\":\"In\"}]}");
    ck_assert_int_eq(find(TARGET_LIST, "In", true), -1);
    ck_assert_int_eq(e.status, XS_CONFIG);
    ck_assert_ptr_nonnull(strstr(err_text(&e), ID1));
    ck_assert_ptr_nonnull(strstr(err_text(&e), ID2));
}
END_TEST

START_TEST(none_of_a_name)
{
    says(200, "{\"items\":[]}");
    ck_assert_int_eq(find(TARGET_LIST, "In", true), -1);
    ck_assert_int_eq(e.status, XS_CONFIG);
    err_clear(&e);
    says(200, "{\"items\":[{\"id\":\"" ID1 "\",\"name\":\"incoming \"},{\"id\":\"" ID2 "\",\"name\":\"Incoming 2\"}]}");
    ck_assert_int_eq(find(TARGET_LIST, "Incoming", true), -1);
    ck_assert_msg(strstr(err_text(&e), "did you mean") != NULL && strstr(err_text(&e), ID1) != NULL &&
                      strstr(err_text(&e), ID2) == NULL,
                  "%s", err_text(&e));
    err_clear(&e);
    says(200, "{\"items\":[{\"id\":\"" ID2 "\",\"name\":\"Incoming 2\"}]}");
    ck_assert_int_eq(find(TARGET_LIST, "Incoming", true), -1);
    ck_assert_msg(strstr(err_text(&e), "did you mean \"Incoming 2\" " ID2) != NULL, "%s", err_text(&e));
}
END_TEST

/* The API's search finds parts of names: a slip in the middle finds none of them. */
START_TEST(a_slip_inside_the_name)
{
    says(200, "{\"items\":[]}");
    says(200, "{\"items\":[{\"name\":\"Incoming\"},{\"id\":\"" ID1 "\"},{\"id\":\"" ID1
              "\",\"name\":\"Outgoing\"},{\"id\":\"" ID2 "\",\"name\":\"Incoming 7\"}],"
              "\"next_starting_after\":\"x\"}");
    says(200, "{\"items\":[{\"id\":\"" ID1 "\",\"name\":\"Incoming\"}]}");
    ck_assert_int_eq(find(TARGET_LIST, "Incomming", true), -1);
    ck_assert_int_eq(e.status, XS_CONFIG);
    ck_assert_uint_eq(fake.sent_n, 3);
    ck_assert_str_eq(fake.sent[1].path, "/api/v2/lead-lists?limit=100");
    ck_assert_msg(strstr(err_text(&e), "did you mean \"Incoming\" " ID1 ", \"Incoming 7\" " ID2 "?") != NULL, "%s",
                  err_text(&e));
    err_clear(&e);
    /* Nothing near: no guess. */
    says(200, "{\"items\":[]}");
    says(200, "{\"items\":[{\"id\":\"" ID1 "\",\"name\":\"Q4 founders\"}]}");
    ck_assert_int_eq(find(TARGET_LIST, "Incoming", true), -1);
    ck_assert_msg(strstr(err_text(&e), "did you mean") == NULL, "%s", err_text(&e));
    ck_assert_msg(strstr(err_text(&e), "which has \"Q4 founders\" " ID1 ": create it") != NULL, "%s", err_text(&e));
    err_clear(&e);
    /* That the names cannot be had is no other error. */
    says(200, "{\"items\":[]}");
    says(404, "{\"message\":\"gone\"}");
    ck_assert_int_eq(find(TARGET_LIST, "Incoming", true), -1);
    ck_assert_int_eq(e.status, XS_CONFIG);
    ck_assert_msg(strstr(err_text(&e), "no list is named \"Incoming\"") != NULL, "%s", err_text(&e));
}
END_TEST

/* The search may not know a name yet, or may trip over its characters. */
START_TEST(the_name_itself_in_the_second_answer)
{
    says(200, "{\"items\":[{\"id\":\"" ID2 "\",\"name\":\"Q4 founders\"}]}");
    says(200, "{\"items\":[{\"id\":\"" ID2 "\",\"name\":\"Q4 founders\"},{\"id\":\"" ID1 "\",\"name\":\"Q4\"}],"
              "\"next_starting_after\":\"x\"}");
    says(200, "{\"items\":[]}");
    ck_assert_msg(find(TARGET_CAMPAIGN, "Q4", true) == 0, "%s", err_text(&e));
    ck_assert(id_is(&target.id, ID1));
    ck_assert_uint_eq(fake.sent_n, 3);
    /* Two have it. */
    says(200, "{\"items\":[]}");
    says(200, "{\"items\":[{\"id\":\"" ID1 "\",\"name\":\"Q4\"},{\"id\":\"" ID2 "\",\"name\":\"Q4\"}]}");
    ck_assert_int_eq(find(TARGET_CAMPAIGN, "Q4", true), -1);
    ck_assert_int_eq(e.status, XS_CONFIG);
    ck_assert_msg(strstr(err_text(&e), "2 campaigns are named \"Q4\"") != NULL, "%s", err_text(&e));
    err_clear(&e);
    /* Whether another one has it is on a page that cannot be had. */
    says(200, "{\"items\":[]}");
    says(200, "{\"items\":[{\"id\":\"" ID1 "\",\"name\":\"Q4\"}],\"next_starting_after\":\"x\"}");
    says(404, "{\"message\":\"gone\"}");
    ck_assert_int_eq(find(TARGET_CAMPAIGN, "Q4", true), -1);
    ck_assert_int_eq(e.status, XS_API);
}
END_TEST

START_TEST(slips_are_few)
{
    struct buf body = BUF_INIT(1 << 20);
    says(200, "{\"items\":[]}");
    ck_assert_int_eq(buf_adds(&body, "{\"items\":["), 0);
    for (int i = 0; i < 300; i++)
        ck_assert_int_eq(buf_addf(&body, "%s{\"id\":\"" ID1 "\",\"name\":\"Founder%d\"}", i > 0 ? "," : "", i % 10), 0);
    ck_assert_int_eq(buf_adds(&body, "]}"), 0);
    says(200, buf_cstr(&body));
    ck_assert_int_eq(find(TARGET_CAMPAIGN, "Foundre1", true), -1);
    ck_assert_msg(strstr(err_text(&e), "did you mean \"Founder1\"") != NULL, "%s", err_text(&e));
    unsigned named = 0;
    for (const char *p = err_text(&e); (p = strstr(p, ID1)) != NULL; p++)
        named++;
    ck_assert_uint_eq(named, 3);
    buf_free(&body);
}
END_TEST

/* Somebody who gave a minute does not want to sit out the back-off. */
START_TEST(a_wait_ends_in_time)
{
    int64_t start_us = fake_clock.base.mono_us(&fake_clock.base);
    fake.otherwise = (struct fake_answer){.end = TRANSPORT_NOT_SENT};
    api_wait_until(api, start_us + 1500000);
    ck_assert_int_eq(find(TARGET_LIST, "In", true), -1);
    ck_assert_int_eq(e.status, XS_API);
    ck_assert_msg(strstr(err_text(&e), "--max-seconds") != NULL, "%s", err_text(&e));
    int64_t took_us = fake_clock.base.mono_us(&fake_clock.base) - start_us;
    ck_assert_msg(took_us >= 1500000 && took_us < 1600000, "%lld", (long long)took_us);
}
END_TEST

START_TEST(pages_that_do_not_end)
{
    fake.otherwise = (struct fake_answer){.status = 200,
                                          .body = "{\"items\":[{\"id\":\"" ID1 "\",\"name\":\"x\"}],"
                                                  "\"next_starting_after\":\"same\"}"};
    ck_assert_int_eq(find(TARGET_LIST, "In", true), -1);
    ck_assert_int_eq(e.status, XS_API);
    ck_assert_uint_eq(fake.sent_n, 2);
}
END_TEST

START_TEST(answers_that_are_none)
{
    says(200, "{\"items\":{}}");
    ck_assert_int_eq(find(TARGET_LIST, "In", true), -1);
    ck_assert_int_eq(e.status, XS_API);
    err_clear(&e);
    says(403, "{\"message\":\"scope\"}");
    says(403, "{\"message\":\"scope\"}"); /* the endpoint had worked, so it is asked once more */
    ck_assert_int_eq(find(TARGET_LIST, "In", true), -1);
    ck_assert_int_eq(e.status, XS_KEY);
    ck_assert_ptr_nonnull(strstr(err_text(&e), "lead_lists:read"));
}
END_TEST

START_TEST(workspace_and_plan)
{
    struct workspace w;
    says(200, "{\"id\":\"" ID1 "\",\"name\":\"Acme\"}");
    says(200, "{\"subscriptions\":{\"outreach\":{\"total_lead_limit\":25000,\"current_lead_count\":40482}}}");
    ck_assert_int_eq(api_workspace_get(api, &arena, &w, &e), 0);
    ck_assert_int_eq(api_plan_get(api, &w, &e), 0);
    ck_assert_str_eq(w.id, ID1);
    ck_assert_str_eq(w.name, "Acme");
    ck_assert_int_eq(w.lead_limit, 25000);
    ck_assert_int_eq(w.lead_count, 40482);
    ck_assert_ptr_null(w.notice);

    says(403, "{\"message\":\"scope\"}");
    says(403, "{\"message\":\"scope\"}");
    ck_assert_int_eq(api_workspace_get(api, &arena, &w, &e), 0);
    ck_assert_int_eq(api_plan_get(api, &w, &e), 0);
    ck_assert_ptr_null(w.id);
    ck_assert_int_eq(w.lead_limit, -1);
    ck_assert_ptr_nonnull(strstr(w.notice, "workspaces:read"));
    ck_assert_ptr_nonnull(strstr(w.plan_notice, "workspace_billing:read"));

    says(200, "{\"id\":\"" ID1 "\"}");
    ck_assert_int_eq(api_workspace_get(api, &arena, &w, &e), 0);
    ck_assert_ptr_null(w.name);
    ck_assert_ptr_null(w.notice);
    says(404, "{\"message\":\"no\"}");
    ck_assert_int_eq(api_workspace_get(api, &arena, &w, &e), 0);
    ck_assert_ptr_null(strstr(w.notice, "scope"));

    says(401, "{\"message\":\"bad key\"}");
    ck_assert_int_eq(api_workspace_get(api, &arena, &w, &e), -1);
    ck_assert_int_eq(e.status, XS_KEY);
}
END_TEST

/* A plan of its own, one in a bundle, both, and none that is known. Only a 403 is about a scope. */
static const struct {
    int status;
    const char *body, *notice;
    int64_t limit, count;
} plan_rows[] = {
    {200, "{\"subscriptions\":{\"outreach\":{\"total_lead_limit\":100,\"current_lead_count\":40}}}", NULL, 100, 40},
    {200, "{\"subscriptions\":{\"bundle\":{\"total_lead_limit\":10,\"current_lead_count\":0}}}", NULL, 10, 0},
    {200,
     "{\"subscriptions\":{\"outreach\":{\"total_lead_limit\":100,\"current_lead_count\":100},"
     "\"bundle\":{\"total_lead_limit\":50,\"current_lead_count\":20}}}",
     NULL, 50, 20},
    {200,
     "{\"subscriptions\":{\"outreach\":{\"total_lead_limit\":100,\"current_lead_count\":9},"
     "\"bundle\":{\"total_lead_limit\":50,\"current_lead_count\":20}}}",
     NULL, 100, 9},
    {200, "{\"subscriptions\":{\"outreach\":{\"total_lead_limit\":\"many\"},\"credits\":{\"total_credits\":1}}}",
     "the plan details have no lead limit: a full plan shows only when leads are added", -1, -1},
    {200, "{\"subscriptions\":null}", "the plan details have no lead limit", -1, -1},
    {404, "{\"message\":\"no\"}", "the plan details have no lead limit", -1, -1},
    {403, "{\"message\":\"scope\"}", "scope workspace_billing:read", -1, -1},
};

START_TEST(plans)
{
    struct workspace w = {.lead_limit = -1, .lead_count = -1};
    says(plan_rows[_i].status, plan_rows[_i].body);
    ck_assert_int_eq(api_plan_get(api, &w, &e), 0);
    ck_assert_int_eq(w.lead_limit, plan_rows[_i].limit);
    ck_assert_int_eq(w.lead_count, plan_rows[_i].count);
    ck_assert_int_eq(w.plan_notice == NULL, plan_rows[_i].notice == NULL);
    if (w.plan_notice != NULL)
        ck_assert_msg(strstr(w.plan_notice, plan_rows[_i].notice) != NULL, "%s", w.plan_notice);
    ck_assert_ptr_null(w.notice);
}
END_TEST

START_TEST(variables)
{
    struct target t = {.kind = TARGET_CAMPAIGN};
    struct str *names;
    size_t n;
    ck_assert_int_eq(uuid_parse(STR(ID1), &t.id), 0);
    says(200, "{\"id\":\"" ID1
              "\",\"core_variables\":{\"firstName\":true},\"custom_variables\":{\"seats\":true,\"Origin\":true}}");
    ck_assert_int_eq(api_campaign_variables(api, &t, &arena, &names, &n, &e), 0);
    ck_assert_uint_eq(n, 3);
    ck_assert(str_is(names[0], "firstName") && str_is(names[1], "seats") && str_is(names[2], "Origin"));
    says(200, "{\"id\":\"" ID1 "\",\"core_variables\":null}");
    ck_assert_int_eq(api_campaign_variables(api, &t, &arena, &names, &n, &e), 0);
    ck_assert_uint_eq(n, 0);
    says(403, "{\"message\":\"scope\"}");
    ck_assert_int_eq(api_campaign_variables(api, &t, &arena, &names, &n, &e), 0);
    ck_assert_uint_eq(n, 0);
    t.kind = TARGET_LIST;
    ck_assert_int_eq(api_campaign_variables(api, &t, &arena, &names, &n, &e), 0);
    ck_assert_uint_eq(fake.sent_n, 3);
}
END_TEST

START_TEST(blocklist)
{
    const char *notice;
    says(200, "{\"items\":[{\"bl_value\":\"xa@b.example\"}]}");
    says(200, "{\"items\":[{\"bl_value\":\"sub.b.example\"},{\"bl_value\":7}]}");
    ck_assert_int_eq(api_blocklisted(api, STR("a@b.example"), &notice, &e), 0);
    ck_assert_str_eq(fake.sent[0].path, "/api/v2/block-lists-entries?limit=100&search=a%40b.example");
    ck_assert_str_eq(fake.sent[1].path, "/api/v2/block-lists-entries?limit=100&search=b.example");
    ck_assert_ptr_null(notice);
    says(200, "{\"items\":[{\"bl_value\":\"A@B.example\"}]}");
    ck_assert_int_eq(api_blocklisted(api, STR("a@b.example"), &notice, &e), 1);
    says(200, "{\"items\":[]}");
    says(200, "{\"items\":[{\"bl_value\":\"B.example\",\"is_domain\":true}]}");
    ck_assert_int_eq(api_blocklisted(api, STR("a@b.example"), &notice, &e), 1);
    says(403, "{\"message\":\"scope\"}");
    ck_assert_int_eq(api_blocklisted(api, STR("a@b.example"), &notice, &e), 0);
    ck_assert_ptr_nonnull(notice);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lookup");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup_lookup, teardown_lookup);
    tcase_add_test(t, uuid_without_asking);
    tcase_add_test(t, uuid_asked);
    tcase_add_test(t, name_found_on_a_later_page);
    tcase_add_test(t, the_same_one_twice_is_one);
    tcase_add_test(t, several_of_a_name);
    tcase_add_test(t, none_of_a_name);
    tcase_add_test(t, a_slip_inside_the_name);
    tcase_add_test(t, the_name_itself_in_the_second_answer);
    tcase_add_test(t, slips_are_few);
    tcase_add_test(t, a_wait_ends_in_time);
    tcase_add_test(t, pages_that_do_not_end);
    tcase_add_test(t, answers_that_are_none);
    tcase_add_test(t, workspace_and_plan);
    tcase_add_loop_test(t, plans, 0, (int)(sizeof plan_rows / sizeof plan_rows[0]));
    tcase_add_test(t, variables);
    tcase_add_test(t, blocklist);
    suite_add_tcase(s, t);
    return unit_run(s);
}
