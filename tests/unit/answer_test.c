/* Answers as hostile as they come. */
#include "tests/unit/answer_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    bool fine;
} parse_rows[] = {
    {"{}", true},
    {"[]", true},
    {"\n {\"a\":[1,2,{\"b\":null}]} \r\n", true},
    {"", false},
    {"   ", false},
    {"null", false},
    {"7", false},
    {"\"x\"", false},
    {"{", false},
    {"{}}", false},
    {"{} {}", false},
    {"{}x", false},
    {"{\"a\":1,}", false},
    {"{\"a\" 1}", false},
    {"{\"a\":01}", false},
    {"<html></html>", false},
    {"{\"a\":\"\xc3\x28\"}", false},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", false},
};

START_TEST(parsing)
{
    struct json_object *json = answer_parse(tokener, str_from(parse_rows[_i].text));
    ck_assert_msg((json != NULL) == parse_rows[_i].fine, "%s", parse_rows[_i].text);
    json_object_put(json);
    /* A tokener that has seen an error is as good as new. */
    json = answer_parse(tokener, STR("{\"a\":1}"));
    ck_assert_ptr_nonnull(json);
    json_object_put(json);
    ck_assert_ptr_null(answer_parse(tokener, (struct str){"{}\0", 3}));
}
END_TEST

START_TEST(getters_mistake_nothing)
{
    struct json_object *json = parse(
        "{\"s\":\"5\",\"i\":5,\"d\":5.0,\"n\":null,\"t\":true,\"o\":{},\"a\":[],\"big\":99999999999999999999,"
        "\"u\":18446744073709551615,\"neg\":-7,\"id\":\"" ID1 "\",\"at\":\"2026-06-30T21:15:32.254Z\"}");
    struct str s;
    int64_t n;
    struct uuid id;
    struct json_object *child;
    ck_assert(answer_str(json, "s", &s) && str_is(s, "5"));
    ck_assert(answer_int(json, "i", &n) && n == 5);
    ck_assert(answer_int(json, "neg", &n) && n == -7);
    static const char *const no_int[] = {"s", "d", "n", "t", "o", "a", "big", "u", "missing"};
    for (size_t i = 0; i < sizeof no_int / sizeof no_int[0]; i++)
        ck_assert_msg(!answer_int(json, no_int[i], &n), "%s", no_int[i]);
    static const char *const no_str[] = {"i", "d", "n", "t", "o", "a", "missing"};
    for (size_t i = 0; i < sizeof no_str / sizeof no_str[0]; i++)
        ck_assert_msg(!answer_str(json, no_str[i], &s), "%s", no_str[i]);
    ck_assert(answer_uuid(json, "id", &id) && !answer_uuid(json, "s", &id));
    ck_assert(answer_time(json, "at", &n) && n == 1782854132254);
    ck_assert(!answer_time(json, "s", &n) || n == 0);
    ck_assert(answer_object(json, "o", &child) && !answer_object(json, "a", &child));
    ck_assert(answer_array(json, "a", &child) && !answer_array(json, "o", &child));
    /* On what is no object at all. */
    ck_assert(!answer_int(NULL, "i", &n) && !answer_str(child, "s", &s));
    json_object_put(json);
}
END_TEST

#define COUNTERS \
    "\"status\":\"success\",\"total_sent\":3,\"leads_uploaded\":2,\"in_blocklist\":0,\"blocklist_used\":null," \
    "\"duplicated_leads\":1,\"skipped_count\":0,\"invalid_email_count\":0,\"incomplete_count\":0," \
    "\"duplicate_email_count\":0,\"remaining_in_plan\":236,"

static int added_read(struct json_object *json, size_t sent_n, struct arena *memory, struct leads_added *out,
                      struct err *err)
{
    const struct api_reply reply = {.json = json};
    return api_leads_added_read(&reply, sent_n, memory, out, err);
}

