/* The commands that only read the state: status, results and rejects over a state with one finished run. */
#include "config.h"

#include "sync/base/file.h"
#include "sync/state/state.h"
#include "tests/unit/cmd_kit.h"

#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *folder, *state_path;

#define SET(call) ck_assert_msg((call) == 0, "%s", err_text(&e))

static struct str pack_cells(struct buf *out, const char *const *texts, size_t n)
{
    struct cell cells[8];
    for (size_t i = 0; i < n; i++)
        cells[i] = texts[i] != NULL ? (struct cell){texts[i], strlen(texts[i]), false} : (struct cell){NULL, 0, true};
    buf_reset(out);
    ck_assert_int_eq(cells_pack(cells, n, out), 0);
    return buf_str(out);
}

static void add(struct state *s, const struct run_record *record, uint32_t target, struct entry entry,
                const char *const *cells, size_t cells_n)
{
    struct err e = ERR_INIT;
    struct buf packed = BUF_INIT(4096);
    entry.cells = pack_cells(&packed, cells, cells_n);
    entry.key = hash_keyed128(state_secret(s), entry.key_text.p, entry.key_text.n);
    SET(state_entry_add(s, record->id, target, &entry, &e));
    buf_free(&packed);
}
#define CELLS(...) (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)

/* A lead that was created: an intent, and its outcome. */
static void add_created(struct state *s, const struct run_record *record, uint32_t target, struct uuid id)
{
    struct err e = ERR_INIT;
    struct entry entry = {.row = 5, .line = 7, .key_text = STR("new@example.com"), .email = STR("new@example.com")};
    struct batch batch =
        {.run = record->id, .op = OP_CREATE, .state = BATCH_PLANNED, .target = target, .entries = &entry, .entries_n = 1};
    entry.key = hash_keyed128(state_secret(s), entry.key_text.p, entry.key_text.n);
    SET(state_batch_add(s, &batch, &e));
    entry.has_lead_id = true;
    entry.lead_id = id;
    entry.outcome = OUTCOME_CREATED;
    SET(state_batch_settle(s, &batch, &e));
}

/* Run 1: a rejected row with hostile cells, a ragged one, a failed one, a skipped and an unchanged one. */
static void make_state_with(const char *report)
{
    struct err e = ERR_INIT;
    struct state *s = NULL;
    struct buf packed = BUF_INIT(4096);
    char name[] = "Incoming";
    struct target target = {.kind = TARGET_LIST, .name = name, .status = TARGET_STATUS_UNKNOWN};
    uint32_t number;
    struct run_record record = {.started_ms = 1750000000000, .status = "running", .read = "full"};
    const struct state_options options = {.path = state_path,
                                          .access = STATE_WRITE,
                                          .sync = "people",
                                          .api_host = "api.instantly.ai",
                                          .memory_max = 1 << 24,
                                          .clock = clock_system()};
    ck_assert_int_eq(uuid_parse(STR("0199c0de-0000-4000-8000-00000000abcd"), &target.id), 0);
    SET(state_open(&options, &s, &e));
    SET(state_lock(s, 0, &e));
    SET(state_target_put(s, &target, false, &number, &e));
    SET(state_run_start(s, &record, &e));
    SET(state_header_put(s, record.id, pack_cells(&packed, CELLS("E-mail", "Na;me", "No\"te")), ';', &e));
    add(s, &record, number,
        (struct entry){.row = 1,
                       .line = 2,
                       .key_text = STR("=bad@example.com"),
                       .outcome = OUTCOME_REJECTED,
                       .reason = REASON_EMAIL_INVALID,
                       .detail = STR("E-mail:  =bad@")},
        CELLS(" =bad@", "a;b", "say \"hi\"\nyou"));
    add(s, &record, number,
        (struct entry){.row = 2,
                       .line = 4,
                       .key_text = STR("ragged@example.com"),
                       .outcome = OUTCOME_REJECTED,
                       .reason = REASON_RAGGED_ROW},
        CELLS("ragged@example.com", "x"));
    add(s, &record, number,
        (struct entry){.row = 3,
                       .line = 0,
                       .key_text = STR("failed@example.com"),
                       .outcome = OUTCOME_FAILED,
                       .reason = REASON_API_ERROR,
                       .http_status = 500},
        CELLS("failed@example.com", "", NULL));
    add(s, &record, number,
        (struct entry){.row = 4,
                       .line = 6,
                       .key_text = STR("skip@example.com"),
                       .outcome = OUTCOME_SKIPPED,
                       .reason = REASON_SKIP_WHEN},
        CELLS("skip@example.com", "", ""));
    add_created(s, &record, number, target.id);
    record.finished_ms = record.started_ms + 1500;
    record.status = "complete";
    record.exit_code = 1;
    record.report = report;
    SET(state_merge(s, 0, &e));
    SET(state_run_finish(s, &record, &e));
    SET(state_commit(s, &e));
    state_close(s);
    buf_free(&packed);
}

