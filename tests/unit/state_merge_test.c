/* What outcomes become: leads, refusals, retries, results; and that merging twice is merging once. */
#include "config.h"

#include "tests/unit/state_kit.h"

#include <stdlib.h>

static struct kit k;

static void setup(void)
{
    kit_start(&k);
}

static void teardown(void)
{
    kit_free(&k);
}

START_TEST(created_is_known)
{
    struct target t = {.kind = TARGET_LIST, .id = kit_uuid(99), .status = TARGET_STATUS_UNKNOWN};
    uint32_t number;
    kit_ok(&k, state_target_put(k.s, &t, false, &number, &k.e));
    struct entry entry = kit_created(&k, 1, 11);
    kit_batch(&k, OP_CREATE, number, &entry, 1);
    ck_assert(kit_exists(&k, ".journal"));
    kit_merge(&k);
    ck_assert(!kit_exists(&k, ".journal"));
    ck_assert(!kit_exists(&k, ".journal-wal"));
    struct known_lead lead = kit_lead(&k, 1);
    ck_assert_uint_eq(lead.fingerprint, 11);
    ck_assert_uint_eq(lead.target, number);
    ck_assert_uint_eq(lead.flags, KNOWN_CREATED);
    ck_assert(lead.has_lead_id && uuid_eq(&lead.lead_id, &entry.lead_id));
    ck_assert(str_eq(lead.key_text, entry.key_text));
    ck_assert(str_eq(lead.values, entry.values));
    ck_assert_uint_eq(state_leads_n(k.s), 1);
    for (uint64_t hint = 0; hint < 2; hint++) {
        ck_assert_int_eq(kit_lookup(&k, 1, 11, hint).kind, REMEMBERED_SAME);
        ck_assert_int_eq(kit_lookup(&k, 1, 12, hint).kind, REMEMBERED_OTHER);
        ck_assert_int_eq(kit_lookup(&k, 2, 11, hint).kind, REMEMBERED_NOTHING);
    }
    kit_audit(&k);
}
END_TEST

START_TEST(changed_keeps_who_made_it)
{
    kit_one(&k, OP_CREATE, kit_created(&k, 1, 11));
    struct entry entry = kit_with(kit_entry(&k, 1, 12), OUTCOME_CHANGED, REASON_NONE);
    entry.values = kit_values(&k, "person1@example.com", "Grace");
    kit_one(&k, OP_UPDATE, entry);
    struct known_lead lead = kit_lead(&k, 1);
    ck_assert_uint_eq(lead.fingerprint, 12);
    ck_assert_uint_eq(lead.flags, KNOWN_CREATED);
    ck_assert(lead.has_lead_id);
    ck_assert(str_eq(lead.values, entry.values));
    ck_assert_uint_eq(state_leads_n(k.s), 1);
}
END_TEST

START_TEST(linked_is_known_but_not_created)
{
    struct entry entry = kit_with(kit_entry(&k, 1, 11), OUTCOME_UNCHANGED, REASON_NONE);
    kit_one(&k, OP_CREATE, entry); /* without an id there is nothing to hold on to */
    ck_assert_uint_eq(state_leads_n(k.s), 0);
    entry.has_lead_id = true;
    entry.lead_id = kit_uuid(1);
    kit_one(&k, OP_CREATE, entry);
    ck_assert_uint_eq(kit_lead(&k, 1).flags, 0);
    ck_assert_int_eq(kit_lookup(&k, 1, 11, 0).kind, REMEMBERED_SAME);
}
END_TEST

START_TEST(refused_counts_under_its_context_and_time)
{
    kit_one(&k, OP_CREATE, kit_with(kit_entry(&k, 1, 11), OUTCOME_SKIPPED, REASON_IN_WORKSPACE));
    kit_one(&k, OP_NONE + 1, kit_with(kit_entry(&k, 2, 11), OUTCOME_REJECTED, REASON_REFUSED_THERE));
    for (uint64_t hint = 0; hint < 2; hint++) {
        struct lookup_options o = {.refusal_context = 1, .rows_hint = hint};
        struct hash128 key = kit_key(&k, 1);
        struct remembered r = kit_lookup(&k, 1, 11, hint);
        ck_assert_int_eq(r.kind, REMEMBERED_REFUSED);
        ck_assert_int_eq(r.reason, REASON_IN_WORKSPACE);
        ck_assert_int_eq(kit_lookup(&k, 2, 11, hint).reason, REASON_REFUSED_THERE);
        ck_assert_int_eq(kit_lookup(&k, 1, 12, hint).kind, REMEMBERED_NOTHING);
        for (int i = 0; i < 3; i++) {
            struct lookup_options other = o;
            if (i == 0)
                other.refusal_context = 2;
            else if (i == 1)
                other.refusals_since_ms = k.clock.wall + 1;
            else
                other.ignore_refusals = true;
            kit_ok(&k, state_lookup_start(k.s, &other, &k.e));
            kit_ok(&k, state_lookup(k.s, &key, 11, 1, &r, &k.e));
            ck_assert_int_eq(r.kind, REMEMBERED_NOTHING);
        }
    }
    kit_one(&k, OP_CREATE, kit_created(&k, 1, 11));
    ck_assert_int_eq(kit_lookup(&k, 1, 11, 0).kind, REMEMBERED_SAME);
    kit_audit(&k);
}
END_TEST

