/* Requests as exact bytes. */
#include "sync/api/body/body.h"
#include "tests/unit/answer_kit.h"

#include <stdlib.h>
#include <string.h>

#define TEXT(s) ((struct value){VALUE_STRING, (s), sizeof(s) - 1})
#define NUMBER(s) ((struct value){VALUE_NUMBER, (s), sizeof(s) - 1})
#define BOOL(s) ((struct value){VALUE_BOOL, (s), sizeof(s) - 1})
#define CLEARED ((struct value){VALUE_NULL, NULL, 0})
#define ABSENT ((struct value){VALUE_ABSENT, NULL, 0})

static struct str names[] = {{"seats", 5}, {"origin", 6}, {"a \"b\"", 5}};
static const struct lead_shape shape = {1, 3, names};
static struct buf out;

static void setup(void)
{
    akit_setup();
    buf_init(&out, BODY_MAX_BYTES);
}

static void teardown(void)
{
    akit_teardown();
    buf_free(&out);
}

START_TEST(lead_json)
{
    struct value custom[3] = {NUMBER("12.50"), ABSENT, BOOL("true")};
    struct lead lead = {.shape = &shape, .custom = custom};
    lead.core[LEAD_EMAIL] = TEXT("a@b.example");
    lead.core[LEAD_FIRST_NAME] = TEXT("Zo\u00eb \"Z\"\n");
    lead.core[LEAD_LAST_NAME] = CLEARED;
    lead.core[LEAD_PHONE] = NUMBER("49"); /* core fields are strings to the API, whatever the source had */
    lead.core[LEAD_LT_INTEREST_STATUS] = NUMBER("-1");
    ck_assert_int_eq(api_lead_json(&lead, &out), 0);
    ck_assert_str_eq(buf_cstr(&out),
                     "{\"email\":\"a@b.example\",\"first_name\":\"Zo\u00eb \\\"Z\\\"\\n\",\"last_name\":null,"
                     "\"phone\":\"49\",\"lt_interest_status\":-1,"
                     "\"custom_variables\":{\"seats\":12.50,\"a \\\"b\\\"\":true}}");
    /* Appends; nothing custom leaves the object out; a status has no null. */
    custom[0] = custom[2] = ABSENT;
    lead = (struct lead){.shape = &shape, .custom = custom};
    lead.core[LEAD_LT_INTEREST_STATUS] = CLEARED;
    buf_reset(&out);
    ck_assert_int_eq(buf_addc(&out, 'x'), 0);
    ck_assert_int_eq(api_lead_json(&lead, &out), 0);
    ck_assert_str_eq(buf_cstr(&out), "x{}");
    lead = (struct lead){.core[LEAD_EMAIL] = TEXT("\xff\x01")};
    buf_reset(&out);
    ck_assert_int_eq(api_lead_json(&lead, &out), 0);
    ck_assert_str_eq(buf_cstr(&out), "{\"email\":\"\xef\xbf\xbd\\u0001\"}");
}
END_TEST

START_TEST(lead_json_leaves_nothing_half_written)
{
    struct lead lead = {.core[LEAD_EMAIL] = TEXT("somebody@example.com"), .core[LEAD_FIRST_NAME] = TEXT("Somebody")};
    struct buf whole = BUF_INIT(1000);
    ck_assert_int_eq(api_lead_json(&lead, &whole), 0);
    for (size_t max = 0; max < whole.n; max++) {
        struct buf small = BUF_INIT(max);
        ck_assert_int_eq(api_lead_json(&lead, &small), -1);
        ck_assert_uint_eq(small.n, 0);
        buf_free(&small);
    }
    buf_free(&whole);
}
END_TEST

/* The whole body into `out`, with two leads. */
static const char *add_body(const struct leads_add *add)
{
    struct lead first = {.core[LEAD_EMAIL] = TEXT("a@b.c")}, second = {0};
    buf_reset(&out);
    ck_assert_int_eq(api_leads_add_open(add, &out), 0);
    ck_assert_int_eq(api_leads_add_lead(&first, &out), 1);
    ck_assert_int_eq(api_leads_add_lead(&second, &out), 1);
    ck_assert_int_eq(api_leads_add_close(&out), 0);
    return buf_cstr(&out);
}

