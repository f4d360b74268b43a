/* Leads that belong elsewhere now: whatever becomes of the request, the job and the leads, every row ends in the outcome
 * that is true, no lead is moved that should stay, and nothing is asked for again that was not looked for first. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/base/stop.h"
#include "sync/engine/people.h"
#include "tests/unit/engine_kit.h"

static struct ekit k;

#define ROUTED                                                                                                         \
    EKIT_HEAD "route: {column: seg, cases: {l: {list: " WORLD_LIST "}, c: {campaign: " WORLD_CAMPAIGN                  \
              "}, e: {list: " WORLD_ELSEWHERE "}}}\n"
#define UNGUARDED "guards: {moved: none}\n"
#define FIELDS "fields: {email: email, first_name: first}\ncustom_variables: {seats: seats}\n"

/* The first night: three in the list. */
static const char before[] = "email,first,seats,seg\nann@example.com,Ann,1,l\nbob@example.com,Bob,2,l\ncyd@example.com,Cyd,3,l\n";
/* The second: two of them belong into the campaign. */
static const char after[] = "email,first,seats,seg\nann@example.com,Ann,1,c\nbob@example.com,Bob,2,c\ncyd@example.com,Cyd,3,l\n";

static void setup(void)
{
    ekit_init(&k);
    ekit_mapping(&k, ROUTED FIELDS UNGUARDED);
    ekit_csv(&k, before);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 3u);
    k.clock.wall += 24 * 3600 * 1000;
    ekit_csv(&k, after);
    world_count(k.world);
}

static void teardown(void)
{
    ekit_free(&k);
}

static bool in_campaign(const char *email)
{
    return world_find(k.world, WORLD_CAMPAIGN, email) != NULL;
}

static void ends_as_wanted(void)
{
    ck_assert(in_campaign("ann@example.com") && in_campaign("bob@example.com"));
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_LIST, "cyd@example.com"));
    ck_assert_uint_eq(world_n(k.world), 3);
}

static unsigned writes(void)
{
    return k.world->n[WORLD_ADD] + k.world->n[WORLD_PATCH] + k.world->n[WORLD_MOVE];
}

/* Nothing is left to do: the same rows once more write nothing. */
static void is_settled(void)
{
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, (uint64_t)k.report.tally.read);
    ck_assert_uint_eq(writes(), 0);
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
    ends_as_wanted();
    is_settled();
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
    ends_as_wanted();
    is_settled();
}
END_TEST

/* With hashes only, what did not change is not written, and what moves is moved. */
START_TEST(hashed_values)
{
    remove(k.state_path);
    ekit_mapping(&k, ROUTED FIELDS UNGUARDED "state: {values: hashed}\n");
    ekit_csv(&k, before);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Anna,1,c\nbob@example.com,Bob,2,c\ncyd@example.com,Cyd,3,l\n");
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    ck_assert_uint_eq(k.report.tally.updated, 1);
    ck_assert_uint_eq(k.world->n[WORLD_PATCH], 1);
    ends_as_wanted();
    is_settled();
}
END_TEST