START_TEST(decided_without_a_request_is_no_refusal)
{
    struct entry entry = kit_with(kit_entry(&k, 1, 11), OUTCOME_REJECTED, REASON_TYPE_INVALID);
    kit_ok(&k, state_entry_add(k.s, k.run, k.target, &entry, &k.e));
    kit_merge(&k);
    ck_assert_int_eq(kit_lookup(&k, 1, 11, 0).kind, REMEMBERED_NOTHING);
}
END_TEST

START_TEST(failed_goes_to_the_retry_table_and_comes_back)
{
    struct entry entry = kit_with(kit_entry(&k, 5, 11), OUTCOME_FAILED, REASON_API_ERROR), got;
    struct entry early = kit_with(kit_entry(&k, 3, 11), OUTCOME_DEFERRED, REASON_PLAN_FULL);
    struct entry own = kit_with(kit_entry(&k, 6, 11), OUTCOME_FAILED, REASON_NOT_STORED);
    struct retries *r;
    uint32_t target;
    uint64_t mapping;
    entry.attempts = own.attempts = 2;
    kit_ok(&k, state_entry_add(k.s, k.run, 4, &early, &k.e));
    kit_batch(&k, OP_CREATE, k.target, &own, 1);
    kit_one(&k, OP_CREATE, entry);
    ck_assert_uint_eq(state_retries_n(k.s), 3);
    kit_ok(&k, state_retries_open(k.s, &r, &k.e));
    ck_assert_int_eq(kit_ok(&k, state_retries_next(r, &k.arena, &got, &target, &mapping, &k.e)), 1);
    ck_assert_uint_eq(got.row, 3);
    ck_assert_uint_eq(target, 4);
    ck_assert_uint_eq(got.attempts, 0); /* waiting is no attempt, and neither is a request that kept failing */
    ck_assert_int_eq(kit_ok(&k, state_retries_next(r, &k.arena, &got, &target, &mapping, &k.e)), 1);
    ck_assert_uint_eq(got.row, 5);
    ck_assert_uint_eq(target, k.target);
    ck_assert_uint_eq(got.attempts, 2);
    ck_assert(got.retried);
    ck_assert(str_eq(got.values, entry.values));
    ck_assert(hash128_eq(&got.key, &entry.key));
    ck_assert_int_eq(kit_ok(&k, state_retries_next(r, &k.arena, &got, &target, &mapping, &k.e)), 1);
    ck_assert_uint_eq(got.row, 6);
    ck_assert_uint_eq(got.attempts, 3);
    ck_assert_int_eq(kit_ok(&k, state_retries_next(r, &k.arena, &got, &target, &mapping, &k.e)), 0);
    state_retries_close(r);
    struct state *reader = kit_reader(&k), *writer = k.s;
    k.s = reader;
    for (uint64_t hint = 0; hint < 2; hint++) {
        ck_assert_int_eq(kit_lookup(&k, 5, 11, hint).kind, REMEMBERED_RETRY);
        ck_assert_int_eq(kit_lookup(&k, 5, 12, hint).kind, REMEMBERED_NOTHING);
    }
    state_close(reader);
    k.s = writer;
    ck_assert_int_eq(kit_lookup(&k, 5, 11, 0).kind, REMEMBERED_NOTHING);
    kit_one(&k, OP_CREATE, kit_created(&k, 5, 11));
    kit_one(&k, OP_CREATE, kit_created(&k, 6, 11));
    kit_one(&k, OP_CREATE, kit_with(kit_entry(&k, 3, 11), OUTCOME_SKIPPED, REASON_IN_LIST));
    ck_assert_uint_eq(state_retries_n(k.s), 0);
    kit_audit(&k);
}
END_TEST