START_TEST(leads_add_body)
{
    struct leads_add add = {.target = {.kind = TARGET_CAMPAIGN, .id = uuid(ID1)}};
    ck_assert_str_eq(add_body(&add), "{\"campaign_id\":\"" ID1 "\",\"leads\":[{\"email\":\"a@b.c\"},{}]}");
    add.target.kind = TARGET_LIST;
    add.blocklist_id = ID2;
    add.verify_on_import = true;
    add.skip = SKIP_IN_LIST;
    ck_assert_str_eq(add_body(&add), "{\"list_id\":\"" ID1 "\",\"blocklist_id\":\"" ID2 "\",\"verify_leads_on_import\":true,"
                                     "\"skip_if_in_list\":true,\"leads\":[{\"email\":\"a@b.c\"},{}]}");
    add.skip = SKIP_IN_WORKSPACE;
    ck_assert_ptr_nonnull(strstr(add_body(&add), "\"skip_if_in_workspace\":true"));
    add.skip = SKIP_IN_CAMPAIGN;
    ck_assert_ptr_nonnull(strstr(add_body(&add), "\"skip_if_in_campaign\":true"));
}
END_TEST

START_TEST(leads_add_has_limits)
{
    struct leads_add add = {.target = {.kind = TARGET_LIST, .id = uuid(ID1)}};
    char text[100];
    memset(text, 'x', sizeof text);
    struct lead lead = {.core[LEAD_EMAIL] = {VALUE_STRING, text, 1}};
    /* Whatever the maximum, leads go in until one does not fit; that one adds nothing, and the end always fits. */
    for (size_t max = 80; max < 200; max++) {
        struct buf body = BUF_INIT(max);
        size_t before = 0;
        int fits = 1, n = 0;
        ck_assert_int_eq(api_leads_add_open(&add, &body), 0);
        while (fits == 1) {
            before = body.n;
            fits = api_leads_add_lead(&lead, &body);
            n += fits;
        }
        ck_assert_int_eq(fits, 0);
        ck_assert_uint_eq(body.n, before);
        ck_assert_int_eq(api_leads_add_close(&body), 0);
        ck_assert_uint_le(body.n, max);
        ck_assert_uint_gt(body.n + strlen(",{\"email\":\"x\"}"), max); /* to the byte */
        ck_assert(n == 0 || strcmp(buf_cstr(&body) + body.n - 6, "\"x\"}]}") == 0);
        buf_free(&body);
    }
    lead.core[LEAD_EMAIL].n = sizeof text;
    struct buf small = BUF_INIT(120);
    ck_assert_int_eq(api_leads_add_open(&add, &small), 0);
    ck_assert_int_eq(api_leads_add_lead(&lead, &small), 0); /* one that fits nowhere */
    buf_free(&small);
    /* No leads, and too many of them: nothing that may be asked for. The body is taken over all the same. */
    static const size_t wrong[] = {0, LEADS_ADD_MAX_LEADS + 1};
    for (size_t i = 0; i < 2; i++) {
        struct buf body = BUF_INIT(100);
        ck_assert_int_eq(buf_adds(&body, "{}"), 0);
        ck_assert_int_eq(api_leads_add(NULL, &body, wrong[i], NULL, NULL, &e), -1);
        ck_assert_int_eq(e.status, XS_INTERNAL);
        ck_assert_ptr_null(body.p);
        err_clear(&e);
    }
}
END_TEST

START_TEST(leads_list_body)
{
    struct target target = {.kind = TARGET_CAMPAIGN, .id = uuid(ID1)};
    struct str contacts[] = {STR("a@b.c"), STR("\"odd\"@b.c")};
    struct leads_list list = {.target = &target, .contacts = contacts, .contacts_n = 2};
    ck_assert_int_eq(body_leads_list(&list, &out, &e), 0);
    ck_assert_str_eq(buf_cstr(&out),
                     "{\"campaign\":\"" ID1 "\",\"contacts\":[\"a@b.c\",\"\\\"odd\\\"@b.c\"],\"limit\":100}");
    struct buf next = BUF_INIT(1000);
    ck_assert_int_eq(body_next_page(buf_str(&out), STR("cur\"sor"), &next, &e), 0);
    ck_assert_str_eq(buf_cstr(&next), "{\"campaign\":\"" ID1 "\",\"contacts\":[\"a@b.c\",\"\\\"odd\\\"@b.c\"],\"limit\":100,"
                                      "\"starting_after\":\"cur\\\"sor\"}");
    buf_free(&next);

    struct uuid ids[] = {uuid(ID2)};
    target.kind = TARGET_LIST;
    list = (struct leads_list){.target = &target, .ids = ids, .ids_n = 1};
    buf_reset(&out);
    ck_assert_int_eq(body_leads_list(&list, &out, &e), 0);
    ck_assert_str_eq(buf_cstr(&out), "{\"list_id\":\"" ID1 "\",\"ids\":[\"" ID2 "\"],\"limit\":100}");
    list = (struct leads_list){0};
    buf_reset(&out);
    ck_assert_int_eq(body_leads_list(&list, &out, &e), 0);
    ck_assert_str_eq(buf_cstr(&out), "{\"limit\":100}");
    /* Too many, or two kinds at once. */
    list = (struct leads_list){.ids = ids, .ids_n = LEADS_LIST_MAX + 1};
    ck_assert_int_eq(body_leads_list(&list, &out, &e), -1);
    err_clear(&e);
    list = (struct leads_list){.ids = ids, .ids_n = 1, .contacts = contacts, .contacts_n = 1};
    ck_assert_int_eq(body_leads_list(&list, &out, &e), -1);
}
END_TEST

