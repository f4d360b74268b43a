/* Creates whose answer is lost or useless: what is there decides, and nothing is sent again that was not looked for
 * first. */
#include "config.h"

#include <string.h>

#include "tests/unit/engine_kit.h"

static struct ekit k;

static void setup(void)
{
    ekit_init(&k);
}

static void teardown(void)
{
    ekit_free(&k);
}

/* ---- unknown outcomes ---- */

static const enum world_fault after[] = {
    FAULT_500_AFTER,     FAULT_LOST_AFTER,        FAULT_GARBAGE_AFTER,   FAULT_ERROR_KEY_AFTER,
    FAULT_NO_LIST_AFTER, FAULT_INDEX_TWICE_AFTER, FAULT_INDEX_FAR_AFTER,
};
static const enum world_fault before[] = {FAULT_500, FAULT_LOST};

/* It arrived: found by the first look, created, never sent again. */
START_TEST(arrived_without_an_answer)
{
    ekit_csv(&k, EKIT_THREE);
    world_fault(k.world, WORLD_ADD, 1, 1, after[_i]);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 3u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 1);
    ck_assert_uint_ge(k.world->n[WORLD_READ], 1);
    ck_assert_uint_eq(world_n(k.world), 3);
    /* Ids were learnt: an update finds its lead. */
    ekit_csv(&k, "email,first\nann@example.com,Anna\nbob@example.com,Bob\ncyd@example.com,Cyd\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, CHANGED, 1u);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Anna");
}
END_TEST

/* It did not arrive: looked for at once, after 1, 2 and 4 s, and only then sent again. */
START_TEST(lost_before_it_arrived)
{
    ekit_csv(&k, EKIT_THREE);
    int64_t began = k.clock.mono;
    world_fault(k.world, WORLD_ADD, 1, 1, before[_i]);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 3u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 2);
    ck_assert_int_ge(k.clock.mono - began, 7000 * 1000);
    ck_assert_int_lt(k.clock.mono - began, 12000 * 1000);
}
END_TEST

/* When each look left, by the fake clock. */
START_TEST(looks_at_0_1_2_4)
{
    int64_t at[8], first = 0;
    size_t n = 0;
    ekit_csv(&k, EKIT_THREE);
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_LOST);
    ekit_sync(&k);
    for (size_t i = 0; i < k.world->t.sent_n; i++) {
        const struct fake_sent *s = &k.world->t.sent[i];
        if (strcmp(s->path, "/api/v2/leads/add") == 0 && first == 0)
            first = s->at_us;
        if (strcmp(s->path, "/api/v2/leads/list") == 0 && n < 8)
            at[n++] = s->at_us;
    }
    ck_assert_uint_eq(n, 4);
    static const int64_t seconds[] = {0, 1, 3, 7};
    for (size_t i = 0; i < n; i++) {
        ck_assert_int_ge(at[i] - first, seconds[i] * 1000000);
        ck_assert_int_le(at[i] - first, seconds[i] * 1000000 + 500000);
    }
}
END_TEST

START_TEST(settle_scales_the_waits)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "limits: {settle: 700ms}\n");
    ekit_csv(&k, EKIT_THREE);
    int64_t began = k.clock.mono;
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_LOST);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 3u);
    ck_assert_int_ge(k.clock.mono - began, 700 * 1000);
    ck_assert_int_lt(k.clock.mono - began, 2000 * 1000);
}
END_TEST

/* What was there before the lost request is linked or patched, what the lost request made counts as created. */
START_TEST(there_before_or_because_of_it)
{
    world_put(k.world, WORLD_LIST, "ann@example.com", "Ann");
    world_put(k.world, WORLD_LIST, "bob@example.com", "Old");
    k.clock.wall += 3600 * 1000;
    bool create = _i == 1;
    if (create)
        ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "mode: create\n");
    ekit_csv(&k, EKIT_THREE);
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_LOST_AFTER);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_COUNT(&k, UNCHANGED, create ? 0u : 1u);
    EKIT_COUNT(&k, CHANGED, create ? 0u : 1u);
    EKIT_REASON(&k, IN_TARGET, create ? 2u : 0u);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "bob@example.com", "first_name"), create ? "Old" : "Bob");
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 1);
}
END_TEST

