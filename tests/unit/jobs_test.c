/* Moves, removals and background jobs: what is asked for, byte for byte, and what is read from recorded and hostile
 * answers. */
#include "sync/api/answer/answer.h"
#include "sync/api/api.h"
#include "sync/api/body/body.h"
#include "sync/api/http/transport.h"
#include "tests/harness/fake_transport.h"
#include "tests/unit/harness.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST1 "5c194eae-9382-4bf1-aff4-d9eaa90668e1"
#define LIST2 "c737308b-aec0-4a0f-bd51-d6feefd8df6b"
#define LEAD1 "019f1a0d-70d9-756a-bc19-c8b5cc3a0215"
#define LEAD2 "019f1a6c-2696-7967-a05e-4335a9b176a7"

static struct err e;
static struct buf out;
static struct json_tokener *tokener;
static struct clock_fake fake_clock;
static struct fake_transport fake;
static struct api *api;
static struct target list1, list2;
static struct uuid leads[2];
static enum api_class last_class;
static unsigned done_n;

static void setup(void)
{
    struct api_config config = {.base_url = "https://api.example", .key = "k", .user_agent = "t"};
    e = (struct err)ERR_INIT;
    buf_init(&out, BODY_MAX_BYTES);
    tokener = answer_tokener();
    clock_fake_init(&fake_clock, 1700000000000);
    fake_transport_init(&fake, &fake_clock);
    ck_assert_int_eq(api_new(&config, &fake.base, &fake_clock.base, &api, &e), 0);
    list1 = list2 = (struct target){.kind = TARGET_LIST};
    uuid_parse(STR(LIST1), &list1.id);
    uuid_parse(STR(LIST2), &list2.id);
    uuid_parse(STR(LEAD1), &leads[0]);
    uuid_parse(STR(LEAD2), &leads[1]);
    done_n = 0;
}

static void teardown(void)
{
    api_free(api);
    fake_transport_done(&fake);
    json_tokener_free(tokener);
    buf_free(&out);
    err_clear(&e);
}

static void on_done(void *ctx, const struct api_reply *reply)
{
    (void)ctx;
    last_class = reply->class;
    done_n++;
}

static void drain(void)
{
    for (int i = 0; api_queued(api) > 0 && i < 10000; i++)
        ck_assert_int_eq(api_step(api, 1000, &e), 0);
}

static struct json_object *parse(const char *text)
{
    struct json_object *json = answer_parse(tokener, str_from(text));
    ck_assert_msg(json != NULL, "%s", text);
    return json;
}

/* ---- requests ---- */

START_TEST(move_body)
{
    struct leads_move move = {list1, list2, leads, 2, NULL};
    ck_assert_int_eq(body_leads_move(&move, &out, &e), 0);
    ck_assert_str_eq(buf_cstr(&out),
                     "{\"ids\":[\"" LEAD1 "\",\"" LEAD2 "\"],\"list_id\":\"" LIST1 "\",\"to_list_id\":\"" LIST2
                     "\",\"check_duplicates\":true,\"reset_interest_status\":false,\"limit\":2}");
    char wanted[SHA256_HEX_N], digest[SHA256_HEX_N];
    ck_assert_int_eq(sha256_hex(out.p, out.n, wanted), 0);
    ck_assert_int_eq(api_leads_move_digest(&move, digest, &e), 0);
    ck_assert_str_eq(digest, wanted);
    move.from.kind = move.to.kind = TARGET_CAMPAIGN;
    move.ids_n = 1;
    buf_reset(&out);
    ck_assert_int_eq(body_leads_move(&move, &out, &e), 0);
    ck_assert_str_eq(buf_cstr(&out), "{\"ids\":[\"" LEAD1 "\"],\"campaign\":\"" LIST1 "\",\"to_campaign_id\":\"" LIST2
                                     "\",\"check_duplicates\":true,\"reset_interest_status\":false,\"limit\":1}");
}
END_TEST