START_TEST(a_decided_row_leaves_the_retry_table)
{
    kit_one(&k, OP_CREATE, kit_with(kit_entry(&k, 5, 11), OUTCOME_DEFERRED, REASON_PLAN_FULL));
    struct entry now = kit_with(kit_entry(&k, 5, 12), OUTCOME_REJECTED, REASON_EMAIL_INVALID);
    kit_ok(&k, state_entry_add(k.s, k.run, 4, &now, &k.e));
    kit_merge(&k);
    ck_assert_uint_eq(state_retries_n(k.s), 0);
    kit_one(&k, OP_CREATE, kit_with(kit_entry(&k, 6, 11), OUTCOME_DEFERRED, REASON_PLAN_FULL));
    for (uint64_t given_up = 1; given_up <= 2; given_up++) {
        const char *text;
        kit_one(&k, OP_CREATE, kit_with(kit_entry(&k, 6, 11), OUTCOME_FAILED, REASON_ATTEMPTS_EXHAUSTED));
        ck_assert_uint_eq(state_retries_n(k.s), 0);
        kit_ok(&k, state_get(k.s, STATE_GIVEN_UP, &text, &k.e));
        ck_assert_str_eq(text, given_up == 1 ? "1" : "2");
    }
    kit_audit(&k);
}
END_TEST

static uint64_t run_under(uint64_t mapping)
{
    struct run_record run = {.started_ms = 1, .read = "full", .mapping = mapping};
    kit_ok(&k, state_run_start(k.s, &run, &k.e));
    return k.run = run.id;
}

/* A row waits in the form that its run's mapping gave it, whichever run settles its batch. */
START_TEST(retries_know_their_mapping)
{
    static const uint64_t mappings[] = {UINT64_MAX, 7, UINT64_MAX};
    struct retries *r;
    struct entry got;
    uint32_t target;
    uint64_t mapping, n;
    for (uint64_t i = 0; i < 3; i++) {
        struct entry entry = kit_with(kit_entry(&k, i + 1, 11), OUTCOME_DEFERRED, REASON_INTERRUPTED);
        run_under(mappings[i]);
        kit_batch(&k, OP_CREATE, k.target, &entry, 1);
    }
    run_under(7);
    kit_merge(&k);
    kit_ok(&k, state_retries_open(k.s, &r, &k.e));
    for (uint64_t i = 0; i < 3; i++) {
        ck_assert_int_eq(kit_ok(&k, state_retries_next(r, &k.arena, &got, &target, &mapping, &k.e)), 1);
        ck_assert_uint_eq(got.row, i + 1);
        ck_assert_uint_eq(mapping, mappings[i]);
    }
    state_retries_close(r);
    kit_ok(&k, state_retries_of_others(k.s, 7, &n, &k.e));
    ck_assert_uint_eq(n, 2);
    kit_ok(&k, state_retries_drop_others(k.s, 7, &n, &k.e));
    ck_assert_uint_eq(n, 2);
    kit_ok(&k, state_commit(k.s, &k.e));
    ck_assert_uint_eq(state_retries_n(k.s), 1);
    kit_ok(&k, state_retries_of_others(k.s, 7, &n, &k.e));
    ck_assert_uint_eq(n, 0);
    kit_audit(&k);
}
END_TEST

/* The batch of an earlier run is settled last: the newer form of its row waits on, unless that is what the lead has. */
START_TEST(a_newer_form_waits_on)
{
    struct entry older = kit_created(&k, 5, 11);
    struct entry newer = kit_with(kit_entry(&k, 5, _i == 2 ? 11 : 12), OUTCOME_DEFERRED, REASON_JOB_OPEN);
    uint64_t first = k.run, second = kit_run(&k);
    kit_ok(&k, state_entry_add(k.s, second, k.target, &newer, &k.e));
    kit_merge(&k);
    k.run = first;
    kit_one(&k, OP_CREATE, _i == 0 ? kit_with(older, OUTCOME_FAILED, REASON_NOT_STORED) : older);
    ck_assert_uint_eq(state_retries_n(k.s), _i == 2 ? 0 : 1);
    k.run = second;
    struct state *reader = kit_reader(&k), *writer = k.s;
    k.s = reader;
    ck_assert_int_eq(kit_lookup(&k, 5, newer.fingerprint, 0).kind, _i == 2 ? REMEMBERED_SAME : REMEMBERED_RETRY);
    state_close(reader);
    k.s = writer;
    kit_audit(&k);
}
END_TEST

