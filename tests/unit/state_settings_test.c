/* What a state keeps besides leads: settings, shapes, headers, jobs, runs, targets; and how long it keeps old runs. */
#include "config.h"

#include "tests/unit/state_kit.h"

#include "sync/state/state_int.h"

static struct kit k;

static void setup(void)
{
    kit_start(&k);
}

static void teardown(void)
{
    kit_free(&k);
}

START_TEST(facts_are_kept)
{
    const char *value;
    struct job_record job = {.id = "j1",
                             .type = "move-leads",
                             .status = "pending",
                             .filters = "{}",
                             .total = 3,
                             .from = "list:a",
                             .to = "campaign:b",
                             .run = 1,
                             .created_ms = 7},
                      got, *jobs;
    struct run_record run = {.id = k.run,
                             .finished_ms = 9,
                             .status = "complete",
                             .read = "full",
                             .report = "{\"rows\":{\"read\":2,\"created\":2}}",
                             .exit_code = 1},
                      *runs;
    struct str names[] = {STR("seats"), STR("origin")}, header;
    struct lead_shape shape;
    uint32_t a, b;
    size_t n;
    char delimiter;
    kit_ok(&k, state_set(k.s, "workspace", "w1", &k.e));
    kit_ok(&k, state_set(k.s, "workspace", "w2", &k.e));
    kit_ok(&k, state_get(k.s, "workspace", &value, &k.e));
    ck_assert_str_eq(value, "w2");
    kit_ok(&k, state_set(k.s, "workspace", NULL, &k.e));
    kit_ok(&k, state_get(k.s, "workspace", &value, &k.e));
    ck_assert_ptr_null(value);
    kit_ok(&k, state_shape_put(k.s, names, 2, &a, &k.e));
    kit_ok(&k, state_shape_put(k.s, names, 1, &b, &k.e));
    ck_assert_uint_ne(a, b);
    kit_ok(&k, state_shape_put(k.s, names, 2, &b, &k.e));
    ck_assert_uint_eq(a, b);
    ck_assert_int_eq(kit_ok(&k, state_shape_get(k.s, a, &k.arena, &shape, &k.e)), 1);
    ck_assert_uint_eq(shape.custom_n, 2);
    ck_assert(str_eq(shape.custom_names[1], names[1]));
    ck_assert_int_eq(kit_ok(&k, state_shape_get(k.s, 99, &k.arena, &shape, &k.e)), 0);
    kit_ok(&k, state_header_put(k.s, k.run, STR("h"), ';', &k.e));
    ck_assert_int_eq(kit_ok(&k, state_header_get(k.s, k.run, &k.arena, &header, &delimiter, &k.e)), 1);
    ck_assert(str_is(header, "h") && delimiter == ';');
    ck_assert_int_eq(kit_ok(&k, state_header_get(k.s, 99, &k.arena, &header, &delimiter, &k.e)), 0);
    kit_ok(&k, state_job_put(k.s, &job, &k.e));
    job.status = "success";
    job.success = 3;
    job.progress = 100;
    kit_ok(&k, state_job_put(k.s, &job, &k.e));
    ck_assert_int_eq(kit_ok(&k, state_job_get(k.s, "j1", &k.arena, &got, &k.e)), 1);
    ck_assert_str_eq(got.status, "success");
    ck_assert_str_eq(got.to, "campaign:b");
    ck_assert_uint_eq(got.success, 3);
    ck_assert_int_eq(kit_ok(&k, state_job_get(k.s, "j2", &k.arena, &got, &k.e)), 0);
    kit_ok(&k, state_jobs(k.s, &k.arena, &jobs, &n, &k.e));
    ck_assert_uint_eq(n, 1);
    kit_ok(&k, state_run_finish(k.s, &run, &k.e));
    kit_run(&k);
    kit_ok(&k, state_runs(k.s, 10, &k.arena, &runs, &n, &k.e));
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(runs[0].id, k.run);
    ck_assert_ptr_null(runs[0].report);
    ck_assert_str_eq(runs[1].report, run.report);
    ck_assert_int_eq(kit_ok(&k, state_run_get(k.s, 0, &k.arena, runs, &k.e)), 1);
    ck_assert_uint_eq(runs->id, k.run);
    ck_assert_int_eq(kit_ok(&k, state_run_get(k.s, 77, &k.arena, runs, &k.e)), 0);
    run.id = 77;
    kit_failed(&k, state_run_finish(k.s, &run, &k.e), XS_INTERNAL, "never started");
}
END_TEST

