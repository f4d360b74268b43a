/* The job of a move: however it ends, each lead's outcome is the one that is true; and jobs that are not waited for. */
#include "config.h"

#include <signal.h>

#include "sync/base/stop.h"
#include "tests/unit/move_kit.h"

static struct ekit k;

static void setup(void)
{
    mkit_init(&k);
}

static void teardown(void)
{
    ekit_free(&k);
}

/* ---- how a job ends ---- */

static const struct {
    enum world_job_mode mode;
    const char *status;
    unsigned moved; /* of two */
} ends[] = {
    {WJOB_OK, "success", 2},          {WJOB_SILENT, "success", 2},    {WJOB_ZERO, "success", 0},
    {WJOB_HALF, "success", 1},        {WJOB_BOASTS, "success", 1},    {WJOB_FAILED, "failed", 1},
    {WJOB_CANCELLED, "cancelled", 1}, {WJOB_VANISHED, "vanished", 2}, {WJOB_UNLISTED, "success", 2},
    {WJOB_LIES, "success", 0},        {WJOB_PAUSED, "success", 2},    {WJOB_DRAINING, "success", 2},
    {WJOB_ODD, "success", 2},
};

START_TEST(job_ends)
{
    bool all = ends[_i].moved == 2;
    k.world->job_mode = ends[_i].mode;
    ekit_sync(&k);
    EKIT_ENDS(&k, all ? XS_DONE : XS_LEFT_OVER);
    ck_assert_uint_eq(k.report.tally.moved, ends[_i].moved);
    EKIT_REASON(&k, MOVE_NOT_DONE, 2u - ends[_i].moved);
    /* Not tried again in the same run. */
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 1);
    ck_assert_uint_eq(k.report.jobs_n, 1);
    ck_assert_str_eq(k.report.jobs[0].status, ends[_i].status);
    ck_assert_int_eq(k.report.jobs[0].success, ends[_i].moved);
    ck_assert_int_eq(k.report.jobs[0].failed, 2 - (int)ends[_i].moved);
    ck_assert_uint_eq(k.report.open_batches, 0);
    /* The next run brings it to its end. */
    k.world->job_mode = WJOB_OK;
    if (!all)
        ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    mkit_ends_as_wanted(&k);
    mkit_is_settled(&k);
}
END_TEST

/* Leads that no job moves: failed each night, given up after five. */
START_TEST(never_moved)
{
    ekit_csv(&k, "email,first,seats,seg\nstays@example.com,S,1,l\nann@example.com,Ann,1,l\nbob@example.com,Bob,2,l\n");
    ekit_sync(&k);
    ekit_csv(&k, "email,first,seats,seg\nstays@example.com,S,1,c\nann@example.com,Ann,1,l\nbob@example.com,Bob,2,l\n");
    ekit_sync(&k);
    EKIT_REASON(&k, MOVE_NOT_DONE, 1u);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    for (int night = 2; night <= 5; night++) {
        ekit_sync(&k);
        EKIT_REASON(&k, MOVE_NOT_DONE, 1u);
    }
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_LIST, "stays@example.com"));
}
END_TEST

START_TEST(another_one_is_there)
{
    world_put(k.world, WORLD_CAMPAIGN, "Ann@Example.com", "Other");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, EXISTS_IN_TARGET, 1u);
    ck_assert_uint_eq(k.report.tally.moved, 1);
}
END_TEST

/* The job has moved them, and leads/list shows the old place for a while: looked at again, named or not. */
START_TEST(lists_lag)
{
    k.world->lag_ms = 3000;
    k.world->job_mode = _i == 0 ? WJOB_OK : WJOB_SILENT;
    int64_t began = k.clock.mono;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    ck_assert_int_gt(k.clock.mono - began, 3000 * 1000);
    ck_assert_int_lt(k.clock.mono - began, 8000 * 1000);
}
END_TEST

/* ---- what is not waited for ---- */