static void make_state(void)
{
    make_state_with("{\"rows\":{\"read\":5,\"created\":1,\"skipped\":1,\"rejected\":2,\"failed\":1}}");
}

static void setup(void)
{
    folder = unit_tmpdir();
    state_path = path_join(folder, "people.db");
    ck_assert_ptr_nonnull(state_path);
    setenv("XDG_STATE_HOME", folder, 1);
    unsetenv("LEADSYNC_STATE");
    unsetenv("INSTANTLY_API_URL");
}

static void teardown(void)
{
    free(state_path);
    free(folder);
}

START_TEST(test_results)
{
    make_state();
    WELL("leadsync", "results", "--state", state_path, "--format", "csv");
    ck_assert_str_eq(
        said,
        "run,row,line,key,outcome,reason,lead_id,target,http_status,op,detail,changes,target_name\n"
        "1,1,2,'=bad@example.com,rejected,email_invalid,,list:0199c0de-0000-4000-8000-00000000abcd,,,E-mail:  =bad@,,Incoming\n"
        "1,2,4,ragged@example.com,rejected,ragged_row,,list:0199c0de-0000-4000-8000-00000000abcd,,,,,Incoming\n"
        "1,3,,failed@example.com,failed,api_error,,list:0199c0de-0000-4000-8000-00000000abcd,500,,,,Incoming\n"
        "1,4,6,skip@example.com,skipped,skip_when,,list:0199c0de-0000-4000-8000-00000000abcd,,,,,Incoming\n"
        "1,5,7,new@example.com,created,,0199c0de-0000-4000-8000-00000000abcd,"
        "list:0199c0de-0000-4000-8000-00000000abcd,,create,,,Incoming\n");
    WELL("leadsync", "results", "--state", state_path, "--format", "ndjson", "--outcome", "failed,created");
    ck_assert_str_eq(
        said,
        "{\"run\":1,\"row\":3,\"line\":null,\"key\":\"failed@example.com\",\"outcome\":\"failed\","
        "\"reason\":\"api_error\",\"lead_id\":null,\"target\":\"list:0199c0de-0000-4000-8000-00000000abcd\","
        "\"http_status\":500,\"op\":null,\"detail\":null,\"changes\":null,\"target_name\":\"Incoming\"}\n"
        "{\"run\":1,\"row\":5,\"line\":7,\"key\":\"new@example.com\",\"outcome\":\"created\",\"reason\":null,"
        "\"lead_id\":\"0199c0de-0000-4000-8000-00000000abcd\","
        "\"target\":\"list:0199c0de-0000-4000-8000-00000000abcd\",\"http_status\":null,\"op\":\"create\",\"detail\":null,"
        "\"changes\":null,\"target_name\":\"Incoming\"}\n");
    WELL("leadsync", "results", "--state", state_path, "--format", "json");
    struct json_object *json = json_tokener_parse(said);
    ck_assert_ptr_nonnull(json);
    ck_assert_uint_eq(json_object_array_length(json), 5);
    json_object_put(json);
    WELL("leadsync", "results", "--state", state_path);
    ck_assert_ptr_nonnull(strstr(said, "email_invalid"));
    ck_assert_ptr_null(strstr(said, "new@example.com"));
    SAID("1 row was created, changed or removed: --all lists it too");
    WELL("leadsync", "results", "--state", state_path, "--all");
    SAID("new@example.com");
    WELL("leadsync", "results", "--state", state_path, "--reason", "api_error,skip_when", "--format", "json");
    json = json_tokener_parse(said);
    ck_assert_uint_eq(json_object_array_length(json), 2);
    json_object_put(json);
    WELL("leadsync", "results", "--state", state_path, "--match", "NEW@", "--format", "json");
    json = json_tokener_parse(said);
    ck_assert_uint_eq(json_object_array_length(json), 1);
    json_object_put(json);
    ck_assert_int_eq(RUN("leadsync", "results", "--state", state_path, "--reason", "odd"), XS_USAGE);
    TOLD("\"odd\" is not a reason");
    WELL("leadsync", "results", "--state", state_path, "--outcome", "removed", "--format", "json");
    ck_assert_str_eq(said, "[]\n");
    ck_assert_int_eq(RUN("leadsync", "results", "--state", state_path, "--outcome", "odd"), XS_USAGE);
    TOLD("\"odd\" is not one of");
    ck_assert_int_eq(RUN("leadsync", "results", "--state", state_path, "--run", "7"), XS_USAGE);
    TOLD("no run 7");
}
END_TEST

