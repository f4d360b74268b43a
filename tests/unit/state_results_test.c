/* What can be asked after a run: results in row order, and batches by their job. */
#include "config.h"

#include "tests/unit/state_kit.h"

static struct kit k;

static void setup(void)
{
    kit_start(&k);
}

static void teardown(void)
{
    kit_free(&k);
}

/* Created, with the id that another number gives. */
static struct entry created_as(uint64_t n, uint64_t id)
{
    struct entry entry = kit_created(&k, n, 11);
    entry.lead_id = kit_uuid(id);
    return entry;
}

START_TEST(rows_come_in_order_from_everywhere)
{
    struct entry a[] = {kit_created(&k, 9, 11), kit_created(&k, 1, 11), kit_created(&k, 5, 11)};
    struct entry b[] = {kit_created(&k, 2, 11), kit_with(kit_entry(&k, 8, 11), OUTCOME_FAILED, REASON_API_ERROR)};
    struct entry gone = kit_with(kit_entry(&k, 4, 11), OUTCOME_REMOVED, REASON_NONE);
    struct entry bad = kit_with(kit_entry(&k, 3, 11), OUTCOME_REJECTED, REASON_EMAIL_INVALID);
    gone.row = 0;
    bad.cells = STR("raw,row");
    bad.detail = STR("why");
    b[1].cells = STR("other");
    kit_batch(&k, OP_REMOVE, k.target, &gone, 1);
    kit_batch(&k, OP_CREATE, k.target, a, 3);
    kit_ok(&k, state_entry_add(k.s, k.run, k.target, &bad, &k.e));
    kit_batch(&k, OP_CREATE, k.target, b, 2);
    static const char expect[] = "1 created 1;2 created 2;3 rejected 3!raw,row?why;5 created 5;8 failed 8!other;"
                                 "9 created 9;0 removed 4;";
    ck_assert_str_eq(kit_listed(&k, k.run), expect);
    kit_merge(&k);
    ck_assert_str_eq(kit_listed(&k, k.run), expect);
    ck_assert_str_eq(kit_listed(&k, k.run + 1), "");
    kit_audit(&k);
}
END_TEST

/* Rows by the time at which their request left, merged and not: no row counts twice, and what is early or late is at an end. */
START_TEST(rows_by_time)
{
    static const int64_t sent[] = {500, 1000, 1999, 2000, 9000, 0};
    for (uint64_t i = 0; i < sizeof sent / sizeof sent[0]; i++) {
        struct entry entries[] = {kit_created(&k, 2 * i + 1, 11), kit_created(&k, 2 * i + 2, 11)};
        struct batch b =
            {.run = k.run, .op = OP_CREATE, .target = k.target, .sent_ms = sent[i], .entries = entries, .entries_n = 2};
        kit_ok(&k, state_batch_add(k.s, &b, &k.e));
        kit_ok(&k, state_batch_update(k.s, &b, &k.e));
        kit_ok(&k, state_batch_settle(k.s, &b, &k.e));
        if (i == 2)
            kit_merge(&k);
    }
    kit_ok(&k, state_commit(k.s, &k.e));
    for (int merged = 0; merged < 2; merged++) {
        uint64_t counts[3] = {0}, none[3] = {0};
        kit_ok(&k, state_run_sent(k.s, k.run, 1000, 1000, counts, 3, &k.e));
        ck_assert_uint_eq(counts[0], 6); /* 500 and what is in the first second; a request that never left is nowhere */
        ck_assert_uint_eq(counts[1], 2);
        ck_assert_uint_eq(counts[2], 2);
        kit_ok(&k, state_run_sent(k.s, k.run + 1, 1000, 1000, none, 3, &k.e));
        ck_assert_uint_eq(none[0] + none[1] + none[2], 0);
        kit_merge(&k);
    }
}
END_TEST