START_TEST(leads_search_body)
{
    struct target target = {.kind = TARGET_LIST, .id = uuid(ID1)};
    ck_assert_int_eq(body_leads_search(&target, STR("\"a b\"@b.c"), &out, &e), 0);
    ck_assert_str_eq(buf_cstr(&out), "{\"list_id\":\"" ID1 "\",\"search\":\"\\\"a b\\\"@b.c\",\"limit\":100}");
    buf_reset(&out);
    ck_assert_int_eq(body_leads_search(NULL, STR("x"), &out, &e), 0);
    ck_assert_str_eq(buf_cstr(&out), "{\"search\":\"x\",\"limit\":100}");
    ck_assert_int_eq(body_leads_search(&target, STR_NONE, &out, &e), -1);
    ck_assert_int_eq(e.status, XS_INTERNAL);
}
END_TEST

/* What ajv's format "email" says of each. */
static const struct {
    const char *email;
    bool fits;
} contact_rows[] = {
    {"a@b.c", true},
    {"A.B@B.C", true},
    {"a+b_c-d!#$%&'*/=?^`{|}~@b-c.d-e.f", true},
    {"-@1.2", true},
    {"a@xn--bcher-kva.example", true},
    {"a@b--c.de", true},
    {"", false},
    {"@", false},
    {"a", false},
    {"a@", false},
    {"@b.c", false},
    {"a@b", false},
    {"a@b.", false},
    {"a@.b", false},
    {"a@b..c", false},
    {".a@b.c", false},
    {"a.@b.c", false},
    {"a..b@b.c", false},
    {"a@-b.c", false},
    {"a@b-.c", false},
    {"a@b.c-", false},
    {"a@b.-", false},
    {"a@b_c.de", false},
    {"\"a\"@b.c", false},
    {"a b@c.de", false},
    {"a@b@c.de", false},
    {"m\u00fcller@b.c", false},
    {"a@b\u00fc.de", false},
    {"a(x)@b.c", false},
    {"a,b@c.de", false},
    {"a@[1.2.3.4]", false},
};

START_TEST(contacts_that_fit)
{
    ck_assert_msg(body_contact_fits(str_from(contact_rows[_i].email)) == contact_rows[_i].fits, "%s",
                  contact_rows[_i].email);
}
END_TEST

static const char stored[] =
    "{\"id\":\"" ID1
    "\",\"email\":\"a@b.c\",\"first_name\":\"Ann\",\"status\":1,\"payload\":{\"email\":\"a@b.c\",\"firstName\":\"Ann\","
    "\"lastName\":null,\"companyName\":\"x\",\"jobTitle\":\"x\",\"website\":\"x\",\"phone\":\"x\",\"personalization\":"
    "\"x\","
    "\"campaign\":\"x\",\"list_id\":\"x\",\"seats\":1,\"kept\":\"k\\u0000v\",\"size\":1.50,\"big\":9007199254740993,"
    "\"flag\":false,"
    "\"nothing\":null,\"tree\":{\"a\":1},\"rows\":[1]}}";

