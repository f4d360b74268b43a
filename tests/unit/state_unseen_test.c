/* What a state tells of its leads: those that no row met, those that were removed, and what hashed values still tell. */
#include "config.h"

#include "tests/unit/state_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct kit k;

static void setup(void)
{
    kit_start(&k);
}

static void teardown(void)
{
    kit_free(&k);
}

START_TEST(unseen_are_those_that_no_row_met)
{
    for (uint64_t n = 1; n <= 6; n++)
        kit_one(&k, OP_CREATE, kit_created(&k, n, 11));
    struct entry gone = kit_with(kit_entry(&k, 6, 0), OUTCOME_REMOVED, REASON_NONE);
    kit_one(&k, OP_REMOVE, gone);
    for (uint64_t hint = 0; hint < 2; hint++) {
        struct lookup_options o = {.rows_hint = hint == 0 ? 0 : 1};
        struct remembered r;
        kit_ok(&k, state_lookup_start(k.s, &o, &k.e));
        for (uint64_t n = 1; n <= 3; n++) {
            struct hash128 key = kit_key(&k, n);
            kit_ok(&k, state_lookup(k.s, &key, 12, 40 + n, &r, &k.e));
            ck_assert_int_eq(r.kind, REMEMBERED_OTHER);
            kit_ok(&k, state_lookup(k.s, &key, 12, 50 + n, &r, &k.e));
            ck_assert_int_eq(r.kind, REMEMBERED_SEEN);
        }
        struct unseen *u;
        struct hash128 key, before = {{0}};
        struct known_lead lead;
        uint64_t mark;
        size_t n = 0;
        kit_ok(&k, state_unseen_open(k.s, false, &u, &k.e));
        while (kit_ok(&k, state_unseen_next(u, &key, &k.arena, &lead, &mark, &k.e)) == 1) {
            ck_assert_int_lt(memcmp(before.b, key.b, 16), 0);
            before = key;
            ck_assert(lead.key_text.p[6] == '4' || lead.key_text.p[6] == '5');
            ck_assert_uint_eq(mark, 0);
            n++;
        }
        ck_assert_uint_eq(n, 2);
        ck_assert_uint_eq(state_unseen_live(u), 5);
        state_unseen_close(u);
    }
}
END_TEST

static const char *unseen_text(struct state *s, bool marked)
{
    static char text[200];
    struct unseen *u;
    struct hash128 key;
    struct known_lead lead;
    uint64_t mark, marks[10] = {0};
    bool unsettled[10] = {false};
    text[0] = '\0';
    kit_ok(&k, state_unseen_open(s, marked, &u, &k.e));
    while (kit_ok(&k, state_unseen_next(u, &key, &k.arena, &lead, &mark, &k.e)) == 1) {
        marks[lead.key_text.p[6] - '0'] = mark + 1;
        unsettled[lead.key_text.p[6] - '0'] = lead.unsettled;
    }
    for (size_t n = 0; n < 10; n++)
        if (marks[n] > 0)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%zu:%llu%s ", n, (unsigned long long)marks[n] - 1,
                     unsettled[n] ? "?" : "");
    state_unseen_close(u);
    return text;
}

