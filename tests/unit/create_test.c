/* Creates, against a world that answers as it likes: what its counters tell, whom it knows already, bodies it refuses,
 * a plan that is full, and requests that surely had no effect. */
#include "config.h"

#include <stdio.h>

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
    ekit_csv(&k, EKIT_THREE);
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

START_TEST(mixed_counters_are_separated)
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
    ekit_csv(&k, EKIT_THREE);
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
    ekit_csv(&k, EKIT_THREE);
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

START_TEST(the_target_is_gone)
{
    ekit_csv(&k, EKIT_THREE);
    world_fault(k.world, WORLD_ADD, 1, 100, FAULT_404);
    world_fault(k.world, WORLD_TARGET, 2, 100, FAULT_404); /* the first is before the run's first write */
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_CONFIG);
    ck_assert_uint_eq(k.world->n[WORLD_TARGET], 2);
    ck_assert_msg(strstr(err_text(&k.e), "list \"Incoming\" is no longer in Instantly (POST /leads/add: 404: Resource not "
                                         "found)") != NULL,
                  "%s", err_text(&k.e));
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
    ekit_csv(&k, EKIT_THREE);
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
    ekit_csv(&k, EKIT_THREE);
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

int main(void)
{
    Suite *s = suite_create("create");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, created_by_index);
    tcase_add_test(t, ids_are_of_their_rows);
    tcase_add_loop_test(t, one_counter_one_reason, 0, (int)(sizeof counters / sizeof counters[0]));
    tcase_add_test(t, mixed_counters_are_separated);
    tcase_add_test(t, met_there_is_linked_or_patched);
    tcase_add_test(t, create_mode_leaves_it_alone);
    tcase_add_test(t, one_bad_lead_in_a_thousand);
    tcase_add_test(t, a_named_lead_is_taken_out);
    tcase_add_test(t, too_large_is_halved);
    tcase_add_test(t, the_target_is_gone);
    tcase_add_loop_test(t, plan_full, 0, 2);
    tcase_add_test(t, the_room_is_filled);
    tcase_add_test(t, a_full_plan_does_not_stop_updates);
    tcase_add_loop_test(t, retried_until_it_works, 0, 3);
    suite_add_tcase(s, t);
    return unit_run(s);
}
