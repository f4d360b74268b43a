/* The diff narrowed: --op, --match and --summary choose what is shown, never what is counted. */
#include "config.h"

#include "tests/unit/diff_kit.h"

#include <json-c/json.h>
#include <string.h>

/* What is shown, by --op, --match and --summary; {changes, left-out rows}. The counts are the same in all of them. */
static const struct narrowed {
    unsigned show;
    const char *match;
    bool summary;
    unsigned changes, left_out, waiting;
} narrowed[] = {
    {0, NULL, false, 6, 2, 1},
    {DIFF_SHOW_CREATE, NULL, false, 1, 0, 0},
    {DIFF_SHOW_UPDATE | DIFF_SHOW_REMOVE, NULL, false, 3, 0, 0},
    {DIFF_SHOW_REKEY | DIFF_SHOW_MOVE, NULL, false, 2, 0, 0},
    {DIFF_SHOW_SKIPPED, NULL, false, 0, 1, 0},
    {DIFF_SHOW_REJECTED | DIFF_SHOW_SKIPPED, NULL, false, 0, 2, 0},
    {DIFF_SHOW_WAITING, NULL, false, 0, 0, 1},
    {0, "eve@", false, 2, 0, 0},
    {0, "ida@", false, 0, 0, 1},
    {0, "wait ida", false, 0, 0, 1}, /* names of a lead, not in a cell of a row */
    {DIFF_SHOW_MOVE, "eve@", false, 1, 0, 0},
    {DIFF_SHOW_UPDATE, "eve@", false, 0, 0, 0},
    {0, NULL, true, 0, 0, 0},
    {DIFF_SHOW_CREATE, "ann@", true, 0, 0, 0},
};
enum { NARROWED_N = sizeof narrowed / sizeof narrowed[0] };

static struct str narrow(enum diff_format format, const struct narrowed *n)
{
    return tell_all((struct diff_options){.format = format, .show = n->show, .match = n->match, .summary = n->summary});
}

START_TEST(narrowed_text_counts_everything)
{
    const struct narrowed *n = &narrowed[_i];
    narrow(DIFF_TEXT, n);
    ck_assert_uint_eq(times("\n+ ") + times("\n~ ") + times("\n> ") + times("\n= ") + times("\n- "), n->changes);
    ck_assert_uint_eq(times("  skipped: ") + times("  rejected: "), n->left_out);
    ck_assert_uint_eq(times("\n  7 (ida@example.com) (Ida Wait\\u{1b})  in campaign \"Q4 founders\"\n"), n->waiting);
    ck_assert_uint_eq(times("\n7 rows read\n"), 1);
    ck_assert_uint_eq(times("\n  remove            1  leads"), 1);
    ck_assert_uint_eq(times("\n                    1  deleted from campaign \"Q4 founders\"\n"), 1);
    ck_assert_uint_eq(times("\n  rejected          1\n"), 1);
    ck_assert_uint_eq(times("\nIn short\n"), n->changes + n->left_out + n->waiting > 0 ? 1 : 0);
    ck_assert_uint_eq(times("\nShown      "), !n->summary && (n->show != 0 || n->match != NULL) ? 1 : 0);
    ck_assert(diff_has_changes(diff));
}
END_TEST

static size_t list_n(struct json_object *json, const char *name)
{
    return json_object_array_length(json_object_object_get(json, name));
}

START_TEST(narrowed_json_counts_everything)
{
    const struct narrowed *n = &narrowed[_i];
    narrow(DIFF_JSON, n);
    struct json_object *json = json_tokener_parse(said);
    ck_assert_ptr_nonnull(json);
    ck_assert_uint_eq(list_n(json, "changes"), n->changes);
    ck_assert_uint_eq(list_n(json, "left_out"), n->left_out);
    ck_assert_uint_eq(list_n(json, "waiting_leads"), n->waiting);
    ck_assert_uint_eq(list_n(json, "by_target"), 5);
    struct json_object *summary = json_object_object_get(json, "summary");
    ck_assert_int_eq(json_object_get_int(json_object_object_get(summary, "update")), 2);
    ck_assert_int_eq(json_object_get_int(json_object_object_get(summary, "rejected")), 1);
    struct json_object *shown = json_object_object_get(json, "shown");
    ck_assert(json_object_get_boolean(json_object_object_get(shown, "summary")) == n->summary);
    ck_assert((shown == NULL) == (n->show == 0 && n->match == NULL && !n->summary));
    json_object_put(json);
}
END_TEST

