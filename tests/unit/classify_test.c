/* Status and body to verdict, as rows of a table; the API's words; the errors that end a run. */
#include "sync/api/http/classify.h"
#include "sync/api/answer/answer.h"
#include "tests/unit/harness.h"

#include <json-c/json.h>
#include <string.h>

static const struct expected read_items = {false, true, "items", json_type_array};
static const struct expected write_id = {true, true, "id", json_type_string};
static const struct expected write_any = {.write = true};

#define JSON403(message) "{\"statusCode\":403,\"error\":\"Forbidden\",\"message\":\"" message "\"}"
#define MOVING \
    "{\"statusCode\":409,\"error\":\"Conflict\",\"message\":\"There is a move-leads job in progress. You cannot " \
    "add\"}"

static const struct {
    const struct expected *expected;
    int status;
    const char *body;
    enum verdict verdict;
} rows[] = {
    {&read_items, 200, "{\"items\":[]}", VERDICT_OK},
    {&read_items, 200, " {\"items\":[]}\r\n ", VERDICT_OK},
    {&read_items, 200, "", VERDICT_LOST},
    {&read_items, 200, "{\"items\":[", VERDICT_LOST},
    {&read_items, 200, "{\"items\":{}}", VERDICT_LOST},
    {&read_items, 200, "[]", VERDICT_LOST},
    {&read_items, 200, "{\"items\":[]} {}", VERDICT_LOST},
    {&read_items, 200, "{\"items\":[],\"x\":\"\xff\"}", VERDICT_LOST},
    {&read_items, 502, "<html>bad gateway</html>", VERDICT_LOST},
    {&read_items, 302, "", VERDICT_REDIRECT},
    {&write_id, 302, "", VERDICT_LOST},
    {&write_id, 200, "{\"id\":\"x\"}", VERDICT_OK},
    {&write_id, 202, "{\"id\":\"x\"}", VERDICT_OK},
    {&write_id, 200, "{\"error\":\"boom\"}", VERDICT_LOST},
    {&write_id, 200, "{\"id\":7}", VERDICT_LOST},
    {&write_id, 200, "<html>welcome to the hotel</html>", VERDICT_LOST},
    {&write_id, 204, "", VERDICT_LOST},
    {&write_any, 204, "", VERDICT_OK},
    {&write_any, 200, "  \n", VERDICT_OK},
    {&write_any, 202, "{\"message\":\"submitted\"}", VERDICT_OK},
    {&write_any, 200, "{\"error\":\"boom\"}", VERDICT_LOST},
    {&write_any, 200, "{\"error\":\"boom\",\"status\":\"ok\"}", VERDICT_OK},
    {&write_any, 200, "{\"error\":null}", VERDICT_OK},
    {&write_any, 200, "OK", VERDICT_LOST},
    {&write_id, 400, "{\"message\":\"body must have\"}", VERDICT_REFUSED},
    {&write_id, 404, "", VERDICT_REFUSED},
    {&write_id, 404, "{\"message\":\"Resource not found\"}", VERDICT_REFUSED},
    {&write_id, 404, "{\"message\":\"Route POST:/api/v2/leads/add not found\"}", VERDICT_CLOSED},
    {&read_items, 404, "{\"statusCode\":404,\"message\":\"route get:/x NOT FOUND\"}", VERDICT_CLOSED},
    {&write_id, 404, "{\"message\":\"Route not found\"}", VERDICT_REFUSED},
    {&write_id, 404, "Route POST:/x not found", VERDICT_REFUSED},
    {&write_id, 400, "{\"message\":\"Route POST:/x not found\"}", VERDICT_REFUSED},
    {&write_id, 413, "<html>", VERDICT_REFUSED},
    {&write_id, 422, "{}", VERDICT_REFUSED},
    {&write_id, 405, "{}", VERDICT_CLOSED},
    {&write_id, 410, "<html>gone", VERDICT_CLOSED},
    {&write_id, 426, "", VERDICT_CLOSED},
    {&read_items, 451, "{}", VERDICT_CLOSED},
    {&write_id, 501, "", VERDICT_CLOSED},
    {&write_id, 431, "", VERDICT_REFUSED},
    {&write_id, 401, "{\"message\":\"Missing Authorization header\"}", VERDICT_KEY},
    {&write_id, 401, "", VERDICT_KEY},
    {&write_id, 402, "{\"message\":\"Workspace does not have an active paid plan\"}", VERDICT_UNPAID},
    {&write_id, 403, JSON403("Lead limit reached. Remaining uploads: 0"), VERDICT_PLAN_FULL},
    {&write_id, 403, "{\"detail\":\"remaining UPLOADS: 12\"}", VERDICT_PLAN_FULL},
    {&write_id, 403, JSON403("API key lacks scope"), VERDICT_SCOPE},
    {&write_id, 403, "{}", VERDICT_SCOPE},
    {&write_id, 403, "error code: 1010", VERDICT_EDGE},
    {&write_id, 403, "<html>blocked</html>", VERDICT_EDGE},
    {&write_id, 403, "", VERDICT_EDGE},
    {&write_id, 409, MOVING, VERDICT_LOCKED},
    {&write_id, 409, "{\"message\":\"already exists\"}", VERDICT_REFUSED},
    {&write_id, 429, "{\"message\":\"Rate limit exceeded\"}", VERDICT_THROTTLED},
    {&write_id, 429, "error code: 1015", VERDICT_THROTTLED},
    {&write_id, 408, "", VERDICT_LOST},
    {&write_id, 425, "", VERDICT_LOST},
    {&write_id, 500, "{\"message\":\"Internal\"}", VERDICT_LOST},
    {&write_id, 503, "", VERDICT_LOST},
    {&write_id, 520, "<html>", VERDICT_LOST},
    {&write_id, 524, "<html>", VERDICT_LOST},
    {&write_id, 527, "", VERDICT_LOST},
    {&write_id, 0, "", VERDICT_LOST},
    {&write_id, 999, "", VERDICT_LOST},
};