/* Batches that all overlap, and a row in two of them, which is told once. */
START_TEST(overlapping_batches_interleave)
{
    enum { BATCHES = 40, N = 50 };
    for (uint64_t b = 0; b < BATCHES; b++) {
        struct entry entries[N];
        for (uint64_t i = 0; i < N; i++)
            entries[i] = kit_created(&k, 1 + b + i * BATCHES, 11);
        kit_batch(&k, OP_CREATE, k.target, entries, N);
    }
    struct entry again = kit_with(kit_entry(&k, 7, 11), OUTCOME_CHANGED, REASON_NONE);
    kit_batch(&k, OP_MOVE, k.target, &again, 1);
    for (int merged = 0; merged < 2; merged++) {
        struct results *r;
        struct entry entry;
        enum op op;
        uint32_t target;
        uint64_t row = 0;
        kit_ok(&k, state_results_open(k.s, k.run, &r, &k.e));
        while (kit_ok(&k, state_results_next(r, &k.arena, &entry, &op, &target, &k.e)) == 1) {
            ck_assert_uint_eq(entry.row, ++row);
            ck_assert_int_eq(op, row == 7 ? OP_MOVE : OP_CREATE);
            ck_assert_int_eq(entry.outcome, row == 7 ? OUTCOME_CHANGED : OUTCOME_CREATED);
            struct hash128 key = kit_key(&k, row);
            struct uuid id = kit_uuid(row);
            ck_assert(hash128_eq(&entry.key, &key));
            ck_assert(entry.has_lead_id && uuid_eq(&entry.lead_id, &id));
        }
        ck_assert_uint_eq(row, (uint64_t)BATCHES * N);
        state_results_close(r);
        kit_merge(&k);
    }
}
END_TEST

/* A row of the retry table bears the number that it had in its own run. */
START_TEST(two_rows_of_one_number_are_both_told)
{
    struct entry old = kit_created(&k, 1, 11), new = kit_created(&k, 2, 11);
    old.retried = true;
    old.row = new.row = 5;
    kit_batch(&k, OP_CREATE, k.target, &old, 1);
    kit_batch(&k, OP_CREATE, k.target, &new, 1);
    ck_assert_str_eq(kit_listed(&k, k.run), "5 created 1;5 created 2;");
    kit_merge(&k);
    ck_assert_str_eq(kit_listed(&k, k.run), "5 created 1;5 created 2;");
}
END_TEST

/* In the stage's list, a lead is known, and its row is looked at again until the move is proved. */
START_TEST(a_staged_lead_is_not_in_the_target_yet)
{
    struct entry entry = kit_created(&k, 1, 11);
    entry.staged = true;
    kit_batch(&k, OP_CREATE, k.target, &entry, 1);
    kit_merge(&k);
    struct hash128 key = kit_key(&k, 1);
    struct known_lead lead;
    ck_assert_int_eq(kit_ok(&k, state_lead_get(k.s, &key, &k.arena, &lead, &k.e)), 1);
    ck_assert_uint_eq(lead.fingerprint, 0);
    ck_assert(lead.has_lead_id);
    ck_assert_int_eq(kit_lookup(&k, 1, 11, 0).kind, REMEMBERED_OTHER);
    entry.staged = false;
    entry.outcome = OUTCOME_CHANGED;
    kit_batch(&k, OP_MOVE, k.target, &entry, 1);
    kit_merge(&k);
    ck_assert_int_eq(kit_lookup(&k, 1, 11, 0).kind, REMEMBERED_SAME);
    ck_assert_str_eq(kit_listed(&k, k.run), "1 changed 1;");
    kit_audit(&k);
}
END_TEST

/* A row whose address another row has is refused by a hash of the address, until it waits. */
START_TEST(a_row_loses_its_address)
{
    const struct hash128 key = kit_key(&k, 1);
    for (uint64_t hint = 0; hint <= 1000; hint += 1000) {
        struct entry lost = kit_with(kit_entry(&k, 1, 77), OUTCOME_SKIPPED, REASON_DUPLICATE_IN_SOURCE);
        bool was = false;
        lost.by_address = true;
        kit_ok(&k, state_entry_add(k.s, k.run, k.target, &lost, &k.e));
        kit_merge(&k);
        ck_assert_int_eq(kit_lookup(&k, 1, 11, hint).kind, REMEMBERED_NOTHING);
        ck_assert_int_eq(kit_ok(&k, state_was_refused(k.s, &key, 77, REASON_DUPLICATE_IN_SOURCE, &was, &k.e)), 0);
        ck_assert(was);
        ck_assert_int_eq(kit_ok(&k, state_was_refused(k.s, &key, 77, REASON_BLOCKLISTED, &was, &k.e)), 0);
        ck_assert(!was);
        ck_assert_int_eq(kit_ok(&k, state_was_refused(k.s, &key, 11, REASON_DUPLICATE_IN_SOURCE, &was, &k.e)), 0);
        ck_assert(!was);
        kit_one(&k, OP_CREATE, kit_with(kit_entry(&k, 1, 11), OUTCOME_DEFERRED, REASON_OUTCOME_OPEN));
        kit_merge(&k);
        kit_lookup(&k, 2, 11, hint);
        ck_assert_int_eq(kit_ok(&k, state_was_refused(k.s, &key, 77, REASON_DUPLICATE_IN_SOURCE, &was, &k.e)), 0);
        ck_assert(!was);
        kit_audit(&k);
    }
}
END_TEST