START_TEST(added_leads)
{
    struct json_object *json = parse("{" COUNTERS "\"created_leads\":[{\"index\":2,\"id\":\"" ID1 "\",\"email\":\"a@b.c\"},"
                                     "{\"index\":0,\"id\":\"" ID2 "\"}]}");
    struct leads_added added;
    ck_assert_msg(added_read(json, 3, &arena, &added, &e) == 0, "%s", err_text(&e));
    ck_assert_int_eq(added.total_sent, 3);
    ck_assert_int_eq(added.uploaded, 2);
    ck_assert_int_eq(added.duplicated, 1);
    ck_assert_int_eq(added.in_blocklist, 0);
    ck_assert_int_eq(added.remaining_in_plan, 236);
    ck_assert_uint_eq(added.created_n, 2);
    ck_assert_uint_eq(added.created[0].index, 2);
    struct uuid id = uuid(ID1);
    ck_assert(uuid_eq(&added.created[0].id, &id));
    ck_assert(str_is(added.created[0].email, "a@b.c") && added.created[1].email.n == 0);
    json_object_put(json);
}
END_TEST

START_TEST(added_with_odd_counters)
{
    struct json_object *json = parse(
        "{\"total_sent\":\"3\",\"leads_uploaded\":2.5,\"duplicated_leads\":null,\"skipped_count\":-1,"
        "\"invalid_email_count\":99999999999999999999,\"created_leads\":[]}");
    struct leads_added added;
    ck_assert_int_eq(added_read(json, 3, &arena, &added, &e), 0);
    ck_assert_int_eq(added.total_sent, -1);
    ck_assert_int_eq(added.uploaded, -1);
    ck_assert_int_eq(added.duplicated, -1);
    ck_assert_int_eq(added.skipped, -1);
    ck_assert_int_eq(added.invalid_email, -1);
    ck_assert_int_eq(added.incomplete, -1);
    ck_assert_int_eq(added.remaining_in_plan, -1);
    ck_assert_uint_eq(added.created_n, 0);
    json_object_put(json);
}
END_TEST

static const char *const hostile_created[] = {
    "{}",
    "[]",
    "{\"created_leads\":null}",
    "{\"created_leads\":{}}",
    "{\"created_leads\":\"none\"}",
    "{\"created_leads\":[null]}",
    "{\"created_leads\":[7]}",
    "{\"created_leads\":[{\"id\":\"" ID1 "\"}]}",
    "{\"created_leads\":[{\"index\":\"0\",\"id\":\"" ID1 "\"}]}",
    "{\"created_leads\":[{\"index\":0.0,\"id\":\"" ID1 "\"}]}",
    "{\"created_leads\":[{\"index\":-1,\"id\":\"" ID1 "\"}]}",
    "{\"created_leads\":[{\"index\":3,\"id\":\"" ID1 "\"}]}",
    "{\"created_leads\":[{\"index\":4294967296,\"id\":\"" ID1 "\"}]}",
    "{\"created_leads\":[{\"index\":18446744073709551615,\"id\":\"" ID1 "\"}]}",
    "{\"created_leads\":[{\"index\":0}]}",
    "{\"created_leads\":[{\"index\":0,\"id\":7}]}",
    "{\"created_leads\":[{\"index\":0,\"id\":\"not-a-uuid\"}]}",
    "{\"created_leads\":[{\"index\":1,\"id\":\"" ID1 "\"},{\"index\":1,\"id\":\"" ID2 "\"}]}",
    "{\"created_leads\":[{\"index\":0,\"id\":\"" ID1 "\"},{\"index\":1,\"id\":\"" ID1 "\"},{\"index\":2,\"id\":\"" ID1
    "\"},{\"index\":0,\"id\":\"" ID1 "\"}]}",
};