/* An update was done and the move of the same row was not: the row must be looked at again, in whichever order the two
 * were settled. */
/* Two rows of one key: what waits is the one that counted, whatever order the two were written in. */
START_TEST(the_loser_of_a_key_leaves_the_winner_waiting)
{
    struct entry loser = kit_with(kit_entry(&k, 5, 12), OUTCOME_SKIPPED, REASON_DUPLICATE_IN_SOURCE);
    kit_one(&k, OP_CREATE, kit_with(kit_entry(&k, 6, 11), OUTCOME_DEFERRED, REASON_PLAN_FULL));
    struct entry winner = kit_with(kit_entry(&k, 5, 11), OUTCOME_DEFERRED, REASON_PLAN_FULL);
    kit_batch(&k, OP_CREATE, k.target, &winner, 1);
    kit_ok(&k, state_entry_add(k.s, k.run, k.target, &loser, &k.e));
    kit_merge(&k);
    ck_assert_uint_eq(state_retries_n(k.s), 2);
    kit_audit(&k);
}
END_TEST

START_TEST(an_unchanged_row_reports_that_its_key_waits)
{
    for (uint64_t n = 1; n <= 8; n++)
        kit_one(&k, OP_CREATE, kit_created(&k, n, 11));
    kit_one(&k, OP_UPDATE, kit_with(kit_entry(&k, 5, 12), OUTCOME_DEFERRED, REASON_INTERRUPTED));
    /* Through the index, and one by one. */
    for (uint64_t hint = 0; hint < 2; hint++) {
        struct remembered found = kit_lookup(&k, 5, 11, hint);
        ck_assert_int_eq(found.kind, REMEMBERED_SAME);
        ck_assert(found.waits);
        ck_assert_int_eq(kit_lookup(&k, 5, 12, hint).kind, REMEMBERED_OTHER);
        ck_assert(!kit_lookup(&k, 4, 11, hint).waits);
    }
    struct entry same = kit_with(kit_entry(&k, 5, 11), OUTCOME_UNCHANGED, REASON_NONE);
    same.values = STR_NONE;
    kit_ok(&k, state_entry_add(k.s, k.run, k.target, &same, &k.e));
    kit_merge(&k);
    ck_assert_uint_eq(state_retries_n(k.s), 0);
    ck_assert(!kit_lookup(&k, 5, 11, 0).waits);
    ck_assert_uint_gt(kit_lead(&k, 5).values.n, 0);
    kit_audit(&k);
}
END_TEST

START_TEST(half_a_change_is_no_proof)
{
    kit_one(&k, OP_CREATE, kit_created(&k, 1, 11));
    kit_one(&k, OP_CREATE, kit_created(&k, 2, 11));
    struct entry update = kit_with(kit_entry(&k, 1, 12), OUTCOME_CHANGED, REASON_NONE);
    struct entry move = kit_with(kit_entry(&k, 1, 12), OUTCOME_FAILED, REASON_MOVE_NOT_DONE);
    kit_batch(&k, OP_UPDATE, k.target, &update, 1);
    kit_batch(&k, OP_MOVE, k.target, &move, 1);
    update.key = move.key = kit_key(&k, 2);
    update.key_text = move.key_text = kit_text(&k, 2);
    kit_batch(&k, OP_MOVE, k.target, &move, 1);
    kit_batch(&k, OP_UPDATE, k.target, &update, 1);
    kit_merge(&k);
    for (uint64_t n = 1; n <= 2; n++) {
        ck_assert_int_eq(kit_lookup(&k, n, 12, 0).kind, REMEMBERED_OTHER);
        ck_assert_uint_eq(kit_lead(&k, n).fingerprint, 0);
    }
    ck_assert_uint_eq(state_retries_n(k.s), 2);
    move.outcome = OUTCOME_CHANGED;
    move.reason = REASON_NONE;
    kit_run(&k);
    kit_one(&k, OP_MOVE, move);
    ck_assert_int_eq(kit_lookup(&k, 2, 12, 0).kind, REMEMBERED_SAME);
    kit_audit(&k);
}
END_TEST