START_TEST(what_a_target_is_called_means_nothing_to_the_sync)
{
    char winter[] = "Winter", spring[] = "Spring";
    struct target plain = {.kind = TARGET_CAMPAIGN, .id = kit_uuid(1), .status = TARGET_STATUS_UNKNOWN}, got;
    struct target called = plain, other = plain;
    uint32_t one, two;
    called.name = winter;
    other.name = winter;
    other.id = kit_uuid(2);
    kit_ok(&k, state_target_called(k.s, &called, &k.e));
    kit_ok(&k, state_target_put(k.s, &plain, false, &one, &k.e));
    ck_assert_int_eq(kit_ok(&k, state_target_get(k.s, one, &k.arena, &got, &k.e)), 1);
    ck_assert_str_eq(got.name, "Winter");
    kit_ok(&k, state_target_put(k.s, &other, false, &two, &k.e)); /* no question of another id */
    called.name = spring;
    kit_ok(&k, state_target_called(k.s, &called, &k.e));
    ck_assert_int_eq(kit_ok(&k, state_target_get(k.s, one, &k.arena, &got, &k.e)), 1);
    ck_assert_str_eq(got.name, "Spring");
    ck_assert_int_eq(kit_ok(&k, state_target_get(k.s, two, &k.arena, &got, &k.e)), 1);
    ck_assert_str_eq(got.name, "Winter");
}
END_TEST

START_TEST(a_name_that_means_another_target_is_refused)
{
    char name[] = "Q4";
    struct target t = {.kind = TARGET_CAMPAIGN, .id = kit_uuid(1), .name = name, .status = 1}, got;
    uint32_t one, two, same;
    kit_ok(&k, state_target_put(k.s, &t, false, &one, &k.e));
    kit_ok(&k, state_target_put(k.s, &t, false, &same, &k.e));
    ck_assert_uint_eq(one, same);
    t.name = NULL; /* given as a UUID: the name is kept */
    t.status = TARGET_STATUS_UNKNOWN;
    kit_ok(&k, state_target_put(k.s, &t, false, &same, &k.e));
    ck_assert_int_eq(kit_ok(&k, state_target_get(k.s, one, &k.arena, &got, &k.e)), 1);
    ck_assert_str_eq(got.name, "Q4");
    ck_assert_int_eq(got.status, 1);
    t.id = kit_uuid(2);
    t.name = name;
    kit_failed(&k, state_target_put(k.s, &t, false, &two, &k.e), XS_CONFIG, "--accept-target");
    t.kind = TARGET_LIST; /* a list may be called as a campaign is */
    kit_ok(&k, state_target_put(k.s, &t, false, &two, &k.e));
    t.kind = TARGET_CAMPAIGN;
    kit_ok(&k, state_target_put(k.s, &t, true, &two, &k.e));
    ck_assert_uint_ne(one, two);
    ck_assert_int_eq(kit_ok(&k, state_target_get(k.s, one, &k.arena, &got, &k.e)), 1);
    ck_assert_ptr_null(got.name);
    ck_assert_int_eq(kit_ok(&k, state_target_get(k.s, 99, &k.arena, &got, &k.e)), 0);
}
END_TEST

static int64_t count(const char *sql)
{
    struct db *db = &k.s->main;
    int64_t n;
    kit_ok(&k, db_int(db, &n, 0, sql, &k.e));
    return n;
}

