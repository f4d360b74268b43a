/* Refusals: those of a lead are recorded, those of an endpoint that refuses all leads end the run and are not. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "sync/base/stop.h"
#include "tests/unit/move_kit.h"

static struct ekit k;

static void setup(void)
{
    ekit_init(&k);
}

static void teardown(void)
{
    ekit_free(&k);
}

/* Rows p0, p1, …, of which those from `first` on have the prefix. */
static void people_with(unsigned n, const char *prefix, unsigned first, unsigned bad_n)
{
    FILE *f = fopen(k.csv_path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("email,first\n", f);
    for (unsigned i = 0; i < n; i++)
        fprintf(f, "%s%u@example.com,F\n", i >= first && i < first + bad_n ? prefix : "p", i);
    fclose(f);
}

static void every_nth_is_bad(unsigned rows, unsigned nth)
{
    FILE *f = fopen(k.csv_path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("email,first\n", f);
    for (unsigned i = 0; i < rows; i++)
        fprintf(f, "%s%u@example.com,F\n", i % nth == 0 ? "poison" : "p", i);
    fclose(f);
}

static void ends_with_words(const char *words)
{
    EKIT_ENDS(&k, XS_API);
    ck_assert_msg(strstr(err_text(&k.e), words) != NULL, "no \"%s\" in: %s", words, err_text(&k.e));
    EKIT_REASON(&k, REFUSED_THERE, 0u);
}

/* The night after, with an API that is well again: all rows are asked for. */
static void next_night_creates(uint64_t n)
{
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CREATED, n);
}

/* ---- statuses that are about the endpoint ---- */

static const int closed[] = {405, 410, 426, 451, 501};
enum { CLOSED_N = sizeof closed / sizeof closed[0] };

START_TEST(a_closed_endpoint_ends_the_run)
{
    ekit_csv(&k, EKIT_THREE);
    world_fault(k.world, WORLD_ADD, 1, 1000, FAULT_STATUS);
    k.world->rules[0].room = closed[_i];
    ekit_sync(&k);
    ends_with_words("not here, not now");
    EKIT_REASON(&k, INTERRUPTED, 3u);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 1);
    ck_assert_uint_eq(k.report.open_batches, 0);
    next_night_creates(3);
}
END_TEST

START_TEST(a_closed_update_ends_the_run)
{
    ekit_people(&k, "p", 9);
    ekit_sync(&k);
    people_with(9, "p", 0, 0);
    world_count(k.world);
    world_fault(k.world, WORLD_PATCH, 1, 1000, FAULT_STATUS);
    k.world->rules[0].room = closed[_i];
    ekit_sync(&k);
    ends_with_words("PATCH");
    EKIT_REASON(&k, INTERRUPTED, 9u);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, 9u);
}
END_TEST

/* ---- 404 ---- */

START_TEST(an_unknown_route_ends_the_run)
{
    static const enum world_kind kinds[] = {WORLD_ADD, WORLD_PATCH, WORLD_READ};
    if (kinds[_i] == WORLD_PATCH) {
        ekit_people(&k, "p", 9);
        ekit_sync(&k);
    }
    people_with(9, "p", 0, 0);
    world_count(k.world);
    if (kinds[_i] == WORLD_READ) /* only what was lost is read */
        world_fault(k.world, WORLD_ADD, 1, 1, FAULT_LOST);
    world_fault(k.world, kinds[_i], 1, 1000, FAULT_NO_ROUTE);
    ekit_sync(&k);
    ends_with_words("Route POST:/api/v2/leads/any not found");
    EKIT_REASON(&k, GONE_THERE, 0u);
    EKIT_REASON(&k, NOT_STORED, 0u);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(world_n(k.world), 9);
}
END_TEST

/* A 404 of a write whose campaign or list is there says nothing about it. */
START_TEST(not_found_though_the_target_is_there)
{
    ekit_csv(&k, EKIT_THREE);
    world_fault(k.world, WORLD_ADD, 1, 100, FAULT_404);
    ekit_sync(&k);
    ends_with_words("POST /leads/add: Instantly answers 404: Resource not found, but list \"Incoming\" exists");
    EKIT_REASON(&k, INTERRUPTED, 3u);
    ck_assert_uint_eq(k.world->n[WORLD_TARGET], 2);
    ck_assert_uint_eq(k.report.open_batches, 0);
    next_night_creates(3);
}
END_TEST

START_TEST(not_found_without_a_cause)
{
    static const struct {
        enum world_fault fault;
        enum exit_status status;
        const char *words;
    } answers[] = {
        {FAULT_400, XS_API, "does not show whether list \"Incoming\" exists (400 no)"},
        {FAULT_500, XS_API, "/api/v2/lead-lists/" WORLD_LIST},
        {FAULT_NO_ROUTE, XS_API, "Route POST:/api/v2/leads/any not found"},
        {FAULT_401, XS_KEY, "refused the key"},
    };
    ekit_csv(&k, EKIT_THREE);
    world_fault(k.world, WORLD_ADD, 1, 100, FAULT_404);
    world_fault(k.world, WORLD_TARGET, 2, 100, answers[_i].fault);
    ekit_sync(&k);
    EKIT_ENDS(&k, answers[_i].status);
    EKIT_REASON(&k, INTERRUPTED, 3u);
    ck_assert_msg(strstr(err_text(&k.e), answers[_i].words) != NULL, "%s", err_text(&k.e));
    next_night_creates(3);
}
END_TEST

