/* Leads that belong elsewhere now: who goes and who stays, what is written before a move, where they are before, and
 * the guard. */
#include "config.h"

#include <stdio.h>

#include "sync/plan/eligibility.h"
#include "tests/unit/move_kit.h"

static struct ekit k;

static void setup(void)
{
    mkit_init(&k);
}

static void teardown(void)
{
    ekit_free(&k);
}

/* ---- the way it should go ---- */

START_TEST(moved)
{
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 2u);
    EKIT_COUNT(&k, UNCHANGED, 1u);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    ck_assert_uint_eq(k.report.tally.updated, 0);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 1);
    ck_assert_uint_eq(k.world->n[WORLD_PATCH], 0);
    ck_assert_uint_eq(k.report.jobs_n, 1);
    ck_assert_str_eq(k.report.jobs[0].status, "success");
    ck_assert_str_eq(k.report.jobs[0].type, "move-leads");
    ck_assert_int_eq(k.report.jobs[0].total, 2);
    ck_assert_int_eq(k.report.jobs[0].success, 2);
    ck_assert_int_eq(k.report.jobs[0].failed, 0);
    ck_assert_uint_eq(k.report.open_jobs, 0);
    mkit_ends_as_wanted(&k);
    mkit_is_settled(&k);
}
END_TEST

/* One row, two changes: the values first, then the move; both are counted, the row once. */
START_TEST(moved_and_changed)
{
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Anna,1,c\nbob@example.com,Bob,9,c\ncyd@example.com,Cyd,3,l\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 2u);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    ck_assert_uint_eq(k.report.tally.updated, 2);
    ck_assert_uint_eq(k.world->n[WORLD_PATCH], 2);
    ck_assert_str_eq(world_value(k.world, WORLD_CAMPAIGN, "ann@example.com", "first_name"), "Anna");
    ck_assert_str_eq(world_value(k.world, WORLD_CAMPAIGN, "ann@example.com", "seats"), "1");
    ck_assert_str_eq(world_value(k.world, WORLD_CAMPAIGN, "bob@example.com", "seats"), "9");
    mkit_ends_as_wanted(&k);
    mkit_is_settled(&k);
}
END_TEST

/* With hashes only, what did not change is not written, and what moves is moved. */
START_TEST(hashed_values)
{
    remove(k.state_path);
    ekit_mapping(&k, MKIT_ROUTED MKIT_FIELDS MKIT_UNGUARDED "state: {values: hashed}\n");
    ekit_csv(&k, MKIT_BEFORE);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Anna,1,c\nbob@example.com,Bob,2,c\ncyd@example.com,Cyd,3,l\n");
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    ck_assert_uint_eq(k.report.tally.updated, 1);
    ck_assert_uint_eq(k.world->n[WORLD_PATCH], 1);
    mkit_ends_as_wanted(&k);
    mkit_is_settled(&k);
}
END_TEST

