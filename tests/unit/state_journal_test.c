/* The journal: what a commit keeps, what a crash loses, what is open. */
#include "config.h"

#include "tests/unit/state_kit.h"

#include "sync/state/state_int.h"

#include <stdio.h>
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

static void reopen(void)
{
    kit_close(&k);
    kit_open(&k, STATE_WRITE);
}

static size_t open_n(void)
{
    struct batch *batches;
    size_t n;
    kit_ok(&k, state_batches_open(k.s, &k.arena, &batches, &n, &k.e));
    return n;
}

START_TEST(a_batch_is_kept_whole)
{
    struct entry entries[3];
    struct batch *got;
    size_t n;
    for (uint64_t i = 0; i < 3; i++) {
        entries[i] = kit_entry(&k, i + 1, 11 + i);
        entries[i].cells = STR("cells");
        entries[i].attempts = (unsigned)i;
    }
    struct batch b = {.run = k.run,
                      .op = OP_MOVE,
                      .state = BATCH_PLANNED,
                      .target = k.target,
                      .source = 9,
                      .body_sha256 = "abc",
                      .entries = entries,
                      .entries_n = 3};
    kit_ok(&k, state_batch_add(k.s, &b, &k.e));
    ck_assert_uint_gt(b.id, 0);
    kit_ok(&k, state_commit(k.s, &k.e));
    b.state = BATCH_ACCEPTED;
    b.sent_ms = 5;
    b.skew_ms = -6;
    b.http_status = 202;
    b.job = "job-1";
    kit_ok(&k, state_batch_update(k.s, &b, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    reopen();
    kit_ok(&k, state_batches_open(k.s, &k.arena, &got, &n, &k.e));
    ck_assert_uint_eq(n, 1);
    ck_assert_uint_eq(got->id, b.id);
    ck_assert_uint_eq(got->run, k.run);
    ck_assert_int_eq(got->op, OP_MOVE);
    ck_assert_int_eq(got->state, BATCH_ACCEPTED);
    ck_assert_uint_eq(got->target, k.target);
    ck_assert_uint_eq(got->source, 9);
    ck_assert_int_eq(got->sent_ms, 5);
    ck_assert_int_eq(got->skew_ms, -6);
    ck_assert_int_eq(got->http_status, 202);
    ck_assert_str_eq(got->body_sha256, "abc");
    ck_assert_str_eq(got->job, "job-1");
    ck_assert_uint_eq(got->entries_n, 3);
    for (uint64_t i = 0; i < 3; i++) {
        ck_assert(hash128_eq(&got->entries[i].key, &entries[i].key));
        ck_assert(str_eq(got->entries[i].values, entries[i].values));
        struct buf scratch = BUF_INIT(1024);
        struct str cells;
        ck_assert_int_eq(entry_cells(&got->entries[i], &scratch, &cells), 0);
        ck_assert(str_eq(cells, entries[i].cells));
        buf_free(&scratch);
        ck_assert_uint_eq(got->entries[i].attempts, i);
        ck_assert_int_eq(got->entries[i].outcome, OUTCOME_NONE);
    }
}
END_TEST

START_TEST(what_is_not_committed_is_lost_whole)
{
    struct entry entry = kit_entry(&k, 1, 11);
    struct batch b = {.run = k.run, .op = OP_CREATE, .entries = &entry, .entries_n = 1};
    kit_ok(&k, state_batch_add(k.s, &b, &k.e));
    kit_ok(&k, state_set(k.s, "watermark", "5", &k.e));
    ck_assert_uint_eq(open_n(), 1);
    reopen();
    ck_assert_uint_eq(open_n(), 0);
    const char *value;
    kit_ok(&k, state_get(k.s, "watermark", &value, &k.e));
    ck_assert_ptr_null(value);
    kit_ok(&k, state_batch_add(k.s, &b, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    reopen();
    ck_assert_uint_eq(open_n(), 1);
    entry.outcome = OUTCOME_CREATED;
    kit_ok(&k, state_batch_settle(k.s, &b, &k.e));
    reopen(); /* the outcome is lost: the batch is open again */
    ck_assert_uint_eq(open_n(), 1);
    kit_ok(&k, state_batch_settle(k.s, &b, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    reopen();
    ck_assert_uint_eq(open_n(), 0);
    kit_merge(&k);
    ck_assert_uint_eq(state_leads_n(k.s), 1);
}
END_TEST

START_TEST(pending_counts_events_and_their_age)
{
    struct entry entry = kit_entry(&k, 1, 11);
    struct batch b = {.run = k.run, .op = OP_CREATE, .entries = &entry, .entries_n = 1};
    int64_t age;
    ck_assert_uint_eq(state_pending(k.s, &age), 0);
    ck_assert_int_eq(age, 0);
    kit_ok(&k, state_batch_add(k.s, &b, &k.e));
    clock_fake_advance_us(&k.clock, 700);
    entry.outcome = OUTCOME_SKIPPED;
    for (int i = 0; i < 50; i++)
        kit_ok(&k, state_entry_add(k.s, k.run, k.target, &entry, &k.e)); /* fifty rows, one event */
    ck_assert_uint_eq(state_pending(k.s, &age), 2);
    ck_assert_int_eq(age, 700);
    kit_ok(&k, state_commit(k.s, &k.e));
    ck_assert_uint_eq(state_pending(k.s, NULL), 0);
}
END_TEST

START_TEST(loose_entries_pack_by_the_thousand)
{
    enum { N = 2500 };
    struct results *r;
    struct entry got;
    enum op op;
    uint32_t target;
    size_t n = 0;
    for (uint64_t i = 1; i <= N; i++) {
        struct entry entry = kit_entry(&k, i, 11);
        entry.outcome = OUTCOME_REJECTED;
        entry.reason = REASON_EMAIL_INVALID;
        kit_ok(&k, state_entry_add(k.s, k.run, (uint32_t)(i % 3), &entry, &k.e));
    }
    kit_ok(&k, state_commit(k.s, &k.e));
    int64_t chunks;
    kit_ok(&k, db_int(&k.s->journal.db, &chunks, 0, "SELECT count(*) FROM batches", &k.e));
    ck_assert_int_eq(chunks, 3);
    kit_merge(&k);
    kit_ok(&k, state_results_open(k.s, k.run, &r, &k.e));
    while (kit_ok(&k, state_results_next(r, &k.arena, &got, &op, &target, &k.e)) == 1) {
        n++;
        ck_assert_uint_eq(got.row, n);
        ck_assert_uint_eq(target, n % 3);
        ck_assert_int_eq(op, OP_NONE);
    }
    ck_assert_uint_eq(n, N);
    state_results_close(r);
    kit_audit(&k);
}
END_TEST

START_TEST(mistakes_are_internal_errors)
{
    struct entry entry = kit_entry(&k, 1, 11);
    struct batch b = {.run = k.run, .op = OP_NONE, .entries = &entry, .entries_n = 1};
    kit_failed(&k, state_batch_add(k.s, &b, &k.e), XS_INTERNAL, "without an operation");
    b.op = OP_CREATE;
    b.state = BATCH_DONE;
    kit_failed(&k, state_batch_add(k.s, &b, &k.e), XS_INTERNAL, "when it is over");
    b.state = BATCH_PLANNED;
    kit_ok(&k, state_batch_add(k.s, &b, &k.e));
    kit_failed(&k, state_batch_settle(k.s, &b, &k.e), XS_INTERNAL, "has no outcome");
    kit_failed(&k, state_entry_add(k.s, k.run, k.target, &entry, &k.e), XS_INTERNAL, "without an outcome");
    entry.outcome = OUTCOME_CREATED;
    struct batch short_one = b;
    short_one.entries_n = 0;
    kit_failed(&k, state_batch_settle(k.s, &short_one, &k.e), XS_INTERNAL, "is not open");
    kit_ok(&k, state_batch_settle(k.s, &b, &k.e));
    kit_failed(&k, state_batch_settle(k.s, &b, &k.e), XS_INTERNAL, "is not open");
    b.state = BATCH_SENT;
    kit_failed(&k, state_batch_update(k.s, &b, &k.e), XS_INTERNAL, "is not open");
    b.state = BATCH_DONE;
    kit_failed(&k, state_batch_update(k.s, &b, &k.e), XS_INTERNAL, "only");
    kit_failed(&k, state_lookup(k.s, &entry.key, 1, 1, &(struct remembered){0}, &k.e), XS_INTERNAL, "before");
}
END_TEST

/* The second half of an event fails: whatever is committed afterwards, the first half is not. */
START_TEST(half_an_event_is_never_committed)
{
    struct entry entry = kit_entry(&k, 1, 11);
    struct batch b =
        {.run = k.run, .op = OP_CREATE, .state = BATCH_SENT, .target = k.target, .entries = &entry, .entries_n = 1};
    const char *table = _i == 1 ? "intents" : "outcomes";
    char sql[200];
    kit_ok(&k, state_batch_add(k.s, &b, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    snprintf(sql, sizeof sql, "CREATE TEMP TRIGGER broken BEFORE INSERT ON %s BEGIN SELECT RAISE(ABORT, 'no room'); END",
             table);
    ck_assert_int_eq(sqlite3_exec(k.s->journal.db.h, sql, NULL, NULL, NULL), SQLITE_OK);
    entry.outcome = OUTCOME_CREATED;
    if (_i == 0) {
        kit_failed(&k, state_batch_settle(k.s, &b, &k.e), XS_STATE, "no room");
    } else if (_i == 1) {
        struct batch second = b;
        kit_failed(&k, state_batch_add(k.s, &second, &k.e), XS_STATE, "no room");
    } else {
        kit_ok(&k, state_entry_add(k.s, k.run, k.target, &entry, &k.e));
        kit_failed(&k, state_commit(k.s, &k.e), XS_STATE, "no room");
    }
    kit_failed(&k, state_set(k.s, "watermark", "7", &k.e) == 0 ? state_commit(k.s, &k.e) : -1, XS_STATE, "earlier write");
    kit_failed(&k, state_merge(k.s, 0, &k.e), XS_STATE, "earlier write");
    reopen();
    ck_assert_uint_eq(open_n(), 1);
    const char *value;
    kit_ok(&k, state_get(k.s, "watermark", &value, &k.e));
    ck_assert_ptr_null(value);
    kit_ok(&k, state_batch_settle(k.s, &b, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    kit_merge(&k);
    kit_audit(&k);
}
END_TEST

START_TEST(numbers_go_on_after_the_journal_is_gone)
{
    uint64_t last = 0;
    for (uint64_t round = 1; round <= 3; round++) {
        struct entry entry = kit_entry(&k, round, 11);
        entry.outcome = OUTCOME_CREATED;
        uint64_t id = kit_batch(&k, OP_CREATE, k.target, &entry, 1);
        ck_assert_uint_gt(id, last);
        last = id;
        kit_merge(&k);
        ck_assert(!kit_exists(&k, ".journal"));
        if (round == 2)
            reopen();
    }
    kit_audit(&k);
}
END_TEST

/* A reader holds the journal: it is emptied, not removed, and the reader sees what it saw. */
START_TEST(a_reader_does_not_lose_the_journal_under_it)
{
    struct entry entry = kit_entry(&k, 1, 11);
    entry.outcome = OUTCOME_CREATED;
    kit_batch(&k, OP_CREATE, k.target, &entry, 1);
    struct state *writer = k.s, *reader = kit_reader(&k);
    kit_merge(&k);
    ck_assert(kit_exists(&k, ".journal"));
    ck_assert_uint_eq(state_leads_n(reader), 0); /* its snapshot */
    k.s = reader;
    ck_assert_int_eq(kit_lookup(&k, 1, 11, 0).kind, REMEMBERED_SAME);
    kit_audit(&k);
    state_close(reader);
    k.s = writer;
    entry = kit_entry(&k, 2, 11);
    entry.outcome = OUTCOME_CREATED;
    kit_batch(&k, OP_CREATE, k.target, &entry, 1);
    kit_merge(&k);
    ck_assert(!kit_exists(&k, ".journal"));
    ck_assert_uint_eq(state_leads_n(k.s), 2);
    kit_audit(&k);
}
END_TEST

/* A second handle, as of a run that waits for the lock: it has opened the file and not locked it. */
static struct state *waiting(void)
{
    const struct state_options options = {.path = k.path,
                                          .access = STATE_WRITE,
                                          .memory_max = 16 << 20,
                                          .clock = &k.clock.base};
    struct state *other;
    kit_ok(&k, state_open(&options, &other, &k.e));
    return other;
}

START_TEST(who_waited_sees_the_journal_that_came_meanwhile)
{
    struct state *second = waiting();
    struct entry entry = kit_entry(&k, 1, 11);
    struct batch batch =
        {.run = k.run, .op = OP_CREATE, .state = BATCH_SENT, .target = k.target, .entries = &entry, .entries_n = 1};
    kit_ok(&k, state_batch_add(k.s, &batch, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    kit_close(&k); /* it dies with its batch open */
    kit_ok(&k, state_lock(second, 0, &k.e));
    k.s = second;
    ck_assert_uint_eq(open_n(), 1);
}
END_TEST

/* What is written into a file that has no name any more is gone with the process. */
START_TEST(who_waited_does_not_write_into_the_journal_that_went)
{
    struct entry entry = kit_entry(&k, 1, 11);
    entry.outcome = OUTCOME_CREATED;
    kit_batch(&k, OP_CREATE, k.target, &entry, 1);
    struct state *second = waiting();
    kit_merge(&k);
    kit_close(&k);
    ck_assert(!kit_exists(&k, ".journal"));
    kit_ok(&k, state_lock(second, 0, &k.e));
    k.s = second;
    entry = kit_entry(&k, 2, 11);
    entry.outcome = OUTCOME_CREATED;
    kit_batch(&k, OP_CREATE, k.target, &entry, 1);
    ck_assert(kit_exists(&k, ".journal"));
    kit_merge(&k);
    ck_assert_uint_eq(state_leads_n(k.s), 2);
    kit_audit(&k);
}
END_TEST

static void damage_blob(const char *sql)
{
    struct entry entry = kit_entry(&k, 1, 11);
    entry.outcome = OUTCOME_CREATED;
    kit_batch(&k, OP_CREATE, k.target, &entry, 1);
    kit_ok(&k, db_begin(&k.s->journal.db, &k.e));
    kit_ok(&k, db_exec(&k.s->journal.db, sql, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    kit_failed(&k, state_merge(k.s, 1, &k.e), XS_STATE, "is damaged");
    ck_assert_uint_eq(state_leads_n(k.s), 0);
    struct buf out = BUF_INIT(1 << 20);
    size_t violations;
    kit_ok(&k, state_audit(k.s, &out, &violations, &k.e));
    ck_assert_uint_gt(violations, 0);
    buf_free(&out);
}

START_TEST(a_damaged_journal_merges_nothing)
{
    static const char *const how[] = {"UPDATE intents SET entries = substr(entries, 2)",
                                      "UPDATE intents SET entries = x''",
                                      "UPDATE outcomes SET entries = CAST(entries || x'00' AS BLOB)",
                                      "DELETE FROM outcomes",
                                      "UPDATE batches SET op = 99",
                                      "UPDATE batches SET entries_n = 1000000000",
                                      "UPDATE batches SET entries_n = 0"};
    damage_blob(how[_i]);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("state_journal");
    TCase *c = tcase_create("journal");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_batch_is_kept_whole);
    tcase_add_test(c, what_is_not_committed_is_lost_whole);
    tcase_add_test(c, pending_counts_events_and_their_age);
    tcase_add_test(c, loose_entries_pack_by_the_thousand);
    tcase_add_test(c, mistakes_are_internal_errors);
    tcase_add_loop_test(c, half_an_event_is_never_committed, 0, 3);
    tcase_add_test(c, numbers_go_on_after_the_journal_is_gone);
    tcase_add_test(c, a_reader_does_not_lose_the_journal_under_it);
    tcase_add_test(c, who_waited_sees_the_journal_that_came_meanwhile);
    tcase_add_test(c, who_waited_does_not_write_into_the_journal_that_went);
    tcase_add_loop_test(c, a_damaged_journal_merges_nothing, 0, 7);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
