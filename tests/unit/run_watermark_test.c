/* Whole runs over several nights: how far a watermark moves, and what it must never pass. */
#include "config.h"

#include <signal.h>
#include <stdio.h>

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

#define SQL_HEAD "version: 1\nname: nightly\nsource: {sqlite: {path: crm.db, query: \"select email, first, at from p where " \
                 "at > :watermark order by at\"}}\n"

static void start_crm(void)
{
    ekit_crm(&k, "create table p (email text, first text, at integer); insert into p values ('ann@example.com', 'Ann', 10),"
        " ('bob@example.com', 'Bob', 20)");
    ekit_mapping(&k, SQL_HEAD EKIT_LIST EKIT_FIELDS);
    k.watermark = "at";
}

START_TEST(watermark_advances)
{
    start_crm();
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(k.report.read, "full");
    EKIT_COUNT(&k, CREATED, 2u);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "20");
    ekit_crm(&k, "insert into p values ('cyd@example.com', 'Cyd', 30)");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(k.report.read, "incremental");
    ck_assert_uint_eq(k.report.tally.read, 1);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "30");
    /* Nothing new is nothing wrong, and moves nothing. */
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.read, 0);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "30");
    ck_assert_str_eq(ekit_setting(&k, "last_full_rows"), "2");
}
END_TEST

/* A change of what rows become, --full, and time since the last full read: everything is read again. */
START_TEST(watermark_is_left)
{
    start_crm();
    ekit_sync(&k);
    switch (_i) {
    case 0: k.config.full = true; break;
    case 1: ekit_mapping(&k, SQL_HEAD EKIT_LIST "fields: {email: email, first_name: {from: first, apply: [upper]}}\n"); break;
    case 2:
        k.full_every_ms = (int64_t)7 * 24 * 3600 * 1000;
        k.clock.wall += (int64_t)8 * 24 * 3600 * 1000;
        break;
    default: ekit_mapping(&k, SQL_HEAD EKIT_LIST EKIT_FIELDS "custom_variables: {origin: {value: x}}\n"); break;
    }
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(k.report.read, "full");
    ck_assert_uint_eq(k.report.tally.read, 2);
}
END_TEST

/* Limits and guards decide nothing about rows. */
START_TEST(watermark_is_kept)
{
    start_crm();
    ekit_sync(&k);
    ekit_mapping(&k, SQL_HEAD EKIT_LIST EKIT_FIELDS "limits: {batch: 7}\nguards: {rejected: 50%}\n");
    ekit_sync(&k);
    ck_assert_str_eq(k.report.read, "incremental");
}
END_TEST

/* It passes rows only when they are settled or remembered. */
START_TEST(watermark_needs_proof)
{
    start_crm();
    switch (_i) {
    case 0: world_fault(k.world, WORLD_ADD, 1, 1000, FAULT_401); break;
    case 1: world_fault(k.world, WORLD_ADD, 1, 1, FAULT_LOST_AFTER); world_fault(k.world, WORLD_READ, 1, 1000, FAULT_500); break;
    case 2: k.world->stop_at = 1; break;
    case 3: world_fault(k.world, WORLD_ADD, 1, 1000, FAULT_NOT_SENT); break;
    default: stop_set(SIGINT); break;
    }
    ekit_sync(&k);
    ck_assert_int_ne(k.report.exit_code, XS_DONE);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "");
    stop_set(0);
    world_count(k.world);
    k.clock.wall += 60000;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(world_n(k.world), 2);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "20");
}
END_TEST

/* A bad row is passed: it waits in the retry table, or is remembered as refused. */
START_TEST(watermark_passes_a_bad_row)
{
    start_crm();
    world_fault(k.world, WORLD_ADD, 1, 1000, FAULT_500);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, API_ERROR, 2u);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "20");
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.retried, 2);
    EKIT_COUNT(&k, CREATED, 2u);
}
END_TEST

/* Between the settled batch and its night: an incremental run settles what an interrupted one left. */
START_TEST(open_batch_over_an_incremental_run)
{
    start_crm();
    ekit_sync(&k);
    ekit_crm(&k, "insert into p values ('cyd@example.com', 'Cyd', 30)");
    world_count(k.world);
    world_fault(k.world, WORLD_ADD, 1, 1, _i == 0 ? FAULT_LOST_AFTER : FAULT_LOST);
    world_fault(k.world, WORLD_READ, 1, 1000, FAULT_500);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_API);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "20");
    ekit_crm(&k, "update p set at = 5 where email = 'cyd@example.com'"); /* it does not come again */
    world_count(k.world);
    k.clock.wall += 60000;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(world_n(k.world), 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("run_watermark");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, watermark_advances);
    tcase_add_loop_test(t, watermark_is_left, 0, 4);
    tcase_add_test(t, watermark_is_kept);
    tcase_add_loop_test(t, watermark_needs_proof, 0, 5);
    tcase_add_test(t, watermark_passes_a_bad_row);
    tcase_add_loop_test(t, open_batch_over_an_incremental_run, 0, 2);
    suite_add_tcase(s, t);
    return unit_run(s);
}
