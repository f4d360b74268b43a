/* The report of a run, in its three forms. */
#include "config.h"

#include "sync/engine/run.h"
#include "tests/unit/golden.h"
#include "tests/unit/harness.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 1 << 20 };

static struct run_report sample(void)
{
    struct run_report r = {
        .run = 7, .sync = strdup("nightly \"x\"\\\n"), .started_ms = 1782854132254, .finished_ms = 1782854134754,
        .status = "complete", .read = "full", .requests_total = 12, .requests_retried = 2, .requests_rate_limited = 1,
        .leads_per_second = 412.34, .peak_rss_bytes = 50 << 20, .open_batches = 1, .open_jobs = 2, .waiting_rows = 3,
        .workspace = strdup("Acme \x1b[2J"), .target_text = strdup("campaign \"Q4\""), .exit_code = XS_LEFT_OVER};
    r.tally.read = 10;
    tally_row(&r.tally, OUTCOME_CREATED, REASON_NONE);
    tally_row(&r.tally, OUTCOME_REJECTED, REASON_EMAIL_INVALID);
    r.tally.outcomes[OUTCOME_CHANGED] = 8;
    r.tally.updated = 6;
    r.tally.moved = 2;
    r.tally.skipped_active = 1;
    r.tally.removals_left = 2;
    r.gone_waiting = 1;
    r.requests_by_kind[API_KIND_ADD] = 1;
    r.requests_by_kind[API_KIND_PATCH] = 11;
    r.jobs = calloc(2, sizeof *r.jobs);
    ck_assert_ptr_nonnull(r.jobs);
    r.jobs_n = 2;
    strcpy(r.jobs[0].id, "6650f1b2c3d4e5f600000001");
    r.jobs[0].type = strdup("move-leads");
    r.jobs[0].status = strdup("success");
    r.jobs[0].total = 2;
    r.jobs[0].success = 2;
    strcpy(r.jobs[1].id, "6650f1b2c3d4e5f600000002");
    r.jobs[1].total = r.jobs[1].success = r.jobs[1].failed = -1;
    return r;
}

START_TEST(as_json)
{
    struct run_report r = sample();
    struct buf b = BUF_INIT(MAX);
    ck_assert_int_eq(run_report_json(&r, &b), 0);
    struct json_object *json = json_tokener_parse(buf_cstr(&b));
    ck_assert_ptr_nonnull(json);
    json_object_put(json);
    ck_assert_int_eq(buf_addc(&b, '\n'), 0);
    golden_is("report/sample.json", buf_str(&b));
    buf_free(&b);
    run_report_free(&r);
    ck_assert_ptr_null(r.sync);
}
END_TEST

START_TEST(as_text)
{
    struct run_report r = sample();
    struct buf b = BUF_INIT(MAX);
    ck_assert_int_eq(run_report_text(&r, false, &b), 0);
    golden_is("report/sample.txt", buf_str(&b));
    ck_assert_ptr_null(memchr(b.p, '\x1b', b.n));
    buf_reset(&b);
    ck_assert_int_eq(run_report_text(&r, true, &b), 0);
    ck_assert_ptr_nonnull(memchr(b.p, '\x1b', b.n));
    buf_free(&b);
    run_report_free(&r);
}
END_TEST

/* What a guard held back is not simply the next sync's. */
START_TEST(of_a_guard)
{
    struct run_report r = sample();
    struct buf b = BUF_INIT(MAX);
    tally_row(&r.tally, OUTCOME_DEFERRED, REASON_INTERRUPTED);
    ck_assert_int_eq(run_report_text(&r, false, &b), 0);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "1  the next sync takes them first\n"));
    r.exit_code = XS_GUARD;
    buf_reset(&b);
    ck_assert_int_eq(run_report_text(&r, false, &b), 0);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "1  the guard stopped the run before they were sent\n"));
    ck_assert_ptr_nonnull(strstr(b.p, "1  the guard stopped the run before this row was sent\n"));
    r.tally.outcomes[OUTCOME_CREATED] = r.tally.updated = r.tally.moved = r.open_batches = 0;
    buf_reset(&b);
    ck_assert_int_eq(run_report_text(&r, false, &b), 0);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "1  the guard stopped the run, nothing was written\n"));
    buf_free(&b);
    run_report_free(&r);
}
END_TEST

START_TEST(as_metrics)
{
    struct run_report r = sample();
    struct buf b = BUF_INIT(MAX);
    ck_assert_int_eq(run_report_metrics(&r, 0, 90500, &b), 0);
    golden_is("report/sample.prom", buf_str(&b));
    buf_reset(&b);
    ck_assert_int_eq(run_report_metrics(&r, 1782854134754, -1, &b), 0);
    ck_assert_ptr_null(strstr(buf_cstr(&b), "watermark_lag"));
    ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "} 1782854134.754\n"));
    buf_free(&b);
    run_report_free(&r);
}
END_TEST