/* Leads of lists without an address: no job names them, so they are looked at. */
START_TEST(moved_without_an_address)
{
    ekit_write(k.yaml_path, "version: 1\nname: keyed\nsource: {csv: {path: people.csv}}\nroute: {column: seg, cases: {l: {list: "
               WORLD_LIST "}, e: {list: " WORLD_ELSEWHERE "}}}\nfields: {email: email, first_name: first}\nkey: [id]\n" UNGUARDED);
    remove(k.state_path);
    ekit_csv(&k, "id,email,first,seg\n1,,Ann,l\n2,eve@example.com,Eve,l\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 2u);
    ekit_csv(&k, "id,email,first,seg\n1,,Ann,e\n2,eve@example.com,Eve,e\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    is_settled();
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
    ck_assert_int_eq(in_campaign("ann@example.com"), _i < 2);
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
    is_settled();
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
    snprintf(yaml, sizeof yaml, "%s%s", ROUTED FIELDS UNGUARDED, people[_i].rest);
    ekit_mapping(&k, yaml);
    world_set(k.world, "ann@example.com", people[_i].name, people[_i].value);
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Anna,1,c\nbob@example.com,Bob,2,c\ncyd@example.com,Cyd,3,l\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    bool goes = people[_i].reason == REASON_NONE;
    ck_assert_uint_eq(k.report.tally.moved, goes ? 2 : 1);
    ck_assert_uint_eq(ekit_outcome(&k, OUTCOME_SKIPPED), goes ? 0 : 1);
    ck_assert(in_campaign("bob@example.com"));
    ck_assert_int_eq(in_campaign("ann@example.com"), goes);
    /* Skipped whole: not written to, either. */
    if (!goes) {
        ck_assert_uint_eq(ekit_reason(&k, people[_i].reason), 1);
        ck_assert_uint_eq(k.world->n[WORLD_PATCH], 0);
    }
    /* And remembered: counted again, not asked for again. */
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(writes(), 0);
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
    ekit_mapping(&k, ROUTED FIELDS UNGUARDED "mode: create\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_REASON(&k, MODE_CREATE, 2u);
    ck_assert_uint_eq(writes(), 0);
}
END_TEST

/* A lead without an address is no campaign's; its row has one now, but an address is never written. */
START_TEST(without_an_address)
{
    struct target campaign = {.kind = TARGET_CAMPAIGN}, list = {.kind = TARGET_LIST};
    struct remote_lead lead = {.status = 1};
    ck_assert_int_eq(people_stays(&lead, &campaign, true), REASON_EMAIL_MISSING);
    ck_assert_int_eq(people_stays(&lead, &list, true), REASON_NONE);
    lead.email = STR("ann@example.com");
    ck_assert_int_eq(people_stays(&lead, &campaign, true), REASON_NONE);
    lead.object = json_tokener_parse("{\"timestamp_last_contact\":\"2026-01-01T00:00:00Z\"}");
    ck_assert_int_eq(people_stays(&lead, &campaign, true), REASON_CONTACTED);
    ck_assert_int_eq(people_stays(&lead, &campaign, false), REASON_NONE);
    json_object_put(lead.object);
    lead.object = json_tokener_parse("{\"status_summary\":{\"lastStep\":{\"from\":\"campaign\"}}}");
    ck_assert(people_contacted(&lead));
    json_object_put(lead.object);
    lead.object = json_tokener_parse("{\"status_summary\":{},\"timestamp_last_contact\":null,\"email_open_count\":2}");
    ck_assert(!people_contacted(&lead));
    json_object_put(lead.object);
}
END_TEST

/* ---- where they are before ---- */

/* Somebody else has moved it there: done, and not counted as ours. */
START_TEST(there_already)
{
    world_place(k.world, "ann@example.com", WORLD_CAMPAIGN);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, UNCHANGED, 2u);
    EKIT_COUNT(&k, CHANGED, 1u);
    ck_assert_uint_eq(k.report.tally.moved, 1);
    ends_as_wanted();
    is_settled();
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

/* ---- how a job ends ---- */

static const struct {
    enum world_job_mode mode;
    const char *status;
    unsigned moved; /* of two */
} ends[] = {
    {WJOB_OK, "success", 2},        {WJOB_SILENT, "success", 2},      {WJOB_ZERO, "success", 0},
    {WJOB_HALF, "success", 1},      {WJOB_BOASTS, "success", 1},      {WJOB_FAILED, "failed", 1},
    {WJOB_CANCELLED, "cancelled", 1}, {WJOB_VANISHED, "vanished", 2}, {WJOB_UNLISTED, "success", 2},
    {WJOB_PAUSED, "success", 2},    {WJOB_DRAINING, "success", 2},    {WJOB_ODD, "success", 2},
};

START_TEST(job_ends)
{
    bool all = ends[_i].moved == 2;
    k.world->job_mode = ends[_i].mode;
    ekit_sync(&k);
    EKIT_ENDS(&k, all ? XS_DONE : XS_LEFT_OVER);
    ck_assert_uint_eq(k.report.tally.moved, ends[_i].moved);
    EKIT_REASON(&k, MOVE_NOT_DONE, 2u - ends[_i].moved);
    /* Not tried again in the same run. */
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 1);
    ck_assert_uint_eq(k.report.jobs_n, 1);
    ck_assert_str_eq(k.report.jobs[0].status, ends[_i].status);
    ck_assert_int_eq(k.report.jobs[0].success, ends[_i].moved);
    ck_assert_int_eq(k.report.jobs[0].failed, 2 - (int)ends[_i].moved);
    ck_assert_uint_eq(k.report.open_batches, 0);
    /* The next run brings it to its end. */
    k.world->job_mode = WJOB_OK;
    if (!all)
        ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ends_as_wanted();
    is_settled();
}
END_TEST

/* Leads that no job moves: failed each night, given up after five. */
START_TEST(never_moved)
{
    ekit_csv(&k, "email,first,seats,seg\nstays@example.com,S,1,l\nann@example.com,Ann,1,l\nbob@example.com,Bob,2,l\n");
    ekit_sync(&k);
    ekit_csv(&k, "email,first,seats,seg\nstays@example.com,S,1,c\nann@example.com,Ann,1,l\nbob@example.com,Bob,2,l\n");
    ekit_sync(&k);
    EKIT_REASON(&k, MOVE_NOT_DONE, 1u);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    for (int night = 2; night <= 5; night++) {
        ekit_sync(&k);
        EKIT_REASON(&k, MOVE_NOT_DONE, 1u);
    }
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_LIST, "stays@example.com"));
}
END_TEST