START_TEST(removed_and_gone_leads_are_looked_at)
{
    kit_one(&k, OP_CREATE, kit_created(&k, 1, 11));
    kit_one(&k, OP_CREATE, kit_created(&k, 2, 11));
    struct entry entry = kit_with(kit_entry(&k, 1, 0), OUTCOME_REMOVED, REASON_NONE);
    entry.row = 0;
    entry.values = STR_NONE;
    kit_one(&k, OP_REMOVE, entry);
    kit_one(&k, OP_UPDATE, kit_with(kit_entry(&k, 2, 12), OUTCOME_FAILED, REASON_GONE_THERE));
    ck_assert_uint_eq(kit_lead(&k, 1).flags, KNOWN_CREATED | KNOWN_REMOVED);
    ck_assert_uint_eq(kit_lead(&k, 2).flags, KNOWN_CREATED | KNOWN_DELETED_THERE);
    ck_assert_int_eq(kit_lookup(&k, 1, 11, 0).kind, REMEMBERED_OTHER);
    ck_assert_int_eq(kit_lookup(&k, 2, 11, 0).kind, REMEMBERED_OTHER);
    kit_one(&k, OP_CREATE, kit_created(&k, 1, 11));
    ck_assert_uint_eq(kit_lead(&k, 1).flags, KNOWN_CREATED);
    ck_assert_int_eq(kit_lookup(&k, 1, 11, 0).kind, REMEMBERED_SAME);
    kit_audit(&k);
}
END_TEST

START_TEST(a_reason_implies_the_status)
{
    kit_one(&k, OP_CREATE, kit_created(&k, 1, 11));
    kit_one(&k, OP_UPDATE, kit_with(kit_entry(&k, 1, 12), OUTCOME_SKIPPED, REASON_UNSUBSCRIBED));
    ck_assert_int_eq(kit_lead(&k, 1).status, -2);
    ck_assert_int_eq(kit_lookup(&k, 1, 11, 0).kind, REMEMBERED_SAME);
    ck_assert_int_eq(kit_lookup(&k, 1, 12, 0).kind, REMEMBERED_REFUSED);
    kit_audit(&k);
}
END_TEST

START_TEST(merging_twice_is_merging_once)
{
    char before[SHA256_HEX_N], after[SHA256_HEX_N];
    struct entry entry = kit_created(&k, 1, 11);
    struct entry other = kit_entry(&k, 2, 11);
    struct batch open = {.run = k.run, .op = OP_CREATE, .target = k.target, .entries = &other, .entries_n = 1};
    kit_ok(&k, state_batch_add(k.s, &open, &k.e));
    uint64_t id = kit_batch(&k, OP_CREATE, k.target, &entry, 1);
    kit_merge(&k);
    ck_assert(kit_exists(&k, ".journal")); /* one batch is open */
    kit_close(&k);
    kit_digest(&k, "", before);
    kit_open(&k, STATE_WRITE);
    kit_merge(&k);
    kit_close(&k);
    kit_digest(&k, "", after);
    ck_assert_str_eq(before, after);
    kit_open(&k, STATE_WRITE);
    struct batch *batches;
    size_t n;
    kit_ok(&k, state_batches_open(k.s, &k.arena, &batches, &n, &k.e));
    ck_assert_uint_eq(n, 1);
    ck_assert_uint_eq(batches[0].id, open.id);
    ck_assert_uint_lt(open.id, id);
    ck_assert(str_eq(batches[0].entries[0].email, other.email));
    batches[0].entries[0].outcome = OUTCOME_CREATED;
    kit_ok(&k, state_batch_settle(k.s, &batches[0], &k.e));
    kit_merge(&k);
    ck_assert(!kit_exists(&k, ".journal"));
    ck_assert_uint_eq(state_leads_n(k.s), 2);
    kit_audit(&k);
}
END_TEST

/* Many windows in one merge, leads in several of them, rows in any order. */
START_TEST(small_memory_merges_the_same)
{
    kit_close(&k);
    k.memory_max = 64 << 10; /* windows of a thousand entries */
    kit_open(&k, STATE_WRITE);
    enum { BATCHES = 12, N = 700 };
    struct entry *entries = calloc(N, sizeof *entries);
    for (uint64_t round = 0; round < 2; round++) {
        kit_run(&k);
        for (uint64_t b = 0; b < BATCHES; b++) {
            for (uint64_t i = 0; i < N; i++) {
                uint64_t n = kit_mix(b * N + i) % 5000;
                entries[i] = kit_created(&k, n, 100 * round + b + 1);
                entries[i].row = b * N + i + 1;
            }
            kit_batch(&k, OP_CREATE, k.target, entries, N);
        }
        kit_merge(&k);
    }
    free(entries);
    uint64_t distinct = 0;
    uint64_t *last = calloc(5000, sizeof *last);
    for (uint64_t b = 0; b < BATCHES; b++)
        for (uint64_t i = 0; i < N; i++)
            last[kit_mix(b * N + i) % 5000] = 100 + b + 1;
    for (uint64_t n = 0; n < 5000; n++) {
        struct hash128 key = kit_key(&k, n);
        struct known_lead lead;
        int rc = kit_ok(&k, state_lead_get(k.s, &key, &k.arena, &lead, &k.e));
        ck_assert_int_eq(rc, last[n] != 0);
        if (rc == 1)
            ck_assert_uint_eq(lead.fingerprint, last[n]);
        distinct += rc == 1;
        arena_reset(&k.arena);
    }
    free(last);
    ck_assert_uint_eq(state_leads_n(k.s), distinct);
    kit_audit(&k);
}
END_TEST

