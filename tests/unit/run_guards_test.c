/* Whole runs: guards that stop them, and rows that compete for one key. */
#include "config.h"

#include <stdio.h>
#include <string.h>

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

static void rows_with_rejects(int good, int bad)
{
    FILE *f = fopen(k.csv_path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("email,first\n", f);
    for (int i = 0; i < bad; i++)
        fprintf(f, "nobody%d,F\n", i);
    for (int i = 0; i < good; i++)
        fprintf(f, "p%d@example.com,F\n", i);
    fclose(f);
}

START_TEST(guard_rejected)
{
    /* 19 are too few to judge, a share is a share: 20 of 400 is no more than 5%. */
    rows_with_rejects(0, 19);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, REJECTED, 19u);
    rows_with_rejects(380, 20);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, CREATED, 380u);
}
END_TEST

START_TEST(guard_rejected_stops)
{
    rows_with_rejects(100, 21);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    EKIT_COUNT(&k, REJECTED, 21u);
    EKIT_COUNT(&k, DEFERRED, 100u);
    ck_assert_uint_eq(ekit_writes(&k), 0);
    ck_assert_uint_eq(k.report.waiting_rows, 0); /* a guard is not got round by the retry table */
    k.guard = "rejected=none";
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, CREATED, 100u);
}
END_TEST

/* The first `changed` of `n` people have another name than before. */
static void rename_people(unsigned n, unsigned changed)
{
    FILE *f = fopen(k.csv_path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("email,first\n", f);
    for (unsigned i = 0; i < n; i++)
        fprintf(f, "p%u@example.com,%s\n", i, i < changed ? "Other" : "F");
    fclose(f);
}

/* As the last run has judged it; empty: it has not. */
static struct run_guard judged(const char *name)
{
    for (size_t i = 0; i < k.report.guards_n; i++)
        if (strcmp(k.report.guards[i].name, name) == 0)
            return k.report.guards[i];
    return (struct run_guard){.name = NULL};
}

/* A mapping that was wrong wrote leads, and its run was allowed to: the corrected one changes them again. */
START_TEST(guard_changed_puts_right)
{
    static const char again[] = "to put them right, allow it with --guard changed=51%";
    rename_people(100, 0);
    ekit_sync(&k);
    rename_people(100, 51);
    if (_i == 1) {
        ekit_mapping(&k, EKIT_HEAD EKIT_LIST
                     "fields: {email: email, first_name: {from: first, apply: [upper]}}\nguards: {changed: none}\n");
        ekit_sync(&k);
        EKIT_ENDS(&k, XS_DONE);
        rename_people(100, 51);
        ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS);
    }
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    ck_assert_int_eq(strstr(err_text(&k.e), again) != NULL, _i == 1);
}
END_TEST

/* Each row that the last run deferred has this detail. */
static void deferred_say(const char *detail)
{
    struct arena arena;
    struct results *results;
    struct state *s = NULL;
    struct entry entry;
    enum op op;
    uint32_t target;
    uint64_t n = 0;
    struct err e = ERR_INIT;
    arena_init(&arena, 64 << 20);
    const struct state_options options = {.path = k.state_path,
                                          .access = STATE_READ,
                                          .memory_max = 8 << 20,
                                          .clock = &k.clock.base};
    ck_assert_int_ge(state_open(&options, &s, &e), 0);
    ck_assert_int_eq(state_results_open_all(s, k.report.run, &results, &e), 0);
    while (state_results_next(results, &arena, &entry, &op, &target, &e) == 1)
        if (entry.outcome == OUTCOME_DEFERRED) {
            ck_assert_msg(str_is(entry.detail, detail), "%.*s", STR_ARG(entry.detail));
            n++;
        }
    ck_assert_msg(e.status == XS_DONE && n == ekit_outcome(&k, OUTCOME_DEFERRED), "%s", err_text(&e));
    state_results_close(results);
    arena_free(&arena);
    state_close(s);
}

START_TEST(guard_changed)
{
    rename_people(100, 0);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    world_count(k.world);
    rename_people(100, 51);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    EKIT_COUNT(&k, DEFERRED, 51u);
    deferred_say("guard `changed` stopped the run");
    ck_assert_uint_eq(ekit_writes(&k), 0);
    ck_assert_uint_eq(k.report.waiting_rows, 0); /* a guard is not got round by the retry table */
    ck_assert_ptr_nonnull(strstr(err_text(&k.e), "51 of 100 known leads would be updated"));
    ck_assert_ptr_nonnull(strstr(err_text(&k.e), "--guard changed=51%"));
    const struct run_guard guard = judged("changed");
    ck_assert(guard.name != NULL && guard.stops && guard.counted == 51 && guard.of == 100);
    ck_assert_str_eq(guard.limit, "50%");
    /* Half of them is allowed, and more with the option. */
    rename_people(100, 50);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 50u);
    ck_assert(!judged("changed").stops);
    rename_people(100, 0);
    ekit_sync(&k);
    rename_people(100, 100);
    k.guard = "changed=none";
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 100u);
}
END_TEST