START_TEST(added_hostile)
{
    struct json_object *json = parse(hostile_created[_i]);
    struct leads_added added;
    ck_assert_msg(added_read(json, 3, &arena, &added, &e) == -1, "%s", hostile_created[_i]);
    ck_assert_int_eq(e.status, XS_API);
    json_object_put(json);
}
END_TEST

#define ITEM1 "{\"index\":2,\"id\":\"" ID1 "\",\"email\":\"a@b.c\"}"
#define ITEM2 "{\"index\":0,\"id\":\"" ID2 "\"}"

/* In parts or as a whole: the same, or as a whole only. */
static const struct {
    const char *text;
    bool apart;
} added_rows[] = {
    {"{" COUNTERS "\"created_leads\":[" ITEM1 "," ITEM2 "]}", true},
    {"\n{ " COUNTERS " \"created_leads\" :\t[ " ITEM1 "\r\n, " ITEM2 " ] , \"more\":{\"a\":1} }\n", true},
    {"{\"created_leads\":[" ITEM1 "],\"more\":[1]}", false}, /* the list ends at the last bracket, or is not plain */
    {"{\"created_leads\":[\v]}", false},
    {"{\"created_leads\":[]" ITEM1 "]}", false},
    {"{\"created_leads\":[" ITEM1 "],\"total_sent\":1}", true},
    {"{\"created_leads\":[{\"x\":{\"y\":[\"]\\\"}\"]},\"index\":1,\"id\":\"" ID1 "\"}]}", true},
    {"{\"created_leads\":[{\"index\":1,\"id\":\"" ID1 "\"},{\"index\":1,\"id\":\"" ID2 "\"}]}", true},
    {"{\"created_leads\":[{\"index\":99,\"id\":\"" ID1 "\"}]}", true},
    {"{\"created_leads\":[]}", true},
    {"{\"created_leads\":[ ]}", true},
    {"{\"created_leads\":[{\"index\":0,\"id\":\"" ID1 "\",\"email\":null,\"first_name\":\"A\\u00e9\",\"last_name\":7}]}",
     true},
    {"{\"created_leads\":[{\"index\":0,\"id\":\"" ID1 "\",\"email\":\"a@b.c\",\"first_name\":\"A\"}]}", true},
    /* Not JSON, in the list and around it. */
    {"", false},
    {"{\"created_leads\":[", false},
    {"{\"created_leads\":[" ITEM1, false},
    {"{\"created_leads\":[" ITEM1 "]", false},
    {"{\"created_leads\":[" ITEM1 ",]}", false},
    {"{\"created_leads\":[," ITEM1 "]}", false},
    {"{\"created_leads\":[" ITEM1 " " ITEM2 "]}", false},
    {"{\"created_leads\":[" ITEM1 "]}}", false},
    {"{\"created_leads\":[" ITEM1 "]]}", false},
    {"{\"created_leads\":[" ITEM1 "],}", false},
    {"{\"created_leads\" [" ITEM1 "]}", false},
    {"{\"a\":\"b\"created_leads\":[" ITEM1 "]}", false},
    {"{\"a\":\"created_leads\":[" ITEM1 "]}", false},
    {"{\"created_leads\":[" ITEM1 "],\"m\":\"\xc3\x28\"}", false},
    {"[\"created_leads\",[" ITEM1 "]]", false},
    /* JSON, but another list, or perhaps another. */
    {"{\"a\":{\"created_leads\":[" ITEM1 "]},\"created_leads\":[]}", false},
    {"{\"a\":[{\"created_leads\":[" ITEM1 "]}]}", false},
    {"{\"created_leads\":[" ITEM1 "],\"created_leads\":[" ITEM2 "]}", false},
    {"{\"created_leads\":[" ITEM1 "],\"created\\u005fleads\":[" ITEM2 "]}", false},
    {"{\"a\":\"\\\"created_leads\\\":[\",\"created_leads\":[" ITEM1 "]}", false},
    {"{\"a\":\"{\\n\",\"created_leads\":[" ITEM1 "],\"b\":\"}\\n\"}", true},
    {"{\"a\":{\"created_leads\":[" ITEM1 "]}}", false},
    {"{\"a\\\"created_leads\":[" ITEM1 "]}", false},
    {"{\"created_leads\":[" ITEM1 "],\"created_leads\":1}", false},
    {"{\"created_leads\":[" ITEM1 "],\"created\\u005fleads\":1}", false},
    {"{\"created\\u005fleads\":[" ITEM2 "],\"a\":{\"created_leads\":[" ITEM1 "]}}", false},
    /* json-c takes names in single quotes, even when strict: here the first bracket is within one. */
    {"{'a\"created_leads\":[{\"index\":0,\"id\":\"" ID1 "\",\"n\":\"':1,'created_leads':[],'z\"}]q':2}", false},
    {"{\"created_leads\":[" ITEM1 "],'created_leads':[" ITEM2 "]}", false},
    {"{\"created_leads\":{\"created_leads\":[" ITEM1 "]}}", false},
    {"{\"created_leads\":null}", false},
    {"{}", false},
    /* Items that cannot be used: the whole says which. */
    {"{\"created_leads\":[" ITEM1 ",null]}", false},
    {"{\"created_leads\":[7]}", false},
    {"{\"created_leads\":[[" ITEM1 "]]}", false},
    {"{\"created_leads\":[{\"id\":\"" ID1 "\"}]}", false},
    {"{\"created_leads\":[{\"index\":-1,\"id\":\"" ID1 "\"}]}", false},
    {"{\"created_leads\":[{\"index\":4294967296,\"id\":\"" ID1 "\"}]}", false},
    {"{\"created_leads\":[{\"index\":0,\"id\":\"x\"}]}", false},
};