START_TEST(a_big_merge_leaves_a_wal_file_behind_as_before)
{
    enum { BATCHES = 101, N = 1000 };
    struct entry *entries = calloc(N, sizeof *entries);
    for (uint64_t b = 0; b < BATCHES; b++) {
        for (uint64_t i = 0; i < N; i++) {
            entries[i] = kit_created(&k, b * N + i + 1, 5);
            entries[i].values = STR_NONE;
        }
        kit_batch(&k, OP_CREATE, k.target, entries, N);
        arena_reset(&k.arena);
    }
    free(entries);
    kit_merge(&k);
    ck_assert_uint_eq(state_leads_n(k.s), BATCHES * N);
    struct state *reader = kit_reader(&k); /* a reader does not keep the next large merge from happening */
    ck_assert_uint_eq(state_leads_n(reader), BATCHES * N);
    state_close(reader);
    kit_audit(&k);
}
END_TEST

/* Lookups without an index stand on a read transaction; writing goes on beside it. */
START_TEST(lookups_and_writes_go_together)
{
    kit_one(&k, OP_CREATE, kit_created(&k, 1, 11));
    kit_one(&k, OP_CREATE, kit_created(&k, 2, 11));
    for (uint64_t hint = 0; hint < 2; hint++) {
        struct lookup_options o = {.refusal_context = 1, .rows_hint = hint};
        kit_ok(&k, state_lookup_start(k.s, &o, &k.e));
        for (uint64_t n = 1; n <= 3; n++) {
            struct hash128 key = kit_key(&k, n);
            struct remembered r;
            kit_ok(&k, state_set(k.s, "watermark", n == 1 ? "a" : "b", &k.e));
            kit_ok(&k, state_commit(k.s, &k.e));
            struct entry entry = kit_created(&k, 10 * (hint + 1) + n, 11);
            kit_batch(&k, OP_CREATE, k.target, &entry, 1);
            kit_ok(&k, state_lookup(k.s, &key, 11, n, &r, &k.e));
            ck_assert_int_eq(r.kind, n < 3 ? REMEMBERED_SAME : REMEMBERED_NOTHING);
        }
        kit_merge(&k);
        ck_assert_uint_eq(state_leads_n(k.s), 2 + 3 * (hint + 1));
    }
    kit_audit(&k);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("state_merge");
    TCase *c = tcase_create("merge");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, created_is_known);
    tcase_add_test(c, changed_keeps_who_made_it);
    tcase_add_test(c, linked_is_known_but_not_created);
    tcase_add_test(c, refused_counts_under_its_context_and_time);
    tcase_add_test(c, decided_without_a_request_is_no_refusal);
    tcase_add_test(c, failed_goes_to_the_retry_table_and_comes_back);
    tcase_add_test(c, a_decided_row_leaves_the_retry_table);
    tcase_add_test(c, retries_know_their_mapping);
    tcase_add_loop_test(c, a_newer_form_waits_on, 0, 3);
    tcase_add_test(c, the_loser_of_a_key_leaves_the_winner_waiting);
    tcase_add_test(c, an_unchanged_row_reports_that_its_key_waits);
    tcase_add_test(c, half_a_change_is_no_proof);
    tcase_add_test(c, removed_and_gone_leads_are_looked_at);
    tcase_add_test(c, a_reason_implies_the_status);
    tcase_add_test(c, merging_twice_is_merging_once);
    tcase_add_test(c, small_memory_merges_the_same);
    tcase_add_test(c, a_big_merge_leaves_a_wal_file_behind_as_before);
    tcase_add_test(c, lookups_and_writes_go_together);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
