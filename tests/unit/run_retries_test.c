/* Rows that wait over several nights: which mapping made them, how often they are tried, and what ends that. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "sync/base/stop.h"
#include "sync/state/state.h"
#include "tests/unit/engine_kit.h"

static struct ekit k;

/* clang-format off */
#define HEAD "version: 1\nname: nightly\nsource: {sqlite: {path: crm.db, query: \"select email, first, opt, seg, at from p where " \
             "at > :watermark order by at\", watermark: at}}\nlimits: {batch: 2, in_flight: 1, settle: 70ms}\n"
/* clang-format on */
#define RIGHT HEAD EKIT_LIST EKIT_FIELDS "skip_when: [{column: opt, in: [\"1\"]}]\n"
#define EVERYBODY HEAD EKIT_LIST EKIT_FIELDS
/* clang-format off */
#define SHOUTS HEAD EKIT_LIST "fields: {email: email, first_name: {from: first, apply: [upper]}}\n" \
               "skip_when: [{column: opt, in: [\"1\"]}]\n"
/* clang-format on */

static void setup(void)
{
    ekit_init(&k);
    ekit_crm(&k,
             "create table p (email text primary key, first text, opt text default '', seg text default 'l', at integer)");
}

static void teardown(void)
{
    ekit_free(&k);
}

/* Ten people at `at`, every second of whom opts out. */
static void ten(const char *prefix, int at)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "with recursive c(n) as (values(0) union all select n + 1 from c where n < 9)"
             " insert into p(email, first, opt, at) select '%s' || n || '@example.com', 'First' || n, n %% 2, %d from c",
             prefix, at);
    ekit_crm(&k, sql);
}

static void night(const char *mapping)
{
    world_count(k.world);
    k.clock.wall += 3600 * 1000;
    ekit_mapping(&k, mapping);
    ekit_sync(&k);
    stop_set(0);
    k.world->stop_at = 0;
}

static void wanted(const char *prefix)
{
    for (int n = 0; n < 10; n++) {
        char email[64], first[24];
        snprintf(email, sizeof email, "%s%d@example.com", prefix, n);
        snprintf(first, sizeof first, "First%d", n);
        if (n % 2 == 0)
            ck_assert_str_eq(world_value(k.world, WORLD_LIST, email, "first_name"), first);
    }
}

/* People who opt out, and have a lead all the same. */
static size_t opted_out(void)
{
    size_t n = 0;
    for (int i = 1; i < 20; i += 2) {
        char email[64];
        snprintf(email, sizeof email, "%c%d@example.com", i < 10 ? 'a' : 'b', i % 10);
        n += ekit_there(&k, email);
    }
    return n;
}

/* A wrong mapping begins, and is ended after one batch. */
static void wrong_night(const char *mapping, int how)
{
    enum world_kind kind = strcmp(mapping, SHOUTS) == 0 ? WORLD_PATCH : WORLD_ADD;
    world_count(k.world);
    switch (how) {
    case 0: k.world->stop_at = 4; break;
    case 1:
        world_fault(k.world, kind, 2, 2, FAULT_LOST_AFTER);
        world_fault(k.world, WORLD_READ, 1, 1000, FAULT_500);
        break;
    case 2: world_fault(k.world, kind, 2, 1000, FAULT_401); break;
    default: world_fault(k.world, kind, 2, 1000, FAULT_500); break;
    }
    ekit_mapping(&k, mapping);
    ekit_sync(&k);
    stop_set(0);
    k.world->stop_at = 0;
    ck_assert_int_ne(k.report.exit_code, XS_DONE);
}

/* The next run reads everything, and sends nothing that the wrong one made: who opts out is not created by it. */
START_TEST(another_mapping_sends_none)
{
    ten("a", 10);
    night(RIGHT);
    EKIT_ENDS(&k, XS_DONE);
    ten("b", 20);
    wrong_night(EVERYBODY, _i);
    size_t there = opted_out();
    night(RIGHT);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(k.report.read, "full");
    ck_assert_uint_eq(k.report.tally.retried, 0);
    ck_assert_uint_eq(k.report.waiting_rows, 0);
    EKIT_REASON(&k, SKIP_WHEN, 10u);
    wanted("a");
    wanted("b");
    ck_assert_uint_eq(opted_out(), there);
    ck_assert_uint_eq(world_n(k.world), 10 + there);
    night(RIGHT);
    ck_assert_str_eq(k.report.read, "incremental");
}
END_TEST

