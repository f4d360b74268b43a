/* What can be asked after a run: results in row order, batches by job, jobs, runs; and letting go of them again. */
#include "config.h"

#include "tests/unit/state_kit.h"

#include "sync/state/state_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct kit k;

static void setup(void)
{
    kit_init(&k);
    kit_open(&k, STATE_WRITE);
    kit_run(&k);
}

static void teardown(void)
{
    kit_free(&k);
}

static struct entry entry_at(uint64_t n, enum outcome outcome, enum reason reason)
{
    struct entry entry = kit_entry(&k, n, 11);
    entry.outcome = outcome;
    entry.reason = reason;
    return entry;
}

static struct entry created(uint64_t n, uint64_t id)
{
    struct entry entry = entry_at(n, OUTCOME_CREATED, REASON_NONE);
    entry.has_lead_id = true;
    entry.lead_id = kit_uuid(id);
    return entry;
}

/* The results of a run as one text: "row outcome key-number[!cells][?detail]". */
static const char *listed(uint64_t run)
{
    static struct buf out = BUF_INIT(1 << 20);
    struct results *r;
    struct entry entry;
    enum op op;
    uint32_t target;
    buf_reset(&out);
    kit_ok(&k, state_results_open(k.s, run, &r, &k.e));
    while (kit_ok(&k, state_results_next(r, &k.arena, &entry, &op, &target, &k.e)) == 1) {
        const char *at = entry.key_text.n > 0 ? memchr(entry.key_text.p, '@', entry.key_text.n) : NULL;
        struct str who =
            at != NULL ? (struct str){entry.key_text.p + 6, (size_t)(at - entry.key_text.p) - 6} : STR("-");
        ck_assert_int_eq(buf_addf(&out, "%llu %s %.*s%s%.*s%s%.*s;", (unsigned long long)entry.row,
                                  outcome_text(entry.outcome), STR_ARG(who), entry.cells.n > 0 ? "!" : "",
                                  STR_ARG(entry.cells), entry.detail.n > 0 ? "?" : "", STR_ARG(entry.detail)), 0);
    }
    state_results_close(r);
    return buf_cstr(&out);
}

START_TEST(rows_come_in_order_from_everywhere)
{
    struct entry a[] = {created(9, 9), created(1, 1), created(5, 5)};
    struct entry b[] = {created(2, 2), entry_at(8, OUTCOME_FAILED, REASON_API_ERROR)};
    struct entry gone = entry_at(4, OUTCOME_REMOVED, REASON_NONE);
    struct entry bad = entry_at(3, OUTCOME_REJECTED, REASON_EMAIL_INVALID);
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
    ck_assert_str_eq(listed(k.run), expect);
    kit_merge(&k);
    ck_assert_str_eq(listed(k.run), expect);
    ck_assert_str_eq(listed(k.run + 1), "");
    kit_audit(&k);
}
END_TEST

/* Batches that all overlap, and a row in two of them, which is told once. */
START_TEST(overlapping_batches_interleave)
{
    enum { BATCHES = 40, N = 50 };
    for (uint64_t b = 0; b < BATCHES; b++) {
        struct entry entries[N];
        for (uint64_t i = 0; i < N; i++)
            entries[i] = created(1 + b + i * BATCHES, 1 + b + i * BATCHES);
        kit_batch(&k, OP_CREATE, k.target, entries, N);
    }
    struct entry again = entry_at(7, OUTCOME_CHANGED, REASON_NONE);
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
    struct entry old = created(1, 1), new = created(2, 2);
    old.retried = true;
    old.row = new.row = 5;
    kit_batch(&k, OP_CREATE, k.target, &old, 1);
    kit_batch(&k, OP_CREATE, k.target, &new, 1);
    ck_assert_str_eq(listed(k.run), "5 created 1;5 created 2;");
    kit_merge(&k);
    ck_assert_str_eq(listed(k.run), "5 created 1;5 created 2;");
}
END_TEST

/* In the stage's list, a lead is known, and its row is looked at again until the move is proved. */
START_TEST(a_staged_lead_is_not_there_yet)
{
    struct entry entry = created(1, 1);
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
    ck_assert_str_eq(listed(k.run), "1 changed 1;");
    kit_audit(&k);
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
        struct entry entry = created(1, 100 * run);
        kit_batch(&k, OP_CREATE, k.target, &entry, 1);
        kit_merge(&k);
    }
    for (uint64_t run = 1; run <= 3; run++) {
        struct uuid got = id_in(run), want = kit_uuid(100 * run);
        ck_assert_msg(uuid_eq(&got, &want), "run %llu", (unsigned long long)run);
    }
    kit_run(&k);
    struct entry twice[] = {created(2, 900), created(2, 901)};
    kit_batch(&k, OP_CREATE, k.target, twice, 2);
    kit_merge(&k);
    struct uuid got = id_in(k.run);
    ck_assert(uuid_eq(&got, &twice[1].lead_id)); /* one row: as the later one left it */
    kit_audit(&k);
}
END_TEST

