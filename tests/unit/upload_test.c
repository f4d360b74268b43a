/* From a planned row to a proven outcome, against a world that misbehaves: whatever it does, every row ends in the
 * outcome that is true, nobody is there twice, and nothing is sent again that was not looked for first. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/stop.h"
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

#define THREE "email,first\nann@example.com,Ann\nbob@example.com,Bob\ncyd@example.com,Cyd\n"

/* ---- answers that tell ---- */

START_TEST(created_by_index)
{
    ekit_people(&k, "p", 250);
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "limits: {batch: 100}\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 250u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 3);
    ck_assert_uint_eq(k.world->n[WORLD_READ], 0);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "p117@example.com", "first_name"), "First 117");
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, 250u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD] + k.world->n[WORLD_READ] + k.world->n[WORLD_PATCH], 0);
}
END_TEST

/* The id that an answer gives at an index is the id that the next update uses. */
START_TEST(ids_are_of_their_rows)
{
    ekit_csv(&k, THREE);
    ekit_sync(&k);
    ekit_csv(&k, "email,first\nann@example.com,Ann\nbob@example.com,Robert\ncyd@example.com,Cyd\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 1u);
    EKIT_COUNT(&k, UNCHANGED, 2u);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "bob@example.com", "first_name"), "Robert");
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Ann");
    ck_assert_uint_eq(k.world->n[WORLD_PATCH], 1);
}
END_TEST

static const struct {
    const char *email;
    enum outcome outcome;
    enum reason reason;
    unsigned looks_most;
} counters[] = {
    {"blocked1@example.com", OUTCOME_SKIPPED, REASON_BLOCKLISTED, 0},
    {"invalid1@example.com", OUTCOME_REJECTED, REASON_INVALID_THERE, 0},
    {"incomplete1@example.com", OUTCOME_REJECTED, REASON_INCOMPLETE, 0},
    {"old@example.com", OUTCOME_SKIPPED, REASON_IN_WORKSPACE, 2}, /* a look, and its empty last page */
};

START_TEST(one_counter_one_reason)
{
    char csv[256];
    world_put(k.world, WORLD_ELSEWHERE, "old@example.com", "Old");
    snprintf(csv, sizeof csv, "email,first\nann@example.com,Ann\n%s,X\nbob@example.com,Bob\n", counters[_i].email);
    ekit_csv(&k, csv);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 2u);
    ck_assert_uint_eq(ekit_outcome(&k, counters[_i].outcome), 1);
    ck_assert_uint_eq(ekit_reason(&k, counters[_i].reason), 1);
    ck_assert_uint_le(k.world->n[WORLD_READ], counters[_i].looks_most);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 1);
    EKIT_ENDS(&k, counters[_i].outcome == OUTCOME_REJECTED ? XS_LEFT_OVER : XS_DONE);
    /* A refusal is remembered: the second night asks for nothing. */
    world_count(k.world);
    ekit_sync(&k);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 0);
    ck_assert_uint_eq(ekit_reason(&k, counters[_i].reason), 1);
    ck_assert_uint_eq(ekit_outcome(&k, counters[_i].outcome), 1);
}
END_TEST

START_TEST(mixed_counters_are_told_apart)
{
    world_put(k.world, WORLD_ELSEWHERE, "old@example.com", "Old");
    ekit_csv(&k, "email,first\nann@example.com,A\nblocked1@example.com,B\nbob@example.com,B\ninvalid1@example.com,C\n"
                 "old@example.com,O\nblocked2@example.com,D\ncyd@example.com,C\nincomplete1@example.com,I\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, CREATED, 3u);
    EKIT_REASON(&k, BLOCKLISTED, 2u);
    EKIT_REASON(&k, INVALID_THERE, 1u);
    EKIT_REASON(&k, INCOMPLETE, 1u);
    EKIT_REASON(&k, IN_WORKSPACE, 1u);
    EKIT_COUNT(&k, FAILED, 0u);
}
END_TEST

/* ---- met in the target ---- */

START_TEST(met_there_is_linked_or_patched)
{
    world_put(k.world, WORLD_LIST, "ann@example.com", "Ann");
    world_put(k.world, WORLD_LIST, "Bob@Example.com", "Old");
    k.clock.wall += 3600 * 1000;
    ekit_csv(&k, THREE);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_COUNT(&k, UNCHANGED, 1u);
    EKIT_COUNT(&k, CHANGED, 1u);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "bob@example.com", "first_name"), "Bob");
    ck_assert_uint_eq(k.world->n[WORLD_PATCH], 1);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_COUNT(&k, UNCHANGED, 3u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 0);
}
END_TEST