/* Leads of lists without an address: no job names them, so they are looked at. */
START_TEST(moved_without_an_address)
{
    ekit_write(
        k.yaml_path,
        "version: 1\nname: keyed\nsource: {csv: {path: people.csv}}\nroute: {column: seg, cases: {l: {list: " WORLD_LIST
        "}, e: {list: " WORLD_ELSEWHERE "}}}\nfields: {email: email, first_name: first}\nkey: [id]\n" MKIT_UNGUARDED);
    remove(k.state_path);
    ekit_csv(&k, "id,email,first,seg\n1,,Ann,l\n2,eve@example.com,Eve,l\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 2u);
    ekit_csv(&k, "id,email,first,seg\n1,,Ann,e\n2,eve@example.com,Eve,e\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    mkit_is_settled(&k);
}
END_TEST

/* A PATCH before a move whose answer is lost is read back, and the move follows; one that is refused keeps its lead. */
START_TEST(patch_before_a_move)
{
    static const enum world_fault faults[] = {FAULT_500_AFTER, FAULT_LOST, FAULT_400, FAULT_404};
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Anna,1,c\nbob@example.com,Bob,2,c\ncyd@example.com,Cyd,3,l\n");
    world_fault(k.world, WORLD_PATCH, 1, 1, faults[_i]);
    ekit_sync(&k);
    EKIT_ENDS(&k, _i < 2 ? XS_DONE : XS_LEFT_OVER);
    ck_assert_uint_eq(k.report.tally.moved, _i < 2 ? 2 : 1);
    ck_assert_uint_eq(k.report.tally.updated, _i < 2 ? 1 : 0);
    ck_assert_int_eq(mkit_in_campaign(&k, "ann@example.com"), _i < 2);
    EKIT_REASON(&k, REFUSED_THERE, _i == 2 ? 1u : 0u);
    EKIT_REASON(&k, GONE_THERE, _i == 3 ? 1u : 0u);
}
END_TEST

/* Both ways at once, over three targets: jobs never share an end, so each waits for its turn and none is refused. */
START_TEST(both_ways)
{
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Ann,1,c\nbob@example.com,Bob,2,e\ncyd@example.com,Cyd,3,l\n");
    ekit_sync(&k);
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Ann,1,l\nbob@example.com,Bob,2,c\ncyd@example.com,Cyd,3,e\n");
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 3);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 3);
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_LIST, "ann@example.com"));
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_CAMPAIGN, "bob@example.com"));
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_ELSEWHERE, "cyd@example.com"));
    mkit_is_settled(&k);
}
END_TEST

/* ---- who stays ---- */

static const struct {
    const char *name;
    int64_t value;
    const char *rest;
    enum reason reason; /* REASON_NONE: goes */
} people[] = {
    {"status", -1, "", REASON_BOUNCED},
    {"status", -2, "", REASON_UNSUBSCRIBED},
    {"status", -3, "", REASON_SKIPPED_THERE},
    {"status", -2, "contacted: move\n", REASON_UNSUBSCRIBED},
    {"status", 3, "", REASON_NONE},
    {"status", 7, "", REASON_NONE},
    {"email_reply_count", 1, "", REASON_CONTACTED},
    {"email_reply_count", 0, "", REASON_NONE},
    {"email_reply_count", 1, "contacted: move\n", REASON_NONE},
};

START_TEST(who_stays)
{
    char yaml[1024];
    snprintf(yaml, sizeof yaml, "%s%s", MKIT_ROUTED MKIT_FIELDS MKIT_UNGUARDED, people[_i].rest);
    ekit_mapping(&k, yaml);
    world_set(k.world, "ann@example.com", people[_i].name, people[_i].value);
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Anna,1,c\nbob@example.com,Bob,2,c\ncyd@example.com,Cyd,3,l\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    bool goes = people[_i].reason == REASON_NONE;
    ck_assert_uint_eq(k.report.tally.moved, goes ? 2 : 1);
    ck_assert_uint_eq(ekit_outcome(&k, OUTCOME_SKIPPED), goes ? 0 : 1);
    ck_assert(mkit_in_campaign(&k, "bob@example.com"));
    ck_assert_int_eq(mkit_in_campaign(&k, "ann@example.com"), goes);
    /* Skipped whole: not written to, either. */
    if (!goes) {
        ck_assert_uint_eq(ekit_reason(&k, people[_i].reason), 1);
        ck_assert_uint_eq(k.world->n[WORLD_PATCH], 0);
    }
    /* And remembered: counted again, not asked for again. */
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(ekit_writes(&k), 0);
    ck_assert_uint_eq(ekit_outcome(&k, OUTCOME_SKIPPED), goes ? 0 : 1);
}
END_TEST

/* Into a list they may go: nobody is mailed there. */
START_TEST(unsubscribed_into_a_list)
{
    world_set(k.world, "ann@example.com", "status", -2);
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Ann,1,e\nbob@example.com,Bob,2,l\ncyd@example.com,Cyd,3,l\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 1);
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_ELSEWHERE, "ann@example.com"));
}
END_TEST

