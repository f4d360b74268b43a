/* Leads that are no longer wanted: whatever becomes of the request and its answer, a lead is removed or it is said that
 * it is not, and nobody comes back who unsubscribed. */
#include "config.h"

#include <signal.h>

#include "sync/base/stop.h"
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

/* ---- the way it should go, and answers that tell less ---- */

START_TEST(gone_is_removed)
{
    ekit_csv(&k, RKIT_TWO);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    EKIT_COUNT(&k, UNCHANGED, 2u);
    ck_assert_uint_eq(k.world->n[WORLD_DELETE], 1);
    ck_assert_uint_eq(k.world->leads_deleted, 2);
    rkit_two_are_left(&k);
}
END_TEST

/* The answer is lost, useless, or wrong: what is there decides, and nothing is sent again that was done. */
static const struct {
    enum world_fault fault;
    int64_t miscount, ghost_ms;
    unsigned deletes;
} answers[] = {
    {FAULT_LOST_AFTER, 0, 0, 1},    {FAULT_500_AFTER, 0, 0, 1},
    {FAULT_GARBAGE_AFTER, 0, 0, 1}, {FAULT_ERROR_KEY_AFTER, 0, 0, 1},
    {FAULT_NONE, -1, 0, 1},         {FAULT_NONE, 5, 0, 1},
    {FAULT_LOST_AFTER, 0, 5000, 1}, {FAULT_NONE, -2, 2500, 1},
    {FAULT_LOST, 0, 0, 2},          {FAULT_500, 0, 0, 2},
    {FAULT_LOST_AFTER, 0, 9000, 2},
};

START_TEST(what_is_there_decides)
{
    ekit_csv(&k, RKIT_TWO);
    k.world->miscount = answers[_i].miscount;
    k.world->ghost_ms = answers[_i].ghost_ms;
    world_fault(k.world, WORLD_DELETE, 1, 1, answers[_i].fault);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    ck_assert_uint_eq(k.world->n[WORLD_DELETE], answers[_i].deletes);
    ck_assert_uint_eq(k.world->leads_deleted, 2);
    k.world->miscount = 0;
    rkit_two_are_left(&k);
}
END_TEST

/* Requests that end nowhere: said, counted, and wanted again by the next night. */
static const struct {
    enum world_fault fault;
    unsigned deletes;
    enum exit_status status;
} failures[] = {
    {FAULT_LOST, 4, XS_API},
    {FAULT_400, 1, XS_LEFT_OVER},
    {FAULT_404, 1, XS_LEFT_OVER},
    {FAULT_401, 1, XS_KEY},
};

START_TEST(what_cannot_be_removed_is_left)
{
    ekit_csv(&k, RKIT_TWO);
    world_fault(k.world, WORLD_DELETE, 1, 99, failures[_i].fault);
    ekit_sync(&k);
    EKIT_ENDS(&k, failures[_i].status);
    EKIT_COUNT(&k, REMOVED, 0u);
    EKIT_COUNT(&k, UNCHANGED, 2u);
    ck_assert_uint_eq(k.world->n[WORLD_DELETE], failures[_i].deletes);
    ck_assert_uint_eq(world_n(k.world), 4);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    rkit_two_are_left(&k);
}
END_TEST

START_TEST(a_lock_is_waited_for)
{
    ekit_csv(&k, RKIT_TWO);
    world_fault(k.world, WORLD_DELETE, 1, 3, FAULT_409);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    rkit_two_are_left(&k);
}
END_TEST

START_TEST(a_lock_is_not_waited_for_forever)
{
    ekit_csv(&k, RKIT_TWO);
    world_fault(k.world, WORLD_DELETE, 1, 9999, FAULT_409);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, REMOVED, 0u);
    EKIT_COUNT(&k, FAILED, 0u);
    ck_assert_uint_eq(k.report.tally.removals_left, 2);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    rkit_two_are_left(&k);
}
END_TEST

START_TEST(a_hundred_a_request)
{
    ekit_people(&k, "p", 250);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 250u);
    EKIT_COUNT(&k, REMOVED, 4u);
    ekit_csv(&k, RKIT_TWO);
    ekit_later(&k);
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
    ekit_csv(&k, RKIT_TWO);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    ck_assert_uint_eq(k.world->n[WORLD_DELETE], 0);
    rkit_two_are_left(&k);
}
END_TEST

START_TEST(put_elsewhere)
{
    static const char *const places[] = {WORLD_CAMPAIGN, WORLD_ELSEWHERE};
    world_place(k.world, "cyd@example.com", places[_i]);
    ekit_csv(&k, RKIT_TWO);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 1u);
    EKIT_COUNT(&k, SKIPPED, 0u);
    ck_assert_uint_eq(k.world->leads_deleted, 1);
    ck_assert_ptr_nonnull(world_find(k.world, places[_i], "cyd@example.com"));
    ck_assert(!ekit_there(&k, "dan@example.com"));
}
END_TEST