START_TEST(a_job_leads_to_its_batches_and_their_entries)
{
    struct entry entries[] = {entry_at(5, OUTCOME_NONE, REASON_NONE), entry_at(2, OUTCOME_NONE, REASON_NONE)};
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

START_TEST(facts_are_kept)
{
    const char *value;
    struct job_record job = {.id = "j1", .type = "move-leads", .status = "pending", .filters = "{}", .total = 3,
                             .from = "list:a", .to = "campaign:b", .run = 1, .created_ms = 7}, got, *jobs;
    struct run_record run = {.id = k.run, .finished_ms = 9, .status = "complete", .read = "full",
                             .report = "{\"rows\":{\"read\":2,\"created\":2}}", .exit_code = 1}, *runs;
    struct str names[] = {STR("seats"), STR("origin")}, header;
    struct lead_shape shape;
    uint32_t a, b;
    size_t n;
    char delimiter;
    kit_ok(&k, state_set(k.s, "workspace", "w1", &k.e));
    kit_ok(&k, state_set(k.s, "workspace", "w2", &k.e));
    kit_ok(&k, state_get(k.s, "workspace", &value, &k.e));
    ck_assert_str_eq(value, "w2");
    kit_ok(&k, state_set(k.s, "workspace", NULL, &k.e));
    kit_ok(&k, state_get(k.s, "workspace", &value, &k.e));
    ck_assert_ptr_null(value);
    kit_ok(&k, state_shape_put(k.s, names, 2, &a, &k.e));
    kit_ok(&k, state_shape_put(k.s, names, 1, &b, &k.e));
    ck_assert_uint_ne(a, b);
    kit_ok(&k, state_shape_put(k.s, names, 2, &b, &k.e));
    ck_assert_uint_eq(a, b);
    ck_assert_int_eq(kit_ok(&k, state_shape_get(k.s, a, &k.arena, &shape, &k.e)), 1);
    ck_assert_uint_eq(shape.custom_n, 2);
    ck_assert(str_eq(shape.custom_names[1], names[1]));
    ck_assert_int_eq(kit_ok(&k, state_shape_get(k.s, 99, &k.arena, &shape, &k.e)), 0);
    kit_ok(&k, state_header_put(k.s, k.run, STR("h"), ';', &k.e));
    ck_assert_int_eq(kit_ok(&k, state_header_get(k.s, k.run, &k.arena, &header, &delimiter, &k.e)), 1);
    ck_assert(str_is(header, "h") && delimiter == ';');
    ck_assert_int_eq(kit_ok(&k, state_header_get(k.s, 99, &k.arena, &header, &delimiter, &k.e)), 0);
    kit_ok(&k, state_job_put(k.s, &job, &k.e));
    job.status = "success";
    job.success = 3;
    job.progress = 100;
    kit_ok(&k, state_job_put(k.s, &job, &k.e));
    ck_assert_int_eq(kit_ok(&k, state_job_get(k.s, "j1", &k.arena, &got, &k.e)), 1);
    ck_assert_str_eq(got.status, "success");
    ck_assert_str_eq(got.to, "campaign:b");
    ck_assert_uint_eq(got.success, 3);
    ck_assert_int_eq(kit_ok(&k, state_job_get(k.s, "j2", &k.arena, &got, &k.e)), 0);
    kit_ok(&k, state_jobs(k.s, &k.arena, &jobs, &n, &k.e));
    ck_assert_uint_eq(n, 1);
    kit_ok(&k, state_run_finish(k.s, &run, &k.e));
    kit_run(&k);
    kit_ok(&k, state_runs(k.s, 10, &k.arena, &runs, &n, &k.e));
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(runs[0].id, k.run);
    ck_assert_ptr_null(runs[0].report);
    ck_assert_str_eq(runs[1].report, run.report);
    ck_assert_int_eq(kit_ok(&k, state_run_get(k.s, 0, &k.arena, runs, &k.e)), 1);
    ck_assert_uint_eq(runs->id, k.run);
    ck_assert_int_eq(kit_ok(&k, state_run_get(k.s, 77, &k.arena, runs, &k.e)), 0);
    run.id = 77;
    kit_failed(&k, state_run_finish(k.s, &run, &k.e), XS_INTERNAL, "never started");
}
END_TEST

START_TEST(a_name_that_means_another_target_is_refused)
{
    char name[] = "Q4";
    struct target t = {.kind = TARGET_CAMPAIGN, .id = kit_uuid(1), .name = name, .status = 1}, got;
    uint32_t one, two, same;
    kit_ok(&k, state_target_put(k.s, &t, false, &one, &k.e));
    kit_ok(&k, state_target_put(k.s, &t, false, &same, &k.e));
    ck_assert_uint_eq(one, same);
    t.name = NULL; /* given as a UUID: the name is kept */
    t.status = TARGET_STATUS_UNKNOWN;
    kit_ok(&k, state_target_put(k.s, &t, false, &same, &k.e));
    ck_assert_int_eq(kit_ok(&k, state_target_get(k.s, one, &k.arena, &got, &k.e)), 1);
    ck_assert_str_eq(got.name, "Q4");
    ck_assert_int_eq(got.status, 1);
    t.id = kit_uuid(2);
    t.name = name;
    kit_failed(&k, state_target_put(k.s, &t, false, &two, &k.e), XS_CONFIG, "--accept-target");
    t.kind = TARGET_LIST; /* a list may be called as a campaign is */
    kit_ok(&k, state_target_put(k.s, &t, false, &two, &k.e));
    t.kind = TARGET_CAMPAIGN;
    kit_ok(&k, state_target_put(k.s, &t, true, &two, &k.e));
    ck_assert_uint_ne(one, two);
    ck_assert_int_eq(kit_ok(&k, state_target_get(k.s, one, &k.arena, &got, &k.e)), 1);
    ck_assert_ptr_null(got.name);
    ck_assert_int_eq(kit_ok(&k, state_target_get(k.s, 99, &k.arena, &got, &k.e)), 0);
}
END_TEST

static int64_t count(const char *sql)
{
    struct db *db = &k.s->main;
    int64_t n;
    kit_ok(&k, db_int(db, &n, 0, sql, &k.e));
    return n;
}

START_TEST(old_runs_are_pruned)
{
    for (uint64_t run = 1; run <= 6; run++) {
        if (run > 1)
            kit_run(&k);
        struct entry entry = entry_at(run, OUTCOME_REJECTED, REASON_EMAIL_INVALID), good = created(100 + run, run);
        entry.cells = STR("raw");
        kit_ok(&k, state_entry_add(k.s, k.run, k.target, &entry, &k.e));
        kit_ok(&k, state_header_put(k.s, k.run, STR("h"), ',', &k.e));
        kit_batch(&k, OP_CREATE, k.target, &good, 1);
        kit_merge(&k);
        struct run_record done = {
            .id = run, .finished_ms = 1, .status = run == 1 ? "complete" : "partial", .read = "full"};
        kit_ok(&k, state_run_finish(k.s, &done, &k.e));
        kit_ok(&k, state_prune(k.s, 4, &k.e));
        kit_ok(&k, state_commit(k.s, &k.e));
    }
    ck_assert_str_eq(listed(2), "");
    ck_assert_str_eq(listed(3), "3 rejected 3;103 created 103;");
    ck_assert_str_eq(listed(4), "4 rejected 4!raw;104 created 104;");
    ck_assert_int_eq(count("SELECT count(*) FROM headers"), 3);
    ck_assert_int_eq(count("SELECT count(*) FROM runs"), 5); /* four, and the last complete one */
    ck_assert_uint_eq(state_leads_n(k.s), 6);
    kit_audit(&k);
}
END_TEST

/* Whatever is done by hand meanwhile: the rows of the last nights stay. */
START_TEST(runs_that_read_nothing_push_nothing_out)
{
    struct entry entry = entry_at(1, OUTCOME_REJECTED, REASON_EMAIL_INVALID);
    entry.cells = STR("raw");
    kit_ok(&k, state_entry_add(k.s, k.run, k.target, &entry, &k.e));
    kit_merge(&k);
    for (uint64_t run = 2; run <= 9; run++) {
        struct run_record by_hand = {.started_ms = 1, .status = "running", .read = ""};
        kit_ok(&k, state_run_start(k.s, &by_hand, &k.e));
        kit_ok(&k, state_prune(k.s, 1, &k.e));
        kit_ok(&k, state_commit(k.s, &k.e));
    }
    ck_assert_str_eq(listed(1), "1 rejected 1!raw;");
    ck_assert_int_eq(count("SELECT count(*) FROM runs"), 9);
    kit_run(&k);
    kit_ok(&k, state_prune(k.s, 1, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
    ck_assert_int_eq(count("SELECT count(*) FROM runs"), 1);
    kit_audit(&k);
}
END_TEST

START_TEST(a_person_is_forgotten_everywhere)
{
    struct hash128 key = kit_key(&k, 1), other = kit_key(&k, 50);
    struct forgotten counts;
    struct entry lead = created(1, 1), bad = entry_at(2, OUTCOME_REJECTED, REASON_REFUSED_THERE);
    struct entry keyed = created(50, 50), late = entry_at(60, OUTCOME_DEFERRED, REASON_PLAN_FULL);
    struct job_record job = {.id = "j1", .type = "move", .status = "pending", .run = 1,
                             .filters = "{\"contacts\":[\"Person1@example.com\"]}"};
    bad.detail = STR("PERSON1@example.com is odd");
    bad.cells = STR("9,person1@EXAMPLE.com");
    keyed.values = late.values = kit_values(&k, " Person1@Example.com ", "Ada"); /* known by another key */
    kit_batch(&k, OP_CREATE, k.target, (struct entry[]){lead, bad, keyed, late, created(3, 3)}, 5);
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
    ck_assert_str_eq(listed(k.run), "1 created -;2 rejected 2;3 created 3;50 created -;60 deferred -;");
    kit_close(&k);
    char *command = NULL;
    ck_assert_int_ge(asprintf(&command, "grep -q -i -a 'person1@' '%s'*", k.path), 0);
    ck_assert_int_ne(system(command), 0);
    free(command);
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
    char *command = NULL;
    while (cells.n < CELLS_N)
        ck_assert_int_eq(buf_adds(&cells, "person1@example.com,"), 0);
    for (unsigned run = 0; run < 5; run++) {
        struct entry rows[ROWS];
        for (unsigned i = 0; i < ROWS; i++) {
            bool late = run % 2 == 0;
            rows[i] = entry_at(i + 1, late ? OUTCOME_DEFERRED : OUTCOME_CHANGED, late ? REASON_PLAN_FULL : REASON_NONE);
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
    ck_assert_int_ge(asprintf(&command, "grep -q -i -a 'person1@' '%s'*", k.path), 0);
    ck_assert_int_ne(system(command), 0);
    free(command);
    buf_free(&cells);
}
END_TEST

/* A reader's snapshot holds old pages in the WAL: that is told, and the next call gets rid of them. */
START_TEST(a_reader_is_in_the_way_of_forgetting)
{
    struct hash128 key = kit_key(&k, 1);
    struct forgotten counts;
    struct entry entry = created(1, 1);
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
    char *command = NULL;
    ck_assert_int_ge(asprintf(&command, "grep -q -i -a 'person1@' '%s'*", k.path), 0);
    ck_assert_int_ne(system(command), 0);
    free(command);
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
    entry = created(50, 50);
    entry.values = kit_values(&k, "Person1@Example.com", "Ada");
    kit_batch(&k, OP_CREATE, k.target, &entry, 1);
    kit_merge(&k);
    kit_ok(&k, state_forget(k.s, STR("person1@example.com"), &key, &counts, &k.e));
    ck_assert_uint_eq(counts.leads, 1);
    kit_audit(&k);
}
END_TEST

START_TEST(the_audit_sees_what_is_wrong)
{
    static const char *const wrongs[] = {
        "UPDATE identity SET leads_n = 7",
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
        "UPDATE identity SET next_lead = 1"};
    struct entry entries[] = {created(1, 1), created(2, 2)};
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

static Suite *suite(void)
{
    Suite *s = suite_create("state_results");
    TCase *c = tcase_create("results");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, rows_come_in_order_from_everywhere);
    tcase_add_test(c, overlapping_batches_interleave);
    tcase_add_test(c, two_rows_of_one_number_are_both_told);
    tcase_add_test(c, a_staged_lead_is_not_there_yet);
    tcase_add_test(c, old_runs_show_the_id_that_a_lead_had_then);
    tcase_add_test(c, a_job_leads_to_its_batches_and_their_entries);
    tcase_add_test(c, facts_are_kept);
    tcase_add_test(c, a_name_that_means_another_target_is_refused);
    tcase_add_test(c, old_runs_are_pruned);
    tcase_add_test(c, runs_that_read_nothing_push_nothing_out);
    tcase_add_test(c, a_person_is_forgotten_everywhere);
    tcase_add_test(c, a_hashed_person_is_forgotten_too);
    tcase_add_test(c, a_reader_is_in_the_way_of_forgetting);
    tcase_add_test(c, nothing_of_the_forgotten_is_left_in_free_pages);
    tcase_add_loop_test(c, the_audit_sees_what_is_wrong, 0, 13);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