START_TEST(move_body_with_options)
{
    const struct leads_move_options all = {true, true, true, true, true, true, true, leads[0]};
    const struct leads_move move = {list1, list2, leads, 1, &all};
    ck_assert_int_eq(body_leads_move(&move, &out, &e), 0);
    ck_assert_str_eq(buf_cstr(&out), "{\"ids\":[\"" LEAD1 "\"],\"list_id\":\"" LIST1 "\",\"to_list_id\":\"" LIST2
                                     "\",\"check_duplicates\":false,\"reset_interest_status\":true,\"copy_leads\":true,"
                                     "\"check_duplicates_in_campaigns\":true,\"skip_leads_in_verification\":true,"
                                     "\"ignore_resource_filter_clauses\":true,\"assigned_to\":\"" LEAD1 "\",\"limit\":1}");
}
END_TEST

START_TEST(delete_body)
{
    struct leads_delete del = {list1, leads, 2};
    ck_assert_int_eq(body_leads_delete(&del, &out, &e), 0);
    ck_assert_str_eq(buf_cstr(&out), "{\"list_id\":\"" LIST1 "\",\"ids\":[\"" LEAD1 "\",\"" LEAD2 "\"],\"limit\":2}");
    char wanted[SHA256_HEX_N], digest[SHA256_HEX_N];
    ck_assert_int_eq(sha256_hex(out.p, out.n, wanted), 0);
    ck_assert_int_eq(api_leads_delete_digest(&del, digest, &e), 0);
    ck_assert_str_eq(digest, wanted);
    del.from.kind = TARGET_CAMPAIGN;
    buf_reset(&out);
    ck_assert_int_eq(body_leads_delete(&del, &out, &e), 0);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "{\"campaign_id\":\"" LIST1 "\""));
}
END_TEST

static void move_refused(struct leads_move move)
{
    char digest[SHA256_HEX_N];
    ck_assert_int_eq(api_leads_move(api, &move, on_done, NULL, &e), -1);
    ck_assert_int_eq(e.status, XS_INTERNAL);
    err_clear(&e);
    ck_assert_int_eq(api_leads_move_digest(&move, digest, &e), -1);
    err_clear(&e);
    ck_assert_uint_eq(api_queued(api), 0);
}

static void delete_refused(struct leads_delete del)
{
    char digest[SHA256_HEX_N];
    ck_assert_int_eq(api_leads_delete(api, &del, on_done, NULL, &e), -1);
    ck_assert_int_eq(e.status, XS_INTERNAL);
    err_clear(&e);
    ck_assert_int_eq(api_leads_delete_digest(&del, digest, &e), -1);
    err_clear(&e);
    ck_assert_uint_eq(api_queued(api), 0);
}

/* What the API would read as "all of them", or as nothing sensible. */
START_TEST(what_must_not_be_sent)
{
    struct uuid *many = calloc(LEADS_MOVE_MAX + 1, sizeof *many);
    struct target nowhere = {.kind = TARGET_LIST};
    move_refused((struct leads_move){list1, list2, leads, 0, NULL});
    move_refused((struct leads_move){list1, list2, many, LEADS_MOVE_MAX + 1, NULL});
    move_refused((struct leads_move){list1, list1, leads, 1, NULL});
    move_refused((struct leads_move){nowhere, list1, leads, 1, NULL});
    move_refused((struct leads_move){list1, nowhere, leads, 1, NULL});
    delete_refused((struct leads_delete){list1, leads, 0});
    delete_refused((struct leads_delete){list1, many, LEADS_DELETE_MAX + 1});
    delete_refused((struct leads_delete){nowhere, leads, 1});
    free(many);
}
END_TEST

