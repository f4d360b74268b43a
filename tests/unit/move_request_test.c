/* The request of a move: whatever becomes of it and of its answer, nothing is asked for again that was not looked for
 * first; locks of others' jobs; and more leads than a request may name. */
#include "config.h"

#include <stdio.h>

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

/* ---- the request ---- */

static const enum world_fault lost_after[] = {FAULT_500_AFTER, FAULT_LOST_AFTER, FAULT_GARBAGE_AFTER};

/* It arrived: its job is found by what it was asked, and nothing is asked again. */
START_TEST(answer_lost)
{
    world_fault(k.world, WORLD_MOVE, 1, 1, lost_after[_i]);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 1);
    ck_assert_uint_eq(k.report.jobs_n, 1);
    ck_assert_int_eq(k.report.jobs[0].success, 2);
    mkit_ends_as_wanted(&k);
    mkit_is_settled(&k);
}
END_TEST

/* A run dies during its request, the rows change back, and it is carried out while the next run looks for its job, or after
 * all looks. */
START_TEST(carried_out_late)
{
    world_count(k.world);
    k.world->stop_at = 3;
    k.world->late_ms = _i == 0 ? 1500 : 90000;
    world_fault(k.world, WORLD_MOVE, 1, 1, FAULT_LATE);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_SIGINT);
    ck_assert_uint_eq(k.world->late_n, 1);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 1);
    stop_set(0);
    k.world->stop_at = 0;
    k.world->job_ms = 0; /* over before the next night looks */
    ekit_csv(&k, MKIT_BEFORE);
    for (int night = 0; night < 5; night++) {
        world_count(k.world);
        ekit_sync(&k);
        ekit_later(&k);
    }
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, 3u);
    ck_assert_uint_eq(ekit_writes(&k), 0);
    ck_assert_uint_eq(k.world->late_n, 0);
    ck_assert(ekit_there(&k, "ann@example.com") && ekit_there(&k, "bob@example.com") && ekit_there(&k, "cyd@example.com"));
}
END_TEST

/* It did not arrive: its job is searched for at once, after 5, 15 and 45 s, the leads are looked at, and only then. */
START_TEST(request_lost)
{
    static const enum world_fault faults[] = {FAULT_500, FAULT_LOST};
    int64_t began = k.clock.mono;
    world_fault(k.world, WORLD_MOVE, 1, 1, faults[_i]);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 2);
    ck_assert_int_ge(k.clock.mono - began, 65000000);
    ck_assert_int_lt(k.clock.mono - began, 85000000);
    mkit_ends_as_wanted(&k);
    mkit_is_settled(&k);
}
END_TEST

START_TEST(request_always_lost)
{
    world_fault(k.world, WORLD_MOVE, 1, 100, FAULT_LOST);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_API);
    EKIT_REASON(&k, API_ERROR, 2u);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 4);
    ck_assert_uint_eq(k.report.open_batches, 0);
}
END_TEST

/* The job of a lost request is nowhere to be seen, but it moves: found by looking at the leads. */
START_TEST(answer_and_job_lost)
{
    k.world->job_mode = WJOB_VANISHED;
    world_fault(k.world, WORLD_MOVE, 1, 1, FAULT_LOST_AFTER);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 1);
    mkit_ends_as_wanted(&k);
}
END_TEST

/* A job of the same ends that moves others, and an older one of the same leads, are not ours. */
START_TEST(other_jobs)
{
    ekit_sync(&k);
    ekit_csv(&k, MKIT_BEFORE);
    ekit_sync(&k);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    k.clock.wall += 60000;
    ekit_csv(&k, MKIT_AFTER);
    world_count(k.world);
    world_fault(k.world, WORLD_MOVE, 1, 1, FAULT_LOST);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 2);
    mkit_ends_as_wanted(&k);
}
END_TEST