static void same_added(const struct leads_added *a, const struct leads_added *b)
{
    ck_assert_int_eq(a->total_sent, b->total_sent);
    ck_assert_int_eq(a->uploaded, b->uploaded);
    ck_assert_int_eq(a->remaining_in_plan, b->remaining_in_plan);
    ck_assert_uint_eq(a->created_n, b->created_n);
    for (size_t i = 0; i < a->created_n; i++) {
        ck_assert_uint_eq(a->created[i].index, b->created[i].index);
        ck_assert(uuid_eq(&a->created[i].id, &b->created[i].id));
        ck_assert(str_eq(a->created[i].email, b->created[i].email));
        ck_assert(str_eq(a->created[i].first_name, b->created[i].first_name));
        ck_assert(str_eq(a->created[i].last_name, b->created[i].last_name));
    }
}

START_TEST(added_apart)
{
    struct created_leads created = {.v = NULL};
    struct leads_added as_whole, by_part;
    struct str text = str_from(added_rows[_i].text);
    struct json_object *whole = answer_parse(tokener, text);
    struct api_reply reply = {.json = answer_parse_added(tokener, text, &created), .created = &created};
    ck_assert_msg((reply.json != NULL) == added_rows[_i].apart, "%s", text.p);
    if (reply.json != NULL) {
        ck_assert_ptr_nonnull(whole);
        char why[200];
        int rc = added_read(whole, 3, &arena, &as_whole, &e);
        snprintf(why, sizeof why, "%s", rc == 0 ? "" : err_text(&e));
        err_clear(&e);
        ck_assert_int_eq(api_leads_added_read(&reply, 3, &arena, &by_part, &e), rc);
        ck_assert_str_eq(rc == 0 ? "" : err_text(&e), why);
        if (rc == 0)
            same_added(&as_whole, &by_part);
    }
    json_object_put(whole);
    json_object_put(reply.json);
    created_leads_free(&created);
    /* The tokener is as strict as before. */
    ck_assert_ptr_null(answer_parse(tokener, STR("{} {}")));
}
END_TEST

