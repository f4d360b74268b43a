/* Look-ups, against answers by path: names, pages, refusals. Also the pages of leads/list. */
#include "sync/api/api.h"
#include "sync/api/transport.h"
#include "tests/harness/fake_transport.h"
#include "tests/unit/harness.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define ID1 "5c194eae-9382-4bf1-aff4-d9eaa90668e1"
#define ID2 "c737308b-aec0-4a0f-bd51-d6feefd8df6b"

static struct clock_fake fake_clock;
static struct fake_transport fake;
static struct api *api;
static struct err e;
static struct arena arena;
static struct target target;

static void setup(void)
{
    struct api_config config = {.base_url = "https://api.example", .key = "k", .user_agent = "t"};
    e = (struct err)ERR_INIT;
    arena_init(&arena, 1 << 20);
    clock_fake_init(&fake_clock, 1700000000000);
    fake_transport_init(&fake, &fake_clock);
    ck_assert_int_eq(api_new(&config, &fake.base, &fake_clock.base, &api, &e), 0);
}

static void teardown(void)
{
    api_free(api);
    fake_transport_done(&fake);
    arena_free(&arena);
    err_clear(&e);
}

static void says(int status, const char *body)
{
    fake_transport_add(&fake, (struct fake_answer){.status = status, .body = body});
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
    says(200,
         "{\"items\":[{\"id\":\"" ID1 "\",\"name\":\"In\"}],\"next_starting_after\":\"2026-06-30T21:15:32.254Z\"}");
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
                      strstr(err_text(&e), ID2) == NULL, "%s", err_text(&e));
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
    err_clear(&e);
    /* That the names cannot be had is no other error. */
    says(200, "{\"items\":[]}");
    says(404, "{\"message\":\"gone\"}");
    ck_assert_int_eq(find(TARGET_LIST, "Incoming", true), -1);
    ck_assert_int_eq(e.status, XS_CONFIG);
    ck_assert_msg(strstr(err_text(&e), "no list is named \"Incoming\"") != NULL, "%s", err_text(&e));
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
    fake.otherwise = (struct fake_answer){.status = 200, .body = "{\"items\":[{\"id\":\"" ID1 "\",\"name\":\"x\"}],"
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
    ck_assert_ptr_nonnull(strstr(w.notice, "workspace_billing:read"));

    says(200, "{\"id\":\"" ID1 "\"}");
    says(200, "{\"subscriptions\":{\"outreach\":{\"total_lead_limit\":\"many\"}}}");
    ck_assert_int_eq(api_workspace_get(api, &arena, &w, &e), 0);
    ck_assert_int_eq(api_plan_get(api, &w, &e), 0);
    ck_assert_ptr_null(w.name);
    ck_assert_int_eq(w.lead_limit, -1);
    ck_assert_ptr_nonnull(w.notice);

    says(401, "{\"message\":\"bad key\"}");
    ck_assert_int_eq(api_workspace_get(api, &arena, &w, &e), -1);
    ck_assert_int_eq(e.status, XS_KEY);
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

/* ---- the pages of leads/list ---- */

static struct {
    unsigned n;
    enum api_class class;
    size_t items;
    char text[300];
} listed;

static void on_listed(void *ctx, const struct api_reply *reply)
{
    (void)ctx;
    listed.n++;
    listed.class = reply->class;
    listed.items = reply->class == API_OK ? json_object_array_length(reply->json) : 0;
    snprintf(listed.text, sizeof listed.text, "%s", reply->err != NULL ? err_text(reply->err) : "");
}

static void list_with(struct leads_list l)
{
    memset(&listed, 0, sizeof listed);
    ck_assert_int_eq(api_leads_list(api, &l, on_listed, NULL, &e), 0);
    for (int i = 0; api_queued(api) > 0 && i < 10000; i++)
        ck_assert_int_eq(api_step(api, 1000, &e), 0);
    ck_assert_uint_eq(listed.n, 1);
}

static void list(size_t items_max)
{
    list_with((struct leads_list){.items_max = items_max});
}

START_TEST(all_pages)
{
    says(200, "{\"items\":[1,2],\"next_starting_after\":\"a\"}");
    says(502, "<html>");
    says(200, "{\"items\":[3],\"next_starting_after\":\"b\"}");
    says(200, "{\"items\":[]}");
    list(0);
    ck_assert_int_eq(listed.class, API_OK);
    ck_assert_uint_eq(listed.items, 3);
    ck_assert_str_eq(fake.sent[1].body, "{\"limit\":100,\"starting_after\":\"a\"}");
    ck_assert_str_eq(fake.sent[2].body, fake.sent[1].body);
    ck_assert_str_eq(fake.sent[3].body, "{\"limit\":100,\"starting_after\":\"b\"}");
    ck_assert(!fake.sent[0].write);
}
END_TEST

static char pages[60][80]; /* the transport borrows what it says */

/* Even numbers are kept, and 6 is all that was wanted. */
static enum leads_list_see see_even(void *ctx, struct json_object *item)
{
    (void)ctx;
    int v = json_object_get_int(item);
    return v == 6 ? LIST_KEEP_LAST : v % 2 == 0 ? LIST_KEEP : LIST_DROP;
}

START_TEST(only_what_is_wanted)
{
    /* As many pages as it takes, whatever may be kept. */
    for (int i = 0; i < 40; i++) {
        char *page = pages[i];
        snprintf(page, sizeof pages[i], "{\"items\":[%d],\"next_starting_after\":\"%d\"}", i == 7 ? 2 : 2 * i + 101, i);
        says(200, page);
    }
    says(200, "{\"items\":[6,8],\"next_starting_after\":\"x\"}");
    list_with((struct leads_list){.items_max = 2, .see = see_even});
    ck_assert_int_eq(listed.class, API_OK);
    ck_assert_uint_eq(listed.items, 2); /* 2 and 6 */
    ck_assert_uint_eq(fake.sent_n, 41);
}
END_TEST

START_TEST(cursors_in_a_circle)
{
    for (int i = 0; i < 60; i++) {
        char *page = pages[i];
        snprintf(page, sizeof pages[i], "{\"items\":[1],\"next_starting_after\":\"%d\"}", i < 3 ? i : 3 + i % 5);
        says(200, page);
    }
    list_with((struct leads_list){.see = see_even});
    ck_assert_int_eq(listed.class, API_FAILED);
    ck_assert_ptr_nonnull(strstr(listed.text, "leads nowhere"));
    ck_assert_uint_lt(fake.sent_n, 20);
}
END_TEST

static const struct {
    const char *first, *second;
    size_t max, items; /* items when it ends well */
    bool ends_well;
} page_rows[] = {
    {"{\"items\":[]}", NULL, 0, 0, true},
    {"{\"items\":[1]}", NULL, 0, 1, true},
    {"{\"items\":[1],\"next_starting_after\":null}", NULL, 0, 1, true},
    {"{\"items\":[1],\"next_starting_after\":\"\"}", NULL, 0, 1, true},
    {"{\"items\":[],\"next_starting_after\":\"a\"}", NULL, 0, 0, true},
    {"{\"items\":[1],\"next_starting_after\":7}", NULL, 0, 0, false},
    {"{\"items\":[1],\"next_starting_after\":\"a\"}", "{\"items\":[2],\"next_starting_after\":\"a\"}", 0, 0, false},
    {"{\"items\":[1,2,3]}", NULL, 2, 0, false},
    {"{\"items\":[1,2],\"next_starting_after\":\"a\"}", "{\"items\":[3]}", 2, 0, false},
};

START_TEST(odd_pages)
{
    says(200, page_rows[_i].first);
    if (page_rows[_i].second != NULL)
        says(200, page_rows[_i].second);
    list(page_rows[_i].max);
    ck_assert_msg((listed.class == API_OK) == page_rows[_i].ends_well, "%s", page_rows[_i].first);
    if (listed.class == API_OK)
        ck_assert_uint_eq(listed.items, page_rows[_i].items);
    else
        ck_assert_int_eq(listed.class, API_FAILED);
}
END_TEST

START_TEST(a_page_that_fails)
{
    says(200, "{\"items\":[1],\"next_starting_after\":\"a\"}");
    says(400, "{\"message\":\"no\"}");
    list(0);
    ck_assert_int_eq(listed.class, API_REFUSED);
}
END_TEST

static void list_contacts(const struct str *contacts, size_t n)
{
    struct leads_list l = {.contacts = contacts, .contacts_n = n};
    memset(&listed, 0, sizeof listed);
    ck_assert_int_eq(api_leads_list(api, &l, on_listed, NULL, &e), 0);
    for (int i = 0; api_queued(api) > 0 && i < 10000; i++)
        ck_assert_int_eq(api_step(api, 1000, &e), 0);
    ck_assert_uint_eq(listed.n, 1);
}

/* One odd address in `contacts` would have all of them refused. */
START_TEST(odd_contacts_are_searched_for)
{
    const struct str contacts[] = {STR("\"x y\"@b.c"), STR("a@b.c"), STR("j\u00fcrgen@b.c"), STR("d@e.f")};
    says(200, "{\"items\":[1,2],\"next_starting_after\":\"a\"}");
    says(200, "{\"items\":[]}");
    says(200, "{\"items\":[3],\"next_starting_after\":\"a\"}");
    says(200, "{\"items\":[4]}");
    says(200, "{\"items\":[]}");
    list_contacts(contacts, 4);
    ck_assert_int_eq(listed.class, API_OK);
    ck_assert_uint_eq(listed.items, 4);
    ck_assert_uint_eq(fake.sent_n, 5);
    ck_assert_str_eq(fake.sent[0].body, "{\"contacts\":[\"a@b.c\",\"d@e.f\"],\"limit\":100}");
    ck_assert_str_eq(fake.sent[2].body, "{\"search\":\"\\\"x y\\\"@b.c\",\"limit\":100}");
    ck_assert_str_eq(fake.sent[3].body,
                     "{\"search\":\"\\\"x y\\\"@b.c\",\"limit\":100,\"starting_after\":\"a\"}");
    ck_assert_str_eq(fake.sent[4].body, "{\"search\":\"j\u00fcrgen@b.c\",\"limit\":100}");
}
END_TEST

/* Never a question without a selector; and one that fails ends the look. */
START_TEST(only_odd_contacts)
{
    const struct str contacts[] = {STR("j\u00fcrgen@b.c"), STR("a@b_c.de")};
    says(200, "{\"items\":[1]}");
    says(400, "{\"message\":\"no\"}");
    list_contacts(contacts, 2);
    ck_assert_int_eq(listed.class, API_REFUSED);
    ck_assert_uint_eq(fake.sent_n, 2);
    ck_assert_str_eq(fake.sent[0].body, "{\"search\":\"j\u00fcrgen@b.c\",\"limit\":100}");
}
END_TEST

START_TEST(dropped_half_way)
{
    struct leads_list l = {0};
    says(200, "{\"items\":[1],\"next_starting_after\":\"a\"}");
    ck_assert_int_eq(api_leads_list(api, &l, on_listed, NULL, &e), 0);
    ck_assert_int_eq(api_step(api, 0, &e), 0); /* api_free() in teardown has to free the rest */
    ck_assert_uint_eq(api_queued(api), 1);
}
END_TEST

/* ---- background jobs ---- */

#define JOB(id, more) "{\"id\":\"" id "\",\"type\":\"move-leads\",\"status\":\"success\"" more "}"
static char seen_jobs[256];

static int see_job(void *ctx, const struct remote_job *job, struct err *err)
{
    int *most = ctx;
    (void)err;
    strncat(seen_jobs, job->id.p, job->id.n);
    strcat(seen_jobs, ";");
    return --*most == 0;
}

START_TEST(jobs_page_by_page)
{
    int most = 100;
    seen_jobs[0] = '\0';
    says(200, "{\"items\":[" JOB("j1", "") ",{\"status\":\"pending\"}," JOB("j2", "") "],\"next_starting_after\":\"j 2\"}");
    says(200, "{\"items\":[" JOB("j3", "") "],\"next_starting_after\":\"j3\"}");
    says(200, "{\"items\":[]}");
    ck_assert_msg(api_jobs_each(api, NULL, 0, see_job, &most, &e) == 0, "%s", err_text(&e));
    ck_assert_str_eq(seen_jobs, "j1;j2;j3;"); /* one without an id is passed over */
    ck_assert_str_eq(fake.sent[0].path, "/api/v2/background-jobs?limit=100");
    ck_assert_str_eq(fake.sent[1].path, "/api/v2/background-jobs?limit=100&starting_after=j%202");
    most = 1;
    seen_jobs[0] = '\0';
    says(200, "{\"items\":[" JOB("j1", "") "," JOB("j2", "") "]}");
    const struct str ids[] = {STR("j1"), STR("a/b")};
    ck_assert_int_eq(api_jobs_each(api, ids, 2, see_job, &most, &e), 0);
    ck_assert_str_eq(seen_jobs, "j1;");
    ck_assert_str_eq(fake.sent[3].path, "/api/v2/background-jobs?limit=100&ids=j1,a%2Fb");
    says(403, "{\"message\":\"scope\"}");
    ck_assert_int_eq(api_jobs_each(api, NULL, 0, see_job, &most, &e), -1);
    ck_assert_int_eq(e.status, XS_KEY);
    ck_assert_msg(strstr(err_text(&e), "background-jobs:read") != NULL, "%s", err_text(&e));
}
END_TEST

START_TEST(a_job_by_id)
{
    int most = 100;
    seen_jobs[0] = '\0';
    says(200, JOB("j1", ""));
    says(404, "{\"message\":\"Resource not found\"}");
    says(200, "[]");
    ck_assert_int_eq(api_job_find(api, STR("j1"), see_job, &most, &e), 1);
    ck_assert_str_eq(seen_jobs, "j1;");
    ck_assert_str_eq(fake.sent[0].path, "/api/v2/background-jobs/j1");
    ck_assert_int_eq(api_job_find(api, STR("j2"), see_job, &most, &e), 0);
    ck_assert_int_eq(api_job_find(api, STR("j3"), see_job, &most, &e), -1);
    ck_assert_int_eq(e.status, XS_API);
}
END_TEST

START_TEST(what_jobs_tell)
{
    static const struct {
        const char *text;
        int64_t total, success, failed;
        const char *from, *to;
    } rows[] = {
        {JOB("j", ""), -1, -1, -1, "", ""},
        {JOB("j", ",\"data\":{\"total_leads\":5,\"moved_leads\":3,\"filters\":{\"campaign\":\"" ID1
                  "\",\"to_list_id\":\"" ID2 "\"}}"), 5, 3, 2, "campaign:" ID1, "list:" ID2},
        {JOB("j", ",\"data\":{\"total_leads\":5,\"moved_leads\":null,\"filters\":{\"list_id\":\"" ID1
                  "\",\"to_campaign_id\":7}}"), 5, -1, -1, "list:" ID1, ""},
        {"{\"id\":\"j\",\"type\":\"update-warmup-accounts\",\"data\":{\"total_to_process\":1,\"success_count\":0,"
         "\"failed_count\":1,\"filters\":{}}}", 1, 0, 1, "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json_object *json = json_tokener_parse(rows[i].text);
        struct remote_job job;
        struct job_told told;
        ck_assert_int_eq(api_remote_job_read(json, &job, &e), 0);
        api_remote_job_told(&job, &told);
        ck_assert_int_eq(told.total, rows[i].total);
        ck_assert_int_eq(told.success, rows[i].success);
        ck_assert_int_eq(told.failed, rows[i].failed);
        ck_assert_str_eq(told.from, rows[i].from);
        ck_assert_str_eq(told.to, rows[i].to);
        json_object_put(json);
    }
    ck_assert_int_eq(job_status_find(STR("completed")), JOB_SUCCESS);
    ck_assert_int_eq(job_status_find(STR("on holiday")), JOB_UNKNOWN);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lookup");
    TCase *t = tcase_create("lookup");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, uuid_without_asking);
    tcase_add_test(t, uuid_asked);
    tcase_add_test(t, name_found_on_a_later_page);
    tcase_add_test(t, the_same_one_twice_is_one);
    tcase_add_test(t, several_of_a_name);
    tcase_add_test(t, none_of_a_name);
    tcase_add_test(t, a_slip_inside_the_name);
    tcase_add_test(t, slips_are_few);
    tcase_add_test(t, a_wait_ends_in_time);
    tcase_add_test(t, pages_that_do_not_end);
    tcase_add_test(t, answers_that_are_none);
    tcase_add_test(t, workspace_and_plan);
    tcase_add_test(t, variables);
    tcase_add_test(t, blocklist);
    tcase_add_test(t, all_pages);
    tcase_add_test(t, only_what_is_wanted);
    tcase_add_test(t, cursors_in_a_circle);
    tcase_add_loop_test(t, odd_pages, 0, (int)(sizeof page_rows / sizeof page_rows[0]));
    tcase_add_test(t, a_page_that_fails);
    tcase_add_test(t, odd_contacts_are_searched_for);
    tcase_add_test(t, only_odd_contacts);
    tcase_add_test(t, dropped_half_way);
    tcase_add_test(t, jobs_page_by_page);
    tcase_add_test(t, a_job_by_id);
    tcase_add_test(t, what_jobs_tell);
    suite_add_tcase(s, t);
    return unit_run(s);
}
