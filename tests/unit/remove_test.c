/* Leads that are no longer wanted: whatever becomes of the request and its answer, a lead is removed or it is said that
 * it is not, nobody is removed who should stay, and nobody comes back who unsubscribed. */
#include "config.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/stop.h"
#include "tests/unit/engine_kit.h"

static struct ekit k;

#define OPEN_GUARDS "guards: {removed: none, moved: none, source_shrank: none, empty_source: none, rejected: none}\n"
#define MIRROR EKIT_HEAD EKIT_LIST "mode: mirror\nremoved: delete\n" OPEN_GUARDS
#define FOUR "email,first\nann@example.com,Ann\nbob@example.com,Bob\ncyd@example.com,Cyd\ndan@example.com,Dan\n"
#define TWO "email,first\nann@example.com,Ann\nbob@example.com,Bob\n"

static void later(void)
{
    k.clock.wall += 24 * 3600 * 1000;
    world_count(k.world);
    k.world->leads_deleted = 0;
}

/* Another sync, in a world without people. */
static void anew(void)
{
    static const char *const people[] = {"ann@example.com", "bob@example.com", "cyd@example.com", "dan@example.com"};
    for (size_t i = 0; i < 4; i++)
        world_delete(k.world, people[i]);
    ck_assert_int_eq(remove(k.state_path), 0);
}

/* A first night with four of them. */
static void setup(void)
{
    ekit_init(&k);
    ekit_mapping(&k, MIRROR EKIT_FIELDS);
    ekit_csv(&k, FOUR);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 4u);
    later();
}

static void teardown(void)
{
    ekit_free(&k);
}

static bool there(const char *email)
{
    return world_find(k.world, WORLD_LIST, email) != NULL;
}

static unsigned writes(void)
{
    return k.world->n[WORLD_ADD] + k.world->n[WORLD_PATCH] + k.world->n[WORLD_MOVE] + k.world->n[WORLD_DELETE];
}

/* Ann and Bob, and nobody else; the same rows once more ask for nothing. */
static void two_are_left(void)
{
    ck_assert(there("ann@example.com") && there("bob@example.com"));
    ck_assert_uint_eq(world_n(k.world), 2);
    later();
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, 2u);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert_uint_eq(writes(), 0);
}

/* ---- the way it should go, and answers that tell less ---- */

START_TEST(gone_is_removed)
{
    ekit_csv(&k, TWO);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    EKIT_COUNT(&k, UNCHANGED, 2u);
    ck_assert_uint_eq(k.world->n[WORLD_DELETE], 1);
    ck_assert_uint_eq(k.world->leads_deleted, 2);
    two_are_left();
}
END_TEST

/* The answer is lost, useless, or wrong: what is there decides, and nothing is sent again that was done. */
static const struct {
    enum world_fault fault;
    int64_t miscount, ghost_ms;
    unsigned deletes;
} answers[] = {
    {FAULT_LOST_AFTER, 0, 0, 1},    {FAULT_500_AFTER, 0, 0, 1},    {FAULT_GARBAGE_AFTER, 0, 0, 1},
    {FAULT_ERROR_KEY_AFTER, 0, 0, 1}, {FAULT_NONE, -1, 0, 1},      {FAULT_NONE, 5, 0, 1},
    {FAULT_LOST_AFTER, 0, 5000, 1}, {FAULT_NONE, -2, 2500, 1},     {FAULT_LOST, 0, 0, 2},
    {FAULT_500, 0, 0, 2},           {FAULT_LOST_AFTER, 0, 9000, 2},
};

START_TEST(what_is_there_decides)
{
    ekit_csv(&k, TWO);
    k.world->miscount = answers[_i].miscount;
    k.world->ghost_ms = answers[_i].ghost_ms;
    world_fault(k.world, WORLD_DELETE, 1, 1, answers[_i].fault);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    ck_assert_uint_eq(k.world->n[WORLD_DELETE], answers[_i].deletes);
    ck_assert_uint_eq(k.world->leads_deleted, 2);
    k.world->miscount = 0;
    two_are_left();
}
END_TEST

/* Requests that end nowhere: said, counted, and wanted again by the next night. */
static const struct {
    enum world_fault fault;
    unsigned deletes;
    enum exit_status status;
} failures[] = {
    {FAULT_LOST, 4, XS_LEFT_OVER}, {FAULT_400, 1, XS_LEFT_OVER}, {FAULT_404, 1, XS_LEFT_OVER}, {FAULT_401, 1, XS_KEY},
};