START_TEST(create_mode_leaves_it_alone)
{
    world_put(k.world, WORLD_LIST, "bob@example.com", "Old");
    k.clock.wall += 3600 * 1000;
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "mode: create\n");
    ekit_csv(&k, THREE);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 2u);
    EKIT_REASON(&k, IN_TARGET, 1u);
    ck_assert_uint_eq(k.world->n[WORLD_PATCH], 0);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "bob@example.com", "first_name"), "Old");
}
END_TEST

/* ---- refused bodies ---- */

START_TEST(one_bad_lead_in_a_thousand)
{
    FILE *f = fopen(k.csv_path, "w");
    fputs("email,first\n", f);
    for (int i = 0; i < 1000; i++)
        fprintf(f, "%s%d@example.com,F\n", i == 617 ? "poison" : "p", i);
    fclose(f);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, CREATED, 999u);
    EKIT_REASON(&k, REFUSED_THERE, 1u);
    EKIT_COUNT(&k, REJECTED, 1u);
    ck_assert_uint_le(k.world->n[WORLD_ADD], 2 * 10 + 1);
}
END_TEST

START_TEST(a_named_lead_is_taken_out)
{
    ekit_csv(&k, "email,first\nann@example.com,A\nnamed1@example.com,N\nbob@example.com,B\nnamed2@example.com,N\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, CREATED, 2u);
    EKIT_REASON(&k, REFUSED_THERE, 2u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 3);
}
END_TEST

START_TEST(too_large_is_halved)
{
    ekit_people(&k, "p", 100);
    k.world->body_max = 2500;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 100u);
    ck_assert_uint_le(k.world->n[WORLD_ADD], 20);
}
END_TEST

/* A schema violation that is nobody's ends with every lead refused, not with an endless search. */
START_TEST(always_refused_ends)
{
    ekit_people(&k, "p", 16);
    world_fault(k.world, WORLD_ADD, 1, 10000, FAULT_400);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, REFUSED_THERE, 16u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 31);
}
END_TEST

START_TEST(the_target_is_gone)
{
    ekit_csv(&k, THREE);
    world_fault(k.world, WORLD_ADD, 1, 100, FAULT_404);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_CONFIG);
    EKIT_COUNT(&k, DEFERRED, 3u);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 3u);
}
END_TEST

/* ---- plan full ---- */

START_TEST(plan_full)
{
    bool list = _i == 1;
    char yaml[512];
    snprintf(yaml, sizeof yaml, "%s%s%slimits: {batch: 10, in_flight: 1}\n", EKIT_HEAD, list ? EKIT_LIST : EKIT_CAMPAIGN,
             EKIT_FIELDS);
    ekit_mapping(&k, yaml);
    ekit_people(&k, "p", 25);
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_FULL);
    k.world->rules[0].room = 4;
    world_fault(k.world, WORLD_ADD, 2, 2, FAULT_FULL);
    world_fault(k.world, WORLD_ADD, 3, 3, FAULT_FULL);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    ck_assert_uint_eq(ekit_outcome(&k, OUTCOME_CREATED) + ekit_reason(&k, REASON_PLAN_FULL), 25);
    ck_assert_uint_ge(ekit_reason(&k, REASON_PLAN_FULL), 6);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(world_n(k.world), 25);
}
END_TEST

/* The room that an answer names is filled: one request of that many, and no more. */
START_TEST(the_room_is_filled)
{
    ekit_people(&k, "p", 10);
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_FULL);
    k.world->rules[0].room = 4;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, CREATED, 4u);
    EKIT_REASON(&k, PLAN_FULL, 6u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 2);
    ck_assert_uint_eq(k.world->last_asked, 4);
}
END_TEST