START_TEST(narrowed_lines_count_everything)
{
    const struct narrowed *n = &narrowed[_i];
    narrow(DIFF_NDJSON, n);
    ck_assert_uint_eq(times("{\"type\":\"change\""), n->changes);
    ck_assert_uint_eq(times("{\"type\":\"left_out\""), n->left_out);
    ck_assert_uint_eq(times("{\"type\":\"waiting\",\"op\":\"waiting\",\"key\":\"7\""), n->waiting);
    ck_assert_uint_eq(times("{\"type\":\"summary\""), 1);
    ck_assert_uint_eq(times("\"remove\":1,\"changed\":3"), 1);
}
END_TEST

START_TEST(narrowed_csv_begins_with_its_columns)
{
    const struct narrowed *n = &narrowed[_i];
    struct str got = narrow(DIFF_CSV, n);
    ck_assert_int_eq(strncmp(got.p, "op,key,field,old,new", 20), 0);
    ck_assert_uint_eq(times("\nmove,") + times("\nremove,") + times("\nrekey,") + times("\ncreate,ann@example.com,email,") +
                          times("\nupdate,bob@example.com,first_name,") + times("\nupdate,cid@example.com,first_name,"),
                      n->changes);
    /* Lines that are no changes have to be asked for. */
    ck_assert_uint_eq(times("\nskipped,") + times("\nrejected,"), n->show != 0 ? n->left_out : 0);
    ck_assert_uint_eq(times("\nwaiting,7,"), n->show != 0 ? n->waiting : 0);
}
END_TEST

START_TEST(a_given_time_is_shown)
{
    start((struct diff_options){.format = (enum diff_format)_i, .has_at = true, .at_ms = 1000});
    finish(&(struct diff_summary){.seconds_at_limit = -1, .least_seconds = -1, .most.seconds = -1});
    ck_assert_uint_eq(times("1970-01-01T00:00:01.000Z"), _i == DIFF_CSV ? 0 : 1);
    ck_assert_uint_eq(times("2026-06-30"), 0);
}
END_TEST

/* A route can have hundreds of targets. */
START_TEST(many_targets_are_cut)
{
    bool all = _i == 1;
    start((struct diff_options){.format = DIFF_TEXT, .all = all});
    for (unsigned i = 0; i < 40; i++) {
        struct entry entry = {.row = i + 1, .key_text = STR("eve@example.com")};
        struct lead lead = {0};
        struct target target = gone;
        target.id.b[0] = (unsigned char)(i % 20);
        const struct diff_change c = {.op = OP_CREATE, .entry = &entry, .target = &target, .new_lead = &lead};
        ck_assert_int_eq(diff_change(diff, &c, &e), 0);
    }
    finish(&(struct diff_summary){.read = 40, .create = 40});
    ck_assert_uint_eq(times("       2  into list \"Gone"), all ? 40 : 24); /* before and after the list */
    ck_assert_uint_eq(times("      16  in 8 more targets"), all ? 0 : 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("diff_narrow");
    TCase *tc = tcase_create("diff_narrow");
    tcase_add_checked_fixture(tc, diff_kit_setup, diff_kit_teardown);
    tcase_add_loop_test(tc, narrowed_text_counts_everything, 0, NARROWED_N);
    tcase_add_loop_test(tc, narrowed_json_counts_everything, 0, NARROWED_N);
    tcase_add_loop_test(tc, narrowed_lines_count_everything, 0, NARROWED_N);
    tcase_add_loop_test(tc, narrowed_csv_begins_with_its_columns, 0, NARROWED_N);
    tcase_add_loop_test(tc, a_given_time_is_shown, 0, DIFF_NONE);
    tcase_add_loop_test(tc, many_targets_are_cut, 0, 2);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