/* Too many ids: fewer at a time, down to a single one that is refused by itself. */
START_TEST(refused)
{
    if (_i == 0)
        k.world->ids_max = 1;
    else
        world_fault(k.world, WORLD_MOVE, 1, 100, FAULT_400);
    ekit_sync(&k);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 3);
    if (_i == 0) {
        EKIT_ENDS(&k, XS_DONE);
        ck_assert_uint_eq(k.report.tally.moved, 2);
        ck_assert_uint_eq(k.report.jobs_n, 2);
        ck_assert_int_eq(k.report.jobs[1].success, 1);
        mkit_ends_as_wanted(&k);
        mkit_is_settled(&k);
    } else {
        EKIT_ENDS(&k, XS_LEFT_OVER);
        EKIT_REASON(&k, REFUSED_THERE, 2u);
    }
}
END_TEST

START_TEST(the_target_is_gone)
{
    world_fault(k.world, WORLD_MOVE, 1, 1, FAULT_404);
    /* Both ends are asked for; of these, the one that the leads are in is gone. */
    world_fault(k.world, WORLD_TARGET, 5, 5, FAULT_404);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_CONFIG);
    ck_assert_uint_eq(k.world->n[WORLD_TARGET], 5);
    ck_assert_msg(strstr(err_text(&k.e), "list \"Incoming\" is no longer in Instantly (POST /leads/move: 404") != NULL, "%s",
                  err_text(&k.e));
    EKIT_COUNT(&k, DEFERRED, 2u);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    mkit_ends_as_wanted(&k);
}
END_TEST

START_TEST(the_key_is_gone)
{
    static const enum world_kind kinds[] = {WORLD_MOVE, WORLD_JOBS, WORLD_READ};
    k.world->job_ms = 5000;
    world_fault(k.world, kinds[_i], _i == 1 ? 2 : 1, 100, FAULT_401);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_KEY);
    EKIT_COUNT(&k, DEFERRED, 2u);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    mkit_ends_as_wanted(&k);
}
END_TEST

/* ---- values without the move ---- */

/* A PATCH was carried out, and its move was not: the row changes back, and so do the values. */
START_TEST(patched_and_not_moved)
{
    static const struct {
        enum world_kind kind;
        enum world_fault fault;
        enum world_job_mode job;
        int stop_at;
    } ends[] = {
        {WORLD_OTHER, FAULT_NONE, WJOB_OK, 3},   {WORLD_PATCH, FAULT_LOST_AFTER, WJOB_OK, 4},
        {WORLD_MOVE, FAULT_401, WJOB_OK, 0},     {WORLD_MOVE, FAULT_400, WJOB_OK, 0},
        {WORLD_MOVE, FAULT_409, WJOB_OK, 0},     {WORLD_MOVE, FAULT_FULL, WJOB_OK, 0},
        {WORLD_OTHER, FAULT_NONE, WJOB_ZERO, 0}, {WORLD_OTHER, FAULT_NONE, WJOB_STUCK, 0},
    };
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Anna,1,c\nbob@example.com,Bob,2,l\ncyd@example.com,Cyd,3,l\n");
    world_count(k.world);
    world_fault(k.world, ends[_i].kind, 1, 10000, ends[_i].fault);
    k.world->job_mode = ends[_i].job;
    k.world->stop_at = ends[_i].stop_at;
    ekit_sync(&k);
    ck_assert_int_ne(k.report.exit_code, XS_DONE);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Anna");
    stop_set(0);
    k.world->stop_at = 0;
    world_jobs_vanish(k.world);
    k.world->job_mode = WJOB_OK;
    ekit_csv(&k, MKIT_BEFORE);
    for (int night = 0; night < 4; night++) {
        ekit_later(&k);
        ekit_sync(&k);
    }
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(ekit_writes(&k), 0);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Ann");
}
END_TEST

/* Leads that were imported again are moved, and the run ends before the job does: the next run finds them under their new ids,
 * and moves them back. */
START_TEST(imported_again_and_left_open)
{
    world_reimport(k.world, "ann@example.com");
    world_reimport(k.world, "bob@example.com");
    k.world->job_mode = WJOB_STUCK;
    k.world->job_ms = 1000;
    ekit_sync(&k);
    EKIT_REASON(&k, JOB_OPEN, 2u);
    k.world->job_mode = WJOB_OK;
    ekit_csv(&k, MKIT_BEFORE);
    for (int night = 0; night < 4; night++) {
        ekit_later(&k);
        ekit_sync(&k);
        EKIT_REASON(&k, GONE_THERE, 0u);
    }
    EKIT_ENDS(&k, XS_DONE);
    ck_assert(ekit_there(&k, "ann@example.com") && ekit_there(&k, "bob@example.com"));
    ck_assert_uint_eq(world_n(k.world), 3);
}
END_TEST