START_TEST(lead_patch_body)
{
    struct json_object *json = parse(stored);
    struct remote_lead remote;
    ck_assert_int_eq(api_remote_lead_read(json, &remote, &e), 0);
    struct value custom[3] = {NUMBER("2"), ABSENT, CLEARED};
    struct lead lead = {.shape = &shape,
                        .custom = custom,
                        .core[LEAD_EMAIL] = TEXT("a@b.c"),
                        .core[LEAD_FIRST_NAME] = TEXT("Anna"),
                        .core[LEAD_PHONE] = CLEARED,
                        .core[LEAD_WEBSITE] = TEXT("w"),
                        .core[LEAD_LT_INTEREST_STATUS] = NUMBER("4")};
    struct lead_patch patch = {.id = uuid(ID1),
                               .lead = &lead,
                               .fields = 1u << LEAD_FIRST_NAME | 1u << LEAD_PHONE | 1u << LEAD_LT_INTEREST_STATUS,
                               .custom = true,
                               .remote = &remote};
    ck_assert_int_eq(body_lead_patch(&patch, &out, &e), 0);
    /* The complete set: what is stored, less core keys, objects and arrays, under what the lead says. */
    ck_assert_str_eq(buf_cstr(&out),
                     "{\"first_name\":\"Anna\",\"phone\":null,\"lt_interest_status\":4,\"custom_variables\":{"
                     "\"kept\":\"k\\u0000v\",\"size\":1.50,\"big\":9007199254740993,\"flag\":false,\"nothing\":null,"
                     "\"seats\":2,\"a \\\"b\\\"\":null}}");
    patch.remote = NULL;
    patch.fields = 0;
    buf_reset(&out);
    ck_assert_int_eq(body_lead_patch(&patch, &out, &e), 0);
    ck_assert_str_eq(buf_cstr(&out), "{\"custom_variables\":{\"seats\":2,\"a \\\"b\\\"\":null}}");
    json_object_put(json);
}
END_TEST

START_TEST(lead_patch_refuses)
{
    struct lead lead = {.core[LEAD_EMAIL] = TEXT("a@b.c"), .core[LEAD_LT_INTEREST_STATUS] = CLEARED};
    struct lead_patch patch = {.id = uuid(ID1), .lead = &lead};
    static const uint32_t fields[] = {0, 1u << LEAD_EMAIL, 1u << LEAD_LT_INTEREST_STATUS, 1u << LEAD_PHONE};
    for (size_t i = 0; i < 4; i++) { /* nothing, what cannot be changed, what cannot be cleared, nothing after all */
        patch.fields = fields[i];
        ck_assert_int_eq(body_lead_patch(&patch, &out, &e), -1);
        ck_assert_int_eq(e.status, XS_INTERNAL);
        err_clear(&e);
    }
    /* A number that json-c cannot hold would come back as another one, or as none. */
    static const char *const inexact[] = {
        "{\"id\":\"" ID1 "\",\"payload\":{\"account\":123456789012345678901234567890}}",
        "{\"id\":\"" ID1 "\",\"payload\":{\"account\":-123456789012345678901234567890}}",
        "{\"id\":\"" ID1 "\",\"payload\":{\"account\":1e400}}",
        "{\"id\":\"" ID1 "\",\"payload\":{\"account\":NaN}}",
    };
    for (size_t i = 0; i < sizeof inexact / sizeof inexact[0]; i++) {
        struct json_object *json = parse(inexact[i]);
        struct remote_lead remote;
        ck_assert_int_eq(api_remote_lead_read(json, &remote, &e), 0);
        patch.custom = true;
        patch.fields = 0;
        patch.remote = &remote;
        buf_reset(&out);
        ck_assert_int_eq(body_lead_patch(&patch, &out, &e), -1);
        ck_assert_ptr_nonnull(strstr(err_text(&e), "account"));
        err_clear(&e);
        json_object_put(json);
    }
}
END_TEST

START_TEST(url_escape)
{
    ck_assert_int_eq(body_url_escape(STR("Q4 f\u00f6r/&?=%+\0~-._aZ9"), &out), 0);
    ck_assert_str_eq(buf_cstr(&out), "Q4%20f%C3%B6r%2F%26%3F%3D%25%2B%00~-._aZ9");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("body");
    TCase *t = tcase_create("requests");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, lead_json);
    tcase_add_test(t, lead_json_leaves_nothing_half_written);
    tcase_add_test(t, leads_add_body);
    tcase_add_test(t, leads_add_has_limits);
    tcase_add_test(t, leads_list_body);
    tcase_add_test(t, leads_search_body);
    tcase_add_loop_test(t, contacts_that_fit, 0, (int)(sizeof contact_rows / sizeof contact_rows[0]));
    tcase_add_test(t, lead_patch_body);
    tcase_add_test(t, lead_patch_refuses);
    tcase_add_test(t, url_escape);
    suite_add_tcase(s, t);
    return unit_run(s);
}