/* A list that is cut for the first time where `end` holds the first brace with a comma behind it. */
static const struct {
    const char *end;
    bool apart;
} cut_rows[] = {
    {"\"}," ITEM2, true},
    {"\"}\n," ITEM2, true},
    {"\"}," ITEM2 "," ITEM2, true},
    {"\"}," ITEM2 ",", false},
    {"\"},", false},
    {"\"},," ITEM2, false},
    {"},\"}," ITEM2, false},                     /* within a string */
    {"\",\"y\":[{\"z\":{}},{}]}," ITEM2, false}, /* within an item */
};

START_TEST(added_in_parts)
{
    struct buf text = BUF_INIT(1 << 20);
    struct created_leads created = {.v = NULL};
    struct leads_added as_whole, by_part;
    ck_assert_int_eq(buf_addf(&text, "{\"created_leads\":[{\"index\":1,\"id\":\"%s\",\"x\":\"%05000d%s]}", ID1, 0,
                              cut_rows[_i].end),
                     0);
    struct json_object *whole = answer_parse(tokener, buf_str(&text));
    struct api_reply reply = {.json = answer_parse_added(tokener, buf_str(&text), &created), .created = &created};
    ck_assert_msg((reply.json != NULL) == cut_rows[_i].apart, "%s", cut_rows[_i].end);
    if (reply.json != NULL) {
        ck_assert_int_eq(added_read(whole, 1000, &arena, &as_whole, &e),
                         api_leads_added_read(&reply, 1000, &arena, &by_part, &e));
        ck_assert_uint_ge(created.n, 2);
        ck_assert_uint_eq(created.n, json_object_array_length(json_object_object_get(whole, "created_leads")));
    }
    json_object_put(whole);
    json_object_put(reply.json);
    created_leads_free(&created);
    buf_free(&text);
}
END_TEST

START_TEST(added_without_memory)
{
    struct json_object *json = parse("{\"created_leads\":[{\"index\":0,\"id\":\"" ID1 "\"}]}");
    struct leads_added added;
    struct arena none;
    arena_init(&none, 0);
    ck_assert_int_eq(added_read(json, 1000, &none, &added, &e), -1);
    arena_free(&none);
    json_object_put(json);
}
END_TEST

/* Thirty megabytes, and the same cut short. */
START_TEST(large_answer)
{
    struct buf big = BUF_INIT(64 << 20);
    char id[UUID_TEXT_N];
    ck_assert_int_eq(buf_adds(&big, "{\"created_leads\":["), 0);
    size_t n = 0;
    for (; big.n < 30u << 20; n++) {
        struct uuid u = {{(unsigned char)(n >> 16), (unsigned char)(n >> 8), (unsigned char)n}};
        ck_assert_int_eq(buf_addf(&big, "%s{\"index\":%zu,\"id\":\"%s\",\"first_name\":\"%0200d\"}", n > 0 ? "," : "", n,
                                  uuid_format(&u, id), 0),
                         0);
    }
    ck_assert_int_eq(buf_adds(&big, "]}"), 0);
    ck_assert_ptr_null(answer_parse(tokener, (struct str){big.p, big.n - 1}));
    ck_assert_ptr_null(answer_parse(tokener, (struct str){big.p, big.n / 2}));
    struct json_object *json = answer_parse(tokener, buf_str(&big));
    ck_assert_ptr_nonnull(json);
    struct leads_added added;
    ck_assert_msg(added_read(json, n, &arena, &added, &e) == 0, "%s", err_text(&e));
    ck_assert_uint_eq(added.created_n, n);
    ck_assert_int_eq(added_read(json, 1000, &arena, &added, &e), -1);
    struct created_leads created = {.v = NULL};
    struct api_reply reply = {.json = answer_parse_added(tokener, buf_str(&big), &created), .created = &created};
    struct leads_added by_part;
    ck_assert_ptr_nonnull(reply.json);
    ck_assert_int_eq(added_read(json, n, &arena, &added, &e), 0);
    ck_assert_int_eq(api_leads_added_read(&reply, n, &arena, &by_part, &e), 0);
    same_added(&added, &by_part);
    json_object_put(reply.json);
    created_leads_free(&created);
    json_object_put(json);
    buf_free(&big);
}
END_TEST