static struct json_object *parse(const char *body)
{
    struct json_tokener *tokener = answer_tokener();
    struct json_object *json = answer_parse(tokener, str_from(body));
    json_tokener_free(tokener);
    return json;
}

START_TEST(table)
{
    struct transport_answer answer = {.end = TRANSPORT_ANSWERED, .status = rows[_i].status, .body = str_from(rows[_i].body)};
    struct json_object *json = parse(rows[_i].body);
    enum verdict v = classify(rows[_i].expected, &answer, json);
    ck_assert_msg(v == rows[_i].verdict, "%d %s: verdict %d, not %d", rows[_i].status, rows[_i].body, (int)v,
                  (int)rows[_i].verdict);
    json_object_put(json);
}
END_TEST

START_TEST(without_an_answer)
{
    struct transport_answer answer = {.end = TRANSPORT_NOT_SENT};
    ck_assert_int_eq(classify(&write_id, &answer, NULL), VERDICT_NOT_SENT);
    answer.end = TRANSPORT_LOST;
    ck_assert_int_eq(classify(&write_id, &answer, NULL), VERDICT_LOST);
    answer.end = TRANSPORT_REFUSED;
    ck_assert_int_eq(classify(&write_id, &answer, NULL), VERDICT_DRY);
}
END_TEST

static void check_message(const char *body, const char *wanted)
{
    struct buf out = BUF_INIT(4096);
    struct transport_answer answer = {.end = TRANSPORT_ANSWERED, .status = 400, .body = str_from(body)};
    struct json_object *json = parse(body);
    ck_assert_int_eq(classify_message(&answer, json, &out), 0);
    ck_assert_str_eq(buf_cstr(&out), wanted);
    json_object_put(json);
    buf_free(&out);
}

START_TEST(messages)
{
    check_message("{\"message\":\"a\",\"error\":\"b\"}", "a");
    check_message("{\"message\":\"\",\"error\":\"b\"}", "b");
    check_message("{\"message\":7,\"detail\":\"c\"}", "c");
    check_message("{\"message\":[\"first\",\"second\"]}", "first");
    check_message("{\"message\":[]}", "");
    check_message("{\"x\":1}", "");
    check_message("error code: 1010\n", "error code: 1010");
    check_message("<html>..</html>", "(an HTML page)");
    check_message("{\"message\":\"two\\nlines \\u001b[31m\"}", "two lines  [31m");
    check_message("raw \xff bytes", "raw \\x{ff} bytes");
    check_message("", "");
}
END_TEST