START_TEST(writes_that_are_sent)
{
    fake_transport_add(&fake, (struct fake_answer){.status = 200, .body = "{\"id\":\"6a\",\"status\":\"pending\"}"});
    struct leads_move move = {list1, list2, leads, 2, NULL};
    ck_assert_int_eq(api_leads_move(api, &move, on_done, NULL, &e), 0);
    drain();
    ck_assert_int_eq(last_class, API_OK);
    ck_assert_str_eq(fake.sent[0].method, "POST");
    ck_assert_str_eq(fake.sent[0].path, "/api/v2/leads/move");
    ck_assert(fake.sent[0].write);

    fake_transport_add(&fake, (struct fake_answer){.status = 200, .body = "{\"count\":2}"});
    struct leads_delete del = {list1, leads, 2};
    ck_assert_int_eq(api_leads_delete(api, &del, on_done, NULL, &e), 0);
    drain();
    ck_assert_int_eq(last_class, API_OK);
    ck_assert_str_eq(fake.sent[1].method, "DELETE");
    ck_assert_str_eq(fake.sent[1].path, "/api/v2/leads");
    ck_assert(fake.sent[1].write);
    /* An answer without what proves it leaves the outcome open. */
    fake_transport_add(&fake, (struct fake_answer){.status = 200, .body = "{\"message\":\"ok\"}"});
    ck_assert_int_eq(api_leads_delete(api, &del, on_done, NULL, &e), 0);
    drain();
    ck_assert_int_eq(last_class, API_UNKNOWN);
    ck_assert_uint_eq(done_n, 3);
}
END_TEST

START_TEST(questions_about_jobs)
{
    struct str ids[] = {STR("6a4431f44bcfcb421d06d78e"), STR("odd,id")};
    struct jobs_list list = {.ids = ids, .ids_n = 2};
    ck_assert_int_eq(api_jobs_list(api, &list, on_done, NULL, &e), 0);
    list = (struct jobs_list){.moved_from = &list1, .urgent = true};
    ck_assert_int_eq(api_jobs_list(api, &list, on_done, NULL, &e), 0);
    drain();
    ck_assert_str_eq(fake.sent[0].path, "/api/v2/background-jobs?limit=100&type=move-leads&entity_id=" LIST1
                                        "&sort_column=created_at&sort_order=desc");
    ck_assert_str_eq(fake.sent[1].path, "/api/v2/background-jobs?limit=100&ids=6a4431f44bcfcb421d06d78e,odd%2Cid");
    ck_assert_int_eq(api_job_get(api, ids[0], "moved_leads,total_leads", on_done, NULL, &e), 0);
    ck_assert_int_eq(api_job_get(api, STR("../leads"), NULL, on_done, NULL, &e), 0);
    drain();
    ck_assert_str_eq(fake.sent[2].path,
                     "/api/v2/background-jobs/6a4431f44bcfcb421d06d78e?data_fields=moved_leads,total_leads");
    ck_assert_str_eq(fake.sent[3].path, "/api/v2/background-jobs/..%2Fleads");
    /* Everything, both at once, too many, nobody. */
    list = (struct jobs_list){0};
    ck_assert_int_eq(api_jobs_list(api, &list, on_done, NULL, &e), -1);
    err_clear(&e);
    list = (struct jobs_list){.ids = ids, .ids_n = 1, .moved_from = &list1};
    ck_assert_int_eq(api_jobs_list(api, &list, on_done, NULL, &e), -1);
    err_clear(&e);
    list = (struct jobs_list){.ids = ids, .ids_n = JOBS_LIST_MAX + 1};
    ck_assert_int_eq(api_jobs_list(api, &list, on_done, NULL, &e), -1);
    err_clear(&e);
    ck_assert_int_eq(api_job_get(api, STR_NONE, NULL, on_done, NULL, &e), -1);
}
END_TEST

START_TEST(questions_that_are_too_long)
{
    char *id = malloc(200);
    memset(id, 'a', 200);
    struct str ids[JOBS_LIST_MAX];
    for (size_t i = 0; i < JOBS_LIST_MAX; i++)
        ids[i] = (struct str){id, 200};
    struct jobs_list list = {.ids = ids, .ids_n = JOBS_LIST_MAX};
    ck_assert_int_eq(api_jobs_list(api, &list, on_done, NULL, &e), -1);
    ck_assert_int_eq(e.status, XS_INTERNAL);
    free(id);
}
END_TEST

/* ---- answers ---- */