START_TEST(create_mode_never_moves)
{
    ekit_mapping(&k, MKIT_ROUTED MKIT_FIELDS MKIT_UNGUARDED "mode: create\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_REASON(&k, MODE_CREATE, 2u);
    ck_assert_uint_eq(ekit_writes(&k), 0);
}
END_TEST

/* A lead without an address is no campaign's; its row has one now, but an address is never written. */
START_TEST(without_an_address)
{
    struct target campaign = {.kind = TARGET_CAMPAIGN}, list = {.kind = TARGET_LIST};
    struct remote_lead lead = {.status = 1};
    ck_assert_int_eq(eligibility_block_reason(&lead, &campaign, true), REASON_EMAIL_MISSING);
    ck_assert_int_eq(eligibility_block_reason(&lead, &list, true), REASON_NONE);
    lead.email = STR("ann@example.com");
    ck_assert_int_eq(eligibility_block_reason(&lead, &campaign, true), REASON_NONE);
    lead.object = json_tokener_parse("{\"timestamp_last_contact\":\"2026-01-01T00:00:00Z\"}");
    ck_assert_int_eq(eligibility_block_reason(&lead, &campaign, true), REASON_CONTACTED);
    ck_assert_int_eq(eligibility_block_reason(&lead, &campaign, false), REASON_NONE);
    json_object_put(lead.object);
    lead.object = json_tokener_parse("{\"status_summary\":{\"lastStep\":{\"from\":\"campaign\"}}}");
    ck_assert(api_remote_is_contacted(&lead));
    json_object_put(lead.object);
    lead.object = json_tokener_parse("{\"status_summary\":{},\"timestamp_last_contact\":null,\"email_open_count\":2}");
    ck_assert(!api_remote_is_contacted(&lead));
    json_object_put(lead.object);
}
END_TEST

/* ---- where they are before ---- */

/* Somebody else has moved it there: done, and not counted as ours. */
START_TEST(already_in_the_target)
{
    world_place(k.world, "ann@example.com", WORLD_CAMPAIGN);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, 2u);
    EKIT_COUNT(&k, CHANGED, 1u);
    ck_assert_uint_eq(k.report.tally.moved, 1);
    mkit_ends_as_wanted(&k);
    mkit_is_settled(&k);
}
END_TEST

/* Another user has moved Ann, and the PATCH of her new name stores nothing, though its answer has the name: a read decides. */
START_TEST(already_in_the_target_and_not_stored)
{
    world_place(k.world, "ann@example.com", WORLD_CAMPAIGN);
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Anna,1,c\nbob@example.com,Bob,2,c\ncyd@example.com,Cyd,3,l\n");
    world_fault(k.world, WORLD_PATCH, 1, 1, _i == 0 ? FAULT_ECHO : FAULT_NONE);
    ekit_sync(&k);
    EKIT_ENDS(&k, _i == 0 ? XS_LEFT_OVER : XS_DONE);
    EKIT_REASON(&k, NOT_STORED, _i == 0 ? 1u : 0u);
    ck_assert_uint_eq(k.report.tally.updated, _i == 0 ? 0 : 1);
    ck_assert_uint_eq(k.report.tally.moved, 1);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(world_value(k.world, WORLD_CAMPAIGN, "ann@example.com", "first_name"), "Anna");
    mkit_ends_as_wanted(&k);
    mkit_is_settled(&k);
}
END_TEST

START_TEST(elsewhere_and_gone)
{
    world_place(k.world, "ann@example.com", WORLD_ELSEWHERE);
    world_delete(k.world, "bob@example.com");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, MOVE_NOT_DONE, 1u);
    EKIT_REASON(&k, GONE_THERE, 1u);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 0);
    ekit_sync(&k);
    EKIT_REASON(&k, DELETED_THERE, 1u);
}
END_TEST

/* Lists show nothing, before the move, after it, or at all: each lead is asked for itself. */
START_TEST(no_list_shows_them)
{
    world_fault(k.world, WORLD_READ, _i == 1 ? 2 : 1, _i == 0 ? 1 : 99, FAULT_EMPTY);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 2u);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    ck_assert_uint_eq(k.world->n[WORLD_GET], _i == 2 ? 4 : 2);
    mkit_ends_as_wanted(&k);
    mkit_is_settled(&k);
}
END_TEST