/* ---- lists and counts that are not true ---- */

/* What a list does not show may be there all the same: the first list, or all of them. */
START_TEST(a_list_that_shows_nothing)
{
    world_set(k.world, "cyd@example.com", "status", -2);
    ekit_csv(&k, RKIT_TWO);
    world_fault(k.world, WORLD_READ, 1, _i == 0 ? 1 : 99, FAULT_EMPTY);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    ck_assert_uint_eq(k.world->leads_deleted, 2);
    rkit_two_are_left(&k);
    ekit_csv(&k, RKIT_FOUR);
    ekit_sync(&k);
    EKIT_REASON(&k, UNSUBSCRIBED, 1u);
    EKIT_COUNT(&k, CREATED, 1u);
}
END_TEST

/* The same, of what an earlier run had left open. */
START_TEST(an_earlier_removal_that_no_list_shows)
{
    ekit_csv(&k, RKIT_TWO);
    k.world->stop_at = 2;
    world_fault(k.world, WORLD_DELETE, 1, 1, FAULT_LOST);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_SIGINT);
    stop_set(0);
    ekit_later(&k);
    world_fault(k.world, WORLD_READ, 1, 99, FAULT_EMPTY);
    ekit_resume(&k);
    ck_assert_uint_eq(ekit_outcome(&k, OUTCOME_REMOVED), 0);
    ck_assert_uint_eq(world_n(k.world), 4);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 2u);
    rkit_two_are_left(&k);
}
END_TEST

/* Answered as done, and not done: once, and always. */
START_TEST(a_count_that_is_not_true)
{
    ekit_csv(&k, RKIT_TWO);
    world_fault(k.world, WORLD_DELETE, 1, _i == 0 ? 1 : 99, FAULT_IGNORED);
    ekit_sync(&k);
    EKIT_ENDS(&k, _i == 0 ? XS_DONE : XS_LEFT_OVER);
    EKIT_COUNT(&k, REMOVED, _i == 0 ? 2u : 0u);
    ck_assert_uint_eq(k.report.tally.removals_left, _i == 0 ? 0 : 2);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    rkit_two_are_left(&k);
}
END_TEST

/* The list shows nothing at all, and the DELETE does nothing: only the lead itself tells. */
START_TEST(a_count_that_no_list_can_confirm)
{
    ekit_csv(&k, RKIT_TWO);
    world_fault(k.world, WORLD_READ, 1, 99, FAULT_EMPTY);
    world_fault(k.world, WORLD_DELETE, 1, 99, FAULT_IGNORED);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert_uint_eq(k.world->leads_deleted, 0);
    world_count(k.world);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    rkit_two_are_left(&k);
}
END_TEST

/* With a key, the address of a lead that is gone may be another row's: its new lead is not the old one. */
START_TEST(the_address_went_to_another_row)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST "mode: mirror\nremoved: delete\n" RKIT_OPEN_GUARDS EKIT_KEYED);
    rkit_anew(&k);
    ekit_csv(&k, "id,email,first\n1,ann@example.com,Ann\n2,bob@example.com,Bob\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 2u);
    world_delete(k.world, "bob@example.com");
    ekit_csv(&k, "id,email,first\n1,ann@example.com,Ann\n3,bob@example.com,Bob\n");
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 1u);
    /* A lead whose address a new row wants is not removed in the same run. */
    EKIT_COUNT(&k, REMOVED, 0u);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 1u);
    ck_assert(ekit_there(&k, "bob@example.com"));
}
END_TEST

/* ---- deaths and stops ---- */

/* The request of a run that died is carried out while the next run looks, or after it: the row is back, and its lead is
 * there in the end. */
START_TEST(a_removal_that_is_carried_out_late)
{
    ekit_csv(&k, RKIT_TWO);
    k.world->stop_at = 2;
    k.world->late_ms = _i == 0 ? 1500 : 20000;
    world_fault(k.world, WORLD_DELETE, 1, 1, FAULT_LATE);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_SIGINT);
    stop_set(0);
    world_count(k.world);
    ekit_csv(&k, RKIT_FOUR);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    for (int night = 0; night < 3; night++) {
        ekit_later(&k);
        ekit_sync(&k);
    }
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, 4u);
    ck_assert_uint_eq(k.world->n[WORLD_READ], 0);
    ck_assert_uint_eq(world_n(k.world), 4);
}
END_TEST