START_TEST(job_wait_is_over)
{
    k.world->job_mode = WJOB_STUCK;
    ekit_mapping(&k, MKIT_ROUTED MKIT_FIELDS MKIT_UNGUARDED "limits: {job_wait: 30s}\n");
    int64_t began = k.clock.mono;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, JOB_OPEN, 2u);
    ck_assert_uint_eq(k.report.open_jobs, 1);
    ck_assert_int_ge(k.clock.mono - began, 30000000);
    ck_assert_int_lt(k.clock.mono - began, 40000000);
    /* Still stuck: the rows wait for it, and nothing is asked for a second time. */
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, JOB_OPEN, 2u);
    ck_assert_uint_eq(ekit_writes(&k), 0);
    ck_assert_uint_eq(k.report.open_jobs, 1);
    /* It ends after all. */
    k.world->job_mode = WJOB_OK;
    if (_i == 0) {
        ekit_resume(&k);
        EKIT_ENDS(&k, XS_DONE);
    } else {
        ekit_sync(&k);
        EKIT_ENDS(&k, XS_DONE);
        EKIT_COUNT(&k, UNCHANGED, 3u);
    }
    ck_assert_uint_eq(k.report.tally.settled, 2);
    ck_assert_uint_eq(k.report.open_jobs, 0);
    ck_assert_int_eq(k.report.jobs[0].success, 2);
    ck_assert_uint_eq(ekit_writes(&k), 0);
    mkit_ends_as_wanted(&k);
    mkit_is_settled(&k);
}
END_TEST

/* A second batch on an end of a job that was given up is not even begun. */
START_TEST(ends_stay_stuck)
{
    k.world->job_mode = WJOB_STUCK;
    ekit_mapping(&k, MKIT_ROUTED MKIT_FIELDS MKIT_UNGUARDED "limits: {job_wait: 30s}\n");
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Ann,1,c\nbob@example.com,Bob,2,e\ncyd@example.com,Cyd,3,l\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, JOB_OPEN, 2u);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 1);
    ck_assert_uint_eq(k.report.open_jobs, 1);
    k.world->job_mode = WJOB_OK;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert(mkit_in_campaign(&k, "ann@example.com"));
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_ELSEWHERE, "bob@example.com"));
}
END_TEST

/* A signal at every request: jobs are not waited for, and the next run ends where this one would have. */
START_TEST(stopped_anywhere)
{
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Anna,1,c\nbob@example.com,Bob,9,c\ncyd@example.com,Cyd,3,l\n");
    k.world->stop_at = _i;
    ekit_sync(&k);
    bool stopped = k.report.exit_code == 128 + SIGINT;
    stop_set(0);
    world_count(k.world);
    k.clock.wall += 3600 * 1000;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(world_value(k.world, WORLD_CAMPAIGN, "ann@example.com", "first_name"), "Anna");
    ck_assert_str_eq(world_value(k.world, WORLD_CAMPAIGN, "bob@example.com", "seats"), "9");
    ck_assert(stopped || k.report.tally.outcomes[OUTCOME_UNCHANGED] == 3);
    mkit_ends_as_wanted(&k);
    mkit_is_settled(&k);
}
END_TEST

START_TEST(time_budget)
{
    k.world->job_mode = WJOB_STUCK;
    k.config.max_ms = 10000;
    int64_t began = k.clock.mono;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, JOB_OPEN, 2u);
    ck_assert_int_lt(k.clock.mono - began, 12000000);
    k.config.max_ms = 0;
    k.world->job_mode = WJOB_OK;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    mkit_ends_as_wanted(&k);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("move_job");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, job_ends, 0, sizeof ends / sizeof ends[0]);
    tcase_add_test(t, never_moved);
    tcase_add_test(t, another_one_is_there);
    tcase_add_loop_test(t, lists_lag, 0, 2);
    tcase_add_loop_test(t, job_wait_is_over, 0, 2);
    tcase_add_test(t, ends_stay_stuck);
    tcase_add_loop_test(t, stopped_anywhere, 1, 12);
    tcase_add_test(t, time_budget);
    suite_add_tcase(s, t);
    return unit_run(s);
}