/* clang-format off */
#define JOB(status, data)                                                                                              \
    "{\"id\":\"6a4431f44bcfcb421d06d78e\",\"workspace_id\":\"w\",\"type\":\"move-leads\",\"progress\":100,\"status\":" \
    "\"" status "\",\"created_at\":\"2026-06-30T21:15:32.254Z\",\"updated_at\":\"2026-06-30T21:15:32.752Z\",\"entity_" \
                "id\":\"" LIST1 "\",\"entity_type\":\"list\",\"data\":{" data "}}"
/* clang-format on */
#define FILTERS(ids) \
    "\"filters\":{\"ids\":[" ids "],\"list_id\":\"" LIST1 "\",\"to_list_id\":\"" LIST2 "\",\"check_duplicates\":true}"

START_TEST(recorded_job)
{
    struct json_object *json = parse(
        JOB("success", "\"moved_lead_emails\":[\"a@x.example\",7,\"b@x.example\"]," FILTERS(
                           "\"" LEAD1 "\"") ",\"total_leads\":0,"
                                            "\"moved_leads\":0,\"duplicated_leads\":0,\"leads_missing_email\":"
                                            "null,\"leads_in_other_campaigns\":0,"
                                            "\"ignored_leads_from_blocklist\":0"));
    struct remote_job job;
    ck_assert_int_eq(api_remote_job_read(json, &job, &e), 0);
    ck_assert(str_is(job.id, "6a4431f44bcfcb421d06d78e"));
    ck_assert(str_is(job.type, "move-leads") && str_is(job.entity_id, LIST1));
    ck_assert_int_eq(job.status, JOB_SUCCESS);
    ck_assert(job_status_is_final(job.status));
    ck_assert_int_eq(job.progress, 100);
    ck_assert_int_eq(job.updated_ms - job.created_ms, 498);
    ck_assert_int_eq(job.total, 0);
    ck_assert_int_eq(job.moved, 0);
    ck_assert_int_eq(job.missing_email, -1);
    ck_assert_int_eq(job.blocklisted, 0);
    struct arena arena;
    struct str *emails;
    size_t n;
    arena_init(&arena, 1 << 16);
    ck_assert_int_eq(api_remote_job_moved(&job, &arena, &emails, &n, &e), 0);
    ck_assert_uint_eq(n, 2);
    ck_assert(str_is(emails[1], "b@x.example"));
    arena_free(&arena);
    json_object_put(json);
}
END_TEST

static const struct {
    const char *text;
    enum job_status status;
    bool final;
} status_rows[] = {
    {"pending", JOB_PENDING, false},    {"in-progress", JOB_RUNNING, false},
    {"draining", JOB_DRAINING, false},  {"paused", JOB_PAUSED, false},
    {"success", JOB_SUCCESS, true},     {"failed", JOB_FAILED, true},
    {"cancelled", JOB_CANCELLED, true}, {"completed", JOB_SUCCESS, true},
    {"error", JOB_FAILED, true},        {"brand-new", JOB_UNKNOWN, false},
    {"", JOB_UNKNOWN, false},           {"SUCCESS", JOB_UNKNOWN, false},
};

START_TEST(job_statuses)
{
    for (size_t i = 0; i < sizeof status_rows / sizeof status_rows[0]; i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"id\":\"x\",\"status\":\"%s\"}", status_rows[i].text);
        struct json_object *json = parse(text);
        struct remote_job job;
        ck_assert_int_eq(api_remote_job_read(json, &job, &e), 0);
        ck_assert_msg(job.status == status_rows[i].status, "%s", status_rows[i].text);
        ck_assert_msg(job_status_is_final(job.status) == status_rows[i].final, "%s", status_rows[i].text);
        ck_assert(str_is(job.status_text, status_rows[i].text));
        json_object_put(json);
    }
}
END_TEST

