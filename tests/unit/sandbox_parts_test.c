/* The sandbox's parts alone: windows, faults, the table of leads, strict JSON, ids. */
#include "sync/sandbox/world/faults.h"
#include "sync/sandbox/world/json.h"
#include "sync/sandbox/world/request_log.h"
#include "sync/sandbox/world/table.h"
#include "sync/sandbox/world/window.h"
#include "sync/sandbox/world/world.h"
#include "tests/unit/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- windows --- */

START_TEST(window_counts_what_is_inside)
{
    struct sim_window w;
    sim_window_init(&w, 1000);
    ck_assert_uint_eq(sim_window_count(&w, 5), 0);
    for (int64_t t = 0; t < 3000; t++)
        sim_window_add(&w, t);
    ck_assert_uint_eq(w.peak, 1000);
    ck_assert_uint_eq(sim_window_count(&w, 2999), 1000);
    ck_assert_uint_eq(sim_window_count(&w, 3998), 1);
    ck_assert_uint_eq(sim_window_count(&w, 3999), 0); /* exactly one span old is outside */
    sim_window_add(&w, 4000);
    ck_assert_uint_eq(w.n, 1);
    ck_assert_uint_eq(w.peak, 1000);
    sim_window_free(&w);
    ck_assert_uint_eq(w.peak, 0);
}
END_TEST

START_TEST(window_grows_across_its_seam)
{
    struct sim_window w;
    sim_window_init(&w, 1000000);
    for (int64_t t = 0; t < 200; t++)
        sim_window_add(&w, t);
    sim_window_count(&w, 1000100); /* moves the head */
    for (int64_t t = 0; t < 5000; t++)
        sim_window_add(&w, 1000150 + t);
    ck_assert_uint_eq(w.n, 5000);
    ck_assert_int_eq(w.at[w.head], 1000150);
    sim_window_free(&w);
}
END_TEST

/* --- faults --- */

static const struct {
    const char *text, *says;
} bad_faults[] = {
    {"POST", "is not \"METHOD PATH:FAULT=WHEN\""},
    {"POST :500=1", "is not \"METHOD PATH:FAULT=WHEN\""},
    {"POST /x:500", "does not say when"},
    {"POST /x:500=", "no such time"},
    {"POST /x:500=1.5", "no such time"},
    {"POST /x:500=101%", "no such time"},
    {"POST /x:500=-1%", "no such time"},
    {"POST /x:500=nan%", "no such time"},
    {"POST /x:500=%", "no such time"},
    {"POST /x:500=#0", "no such time"},
    {"POST /x:500=#3-2", "no such time"},
    {"POST /x:500=#3x", "no such time"},
    {"POST /x:200=1", "unknown fault"},
    {"POST /x:500-before=1", "unknown fault"},
    {"POST /x:explode=1", "unknown fault"},
    {"POST /x:=1", "unknown fault"},
    {"POST /x:drop-after@2=1", "cannot take"},
    {"POST /x:empty@2=1", "cannot take"},
    {"POST /x:429@soon=1", "cannot take"},
    {"POST /x:429@date=1", "cannot take"},
    {"POST /x:slow@99999999999=1", "cannot take"},
    {"GET *:500=1;POST", "is not"},
    {"PATCH /leads/{id}:patch-ignored@all=1", "cannot take"},
    {"POST /leads/add:empty-created@1=1", "cannot take"},
    {"POST /leads/list:list-lag@soon=1", "cannot take"},
    {"GET /leads/add:empty-created=1", "never happens to GET /leads/add: it is a lie of POST /leads/add"},
    {"POST /leads/move:shifted-index@created=1", "never happens to POST /leads/move"},
};

START_TEST(faults_refuse_what_they_do_not_know)
{
    struct sim_faults f = {0};
    struct err e = ERR_INIT;
    ck_assert_int_eq(sim_faults_set(&f, "GET *:500=1", 1, &e), 0);
    ck_assert_int_eq(sim_faults_set(&f, bad_faults[_i].text, 1, &e), -1);
    ck_assert_int_eq(e.status, XS_USAGE);
    ck_assert_msg(strstr(err_text(&e), bad_faults[_i].says) != NULL, "%s: %s", bad_faults[_i].text, err_text(&e));
    err_clear(&e);
    /* the old rules stay */
    ck_assert_int_eq(sim_faults_pick(&f, "GET", "/x", NULL).status, 500);
    sim_faults_free(&f);
}
END_TEST