START_TEST(remote_lead_read)
{
    struct json_object *json = parse(
        "{\"id\":\"" ID1 "\",\"campaign\":\"" ID2 "\",\"status\":-2,\"email\":\"A@b.c\","
        "\"timestamp_created\":\"2026-06-30T21:15:32.254Z\",\"first_name\":\"Ann\",\"lt_interest_status\":4,"
        "\"pl_value_lead\":null,\"payload\":{\"lastName\":\"Lee\",\"seats\":12,\"seats2\":true,"
        "\"tree\":{}}}");
    struct remote_lead lead;
    struct value v;
    ck_assert_int_eq(api_remote_lead_read(json, &lead, &e), 0);
    ck_assert(lead.has_campaign && !lead.has_list);
    ck_assert_int_eq(lead.status, -2);
    ck_assert(str_is(lead.email, "A@b.c"));
    ck_assert_int_eq(lead.created_ms, 1782854132254);
    api_remote_field(&lead, LEAD_FIRST_NAME, &v);
    ck_assert(v.kind == VALUE_STRING && v.n == 3 && memcmp(v.p, "Ann", 3) == 0);
    api_remote_field(&lead, LEAD_LAST_NAME, &v); /* only in the payload */
    ck_assert(v.kind == VALUE_STRING && v.n == 3 && memcmp(v.p, "Lee", 3) == 0);
    api_remote_field(&lead, LEAD_LT_INTEREST_STATUS, &v);
    ck_assert(v.kind == VALUE_NUMBER && v.n == 1 && v.p[0] == '4');
    api_remote_field(&lead, LEAD_PL_VALUE_LEAD, &v);
    ck_assert_int_eq(v.kind, VALUE_ABSENT);
    api_remote_field(&lead, LEAD_PHONE, &v);
    ck_assert_int_eq(v.kind, VALUE_ABSENT);
    api_remote_custom(&lead, (struct str){"seats2", 5}, &v);
    ck_assert(v.kind == VALUE_NUMBER && v.n == 2 && memcmp(v.p, "12", 2) == 0);
    api_remote_custom(&lead, STR("seats2"), &v);
    ck_assert(v.kind == VALUE_BOOL && v.n == 4 && memcmp(v.p, "true", 4) == 0);
    api_remote_custom(&lead, STR("tree"), &v);
    ck_assert_int_eq(v.kind, VALUE_ABSENT);
    api_remote_custom(&lead, STR("none"), &v);
    ck_assert_int_eq(v.kind, VALUE_ABSENT);
    json_object_put(json);
}
END_TEST

START_TEST(remote_lead_hostile)
{
    struct remote_lead lead;
    struct value v;
    struct json_object *json = parse("{\"id\":\"" ID1 "\",\"campaign\":7,\"list_id\":\"x\",\"status\":\"1\",\"email\":null,"
                                     "\"timestamp_created\":5,\"payload\":null}");
    ck_assert_int_eq(api_remote_lead_read(json, &lead, &e), 0);
    ck_assert(!lead.has_campaign && !lead.has_list);
    ck_assert_int_eq(lead.status, TARGET_STATUS_UNKNOWN);
    ck_assert_uint_eq(lead.email.n, 0);
    ck_assert_int_eq(lead.created_ms, 0);
    api_remote_custom(&lead, STR("seats"), &v);
    ck_assert_int_eq(v.kind, VALUE_ABSENT);
    api_remote_field(&lead, LEAD_LAST_NAME, &v);
    ck_assert_int_eq(v.kind, VALUE_ABSENT);
    json_object_put(json);
    static const char *const without_id[] = {"{}", "[]", "{\"id\":null}", "{\"id\":\"x\"}"};
    for (size_t i = 0; i < 4; i++) {
        json = parse(without_id[i]);
        ck_assert_int_eq(api_remote_lead_read(json, &lead, &e), -1);
        err_clear(&e);
        json_object_put(json);
    }
    ck_assert_int_eq(api_remote_lead_read(NULL, &lead, &e), -1);
}
END_TEST