START_TEST(odd_jobs)
{
    struct remote_job job;
    struct json_object *json = parse(
        "{\"id\":\"x\",\"status\":7,\"progress\":\"50\",\"created_at\":1,\"data\":[1],\"type\":null}");
    ck_assert_int_eq(api_remote_job_read(json, &job, &e), 0);
    ck_assert_int_eq(job.status, JOB_UNKNOWN);
    ck_assert_int_eq(job.progress, -1);
    ck_assert_int_eq(job.created_ms, 0);
    ck_assert_int_eq(job.moved, -1);
    ck_assert_uint_eq(job.type.n, 0);
    json_object_put(json);
    json = parse("{\"status\":\"success\"}");
    ck_assert_int_eq(api_remote_job_read(json, &job, &e), -1);
    ck_assert_int_eq(e.status, XS_API);
    json_object_put(json);
}
END_TEST

#define BOTH "\"" LEAD1 "\",\"" LEAD2 "\""
static const struct {
    const char *json;
    bool within;
} match_rows[] = {
    {JOB("pending", FILTERS(BOTH)), true},
    {JOB("pending", FILTERS("\"" LEAD2 "\",\"" LEAD1 "\"")), true},
    {JOB("success", FILTERS(BOTH) ",\"total_leads\":2"), true},
    {JOB("pending", FILTERS("\"" LEAD1 "\"")), true},
    {JOB("pending", FILTERS("\"" LEAD1 "\",\"" LEAD1 "\"")), false},
    {JOB("pending", FILTERS("")), false},
    {JOB("pending", FILTERS("\"" LEAD1 "\",7")), false},
    {JOB("pending", FILTERS("\"" LEAD1 "\",\"x\"")), false},
    {JOB("pending", "\"filters\":{\"ids\":[" BOTH "],\"list_id\":\"" LIST2 "\",\"to_list_id\":\"" LIST1 "\"}"), false},
    {JOB("pending", "\"filters\":{\"ids\":[" BOTH "],\"campaign\":\"" LIST1 "\",\"to_list_id\":\"" LIST2 "\"}"), false},
    {JOB("pending", "\"filters\":{\"ids\":[" BOTH "],\"list_id\":\"" LIST1 "\",\"to_list_id\":\"" LIST2
                    "\",\"to_campaign_id\":\"" LIST2 "\"}"),
     false},
    {JOB("pending", "\"filters\":{\"ids\":\"" LEAD1 "\"}"), false},
    {JOB("pending", "\"filters\":null"), false},
    {"{\"id\":\"x\",\"type\":\"import-leads\",\"data\":{" FILTERS(BOTH) "}}", false},
    {"{\"id\":\"x\",\"type\":\"move-leads\"}", false},
};

START_TEST(whose_job)
{
    struct leads_move move = {list1, list2, leads, 2, NULL};
    struct json_object *json = parse(match_rows[_i].json);
    struct remote_job job;
    ck_assert_int_eq(api_remote_job_read(json, &job, &e), 0);
    ck_assert_msg(api_remote_job_within(&job, &move) == match_rows[_i].within, "%s", match_rows[_i].json);
    json_object_put(json);
}
END_TEST

START_TEST(deleted)
{
    static const char *const odd[] = {"{}", "{\"count\":\"2\"}", "{\"count\":-1}", "{\"count\":null}", "[]"};
    int64_t n = 0;
    struct json_object *json = parse("{\"count\":2}");
    ck_assert_int_eq(api_leads_deleted_read(json, &n, &e), 0);
    ck_assert_int_eq(n, 2);
    json_object_put(json);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        json = parse(odd[i]);
        ck_assert_int_eq(api_leads_deleted_read(json, &n, &e), -1);
        err_clear(&e);
        json_object_put(json);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("jobs");
    TCase *t = tcase_create("jobs");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, move_body);
    tcase_add_test(t, move_body_with_options);
    tcase_add_test(t, delete_body);
    tcase_add_test(t, what_must_not_be_sent);
    tcase_add_test(t, writes_that_are_sent);
    tcase_add_test(t, questions_about_jobs);
    tcase_add_test(t, questions_that_are_too_long);
    tcase_add_test(t, recorded_job);
    tcase_add_test(t, job_statuses);
    tcase_add_test(t, odd_jobs);
    tcase_add_loop_test(t, whose_job, 0, (int)(sizeof match_rows / sizeof match_rows[0]));
    tcase_add_test(t, deleted);
    suite_add_tcase(s, t);
    return unit_run(s);
}