START_TEST(old_runs_are_pruned)
{
    for (uint64_t run = 1; run <= 6; run++) {
        if (run > 1)
            kit_run(&k);
        struct entry entry = kit_with(kit_entry(&k, run, 11), OUTCOME_REJECTED, REASON_EMAIL_INVALID);
        struct entry good = kit_created(&k, 100 + run, 11);
        entry.cells = STR("raw");
        kit_ok(&k, state_entry_add(k.s, k.run, k.target, &entry, &k.e));
        kit_ok(&k, state_header_put(k.s, k.run, STR("h"), ',', &k.e));
        kit_batch(&k, OP_CREATE, k.target, &good, 1);
        kit_merge(&k);
        struct run_record done = {.id = run, .finished_ms = 1, .status = run == 1 ? "complete" : "partial", .read = "full"};
        kit_ok(&k, state_run_finish(k.s, &done, &k.e));
        kit_ok(&k, state_prune(k.s, 4, &k.e));
        kit_ok(&k, state_commit(k.s, &k.e));
    }
    ck_assert_str_eq(kit_listed(&k, 2), "");
    ck_assert_str_eq(kit_listed(&k, 3), "3 rejected 3;103 created 103;");
    ck_assert_str_eq(kit_listed(&k, 4), "4 rejected 4!raw;104 created 104;");
    ck_assert_int_eq(count("SELECT count(*) FROM headers"), 3);
    ck_assert_int_eq(count("SELECT count(*) FROM runs"), 5); /* four, and the last complete one */
    ck_assert_uint_eq(state_leads_n(k.s), 6);
    kit_audit(&k);
}
END_TEST

