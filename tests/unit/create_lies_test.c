/* Answers to leads/add that are good and not true: what an entry of created_leads does not prove, and what the counters do
 * not explain, is read back. No person is doubled, no lead gets another person's values, no refusal is made up. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/engine_kit.h"

static struct ekit k;

#define KEYED EKIT_HEAD EKIT_LIST EKIT_KEYED "guards: {removed: none, source_shrank: none, rejected: none}\n"
#define MIRROR KEYED "mode: mirror\nremoved: delete\n"
#define NAMED "email,first,id\n"

static void setup(void)
{
    ekit_init(&k);
}

static void teardown(void)
{
    ekit_free(&k);
}

/* Rows of a list with `named` people, who have an address, and `nameless` ones. */
static void people(unsigned named, unsigned nameless)
{
    FILE *f = fopen(k.csv_path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(NAMED, f);
    for (unsigned i = 0; i < named; i++)
        fprintf(f, "p%u@example.com,First %u,%u\n", i, i, i);
    for (unsigned i = named; i < named + nameless; i++)
        fprintf(f, ",Unnamed %u,%u\n", i, i);
    ck_assert_int_eq(fclose(f), 0);
}

/* One more night finds nothing to do: each row has its lead, and each lead its row. */
static void all_is_done(unsigned leads)
{
    ck_assert_uint_eq(world_n(k.world), leads);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, leads);
    ck_assert_uint_eq(ekit_writes(&k), 0);
}

/* Each lead without an address is its row's: the first name says which row. */
static void keys_fit(void)
{
    for (size_t i = 0; i < world_n(k.world); i++) {
        struct json_object *lead = json_object_array_get_idx(k.world->leads, i), *payload, *key, *first;
        if (!json_object_object_get_ex(lead, "first_name", &first) ||
            strncmp(json_object_get_string(first), "Unnamed ", 8) != 0)
            continue;
        ck_assert(json_object_object_get_ex(lead, "payload", &payload));
        ck_assert(json_object_object_get_ex(payload, "leadsync_key", &key));
        ck_assert_str_eq(json_object_get_string(key), json_object_get_string(first) + 8);
    }
}

/* Every value of the next night lands on the lead of its own row. */
static void updates_fit(unsigned named)
{
    char email[64], first[64];
    FILE *f = fopen(k.csv_path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(NAMED, f);
    for (unsigned i = 0; i < named; i++)
        fprintf(f, "p%u@example.com,Second %u,%u\n", i, i, i);
    ck_assert_int_eq(fclose(f), 0);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, named);
    for (unsigned i = 0; i < named; i++) {
        snprintf(email, sizeof email, "p%u@example.com", i);
        snprintf(first, sizeof first, "Second %u", i);
        ck_assert_str_eq(world_value(k.world, WORLD_LIST, email, "first_name"), first);
    }
}

/* ---- more uploaded than named ---- */

/* clang-format off */
static const enum world_fault omissions[] = {
    FAULT_EMPTY_CREATED_AFTER, FAULT_HALF_CREATED_AFTER, FAULT_NAMELESS_OMITTED_AFTER, FAULT_HALF_COUNTED_AFTER,
};
/* clang-format on */
static const int64_t lags_ms[] = {0, 3000, 50000};

/* Every answer omits leads, and the list lags: they are looked for, never sent again, and counted as created. */
START_TEST(omitted_leads_are_looked_for)
{
    ekit_mapping(&k, KEYED);
    people(20, 80);
    k.world->lag_ms = lags_ms[_i % 3];
    world_fault(k.world, WORLD_ADD, 1, 1000, omissions[_i / 3]);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 100u);
    ck_assert_uint_le(k.world->leads_asked, 100 + 20 * 3); /* only addresses are repeated */
    keys_fit();
    all_is_done(100);
}
END_TEST

/* The list lags longer than all looks: the leads stay open, and the next run looks again before it sends. */
START_TEST(what_never_shows_stays_open)
{
    ekit_mapping(&k, KEYED);
    people(0, 100);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 100u); /* the state has seen its source to the end */
    people(0, 200);
    ekit_later(&k);
    k.world->lag_ms = 100000;
    world_fault(k.world, WORLD_ADD, 1, 1000, omissions[_i]);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, OUTCOME_OPEN, _i == 1 || _i == 3 ? 50u : 100u);
    ck_assert_uint_eq(k.report.open_batches, 1);
    ck_assert_uint_eq(k.world->leads_asked, 100);
    world_count(k.world);
    ekit_sync(&k); /* at once: 65 s of looks, then another 65 s */
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 0);
    ck_assert_uint_eq(k.report.tally.settled, _i == 1 || _i == 3 ? 50 : 100);
    keys_fit();
    all_is_done(200);
}
END_TEST

