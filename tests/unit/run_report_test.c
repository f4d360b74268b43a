/* The report of a run, in its three forms. */
#include "config.h"

#include "sync/base/log.h"
#include "sync/pipeline/run.h"
#include "sync/report/report_read.h"
#include "tests/unit/golden.h"
#include "tests/unit/harness.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 1 << 20 };

static const struct run_actor actor = {"ops", "crm-1", "1.2.3", "leadsync sync 'my map.yaml' --guard removed=20%"};
static const char *const overrides[] = {"removed=5", "changed=none", "removed=20%"};

static struct run_report sample(void)
{
    struct run_report r = {.run = 7,
                           .sync = strdup("nightly \"x\"\\\n"),
                           .started_ms = 1782854132254,
                           .finished_ms = 1782854134754,
                           .status = "complete",
                           .read = "full",
                           .requests_total = 12,
                           .requests_retried = 2,
                           .requests_rate_limited = 1,
                           .leads_per_second = 412.34,
                           .peak_rss_bytes = 50 << 20,
                           .open_batches = 1,
                           .open_jobs = 2,
                           .waiting_rows = 3,
                           .workspace = strdup("Acme \x1b[2J"),
                           .target_text = strdup("campaign \"Q4\""),
                           .exit_code = XS_LEFT_OVER};
    r.tally.read = 10;
    tally_row(&r.tally, OUTCOME_CREATED, REASON_NONE);
    tally_row(&r.tally, OUTCOME_REJECTED, REASON_EMAIL_INVALID);
    r.tally.outcomes[OUTCOME_CHANGED] = 8;
    r.tally.updated = 6;
    r.tally.moved = 2;
    r.tally.skipped_active = 1;
    r.tally.removals_left = 2;
    r.missing_waiting = 1;
    r.actor = &actor;
    r.overrides = overrides;
    r.overrides_n = 3;
    strcpy(r.mapping_sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    r.source = strdup("people.csv");
    strcpy(r.source_sha256, "9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0");
    r.state_serial = 1790000000000;
    r.has_state_serial = true;
    r.guards[0] = (struct run_guard){.name = "removed", .limit = "20%", .counted = 3, .of = 40};
    r.guards_n = 1;
    r.targets = calloc(2, sizeof *r.targets);
    ck_assert_ptr_nonnull(r.targets);
    r.targets_n = 2;
    r.targets[0] =
        (struct run_target_counts){"campaign:0a11ca3e-0000-4000-8000-000000000001", strdup("Q4 \x1b[2J"), 1, 6, 2, 0};
    r.targets[1] = (struct run_target_counts){"list:0a11ca3e-0000-4000-8000-000000000002", NULL, 0, 2, 0, 3};
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

static struct json_object *stopped_by(struct run_report *r)
{
    struct buf b = BUF_INIT(MAX);
    ck_assert_int_eq(run_report_json(r, &b), 0);
    struct json_object *json = json_tokener_parse(buf_cstr(&b)),
                       *stop = json_object_get(json_object_object_get(json, "stopped_by"));
    json_object_put(json);
    buf_free(&b);
    return stop;
}

/* Each exit status that ends a run has its kind; a run that came to its end has none. */
START_TEST(why_it_ended)
{
    static const struct {
        enum exit_status status;
        const char *kind;
    } rows[] = {
        {XS_GUARD, "guard"},       {XS_SOURCE, "source"}, {XS_NO_SOURCE, "source"}, {XS_CONFIG, "mapping"},
        {XS_USAGE, "mapping"},     {XS_STATE, "state"},   {XS_IO, "state"},         {XS_API, "api"},
        {XS_KEY, "key"},           {XS_LOCKED, "lock"},   {XS_SIGINT, "signal"},    {XS_SIGTERM, "signal"},
        {XS_INTERNAL, "internal"}, {XS_LEFT_OVER, NULL},  {XS_DONE, NULL},
    };
    struct run_report r = sample();
    struct err why = ERR_INIT;
    struct buf b = BUF_INIT(MAX);
    const struct log_config config = {.level = LOG_WARNING, .secret = "s3cr3t-key"};
    log_configure(&config);
    r.guards_n = 2;
    r.guards[0] = (struct run_guard){.name = "moved", .limit = "10%", .counted = 1, .of = 90};
    r.guards[1] = (struct run_guard){.name = "removed", .limit = "500", .counted = 600, .of = 900, .stops = true};
    err_set(&why, rows[_i].status == XS_DONE ? XS_LEFT_OVER : rows[_i].status, "the key s3cr3t-key was \"refused\"");
    run_report_stopped(&r, &why);
    r.exit_code = rows[_i].status;
    struct json_object *stop = stopped_by(&r);
    ck_assert_int_eq(stop == NULL, rows[_i].kind == NULL);
    if (stop != NULL) {
        bool guard = rows[_i].status == XS_GUARD;
        struct json_object *guards = json_object_object_get(stop, "guards");
        ck_assert_str_eq(json_object_get_string(json_object_object_get(stop, "kind")), rows[_i].kind);
        ck_assert_str_eq(json_object_get_string(json_object_object_get(stop, "message")), "the key *** was \"refused\"");
        ck_assert_uint_eq(json_object_array_length(guards), guard ? 1 : 0);
        if (guard)
            ck_assert_str_eq(json_object_to_json_string_ext(json_object_array_get_idx(guards, 0), JSON_C_TO_STRING_PLAIN),
                             "{\"name\":\"removed\",\"limit\":\"500\",\"counted\":600,\"of\":900,\"stops\":true}");
    }
    ck_assert_int_eq(run_report_ping(&r, &b), 0);
    ck_assert_int_eq(strstr(buf_cstr(&b), "\"stopped_by\":null") != NULL, rows[_i].kind == NULL);
    ck_assert_int_eq(run_report_metrics(&r, 0, -1, &b), 0);
    char sample_line[64];
    snprintf(sample_line, sizeof sample_line, "kind=\"%s\"} 1\n", rows[_i].kind != NULL ? rows[_i].kind : "guard");
    ck_assert_int_eq(strstr(buf_cstr(&b), sample_line) != NULL, rows[_i].kind != NULL);
    log_configure(&(struct log_config){.level = LOG_NOTICE});
    json_object_put(stop);
    err_clear(&why);
    buf_free(&b);
    run_report_free(&r);
}
END_TEST

/* The record of a run has it from the start. */
START_TEST(who_began_it)
{
    struct run_report r = sample();
    struct buf b = BUF_INIT(MAX);
    ck_assert_int_eq(run_report_begun(&r, &b), 0);
    ck_assert_str_eq(buf_cstr(&b), "{\"actor\":{\"user\":\"ops\",\"host\":\"crm-1\",\"version\":\"1.2.3\",\"command\":"
                                   "\"leadsync sync 'my map.yaml' --guard removed=20%\"},\"mapping_sha256\":"
                                   "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"overrides\":"
                                   "{\"changed\":\"none\",\"removed\":\"20%\"},\"plan\":null}");
    buf_free(&b);
    run_report_free(&r);
}
END_TEST

/* A run that died before it could begin still has a report. */
START_TEST(is_read_back)
{
    struct run_report report = sample();
    struct buf out = BUF_INIT(MAX), text = BUF_INIT(MAX);
    ck_assert_int_eq(run_report_json(&report, &out), 0);
    const char *json = buf_cstr(&out);
    ck_assert_uint_eq(report_read_rows(json, "changed"), 8);
    ck_assert_uint_eq(report_read_rows(json, "none"), 0);
    ck_assert(report_read_has_rows(json));
    ck_assert_int_eq(report_read_text(json, "actor", "command", &text), 1);
    ck_assert_str_eq(buf_cstr(&text), actor.command);
    ck_assert_int_eq(report_read_text(json, NULL, "none", &text), 0);
    ck_assert_int_eq(report_read_text(json, NULL, "rows", &text), 0);
    /* A run that was killed left no report, and a file can be damaged. */
    static const char *const bad[] = {NULL, "", "[1]", "{\"rows\":7}", "{"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_uint_eq(report_read_rows(bad[i], "changed"), 0);
        ck_assert_int_eq(report_read_text(bad[i], "actor", "command", &text), 0);
    }
    ck_assert(!report_read_has_rows(NULL));
    buf_free(&out);
    buf_free(&text);
    run_report_free(&report);
}
END_TEST

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
        uint64_t gone, before;
        bool results_wait;
        /* clang-format off */
    } rows[] = {
        {OUTCOME_REJECTED, REASON_EMAIL_INVALID, 0,
         "a: 1 rejected (email_invalid 1); leadsync rejects lists the rows to correct", 0, NULL, false, 0, 0, false},
        {OUTCOME_DEFERRED, REASON_JOB_OPEN, 1,
         "a: 1 deferred (job_open 1), 1 background job; the next sync continues with the rest", 0, NULL, false, 0, 0, false},
        {OUTCOME_REJECTED, REASON_EMAIL_INVALID, 1,
         "a: 1 rejected (email_invalid 1), 1 background job; leadsync rejects lists the rows to correct; the next "
         "sync continues with the rest", 0, NULL, false, 0, 0, false},
        {OUTCOME_UNCHANGED, REASON_NONE, 0,
         "a: the source was not read to its end; the next sync continues with the rest", 0, NULL, false, 0, 0, false},
        {OUTCOME_UNCHANGED, REASON_NONE, 0,
         "a: the source was not read to its end; run the same command again to continue", 0, "partial", false, 0, 0, false},
        {OUTCOME_FAILED, REASON_GONE_THERE, 0, "a: 1 failed (gone_there 1)", 0, NULL, false, 0, 0, false},
        {OUTCOME_FAILED, REASON_ATTEMPTS_EXHAUSTED, 0,
         "a: 1 failed, 1 given up (attempts_exhausted 1); the next sync reads the whole source", 1, NULL, false, 0, 0, false},
        {OUTCOME_UNCHANGED, REASON_NONE, 0,
         "a: 2 given up; the next sync reads the whole source", 2, NULL, false, 0, 0, false},
        {OUTCOME_UNCHANGED, REASON_NONE, 0,
         "a: not complete, as the source changed while it was read; run again when its writer is done", 0, "partial", true, 0, 0, false},
        {OUTCOME_REJECTED, REASON_RAGGED_ROW, 0,
         "a: 1 rejected, 3 not removed yet (ragged_row 1); 1 row has no usable key; leadsync rejects lists the rows to "
         "correct", 0, "full", false, 3, 0, false},
        {OUTCOME_UNCHANGED, REASON_NONE, 0,
         "a: 3 not removed yet; the next sync reads the whole source", 0, "partial", false, 0, 3, false},
        {OUTCOME_UNCHANGED, REASON_NONE, 0,
         "a: the table of results_to is not written; the next sync writes it", 0, "full", false, 0, 0, true},
        {OUTCOME_DEFERRED, REASON_PLAN_FULL, 0,
         "a: 1 deferred (plan_full 1), the table of results_to is not written; the next sync continues with "
         "the rest", 0, "full",
         false, 0, 0, true},
    };
    /* clang-format on */
    struct run_report r = {.sync = strdup("a"),
                           .source_changed = rows[_i].changed,
                           .missing_waiting = rows[_i].gone,
                           .missing_waits_for = rows[_i].gone > 0 ? strdup("1 row has no usable key") : NULL,
                           .open_jobs = rows[_i].open_jobs,
                           .given_up = rows[_i].given_up,
                           .removals_before = rows[_i].before,
                           .removals_need_all = true,
                           .results_wait = rows[_i].results_wait,
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
    tcase_add_loop_test(tc, as_one_line, 0, 13);
    tcase_add_loop_test(tc, why_it_ended, 0, 15);
    tcase_add_test(tc, who_began_it);
    tcase_add_test(tc, is_read_back);
    tcase_add_test(tc, of_nothing);
    tcase_add_test(tc, short_of_memory);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