/* What it had written until it was ended is put right. */
START_TEST(another_mapping_is_put_right)
{
    ten("a", 10);
    night(RIGHT);
    wrong_night(SHOUTS, _i);
    night(RIGHT);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(k.report.read, "full");
    wanted("a");
    night(RIGHT);
    ck_assert_str_eq(k.report.read, "incremental");
}
END_TEST

/* A full read that is ended itself leaves the next one full; --input sends and drops nothing that waits. */
START_TEST(another_mapping_until_a_full_read)
{
    ten("a", 10);
    night(RIGHT);
    wrong_night(SHOUTS, 2);
    ck_assert_uint_gt(k.report.waiting_rows, 0);
    k.config.partial_input = true;
    night(RIGHT);
    k.config.partial_input = false;
    ck_assert_uint_eq(k.report.tally.retried, 0);
    world_count(k.world);
    world_fault(k.world, WORLD_PATCH, 1, 1000, FAULT_401);
    ekit_crm(&k, "update p set first = 'New', at = 30 where email = 'a2@example.com'");
    ekit_sync(&k);
    ck_assert_str_eq(k.report.read, "full");
    ck_assert_int_eq(k.report.exit_code, XS_KEY);
    night(RIGHT);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(k.report.read, "full");
    ekit_crm(&k, "update p set first = 'First2' where email = 'a2@example.com'");
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "a2@example.com", "first_name"), "New");
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "a4@example.com", "first_name"), "First4");
}
END_TEST

/* A row whose row in the source has gone meanwhile is dropped, not sent. */
START_TEST(another_mapping_drops_what_is_gone)
{
    ten("a", 10);
    night(RIGHT);
    ten("b", 20);
    wrong_night(EVERYBODY, 2);
    ekit_crm(&k, "delete from p where email like 'b%'");
    size_t there = world_n(k.world);
    night(RIGHT);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(world_n(k.world), there);
    ck_assert_uint_eq(k.report.waiting_rows, 0);
}
END_TEST

/* ---- attempts ---- */

/* As long as it takes: none of these says anything about a row. */
START_TEST(waiting_is_no_attempt)
{
    static const struct {
        enum world_kind kind;
        enum world_fault fault;
    } troubles[] = {{WORLD_ADD, FAULT_FULL}, {WORLD_ADD, FAULT_500}, {WORLD_ADD, FAULT_401}, {WORLD_ADD, FAULT_409}};
    ten("a", 10);
    night(RIGHT);
    ten("b", 20);
    for (int run = 0; run < 8; run++) {
        world_count(k.world);
        world_fault(k.world, troubles[_i].kind, 1, 1000, troubles[_i].fault);
        k.clock.wall += 3600 * 1000;
        ekit_sync(&k);
        ck_assert_int_ne(k.report.exit_code, XS_DONE);
        EKIT_REASON(&k, ATTEMPTS_EXHAUSTED, 0u);
    }
    night(RIGHT);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(k.report.read, "incremental");
    wanted("b");
}
END_TEST