START_TEST(long_messages_are_cut_between_characters)
{
    char body[2048] = "{\"message\":\"x";
    for (int i = 0; i < 300; i++)
        strcat(body, "\u00e9");
    strcat(body, "\"}");
    struct buf out = BUF_INIT(4096);
    struct transport_answer answer = {.end = TRANSPORT_ANSWERED, .status = 400, .body = str_from(body)};
    struct json_object *json = parse(body);
    ck_assert_int_eq(classify_message(&answer, json, &out), 0);
    ck_assert_uint_eq(out.n, 299);
    json_object_put(json);
    buf_free(&out);
}
END_TEST

START_TEST(room)
{
    ck_assert_int_eq(classify_room(STR("Lead limit reached. Remaining uploads: 0")), 0);
    ck_assert_int_eq(classify_room(STR("Lead limit reached. Remaining uploads: 52.")), 52);
    ck_assert_int_eq(classify_room(STR("remaining uploads:7")), 7);
    ck_assert_int_eq(classify_room(STR("Remaining uploads: -3")), -1);
    ck_assert_int_eq(classify_room(STR("Remaining uploads:")), -1);
    ck_assert_int_eq(classify_room(STR("Lead limit reached")), -1);
    ck_assert_int_ge(classify_room(STR("Remaining uploads: 99999999999999999999999999")), 1000000000);
    ck_assert_int_eq(classify_room(STR_NONE), -1);
}
END_TEST

static const struct {
    const char *method, *path, *scope;
} scope_rows[] = {
    {"POST", "/api/v2/leads/add", "leads:create"},
    {"POST", "/api/v2/leads", "leads:create"},
    {"POST", "/api/v2/leads/list", "leads:read"},
    {"POST", "/api/v2/leads/move", "leads:update"},
    {"POST", "/api/v2/leads/update-interest-status", "leads:update"},
    {"PATCH", "/api/v2/leads/019f1a6c-2696-7967-a05e-4335a9b176a7", "leads:update"},
    {"DELETE", "/api/v2/leads", "leads:delete"},
    {"GET", "/api/v2/background-jobs?limit=100", "background-jobs:read"},
    {"GET", "/api/v2/campaigns", "campaigns:read"},
    {"POST", "/api/v2/campaigns/x/variables", "campaigns:update"},
    {"POST", "/api/v2/lead-lists", "lead_lists:create"},
    {"GET", "/api/v2/workspaces/current", "workspaces:read"},
    {"GET", "/api/v2/workspace-billing/plan-details", "workspace_billing:read"},
    {"GET", "/api/v2/block-lists-entries", "block_list_entries:read"},
};

START_TEST(scopes)
{
    for (size_t i = 0; i < sizeof scope_rows / sizeof scope_rows[0]; i++)
        ck_assert_str_eq(classify_scope(scope_rows[i].method, scope_rows[i].path), scope_rows[i].scope);
    ck_assert_ptr_null(classify_scope("GET", "/api/v2/emails"));
}
END_TEST

static void check_fatal(enum verdict verdict, int status, enum exit_status xs, const char *part)
{
    struct err e = ERR_INIT;
    struct transport_answer answer = {.end = TRANSPORT_ANSWERED, .status = status};
    ck_assert_int_eq(classify_fatal(verdict, "POST", "/api/v2/leads/add", &answer, STR("words"), &e), -1);
    ck_assert_int_eq(e.status, xs);
    ck_assert_msg(strstr(err_text(&e), part) != NULL, "%s", err_text(&e));
    err_clear(&e);
}

START_TEST(fatal)
{
    check_fatal(VERDICT_KEY, 401, XS_KEY, "INSTANTLY_API_KEY");
    check_fatal(VERDICT_UNPAID, 402, XS_KEY, "plan");
    check_fatal(VERDICT_SCOPE, 403, XS_KEY, "leads:create");
    check_fatal(VERDICT_EDGE, 403, XS_API, "words");
    check_fatal(VERDICT_REDIRECT, 301, XS_API, "--api-url");
    check_fatal(VERDICT_DRY, 0, XS_INTERNAL, "/leads/add");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("classify");
    TCase *t = tcase_create("classify");
    tcase_add_loop_test(t, table, 0, (int)(sizeof rows / sizeof rows[0]));
    tcase_add_test(t, without_an_answer);
    tcase_add_test(t, messages);
    tcase_add_test(t, long_messages_are_cut_between_characters);
    tcase_add_test(t, room);
    tcase_add_test(t, scopes);
    tcase_add_test(t, fatal);
    suite_add_tcase(s, t);
    return unit_run(s);
}