START_TEST(leads_of_an_answer)
{
    struct api_reply list = {.json = parse("[{\"id\":\"" ID1 "\",\"verification_status\":12},{\"id\":null},"
                                           "{\"id\":\"" ID2 "\",\"verification_status\":-3}]")};
    struct api_reply one = {.json = parse("{\"id\":\"" ID1 "\",\"verification_status\":99}")}, none = {.json = NULL};
    struct remote_lead lead;
    size_t at = 0;
    ck_assert(api_reply_lead(&list, &at, &lead) && lead.verdict == VERDICT_PENDING);
    ck_assert(api_reply_lead(&list, &at, &lead) && lead.verdict == VERDICT_CATCH_ALL);
    ck_assert(!api_reply_lead(&list, &at, &lead));
    at = 0;
    ck_assert(api_reply_lead(&one, &at, &lead) && lead.verdict == VERDICT_UNKNOWN);
    ck_assert(!api_reply_lead(&one, &at, &lead));
    at = 0;
    ck_assert(!api_reply_lead(&none, &at, &lead));
    json_object_put(list.json);
    json_object_put(one.json);
}
END_TEST

START_TEST(jobs_and_numbers_of_an_answer)
{
    struct api_reply jobs = {.json = parse("{\"items\":[{\"status\":\"failed\"},{\"id\":\"j\",\"data\":{\"filters\":"
                                           "{\"ids\":[]}}}]}")};
    struct api_reply stats = {.json = parse("{\"stats\":{\"verification_job_pending_leadfinder\":2,"
                                            "\"verification_job_pending_user\":3}}")};
    struct remote_job job;
    size_t at = 0;
    ck_assert(api_reply_has_jobs(&jobs) && !api_reply_has_jobs(&stats));
    ck_assert(api_reply_job(&jobs, &at, &job) && str_is(job.id, "j"));
    ck_assert_str_eq(api_remote_job_filters(&job), "{\"ids\":[]}");
    ck_assert(!api_reply_job(&jobs, &at, &job));
    ck_assert_int_eq(api_list_pending_read(&stats), 5);
    ck_assert_int_eq(api_list_pending_read(&jobs), -1);
    stats.class = API_REFUSED;
    ck_assert_int_eq(api_list_pending_read(&stats), -1);
    json_object_put(jobs.json);
    json_object_put(stats.json);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("answer");
    TCase *a = tcase_create("answers");
    tcase_set_timeout(a, 60);
    tcase_add_checked_fixture(a, akit_setup, akit_teardown);
    tcase_add_loop_test(a, parsing, 0, (int)(sizeof parse_rows / sizeof parse_rows[0]));
    tcase_add_test(a, getters_mistake_nothing);
    tcase_add_test(a, added_leads);
    tcase_add_test(a, added_with_odd_counters);
    tcase_add_loop_test(a, added_hostile, 0, (int)(sizeof hostile_created / sizeof hostile_created[0]));
    tcase_add_loop_test(a, added_apart, 0, sizeof added_rows / sizeof added_rows[0]);
    tcase_add_loop_test(a, added_in_parts, 0, sizeof cut_rows / sizeof cut_rows[0]);
    tcase_add_test(a, added_without_memory);
    tcase_add_test(a, large_answer);
    tcase_add_test(a, remote_lead_read);
    tcase_add_test(a, remote_lead_hostile);
    tcase_add_test(a, leads_of_an_answer);
    tcase_add_test(a, jobs_and_numbers_of_an_answer);
    suite_add_tcase(s, a);
    return unit_run(s);
}