/* The server's clock may be ahead or behind: it is told by its Date, and made up for. */
START_TEST(clocks_that_differ)
{
    static const int64_t skews[] = {-900000, 900000};
    k.world->skew_ms = skews[_i];
    world_put(k.world, WORLD_LIST, "ann@example.com", "Ann");
    k.clock.wall += 3600 * 1000;
    ekit_csv(&k, EKIT_THREE);
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_500_AFTER);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 2u);
    EKIT_COUNT(&k, UNCHANGED, 1u);
}
END_TEST

/* The list lags: a later look finds it, nothing is sent again. */
START_TEST(the_list_lags)
{
    ekit_csv(&k, EKIT_THREE);
    k.world->lag_ms = 3500;
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_LOST_AFTER);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 3u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 1);
}
END_TEST

/* It lags more than anybody waits: the second request is all duplicates, which are then found and are ours. */
START_TEST(the_list_lags_longer)
{
    ekit_csv(&k, EKIT_THREE);
    k.world->lag_ms = 9000;
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_LOST_AFTER);
    ekit_sync(&k);
    ck_assert_uint_eq(world_n(k.world), 3);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 3u);
}
END_TEST

/* Always unknown: ends as failed, and the next run takes it up. */
START_TEST(unknown_for_ever)
{
    ekit_csv(&k, EKIT_THREE);
    world_fault(k.world, WORLD_ADD, 1, 1000, FAULT_500);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_API);
    EKIT_REASON(&k, API_ERROR, 3u);
    ck_assert_uint_le(k.world->n[WORLD_ADD], 4);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 3u);
}
END_TEST

/* Only what is missing goes again. */
START_TEST(half_arrived)
{
    ekit_csv(&k, EKIT_THREE);
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_LOST);
    world_put(k.world, WORLD_LIST, "ann@example.com", "Ann");
    world_put(k.world, WORLD_LIST, "bob@example.com", "Bob");
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 3u); /* made within the margin of the request: taken for its work */
    ck_assert_uint_eq(k.world->last_asked, 1);
    ck_assert_uint_eq(k.world->leads_asked, 4);
}
END_TEST

/* Reading back fails: the batch stays open, 69, and the next run settles it before anything else. */
START_TEST(reading_back_fails)
{
    ekit_csv(&k, EKIT_THREE);
    world_fault(k.world, WORLD_ADD, 1, 1, _i == 0 ? FAULT_LOST_AFTER : FAULT_LOST);
    world_fault(k.world, WORLD_READ, 1, 1000, FAULT_500);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_API);
    EKIT_REASON(&k, OUTCOME_OPEN, 3u);
    ck_assert_uint_eq(k.report.open_batches, 1);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 1);
    world_count(k.world);
    k.clock.wall += 60000;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(world_n(k.world), 3);
    ck_assert_uint_eq(k.report.open_batches, 0);
    if (_i == 0) {
        ck_assert_uint_eq(k.report.tally.settled, 3);
        EKIT_COUNT(&k, UNCHANGED, 3u);
        ck_assert_uint_eq(k.world->n[WORLD_ADD], 0);
    } else {
        EKIT_COUNT(&k, CREATED, 3u);
        ck_assert_uint_eq(k.report.tally.settled, 0);
    }
    world_count(k.world);
    ekit_sync(&k);
    EKIT_COUNT(&k, UNCHANGED, 3u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 0);
}
END_TEST