static struct uuid id_in(uint64_t run)
{
    struct results *r;
    struct entry entry;
    enum op op;
    uint32_t target;
    kit_ok(&k, state_results_open(k.s, run, &r, &k.e));
    ck_assert_int_eq(kit_ok(&k, state_results_next(r, &k.arena, &entry, &op, &target, &k.e)), 1);
    state_results_close(r);
    ck_assert(entry.has_lead_id);
    return entry.lead_id;
}

START_TEST(old_runs_show_the_id_that_a_lead_had_then)
{
    for (uint64_t run = 1; run <= 3; run++) {
        if (run > 1)
            kit_run(&k);
        struct entry entry = created_as(1, 100 * run);
        kit_batch(&k, OP_CREATE, k.target, &entry, 1);
        kit_merge(&k);
    }
    for (uint64_t run = 1; run <= 3; run++) {
        struct uuid got = id_in(run), want = kit_uuid(100 * run);
        ck_assert_msg(uuid_eq(&got, &want), "run %llu", (unsigned long long)run);
    }
    kit_run(&k);
    struct entry twice[] = {created_as(2, 900), created_as(2, 901)};
    kit_batch(&k, OP_CREATE, k.target, twice, 2);
    kit_merge(&k);
    struct uuid got = id_in(k.run);
    ck_assert(uuid_eq(&got, &twice[1].lead_id)); /* one row: as the later one left it */
    kit_audit(&k);
}
END_TEST

START_TEST(a_job_leads_to_its_batches_and_their_entries)
{
    struct entry entries[] = {kit_with(kit_entry(&k, 5, 11), OUTCOME_NONE, REASON_NONE),
                              kit_with(kit_entry(&k, 2, 11), OUTCOME_NONE, REASON_NONE)};
    struct batch b = {.run = k.run, .op = OP_MOVE, .target = k.target, .source = 9, .entries = entries, .entries_n = 2};
    struct batch head;
    struct results *r;
    struct entry got;
    enum op op;
    uint32_t target;
    uint64_t id;
    kit_ok(&k, state_batch_add(k.s, &b, &k.e));
    b.job = "job-1";
    b.state = BATCH_ACCEPTED;
    kit_ok(&k, state_batch_update(k.s, &b, &k.e));
    ck_assert_int_eq(kit_ok(&k, state_batch_find(k.s, "job-2", 0, &id, &k.e)), 0);
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(kit_ok(&k, state_batch_find(k.s, "job-1", 0, &id, &k.e)), 1);
        ck_assert_uint_eq(id, b.id);
        ck_assert_int_eq(kit_ok(&k, state_batch_find(k.s, "job-1", id, &id, &k.e)), 0);
        ck_assert_int_eq(kit_ok(&k, state_batch_results_open(k.s, b.id, &k.arena, &head, &r, &k.e)), 1);
        ck_assert_int_eq(head.op, OP_MOVE);
        ck_assert_uint_eq(head.source, 9);
        ck_assert_uint_eq(head.entries_n, 2);
        ck_assert_str_eq(head.job, "job-1");
        ck_assert_int_eq(head.state, round == 0 ? BATCH_ACCEPTED : BATCH_DONE);
        for (uint64_t row = 2; row <= 5; row += 3) {
            ck_assert_int_eq(kit_ok(&k, state_results_next(r, &k.arena, &got, &op, &target, &k.e)), 1);
            ck_assert_uint_eq(got.row, row);
            ck_assert(str_eq(got.key_text, kit_text(&k, row)));
            ck_assert_int_eq(got.outcome, round == 0 ? OUTCOME_NONE : OUTCOME_CHANGED);
        }
        ck_assert_int_eq(kit_ok(&k, state_results_next(r, &k.arena, &got, &op, &target, &k.e)), 0);
        state_results_close(r);
        if (round == 0) {
            entries[0].outcome = entries[1].outcome = OUTCOME_CHANGED;
            kit_ok(&k, state_batch_settle(k.s, &b, &k.e));
        } else {
            kit_merge(&k);
        }
    }
    ck_assert_int_eq(kit_ok(&k, state_batch_results_open(k.s, 999, &k.arena, &head, &r, &k.e)), 0);
}
END_TEST