/* A run that died before it could begin still has a report. */
START_TEST(of_nothing)
{
    struct run_report r = {.status = "failed", .exit_code = XS_KEY};
    struct buf b = BUF_INIT(MAX);
    ck_assert_int_eq(run_report_json(&r, &b), 0);
    struct json_object *json = json_tokener_parse(buf_cstr(&b));
    ck_assert_ptr_nonnull(json);
    ck_assert(json_object_object_get_ex(json, "started_at", NULL));
    ck_assert_ptr_null(json_object_object_get(json, "started_at"));
    ck_assert_ptr_null(json_object_object_get(json, "read"));
    ck_assert_int_eq(json_object_get_int(json_object_object_get(json, "exit_code")), 77);
    json_object_put(json);
    ck_assert_int_eq(run_report_text(&r, false, &b), 0);
    ck_assert_int_eq(run_report_metrics(&r, 0, -1, &b), 0);
    buf_free(&b);
    run_report_free(&r);
}
END_TEST

/* Wherever the memory ends, it is told. */
START_TEST(short_of_memory)
{
    struct run_report r = sample();
    struct buf whole = BUF_INIT(MAX);
    ck_assert_int_eq(run_report_json(&r, &whole), 0);
    for (size_t max = 0; max < whole.n; max++) {
        struct buf b = BUF_INIT(max);
        ck_assert_int_ne(run_report_json(&r, &b), 0);
        buf_free(&b);
    }
    buf_reset(&whole);
    ck_assert_int_eq(run_report_metrics(&r, 0, 0, &whole), 0);
    for (size_t max = 0; max < whole.n; max += 7) {
        struct buf b = BUF_INIT(max);
        ck_assert_int_ne(run_report_metrics(&r, 0, 0, &b), 0);
        buf_free(&b);
    }
    buf_free(&whole);
    run_report_free(&r);
}
END_TEST

/* The one line of -q names what has to be done only where there is something to do. */
START_TEST(as_one_line)
{
    static const struct {
        enum outcome outcome;
        enum reason reason;
        uint64_t open_jobs;
        const char *line;
        uint64_t given_up;
        const char *read;
        bool changed;
        uint64_t gone;
    } rows[] = {
        {OUTCOME_REJECTED, REASON_EMAIL_INVALID, 0,
         "a: 1 rejected (email_invalid 1); leadsync rejects lists what has to be corrected", 0, NULL, false, 0},
        {OUTCOME_DEFERRED, REASON_JOB_OPEN, 1,
         "a: 1 deferred (job_open 1), 1 background job; the next sync goes on with the rest", 0, NULL, false, 0},
        {OUTCOME_REJECTED, REASON_EMAIL_INVALID, 1,
         "a: 1 rejected (email_invalid 1), 1 background job; leadsync rejects lists what has to be corrected; the next "
         "sync goes on with the rest", 0, NULL, false, 0},
        {OUTCOME_UNCHANGED, REASON_NONE, 0, "a: not everything was read; the next sync goes on with the rest", 0, NULL, false, 0},
        {OUTCOME_UNCHANGED, REASON_NONE, 0, "a: not everything was read; run the same command again to go on", 0, "partial", false, 0},
        {OUTCOME_FAILED, REASON_GONE_THERE, 0, "a: 1 failed (gone_there 1)", 0, NULL, false, 0},
        {OUTCOME_FAILED, REASON_ATTEMPTS_EXHAUSTED, 0,
         "a: 1 failed, 1 given up (attempts_exhausted 1); the next sync reads the whole source", 1, NULL, false, 0},
        {OUTCOME_UNCHANGED, REASON_NONE, 0,
         "a: 2 given up; the next sync reads the whole source", 2, NULL, false, 0},
        {OUTCOME_UNCHANGED, REASON_NONE, 0,
         "a: not complete, as the source changed while it was read; run again when its writer is done", 0, "partial", true, 0},
        {OUTCOME_REJECTED, REASON_RAGGED_ROW, 0,
         "a: 1 rejected, 3 not removed yet (ragged_row 1); 1 row has no usable key; leadsync rejects lists what has to be "
         "corrected", 0, "full", false, 3},
    };
    struct run_report r = {.sync = strdup("a"), .source_changed = rows[_i].changed, .gone_waiting = rows[_i].gone,
                           .gone_waits_for = rows[_i].gone > 0 ? strdup("1 row has no usable key") : NULL, .open_jobs = rows[_i].open_jobs, .given_up = rows[_i].given_up,
                           .read = rows[_i].read};
    struct buf b = BUF_INIT(MAX);
    tally_row(&r.tally, rows[_i].outcome, rows[_i].reason);
    ck_assert_int_eq(run_report_brief(&r, &b), 0);
    ck_assert_str_eq(buf_cstr(&b), rows[_i].line);
    buf_free(&b);
    run_report_free(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run_report");
    TCase *tc = tcase_create("run_report");
    tcase_add_test(tc, as_json);
    tcase_add_test(tc, as_text);
    tcase_add_test(tc, of_a_guard);
    tcase_add_test(tc, as_metrics);
    tcase_add_loop_test(tc, as_one_line, 0, 10);
    tcase_add_test(tc, of_nothing);
    tcase_add_test(tc, short_of_memory);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