START_TEST(faults_by_number)
{
    struct sim_faults f = {0};
    struct err e = ERR_INIT;
    const char *seen[7];
    const char *text = " POST /leads/add:drop-after=#3,hang@5=#5-6,429@7=1 ; GET /leads/{id}:slow=1";
    ck_assert_int_eq(sim_faults_set(&f, text, 1, &e), 0);
    for (size_t i = 0; i < 7; i++) {
        struct sim_fault fault = sim_faults_pick(&f, "POST", "/leads/add", "/leads/add");
        seen[i] = fault.kind == SIM_FAULT_NONE ? "" : fault.name;
    }
    const char *const want[7] = {"429", "", "drop-after", "", "hang", "hang", ""};
    for (size_t i = 0; i < 7; i++)
        ck_assert_str_eq(seen[i], want[i]);
    ck_assert_int_eq(sim_faults_pick(&f, "GET", "/leads/add", "/leads/add").kind, SIM_FAULT_NONE);
    struct sim_fault slow = sim_faults_pick(&f, "GET", "/leads/0", "/leads/{id}");
    ck_assert_int_eq(slow.kind, SIM_FAULT_SLOW);
    ck_assert_int_eq(slow.arg, 3000);
    ck_assert_int_eq(sim_faults_set(&f, NULL, 1, &e), 0);
    ck_assert_int_eq(sim_faults_pick(&f, "GET", "/leads/0", "/leads/{id}").kind, SIM_FAULT_NONE);
    sim_faults_free(&f);
}
END_TEST

/* Under a rule for many endpoints a lie waits for its own. */
START_TEST(lies_happen_where_they_belong)
{
    struct sim_faults f = {0};
    struct err e = ERR_INIT;
    ck_assert_int_eq(sim_faults_set(&f, "* *:delete-ignored=#1-3,same-id@stranger=#4-9", 1, &e), 0);
    ck_assert_int_eq(sim_faults_pick(&f, "POST", "/leads/add", "/leads/add").kind, SIM_FAULT_NONE);
    ck_assert_int_eq(sim_faults_pick(&f, "DELETE", "/leads/0", "/leads/{id}").lie, SIM_LIE_DELETE_IGNORED);
    ck_assert_int_eq(sim_faults_pick(&f, "DELETE", "/leads", "/leads").lie, SIM_LIE_DELETE_IGNORED);
    ck_assert_int_eq(sim_faults_pick(&f, "DELETE", "/leads", "/leads").kind, SIM_FAULT_NONE);
    struct sim_fault fault = sim_faults_pick(&f, "POST", "/leads/add", "/leads/add");
    ck_assert_int_eq(fault.lie, SIM_LIE_STRANGER_ID);
    ck_assert_str_eq(fault.name, "same-id");
    ck_assert(fault.after);
    ck_assert_int_eq(sim_faults_set(&f, "POST /leads/list:list-lag=#1,list-lag@20=#2", 1, &e), 0);
    ck_assert_int_eq(sim_faults_pick(&f, "POST", "/leads/list", "/leads/list").arg, 1500);
    ck_assert_int_eq(sim_faults_pick(&f, "POST", "/leads/list", "/leads/list").arg, 20);
    sim_faults_free(&f);
}
END_TEST

START_TEST(faults_by_share_and_seed)
{
    struct sim_faults f = {0}, g = {0};
    struct err e = ERR_INIT;
    const char *text = "* /leads*:500=2%,429@1=1%";
    size_t counts[600] = {0}, same = 0;
    ck_assert_int_eq(sim_faults_set(&f, text, 42, &e), 0);
    ck_assert_int_eq(sim_faults_set(&g, text, 42, &e), 0);
    for (int i = 0; i < 100000; i++) {
        struct sim_fault a = sim_faults_pick(&f, "POST", "/leads/add", NULL);
        struct sim_fault b = sim_faults_pick(&g, "PATCH", "/leads/1", NULL);
        counts[a.status]++;
        same += a.status == b.status;
    }
    ck_assert_uint_eq(same, 100000); /* the seed and the number decide, nothing else */
    ck_assert_uint_gt(counts[500], 1800);
    ck_assert_uint_lt(counts[500], 2200);
    ck_assert_uint_gt(counts[429], 850);
    ck_assert_uint_lt(counts[429], 1150);
    ck_assert_int_eq(sim_faults_pick(&f, "GET", "/campaigns", NULL).kind, SIM_FAULT_NONE);
    sim_faults_free(&f);
    sim_faults_free(&g);
}
END_TEST