/* Updates go on where creates cannot. */
START_TEST(a_full_plan_does_not_stop_updates)
{
    ekit_csv(&k, THREE);
    ekit_sync(&k);
    ekit_csv(&k, "email,first\nann@example.com,Anna\ndee@example.com,Dee\n");
    world_count(k.world);
    world_fault(k.world, WORLD_ADD, 1, 100, FAULT_FULL);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, CHANGED, 1u);
    EKIT_REASON(&k, PLAN_FULL, 1u);
}
END_TEST

/* ---- surely not applied: sent again ---- */

START_TEST(retried_until_it_works)
{
    static const enum world_fault faults[] = {FAULT_429, FAULT_409, FAULT_NOT_SENT};
    ekit_csv(&k, THREE);
    world_fault(k.world, WORLD_ADD, 1, 3, faults[_i]);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 3u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 4);
    ck_assert_uint_eq(k.world->n[WORLD_READ], 0);
    /* What never left is no request to anybody who counts them. */
    ck_assert_uint_eq(k.report.requests_retried, faults[_i] == FAULT_NOT_SENT ? 1 : 3);
}
END_TEST

/* ---- unknown outcomes ---- */

static const enum world_fault after[] = {
    FAULT_500_AFTER, FAULT_LOST_AFTER, FAULT_GARBAGE_AFTER, FAULT_ERROR_KEY_AFTER, FAULT_NO_LIST_AFTER,
    FAULT_INDEX_TWICE_AFTER, FAULT_INDEX_FAR_AFTER,
};
static const enum world_fault before[] = {FAULT_500, FAULT_LOST};

/* It arrived: found by the first look, created, never sent again. */
START_TEST(arrived_without_an_answer)
{
    ekit_csv(&k, THREE);
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
    ekit_csv(&k, THREE);
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
    ekit_csv(&k, THREE);
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
    ekit_csv(&k, THREE);
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
    ekit_csv(&k, THREE);
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
    ekit_csv(&k, THREE);
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_500_AFTER);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 2u);
    EKIT_COUNT(&k, UNCHANGED, 1u);
}
END_TEST

/* The list lags: a later look finds it, nothing is sent again. */
START_TEST(the_list_lags)
{
    ekit_csv(&k, THREE);
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
    ekit_csv(&k, THREE);
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
    ekit_csv(&k, THREE);
    world_fault(k.world, WORLD_ADD, 1, 1000, FAULT_500);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
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
    ekit_csv(&k, THREE);
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
    ekit_csv(&k, THREE);
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
    ekit_csv(&k, THREE);
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
    ekit_csv(&k, THREE);
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
    ck_assert_uint_eq(k.report.run, 0);
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
    static const enum world_fault faults[] = {FAULT_NONE, FAULT_LOST_AFTER, FAULT_LOST, FAULT_500_AFTER, FAULT_INDEX_FAR_AFTER};
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_KEYED);
    ekit_csv(&k, KEYED);
    world_fault(k.world, WORLD_ADD, 1, 1, faults[_i]);
    ekit_sync(&k);
    ck_assert_uint_eq(k.report.open_batches, 0);
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

/* ---- updates ---- */

static void three_then(const char *csv)
{
    ekit_csv(&k, THREE);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 3u);
    ekit_csv(&k, csv);
    world_count(k.world);
}
#define CHANGED "email,first\nann@example.com,Anna\nbob@example.com,Bob\ncyd@example.com,Cyd\n"

START_TEST(an_update_without_an_answer)
{
    static const enum world_fault faults[] = {FAULT_500, FAULT_500_AFTER, FAULT_LOST, FAULT_LOST_AFTER, FAULT_GARBAGE_AFTER};
    three_then(CHANGED);
    world_fault(k.world, WORLD_PATCH, 1, 1, faults[_i]);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 1u);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Anna");
    ck_assert_uint_ge(k.world->n[WORLD_READ], 1);
    ck_assert_uint_eq(k.report.tally.updated, 1);
}
END_TEST

START_TEST(a_lead_that_is_gone)
{
    three_then(CHANGED);
    world_delete(k.world, "ann@example.com");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, GONE_THERE, 1u);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_REASON(&k, DELETED_THERE, 1u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD] + k.world->n[WORLD_PATCH], 0);
    k.config.recreate = true;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 1u);
    ck_assert_uint_eq(world_n(k.world), 3);
}
END_TEST

