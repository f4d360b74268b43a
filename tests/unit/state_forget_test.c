/* A person who is forgotten is nowhere in the file any more, and does not come back. */
#include "config.h"

#include "tests/unit/state_kit.h"

#include "sync/state/state_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static struct kit k;

static void setup(void)
{
    kit_start(&k);
}

static void teardown(void)
{
    kit_free(&k);
}

/* Person 1 is in no byte of any file of the state. */
static void is_nowhere(void)
{
    char *command = NULL;
    ck_assert_int_ge(asprintf(&command, "grep -q -i -a 'person1@' '%s'*", k.path), 0);
    ck_assert_int_eq(WEXITSTATUS(system(command)), 1); /* 2: there was nothing to search */
    free(command);
}

START_TEST(a_person_is_forgotten_everywhere)
{
    struct hash128 key = kit_key(&k, 1), other = kit_key(&k, 50);
    struct forgotten counts;
    struct entry lead = kit_created(&k, 1, 11), keyed = kit_created(&k, 50, 11);
    struct entry bad = kit_with(kit_entry(&k, 2, 11), OUTCOME_REJECTED, REASON_REFUSED_THERE);
    struct entry late = kit_with(kit_entry(&k, 60, 11), OUTCOME_DEFERRED, REASON_PLAN_FULL);
    struct job_record job = {.id = "j1", .type = "move", .status = "pending", .run = 1,
                             .filters = "{\"contacts\":[\"Person1@example.com\"]}"};
    bad.detail = STR("PERSON1@example.com is odd");
    bad.cells = STR("9,person1@EXAMPLE.com");
    keyed.values = late.values = kit_values(&k, " Person1@Example.com ", "Ada"); /* known by another key */
    kit_batch(&k, OP_CREATE, k.target, (struct entry[]){lead, bad, keyed, late, kit_created(&k, 3, 11)}, 5);
    kit_failed(&k, state_forget(k.s, STR("person1@example.com"), &key, &counts, &k.e), XS_STATE, "resume");
    kit_merge(&k);
    kit_ok(&k, state_job_put(k.s, &job, &k.e));
    kit_failed(&k, state_forget(k.s, STR("  "), &key, &counts, &k.e), XS_USAGE, "names nobody");
    kit_ok(&k, state_forget(k.s, STR("person1@example.com"), &key, &counts, &k.e));
    ck_assert_uint_eq(counts.leads, 2);
    ck_assert_uint_ge(counts.others, 4);
    ck_assert_uint_eq(state_leads_n(k.s), 1);
    ck_assert_uint_eq(state_retries_n(k.s), 0);
    ck_assert_uint_eq(state_forgotten_n(k.s), 3);
    kit_audit(&k);
    for (uint64_t hint = 0; hint < 2; hint++) {
        ck_assert_int_eq(kit_lookup(&k, 1, 11, hint).kind, REMEMBERED_FORGOTTEN);
        ck_assert_int_eq(kit_lookup(&k, 50, 77, hint).kind, REMEMBERED_FORGOTTEN);
        ck_assert_int_eq(kit_lookup(&k, 3, 11, hint).kind, REMEMBERED_SAME);
    }
    bool gone;
    kit_ok(&k, state_forgotten(k.s, &other, &gone, &k.e));
    ck_assert(gone);
    ck_assert_str_eq(kit_listed(&k, k.run), "1 created -;2 rejected 2;3 created 3;50 created -;60 deferred -;");
    kit_close(&k);
    is_nowhere();
    kit_open(&k, STATE_WRITE);
    kit_ok(&k, state_forget(k.s, STR("person1@example.com"), &key, &counts, &k.e)); /* twice is once */
    ck_assert_uint_eq(counts.leads, 0);
    kit_audit(&k);
}
END_TEST

/* What merges and prunings have let go of long ago is still in pages that nobody uses. */
START_TEST(nothing_of_the_forgotten_is_left_in_free_pages)
{
    enum { ROWS = 400, CELLS_N = 6000 };
    struct hash128 key = kit_key(&k, 1);
    struct forgotten counts;
    struct buf cells = BUF_INIT(1 << 16);
    while (cells.n < CELLS_N)
        ck_assert_int_eq(buf_adds(&cells, "person1@example.com,"), 0);
    for (unsigned run = 0; run < 5; run++) {
        struct entry rows[ROWS];
        for (unsigned i = 0; i < ROWS; i++) {
            bool late = run % 2 == 0;
            rows[i] = kit_with(kit_entry(&k, i + 1, 11), late ? OUTCOME_DEFERRED : OUTCOME_CHANGED, late ? REASON_PLAN_FULL : REASON_NONE);
            rows[i].has_lead_id = !late;
            rows[i].lead_id = kit_uuid(i + 1);
            rows[i].values = kit_values(&k, "person1@example.com", i % 7 == 0 ? buf_cstr(&cells) : "Ada");
            rows[i].cells = late ? buf_str(&cells) : STR_NONE;
        }
        kit_run(&k);
        kit_batch(&k, OP_UPDATE, k.target, rows, ROWS);
        kit_merge(&k);
    }
    for (unsigned run = 0; run < 4; run++)
        kit_run(&k);
    kit_ok(&k, state_prune(k.s, 1, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    kit_ok(&k, state_forget(k.s, STR("person1@example.com"), &key, &counts, &k.e));
    kit_audit(&k);
    is_nowhere();
    buf_free(&cells);
}
END_TEST

/* A reader's snapshot holds old pages in the WAL: that is told, and the next call gets rid of them. */
START_TEST(a_reader_is_in_the_way_of_forgetting)
{
    struct hash128 key = kit_key(&k, 1);
    struct forgotten counts;
    struct entry entry = kit_created(&k, 1, 11);
    struct db reader = {.h = NULL};
    int64_t n;
    kit_batch(&k, OP_CREATE, k.target, &entry, 1);
    kit_merge(&k);
    kit_ok(&k, db_open(&reader, k.path, false, &k.e));
    kit_ok(&k, db_exec(&reader, "BEGIN", &k.e));
    kit_ok(&k, db_int(&reader, &n, 0, "SELECT count(*) FROM leads", &k.e));
    sqlite3_busy_timeout(k.s->main.h, 0);
    kit_failed(&k, state_forget(k.s, STR("person1@example.com"), &key, &counts, &k.e), XS_LOCKED, "run the same command again");
    ck_assert_int_eq(kit_lookup(&k, 1, 11, 0).kind, REMEMBERED_FORGOTTEN);
    db_close(&reader);
    kit_ok(&k, state_forget(k.s, STR("person1@example.com"), &key, &counts, &k.e));
    is_nowhere();
}
END_TEST

START_TEST(a_hashed_person_is_forgotten_too)
{
    struct hash128 key = kit_key(&k, 1);
    struct forgotten counts;
    struct entry entry;
    kit_close(&k);
    k.hashed = true;
    kit_open(&k, STATE_WRITE);
    entry = kit_created(&k, 50, 11);
    entry.values = kit_values(&k, "Person1@Example.com", "Ada");
    kit_batch(&k, OP_CREATE, k.target, &entry, 1);
    kit_merge(&k);
    kit_ok(&k, state_forget(k.s, STR("person1@example.com"), &key, &counts, &k.e));
    ck_assert_uint_eq(counts.leads, 1);
    kit_audit(&k);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("state_forget");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_person_is_forgotten_everywhere);
    tcase_add_test(c, a_hashed_person_is_forgotten_too);
    tcase_add_test(c, a_reader_is_in_the_way_of_forgetting);
    tcase_add_test(c, nothing_of_the_forgotten_is_left_in_free_pages);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
