/* The commands that show background jobs, over a state with settled, open and shared batches; no API. */
#include "config.h"

#include "tests/unit/cmd_kit.h"
#include "tests/unit/state_kit.h"

#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DONE_N = 250 };

static struct kit k;
static uint32_t demo; /* a campaign */

/* ---- running ---- */

#define RUN_JOBS(...) RUN("leadsync", "jobs", __VA_ARGS__, "--state", k.path)
#define JOBS(...) ck_assert_msg(RUN_JOBS(__VA_ARGS__) == XS_DONE, "%s", told)

/* ---- the state ---- */

static void put_job(const char *id, const char *status, uint64_t total, uint64_t success, uint64_t failed,
                    const char *filters, int64_t created_ms)
{
    struct job_record job = {.id = id,
                             .type = "move-leads",
                             .status = status,
                             .total = total,
                             .success = success,
                             .failed = failed,
                             .filters = filters,
                             .run = k.run,
                             .created_ms = created_ms,
                             .updated_ms = created_ms + 5000,
                             .progress = strcmp(status, "success") == 0 ? 100 : 0,
                             .from = "list:01000000-0000-0000-0000-000000000000",
                             .to = "campaign:02000000-0000-0000-0000-000000000000"};
    kit_ok(&k, state_job_put(k.s, &job, &k.e));
}

static struct entry moved(uint64_t n, enum outcome outcome, enum reason reason)
{
    struct entry entry = kit_entry(&k, n, 11);
    entry.outcome = outcome;
    entry.reason = reason;
    entry.has_lead_id = true;
    entry.lead_id = kit_uuid(n);
    return entry;
}

/* Adds the batch as accepted by the job; settles it when its entries have outcomes. */
static void put_batch(const char *job, struct entry *entries, size_t n)
{
    struct batch b = {.run = k.run, .op = OP_MOVE, .source = k.target, .target = demo, .entries = entries, .entries_n = n};
    kit_ok(&k, state_batch_add(k.s, &b, &k.e));
    b.state = BATCH_ACCEPTED;
    b.job = job;
    b.sent_ms = 1700000000000;
    kit_ok(&k, state_batch_update(k.s, &b, &k.e));
    if (entries[0].outcome != OUTCOME_NONE)
        kit_ok(&k, state_batch_settle(k.s, &b, &k.e));
    kit_ok(&k, state_commit(k.s, &k.e));
}

/* "done": 250 leads, of which 3 failed, 2 were left out and one removal · "open": 3 leads, not settled · "bare": an open
 * batch without a record · "first" and "second": one batch, two jobs · "odd": others' words. */
