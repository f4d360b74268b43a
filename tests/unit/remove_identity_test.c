/* Whose lead is removed: ids that are another person's, and leads that were exported and imported again. */
#include "config.h"

#include <stdio.h>

#include "tests/unit/remove_kit.h"

static struct ekit k;

static void setup(void)
{
    rkit_init(&k);
}

static void teardown(void)
{
    ekit_free(&k);
}

/* The id of cyd's lead is another person's now, who is not ours to delete. */
START_TEST(an_id_with_another_address)
{
    ekit_mapping(&k, _i == 0 ? RKIT_MIRROR EKIT_FIELDS : RKIT_MIRROR "state: {values: hashed}\n" EKIT_FIELDS);
    ekit_sync(&k);
    world_exchange(k.world, "cyd@example.com", "zoe@example.com");
    ekit_csv(&k, RKIT_TWO);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    ck_assert_uint_eq(k.world->leads_deleted, 1);
    ck_assert(ekit_there(&k, "zoe@example.com") && !ekit_there(&k, "dan@example.com"));
}
END_TEST

#define HASHED RKIT_MIRROR "state: {values: hashed}\n"

/* Imported again by hand: the same people under other ids. With hashes their addresses are found in their place. */
START_TEST(imported_again)
{
    ekit_mapping(&k, _i == 0 ? RKIT_MIRROR EKIT_FIELDS : HASHED EKIT_FIELDS);
    ekit_sync(&k);
    world_set(k.world, "cyd@example.com", "status", -2);
    world_reimport(k.world, "cyd@example.com");
    world_reimport(k.world, "dan@example.com");
    ekit_csv(&k, RKIT_TWO);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    ck_assert_uint_eq(k.world->leads_deleted, 2);
    rkit_two_are_left(&k);
    ekit_csv(&k, RKIT_FOUR);
    ekit_sync(&k);
    EKIT_REASON(&k, UNSUBSCRIBED, 1u);
}
END_TEST

/* Their place is looked through once, and again when it shows nothing; who is not in it is gone. */
START_TEST(imported_again_with_hashes)
{
    ekit_mapping(&k, HASHED EKIT_FIELDS "limits: {batch: 1}\n");
    ekit_sync(&k);
    world_reimport(k.world, "ann@example.com");
    world_reimport(k.world, "bob@example.com");
    world_reimport(k.world, "cyd@example.com");
    world_delete(k.world, "dan@example.com");
    world_put(k.world, WORLD_LIST, "zoe@example.com", "Zoe");
    ekit_csv(&k, "email,first\nbob@example.com,Bob\n");
    ekit_later(&k);
    world_count(k.world);
    /* By ids; then the place. */
    world_fault(k.world, WORLD_READ, 1, _i == 0 ? 1 : 2, FAULT_EMPTY);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 3u);
    ck_assert_uint_eq(k.world->leads_deleted, 2);
    ck_assert(ekit_there(&k, "bob@example.com") && ekit_there(&k, "zoe@example.com"));
    ck_assert_uint_eq(world_n(k.world), 2);
}
END_TEST

/* A place that cannot be looked through proves nothing. */
START_TEST(a_place_that_cannot_be_read)
{
    ekit_mapping(&k, HASHED EKIT_FIELDS);
    ekit_sync(&k);
    world_reimport(k.world, "cyd@example.com");
    ekit_csv(&k, RKIT_TWO);
    ekit_later(&k);
    world_count(k.world);
    world_fault(k.world, WORLD_READ, 2, 99, _i == 0 ? FAULT_400 : FAULT_401);
    ekit_sync(&k);
    EKIT_ENDS(&k, _i == 0 ? XS_API : XS_KEY);
    ck_assert(ekit_there(&k, "cyd@example.com"));
    ekit_later(&k);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    rkit_two_are_left(&k);
}
END_TEST

/* A row has another address, and its old lead is imported again before it is removed: after a removal that failed, or after a
 * create that the next run settles. */
START_TEST(an_old_lead_that_is_imported_again)
{
    char mapping[1024];
    snprintf(mapping, sizeof mapping, "%s%s", RKIT_MIRROR EKIT_KEYED, _i % 2 == 0 ? "" : "state: {values: hashed}\n");
    ekit_mapping(&k, mapping);
    ekit_csv(&k, "id,email,first\n1,ann@example.com,Ann\n2,bob@example.com,Bob\n");
    rkit_anew(&k);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 2u);
    ekit_later(&k);
    ekit_csv(&k, "id,email,first\n1,eve@example.com,Ann\n2,bob@example.com,Bob\n");
    if (_i < 2) {
        world_fault(k.world, WORLD_DELETE, 1, 1000, FAULT_401);
    } else {
        world_reimport(k.world, "ann@example.com");
        world_fault(k.world, WORLD_ADD, 1, 1, FAULT_LOST_AFTER);
        world_fault(k.world, WORLD_READ, 6, 1000, FAULT_401);
    }
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_KEY);
    ck_assert(ekit_there(&k, "eve@example.com") && ekit_there(&k, "ann@example.com"));
    if (_i < 2)
        world_reimport(k.world, "ann@example.com");
    for (int night = 0; night < 3; night++) {
        ekit_later(&k);
        ekit_sync(&k);
    }
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, 2u);
    ck_assert(ekit_there(&k, "eve@example.com") && !ekit_there(&k, "ann@example.com"));
    ck_assert_uint_eq(world_n(k.world), 2);
}
END_TEST

/* Imported again a moment before the run: by its row key each lead is known, however young it is. */
START_TEST(imported_again_just_now)
{
    char mapping[1024];
    snprintf(mapping, sizeof mapping, "%s%s", RKIT_MIRROR EKIT_KEYED, _i == 0 ? "" : "state: {values: hashed}\n");
    ekit_mapping(&k, mapping);
    ekit_csv(&k, "id,email,first\n1,ann@example.com,Ann\n2,bob@example.com,Bob\n3,cyd@example.com,Cyd\n");
    rkit_anew(&k);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 3u);
    world_reimport(k.world, "ann@example.com");
    world_reimport(k.world, "bob@example.com");
    world_reimport(k.world, "cyd@example.com");
    ekit_csv(&k, "id,email,first\n1,ann@example.com,Anna\n2,bert@example.com,Bob\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Anna");
    ck_assert(ekit_there(&k, "bert@example.com"));
    ck_assert_uint_eq(world_n(k.world), 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("remove_identity");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, an_id_with_another_address, 0, 2);
    tcase_add_loop_test(t, imported_again, 0, 2);
    tcase_add_loop_test(t, imported_again_with_hashes, 0, 2);
    tcase_add_loop_test(t, a_place_that_cannot_be_read, 0, 2);
    tcase_add_loop_test(t, imported_again_just_now, 0, 2);
    tcase_add_loop_test(t, an_old_lead_that_is_imported_again, 0, 4);
    suite_add_tcase(s, t);
    return unit_run(s);
}