/* Cells as read, in the source's delimiter, each under its name: what a spreadsheet saves must not move them. */
START_TEST(test_rejects)
{
    make_state();
    WELL("leadsync", "rejects", "--state", state_path);
    ck_assert_str_eq(said, "E-mail;\"Na;me\";\"No\"\"te\";leadsync_line;leadsync_reason;leadsync_detail\n"
                           " =bad@;\"a;b\";\"say \"\"hi\"\"\nyou\";2;email_invalid;E-mail:  =bad@\n"
                           "ragged@example.com;x;;4;ragged_row;\n"
                           "failed@example.com;;;;api_error;\n");
    WELL("leadsync", "rejects", "--state", state_path, "--bom");
    ck_assert_int_eq(strncmp(said,
                             "\xEF\xBB\xBF"
                             "E-mail;",
                             10),
                     0);
}
END_TEST

START_TEST(test_status)
{
    struct json_object *json, *runs, *exit_code;
    make_state();
    WELL("leadsync", "status", "--state", state_path, "--format", "json");
    json = json_tokener_parse(said);
    ck_assert_ptr_nonnull(json);
    ck_assert(json_object_object_get_ex(json, "runs", &runs));
    ck_assert_uint_eq(json_object_array_length(runs), 1);
    ck_assert(json_object_object_get_ex(json_object_array_get_idx(runs, 0), "exit_code", &exit_code));
    ck_assert_int_eq(json_object_get_int(exit_code), 1);
    json_object_put(json);
    WELL("leadsync", "status", "--state", state_path);
    SAID("sync people: 1 lead known");
    SAID("complete");
    WELL("leadsync", "status", "--state", state_path, "--audit");
    SAID("sound");
}
END_TEST

/* A report whose sum does not close is a lost row: the audit names it and the exit status is 70. */
START_TEST(test_audit_finds)
{
    make_state_with("{\"rows\":{\"read\":6,\"created\":1,\"skipped\":1,\"rejected\":2,\"failed\":1}}");
    ck_assert_int_eq(RUN("leadsync", "status", "--state", state_path, "--audit"), XS_INTERNAL);
    TOLD("violates 1");
    SAID("does not add up");
}
END_TEST

START_TEST(test_no_state)
{
    ck_assert_int_eq(RUN("leadsync", "status", "--state", state_path), XS_STATE);
    TOLD(state_path);
    ck_assert_int_ne(access(state_path, F_OK), 0);
    ck_assert_int_eq(RUN("leadsync", "status"), XS_STATE);
    TOLD("no state yet");
    ck_assert_int_eq(RUN("leadsync", "status", "--state", ""), XS_USAGE);
    ck_assert_int_eq(RUN("leadsync", "status", "--state", "postgresql://u:s3cret@host/db"), XS_USAGE);
    ck_assert_ptr_null(strstr(told, "s3cret"));
    setenv("LEADSYNC_STATE", "postgresql://u:s3cret@host/db", 1);
    ck_assert_int_eq(RUN("leadsync", "status"), XS_CONFIG);
    ck_assert_ptr_null(strstr(told, "s3cret"));
    unsetenv("LEADSYNC_STATE");
    FILE *foreign = fopen(state_path, "w");
    ck_assert_ptr_nonnull(foreign);
    fputs("this is no state", foreign);
    fclose(foreign);
    ck_assert_int_eq(RUN("leadsync", "status", "--state", state_path), XS_STATE);
}
END_TEST

/* The output is private, because it holds leads, and is not there when the command fails. */
START_TEST(test_output_file)
{
    char *path = path_join(folder, "out.csv");
    make_state();
    ck_assert_int_eq(RUN("leadsync", "rejects", "--state", state_path, "--run", "9", "-o", path), XS_USAGE);
    ck_assert_int_ne(access(path, F_OK), 0);
    WELL("leadsync", "rejects", "--state", state_path, "-o", path);
    ck_assert_str_eq(said, "");
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_eq(RUN("leadsync", "rejects", "--state", state_path, "-o", folder), XS_STATE);
    free(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reading");
    TCase *tc = tcase_create("commands");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_results);
    tcase_add_test(tc, test_rejects);
    tcase_add_test(tc, test_status);
    tcase_add_test(tc, test_audit_finds);
    tcase_add_test(tc, test_no_state);
    tcase_add_test(tc, test_output_file);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