START_TEST(an_update_that_is_refused)
{
    three_then(CHANGED);
    world_fault(k.world, WORLD_PATCH, 1, 1, FAULT_400);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, REFUSED_THERE, 1u);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_REASON(&k, REFUSED_THERE, 1u);
    ck_assert_uint_eq(k.world->n[WORLD_PATCH], 0);
}
END_TEST

#define SEATS EKIT_FIELDS "custom_variables: {seats: {from: seats, type: number}, plan: plan}\n"

/* What another tool wrote into the payload is still there after a PATCH that replaces it. */
START_TEST(custom_variables_are_complete)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST SEATS);
    ekit_csv(&k, "email,first,seats,plan\nann@example.com,Ann,3,pro\n");
    ekit_sync(&k);
    struct json_object *payload;
    json_object_object_get_ex(world_find(k.world, WORLD_LIST, "ann@example.com"), "payload", &payload);
    json_object_object_add(payload, "theirs", json_object_new_string("kept"));
    ekit_csv(&k, "email,first,seats,plan\nann@example.com,Ann,4,pro\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 1u);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "seats"), "4");
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "plan"), "pro");
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "theirs"), "kept");
    world_count(k.world);
    ekit_sync(&k);
    EKIT_COUNT(&k, UNCHANGED, 1u);
    ck_assert_uint_eq(k.world->n[WORLD_PATCH], 0);
}
END_TEST

/* ---- ends in the middle ---- */

/* A signal while the n-th request is under way: settled in order, and the next runs finish the work. */
START_TEST(first_signal)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "limits: {batch: 5, in_flight: 2}\n");
    ekit_people(&k, "p", 40);
    world_fault(k.world, WORLD_ADD, 2, 2, FAULT_LOST_AFTER);
    world_fault(k.world, WORLD_ADD, 3, 3, FAULT_LOST);
    k.world->stop_at = _i;
    ekit_sync(&k);
    if (k.world->n[WORLD_ADD] + k.world->n[WORLD_READ] >= (unsigned)_i)
        EKIT_ENDS(&k, XS_SIGINT);
    stop_set(0);
    k.clock.wall += 60000;
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(world_n(k.world), 40);
    ekit_sync(&k);
    EKIT_COUNT(&k, UNCHANGED, 40u);
}
END_TEST

START_TEST(a_signal_before_the_first_row)
{
    ekit_people(&k, "p", 40);
    stop_set(SIGTERM);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_SIGTERM);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 0);
}
END_TEST

START_TEST(the_time_is_over)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "limits: {batch: 5, in_flight: 1}\n");
    ekit_people(&k, "p", 40);
    k.config.max_ms = 3000;
    world_fault(k.world, WORLD_ADD, 3, 3, FAULT_LOST_AFTER);
    k.world->lag_ms = 20000;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    ck_assert_uint_ge(ekit_outcome(&k, OUTCOME_DEFERRED), 1);
    k.config.max_ms = 0;
    k.clock.wall += 60000;
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(world_n(k.world), 40);
}
END_TEST

static const struct {
    enum world_fault fault;
    enum exit_status status;
} fatal[] = {{FAULT_401, XS_KEY}, {FAULT_EDGE, XS_API}};

/* The key is refused in the middle: what was read is deferred, the sum closes, and a later run ends right. */
START_TEST(fatal_in_the_middle)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "limits: {batch: 5, in_flight: 2}\n");
    ekit_people(&k, "p", 40);
    world_fault(k.world, WORLD_ADD, 3, 1000, fatal[_i].fault);
    world_fault(k.world, WORLD_READ, 1, 1000, fatal[_i].fault);
    world_fault(k.world, WORLD_ADD, 2, 2, FAULT_LOST_AFTER);
    ekit_sync(&k);
    EKIT_ENDS(&k, fatal[_i].status);
    ck_assert_uint_eq(k.report.tally.read, 40);
    world_count(k.world);
    k.clock.wall += 60000;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(world_n(k.world), 40);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_COUNT(&k, UNCHANGED, 40u);
}
END_TEST