START_TEST(another_one_is_there)
{
    world_put(k.world, WORLD_CAMPAIGN, "Ann@Example.com", "Other");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, EXISTS_IN_TARGET, 1u);
    ck_assert_uint_eq(k.report.tally.moved, 1);
}
END_TEST

/* The job says it, leads/list does not know it yet: believed where it names them, waited for where it does not. */
START_TEST(lists_lag)
{
    k.world->lag_ms = 3000;
    k.world->job_mode = _i == 0 ? WJOB_OK : WJOB_SILENT;
    int64_t began = k.clock.mono;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    ck_assert_int_eq(k.clock.mono - began > 3000 * 1000, _i == 1);
}
END_TEST

/* ---- the request ---- */

static const enum world_fault lost_after[] = {FAULT_500_AFTER, FAULT_LOST_AFTER, FAULT_GARBAGE_AFTER};

/* It arrived: its job is found by what it was asked, and nothing is asked again. */
START_TEST(answer_lost)
{
    world_fault(k.world, WORLD_MOVE, 1, 1, lost_after[_i]);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 1);
    ck_assert_uint_eq(k.report.jobs_n, 1);
    ck_assert_int_eq(k.report.jobs[0].success, 2);
    ends_as_wanted();
    is_settled();
}
END_TEST

/* It did not arrive: its job is searched for at once, after 5, 15 and 45 s, the leads are looked at, and only then. */
START_TEST(request_lost)
{
    static const enum world_fault faults[] = {FAULT_500, FAULT_LOST};
    int64_t began = k.clock.mono;
    world_fault(k.world, WORLD_MOVE, 1, 1, faults[_i]);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 2);
    ck_assert_int_ge(k.clock.mono - began, 65000000);
    ck_assert_int_lt(k.clock.mono - began, 85000000);
    ends_as_wanted();
    is_settled();
}
END_TEST

START_TEST(request_always_lost)
{
    world_fault(k.world, WORLD_MOVE, 1, 100, FAULT_LOST);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, API_ERROR, 2u);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 4);
    ck_assert_uint_eq(k.report.open_batches, 0);
}
END_TEST