/* The same with resume in between: it settles, reads no source and writes nothing. */
START_TEST(resume_settles)
{
    ekit_csv(&k, EKIT_THREE);
    world_fault(k.world, WORLD_ADD, 1, 1, _i == 0 ? FAULT_LOST_AFTER : FAULT_LOST);
    world_fault(k.world, WORLD_READ, 1, 1000, FAULT_500);
    ekit_sync(&k);
    world_count(k.world);
    k.clock.wall += 60000;
    ekit_resume(&k);
    EKIT_ENDS(&k, _i == 0 ? XS_DONE : XS_LEFT_OVER);
    ck_assert_uint_eq(k.world->n[WORLD_ADD] + k.world->n[WORLD_PATCH], 0);
    ck_assert_uint_eq(k.report.open_batches, 0);
    ck_assert_uint_eq(k.report.waiting_rows, _i == 0 ? 0 : 3);
    ck_assert_uint_eq(k.report.tally.settled, _i == 0 ? 3 : 0);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(world_n(k.world), 3);
}
END_TEST

/* Of one run only: another run's batches stay as they are. */
START_TEST(resume_settles_a_run)
{
    ekit_csv(&k, EKIT_THREE);
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_LOST_AFTER);
    world_fault(k.world, WORLD_READ, 1, 1000, FAULT_500);
    ekit_sync(&k);
    ekit_resume(&k); /* run 2 can read nothing back, either */
    world_count(k.world);
    k.clock.wall += 60000;
    k.config.resume_run = 2;
    ekit_resume(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    ck_assert_uint_eq(k.report.open_batches, 1);
    ck_assert_uint_eq(k.world->n[WORLD_READ], 0);
    k.config.resume_run = 99;
    ekit_resume(&k);
    EKIT_ENDS(&k, XS_USAGE);
    ck_assert_uint_eq(k.report.run, 4); /* what could not begin has its record, too */
    k.config.resume_run = 1;
    ekit_resume(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.open_batches, 0);
    ck_assert_uint_eq(k.report.tally.settled, 3);
}
END_TEST

/* ---- leads without an address ---- */

#define KEYED "email,first,id\nann@example.com,Ann,1\n,Bob,2\n,Cyd,3\n"

START_TEST(without_an_address)
{
    static const enum world_fault faults[] = {FAULT_NONE, FAULT_LOST_AFTER, FAULT_LOST, FAULT_500_AFTER,
                                              FAULT_INDEX_FAR_AFTER};
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_KEYED);
    ekit_csv(&k, KEYED);
    world_fault(k.world, WORLD_ADD, 1, 1, faults[_i]);
    ekit_sync(&k);
    /* What did not show in any look stays open, so that the next run looks again before it sends. */
    ck_assert_uint_eq(k.report.open_batches, faults[_i] == FAULT_LOST ? 1 : 0);
    /* Whatever came of it, the runs after it end with three leads, none of them twice. */
    k.clock.wall += 120000;
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(world_n(k.world), 3);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_COUNT(&k, UNCHANGED, 3u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 0);
}
END_TEST

START_TEST(without_an_address_and_a_lagging_list)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_KEYED);
    ekit_csv(&k, KEYED);
    k.world->lag_ms = 40000;
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_LOST_AFTER);
    ekit_sync(&k);
    ck_assert_uint_eq(world_n(k.world), 3);
    EKIT_COUNT(&k, CREATED, 3u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("readback");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, arrived_without_an_answer, 0, (int)(sizeof after / sizeof after[0]));
    tcase_add_loop_test(t, lost_before_it_arrived, 0, (int)(sizeof before / sizeof before[0]));
    tcase_add_test(t, looks_at_0_1_2_4);
    tcase_add_test(t, settle_scales_the_waits);
    tcase_add_loop_test(t, there_before_or_because_of_it, 0, 2);
    tcase_add_loop_test(t, clocks_that_differ, 0, 2);
    tcase_add_test(t, the_list_lags);
    tcase_add_test(t, the_list_lags_longer);
    tcase_add_test(t, unknown_for_ever);
    tcase_add_test(t, half_arrived);
    tcase_add_loop_test(t, reading_back_fails, 0, 2);
    tcase_add_loop_test(t, resume_settles, 0, 2);
    tcase_add_test(t, resume_settles_a_run);
    tcase_add_loop_test(t, without_an_address, 0, 5);
    tcase_add_test(t, without_an_address_and_a_lagging_list);
    suite_add_tcase(s, t);
    return unit_run(s);
}