/* Whatever is done by hand meanwhile: the rows of the last nights stay. */
START_TEST(runs_that_read_nothing_push_nothing_out)
{
    struct entry entry = kit_with(kit_entry(&k, 1, 11), OUTCOME_REJECTED, REASON_EMAIL_INVALID);
    entry.cells = STR("raw");
    kit_ok(&k, state_entry_add(k.s, k.run, k.target, &entry, &k.e));
    kit_merge(&k);
    for (uint64_t run = 2; run <= 9; run++) {
        struct run_record by_hand = {.started_ms = 1, .status = "running", .read = ""};
        kit_ok(&k, state_run_start(k.s, &by_hand, &k.e));
        kit_ok(&k, state_prune(k.s, 1, &k.e));
        kit_ok(&k, state_commit(k.s, &k.e));
    }
    ck_assert_str_eq(kit_listed(&k, 1), "1 rejected 1!raw;");
    ck_assert_int_eq(count("SELECT count(*) FROM runs"), 9);
    kit_run(&k);
    kit_ok(&k, state_prune(k.s, 1, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    ck_assert_int_eq(count("SELECT count(*) FROM runs"), 1);
    kit_audit(&k);
}
END_TEST

/* Also of a run that was killed, and not of what is no JSON. */
START_TEST(who_began_a_run_is_kept)
{
    struct run_record run = {.started_ms = 1, .status = "running", .read = "full", .begun = "{\"actor\":{}}"}, got;
    kit_ok(&k, state_run_start(k.s, &run, &k.e));
    kit_close(&k);
    kit_open(&k, STATE_WRITE);
    ck_assert_int_eq(kit_ok(&k, state_run_get(k.s, 0, &k.arena, &got, &k.e)), 1);
    ck_assert_str_eq(got.begun, "{\"actor\":{}}");
    kit_ok(&k, db_exec(&k.s->main, "UPDATE runs SET begun = '{'", &k.e));
    ck_assert_int_eq(kit_ok(&k, state_run_get(k.s, 0, &k.arena, &got, &k.e)), 1);
    ck_assert_ptr_null(got.begun);
}
END_TEST

static uint64_t serial(void)
{
    uint64_t n;
    kit_ok(&k, state_serial(k.s, &n, &k.e));
    return n;
}

/* Each start, merge and end has its number, by the clock; one that goes back does not take the numbers back. */
START_TEST(a_serial_number_grows)
{
    struct entry entry = kit_created(&k, 1, 11);
    uint64_t before = serial();
    ck_assert_uint_ge(before, (uint64_t)k.clock.wall);
    kit_run(&k);
    ck_assert_uint_gt(serial(), before);
    before = serial();
    kit_batch(&k, OP_CREATE, k.target, &entry, 1);
    kit_merge(&k);
    ck_assert_uint_gt(serial(), before);
    k.clock.wall += 1000;
    struct run_record done = {.id = k.run, .finished_ms = 9, .status = "complete", .read = "full"};
    kit_ok(&k, state_run_finish(k.s, &done, &k.e));
    ck_assert_uint_eq(serial(), (uint64_t)k.clock.wall);
    before = serial();
    k.clock.wall -= 5000;
    kit_run(&k);
    ck_assert_uint_eq(serial(), before + 1);
}
END_TEST

/* A plan that was saved before a guard stopped a run is still true. After a request, or a row that waits, it is not. */
START_TEST(a_run_that_changes_nothing_takes_its_number_back)
{
    struct entry entry = kit_created(&k, 1, 11);
    const uint64_t before = serial();
    const bool sends = _i == 1, ends_well = _i == 2;
    kit_run(&k);
    ck_assert_uint_gt(serial(), before);
    if (sends)
        kit_batch(&k, OP_CREATE, k.target, &entry, 1);
    kit_merge(&k);
    const struct run_record run = {.id = k.run,
                                   .finished_ms = 9,
                                   .status = "failed",
                                   .read = "full",
                                   .exit_code = ends_well ? XS_LEFT_OVER : XS_GUARD};
    kit_ok(&k, state_run_finish(k.s, &run, &k.e));
    ck_assert(sends || ends_well ? serial() > before : serial() == before);
}
END_TEST

START_TEST(what_pull_wrote_is_kept)
{
    struct uuid a = kit_uuid(1), b = kit_uuid(2);
    bool is;
    kit_ok(&k, state_pulled_put(k.s, 7, &a, UINT64_MAX, &k.e));
    kit_ok(&k, state_pulled_put(k.s, 7, &b, 5, &k.e));
    kit_ok(&k, state_pulled_put(k.s, 8, &a, 6, &k.e));
    kit_ok(&k, state_pulled_put(k.s, 8, &a, 9, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    kit_close(&k);
    kit_open(&k, STATE_WRITE);
    kit_ok(&k, state_pulled_is(k.s, 7, &a, UINT64_MAX, &is, &k.e));
    ck_assert(is);
    kit_ok(&k, state_pulled_is(k.s, 8, &a, 9, &is, &k.e));
    ck_assert(is);
    kit_ok(&k, state_pulled_is(k.s, 8, &a, 6, &is, &k.e));
    ck_assert(!is);
    kit_ok(&k, state_pulled_is(k.s, 9, &a, 9, &is, &k.e));
    ck_assert(!is);
    kit_ok(&k, state_pulled_forget(k.s, &a, &k.e));
    kit_ok(&k, state_pulled_is(k.s, 7, &a, UINT64_MAX, &is, &k.e));
    ck_assert(!is);
    kit_ok(&k, state_pulled_is(k.s, 7, &b, 5, &is, &k.e));
    ck_assert(is);
    kit_ok(&k, state_commit(k.s, &k.e));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("state_settings");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, facts_are_kept);
    tcase_add_test(c, what_a_target_is_called_means_nothing_to_the_sync);
    tcase_add_test(c, a_name_that_means_another_target_is_refused);
    tcase_add_test(c, what_pull_wrote_is_kept);
    tcase_add_test(c, old_runs_are_pruned);
    tcase_add_test(c, runs_that_read_nothing_push_nothing_out);
    tcase_add_test(c, who_began_a_run_is_kept);
    tcase_add_test(c, a_serial_number_grows);
    tcase_add_loop_test(c, a_run_that_changes_nothing_takes_its_number_back, 0, 3);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