/* The job of a lost request is nowhere to be seen, but it moves: found by looking at the leads. */
START_TEST(answer_and_job_lost)
{
    k.world->job_mode = WJOB_VANISHED;
    world_fault(k.world, WORLD_MOVE, 1, 1, FAULT_LOST_AFTER);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 1);
    ends_as_wanted();
}
END_TEST

/* A job of the same ends that moves others, and an older one of the same leads, are not ours. */
START_TEST(other_jobs)
{
    ekit_sync(&k);
    ekit_csv(&k, before);
    ekit_sync(&k);
    ck_assert_uint_eq(k.report.tally.moved, 2);
    k.clock.wall += 60000;
    ekit_csv(&k, after);
    world_count(k.world);
    world_fault(k.world, WORLD_MOVE, 1, 1, FAULT_LOST);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 2);
    ends_as_wanted();
}
END_TEST

/* Too many ids: fewer at a time, down to a single one that is refused by itself. */
START_TEST(refused)
{
    if (_i == 0)
        k.world->ids_max = 1;
    else
        world_fault(k.world, WORLD_MOVE, 1, 100, FAULT_400);
    ekit_sync(&k);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 3);
    if (_i == 0) {
        EKIT_ENDS(&k, XS_DONE);
        ck_assert_uint_eq(k.report.tally.moved, 2);
        ck_assert_uint_eq(k.report.jobs_n, 2);
        ck_assert_int_eq(k.report.jobs[1].success, 1);
        ends_as_wanted();
        is_settled();
    } else {
        EKIT_ENDS(&k, XS_LEFT_OVER);
        EKIT_REASON(&k, REFUSED_THERE, 2u);
    }
}
END_TEST

START_TEST(the_target_is_gone)
{
    world_fault(k.world, WORLD_MOVE, 1, 1, FAULT_404);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_CONFIG);
    EKIT_COUNT(&k, DEFERRED, 2u);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ends_as_wanted();
}
END_TEST

START_TEST(the_key_is_gone)
{
    static const enum world_kind kinds[] = {WORLD_MOVE, WORLD_JOBS, WORLD_READ};
    k.world->job_ms = 5000;
    world_fault(k.world, kinds[_i], _i == 1 ? 2 : 1, 100, FAULT_401);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_KEY);
    EKIT_COUNT(&k, DEFERRED, 2u);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ends_as_wanted();
}
END_TEST

/* ---- locks ---- */

/* Somebody else's job: waited for, not failed. */
START_TEST(locked_for_a_while)
{
    world_fault(k.world, WORLD_MOVE, 1, 3, FAULT_409);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 4);
    ck_assert_uint_eq(k.report.tally.moved, 2);
}
END_TEST

START_TEST(locked_for_long)
{
    int64_t began = k.clock.mono;
    ekit_mapping(&k, ROUTED FIELDS UNGUARDED "limits: {job_wait: 2m}\n");
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Ann,1,c\ndee@example.com,Dee,4,c\ncyd@example.com,Cyd,3,l\n");
    world_fault(k.world, _i == 0 ? WORLD_MOVE : WORLD_ADD, 1, 10000, FAULT_409);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    /* What keeps adds out keeps moves out, too: not even asked for. */
    EKIT_REASON(&k, JOB_OPEN, _i == 0 ? 1u : 2u);
    ck_assert_int_ge(k.clock.mono - began, 120000000);
    ck_assert_int_lt(k.clock.mono - began, 200000000);
    ck_assert_uint_eq(k.report.open_batches, 0);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert(in_campaign("ann@example.com") && in_campaign("dee@example.com"));
}
END_TEST

/* ---- what is not waited for ---- */