/* A signal at any request: the next night ends where an undisturbed one would have. */
START_TEST(stopped_anywhere)
{
    ekit_csv(&k, RKIT_TWO);
    k.world->stop_at = _i + 1;
    if (_i % 2 == 1)
        world_fault(k.world, WORLD_DELETE, 1, 1, FAULT_LOST_AFTER);
    ekit_sync(&k);
    stop_set(0);
    k.world->stop_at = 0;
    ekit_later(&k);
    if (_i % 3 == 0)
        ekit_resume(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    rkit_two_are_left(&k);
}
END_TEST

/* What an earlier run left open is only looked at: a removal that never arrived is wanted anew. */
START_TEST(left_open)
{
    ekit_csv(&k, RKIT_TWO);
    k.world->stop_at = 2; /* a look, then the DELETE */
    world_fault(k.world, WORLD_DELETE, 1, 1, _i == 0 ? FAULT_LOST : FAULT_LOST_AFTER);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_SIGINT);
    ck_assert_uint_eq(k.report.open_batches, 1);
    stop_set(0);
    k.world->stop_at = 0;
    ekit_later(&k);
    ekit_resume(&k);
    ck_assert_uint_eq(k.world->n[WORLD_DELETE], 0);
    ck_assert_uint_eq(k.report.open_batches, 0);
    ck_assert_uint_eq(ekit_outcome(&k, OUTCOME_REMOVED), _i == 0 ? 0 : 2);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(ekit_outcome(&k, OUTCOME_REMOVED), _i == 0 ? 2 : 0);
    rkit_two_are_left(&k);
}
END_TEST

/* ---- who comes back ---- */

START_TEST(who_comes_back)
{
    world_set(k.world, "cyd@example.com", "status", -1 - _i);
    ekit_csv(&k, RKIT_TWO);
    if (_i == 1)
        world_fault(k.world, WORLD_DELETE, 1, 1, FAULT_LOST_AFTER);
    ekit_sync(&k);
    EKIT_COUNT(&k, REMOVED, 2u);
    ekit_csv(&k, RKIT_FOUR);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_COUNT(&k, SKIPPED, 1u);
    ck_assert_uint_eq(ekit_reason(&k, (enum reason[]){REASON_BOUNCED, REASON_UNSUBSCRIBED, REASON_SKIPPED_THERE}[_i]), 1);
    ck_assert(ekit_there(&k, "dan@example.com") && !ekit_there(&k, "cyd@example.com"));
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
    ekit_csv(&k, RKIT_TWO);
    k.world->stop_at = 2;
    world_fault(k.world, WORLD_DELETE, 1, 1, FAULT_LOST_AFTER);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_SIGINT);
    stop_set(0);
    k.world->stop_at = 0;
    ekit_later(&k);
    ekit_csv(&k, RKIT_FOUR);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_REASON(&k, UNSUBSCRIBED, 1u);
    ck_assert(!ekit_there(&k, "cyd@example.com"));
}
END_TEST

/* Away and back through a list: a move makes everybody active again, and so nobody unsubscribed takes that way. */
START_TEST(away_and_back)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_CAMPAIGN "dedupe: target-only\nmode: mirror\nremoved: {move_to: {list: " WORLD_ELSEWHERE
                                             "}}\n" RKIT_OPEN_GUARDS EKIT_FIELDS);
    rkit_anew(&k);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 4u);
    world_set(k.world, "cyd@example.com", "status", -2);
    ekit_csv(&k, RKIT_TWO);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    ck_assert_uint_eq(k.report.tally.moved, 0);
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_ELSEWHERE, "dan@example.com"));
    ekit_csv(&k, RKIT_FOUR);
    ekit_later(&k);
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
    ekit_mapping(&k, EKIT_HEAD EKIT_CAMPAIGN "dedupe: target-only\nmode: mirror\nremoved: {move_to: {list: " WORLD_ELSEWHERE
                                             "}}\n" RKIT_OPEN_GUARDS EKIT_FIELDS);
    rkit_anew(&k);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 4u);
    ekit_csv(&k, RKIT_TWO);
    k.world->job_mode = WJOB_STUCK;
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, REMOVED, 0u);
    ck_assert_uint_eq(k.report.open_batches, 1);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 0);
    k.world->job_mode = WJOB_OK;
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, REMOVED, 2u);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 0);
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_ELSEWHERE, "dan@example.com"));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("remove");
    TCase *c = tcase_create("all");
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
    tcase_add_loop_test(c, a_list_that_shows_nothing, 0, 2);
    tcase_add_test(c, an_earlier_removal_that_no_list_shows);
    tcase_add_loop_test(c, a_count_that_is_not_true, 0, 2);
    tcase_add_test(c, a_count_that_no_list_can_confirm);
    tcase_add_test(c, the_address_went_to_another_row);
    tcase_add_loop_test(c, a_removal_that_is_carried_out_late, 0, 2);
    tcase_add_loop_test(c, stopped_anywhere, 0, 12);
    tcase_add_loop_test(c, left_open, 0, 2);
    tcase_add_loop_test(c, who_comes_back, 0, 3);
    tcase_add_test(c, unsubscribed_through_a_stop);
    tcase_add_test(c, away_and_back);
    tcase_add_test(c, away_with_a_job_that_takes_long);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