static void make_jobs(void)
{
    static struct entry entries[DONE_N + 1];
    char name[] = "Demo", ids[512], id1[UUID_TEXT_N], id2[UUID_TEXT_N], id3[UUID_TEXT_N];
    struct target campaign = {.kind = TARGET_CAMPAIGN, .id = {{2}}, .name = name, .status = 1};
    kit_ok(&k, state_target_put(k.s, &campaign, false, &demo, &k.e));
    kit_run(&k);
    for (uint64_t i = 0; i < DONE_N; i++)
        entries[i] = moved(DONE_N - i, OUTCOME_CHANGED, REASON_NONE); /* not in the order of the rows */
    for (uint64_t i = 0; i < 3; i++) {
        entries[i].outcome = OUTCOME_FAILED;
        entries[i].reason = i == 0 ? REASON_EXISTS_IN_TARGET : REASON_MOVE_NOT_DONE;
    }
    entries[3].outcome = entries[4].outcome = OUTCOME_SKIPPED;
    entries[3].reason = REASON_UNSUBSCRIBED;
    entries[4].reason = REASON_CONTACTED;
    entries[0].detail = STR("there is \"another\" one");
    entries[DONE_N] = moved(900, OUTCOME_REMOVED, REASON_NONE);
    entries[DONE_N].row = entries[DONE_N].line = 0;
    put_batch("done", entries, DONE_N + 1);
    put_job("done", "success", DONE_N - 1, DONE_N - 4, 3, NULL, 1700000001000);
    kit_merge(&k);
    struct entry open[] = {moved(301, OUTCOME_NONE, REASON_NONE), moved(302, OUTCOME_NONE, REASON_NONE),
                           moved(303, OUTCOME_NONE, REASON_NONE)};
    put_batch("open", open, 3);
    put_job("open", "in-progress", 3, 0, 0, "{\"ids\":7}", 1700000002000);
    struct entry bare = moved(311, OUTCOME_NONE, REASON_NONE);
    put_batch("bare", &bare, 1);
    struct uuid uuids[] = {kit_uuid(401), kit_uuid(402), kit_uuid(403)};
    uuid_format(&uuids[0], id1);
    uuid_format(&uuids[1], id2);
    uuid_format(&uuids[2], id3);
    struct entry shared[] = {moved(401, OUTCOME_CHANGED, REASON_NONE), moved(402, OUTCOME_CHANGED, REASON_NONE),
                             moved(403, OUTCOME_FAILED, REASON_MOVE_NOT_DONE)};
    put_batch("second", shared, 3);
    snprintf(ids, sizeof ids, "{\"ids\":[\"%s\",\"%s\"]}", id2, id1);
    put_job("first", "success", 2, 2, 0, ids, 1700000003000);
    snprintf(ids, sizeof ids, "{\"ids\":[\"%s\",5,\"no id\"]}", id3);
    put_job("second", "failed", 1, 0, 1, ids, 1700000004000);
    put_job("odd", "=cmd|' /C calc'!A0,\x1b[2J", 0, 0, 0, "{", 1700000005000);
    kit_ok(&k, state_commit(k.s, &k.e));
    kit_close(&k);
}

static void setup(void)
{
    kit_init(&k);
    kit_open(&k, STATE_WRITE);
    make_jobs();
    unsetenv("LEADSYNC_STATE");
    unsetenv("INSTANTLY_API_URL");
    unsetenv("INSTANTLY_API_KEY");
    unsetenv("CREDENTIALS_DIRECTORY");
    setenv("XDG_STATE_HOME", k.dir, 1);
}

static void teardown(void)
{
    kit_free(&k);
}

static struct json_object *parse(void)
{
    struct json_object *json = json_tokener_parse(said);
    ck_assert_msg(json != NULL, "no JSON: %s", said);
    return json;
}

static struct json_object *get(struct json_object *object, const char *key)
{
    struct json_object *member = NULL;
    ck_assert_msg(json_object_object_get_ex(object, key, &member), "no %s in %s", key, json_object_to_json_string(object));
    return member;
}

static const char *text_of(struct json_object *object, const char *key)
{
    struct json_object *member = get(object, key);
    return member != NULL ? json_object_get_string(member) : "null";
}

/* ---- list ---- */

START_TEST(listed_as_text)
{
    JOBS("list");
    SAID("done  ");
    SAID("list:01000000-0000-0000-0000-000000000000"); /* no name is known */
    SAID("campaign Demo");
    SAID("not settled");
    SAID("\\u{1b}");
    NOT_SAID("\x1b");
    JOBS("--format", "text");
    SAID("done  ");
}
END_TEST

START_TEST(listed_as_json)
{
    static const char *const members[] = {"id",     "type", "status", "progress", "total",      "success",
                                          "failed", "from", "to",     "run",      "created_at", "updated_at"};
    JOBS("list", "--format", "json");
    struct json_object *json = parse();
    ck_assert_uint_eq(json_object_array_length(json), 6);
    for (size_t i = 0; i < 6; i++) {
        struct json_object *job = json_object_array_get_idx(json, i);
        size_t m = 0;
        ck_assert_int_eq(json_object_object_length(job), 12);
        struct json_object_iterator at = json_object_iter_begin(job), end = json_object_iter_end(job);
        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
            ck_assert_str_eq(json_object_iter_peek_name(&at), members[m++]);
    }
    struct json_object *newest = json_object_array_get_idx(json, 0), *done = json_object_array_get_idx(json, 4),
                       *bare = json_object_array_get_idx(json, 5);
    ck_assert_str_eq(text_of(newest, "id"), "odd");
    ck_assert_str_eq(text_of(done, "id"), "done");
    ck_assert_str_eq(text_of(done, "created_at"), "2023-11-14T22:13:21.000Z");
    ck_assert_int_eq(json_object_get_int(get(done, "success")), DONE_N - 4);
    ck_assert_int_eq(json_object_get_int(get(done, "run")), 1);
    ck_assert_str_eq(text_of(bare, "id"), "bare");
    ck_assert_ptr_null(get(bare, "status"));
    json_object_put(json);
}
END_TEST