/* "row outcome reason;…" of the run, open batches included. */
static const char *listed_all(struct state *state)
{
    static struct buf out = BUF_INIT(1 << 16);
    struct results *r;
    struct entry entry;
    enum op op;
    uint32_t target;
    buf_reset(&out);
    kit_ok(&k, state_results_open_all(state, k.run, &r, &k.e));
    while (kit_ok(&k, state_results_next(r, &k.arena, &entry, &op, &target, &k.e)) == 1)
        ck_assert_int_eq(buf_addf(&out, "%llu %s %s;", (unsigned long long)entry.row, outcome_text(entry.outcome),
                                  reason_text(entry.reason)),
                         0);
    state_results_close(r);
    return buf_cstr(&out);
}

/* A row that waits for the outcome of its batch is on the list from the intent on, also for a reader. */
START_TEST(open_rows_are_deferred)
{
    struct entry waits[] = {kit_entry(&k, 6, 11), kit_entry(&k, 2, 11)};
    struct entry moves = kit_entry(&k, 4, 11);
    struct entry done[] = {kit_created(&k, 1, 11), kit_with(kit_entry(&k, 2, 11), OUTCOME_DEFERRED, REASON_OUTCOME_OPEN)};
    struct batch sent = {.run = k.run, .op = OP_CREATE, .target = k.target, .entries = waits, .entries_n = 2};
    struct batch job = {.run = k.run, .op = OP_MOVE, .target = k.target, .source = 9, .entries = &moves, .entries_n = 1};
    static const char expect[] = "1 created ;2 deferred outcome_open;4 deferred job_open;6 deferred outcome_open;";
    kit_batch(&k, OP_CREATE, k.target, done, 2);
    kit_ok(&k, state_batch_add(k.s, &sent, &k.e));
    kit_ok(&k, state_batch_add(k.s, &job, &k.e));
    job.job = "job-1";
    job.state = BATCH_ACCEPTED;
    kit_ok(&k, state_batch_update(k.s, &job, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    for (int merged = 0; merged < 2; merged++) {
        struct state *reader = kit_reader(&k);
        ck_assert_str_eq(listed_all(k.s), expect);
        ck_assert_str_eq(listed_all(reader), expect);
        state_close(reader);
        ck_assert_str_eq(kit_listed(&k, k.run), "1 created 1;2 deferred 2;");
        kit_merge(&k);
    }
    waits[0] = kit_created(&k, 6, 11);
    waits[1] = kit_created(&k, 2, 11);
    kit_ok(&k, state_batch_settle(k.s, &sent, &k.e));
    ck_assert_str_eq(listed_all(k.s), "1 created ;2 created ;4 deferred job_open;6 created ;");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("state_results");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, rows_come_in_order_from_everywhere);
    tcase_add_test(c, rows_by_time);
    tcase_add_test(c, overlapping_batches_interleave);
    tcase_add_test(c, two_rows_of_one_number_are_both_told);
    tcase_add_test(c, a_staged_lead_is_not_in_the_target_yet);
    tcase_add_test(c, a_row_loses_its_address);
    tcase_add_test(c, old_runs_show_the_id_that_a_lead_had_then);
    tcase_add_test(c, open_rows_are_deferred);
    tcase_add_test(c, a_job_leads_to_its_batches_and_their_entries);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