START_TEST(what_cannot_be_removed_is_left)
{
    ekit_csv(&k, TWO);
    world_fault(k.world, WORLD_DELETE, 1, 99, failures[_i].fault);
    ekit_sync(&k);
    EKIT_ENDS(&k, failures[_i].status);
    EKIT_COUNT(&k, REMOVED, 0u);
    EKIT_COUNT(&k, UNCHANGED, 2u);
    ck_assert_uint_eq(k.world->n[WORLD_DELETE], failures[_i].deletes);
    ck_assert_uint_eq(world_n(k.world), 4);
    later();
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    two_are_left();
}
END_TEST

START_TEST(a_lock_is_waited_for)
{
    ekit_csv(&k, TWO);
    world_fault(k.world, WORLD_DELETE, 1, 3, FAULT_409);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    two_are_left();
}
END_TEST

START_TEST(a_lock_is_not_waited_for_forever)
{
    ekit_csv(&k, TWO);
    world_fault(k.world, WORLD_DELETE, 1, 9999, FAULT_409);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, REMOVED, 0u);
    EKIT_COUNT(&k, FAILED, 0u);
    ck_assert_uint_eq(k.report.tally.removals_left, 2);
    later();
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    two_are_left();
}
END_TEST

START_TEST(a_hundred_a_request)
{
    ekit_people(&k, "p", 250);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 250u);
    EKIT_COUNT(&k, REMOVED, 4u);
    ekit_csv(&k, TWO);
    later();
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 250u);
    ck_assert_uint_eq(k.world->n[WORLD_DELETE], 3);
    ck_assert_uint_eq(world_n(k.world), 2);
}
END_TEST

/* ---- leads that are not where they were ---- */

START_TEST(gone_already)
{
    world_delete(k.world, "cyd@example.com");
    world_delete(k.world, "dan@example.com");
    ekit_csv(&k, TWO);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    ck_assert_uint_eq(k.world->n[WORLD_DELETE], 0);
    two_are_left();
}
END_TEST

START_TEST(put_elsewhere)
{
    static const char *const places[] = {WORLD_CAMPAIGN, WORLD_ELSEWHERE};
    world_place(k.world, "cyd@example.com", places[_i]);
    ekit_csv(&k, TWO);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 1u);
    EKIT_COUNT(&k, SKIPPED, 0u);
    ck_assert_uint_eq(k.world->leads_deleted, 1);
    ck_assert_ptr_nonnull(world_find(k.world, places[_i], "cyd@example.com"));
    ck_assert(!there("dan@example.com"));
}
END_TEST

/* ---- deaths and stops ---- */

/* A signal at any request: the next night ends where an undisturbed one would have. */
START_TEST(stopped_anywhere)
{
    ekit_csv(&k, TWO);
    k.world->stop_at = _i + 1;
    if (_i % 2 == 1)
        world_fault(k.world, WORLD_DELETE, 1, 1, FAULT_LOST_AFTER);
    ekit_sync(&k);
    stop_set(0);
    k.world->stop_at = 0;
    later();
    if (_i % 3 == 0)
        ekit_resume(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    two_are_left();
}
END_TEST

/* What an earlier run left open is only looked at: a removal that never arrived is wanted anew. */
START_TEST(left_open)
{
    ekit_csv(&k, TWO);
    k.world->stop_at = 3; /* a look and its last page, then the DELETE */
    world_fault(k.world, WORLD_DELETE, 1, 1, _i == 0 ? FAULT_LOST : FAULT_LOST_AFTER);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_SIGINT);
    ck_assert_uint_eq(k.report.open_batches, 1);
    stop_set(0);
    k.world->stop_at = 0;
    later();
    ekit_resume(&k);
    ck_assert_uint_eq(k.world->n[WORLD_DELETE], 0);
    ck_assert_uint_eq(k.report.open_batches, 0);
    ck_assert_uint_eq(ekit_outcome(&k, OUTCOME_REMOVED), _i == 0 ? 0 : 2);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(ekit_outcome(&k, OUTCOME_REMOVED), _i == 0 ? 2 : 0);
    two_are_left();
}
END_TEST

