/* A person who is forgotten is nowhere in the file any more, and does not come back. */
#include "config.h"

#include "sync/model/change.h"
#include "tests/unit/state_kit.h"

#include "sync/state/state_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static struct kit k;
static const struct person_name person1 = {.address = {"person1@example.com", 19}};

static void setup(void)
{
    kit_start(&k);
}

static void teardown(void)
{
    kit_free(&k);
}

/* Is the text in any byte of any file of the state? */
static bool is_there(const char *text)
{
    char *command = NULL;
    ck_assert_int_ge(asprintf(&command, "grep -q -i -a '%s' '%s'*", text, k.path), 0);
    int status = WEXITSTATUS(system(command));
    ck_assert_int_le(status, 1); /* 2: there was nothing to search */
    free(command);
    return status == 0;
}

static void is_nowhere(void)
{
    ck_assert(!is_there("person1@"));
}

static struct str changes_of(struct buf *list, const char *before)
{
    const struct change change = {STR("company_name"), {VALUE_STRING, before, strlen(before)}, {VALUE_STRING, "Acme", 4}};
    ck_assert_int_eq(change_add(&change, list), 0);
    return buf_str(list);
}

START_TEST(a_person_is_forgotten_everywhere)
{
    struct hash128 other = kit_key(&k, 50);
    struct forgotten counts;
    struct entry lead = kit_created(&k, 1, 11), keyed = kit_created(&k, 50, 11), third = kit_created(&k, 3, 11);
    struct entry fourth = kit_created(&k, 4, 11);
    struct buf changes[2] = {BUF_INIT(4096), BUF_INIT(4096)};
    struct entry bad = kit_with(kit_entry(&k, 2, 11), OUTCOME_REJECTED, REASON_REFUSED_THERE);
    struct entry late = kit_with(kit_entry(&k, 60, 11), OUTCOME_DEFERRED, REASON_PLAN_FULL);
    struct job_record job = {.id = "j1",
                             .type = "move",
                             .status = "pending",
                             .run = 1,
                             .filters = "{\"contacts\":[\"Person1@example.com\"]}"};
    bad.detail = STR("PERSON1@example.com is odd");
    bad.cells = STR("9,person1@EXAMPLE.com");
    keyed.values = late.values = kit_values(&k, " Person1@Example.com ", "Ada"); /* known by another key */
    lead.changes = changes_of(&changes[0], "Moonbase");
    third.changes = STR("company_name: Lighthouse -> Acme");
    fourth.changes = changes_of(&changes[1], "ask\nperson1@example.com, Zeppelin");
    kit_batch(&k, OP_CREATE, k.target, (struct entry[]){lead, bad, keyed, late, third, fourth}, 6);
    kit_failed(&k, state_forget(k.s, &person1, &counts, &k.e), XS_STATE, "resume");
    kit_merge(&k);
    kit_ok(&k, state_job_put(k.s, &job, &k.e));
    kit_failed(&k, state_forget(k.s, &(struct person_name){.address = STR("  ")}, &counts, &k.e), XS_USAGE,
               "address is empty");
    kit_ok(&k, state_forget(k.s, &person1, &counts, &k.e));
    ck_assert_uint_eq(counts.leads, 2);
    ck_assert_uint_ge(counts.others, 4);
    ck_assert_uint_eq(state_leads_n(k.s), 2);
    ck_assert_uint_eq(state_retries_n(k.s), 0);
    kit_audit(&k);
    for (uint64_t hint = 0; hint < 2; hint++) {
        ck_assert_int_eq(kit_lookup(&k, 1, 11, hint).kind, REMEMBERED_FORGOTTEN);
        ck_assert_int_eq(kit_lookup(&k, 50, 77, hint).kind, REMEMBERED_FORGOTTEN);
        ck_assert_int_eq(kit_lookup(&k, 3, 11, hint).kind, REMEMBERED_SAME);
    }
    bool gone;
    kit_ok(&k, state_forgotten(k.s, &other, &gone, &k.e));
    ck_assert(gone);
    ck_assert_str_eq(kit_listed(&k, k.run), "1 created -;2 rejected 2;3 created 3;4 created 4;50 created -;60 deferred -;");
    kit_close(&k);
    ck_assert(!is_there("Moonbase"));
    ck_assert(is_there("Lighthouse")); /* another person's */
    ck_assert(!is_there("Zeppelin"));  /* another person's too, but beside this address */
    buf_free(&changes[0]);
    buf_free(&changes[1]);
    is_nowhere();
    kit_open(&k, STATE_WRITE);
    kit_ok(&k, state_forget(k.s, &person1, &counts, &k.e)); /* twice is once */
    ck_assert_uint_eq(counts.leads, 0);
    kit_audit(&k);
}
END_TEST