/* And the job moves nothing, or one is deleted while it runs: it names them all the same. */
START_TEST(no_list_shows_what_a_job_left)
{
    k.world->job_mode = WJOB_LIES;
    world_fault(k.world, WORLD_READ, 1, 99, FAULT_EMPTY);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, MOVE_NOT_DONE, 2u);
    k.world->job_mode = WJOB_OK;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    mkit_ends_as_wanted(&k);
    mkit_is_settled(&k);
}
END_TEST

/* ---- whose lead it is ---- */

/* Everybody was exported and imported again: found by address, moved under the new id, and written to by it later. */
START_TEST(imported_again)
{
    world_reimport(k.world, "ann@example.com");
    world_reimport(k.world, "bob@example.com");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    mkit_ends_as_wanted(&k);
    mkit_is_settled(&k);
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Anna,1,c\nbob@example.com,Bob,2,c\ncyd@example.com,Cyd,3,l\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(world_value(k.world, WORLD_CAMPAIGN, "ann@example.com", "first_name"), "Anna");
}
END_TEST

/* Lists by address lag, too. */
START_TEST(imported_again_and_listed_late)
{
    world_reimport(k.world, "ann@example.com");
    /* By ids, and by address at both ends, twice. */
    world_fault(k.world, WORLD_READ, 1, 5, FAULT_EMPTY);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    mkit_ends_as_wanted(&k);
    mkit_is_settled(&k);
}
END_TEST

/* Imported where it belongs: linked, its new value is written, and no move is asked for it. */
START_TEST(imported_into_the_target)
{
    world_reimport(k.world, "ann@example.com");
    world_place(k.world, "ann@example.com", WORLD_CAMPAIGN);
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Anna,1,c\nbob@example.com,Bob,2,c\ncyd@example.com,Cyd,3,l\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 2u);
    ck_assert_uint_eq(k.report.tally.moved, 1);
    ck_assert_str_eq(world_value(k.world, WORLD_CAMPAIGN, "ann@example.com", "first_name"), "Anna");
    mkit_ends_as_wanted(&k);
    mkit_is_settled(&k);
}
END_TEST

/* Somebody else has Ann's id: not moved, not written to, whether the values are known as text or as hashes. */
START_TEST(another_person_has_the_id)
{
    const char *row = _i == 1 ? "" : "ann@example.com,Anna,1,c\n";
    char csv[200];
    if (_i > 0) {
        remove(k.state_path);
        ekit_mapping(&k, MKIT_ROUTED MKIT_FIELDS "mode: mirror\nremoved: {move_to: {list: " WORLD_ELSEWHERE "}}\n"
                                                 "guards: {moved: none, removed: none}\nstate: {values: hashed}\n");
        ekit_csv(&k, MKIT_BEFORE);
        ekit_sync(&k);
    }
    world_exchange(k.world, "ann@example.com", "eve@example.com");
    snprintf(csv, sizeof csv, "email,first,seats,seg\n%sbob@example.com,Bob,2,l\ncyd@example.com,Cyd,3,l\n", row);
    ekit_csv(&k, csv);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, GONE_THERE, _i == 1 ? 0u : 1u);
    ck_assert_uint_eq(k.report.tally.removals_left, _i == 1 ? 1 : 0);
    ck_assert_uint_eq(ekit_writes(&k), 0);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "eve@example.com", "first_name"), "Ann");
}
END_TEST

/* clang-format off */
#define ARCHIVED MKIT_ROUTED MKIT_FIELDS "mode: mirror\nremoved: {move_to: {list: " WORLD_ELSEWHERE "}}\n" \
    "guards: {moved: none, removed: none}\n"
/* clang-format on */

/* A removal finds its lead under the new id, and what comes back is moved back by it. */
START_TEST(removed_and_imported_again)
{
    ekit_mapping(&k, _i == 0 ? ARCHIVED : ARCHIVED "state: {values: hashed}\n");
    ekit_csv(&k, MKIT_BEFORE);
    ekit_sync(&k);
    ekit_csv(&k, "email,first,seats,seg\nbob@example.com,Bob,2,l\ncyd@example.com,Cyd,3,l\n");
    world_reimport(k.world, "ann@example.com");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.outcomes[OUTCOME_REMOVED], 1);
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_ELSEWHERE, "ann@example.com"));
    ekit_csv(&k, MKIT_BEFORE);
    int64_t began = k.clock.mono;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 1);
    ck_assert(ekit_there(&k, "ann@example.com"));
    /* By the id that it has now, without searching for it. */
    ck_assert_int_lt(k.clock.mono - began, 7000 * 1000);
}
END_TEST