/* ---- who is gone ---- */

/* A row is a row, whatever became of it; and one without a key may be anybody's. */
static const struct {
    const char *rows;
    uint64_t removed;
    enum exit_status status;
} sources[] = {
    {TWO "Cyd@Example.com,\xff\n", 1, XS_DONE},
    {TWO "cyd@example.com,Cyd\ncyd@example.com,Twin\n", 1, XS_DONE},
    {TWO "nobody,X\n", 0, XS_LEFT_OVER},
    {TWO "cyd@example.com\n", 0, XS_LEFT_OVER},
    {TWO ",Dan\n", 0, XS_LEFT_OVER},
    {"email,first\n", 4, XS_DONE},
};

START_TEST(rows_that_count)
{
    ekit_csv(&k, sources[_i].rows);
    k.config.rejects_ok = true;
    ekit_sync(&k);
    EKIT_ENDS(&k, sources[_i].status);
    EKIT_COUNT(&k, REMOVED, sources[_i].removed);
    ck_assert_uint_eq(world_n(k.world), 4 - sources[_i].removed);
}
END_TEST

/* All rows of a key lose, and yet they are rows of that key. */
START_TEST(losers_are_rows)
{
    ekit_mapping(&k, MIRROR EKIT_FIELDS "duplicates: reject\n");
    k.config.rejects_ok = true;
    ekit_csv(&k, TWO "cyd@example.com,A\ncyd@example.com,B\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 1u);
    ck_assert(there("cyd@example.com") && !there("dan@example.com"));
}
END_TEST

START_TEST(parts_remove_nobody)
{
    ekit_csv(&k, TWO);
    k.config.partial_input = _i == 0;
    k.config.max_ms = _i == 1 ? 1 : 0;
    if (_i == 2)
        ekit_mapping(&k, EKIT_HEAD EKIT_LIST OPEN_GUARDS EKIT_FIELDS "mode: upsert\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert_uint_eq(k.world->n[WORLD_DELETE], 0);
    ck_assert_uint_eq(world_n(k.world), 4);
}
END_TEST

/* The guard judges before the first write, whatever else is to be written. */
START_TEST(guard_before_the_first_write)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "mode: mirror\nremoved: delete\n"
                     "guards: {removed: 25%, source_shrank: none}\n");
    ekit_csv(&k, "email,first\nann@example.com,Anna\nnew@example.com,New\nbob@example.com,Bob\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    ck_assert_uint_eq(writes(), 0);
    ck_assert_ptr_nonnull(strstr(err_text(&k.e), "2 of 4 known leads"));
    k.guard = "removed=2";
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_COUNT(&k, CHANGED, 1u);
    /* Leads that were removed are no longer known for this: one of three is more than a quarter. */
    k.guard = NULL;
    ekit_csv(&k, TWO);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    ck_assert_ptr_nonnull(strstr(err_text(&k.e), "1 of 3 known leads"));
}
END_TEST

/* What waits in the retry table is dropped with its row. */
START_TEST(waiting_rows_go_with_their_row)
{
    ekit_csv(&k, FOUR "eve@example.com,Eve\n");
    world_fault(k.world, WORLD_ADD, 1, 99, FAULT_LOST);
    ekit_sync(&k);
    EKIT_COUNT(&k, FAILED, 1u);
    later();
    ekit_csv(&k, FOUR);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 0);
    ck_assert_uint_eq(k.report.waiting_rows, 0);
    ck_assert_uint_eq(k.report.tally.read, 4);
}
END_TEST

/* ---- who comes back ---- */

START_TEST(who_comes_back)
{
    world_set(k.world, "cyd@example.com", "status", -1 - _i);
    ekit_csv(&k, TWO);
    if (_i == 1)
        world_fault(k.world, WORLD_DELETE, 1, 1, FAULT_LOST_AFTER);
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 2u);
    ekit_csv(&k, FOUR);
    later();
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_COUNT(&k, SKIPPED, 1u);
    ck_assert_uint_eq(ekit_reason(&k, (enum reason[]){REASON_BOUNCED, REASON_UNSUBSCRIBED, REASON_SKIPPED_THERE}[_i]), 1);
    ck_assert(there("dan@example.com") && !there("cyd@example.com"));
    k.config.full = k.config.recreate = true;
    ekit_sync(&k);
    EKIT_COUNT(&k, SKIPPED, 1u);
    EKIT_COUNT(&k, CREATED, 0u);
}
END_TEST

