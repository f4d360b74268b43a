/* Updates: lost answers, leads that are gone, refusals, and what a PATCH must not take from others. */
#include "config.h"

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

static void three_then(const char *csv)
{
    ekit_csv(&k, EKIT_THREE);
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

/* ---- answers and lists that are not true ---- */

static void annas_name_is(const char *name)
{
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), name);
}

/* Answered with 200 and not stored, whether the answer tells it or not. */
START_TEST(an_update_that_is_not_stored)
{
    three_then(CHANGED);
    world_fault(k.world, WORLD_PATCH, 1, 1, _i == 0 ? FAULT_IGNORED : FAULT_ECHO);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, FAILED, 1u);
    EKIT_REASON(&k, NOT_STORED, 1u);
    annas_name_is("Ann");
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 1u);
    annas_name_is("Anna");
}
END_TEST

/* The row says the old value again: it is not taken for what Instantly has. */
START_TEST(a_value_that_came_back)
{
    static const enum world_fault faults[] = {FAULT_LOST_AFTER, FAULT_ECHO};
    three_then(CHANGED);
    world_fault(k.world, WORLD_PATCH, 1, 99, faults[_i]);
    world_fault(k.world, WORLD_READ, 2, 99, FAULT_EMPTY);
    world_fault(k.world, WORLD_GET, 1, 99, FAULT_500);
    ekit_sync(&k);
    ck_assert_int_ne((int)k.report.exit_code, XS_DONE);
    ekit_csv(&k, EKIT_THREE);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    annas_name_is("Ann");
}
END_TEST

/* A list that shows nothing, for one look after the PATCH or for all. */
START_TEST(an_update_that_no_list_shows)
{
    three_then(CHANGED);
    world_fault(k.world, WORLD_READ, _i == 0 ? 2 : 1, _i == 0 ? 2 : 99, FAULT_EMPTY);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 1u);
    ck_assert_uint_eq(k.world->n[WORLD_PATCH], 1);
    ck_assert_uint_eq(k.world->n[WORLD_GET], _i == 0 ? 0 : 2);
    annas_name_is("Anna");
}
END_TEST

/* A list that still shows the old values: for a while, or for longer than it is looked at. */
START_TEST(an_update_that_lists_show_late)
{
    three_then(CHANGED);
    k.world->stale_ms = _i == 0 ? 2500 : 3600000;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 1u);
    ck_assert_uint_eq(k.world->n[WORLD_PATCH], 1);
    ck_assert_uint_eq(k.world->n[WORLD_GET], _i == 0 ? 0 : 1);
}
END_TEST

/* And the row says the old value again: what the list shows is not taken for it. */
START_TEST(a_value_that_came_back_while_lists_lag)
{
    three_then(CHANGED);
    k.world->stale_ms = 60000;
    ekit_sync(&k);
    EKIT_COUNT(&k, CHANGED, 1u);
    ekit_csv(&k, EKIT_THREE);
    ekit_sync(&k);
    EKIT_COUNT(&k, CHANGED, 1u);
    annas_name_is("Ann");
}
END_TEST

/* A hundred updates cost two looks. */
START_TEST(looks_are_shared)
{
    ekit_people(&k, "a", 100);
    ekit_sync(&k);
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST "fields: {email: email, first_name: {value: Ann}}\n");
    k.guard = "changed=none";
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_COUNT(&k, CHANGED, 100u);
    ck_assert_uint_eq(k.world->n[WORLD_PATCH], 100);
    ck_assert_uint_eq(k.world->n[WORLD_READ], 2);
    ck_assert_uint_eq(k.world->n[WORLD_GET], 0);
}
END_TEST

/* The id is another person's now, whose values are not ours to write. */
START_TEST(an_id_with_another_address)
{
    three_then(CHANGED);
    world_exchange(k.world, "ann@example.com", "zoe@example.com");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, GONE_THERE, 1u);
    ck_assert_uint_eq(k.world->n[WORLD_PATCH], 0);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "zoe@example.com", "first_name"), "Ann");
}
END_TEST

/* Imported again by hand: found by address once, and known by the new id from then on. */
START_TEST(imported_again)
{
    three_then(CHANGED);
    world_reimport(k.world, "ann@example.com");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 1u);
    annas_name_is("Anna");
    ekit_csv(&k, EKIT_THREE);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_COUNT(&k, CHANGED, 1u);
    ck_assert_uint_eq(k.world->n[WORLD_GET], 0);
    annas_name_is("Ann");
}
END_TEST

/* The request of a run that died is carried out while the next run looks, or after it. */
START_TEST(an_update_that_is_carried_out_late)
{
    three_then(CHANGED);
    k.world->stop_at = 2;
    k.world->late_ms = _i == 0 ? 1500 : 20000;
    world_fault(k.world, WORLD_PATCH, 1, 1, FAULT_LATE);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_SIGINT);
    stop_set(0);
    world_count(k.world);
    ekit_csv(&k, EKIT_THREE);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    for (int night = 0; night < 2; night++) {
        ekit_later(&k);
        ekit_sync(&k);
        EKIT_ENDS(&k, XS_DONE);
    }
    annas_name_is("Ann");
    EKIT_COUNT(&k, UNCHANGED, 3u);
    ck_assert_uint_eq(k.world->n[WORLD_READ], 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("update");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, an_update_without_an_answer, 0, 5);
    tcase_add_test(t, a_lead_that_is_gone);
    tcase_add_test(t, an_update_that_is_refused);
    tcase_add_test(t, custom_variables_are_complete);
    tcase_add_loop_test(t, an_update_that_is_not_stored, 0, 2);
    tcase_add_loop_test(t, a_value_that_came_back, 0, 2);
    tcase_add_loop_test(t, an_update_that_no_list_shows, 0, 2);
    tcase_add_loop_test(t, an_update_that_lists_show_late, 0, 2);
    tcase_add_test(t, a_value_that_came_back_while_lists_lag);
    tcase_add_test(t, looks_are_shared);
    tcase_add_test(t, an_id_with_another_address);
    tcase_add_test(t, imported_again);
    tcase_add_loop_test(t, an_update_that_is_carried_out_late, 0, 2);
    suite_add_tcase(s, t);
    return unit_run(s);
}