START_TEST(listed_as_lines)
{
    JOBS("list", "--format", "ndjson");
    SAID("{\"id\":\"odd\"");
    SAID("}\n{\"id\":\"second\"");
    JOBS("list", "--format", "csv");
    ck_assert_ptr_eq(strstr(said, "id,type,status,progress,total,success,failed,from,to,run,created_at,updated_at\n"), said);
    SAID("\ndone,move-leads,success,100,249,246,3,list:01000000-0000-0000-0000-000000000000,"
         "campaign:02000000-0000-0000-0000-000000000000,1,2023-11-14T22:13:21.000Z,2023-11-14T22:13:26.000Z\n");
    SAID("\nbare,,,,,,,,,1,2023-11-14T22:13:20.000Z,\n");
}
END_TEST

START_TEST(slips)
{
    ck_assert_int_eq(RUN_JOBS("list", "done"), XS_USAGE);
    TOLD("\"done\" is not a SYNC");
    ck_assert_int_eq(RUN_JOBS("lsit"), XS_USAGE);
    TOLD("did you mean \"list\"?");
    ck_assert_int_eq(RUN_JOBS("show"), XS_USAGE);
    TOLD("missing ID of a job");
    ck_assert_int_eq(RUN_JOBS("entries", "one", "two"), XS_USAGE);
    TOLD("give only one job");
    ck_assert_int_eq(RUN_JOBS("show", "a/b"), XS_USAGE);
    TOLD("is not the id of a background job");
    ck_assert_int_eq(RUN_JOBS("entries", "stranger"), XS_USAGE);
    TOLD("did not start the job stranger");
    ck_assert_int_eq(RUN_JOBS("entries", "done", "--completion-status", "success"), XS_USAGE);
    TOLD("did you mean \"SUCCESS\"?");
    ck_assert_int_eq(RUN_JOBS("entries", "done", "--limit", "0"), XS_USAGE);
    ck_assert_int_eq(RUN_JOBS("entries", "done", "--skip", "-1"), XS_USAGE);
    ck_assert_int_eq(RUN_JOBS("list", "--all"), XS_KEY);
    ck_assert_int_eq(RUN_JOBS("show", "stranger"), XS_KEY);
    ck_assert_int_eq(RUN_JOBS("wait"), XS_KEY);
}
END_TEST

/* ---- show ---- */

START_TEST(shown)
{
    JOBS("show", "done");
    SAID("job done\n  type      move-leads\n  status    success\n  progress  100%\n");
    SAID("to        campaign Demo\n");
    SAID("leads     251: 246 moved, 5 not, 0 pending\n");
    SAID("leadsync jobs entries done --completion-status ERROR\n");
    ck_assert_str_eq(told, ""); /* it is over: nobody is asked */
    JOBS("show", "open");
    SAID("3: 0 moved, 0 not, 3 pending\n");
    SAID("leadsync jobs wait waits for it\n");
    TOLD("as last seen");
    JOBS("show", "second");
    SAID("1: 0 moved, 1 not, 0 pending\n");
    JOBS("show", "bare", "--format", "json");
    struct json_object *json = parse();
    ck_assert_int_eq(json_object_get_int(get(get(json, "entries"), "PENDING")), 1);
    ck_assert_ptr_null(get(json, "told"));
    json_object_put(json);
}
END_TEST

/* ---- wait ---- */

START_TEST(nothing_to_wait_for)
{
    ck_assert_int_eq(RUN_JOBS("wait", "first"), XS_DONE);
    SAID("first");
    ck_assert_int_eq(RUN_JOBS("wait", "done", "done"), XS_LEFT_OVER); /* some of its leads did not move */
    TOLD("1 job did not move all leads");
    ck_assert_int_eq(RUN_JOBS("wait", "second", "first", "--format", "csv"), XS_LEFT_OVER);
    SAID("updated_at\nsecond,");
}
END_TEST

