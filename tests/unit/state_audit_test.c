/* The audit of a state: whatever is wrong, it says so, a line each. */
#include "config.h"

#include "tests/unit/state_kit.h"

#include "sync/state/state_int.h"

static struct kit k;

static void setup(void)
{
    kit_start(&k);
}

static void teardown(void)
{
    kit_free(&k);
}

START_TEST(the_audit_sees_what_is_wrong)
{
    static const char *const wrongs[] = {"UPDATE identity SET leads_n = 7",
                                         "UPDATE settings SET value = '7' WHERE name = 'leads_gone'",
                                         "DELETE FROM lead_values WHERE n = 1",
                                         "UPDATE leads SET target = 77",
                                         "UPDATE batches SET entries_n = 5",
                                         "UPDATE batches SET entries = x'ff'",
                                         "UPDATE batches SET first_row = 2",
                                         "INSERT INTO refusals SELECT key, fingerprint, 1, 1, 1 FROM leads",
                                         "INSERT INTO forgotten SELECT key FROM leads",
                                         "UPDATE lead_values SET lead_id = x'01010101010101010101010101010101'",
                                         "UPDATE runs SET report = '{\"rows\":{\"read\":3,\"created\":1,\"failed\":1}}'",
                                         "UPDATE runs SET report = '{'",
                                         "DELETE FROM runs",
                                         "UPDATE identity SET next_lead = 1",
                                         "INSERT INTO people VALUES(1, 3)",
                                         "UPDATE leads SET status = -2"};
    struct entry entries[] = {kit_created(&k, 1, 11), kit_created(&k, 2, 11)};
    struct buf out = BUF_INIT(1 << 20);
    size_t violations;
    kit_batch(&k, OP_CREATE, k.target, entries, 2);
    kit_merge(&k);
    kit_audit(&k);
    kit_ok(&k, db_exec(&k.s->main, wrongs[_i], &k.e));
    kit_ok(&k, state_audit(k.s, &out, &violations, &k.e));
    ck_assert_uint_gt(violations, 0);
    size_t lines = 0;
    for (size_t i = 0; i < out.n; i++)
        lines += out.p[i] == '\n';
    ck_assert_uint_eq(lines, violations);
    buf_free(&out);
}
END_TEST

START_TEST(a_journal_that_the_main_file_does_not_know_of_is_seen)
{
    struct entry entry = kit_entry(&k, 1, 11);
    struct batch b = {.run = k.run, .op = OP_CREATE, .target = k.target, .entries = &entry, .entries_n = 1};
    struct buf out = BUF_INIT(1 << 20);
    size_t violations;
    kit_ok(&k, state_batch_add(k.s, &b, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    kit_audit(&k);
    kit_ok(&k, journal_unnote(k.s, &k.e));
    kit_ok(&k, state_audit(k.s, &out, &violations, &k.e));
    ck_assert_uint_eq(violations, 1);
    buf_free(&out);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("state_audit");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, the_audit_sees_what_is_wrong, 0, 16);
    tcase_add_test(c, a_journal_that_the_main_file_does_not_know_of_is_seen);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