/* What merges and prunings have let go of long ago is still in pages that nobody uses. */
START_TEST(nothing_of_the_forgotten_is_left_in_free_pages)
{
    enum { ROWS = 400, CELLS_N = 6000 };
    struct forgotten counts;
    struct buf cells = BUF_INIT(1 << 16);
    while (cells.n < CELLS_N)
        ck_assert_int_eq(buf_adds(&cells, "person1@example.com,"), 0);
    for (unsigned run = 0; run < 5; run++) {
        struct entry rows[ROWS];
        for (unsigned i = 0; i < ROWS; i++) {
            bool late = run % 2 == 0;
            rows[i] = kit_with(kit_entry(&k, i + 1, 11), late ? OUTCOME_DEFERRED : OUTCOME_CHANGED,
                               late ? REASON_PLAN_FULL : REASON_NONE);
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
    kit_ok(&k, state_forget(k.s, &person1, &counts, &k.e));
    kit_audit(&k);
    is_nowhere();
    buf_free(&cells);
}
END_TEST

/* A reader's snapshot holds old pages in the WAL: that is told, and the next call gets rid of them. */
START_TEST(a_reader_is_in_the_way_of_forgetting)
{
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
    kit_failed(&k, state_forget(k.s, &person1, &counts, &k.e), XS_LOCKED, "run the same command again");
    ck_assert_int_eq(kit_lookup(&k, 1, 11, 0).kind, REMEMBERED_FORGOTTEN);
    db_close(&reader);
    kit_ok(&k, state_forget(k.s, &person1, &counts, &k.e));
    is_nowhere();
}
END_TEST

START_TEST(a_hashed_person_is_forgotten_too)
{
    struct forgotten counts;
    struct entry entry;
    kit_close(&k);
    k.hashed = true;
    kit_open(&k, STATE_WRITE);
    entry = kit_created(&k, 50, 11);
    entry.values = kit_values(&k, "Person1@Example.com", "Ada");
    kit_batch(&k, OP_CREATE, k.target, &entry, 1);
    kit_merge(&k);
    kit_ok(&k, state_forget(k.s, &person1, &counts, &k.e));
    ck_assert_uint_eq(counts.leads, 1);
    kit_audit(&k);
}
END_TEST

static const char *const kind_names[PERSON_RECORD_N] = {"lead", "status", "refusal", "retry", "open", "result", "job"};

static int note(void *ctx, const struct person_record *r, struct err *e)
{
    struct buf *seen = ctx;
    (void)e;
    ck_assert_int_eq(buf_addf(seen, "%s ", kind_names[r->kind]), 0);
    if (r->values != NULL) {
        const struct value *email = &r->values->core[LEAD_EMAIL];
        ck_assert_int_eq(buf_addf(seen, "<%.*s> ", (int)email->n, email->p), 0);
    }
    return 0;
}

/* What the state knows of the person, in the order of state_person_visit(). */
static void known_is(struct state *s, const struct person_name *name, const char *want)
{
    struct buf seen = BUF_INIT(1 << 16);
    kit_ok(&k, state_person_visit(s, name, note, &seen, &k.e));
    const char *text = buf_cstr(&seen);
    ck_assert_str_eq(text, want);
    buf_free(&seen);
}

START_TEST(all_that_is_known_of_a_person)
{
    struct entry lead = kit_created(&k, 1, 11), keyed = kit_created(&k, 50, 11), other = kit_created(&k, 3, 11);
    struct entry bad = kit_with(kit_entry(&k, 2, 11), OUTCOME_REJECTED, REASON_REFUSED_THERE);
    struct entry late = kit_with(kit_entry(&k, 60, 11), OUTCOME_DEFERRED, REASON_PLAN_FULL);
    struct entry open[] = {kit_entry(&k, 70, 11)};
    struct batch batch =
        {.run = k.run, .op = OP_CREATE, .target = k.target, .state = BATCH_SENT, .entries = open, .entries_n = 1};
    const struct job_record job = {.id = "j1",
                                   .type = "move",
                                   .status = "pending",
                                   .run = 1,
                                   .filters = "{\"contacts\":[\"Person1@example.com\",\"xperson1@example.com\"]}"};
    const struct job_record by_id = {.id = "j2", .type = "move", .status = "pending", .run = 1};
    char filters[64], id[UUID_TEXT_N];
    struct job_record named = by_id;
    struct uuid lead_id = kit_uuid(1);
    snprintf(filters, sizeof filters, "{\"ids\":[\"%s\"]}", uuid_format(&lead_id, id));
    named.filters = filters;
    lead.values = kit_values(&k, "person1@example.com", "Ada");
    bad.cells = STR("9,person1@EXAMPLE.com");
    other.detail = STR("xperson1@example.com, person1@example.com.au are others");
    keyed.values = late.values = kit_values(&k, " Person1@Example.com ", "Ada");
    kit_batch(&k, OP_CREATE, k.target, (struct entry[]){lead, bad, keyed, late, other}, 5);
    kit_merge(&k);
    kit_ok(&k, state_job_put(k.s, &job, &k.e));
    kit_ok(&k, state_job_put(k.s, &named, &k.e));
    open[0].values = lead.values;
    kit_ok(&k, state_batch_add(k.s, &batch, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    static const char want[] = "retry < Person1@Example.com > lead <person1@example.com> lead < Person1@Example.com > "
                               "open <person1@example.com> result result result result job job ";
    known_is(k.s, &person1, want);
    struct state *reader = kit_reader(&k);
    known_is(reader, &person1, want);
    state_close(reader);
    known_is(k.s, &(struct person_name){.address = STR("person1@example.co")}, "");
    known_is(k.s, &(struct person_name){.address = STR("erson1@example.com")}, "");
}
END_TEST

/* The id of the lead leaves with it, also where nothing else named the person. */
START_TEST(the_id_of_a_lead_is_forgotten_too)
{
    struct forgotten counts;
    struct entry lead = kit_created(&k, 1, 11), by_hand = kit_with(kit_entry(&k, 1, 0), OUTCOME_CHANGED, REASON_NONE);
    char filters[64], id[UUID_TEXT_N];
    struct uuid lead_id = kit_uuid(1);
    snprintf(filters, sizeof filters, "[\"%s\"]", uuid_format(&lead_id, id));
    const struct job_record job = {.id = "j1", .type = "move", .status = "done", .run = 1, .filters = filters};
    memset(&by_hand.key, 0, sizeof by_hand.key);
    by_hand.key_text = by_hand.email = STR_NONE;
    by_hand.has_lead_id = true;
    by_hand.lead_id = lead_id;
    kit_batch(&k, OP_CREATE, k.target, &lead, 1);
    kit_batch(&k, OP_HAND, 0, &by_hand, 1);
    kit_merge(&k);
    kit_ok(&k, state_job_put(k.s, &job, &k.e));
    kit_ok(&k, state_forget(k.s, &person1, &counts, &k.e));
    kit_audit(&k);
    struct arena arena;
    struct results *results;
    struct entry entry;
    struct job_record kept;
    enum op op;
    uint32_t target;
    arena_init(&arena, 1 << 20);
    kit_ok(&k, state_results_open(k.s, k.run, &results, &k.e));
    while (kit_ok(&k, state_results_next(results, &arena, &entry, &op, &target, &k.e)) == 1)
        ck_assert(!entry.has_lead_id && entry.key_text.n == 0);
    state_results_close(results);
    ck_assert_int_eq(kit_ok(&k, state_job_get(k.s, "j1", &arena, &kept, &k.e)), 1);
    ck_assert_ptr_null(kept.filters);
    arena_free(&arena);
}
END_TEST

/* Every key that went with the address comes back with it, and no other. */
START_TEST(a_person_may_come_back)
{
    struct forgotten counts;
    struct entry keyed = kit_created(&k, 50, 11), other = kit_created(&k, 51, 11);
    const struct person_name person2 = {.address = STR("person2@example.com")};
    uint64_t keys;
    keyed.values = kit_values(&k, "person1@example.com", "Ada");
    other.values = kit_values(&k, "person2@example.com", "Bea");
    kit_batch(&k, OP_CREATE, k.target, (struct entry[]){keyed, other}, 2);
    kit_merge(&k);
    kit_ok(&k, state_forget(k.s, &person1, &counts, &k.e));
    kit_ok(&k, state_forget(k.s, &person2, &counts, &k.e));
    kit_ok(&k, state_unforget(k.s, STR("person1@example.com"), &keys, &k.e));
    ck_assert_uint_eq(keys, 2);
    ck_assert_int_eq(kit_lookup(&k, 1, 11, 0).kind, REMEMBERED_NOTHING);
    ck_assert_int_eq(kit_lookup(&k, 50, 11, 0).kind, REMEMBERED_NOTHING);
    ck_assert_int_eq(kit_lookup(&k, 51, 11, 0).kind, REMEMBERED_FORGOTTEN);
    kit_audit(&k);
    kit_ok(&k, state_unforget(k.s, STR("person1@example.com"), &keys, &k.e));
    ck_assert_uint_eq(keys, 0);
    kit_close(&k);
    is_nowhere();
    kit_open(&k, STATE_WRITE);
}
END_TEST

/* A raw row has the domain as it was typed. */
START_TEST(both_spellings_of_a_domain)
{
    static const struct person_name person = {.address = {"jo@xn--bcher-kva.example", 23},
                                              .unicode = {"jo@b\xc3\xbc"
                                                          "cher.example",
                                                          18}};
    struct entry bad = kit_with(kit_entry(&k, 2, 11), OUTCOME_REJECTED, REASON_RAGGED_ROW);
    struct forgotten counts;
    bad.cells = STR("9,Jo@B\xc3\x9c"
                    "CHER.example");
    kit_batch(&k, OP_CREATE, k.target, &bad, 1);
    kit_merge(&k);
    kit_ok(&k, state_forget(k.s, &person, &counts, &k.e));
    ck_assert_uint_eq(counts.others, 1);
    kit_audit(&k);
    kit_close(&k);
    char *command = NULL;
    ck_assert_int_ge(asprintf(&command, "grep -q -a 'CHER' '%s'*", k.path), 0);
    ck_assert_int_eq(WEXITSTATUS(system(command)), 1);
    free(command);
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
    tcase_add_test(c, all_that_is_known_of_a_person);
    tcase_add_test(c, the_id_of_a_lead_is_forgotten_too);
    tcase_add_test(c, a_person_may_come_back);
    tcase_add_test(c, both_spellings_of_a_domain);
    tcase_add_test(c, a_reader_is_in_the_way_of_forgetting);
    tcase_add_test(c, nothing_of_the_forgotten_is_left_in_free_pages);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