/* ---- entries ---- */

/* `_meta` and the length of `_data`. */
static void page_is(struct json_object *json, size_t n, int total, const char *next)
{
    struct json_object *meta = get(json, "_meta");
    ck_assert_uint_eq(json_object_array_length(get(json, "_data")), n);
    ck_assert_int_eq(json_object_get_int(get(meta, "total")), total);
    ck_assert_str_eq(text_of(meta, "next"), next);
}

START_TEST(entries_in_full)
{
    static const char *const members[] = {"id",
                                          "createdAt",
                                          "updatedAt",
                                          "data",
                                          "validationStatus",
                                          "validationMessage",
                                          "validationResult",
                                          "completionStatus",
                                          "completionMessage",
                                          "completionResult",
                                          "backgroundJob"};
    size_t m = 0;
    JOBS("entries", "done", "--format", "json", "--limit", "1000");
    struct json_object *json = parse(), *all = get(json, "_data");
    page_is(json, DONE_N + 1, DONE_N + 1, "null");
    struct json_object *first = json_object_array_get_idx(all, 0), *last = json_object_array_get_idx(all, DONE_N),
                       *bad = json_object_array_get_idx(all, DONE_N - 1), *left = json_object_array_get_idx(all, DONE_N - 4);
    struct json_object_iterator at = json_object_iter_begin(first), end = json_object_iter_end(first);
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
        ck_assert_str_eq(json_object_iter_peek_name(&at), members[m++]);
    ck_assert_uint_eq(m, 11);
    ck_assert_str_eq(text_of(first, "id"), "done-1");
    ck_assert_str_eq(text_of(first, "backgroundJob"), "done");
    ck_assert_int_eq(json_object_get_int64(get(first, "createdAt")), 1700000001000);
    ck_assert_int_eq(json_object_get_int64(get(first, "updatedAt")), 1700000006000);
    ck_assert_int_eq(json_object_object_length(get(first, "data")), 4);
    ck_assert_str_eq(text_of(get(first, "data"), "key"), "person1@example.com"); /* by row */
    ck_assert_str_eq(text_of(get(first, "data"), "from"), "list:01000000-0000-0000-0000-000000000000");
    ck_assert_str_eq(text_of(get(first, "data"), "to"), "campaign:02000000-0000-0000-0000-000000000000");
    ck_assert_str_eq(text_of(first, "validationStatus"), "SUCCESS");
    ck_assert_str_eq(text_of(first, "completionStatus"), "SUCCESS");
    ck_assert_ptr_null(get(first, "completionMessage"));
    ck_assert_str_eq(text_of(get(first, "completionResult"), "outcome"), "changed");
    ck_assert_str_eq(text_of(bad, "validationStatus"), "SUCCESS");
    ck_assert_str_eq(text_of(bad, "completionStatus"), "ERROR");
    ck_assert_str_eq(text_of(bad, "completionMessage"), "exists_in_target: there is \"another\" one");
    ck_assert_str_eq(text_of(get(bad, "completionResult"), "reason"), "exists_in_target");
    ck_assert_str_eq(text_of(left, "validationStatus"), "ERROR");
    ck_assert_ptr_eq(strstr(text_of(left, "validationMessage"), "unsubscribed: "), text_of(left, "validationMessage"));
    ck_assert_str_eq(text_of(last, "id"), "done-251"); /* removals last */
    ck_assert_str_eq(text_of(get(last, "completionResult"), "outcome"), "removed");
    json_object_put(json);
}
END_TEST