/* ---- the same words for every lead ---- */

START_TEST(every_lead_is_refused)
{
    static const struct {
        unsigned rows, adds_most;
    } sizes[] = {{5, 6}, {8, 8}, {16, 8}, {1000, 8}, {10600, 30}};
    people_with(sizes[_i].rows, "p", 0, 0);
    world_fault(k.world, WORLD_ADD, 1, 100000, FAULT_400);
    ekit_sync(&k);
    ends_with_words("400: no");
    EKIT_REASON(&k, INTERRUPTED, (uint64_t)sizes[_i].rows);
    ck_assert_uint_le(k.world->n[WORLD_ADD], sizes[_i].adds_most);
    ck_assert_uint_eq(k.report.open_batches, 0);
    next_night_creates(sizes[_i].rows);
}
END_TEST

/* Too few leads to blame the endpoint. */
START_TEST(few_leads_are_their_own_fault)
{
    people_with((unsigned)_i, "poison", 0, (unsigned)_i);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, REFUSED_THERE, (uint64_t)_i);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_REASON(&k, REFUSED_THERE, (uint64_t)_i);
    ck_assert_uint_eq(k.world->n[WORLD_ADD], 0);
}
END_TEST

/* Bad leads stand together, or here and there: the others arrive. */
START_TEST(bad_leads_among_good_ones)
{
    static const struct {
        unsigned first, n;
    } bad[] = {{0, 20}, {980, 20}, {490, 20}, {0, 5}, {250, 1}, {499, 2}};
    people_with(1000, "poison", bad[_i].first, bad[_i].n);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, REFUSED_THERE, (uint64_t)bad[_i].n);
    EKIT_COUNT(&k, CREATED, (uint64_t)(1000 - bad[_i].n));
    ck_assert_uint_eq(world_doubles(k.world), 0);
}
END_TEST

/* Every other lead is good, and half of those that are tried alone. */
START_TEST(half_of_the_leads_are_bad)
{
    every_nth_is_bad(64, 2);
    k.guard = "rejected=none";
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, REFUSED_THERE, 32u);
    EKIT_COUNT(&k, CREATED, 32u);
    ck_assert_uint_eq(world_doubles(k.world), 0);
}
END_TEST

START_TEST(other_words_each_time_are_of_the_leads)
{
    people_with(12, "p", 0, 0);
    world_fault(k.world, WORLD_ADD, 1, 1000, FAULT_ODD_WORDS);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, REFUSED_THERE, 12u);
}
END_TEST

/* A schema that no lead meets names each of them. */
START_TEST(every_lead_is_named)
{
    people_with(300, "named", 0, 300);
    ekit_sync(&k);
    ends_with_words("must be a good one");
    EKIT_REASON(&k, INTERRUPTED, 300u);
    ck_assert_uint_le(k.world->n[WORLD_ADD], 16);
}
END_TEST

START_TEST(many_leads_are_named)
{
    people_with(200, "named", 20, 9);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, REFUSED_THERE, 9u);
    EKIT_COUNT(&k, CREATED, 191u);
    ck_assert_uint_eq(world_doubles(k.world), 0);
}
END_TEST

/* It went well until then. */
START_TEST(every_lead_is_refused_after_some_time)
{
    ekit_mapping(&k, EKIT_HEAD EKIT_LIST EKIT_FIELDS "limits: {batch: 100, in_flight: 1}\n");
    people_with(1000, "p", 0, 0);
    world_fault(k.world, WORLD_ADD, 4, 100000, FAULT_400);
    ekit_sync(&k);
    ends_with_words("400: no");
    EKIT_COUNT(&k, CREATED, 300u);
    EKIT_REASON(&k, INTERRUPTED, 700u);
    ck_assert_uint_le(k.world->n[WORLD_ADD], 25);
    next_night_creates(700);
}
END_TEST

/* Whatever ends the run while refusals are not understood yet, none is recorded. */
START_TEST(a_signal_amid_the_refusals)
{
    people_with(1000, "p", 0, 0);
    world_fault(k.world, WORLD_ADD, 1, 100000, FAULT_400);
    k.world->stop_at = _i;
    ekit_sync(&k);
    EKIT_REASON(&k, REFUSED_THERE, 0u);
    EKIT_COUNT(&k, DEFERRED, 1000u);
    ck_assert_uint_eq(k.report.open_batches, 0);
    stop_set(0);
    k.world->stop_at = 0;
    next_night_creates(1000);
}
END_TEST

/* ---- updates and moves ---- */

