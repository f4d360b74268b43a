/* From a planned row to a proven outcome, when a run ends in the middle or anything goes wrong by chance: every row
 * ends in the outcome that is true, and nobody is there twice. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

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
    /* clang-format off */
    static const enum world_fault any[] = {
        FAULT_500, FAULT_500_AFTER, FAULT_LOST, FAULT_LOST_AFTER, FAULT_NOT_SENT, FAULT_GARBAGE_AFTER,
        FAULT_ERROR_KEY_AFTER, FAULT_INDEX_TWICE_AFTER, FAULT_409, FAULT_429, FAULT_FULL, FAULT_401,
    };
    /* clang-format on */
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

static const struct {
    enum world_kind kind;
    enum world_fault fault;
    bool signal;
} hanging[] = {
    {WORLD_ADD, FAULT_HANG, false},      {WORLD_ADD, FAULT_HANG, true},   {WORLD_ADD, FAULT_HANG_AFTER, false},
    {WORLD_ADD, FAULT_HANG_AFTER, true}, {WORLD_READ, FAULT_HANG, false}, {WORLD_READ, FAULT_HANG, true},
};

/* A request without an answer is awaited for 30 s after the deadline or the signal, and its batch is left open. */
START_TEST(an_answer_that_does_not_come)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "limits: {batch: 5, in_flight: 2}\n");
    ekit_people(&k, "p", 40);
    world_fault(k.world, hanging[_i].kind, hanging[_i].kind == WORLD_ADD ? 3 : 1, 1000, hanging[_i].fault);
    world_fault(k.world, WORLD_ADD, 2, 2, FAULT_LOST);
    k.config.max_ms = hanging[_i].signal ? 0 : 3000;
    k.world->stop_at = hanging[_i].signal ? 4 : 0;
    const int64_t start_us = k.clock.base.mono_us(&k.clock.base);
    ekit_sync(&k);
    EKIT_ENDS(&k, hanging[_i].signal ? XS_SIGINT : XS_LEFT_OVER);
    const int64_t took_ms = (k.clock.base.mono_us(&k.clock.base) - start_us) / 1000;
    ck_assert_msg(took_ms >= 30000 && took_ms < 36000, "%lld ms", (long long)took_ms);
    ck_assert_uint_ge(ekit_outcome(&k, OUTCOME_DEFERRED), 5);
    ck_assert_uint_ge(k.report.open_batches, 1);
    stop_set(0);
    k.world->stop_at = 0;
    k.config.max_ms = 0;
    k.clock.wall += 60000;
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(world_n(k.world), 40);
    ekit_sync(&k);
    EKIT_COUNT(&k, UNCHANGED, 40u);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("upload");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, first_signal, 1, 13);
    tcase_add_test(t, a_signal_before_the_first_row);
    tcase_add_test(t, the_time_is_over);
    tcase_add_loop_test(t, fatal_in_the_middle, 0, (int)(sizeof fatal / sizeof fatal[0]));
    tcase_add_loop_test(t, an_answer_that_does_not_come, 0, (int)(sizeof hanging / sizeof hanging[0]));
    tcase_add_loop_test(t, chance, 0, 40);
    suite_add_tcase(s, t);
    return unit_run(s);
}