START_TEST(guard_changed_does_not_judge_a_few)
{
    rename_people(99, 0);
    ekit_sync(&k);
    rename_people(99, 99);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 99u);
}
END_TEST

/* More rows than are held for the other guards: nothing is written before this one has judged, wherever the rows that change
 * stand. */
START_TEST(guard_changed_judges_a_large_source_before_it_writes)
{
    enum { PEOPLE = 120, REPEATED = 10100 };
    rename_people(PEOPLE, 0);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    world_count(k.world);
    FILE *f = fopen(k.csv_path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("email,first\nnew@example.com,N\np0@example.com,F\n", f);
    for (unsigned i = 1; _i == 0 && i < PEOPLE; i++)
        fprintf(f, "p%u@example.com,Other\n", i);
    for (unsigned i = 0; i < REPEATED; i++)
        fputs("p0@example.com,F\n", f);
    for (unsigned i = 1; _i == 1 && i < PEOPLE; i++)
        fprintf(f, "p%u@example.com,Other\n", i);
    fclose(f);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    ck_assert_uint_eq(ekit_writes(&k), 0);
    EKIT_COUNT(&k, CREATED, 0u);
    k.guard = "changed=none";
    ekit_sync(&k);
    EKIT_COUNT(&k, CHANGED, PEOPLE - 1u);
}
END_TEST

START_TEST(guard_empty_source)
{
    /* Nothing is suspicious while nothing is known. */
    ekit_csv(&k, "email,first\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ekit_people(&k, "p", 5);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ekit_csv(&k, "email,first\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    k.guard = "empty_source=none";
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD); /* it has shrunk, too */
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "guards: {source_shrank: none}\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
}
END_TEST

START_TEST(guard_source_shrank)
{
    ekit_people(&k, "p", 100);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    world_count(k.world);
    ekit_people(&k, "q", 49);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    EKIT_COUNT(&k, DEFERRED, 49u);
    deferred_say("guard `source_shrank` stopped the run");
    ck_assert_uint_eq(ekit_writes(&k), 0);
    ck_assert_str_eq(ekit_setting(&k, "last_full_rows"), "100");
    /* Half of it is allowed, and becomes what the next run compares with. */
    ekit_people(&k, "q", 50);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 50u);
    ck_assert_str_eq(ekit_setting(&k, "last_full_rows"), "50");
}
END_TEST

/* Rows that were only waiting to be tried again are no rows of the source: the next run has no such ones to compare with. */
START_TEST(what_was_tried_again_is_no_row_of_the_source)
{
    ekit_people(&k, "p", 60);
    world_fault(k.world, WORLD_ADD, 1, 9999, FAULT_FULL);
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS);
    ekit_sync(&k);
    EKIT_COUNT(&k, DEFERRED, 60u);
    world_count(k.world);
    ekit_people(&k, "q", 40);
    ekit_sync(&k);
    ck_assert_uint_eq(k.report.tally.read, 100);
    ck_assert_uint_eq(k.report.tally.retried, 60);
    ck_assert_str_eq(ekit_setting(&k, "last_full_rows"), "40");
}
END_TEST

START_TEST(guards_are_not_for_partial_input)
{
    ekit_people(&k, "p", 100);
    ekit_sync(&k);
    ekit_people(&k, "q", 1);
    k.config.partial_input = true;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 1u);
    ck_assert_str_eq(k.report.read, "partial");
    ck_assert_str_eq(ekit_setting(&k, "last_full_rows"), "100");
}
END_TEST

/* An edited target concerns every lead: said first, and done when that is allowed. */
START_TEST(guard_target)
{
    ekit_people(&k, "p", 3);
    ekit_sync(&k);
    ekit_mapping(&k, EKIT_HEAD EKIT_CAMPAIGN EKIT_FIELDS);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    ck_assert_uint_eq(ekit_writes(&k), 0);
}
END_TEST