START_TEST(entries_by_page)
{
    static const struct {
        const char *words[8];
        size_t n;
        int total;
        const char *next, *first;
        /* clang-format off */
    } rows[] = {
        {{NULL}, 100, 251, "?skip=100&limit=100", "done-1"},
        {{"--skip", "200"}, 51, 251, "null", "done-201"},
        {{"--skip", "100", "--limit", "151"}, 151, 251, "null", "done-101"},
        {{"--skip", "251"}, 0, 251, "null", ""},
        {{"--skip", "9223372036854775807"}, 0, 251, "null", ""},
        {{"--completion-status", "ERROR"}, 5, 5, "null", "done-246"},
        {{"--completion-status", "ERROR", "--limit", "2", "--skip", "1"}, 2, 5, "?skip=3&limit=2&completionStatus=ERROR", "done-247"},
        {{"--validation-status", "ERROR"}, 2, 2, "null", "done-246"},
        {{"--validation-status", "SUCCESS", "--completion-status", "ERROR", "--limit", "1"}, 1, 3,
         "?skip=1&limit=1&completionStatus=ERROR&validationStatus=SUCCESS", "done-248"},
        {{"--completion-status", "PENDING"}, 0, 0, "null", ""},
        {{"--completion-status", "SUCCESS", "--skip", "245"}, 1, 246, "null", "done-251"},
    };
    /* clang-format on */
    const char *words[16] = {"leadsync", "jobs", "entries", "done", "--format", "json", "--state", k.path};
    size_t n = 8;
    for (size_t i = 0; i < 8 && rows[_i].words[i] != NULL; i++)
        words[n++] = rows[_i].words[i];
    ck_assert_msg(cmd_run(words, n) == XS_DONE, "%s", told);
    struct json_object *json = parse();
    page_is(json, rows[_i].n, rows[_i].total, rows[_i].next);
    if (rows[_i].n > 0)
        ck_assert_str_eq(text_of(json_object_array_get_idx(get(json, "_data"), 0), "id"), rows[_i].first);
    json_object_put(json);
}
END_TEST
enum { PAGES_N = 11 };

START_TEST(entries_of_open_and_shared_batches)
{
    JOBS("entries", "open", "--format", "json");
    struct json_object *json = parse();
    page_is(json, 3, 3, "null");
    struct json_object *first = json_object_array_get_idx(get(json, "_data"), 0);
    ck_assert_str_eq(text_of(first, "completionStatus"), "PENDING");
    ck_assert_str_eq(text_of(first, "validationStatus"), "PENDING");
    ck_assert_ptr_null(get(first, "completionResult"));
    ck_assert_str_eq(text_of(get(first, "data"), "key"), "person301@example.com");
    json_object_put(json);
    JOBS("entries", "first", "--format", "csv");
    SAID("row,key,lead_id,from,to,validation_status,completion_status,message\n401,person401@example.com,");
    SAID("\n402,person402@example.com,");
    NOT_SAID("403");
    JOBS("entries", "second", "--format", "ndjson");
    SAID("{\"id\":\"second-1\"");
    SAID("person403@");
    NOT_SAID("person402@");
    JOBS("entries", "odd");
    SAID("0 entries");
    /* The same once all is merged. */
    kit_open(&k, STATE_WRITE);
    kit_merge(&k);
    kit_close(&k);
    JOBS("entries", "first", "--format", "csv");
    SAID("\n402,person402@example.com,");
    NOT_SAID("403");
    JOBS("entries", "open", "--completion-status", "PENDING");
    SAID("job open, from list:01000000-0000-0000-0000-000000000000 to campaign Demo: 3 entries\n");
}
END_TEST

START_TEST(entries_as_text)
{
    JOBS("entries", "done", "--skip", "245", "--limit", "3");
    SAID("251 entries\n");
    SAID("246  person246@example.com");
    SAID("contacted: ");
    SAID("\n3 more: --skip 248\n");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("jobs_cmd");
    TCase *t = tcase_create("jobs");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, listed_as_text);
    tcase_add_test(t, listed_as_json);
    tcase_add_test(t, listed_as_lines);
    tcase_add_test(t, slips);
    tcase_add_test(t, shown);
    tcase_add_test(t, nothing_to_wait_for);
    tcase_add_test(t, entries_in_full);
    tcase_add_loop_test(t, entries_by_page, 0, PAGES_N);
    tcase_add_test(t, entries_of_open_and_shared_batches);
    tcase_add_test(t, entries_as_text);
    suite_add_tcase(s, t);
    return unit_run(s);
}