START_TEST(job_wait_is_over)
{
    k.world->job_mode = WJOB_STUCK;
    ekit_mapping(&k, ROUTED FIELDS UNGUARDED "limits: {job_wait: 30s}\n");
    int64_t began = k.clock.mono;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, JOB_OPEN, 2u);
    ck_assert_uint_eq(k.report.open_jobs, 1);
    ck_assert_int_ge(k.clock.mono - began, 30000000);
    ck_assert_int_lt(k.clock.mono - began, 40000000);
    /* Still stuck: the rows wait for it, and nothing is asked for a second time. */
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, JOB_OPEN, 2u);
    ck_assert_uint_eq(writes(), 0);
    ck_assert_uint_eq(k.report.open_jobs, 1);
    /* It ends after all. */
    k.world->job_mode = WJOB_OK;
    if (_i == 0) {
        ekit_resume(&k);
        EKIT_ENDS(&k, XS_DONE);
    } else {
        ekit_sync(&k);
        EKIT_ENDS(&k, XS_DONE);
        EKIT_COUNT(&k, UNCHANGED, 3u);
    }
    ck_assert_uint_eq(k.report.tally.settled, 2);
    ck_assert_uint_eq(k.report.open_jobs, 0);
    ck_assert_int_eq(k.report.jobs[0].success, 2);
    ck_assert_uint_eq(writes(), 0);
    ends_as_wanted();
    is_settled();
}
END_TEST

/* A second batch on an end of a job that was given up is not even begun. */
START_TEST(ends_stay_stuck)
{
    k.world->job_mode = WJOB_STUCK;
    ekit_mapping(&k, ROUTED FIELDS UNGUARDED "limits: {job_wait: 30s}\n");
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Ann,1,c\nbob@example.com,Bob,2,e\ncyd@example.com,Cyd,3,l\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, JOB_OPEN, 2u);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 1);
    ck_assert_uint_eq(k.report.open_jobs, 1);
    k.world->job_mode = WJOB_OK;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert(in_campaign("ann@example.com"));
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_ELSEWHERE, "bob@example.com"));
}
END_TEST

/* A signal at every request: jobs are not waited for, and the next run ends where this one would have. */
START_TEST(stopped_anywhere)
{
    ekit_csv(&k, "email,first,seats,seg\nann@example.com,Anna,1,c\nbob@example.com,Bob,9,c\ncyd@example.com,Cyd,3,l\n");
    k.world->stop_at = _i;
    ekit_sync(&k);
    bool stopped = k.report.exit_code == 128 + SIGINT;
    stop_set(0);
    world_count(k.world);
    k.clock.wall += 3600 * 1000;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_str_eq(world_value(k.world, WORLD_CAMPAIGN, "ann@example.com", "first_name"), "Anna");
    ck_assert_str_eq(world_value(k.world, WORLD_CAMPAIGN, "bob@example.com", "seats"), "9");
    ck_assert(stopped || k.report.tally.outcomes[OUTCOME_UNCHANGED] == 3);
    ends_as_wanted();
    is_settled();
}
END_TEST

START_TEST(time_budget)
{
    k.world->job_mode = WJOB_STUCK;
    k.config.max_ms = 10000;
    int64_t began = k.clock.mono;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, JOB_OPEN, 2u);
    ck_assert_int_lt(k.clock.mono - began, 12000000);
    k.config.max_ms = 0;
    k.world->job_mode = WJOB_OK;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ends_as_wanted();
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
    snprintf(yaml, sizeof yaml, "%s%s", ROUTED FIELDS, guards[_i].guards);
    ekit_mapping(&k, yaml);
    k.guard = guards[_i].option;
    ekit_csv(&k, "email,first,seats,seg\ndee@example.com,Dee,4,l\ncyd@example.com,Cydney,3,l\nann@example.com,Ann,1,c\n"
                 "bob@example.com,Bob,2,c\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, guards[_i].goes ? XS_DONE : XS_GUARD);
    ck_assert_uint_eq(k.report.tally.moved, guards[_i].goes ? 2 : 0);
    if (!guards[_i].goes)
        ck_assert_uint_eq(writes(), 0);
}
END_TEST