/* A death between the DELETE and its answer must not make us forget who unsubscribed. */
START_TEST(unsubscribed_through_a_stop)
{
    world_set(k.world, "cyd@example.com", "status", -2);
    ekit_csv(&k, TWO);
    k.world->stop_at = 3;
    world_fault(k.world, WORLD_DELETE, 1, 1, FAULT_LOST_AFTER);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_SIGINT);
    stop_set(0);
    k.world->stop_at = 0;
    later();
    ekit_csv(&k, FOUR);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_REASON(&k, UNSUBSCRIBED, 1u);
    ck_assert(!there("cyd@example.com"));
}
END_TEST

/* Away and back through a list: a move makes everybody active again, and so nobody unsubscribed takes that way. */
START_TEST(away_and_back)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_CAMPAIGN "dedupe: target-only\nmode: mirror\nremoved: {move_to: {list: " WORLD_ELSEWHERE "}}\n"
                     OPEN_GUARDS EKIT_FIELDS);
    anew();
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 4u);
    world_set(k.world, "cyd@example.com", "status", -2);
    ekit_csv(&k, TWO);
    later();
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    ck_assert_uint_eq(k.report.tally.moved, 0);
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_ELSEWHERE, "dan@example.com"));
    ekit_csv(&k, FOUR);
    later();
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 1u);
    EKIT_COUNT(&k, SKIPPED, 1u);
    EKIT_REASON(&k, UNSUBSCRIBED, 1u);
    ck_assert_uint_eq(k.report.tally.moved, 1);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 0);
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_CAMPAIGN, "dan@example.com"));
    ck_assert_ptr_null(world_find(k.world, WORLD_CAMPAIGN, "cyd@example.com"));
}
END_TEST

/* The job is not over when the run is: neither asked for twice, nor forgotten. */
START_TEST(away_with_a_job_that_takes_long)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_CAMPAIGN "dedupe: target-only\nmode: mirror\nremoved: {move_to: {list: " WORLD_ELSEWHERE "}}\n"
                     OPEN_GUARDS EKIT_FIELDS);
    anew();
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 4u);
    ekit_csv(&k, TWO);
    k.world->job_mode = WJOB_STUCK;
    later();
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert_uint_eq(k.report.open_batches, 1);
    later();
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 0);
    k.world->job_mode = WJOB_OK;
    later();
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 0);
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_ELSEWHERE, "dan@example.com"));
}
END_TEST

/* ---- rows that say so ---- */

#define LEFT "skip_when: [{column: first, in: [left], then: delete}]\n"

START_TEST(a_row_says_so)
{
    static const char *const modes[] = {"upsert", "create", "mirror"};
    char mapping[1024];
    snprintf(mapping, sizeof mapping, EKIT_HEAD EKIT_LIST EKIT_FIELDS OPEN_GUARDS LEFT "mode: %s\n", modes[_i]);
    ekit_mapping(&k, mapping);
    ekit_csv(&k, TWO "cyd@example.com,LEFT\ndan@example.com,Dan\nnew@example.com,left\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, SKIPPED, 2u);
    EKIT_COUNT(&k, REMOVED, 1u);
    ck_assert(!there("cyd@example.com") && there("dan@example.com"));
    later();
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert_uint_eq(writes(), 0);
    ekit_csv(&k, FOUR);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 1u);
}
END_TEST

