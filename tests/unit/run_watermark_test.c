/* Whole runs over several nights: how far a watermark moves, and what it must never pass. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
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

/* clang-format off */
#define SQL_HEAD "version: 1\nname: nightly\nsource: {sqlite: {path: crm.db, query: \"select email, first, at from p where " \
                 "at > :watermark order by at\", watermark: at"
/* clang-format on */
#define SQL_OPEN SQL_HEAD "}}\n"

static void start_crm(void)
{
    ekit_crm(&k, "create table p (email text, first text, at integer); insert into p values ('ann@example.com', 'Ann', 10),"
                 " ('bob@example.com', 'Bob', 20)");
    ekit_mapping(&k, SQL_OPEN EKIT_LIST EKIT_FIELDS);
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
    case 1:
        ekit_mapping(&k, SQL_OPEN EKIT_LIST "fields: {email: email, first_name: {from: first, apply: [upper]}}\n");
        break;
    case 2: k.clock.wall += (int64_t)8 * 24 * 3600 * 1000; break;
    default: ekit_mapping(&k, SQL_OPEN EKIT_LIST EKIT_FIELDS "custom_variables: {origin: {value: x}}\n"); break;
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
    ekit_mapping(&k, SQL_OPEN EKIT_LIST EKIT_FIELDS "limits: {batch: 7}\nguards: {rejected: 50%}\n");
    ekit_sync(&k);
    ck_assert_str_eq(k.report.read, "incremental");
}
END_TEST

/* The greatest value is stored, so that a longer overlap counts at once, and without any new row. */
START_TEST(overlap_counts_at_once)
{
    start_crm();
    ekit_sync(&k);
    ekit_crm(&k, "insert into p values ('late@example.com', 'Late', 15)");
    ekit_sync(&k);
    ck_assert_uint_eq(k.report.tally.read, 0);
    ekit_mapping(&k, SQL_HEAD ", overlap: 10}}\n" EKIT_LIST EKIT_FIELDS);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(k.report.read, "incremental");
    ck_assert_uint_eq(k.report.tally.read, 2);
    EKIT_COUNT(&k, CREATED, 1u);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "20");
}
END_TEST

/* What is compared in another way now is read in full, and from then on again by its watermark. */
START_TEST(watermark_of_another_type_is_left)
{
    start_crm();
    ekit_sync(&k);
    ck_assert_str_eq(ekit_setting(&k, "watermark_type"), "INTEGER");
    ekit_crm(&k,
             "alter table p rename to q; create table p (email text, first text, at text); insert into p "
             "select email, first, '2026-06-0' || (at / 10) from q; insert into p values ('new@example.com', 'New', '1')");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(k.report.read, "full");
    EKIT_COUNT(&k, CREATED, 1u);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "2026-06-02");
    ck_assert_str_eq(ekit_setting(&k, "watermark_type"), "TEXT");
    ekit_sync(&k);
    ck_assert_str_eq(k.report.read, "incremental");
}
END_TEST

#define FULL_QUERY ", full_query: \"select email, first, at from p\"}}\n"
#define MIRROR "mode: mirror\nremoved: delete\nguards: {removed: none, source_shrank: none}\n"

/* A row without a watermark is there all the same: its lead stays, and is made when it is new. */
START_TEST(rows_without_a_watermark_are_read_in_full)
{
    start_crm();
    ekit_mapping(&k, SQL_HEAD FULL_QUERY EKIT_LIST EKIT_FIELDS MIRROR);
    ekit_crm(&k, "insert into p values ('nil@example.com', 'Nil', null)");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 3u);
    ekit_crm(&k, "update p set at = null where email = 'bob@example.com'; delete from p where email = 'ann@example.com'");
    ekit_sync(&k);
    ck_assert_str_eq(k.report.read, "incremental");
    ck_assert_uint_eq(k.report.tally.read, 0);
    k.config.full = true;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, 2u);
    EKIT_COUNT(&k, REMOVED, 1u);
    ck_assert_uint_eq(world_n(k.world), 2);
}
END_TEST

/* Without it, the first row that loses its watermark would lose its lead. */
START_TEST(a_mirror_needs_every_row)
{
    start_crm();
    ekit_sync(&k);
    ekit_mapping(&k, SQL_OPEN EKIT_LIST EKIT_FIELDS MIRROR);
    ekit_crm(&k, "update p set at = null where email = 'bob@example.com'");
    k.config.full = true;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_CONFIG);
    ck_assert_ptr_nonnull(strstr(err_text(&k.e), "full_query:"));
    ck_assert_uint_eq(world_n(k.world), 2);
    ekit_crm(&k, "alter table p rename to q; create table p (email text, first text, at integer not null); insert into p "
                 "select email, first, coalesce(at, 20) from q");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, 2u);
}
END_TEST

/* It passes rows only when they are settled or remembered. */
START_TEST(watermark_needs_proof)
{
    start_crm();
    switch (_i) {
    case 0: world_fault(k.world, WORLD_ADD, 1, 1000, FAULT_401); break;
    case 1:
        world_fault(k.world, WORLD_ADD, 1, 1, FAULT_LOST_AFTER);
        world_fault(k.world, WORLD_READ, 1, 1000, FAULT_500);
        break;
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
    EKIT_ENDS(&k, XS_API);
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
    tcase_add_test(t, overlap_counts_at_once);
    tcase_add_test(t, watermark_of_another_type_is_left);
    tcase_add_test(t, rows_without_a_watermark_are_read_in_full);
    tcase_add_test(t, a_mirror_needs_every_row);
    tcase_add_loop_test(t, watermark_needs_proof, 0, 5);
    tcase_add_test(t, watermark_passes_a_bad_row);
    tcase_add_loop_test(t, open_batch_over_an_incremental_run, 0, 2);
    suite_add_tcase(s, t);
    return unit_run(s);
}