/* ---- the guard ---- */

static const struct {
    const char *guards, *option;
    bool goes;
} guards[] = {
    {"", NULL, false},
    {"guards: {moved: 60%}\n", NULL, false},
    {"guards: {moved: 70%}\n", NULL, true},
    {"guards: {moved: 1}\n", NULL, false},
    {"guards: {moved: 2}\n", NULL, true},
    {"guards: {moved: none}\n", NULL, true},
    {"", "moved=100%", true},
};

/* Judged over the whole source before the first write: the new lead and the update are not written, either. */
START_TEST(guard)
{
    char yaml[1024];
    snprintf(yaml, sizeof yaml, "%s%s", MKIT_ROUTED MKIT_FIELDS, guards[_i].guards);
    ekit_mapping(&k, yaml);
    k.guard = guards[_i].option;
    ekit_csv(&k, "email,first,seats,seg\ndee@example.com,Dee,4,l\ncyd@example.com,Cydney,3,l\nann@example.com,Ann,1,c\n"
                 "bob@example.com,Bob,2,c\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, guards[_i].goes ? XS_DONE : XS_GUARD);
    ck_assert_uint_eq(k.report.tally.moved, guards[_i].goes ? 2 : 0);
    if (!guards[_i].goes)
        ck_assert_uint_eq(ekit_writes(&k), 0);
}
END_TEST

/* An edited target moves everything, when that is allowed. */
START_TEST(edited_target)
{
    ekit_mapping(&k, EKIT_HEAD "target: {campaign: " WORLD_CAMPAIGN "}\n" MKIT_FIELDS);
    ekit_csv(&k, "email,first,seats\nann@example.com,Ann,1\nbob@example.com,Bob,2\ncyd@example.com,Cyd,3\n");
    ekit_sync(&k); /* from a route to a target: the rows say it, and the guard stops them */
    EKIT_ENDS(&k, XS_GUARD);
    ck_assert_uint_eq(ekit_writes(&k), 0);
    k.guard = "moved=100%";
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 3);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 1);
    k.guard = NULL;
    mkit_is_settled(&k);
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST MKIT_FIELDS);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    ck_assert_uint_eq(ekit_writes(&k), 0);
    k.guard = "moved=100%";
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 3);
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_LIST, "ann@example.com"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("move");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, moved);
    tcase_add_test(t, moved_and_changed);
    tcase_add_test(t, hashed_values);
    tcase_add_test(t, moved_without_an_address);
    tcase_add_loop_test(t, patch_before_a_move, 0, 4);
    tcase_add_test(t, both_ways);
    tcase_add_loop_test(t, who_stays, 0, sizeof people / sizeof people[0]);
    tcase_add_test(t, unsubscribed_into_a_list);
    tcase_add_test(t, create_mode_never_moves);
    tcase_add_test(t, without_an_address);
    tcase_add_test(t, already_in_the_target);
    tcase_add_loop_test(t, already_in_the_target_and_not_stored, 0, 2);
    tcase_add_test(t, elsewhere_and_gone);
    tcase_add_loop_test(t, no_list_shows_them, 0, 3);
    tcase_add_test(t, no_list_shows_what_a_job_left);
    tcase_add_test(t, imported_again);
    tcase_add_test(t, imported_again_and_listed_late);
    tcase_add_test(t, imported_into_the_target);
    tcase_add_loop_test(t, another_person_has_the_id, 0, 3);
    tcase_add_loop_test(t, removed_and_imported_again, 0, 2);
    tcase_add_loop_test(t, guard, 0, sizeof guards / sizeof guards[0]);
    tcase_add_test(t, edited_target);
    suite_add_tcase(s, t);
    return unit_run(s);
}