/* One row wants the lead and another one wants it gone: it stays. */
START_TEST(wanted_and_not)
{
    ekit_mapping(&k, MIRROR EKIT_FIELDS LEFT);
    ekit_csv(&k, _i == 0 ? FOUR "cyd@example.com,left\n" : "email,first\ncyd@example.com,left\n" FOUR);
    if (_i == 1)
        ekit_csv(&k, "email,first\ncyd@example.com,left\nann@example.com,Ann\nbob@example.com,Bob\ncyd@example.com,Cyd\n"
                     "dan@example.com,Dan\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert_uint_eq(world_n(k.world), 4);
}
END_TEST

static char crm[512];

static void sql(const char *text)
{
    sqlite3 *db;
    char *why = NULL;
    ck_assert_int_eq(sqlite3_open(crm, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, &why) == SQLITE_OK, "%s", why);
    sqlite3_close(db);
}

/* From a watermark on, too; and a removal that was left is wanted again, so the watermark waits for it. */
START_TEST(a_row_says_so_later)
{
    snprintf(crm, sizeof crm, "%s/crm.db", k.dir);
    sql("create table p (email text, first text, at integer); insert into p values ('ann@example.com', 'Ann', 10),"
        " ('bob@example.com', 'Bob', 20), ('cyd@example.com', 'Cyd', 30), ('dan@example.com', 'Dan', 40)");
    ekit_mapping(&k, "version: 1\nname: nightly\nsource: {sqlite: {path: crm.db, query: \"select email, first, at from p "
                     "where at > :watermark order by at\"}}\n" EKIT_LIST OPEN_GUARDS EKIT_FIELDS LEFT "mode: mirror\n"
                     "removed: delete\n");
    k.watermark = "at";
    ekit_sync(&k);
    EKIT_COUNT(&k, UNCHANGED, 4u);
    sql("update p set first = 'left', at = 50 where email = 'cyd@example.com'; delete from p where email = 'dan@example.com'");
    world_fault(k.world, WORLD_DELETE, 1, 99, FAULT_400);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    ck_assert_str_eq(k.report.read, "incremental");
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "40");
    later();
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 1u);
    EKIT_COUNT(&k, SKIPPED, 1u);
    ck_assert_str_eq(ekit_setting(&k, "watermark"), "50");
    ck_assert(!there("cyd@example.com"));
    /* Whose row is gone shows in a full read only. */
    ck_assert(there("dan@example.com"));
    k.config.full = true;
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 1u);
    ck_assert(!there("dan@example.com"));
}
END_TEST

START_TEST(skipped_and_active)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_CAMPAIGN "dedupe: target-only\n" EKIT_FIELDS "skip_when: [{column: first, in: [left]}]\n");
    anew();
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 4u);
    ekit_csv(&k, "email,first\nann@example.com,left\nbob@example.com,left\ncyd@example.com,Cyd\ndan@example.com,left\n");
    world_set(k.world, "ann@example.com", "status", 1);
    world_set(k.world, "bob@example.com", "status", 3);
    world_place(k.world, "dan@example.com", WORLD_ELSEWHERE);
    later();
    if (_i == 1)
        world_fault(k.world, WORLD_READ, 1, 99, FAULT_400);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, SKIPPED, 3u);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert_uint_eq(writes(), 0);
    ck_assert_uint_le(k.world->n[WORLD_READ], 2);
    ck_assert_uint_eq(k.report.tally.skipped_active, _i == 0 ? 1 : 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("remove");
    TCase *c = tcase_create("remove");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, gone_is_removed);
    tcase_add_loop_test(c, what_is_there_decides, 0, (int)(sizeof answers / sizeof answers[0]));
    tcase_add_loop_test(c, what_cannot_be_removed_is_left, 0, (int)(sizeof failures / sizeof failures[0]));
    tcase_add_test(c, a_lock_is_waited_for);
    tcase_add_test(c, a_lock_is_not_waited_for_forever);
    tcase_add_test(c, a_hundred_a_request);
    tcase_add_test(c, gone_already);
    tcase_add_loop_test(c, put_elsewhere, 0, 2);
    tcase_add_loop_test(c, stopped_anywhere, 0, 12);
    tcase_add_loop_test(c, left_open, 0, 2);
    tcase_add_loop_test(c, rows_that_count, 0, (int)(sizeof sources / sizeof sources[0]));
    tcase_add_test(c, losers_are_rows);
    tcase_add_loop_test(c, parts_remove_nobody, 0, 3);
    tcase_add_test(c, guard_before_the_first_write);
    tcase_add_test(c, waiting_rows_go_with_their_row);
    tcase_add_loop_test(c, who_comes_back, 0, 3);
    tcase_add_test(c, unsubscribed_through_a_stop);
    tcase_add_test(c, away_and_back);
    tcase_add_test(c, away_with_a_job_that_takes_long);
    tcase_add_loop_test(c, a_row_says_so, 0, 3);
    tcase_add_loop_test(c, wanted_and_not, 0, 2);
    tcase_add_test(c, a_row_says_so_later);
    tcase_add_loop_test(c, skipped_and_active, 0, 2);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