static void all_change(unsigned n)
{
    ekit_people(&k, "p", n);
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, (uint64_t)n);
    people_with(n, "p", 0, 0);
    world_count(k.world);
}

START_TEST(every_update_is_refused)
{
    static const struct {
        unsigned rows, patches_most;
    } sizes[] = {{5, 5}, {60, 60}, {500, 160}};
    all_change(sizes[_i].rows);
    k.guard = "changed=none";
    world_fault(k.world, WORLD_PATCH, 1, 100000, FAULT_400);
    ekit_sync(&k);
    ends_with_words("PATCH");
    EKIT_REASON(&k, INTERRUPTED, (uint64_t)sizes[_i].rows);
    ck_assert_uint_le(k.world->n[WORLD_PATCH], sizes[_i].patches_most);
    world_count(k.world);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    EKIT_COUNT(&k, CHANGED, (uint64_t)sizes[_i].rows);
}
END_TEST

START_TEST(some_updates_are_refused)
{
    all_change(30);
    world_fault(k.world, WORLD_PATCH, 1, 9, FAULT_400);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, REFUSED_THERE, 9u);
    EKIT_COUNT(&k, CHANGED, 21u);
}
END_TEST

static void routed(unsigned n, const char *seg)
{
    FILE *f = fopen(k.csv_path, "w");
    fputs("email,first,seats,seg\n", f);
    for (unsigned i = 0; i < n; i++)
        fprintf(f, "p%u@example.com,F,1,%s\n", i, seg);
    fclose(f);
}

START_TEST(every_move_is_refused)
{
    static const unsigned sizes[] = {3, 5, 40};
    unsigned n = sizes[_i];
    ekit_mapping(&k, MKIT_ROUTED MKIT_FIELDS MKIT_UNGUARDED);
    routed(n, "l");
    ekit_sync(&k);
    EKIT_COUNT(&k, CREATED, (uint64_t)n);
    ekit_later(&k);
    routed(n, "c");
    world_fault(k.world, WORLD_MOVE, 1, 100000, FAULT_400);
    ekit_sync(&k);
    if (n < 5) {
        EKIT_ENDS(&k, XS_LEFT_OVER);
        EKIT_REASON(&k, REFUSED_THERE, (uint64_t)n);
        return;
    }
    ends_with_words("POST /leads/move");
    EKIT_REASON(&k, INTERRUPTED, (uint64_t)n);
    ck_assert_uint_le(k.world->n[WORLD_MOVE], 12);
    ekit_later(&k);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_DONE);
    ck_assert_uint_eq(k.report.tally.moved, n);
}
END_TEST

/* ---- the guard ---- */

START_TEST(the_guard_counts_refusals_as_they_come)
{
    every_nth_is_bad(200, 8);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_GUARD);
    ck_assert_ptr_nonnull(strstr(err_text(&k.e), "rejected"));
    k.guard = "rejected=none";
    every_nth_is_bad(208, 8);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_REASON(&k, REFUSED_THERE, 26u);
    ck_assert_uint_eq(world_n(k.world), 182);
}
END_TEST

/* Fewer than twenty are never too many, and bad addresses are what the list has. */
START_TEST(the_guard_lets_these_pass)
{
    people_with(60, _i == 0 ? "poison" : "invalid", 5, _i == 0 ? 19 : 50);
    ekit_sync(&k);
    EKIT_ENDS(&k, XS_LEFT_OVER);
    EKIT_COUNT(&k, REJECTED, _i == 0 ? 19u : 50u);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("refused");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, a_closed_endpoint_ends_the_run, 0, CLOSED_N);
    tcase_add_loop_test(t, a_closed_update_ends_the_run, 0, CLOSED_N);
    tcase_add_loop_test(t, an_unknown_route_ends_the_run, 0, 3);
    tcase_add_test(t, not_found_though_the_target_is_there);
    tcase_add_loop_test(t, not_found_without_a_cause, 0, 4);
    tcase_add_loop_test(t, every_lead_is_refused, 0, 5);
    tcase_add_loop_test(t, few_leads_are_their_own_fault, 1, 5);
    tcase_add_loop_test(t, bad_leads_among_good_ones, 0, 6);
    tcase_add_test(t, half_of_the_leads_are_bad);
    tcase_add_test(t, other_words_each_time_are_of_the_leads);
    tcase_add_test(t, every_lead_is_named);
    tcase_add_test(t, many_leads_are_named);
    tcase_add_test(t, every_lead_is_refused_after_some_time);
    tcase_add_loop_test(t, a_signal_amid_the_refusals, 1, 9);
    tcase_add_loop_test(t, every_update_is_refused, 0, 3);
    tcase_add_test(t, some_updates_are_refused);
    tcase_add_loop_test(t, every_move_is_refused, 0, 3);
    tcase_add_test(t, the_guard_counts_refusals_as_they_come);
    tcase_add_loop_test(t, the_guard_lets_these_pass, 0, 2);
    suite_add_tcase(s, t);
    return unit_run(s);
}
