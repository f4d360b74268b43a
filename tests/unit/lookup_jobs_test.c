/* Background jobs: read page by page or by their id, and what they tell. */
#include "tests/unit/queue_kit.h"

#include <json-c/json.h>
#include <string.h>

#define ID1 "5c194eae-9382-4bf1-aff4-d9eaa90668e1"
#define ID2 "c737308b-aec0-4a0f-bd51-d6feefd8df6b"

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
    says(403, "{\"message\":\"scope\"}"); /* asked once more, since the endpoint has worked */
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
        /* clang-format off */
    } rows[] = {
        {JOB("j", ""), -1, -1, -1, "", ""},
        {JOB("j", ",\"data\":{\"total_leads\":5,\"moved_leads\":3,\"filters\":{\"campaign\":\"" ID1
                  "\",\"to_list_id\":\"" ID2 "\"}}"), 5, 3, 2, "campaign:" ID1, "list:" ID2},
        {JOB("j", ",\"data\":{\"total_leads\":5,\"moved_leads\":null,\"filters\":{\"list_id\":\"" ID1
                  "\",\"to_campaign_id\":7}}"), 5, -1, -1, "list:" ID1, ""},
        {"{\"id\":\"j\",\"type\":\"update-warmup-accounts\",\"data\":{\"total_to_process\":1,\"success_count\":0,"
         "\"failed_count\":1,\"filters\":{}}}", 1, 0, 1, "", ""},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json_object *json = json_tokener_parse(rows[i].text);
        struct remote_job job;
        struct job_report tells;
        ck_assert_int_eq(api_remote_job_read(json, &job, &e), 0);
        api_remote_job_report(&job, &tells);
        ck_assert_int_eq(tells.total, rows[i].total);
        ck_assert_int_eq(tells.success, rows[i].success);
        ck_assert_int_eq(tells.failed, rows[i].failed);
        ck_assert_str_eq(tells.from, rows[i].from);
        ck_assert_str_eq(tells.to, rows[i].to);
        json_object_put(json);
    }
    ck_assert_int_eq(job_status_find(STR("completed")), JOB_SUCCESS);
    ck_assert_int_eq(job_status_find(STR("on holiday")), JOB_UNKNOWN);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lookup_jobs");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, jobs_page_by_page);
    tcase_add_test(t, a_job_by_id);
    tcase_add_test(t, what_jobs_tell);
    suite_add_tcase(s, t);
    return unit_run(s);
}