/* ---- locks ---- */

/* Somebody else's job: waited for, not failed. */
START_TEST(locked_for_a_while)
{
    world_fault(k.world, WORLD_MOVE, 1, 3, FAULT_409);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 4);
    ck_assert_uint_eq(k.report.tally.moved, 2);
}
END_TEST

START_TEST(locked_for_long)
{
    int64_t began = k.clock.mono;
    ekit_mapping(&k, MKIT_ROUTED MKIT_FIELDS MKIT_UNGUARDED "limits: {job_wait: 2m}\n");
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Ann,1,c\ndee@example.com,Dee,4,c\ncyd@example.com,Cyd,3,l\n");
    world_fault(k.world, _i == 0 ? WORLD_MOVE : WORLD_ADD, 1, 10000, FAULT_409);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    /* What keeps adds out keeps moves out, too: not even asked for. */
    EKIT_REASON(&k, JOB_OPEN, _i == 0 ? 1u : 2u);
    ck_assert_int_ge(k.clock.mono - began, 120000000);
    ck_assert_int_lt(k.clock.mono - began, 200000000);
    ck_assert_uint_eq(k.report.open_batches, 0);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert(mkit_in_campaign(&k, "ann@example.com") && mkit_in_campaign(&k, "dee@example.com"));
}
END_TEST

/* ---- many ---- */

static void many(unsigned n, unsigned change_every)
{
    FILE *f = fopen(k.csv_path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("email,first,seats,seg\n", f);
    for (unsigned i = 0; i < n; i++)
        fprintf(f, "p%u@example.com,First %u,%u,%s\n", i, i, i, change_every > 0 && i % change_every == 0 ? "c" : "l");
    ck_assert_int_eq(fclose(f), 0);
}

/* More than one job may carry: a thousand each, one after the other. */
START_TEST(in_thousands)
{
    many(1500, 0);
    ekit_sync(&k);
    many(1500, 1);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 1500u);
    ck_assert_uint_eq(k.report.tally.moved, 1500);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 2);
    ck_assert_uint_eq(k.report.jobs_n, 2);
    ck_assert_int_eq(k.report.jobs[0].success + k.report.jobs[1].success, 1500);
    mkit_is_settled(&k);
}
END_TEST

/* Somebody else's job that does not end is waited for once, not once a batch. */
START_TEST(locked_for_long_in_thousands)
{
    many(1500, 0);
    ekit_sync(&k);
    many(1500, 1);
    ekit_mapping(&k, MKIT_ROUTED MKIT_FIELDS MKIT_UNGUARDED "limits: {job_wait: 2m}\n");
    world_count(k.world);
    world_fault(k.world, WORLD_MOVE, 1, 10000, FAULT_409);
    int64_t began = k.clock.mono;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, JOB_OPEN, 1500u);
    ck_assert_int_lt(k.clock.mono - began, 180000000);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 1500);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("move_request");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, answer_lost, 0, sizeof lost_after / sizeof lost_after[0]);
    tcase_add_loop_test(t, carried_out_late, 0, 2);
    tcase_add_loop_test(t, request_lost, 0, 2);
    tcase_add_test(t, request_always_lost);
    tcase_add_test(t, answer_and_job_lost);
    tcase_add_test(t, other_jobs);
    tcase_add_loop_test(t, refused, 0, 2);
    tcase_add_test(t, the_target_is_gone);
    tcase_add_loop_test(t, the_key_is_gone, 0, 3);
    tcase_add_loop_test(t, patched_and_not_moved, 0, 8);
    tcase_add_test(t, imported_again_and_left_open);
    tcase_add_test(t, locked_for_a_while);
    tcase_add_loop_test(t, locked_for_long, 0, 2);
    tcase_add_test(t, in_thousands);
    tcase_add_test(t, locked_for_long_in_thousands);
    suite_add_tcase(s, t);
    return unit_run(s);
}
