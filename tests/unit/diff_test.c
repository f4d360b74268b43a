/* The diff: its four formats against golden files, and what happens at their edges. */
#include "config.h"

#include "sync/base/text.h"
#include "tests/unit/diff_kit.h"
#include "tests/unit/golden.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What becomes of a removed lead, and where one lands that is not in the target yet. */
START_TEST(where_to)
{
    struct entry entry = {.row = 1, .line = 2, .key_text = STR("eve@example.com"), .staged = true};
    struct entry old = {.key_text = STR("old@example.com"), .detail = STR("no row in the source")};
    struct lead lead = {0};
    const struct diff_change create = {.op = OP_CREATE, .entry = &entry, .target = &gone, .new_lead = &lead};
    const struct diff_change promote = {.op = OP_MOVE, .entry = &entry, .from = &gone, .target = &demo};
    const struct diff_change away = {.op = OP_REMOVE, .entry = &old, .from = &demo, .target = &gone, .certain = true};
    start((struct diff_options){.format = DIFF_TEXT, .columns = 200});
    ck_assert_int_eq(diff_change(diff, &create, &e), 0);
    ck_assert_int_eq(diff_change(diff, &promote, &e), 0);
    ck_assert_int_eq(diff_change(diff, &away, &e), 0);
    struct str got = finish(&(struct diff_summary){.read = 1, .create = 1, .move = 1, .remove = 1, .requests_create = 1});
    ck_assert_ptr_nonnull(strstr(got.p, "+ eve@example.com  into list \"Gone"));
    ck_assert_ptr_nonnull(strstr(got.p, "to campaign \"Q4 founders\"  row 1, line 2  (uncertain)\n"));
    ck_assert_ptr_nonnull(strstr(got.p, "- old@example.com  moved from campaign \"Q4 founders\" to list \"Gone"));
    ck_assert_ptr_nonnull(strstr(got.p, ": no row in the source\n"));
    ck_assert_ptr_nonnull(strstr(got.p, "Costs at least 1 request ("));
}
END_TEST

START_TEST(as_text)
{
    struct str got = tell_all((struct diff_options){.format = DIFF_TEXT, .columns = 80});
    ck_assert_ptr_null(memchr(got.p, '\x1b', got.n));
    golden_is("diff/all.txt", got);
    ck_assert(diff_has_changes(diff));
}
END_TEST

/* A terminal parts a line that is too wide amid a word. */
START_TEST(fits_the_terminal)
{
    static const unsigned columns[] = {80, 60, 132};
    struct str got = tell_all((struct diff_options){.format = DIFF_TEXT, .columns = columns[_i], .all = true});
    while (got.n > 0) {
        const char *newline = memchr(got.p, '\n', got.n);
        ck_assert_ptr_nonnull(newline);
        struct str line = {got.p, (size_t)(newline - got.p)};
        ck_assert_msg(text_width(line) <= columns[_i], "wider than %u: %.*s", columns[_i], STR_ARG(line));
        got = (struct str){newline + 1, got.n - line.n - 1};
    }
}
END_TEST

START_TEST(colour_only_when_asked)
{
    struct str got = tell_all((struct diff_options){.format = DIFF_TEXT, .columns = 80, .colour = true});
    golden_is("diff/colour.txt", got);
    ck_assert_ptr_nonnull(memchr(got.p, '\x1b', got.n));
    ck_assert_ptr_null(strstr(said, "\x1b[2J")); /* its own sequences, nobody else's */
}
END_TEST

START_TEST(as_json)
{
    golden_is("diff/all.json", tell_all((struct diff_options){.format = DIFF_JSON}));
    struct json_object *json = json_tokener_parse(said);
    ck_assert_ptr_nonnull(json);
    ck_assert_uint_eq(json_object_array_length(json_object_object_get(json, "changes")), 6);
    ck_assert_uint_eq(json_object_array_length(json_object_object_get(json, "rejects")), 1);
    ck_assert_uint_eq(json_object_array_length(json_object_object_get(json, "left_out")), 2);
    json_object_put(json);
}
END_TEST

START_TEST(as_ndjson)
{
    golden_is("diff/all.ndjson", tell_all((struct diff_options){.format = DIFF_NDJSON}));
}
END_TEST

START_TEST(as_csv)
{
    golden_is("diff/all.csv", tell_all((struct diff_options){.format = DIFF_CSV}));
}
END_TEST

START_TEST(as_csv_with_rows_that_are_left_out)
{
    golden_is("diff/left_out.csv", tell_all((struct diff_options){.format = DIFF_CSV, .left_out = true}));
    /* The lines of the changes are those of a CSV without them. */
    ck_assert_uint_eq(times("\nskipped,") + times("\nrejected,") + times("\nwaiting,"), 3);
}
END_TEST

START_TEST(nothing_to_do)
{
    static const char *const files[] = {"diff/none.txt", "diff/none.json", "diff/none.ndjson", "diff/none.csv"};
    start((struct diff_options){.format = (enum diff_format)_i});
    golden_is(files[_i], finish(&(struct diff_summary){.seconds_at_limit = -1, .least_seconds = -1, .most.seconds = -1}));
    ck_assert(!diff_has_changes(diff));
}
END_TEST