/* More rows belong elsewhere than the guard allows: nothing is written, and the sum closes all the same. */
START_TEST(guard_moved)
{
    static const char *const rest[] = {"", "duplicates: last\n"};
    char yaml[1024];
    snprintf(yaml, sizeof yaml, "%sroute: {column: seg, cases: {a: {list: %s}, b: {campaign: %s}}}\n%s%s", EKIT_HEAD,
             WORLD_LIST, WORLD_CAMPAIGN, EKIT_FIELDS, rest[_i]);
    ekit_mapping(&k, yaml);
    ekit_csv(&k, "email,first,seg\nann@example.com,Ann,a\nbob@example.com,Bob,a\n");
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ekit_csv(&k, "email,first,seg\ncyd@example.com,Cyd,a\nann@example.com,Ann,b\nbob@example.com,Bob,a\n");
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    EKIT_COUNT(&k, DEFERRED, 2u);
    EKIT_COUNT(&k, UNCHANGED, 1u);
    ck_assert_uint_eq(ekit_writes(&k), 0);
}
END_TEST

/* ---- duplicates ---- */

#define TWICE "email,first\nann@example.com,First\nbob@example.com,Bob\nAnn@Example.com,Last\n"

START_TEST(duplicates_first)
{
    ekit_csv(&k, TWICE);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 2u);
    EKIT_REASON(&k, DUPLICATE_IN_SOURCE, 1u);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "First");
}
END_TEST

START_TEST(duplicates_last)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "duplicates: last\n");
    ekit_csv(&k, TWICE);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, 2u);
    EKIT_COUNT(&k, SKIPPED, 1u);
    ck_assert_str_eq(world_value(k.world, WORLD_LIST, "ann@example.com", "first_name"), "Last");
    world_count(k.world);
    ekit_sync(&k);
    EKIT_COUNT(&k, UNCHANGED, 2u);
    ck_assert_uint_eq(ekit_writes(&k), 0);
}
END_TEST

START_TEST(duplicates_reject)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "duplicates: reject\n");
    ekit_csv(&k, TWICE);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_COUNT(&k, REJECTED, 2u);
    EKIT_REASON(&k, DUPLICATE_IN_SOURCE, 2u);
}
END_TEST

/* Rejected rows do not compete: the one that can be used is used. */
START_TEST(only_clean_rows_compete)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST "fields: {email: email, first_name: {from: first, required: true}}\n"
                                         "duplicates: last\n");
    ekit_csv(&k, "email,first\nann@example.com,First\nann@example.com,\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_COUNT(&k, REJECTED, 1u);
}
END_TEST

/* Two rows with keys of their own and one address: the second is said to be one. */
START_TEST(one_address_under_two_keys)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_KEYED);
    ekit_csv(&k, "email,first,id\nann@example.com,Ann,1\nann@example.com,Anna,2\n");
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, 1u);
    EKIT_REASON(&k, DUPLICATE_IN_SOURCE, 1u);
    ck_assert_uint_eq(k.world->leads_asked, 1);
}
END_TEST

/* ---- the exit status of rejects ---- */

START_TEST(rejects_and_exit_status)
{
    rows_with_rejects(3, 1);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    k.config.rejects_ok = true;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    k.config.rejects_ok = false;
    k.config.new_rejects_only = true;
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    rows_with_rejects(3, 2);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    /* A run that reads no source has no rejects to compare with. */
    ekit_resume(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("run_guards");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, guard_rejected);
    tcase_add_test(t, guard_rejected_stops);
    tcase_add_test(t, guard_changed);
    tcase_add_loop_test(t, guard_changed_puts_right, 0, 2);
    tcase_add_test(t, guard_changed_does_not_judge_a_few);
    tcase_add_loop_test(t, guard_changed_judges_a_large_source_before_it_writes, 0, 2);
    tcase_add_test(t, guard_empty_source);
    tcase_add_test(t, guard_source_shrank);
    tcase_add_test(t, what_was_tried_again_is_no_row_of_the_source);
    tcase_add_test(t, guards_are_not_for_partial_input);
    tcase_add_test(t, guard_target);
    tcase_add_loop_test(t, guard_moved, 0, 2);
    tcase_add_test(t, duplicates_first);
    tcase_add_test(t, duplicates_last);
    tcase_add_test(t, duplicates_reject);
    tcase_add_test(t, only_clean_rows_compete);
    tcase_add_test(t, one_address_under_two_keys);
    tcase_add_test(t, rejects_and_exit_status);
    suite_add_tcase(s, t);
    return unit_run(s);
}