/* A row that makes no lead: its lead is told with the row's mark, unless another row of the key wants it. */
START_TEST(spared_leads_are_not_gone)
{
    for (uint64_t n = 1; n <= 4; n++)
        kit_one(&k, OP_CREATE, kit_created(&k, n, 11));
    for (uint64_t hint = 0; hint < 2; hint++) {
        struct lookup_options o = {.rows_hint = hint};
        struct remembered r;
        struct hash128 key;
        bool seen;
        kit_ok(&k, state_lookup_start(k.s, &o, &k.e));
        static const struct {
            uint64_t n, mark;
        } spared[] = {{1, 7}, {1, 8}, {2, 9}, {9, 3}};
        for (size_t i = 0; i < sizeof spared / sizeof spared[0]; i++) {
            key = kit_key(&k, spared[i].n);
            kit_ok(&k, state_mark_protected(k.s, &key, spared[i].mark, &k.e));
        }
        /* Spared before: it competes all the same. */
        key = kit_key(&k, 2);
        kit_ok(&k, state_lookup(k.s, &key, 11, 1, &r, &k.e));
        ck_assert_int_eq(r.kind, REMEMBERED_SAME);
        key = kit_key(&k, 1);
        kit_ok(&k, state_seen(k.s, &key, &seen, &k.e));
        ck_assert(seen);
        key = kit_key(&k, 3);
        kit_ok(&k, state_seen(k.s, &key, &seen, &k.e));
        ck_assert(!seen);
        ck_assert_str_eq(unseen_text(k.s, false), "1:7 3:0 4:0 ");
        ck_assert_str_eq(unseen_text(k.s, true), "1:7 ");
    }
}
END_TEST