/* Nothing of it arrived, whatever the answer says: the run after sends it, once. */
START_TEST(what_never_came_is_sent_by_the_next_run)
{
    ekit_mapping(&k, KEYED);
    people(0, 10);
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_EMPTY_CREATED_AFTER);
    k.world->lag_ms = 3600 * 1000;
    ekit_sync(&k);
    EKIT_REASON(&k, OUTCOME_OPEN, 10u);
    while (world_n(k.world) > 0)
        json_object_array_del_idx(k.world->leads, 0, 1);
    k.world->lag_ms = 0;
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 10u);
    all_is_done(10);
}
END_TEST

/* ---- counters ---- */

/* One blocked lead among a hundred, and fifty that the answer does not name: one row is blocked, and no more. */
START_TEST(a_counter_explains_what_it_counts)
{
    FILE *f = fopen(k.csv_path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("email,first\nblocked@example.com,B\n", f);
    for (int i = 0; i < 99; i++)
        fprintf(f, "p%d@example.com,First %d\n", i, i);
    ck_assert_int_eq(fclose(f), 0);
    world_fault(k.world, WORLD_ADD, 1, 1, omissions[_i]);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 99u);
    EKIT_REASON(&k, BLOCKLISTED, 1u);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_COUNT(&k, UNCHANGED, 99u);
    EKIT_REASON(&k, BLOCKLISTED, 1u); /* remembered of this one */
    ck_assert_uint_eq(ekit_writes(&k), 0);
}
END_TEST

/* ---- entries that name the wrong lead ---- */

static const enum world_fault wrong_entries[] = {
    FAULT_SHIFTED_AFTER, FAULT_SAME_ID_AFTER, FAULT_OLD_ID_AFTER, FAULT_EMAIL_MISSING_AFTER, FAULT_NO_EMAIL_AFTER,
};

START_TEST(values_stay_with_their_people)
{
    for (int i = 0; i < 20; i++) {
        char email[64];
        snprintf(email, sizeof email, "stranger%d@example.com", i);
        world_put(k.world, WORLD_LIST, email, "Stranger");
    }
    k.clock.wall += 60000;
    ekit_mapping(&k, MIRROR);
    people(20, 0);
    world_fault(k.world, WORLD_ADD, 1, 1, wrong_entries[_i]);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 20u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 1);
    ck_assert_uint_eq(k.world->n[WORLD_READ] > 0, wrong_entries[_i] != FAULT_NO_EMAIL_AFTER);
    updates_fit(20);
    /* Ten rows go, and their leads with them: nobody else's. */
    people(10, 0);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 10u);
    ck_assert_uint_eq(world_n(k.world), 30);
    for (int i = 0; i < 20; i++) {
        char email[64];
        snprintf(email, sizeof email, "p%d@example.com", i);
        ck_assert(ekit_there(&k, email) == (i < 10));
    }
}
END_TEST

/* The old ids are of this sync's own leads, and the run follows at once: the state has them under other keys. */
START_TEST(ids_that_the_state_knows)
{
    ekit_mapping(&k, MIRROR);
    people(20, 0);
    ekit_sync(&k);
    people(40, 0);
    world_count(k.world);
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_OLD_ID_AFTER);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 20u);
    EKIT_COUNT(&k, UNCHANGED, 20u);
    updates_fit(40);
}
END_TEST

/* Of people without an address only names are told: a shifted index is noticed by them, and by a neighbour's address. */
START_TEST(shifted_without_addresses)
{
    ekit_mapping(&k, KEYED);
    people(_i == 0 ? 0 : 3, 10);
    world_fault(k.world, WORLD_ADD, 1, 1, FAULT_SHIFTED_AFTER);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, _i == 0 ? 10u : 13u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 1);
    all_is_done(_i == 0 ? 10 : 13);
}
END_TEST

/* Ids that an earlier answer of the same run gave: each lead gets its own all the same. */
START_TEST(ids_that_the_run_knows)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_KEYED "limits: {batch: 5, in_flight: 1}\n");
    people(20, 0);
    world_fault(k.world, WORLD_ADD, 2, 1000, FAULT_OLD_ID_AFTER);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    updates_fit(20);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("create_lies");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, omitted_leads_are_looked_for, 0, 3 * (int)(sizeof omissions / sizeof omissions[0]));
    tcase_add_loop_test(t, what_never_shows_stays_open, 0, (int)(sizeof omissions / sizeof omissions[0]));
    tcase_add_test(t, what_never_came_is_sent_by_the_next_run);
    tcase_add_loop_test(t, a_counter_explains_what_it_counts, 0, (int)(sizeof omissions / sizeof omissions[0]));
    tcase_add_loop_test(t, values_stay_with_their_people, 0, (int)(sizeof wrong_entries / sizeof wrong_entries[0]));
    tcase_add_test(t, ids_that_the_state_knows);
    tcase_add_loop_test(t, shifted_without_addresses, 0, 2);
    tcase_add_test(t, ids_that_the_run_knows);
    suite_add_tcase(s, t);
    return unit_run(s);
}