/* --- table --- */

static struct sim_fields fields_of(const char *email)
{
    return (struct sim_fields){.f = {[BF_EMAIL] = str_from(email), [BF_FIRST_NAME] = STR("F"), [BF_PHONE] = STR("")}};
}

START_TEST(table_finds_by_address_and_id)
{
    enum { N = 50000 };
    struct sim_table t;
    char email[64];
    sim_table_init(&t, 3, false);
    for (uint32_t no = 1; no <= N; no++) {
        snprintf(email, sizeof email, "User%u@x.co", (no - 1) % (N / 2));
        struct sim_fields fields = fields_of(email);
        struct sim_lead *lead = sim_table_put(&t, no, &fields);
        ck_assert_ptr_nonnull(lead);
        lead->id = sim_lead_id(3, 1000 + no, no);
    }
    ck_assert_uint_eq(t.live, N);
    for (uint32_t no = 1; no <= N; no += 777) {
        snprintf(email, sizeof email, "uSER%u@X.CO", (no - 1) % (N / 2));
        uint32_t first = sim_table_by_email(&t, str_from(email), 0);
        uint32_t second = sim_table_by_email(&t, str_from(email), first);
        ck_assert_uint_eq(first + second, ((no - 1) % (N / 2) + 1) * 2 + N / 2);
        ck_assert_uint_eq(sim_table_by_email(&t, str_from(email), second), 0);
        ck_assert_uint_eq(sim_table_by_id(&t, &sim_table_at(&t, no)->id), no);
    }
    struct uuid strange = sim_lead_id(4, 1000, 1), none = {{0}};
    ck_assert_uint_eq(sim_table_by_id(&t, &strange), 0);
    ck_assert_uint_eq(sim_table_by_id(&t, &none), 0);
    ck_assert_uint_eq(sim_table_by_email(&t, STR("nobody@x.co"), 0), 0);
    ck_assert_uint_eq(sim_table_by_email(&t, STR(""), 0), 0);
    sim_table_free(&t);
}
END_TEST

START_TEST(table_deletes_from_the_middle)
{
    struct sim_table t;
    struct sim_fields fields = fields_of("a@x.co"), got;
    sim_table_init(&t, 3, false);
    for (uint32_t no = 1; no <= 3; no++)
        sim_table_put(&t, no, &fields)->id = sim_lead_id(3, 5, no);
    struct uuid id = sim_table_at(&t, 2)->id;
    sim_table_delete(&t, 2);
    ck_assert_uint_eq(sim_table_by_id(&t, &id), 0);
    ck_assert_uint_eq(sim_table_by_email(&t, STR("a@x.co"), 0), 3);
    ck_assert_uint_eq(sim_table_by_email(&t, STR("a@x.co"), 3), 1);
    sim_table_delete(&t, 3);
    sim_table_delete(&t, 1);
    ck_assert_uint_eq(sim_table_by_email(&t, STR("a@x.co"), 0), 0);
    ck_assert_uint_eq(t.live, 0);
    ck_assert_ptr_null(sim_table_put(&t, 3, &fields));       /* numbers are never given twice */
    ck_assert_ptr_nonnull(sim_table_put(&t, 9000, &fields)); /* and may leave gaps */
    ck_assert_uint_eq(sim_table_by_email(&t, STR("A@x.co"), 0), 9000);
    sim_lead_fields(sim_table_at(&t, 9000), &got);
    ck_assert(str_is(got.f[BF_FIRST_NAME], "F"));
    ck_assert_ptr_nonnull(got.f[BF_PHONE].p); /* empty is not absent */
    ck_assert_ptr_null(got.f[BF_LAST_NAME].p);
    sim_table_free(&t);
}
END_TEST

START_TEST(table_minds_case_when_told)
{
    struct sim_table t;
    struct sim_fields fields = fields_of("A@x.co");
    sim_table_init(&t, 3, true);
    sim_table_put(&t, 1, &fields);
    ck_assert_uint_eq(sim_table_by_email(&t, STR("a@x.co"), 0), 0);
    ck_assert_uint_eq(sim_table_by_email(&t, STR("A@x.co"), 0), 1);
    sim_table_free(&t);
}
END_TEST