/* Any faults at any requests, by chance: within a few runs all are there once. */
START_TEST(chance)
{
    static const enum world_fault any[] = {
        FAULT_500, FAULT_500_AFTER, FAULT_LOST, FAULT_LOST_AFTER, FAULT_NOT_SENT, FAULT_GARBAGE_AFTER,
        FAULT_ERROR_KEY_AFTER, FAULT_INDEX_TWICE_AFTER, FAULT_409, FAULT_429, FAULT_FULL, FAULT_401,
    };
    unsigned seed = (unsigned)_i * 7919 + 17;
    bool keyed = _i % 3 == 0;
    char yaml[512];
    snprintf(yaml, sizeof yaml, "%s%s%slimits: {batch: %u, in_flight: %u}\n", EKIT_HEAD, EKIT_LIST,
             keyed ? EKIT_KEYED : EKIT_FIELDS, 3 + seed % 9, 1 + seed % 4);
    ekit_mapping(&k, yaml);
    FILE *f = fopen(k.csv_path, "w");
    fputs("email,first,id\n", f);
    for (int i = 0; i < 30; i++)
        if (keyed && i % 4 == 0)
            fprintf(f, ",First %d,%d\n", i, i);
        else
            fprintf(f, "p%d@example.com,First %d,%d\n", i, i, i);
    fclose(f);
    for (int run = 0; run < 4; run++) {
        world_count(k.world);
        for (int r = 0; run < 3 && r < 5; r++) {
            unsigned at = 1 + (unsigned)rand_r(&seed) % 8;
            enum world_fault fault = any[(unsigned)rand_r(&seed) % (sizeof any / sizeof any[0])];
            enum world_kind kind = rand_r(&seed) % 3 == 0 ? WORLD_READ : WORLD_ADD;
            world_fault(k.world, kind, at, at + (unsigned)rand_r(&seed) % 2, fault);
        }
        k.world->lag_ms = rand_r(&seed) % 3 == 0 ? 2500 : 0;
        ekit_sync(&k);
        k.clock.wall += 200000;
    }
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(world_n(k.world), 30);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_COUNT(&k, UNCHANGED, 30u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD] + k.world->n[WORLD_PATCH], 0);
}
END_TEST

#define N(a) (int)(sizeof(a) / sizeof(a)[0])

int main(void)
{
    Suite *s = suite_create("upload");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, created_by_index);
    tcase_add_test(t, ids_are_of_their_rows);
    tcase_add_loop_test(t, one_counter_one_reason, 0, N(counters));
    tcase_add_test(t, mixed_counters_are_told_apart);
    tcase_add_test(t, met_there_is_linked_or_patched);
    tcase_add_test(t, create_mode_leaves_it_alone);
    tcase_add_test(t, one_bad_lead_in_a_thousand);
    tcase_add_test(t, a_named_lead_is_taken_out);
    tcase_add_test(t, too_large_is_halved);
    tcase_add_test(t, always_refused_ends);
    tcase_add_test(t, the_target_is_gone);
    tcase_add_loop_test(t, plan_full, 0, 2);
    tcase_add_test(t, the_room_is_filled);
    tcase_add_test(t, a_full_plan_does_not_stop_updates);
    tcase_add_loop_test(t, retried_until_it_works, 0, 3);
    tcase_add_loop_test(t, arrived_without_an_answer, 0, N(after));
    tcase_add_loop_test(t, lost_before_it_arrived, 0, N(before));
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
    tcase_add_loop_test(t, an_update_without_an_answer, 0, 5);
    tcase_add_test(t, a_lead_that_is_gone);
    tcase_add_test(t, an_update_that_is_refused);
    tcase_add_test(t, custom_variables_are_complete);
    tcase_add_loop_test(t, first_signal, 1, 13);
    tcase_add_test(t, a_signal_before_the_first_row);
    tcase_add_test(t, the_time_is_over);
    tcase_add_loop_test(t, fatal_in_the_middle, 0, N(fatal));
    tcase_add_loop_test(t, chance, 0, 40);
    suite_add_tcase(s, t);
    return unit_run(s);
}