/* Fifty of a kind and twenty left-out rows, or all of them. */
START_TEST(long_lists_are_cut)
{
    bool all = _i == 1;
    start((struct diff_options){.format = DIFF_TEXT, .all = all});
    for (uint64_t row = 1; row <= 51; row++) {
        create("ann@example.com", row);
        update("bob@example.com", row, true);
        left_out("cid@example.com", row, OUTCOME_SKIPPED, REASON_IN_TARGET, NULL, STR_NONE);
    }
    finish(&(struct diff_summary){.read = 51});
    ck_assert_uint_eq(times("+ ann@"), all ? 51 : 50);
    ck_assert_uint_eq(times("~ bob@"), all ? 51 : 50);
    ck_assert_uint_eq(times("  cid@"), all ? 51 : 20);
    ck_assert_uint_eq(times("... and 1 more creates (--all"), all ? 0 : 1);
    ck_assert_uint_eq(times("... and 1 more updates (--all"), all ? 0 : 1);
    ck_assert_uint_eq(times("  ... and 31 more (--all"), all ? 0 : 1);
}
END_TEST

/* With a route every create says where it goes; what is not known is said to be so. */
START_TEST(several_targets)
{
    const struct target targets[] = {demo, gone};
    const struct diff_head head = {.sync = "n", .source = "s", .targets = targets, .targets_n = 2};
    const struct diff_options options = {.format = DIFF_TEXT, .out = out};
    ck_assert_int_eq(diff_open(&options, &diff, &e), 0);
    ck_assert_int_eq(diff_head(diff, &head, &e), 0);
    create("ann@example.com", 1);
    finish(&(struct diff_summary){.read = 1});
    ck_assert_uint_eq(times("Workspace  (not known: no sync has read it yet)\n"), 1);
    ck_assert_uint_eq(times("Target     list \"Gone \\u{1b}[31m\" c737308b"), 1);
    ck_assert_uint_eq(times("+ ann@example.com  into campaign \"Q4 founders\"  row 1"), 1);
}
END_TEST

/* More than stdio and the copying hold at once; bytes that are no UTF-8 and quotes inside. */
START_TEST(many_left_out_rows_stay_in_order)
{
    enum { N = 3000 };
    start((struct diff_options){.format = DIFF_JSON});
    for (uint64_t row = 1; row <= N; row++)
        left_out("k", row, row % 2 != 0 ? OUTCOME_REJECTED : OUTCOME_SKIPPED, REASON_TYPE_INVALID, "a\"b", STR("\xff\"x"));
    finish(&(struct diff_summary){.read = N});
    struct json_object *json = json_tokener_parse(said);
    ck_assert_ptr_nonnull(json);
    struct json_object *list = json_object_object_get(json, "left_out");
    ck_assert_uint_eq(json_object_array_length(list), N);
    for (size_t i = 0; i < N; i++)
        ck_assert_int_eq(json_object_get_int(json_object_object_get(json_object_array_get_idx(list, i), "row")), (int)i + 1);
    ck_assert_uint_eq(json_object_array_length(json_object_object_get(json, "rejects")), N / 2);
    json_object_put(json);
}
END_TEST

/* A full disk is told, at the latest at the end. */
START_TEST(a_full_disk_is_an_error)
{
    FILE *full = fopen("/dev/full", "w");
    ck_assert_ptr_nonnull(full);
    start((struct diff_options){.format = (enum diff_format)_i, .out = full});
    create("ann@example.com", 1);
    ck_assert_int_eq(diff_finish(diff, &(struct diff_summary){.read = 1}, &e), -1);
    ck_assert_int_eq(e.status, XS_IO);
    fclose(full);
}
END_TEST

START_TEST(no_place_for_left_out_rows)
{
    setenv("TMPDIR", "/nowhere", 1);
    struct entry entry = {.outcome = OUTCOME_REJECTED, .reason = REASON_EMAIL_MISSING};
    start((struct diff_options){.format = DIFF_JSON});
    ck_assert_int_eq(diff_left_out(diff, &(struct diff_left_out){.entry = &entry}, &e), -1);
    ck_assert_int_ne(e.status, XS_DONE);
}
END_TEST

START_TEST(out_of_order)
{
    struct diff_options options = {.format = DIFF_JSON, .out = out};
    ck_assert_int_eq(diff_open(&options, &diff, &e), 0);
    ck_assert_int_eq(diff_finish(diff, &(struct diff_summary){.read = 0}, &e), -1);
    ck_assert_int_eq(e.status, XS_INTERNAL);
    diff_close(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("diff");
    TCase *tc = tcase_create("diff");
    tcase_add_checked_fixture(tc, diff_kit_setup, diff_kit_teardown);
    tcase_add_test(tc, where_to);
    tcase_add_test(tc, as_text);
    tcase_add_loop_test(tc, fits_the_terminal, 0, 3);
    tcase_add_test(tc, colour_only_when_asked);
    tcase_add_test(tc, as_json);
    tcase_add_test(tc, as_ndjson);
    tcase_add_test(tc, as_csv);
    tcase_add_test(tc, as_csv_with_rows_that_are_left_out);
    tcase_add_loop_test(tc, nothing_to_do, 0, 4);
    tcase_add_loop_test(tc, long_lists_are_cut, 0, 2);
    tcase_add_test(tc, several_targets);
    tcase_add_test(tc, many_left_out_rows_stay_in_order);
    tcase_add_loop_test(tc, a_full_disk_is_an_error, 0, DIFF_NONE);
    tcase_add_test(tc, no_place_for_left_out_rows);
    tcase_add_test(tc, out_of_order);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