START_TEST(ids_sort_and_carry_their_number)
{
    struct uuid last = {{0}};
    for (uint32_t i = 0; i < 100000; i++) {
        struct uuid id = sim_lead_id(9, INT64_C(1767225600000) + i / 100, i * 40000 + 1);
        ck_assert_int_gt(memcmp(&id, &last, sizeof id), 0);
        ck_assert_uint_eq(sim_lead_no(&id), i * 40000 + 1);
        ck_assert_int_eq(id.b[6] >> 4, 7);
        ck_assert_int_eq(id.b[8] >> 6, 2);
        last = id;
    }
}
END_TEST

/* --- JSON and addresses --- */

static const struct {
    const char *text;
    int rc;
} documents[] = {
    {"{}", 0},
    {"null", 0},
    {"[1,2.50,-3e4,true,false,null,\"x\"]", 0},
    {" {\"a\" : \"\\u00e9\\\"\" } ", 0},
    {"12", 0},
    {"", 1},
    {" ", 1},
    {"{", 1},
    {"{}{}", 1},
    {"{} x", 1},
    {"{'a':1}", 1},
    {"[NaN]", 1},
    {"[Infinity]", 1},
    {"[nul]", 1},
    {"[True]", 1},
    {"[\"\t\"]", 1},
    {"[\"\xff\"]", 1},
    {"[1,]", 1},
    {"{\"a\"}", 1},
    {"// x\n{}", 1},
    {"[\"x]", 1},
};

START_TEST(json_is_strict)
{
    json_object *o = NULL;
    ck_assert_msg(sim_json_parse(str_from(documents[_i].text), &o) == documents[_i].rc, "%s", documents[_i].text);
    json_object_put(o);
}
END_TEST

START_TEST(json_refuses_a_nul_byte)
{
    json_object *o = NULL;
    ck_assert_int_eq(sim_json_parse((struct str){"{}\0", 3}, &o), 1);
    ck_assert_int_eq(sim_json_parse((struct str){"[\"\0\"]", 5}, &o), 1);
}
END_TEST

static const struct {
    const char *email;
    bool valid;
} addresses[] = {
    {"a@b.co", true},    {"first.last+tag@sub.example.com", true},
    {"a@b", false},      {"@b.co", false},
    {"a@", false},       {"", false},
    {"a b@c.co", false}, {"a@b@c.co", false},
    {"a@.co", false},    {"a@b.", false},
    {"a@b..co", false},  {" a@b.co", false},
    {"<a@b.co>", false}, {"plain", false},
};

START_TEST(addresses_are_judged)
{
    ck_assert_msg(sim_email_valid(str_from(addresses[_i].email)) == addresses[_i].valid, "%s", addresses[_i].email);
}
END_TEST

START_TEST(ring_keeps_the_last)
{
    struct sim_request_log *r = sim_request_log_new();
    struct sim_request_log_entry entry = {.method = "GET"};
    struct buf out = BUF_INIT(64 << 20);
    struct jsonw j;
    for (int i = 0; i < 10005; i++)
        sim_request_log_add(r, &entry);
    jsonw_init(&j, &out);
    sim_request_log_write(r, &j);
    ck_assert_int_eq(jsonw_end(&j), 0);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "{\"total\":10005,\"requests\":[{\"n\":6,"));
    buf_free(&out);
    sim_request_log_free(r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sandbox_parts");
    TCase *t = tcase_create("parts");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, window_counts_what_is_inside);
    tcase_add_test(t, window_grows_across_its_seam);
    tcase_add_loop_test(t, faults_refuse_what_they_do_not_know, 0, sizeof bad_faults / sizeof bad_faults[0]);
    tcase_add_test(t, faults_by_number);
    tcase_add_test(t, lies_happen_where_they_belong);
    tcase_add_test(t, faults_by_share_and_seed);
    tcase_add_test(t, table_finds_by_address_and_id);
    tcase_add_test(t, table_deletes_from_the_middle);
    tcase_add_test(t, table_minds_case_when_told);
    tcase_add_test(t, ids_sort_and_carry_their_number);
    tcase_add_loop_test(t, json_is_strict, 0, sizeof documents / sizeof documents[0]);
    tcase_add_test(t, json_refuses_a_nul_byte);
    tcase_add_loop_test(t, addresses_are_judged, 0, sizeof addresses / sizeof addresses[0]);
    tcase_add_test(t, ring_keeps_the_last);
    suite_add_tcase(suite, t);
    return unit_run(suite);
}