/* What is under way is not to be decided about: a writer settles it first, and a reader is told that it is not settled. */
START_TEST(readers_see_leads_in_open_batches)
{
    for (uint64_t n = 1; n <= 3; n++)
        kit_one(&k, OP_CREATE, kit_created(&k, n, 11));
    struct entry moving = kit_entry(&k, 2, 12);
    struct batch b = {.run = k.run,
                      .op = OP_MOVE,
                      .state = BATCH_ACCEPTED,
                      .target = k.target,
                      .entries = &moving,
                      .entries_n = 1,
                      .job = "j"};
    kit_ok(&k, state_batch_add(k.s, &b, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    struct lookup_options o = {0};
    kit_ok(&k, state_lookup_start(k.s, &o, &k.e));
    ck_assert_str_eq(unseen_text(k.s, false), "1:0 3:0 ");
    struct state *reader = kit_reader(&k);
    kit_ok(&k, state_lookup_start(reader, &o, &k.e));
    ck_assert_str_eq(unseen_text(reader, false), "1:0 2:0? 3:0 ");
    state_close(reader);
}
END_TEST

/* A removal marks the lead, keeps what it learnt of the person, and says where a moved one is. */
START_TEST(removals_are_remembered)
{
    struct known_lead lead;
    struct hash128 key = kit_key(&k, 1);
    kit_one(&k, OP_CREATE, kit_created(&k, 1, 11));
    struct entry gone = kit_with(kit_entry(&k, 1, 0), OUTCOME_REMOVED, REASON_UNSUBSCRIBED);
    gone.row = 0;
    gone.values = STR_NONE;
    kit_one(&k, OP_REMOVE, gone);
    kit_ok(&k, state_lead_get(k.s, &key, &k.arena, &lead, &k.e));
    ck_assert_uint_eq(lead.flags, KNOWN_CREATED | KNOWN_REMOVED);
    ck_assert_int_eq(lead.status, -2);
    ck_assert_uint_eq(lead.fingerprint, 0);
    ck_assert(lead.has_lead_id);
    /* Created again (what it was told forbids that, but a person may do it by hand and the row is linked). */
    kit_one(&k, OP_CREATE, kit_created(&k, 1, 11));
    struct batch b = {.run = k.run, .op = OP_MOVE, .target = 7, .source = k.target, .entries = &gone, .entries_n = 1};
    gone.reason = REASON_NONE;
    kit_ok(&k, state_batch_add(k.s, &b, &k.e));
    kit_ok(&k, state_batch_settle(k.s, &b, &k.e));
    kit_merge(&k);
    kit_ok(&k, state_lead_get(k.s, &key, &k.arena, &lead, &k.e));
    ck_assert_uint_eq(lead.flags, KNOWN_CREATED | KNOWN_REMOVED | KNOWN_AWAY);
    ck_assert_uint_eq(lead.target, 7);
    /* Moved back: no longer away. */
    struct entry back = kit_with(kit_entry(&k, 1, 12), OUTCOME_CHANGED, REASON_NONE);
    kit_one(&k, OP_MOVE, back);
    kit_ok(&k, state_lead_get(k.s, &key, &k.arena, &lead, &k.e));
    ck_assert_uint_eq(lead.flags, KNOWN_CREATED);
    ck_assert_uint_eq(lead.target, k.target);
    ck_assert_uint_eq(lead.fingerprint, 12);
    /* A removal that was not done refuses no row. */
    gone.outcome = OUTCOME_SKIPPED;
    gone.reason = REASON_CONTACTED;
    kit_one(&k, OP_MOVE, gone);
    ck_assert_int_eq(kit_lookup(&k, 1, 12, 0).kind, REMEMBERED_SAME);
    ck_assert_int_eq(kit_lookup(&k, 1, 0, 0).kind, REMEMBERED_OTHER);
    kit_audit(&k);
}
END_TEST

/* Both ways in turns: what is hashed already is left alone. And who names no sync, as `resume --state` does, does not
 * turn the file round. */
START_TEST(hashed_values_come_and_go)
{
    static const bool hashed[] = {true, false, true, true};
    for (uint64_t n = 1; n <= sizeof hashed / sizeof hashed[0]; n++) {
        struct state_options o = {.path = k.path,
                                  .access = STATE_WRITE,
                                  .sync = "people",
                                  .values_hashed = hashed[n - 1],
                                  .memory_max = k.memory_max,
                                  .clock = &k.clock.base};
        kit_close(&k);
        kit_ok(&k, state_open(&o, &k.s, &k.e));
        kit_ok(&k, state_lock(k.s, 0, &k.e));
        kit_run(&k);
        kit_one(&k, OP_CREATE, kit_created(&k, n, 11));
        ck_assert_uint_gt(hashed[n - 1] ? kit_lead(&k, n).hashes.n : kit_lead(&k, n).values.n, 0);
    }
    kit_close(&k);
    kit_open(&k, STATE_WRITE);
    kit_run(&k);
    kit_one(&k, OP_CREATE, kit_created(&k, 9, 11));
    for (uint64_t n = 1; n <= 4; n++)
        ck_assert_uint_gt(kit_lead(&k, n).hashes.n, 0);
    ck_assert_uint_gt(kit_lead(&k, 9).hashes.n, 0);
    ck_assert_uint_eq(kit_lead(&k, 9).values.n, 0);
    kit_audit(&k);
}
END_TEST

START_TEST(hashed_values_leave_no_text)
{
    kit_one(&k, OP_CREATE, kit_created(&k, 1, 11)); /* kept, and hashed by the next merge */
    kit_close(&k);
    k.hashed = true;
    kit_open(&k, STATE_WRITE);
    kit_run(&k);
    struct entry entry = kit_created(&k, 2, 11),
                 bad = kit_with(kit_entry(&k, 3, 11), OUTCOME_REJECTED, REASON_REFUSED_THERE);
    bad.detail = STR("person3@example.com is odd");
    bad.cells = STR("cells of person3@example.com");
    kit_batch(&k, OP_CREATE, k.target, &entry, 1);
    kit_batch(&k, OP_CREATE, k.target, &bad, 1);
    kit_merge(&k);
    for (uint64_t n = 1; n <= 2; n++) {
        struct known_lead lead = kit_lead(&k, n);
        struct value name = {VALUE_STRING, "Ada", 3}, other = {VALUE_STRING, "Eve", 3};
        ck_assert_uint_eq(lead.values.n, 0);
        ck_assert_uint_eq(lead.key_text.n, 0);
        ck_assert_uint_gt(lead.hashes.n, 0);
        ck_assert_uint_eq(lead.flags, KNOWN_CREATED);
        ck_assert(state_value_unchanged(k.s, lead.hashes, "first_name", false, &name));
        ck_assert(!state_value_unchanged(k.s, lead.hashes, "first_name", false, &other));
        ck_assert(!state_value_unchanged(k.s, lead.hashes, "first_name", true, &name));
        ck_assert(!state_value_unchanged(k.s, lead.hashes, "last_name", false, &name));
    }
    kit_audit(&k);
    kit_close(&k);
    char *command = NULL;
    ck_assert_int_ge(asprintf(&command, "grep -q -a -e 'person[123]@' -e Ada '%s'*", k.path), 0);
    ck_assert_int_ne(system(command), 0);
    free(command);
}
END_TEST

/* Known leads that are there: kept by the merge, whatever becomes of a lead, and counted where nobody has kept it. */
static uint64_t leads_there(struct state *s)
{
    uint64_t n = UINT64_MAX;
    kit_ok(&k, state_leads_there(s, &n, &k.e));
    return n;
}

START_TEST(leads_that_are_there_are_known_without_counting)
{
    ck_assert_uint_eq(leads_there(k.s), 0);
    for (uint64_t n = 1; n <= 6; n++)
        kit_one(&k, OP_CREATE, kit_created(&k, n, 11));
    ck_assert_uint_eq(leads_there(k.s), 6);
    kit_one(&k, OP_REMOVE, kit_with(kit_entry(&k, 1, 0), OUTCOME_REMOVED, REASON_NONE));
    kit_one(&k, OP_MOVE, kit_with(kit_entry(&k, 2, 0), OUTCOME_REMOVED, REASON_NONE)); /* away */
    kit_one(&k, OP_UPDATE, kit_with(kit_entry(&k, 3, 12), OUTCOME_SKIPPED, REASON_DELETED_THERE));
    kit_one(&k, OP_UPDATE, kit_with(kit_entry(&k, 3, 12), OUTCOME_SKIPPED, REASON_DELETED_THERE)); /* once is enough */
    ck_assert_uint_eq(leads_there(k.s), 3);
    kit_one(&k, OP_CREATE, kit_created(&k, 1, 13)); /* back */
    ck_assert_uint_eq(leads_there(k.s), 4);
    ck_assert_uint_eq(state_leads_n(k.s), 6);
    kit_audit(&k);
    struct state *reader = kit_reader(&k);
    ck_assert_uint_eq(leads_there(reader), 4);
    state_close(reader);
    /* As an older leadsync left it: a reader counts, and the next merge that writes keeps it from then on. */
    const char *kept;
    kit_ok(&k, state_set(k.s, "leads_gone", NULL, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    kit_close(&k);
    kit_open(&k, STATE_WRITE);
    reader = kit_reader(&k);
    ck_assert_uint_eq(leads_there(reader), 4);
    state_close(reader);
    kit_run(&k);
    kit_one(&k, OP_REMOVE, kit_with(kit_entry(&k, 4, 0), OUTCOME_REMOVED, REASON_NONE));
    ck_assert_uint_eq(leads_there(k.s), 3);
    kit_ok(&k, state_get(k.s, "leads_gone", &kept, &k.e));
    ck_assert_str_eq(kept, "3");
    kit_audit(&k);
    /* Whoever is forgotten is neither there nor gone, in whichever of the two. */
    struct forgotten counts;
    for (uint64_t n = 2; n <= 5; n += 3) {
        char email[40];
        snprintf(email, sizeof email, "%.*s", STR_ARG(kit_text(&k, n)));
        const struct person_name person = {.address = str_from(email)};
        kit_ok(&k, state_forget(k.s, &person, &counts, &k.e));
        ck_assert_uint_eq(counts.leads, 1);
    }
    ck_assert_uint_eq(leads_there(k.s), 2);
    kit_audit(&k);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("state_unseen");
    TCase *c = tcase_create("unseen");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, unseen_are_those_that_no_row_met);
    tcase_add_test(c, spared_leads_are_not_gone);
    tcase_add_test(c, readers_see_leads_in_open_batches);
    tcase_add_test(c, removals_are_remembered);
    tcase_add_test(c, leads_that_are_there_are_known_without_counting);
    tcase_add_test(c, hashed_values_leave_no_text);
    tcase_add_test(c, hashed_values_come_and_go);
    suite_add_tcase(s, c);
    return unit_run(s);
}