/* A row that fails of itself is given up after five runs, and is not lost from sight: the next read is a full one. */
START_TEST(attempts_are_exhausted)
{
    ten("a", 10);
    night(RIGHT);
    ekit_crm(&k, "update p set first = 'New', at = 30 where email = 'a2@example.com'");
    for (int run = 1; run <= 5; run++) {
        world_count(k.world);
        world_fault(k.world, WORLD_PATCH, 1, 1000, FAULT_IGNORED);
        ekit_sync(&k);
        EKIT_ENDS(&k, XS_LEFT_OVER);
        EKIT_REASON(&k, NOT_STORED, 1u);
    }
    night(RIGHT);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, ATTEMPTS_EXHAUSTED, 1u);
    ck_assert_uint_eq(ekit_writes(&k), 0);
    ck_assert_uint_eq(k.report.waiting_rows, 0);
    ck_assert_uint_eq(k.report.given_up, 1);
    ck_assert_str_eq(ekit_setting(&k, STATE_GIVEN_UP), "1");
    k.config.partial_input = true;
    ekit_crm(&k, "create table q as select * from p; delete from p");
    night(RIGHT);
    k.config.partial_input = false;
    ekit_crm(&k, "insert into p select * from q");
    EKIT_ENDS(&k, XS_LEFT_OVER);
    ck_assert_uint_eq(k.report.given_up, 1);
    night(RIGHT);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(k.report.read, "full");
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "a2@example.com", "first_name"), "New");
    ck_assert_uint_eq(k.report.given_up, 0);
    ck_assert_str_eq(ekit_setting(&k, STATE_GIVEN_UP), "");
    night(RIGHT);
    ck_assert_str_eq(k.report.read, "incremental");
}
END_TEST

/* ---- an open move ---- */

#define ROUTED \
    "route: {column: seg, cases: {l: {list: " WORLD_LIST "}, c: {campaign: " WORLD_CAMPAIGN "}}, otherwise: reject}\n"

/* A row that changes while its move is open waits for it, and its new form comes after it. */
START_TEST(a_change_behind_an_open_move)
{
    ten("a", 10);
    night(HEAD ROUTED EKIT_FIELDS "guards: {moved: none}\n");
    EKIT_ENDS(&k, XS_DONE);
    k.world->job_mode = WJOB_STUCK;
    k.world->job_ms = 1000;
    ekit_crm(&k, "update p set seg = 'c', at = 20 where email = 'a2@example.com'");
    ekit_sync(&k);
    EKIT_REASON(&k, JOB_OPEN, 1u);
    ekit_crm(&k, "update p set first = 'New', at = 30 where email = 'a2@example.com'");
    ekit_sync(&k);
    EKIT_REASON(&k, JOB_OPEN, 1u);
    ck_assert_str_eq(k.report.read, "incremental");
    k.world->job_mode = WJOB_OK;
    k.clock.wall += 3600 * 1000;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(world_value(k.world, WORLD_CAMPAIGN, "a2@example.com", "first_name"), "New");
}
END_TEST

/* A move that another mapping began may end after the next full read: then there is one more. */
START_TEST(a_move_of_another_mapping)
{
    static const char wrong[] = HEAD "route: {column: seg, cases: {l: {campaign: " WORLD_CAMPAIGN
                                     "}}, otherwise: reject}\n" EKIT_FIELDS "guards: {moved: none}\n";
    static const char right[] = HEAD ROUTED EKIT_FIELDS "guards: {moved: none}\n";
    ten("a", 10);
    night(right);
    k.world->job_mode = WJOB_STUCK;
    k.world->job_ms = 1000;
    ekit_mapping(&k, wrong);
    ekit_sync(&k);
    EKIT_REASON(&k, JOB_OPEN, 10u);
    night(right);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    k.world->job_mode = WJOB_OK;
    night(right);
    ck_assert_str_eq(k.report.read, "full");
    EKIT_ENDS(&k, XS_DONE);
    for (int n = 0; n < 10; n++) {
        char email[64];
        snprintf(email, sizeof email, "a%d@example.com", n);
        ck_assert(ekit_there(&k, email));
    }
    night(right);
    ck_assert_str_eq(k.report.read, "incremental");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("run_retries");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, another_mapping_sends_none, 0, 4);
    tcase_add_loop_test(t, another_mapping_is_put_right, 0, 4);
    tcase_add_test(t, another_mapping_until_a_full_read);
    tcase_add_test(t, another_mapping_drops_what_is_gone);
    tcase_add_loop_test(t, waiting_is_no_attempt, 0, 4);
    tcase_add_test(t, attempts_are_exhausted);
    tcase_add_test(t, a_change_behind_an_open_move);
    tcase_add_test(t, a_move_of_another_mapping);
    suite_add_tcase(s, t);
    return unit_run(s);
}