/* An edited target moves everything, when that is allowed. */
START_TEST(edited_target)
{
    ekit_mapping(&k, EKIT_HEAD "target: {campaign: " WORLD_CAMPAIGN "}\n" FIELDS);
    ekit_csv(&k, "email,first,seats\nann@example.com,Ann,1\nbob@example.com,Bob,2\ncyd@example.com,Cyd,3\n");
    ekit_sync(&k); /* from a route to a target: the rows say it, and the guard stops them */
    EKIT_ENDS(&k, XS_GUARD);
    ck_assert_uint_eq(writes(), 0);
    k.guard = "moved=100%";
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 3);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 1);
    k.guard = NULL;
    is_settled();
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST FIELDS);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    ck_assert_uint_eq(writes(), 0);
    k.guard = "moved=100%";
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 3);
    ck_assert_ptr_nonnull(world_find(k.world, WORLD_LIST, "ann@example.com"));
}
END_TEST

/* ---- many ---- */

static void many(unsigned n, unsigned change_every)
{
    FILE *f = fopen(k.csv_path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("email,first,seats,seg\n", f);
    for (unsigned i = 0; i < n; i++)
        fprintf(f, "p%u@example.com,First %u,%u,%s\n", i, i, i, change_every > 0 && i % change_every == 0 ? "c" : "l");
    ck_assert_int_eq(fclose(f), 0);
}

/* More than one job may carry: a thousand each, one after the other. */
START_TEST(in_thousands)
{
    many(1500, 0);
    ekit_sync(&k);
    many(1500, 1);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 1500u);
    ck_assert_uint_eq(k.report.tally.moved, 1500);
    ck_assert_uint_eq(k.world->n[WORLD_MOVE], 2);
    ck_assert_uint_eq(k.report.jobs_n, 2);
    ck_assert_int_eq(k.report.jobs[0].success + k.report.jobs[1].success, 1500);
    is_settled();
}
END_TEST

/* Somebody else's job that does not end is waited for once, not once a batch. */
START_TEST(locked_for_long_in_thousands)
{
    many(1500, 0);
    ekit_sync(&k);
    many(1500, 1);
    ekit_mapping(&k, ROUTED FIELDS UNGUARDED "limits: {job_wait: 2m}\n");
    world_count(k.world);
    world_fault(k.world, WORLD_MOVE, 1, 10000, FAULT_409);
    int64_t began = k.clock.mono;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, JOB_OPEN, 1500u);
    ck_assert_int_lt(k.clock.mono - began, 180000000);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, 1500);
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
    tcase_add_test(t, there_already);
    tcase_add_test(t, elsewhere_and_gone);
    tcase_add_loop_test(t, job_ends, 0, sizeof ends / sizeof ends[0]);
    tcase_add_test(t, never_moved);
    tcase_add_test(t, another_one_is_there);
    tcase_add_loop_test(t, lists_lag, 0, 2);
    tcase_add_loop_test(t, answer_lost, 0, sizeof lost_after / sizeof lost_after[0]);
    tcase_add_loop_test(t, request_lost, 0, 2);
    tcase_add_test(t, request_always_lost);
    tcase_add_test(t, answer_and_job_lost);
    tcase_add_test(t, other_jobs);
    tcase_add_loop_test(t, refused, 0, 2);
    tcase_add_test(t, the_target_is_gone);
    tcase_add_loop_test(t, the_key_is_gone, 0, 3);
    tcase_add_test(t, locked_for_a_while);
    tcase_add_loop_test(t, locked_for_long, 0, 2);
    tcase_add_loop_test(t, job_wait_is_over, 0, 2);
    tcase_add_test(t, ends_stay_stuck);
    tcase_add_loop_test(t, stopped_anywhere, 1, 12);
    tcase_add_test(t, time_budget);
    tcase_add_loop_test(t, guard, 0, sizeof guards / sizeof guards[0]);
    tcase_add_test(t, edited_target);
    tcase_add_test(t, in_thousands);
    tcase_add_test(t, locked_for_long_in_thousands);
    suite_add_tcase(s, t);
    return unit_run(s);
}
