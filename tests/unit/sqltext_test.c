/* SQL as text: what is :watermark and what only looks like it, and carets. */
#include "config.h"

#include "connectors/postgres/postgres_mark.h"
#include "connectors/sqltext.h"
#include "tests/unit/harness.h"

#include <string.h>

/* `@` marks where a parameter is expected. */
static const struct {
    const char *query, *numbered;
    size_t uses;
} watermark_cases[] = {
    {"select 1", "select 1", 0},
    {"a > :watermark", "a > $1        ", 1},
    {":watermark<b and c>:watermark", "$1        <b and c>$1        ", 2},
    {"a > :watermark::timestamptz", "a > $1        ::timestamptz", 1},
    {"a::watermark", "a::watermark", 0},
    {"a :: watermark", "a :: watermark", 0},
    {":watermarks", ":watermarks", 0},
    {":watermark_2", ":watermark_2", 0},
    {":Watermark", ":Watermark", 0},
    {"':watermark'", "':watermark'", 0},
    {"'it''s :watermark' || :watermark", "'it''s :watermark' || $1        ", 1},
    {"'a\\' || :watermark", "'a\\' || $1        ", 1},
    {"E'a\\' :watermark' || :watermark", "E'a\\' :watermark' || $1        ", 1},
    {"e'\\\\' || :watermark", "e'\\\\' || $1        ", 1},
    {"type'x' || :watermark", "type'x' || $1        ", 1},
    {"\":watermark\" > :watermark", "\":watermark\" > $1        ", 1},
    {"\"a\"\":watermark\"", "\"a\"\":watermark\"", 0},
    {"1 -- :watermark\n:watermark", "1 -- :watermark\n$1        ", 1},
    {"1 -- :watermark\r:watermark", "1 -- :watermark\r$1        ", 1},
    {"/* :watermark */ :watermark", "/* :watermark */ $1        ", 1},
    {"/* /* */ :watermark */ :watermark", "/* /* */ :watermark */ $1        ", 1},
    {"/* :watermark", "/* :watermark", 0},
    {"$$:watermark$$ :watermark", "$$:watermark$$ $1        ", 1},
    {"$a$ $$ :watermark $b$ $a$ :watermark", "$a$ $$ :watermark $b$ $a$ $1        ", 1},
    {"$a$ :watermark", "$a$ :watermark", 0},
    {"a$b$ :watermark $b$", "a$b$ $1         $b$", 1},
    {"$2 > :watermark", "$2 > $1        ", 1},
    {"1 - :watermark / 2", "1 - $1         / 2", 1},
    {"'unclosed :watermark", "'unclosed :watermark", 0},
    {"E'\\", "E'\\", 0},
    {"", "", 0},
};

START_TEST(watermarks_are_found_where_they_are_parameters)
{
    struct buf out = BUF_INIT(1000);
    size_t uses = 99;

    ck_assert_int_eq(sqltext_number_watermark(watermark_cases[_i].query, &out, &uses), 0);
    ck_assert_str_eq(buf_cstr(&out), watermark_cases[_i].numbered);
    ck_assert_uint_eq(uses, watermark_cases[_i].uses);
    ck_assert_uint_eq(out.n, strlen(watermark_cases[_i].query));
    buf_free(&out);
}
END_TEST

START_TEST(a_query_longer_than_its_buffer_is_an_error)
{
    struct buf out = BUF_INIT(8);
    size_t uses;

    ck_assert_int_eq(sqltext_number_watermark("select 1234567", &out, &uses), -1);
    ck_assert_int_eq(sqltext_number_watermark(":watermark", &out, &uses), -1);
    buf_free(&out);
}
END_TEST

static void check_caret(const char *query, size_t chars, const char *want)
{
    struct buf out = BUF_INIT(10000);
    struct str text = str_from(query);

    ck_assert_int_eq(sqltext_caret(text, sqltext_char_offset(text, chars), &out), 0);
    ck_assert_str_eq(buf_cstr(&out), want);
    buf_free(&out);
}

START_TEST(carets_stand_under_their_place)
{
    check_caret("select emial", 7, "\n    1 | select emial\n      |        ^");
    check_caret("select\n  emial\nfrom x", 9, "\n    2 |   emial\n      |   ^");
    check_caret("select\r\n\temial\r\nfrom x", 9, "\n    2 |  emial\n      |  ^");
    check_caret("select 'é', x", 12, "\n    1 | select 'é', x\n      |             ^");
    check_caret("select 'é', x", 11, "\n    1 | select 'é', x\n      |            ^");
    check_caret("a", 99, "\n    1 | a\n      |  ^");
    check_caret("", 0, "\n    1 | \n      | ^");
}
END_TEST

START_TEST(long_lines_are_cut_before_their_caret)
{
    char query[400];
    struct buf out = BUF_INIT(10000);

    memset(query, 'x', sizeof query);
    ck_assert_int_eq(sqltext_caret((struct str){query, sizeof query}, 300, &out), 0);
    ck_assert_uint_lt(out.n, 200);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "\n      |                                         ^"));
    buf_free(&out);
}
END_TEST

START_TEST(an_order_is_that_of_the_whole_query)
{
    static const char *const ordered[] = {"select 1 order by 1", "select a from t ORDER\n\tBy a desc limit 3",
                                          "select * from (select 1) x order by 1"};
    static const char *const not_ordered[] = {"select 1",
                                              "select row_number() over (order by a) from t",
                                              "select 'order by'",
                                              "select 1 -- order by 1",
                                              "select * from (select 1 order by 1) x",
                                              "select order_by, reorder by_ from t",
                                              "select \"order by\" from t"};

    for (size_t i = 0; i < sizeof ordered / sizeof ordered[0]; i++)
        ck_assert_msg(sqltext_is_ordered(ordered[i]), "%s", ordered[i]);
    for (size_t i = 0; i < sizeof not_ordered / sizeof not_ordered[0]; i++)
        ck_assert_msg(!sqltext_is_ordered(not_ordered[i]), "%s", not_ordered[i]);
}
END_TEST

START_TEST(numbers_differ_from_durations)
{
    ck_assert(sqltext_is_number("0"));
    ck_assert(sqltext_is_number("10.5"));
    ck_assert(sqltext_is_number(".5"));
    ck_assert(!sqltext_is_number("5m"));
    ck_assert(!sqltext_is_number(""));
    ck_assert(!sqltext_is_number("."));
    ck_assert(!sqltext_is_number("-1"));
    ck_assert(!sqltext_is_number("1e3"));
}
END_TEST

/* Each is later than the one before it. */
static const char *const times[] = {
    "-infinity",
    "4713-01-01 00:00:00 BC",
    "0044-03-15 BC",
    "0001-12-31 23:59:59 BC",
    "0001-01-01",
    "1969-12-31 23:59:59.999999+00",
    "1970-01-01",
    "2000-02-29 00:00:00",
    "2000-03-01",
    "2026-03-29 01:59:59.999999+01",
    "2026-03-29 03:00:00+02",
    "2026-03-29 03:00:00.000001+02",
    "2026-03-29 01:00:00.5-00:30",
    "2026-06-30",
    "2026-06-30 21:15:32.25",
    "2026-06-30 21:15:32.254",
    "9999-12-31 23:59:59",
    "10000-01-01",
    "294276-12-31 23:59:59.999999",
    "infinity",
};

START_TEST(times_are_ordered_as_the_server_would)
{
    int64_t before, after;

    for (size_t i = 0; i + 1 < sizeof times / sizeof times[0]; i++) {
        ck_assert_int_eq(postgres_time_parse(str_from(times[i]), &before), 0);
        ck_assert_int_eq(postgres_time_parse(str_from(times[i + 1]), &after), 0);
        ck_assert_msg(before < after, "%s is not before %s", times[i], times[i + 1]);
    }
    ck_assert_int_eq(postgres_time_parse(STR("2000-01-01 00:00:00+00"), &before), 0);
    ck_assert_int_eq(before, 0);
    ck_assert_int_eq(postgres_time_parse(STR("2026-11-22 05:15:00+00:53:28"), &after), 0);
    static const char *const bad[] = {"",
                                      "now",
                                      "2026",
                                      "2026-06",
                                      "2026-06-30 ",
                                      "2026-06-30 21",
                                      "2026-06-30T21:15:32",
                                      "2026-13-01",
                                      "2026-06-30 21:15:32+",
                                      "2026-06-30 21:15:32 AD",
                                      "2026-06-30 21:15:32.",
                                      "999999-01-01"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(postgres_time_parse(str_from(bad[i]), &before) != 0, "%s is no time", bad[i]);
}
END_TEST

START_TEST(comparisons_are_recognized)
{
    static const char *const strict[] = {"where a > :watermark", "where a >(:watermark)",
                                         "where a>\n :watermark::timestamptz", "where a > /* b >= */ :watermark",
                                         "where a >= :watermark or b > :watermark"};
    static const char *const others[] = {"where a >= :watermark", "where a > 1 and b >= :watermark",
                                         "where a > ':watermark'", "where a between :watermark and now()",
                                         "where a > 1 -- :watermark"};
    static const char *const outer[] = {"from a left join b", "from a\nFULL OUTER JOIN b", "from a right /* x */ join b"};
    static const char *const inner[] = {"from a join b", "select left(n, 1) from a inner join b", "select 'left join'",
                                        "select 1 -- left join"};

    for (size_t i = 0; i < sizeof strict / sizeof strict[0]; i++)
        ck_assert_msg(sqltext_excludes_equal(strict[i]), "%s", strict[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        ck_assert_msg(!sqltext_excludes_equal(others[i]), "%s", others[i]);
    for (size_t i = 0; i < sizeof outer / sizeof outer[0]; i++)
        ck_assert_msg(sqltext_has_outer_join(outer[i]), "%s", outer[i]);
    for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++)
        ck_assert_msg(!sqltext_has_outer_join(inner[i]), "%s", inner[i]);
}
END_TEST

static void check_greatest(uint32_t oid, const char *const *values, size_t n, const char *want)
{
    struct postgres_mark mark;
    struct err e = ERR_INIT;
    struct sql_spec spec = {.overlap_ms = 300000};
    struct source_mark seen = {.kind = MARK_NONE};

    ck_assert_int_eq(postgres_mark_init(&mark, postgres_mark_type_find(oid), &spec, "postgres", &e), 0);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(postgres_mark_see(&mark, str_from(values[i]), &seen), 0);
    ck_assert(mark.seen == (want != NULL));
    if (want != NULL)
        ck_assert_str_eq(buf_cstr(&mark.text), want);
    postgres_mark_free(&mark);
}

START_TEST(the_greatest_value_is_kept)
{
    static const char *const numbers[] = {"9", "10", "-3", "NaN", "Infinity", "9223372036854775806"};
    static const char *const stamps[] = {"2026-03-29 01:59:59+01", "2026-03-29 03:00:00+02", "2026-03-29 02:30:00+03"};
    static const char *const texts[] = {"a", "b", "B", ""};

    check_greatest(20, numbers, 6, "9223372036854775806");
    check_greatest(1700, numbers, 5, "10");
    check_greatest(1184, stamps, 3, "2026-03-29 03:00:00+02");
    check_greatest(25, texts, 4, "b");
    check_greatest(25, texts + 3, 1, "");
    check_greatest(25, texts, 0, NULL);
    ck_assert_ptr_null(postgres_mark_type_find(2950)); /* uuid */
}
END_TEST

static void check_overlap(uint32_t oid, const char *overlap, int64_t overlap_ms, const char *bound)
{
    struct postgres_mark mark;
    struct err e = ERR_INIT;
    struct sql_spec spec = {.overlap = overlap, .overlap_ms = overlap_ms};
    int status = postgres_mark_init(&mark, postgres_mark_type_find(oid), &spec, "postgres", &e);

    if (bound == NULL) {
        ck_assert_int_eq(status, -1);
        ck_assert_int_eq(e.status, XS_CONFIG);
        ck_assert_ptr_nonnull(strstr(err_text(&e), overlap != NULL ? overlap : "overlap"));
    } else {
        ck_assert_int_eq(status, 0);
        ck_assert_str_eq(buf_cstr(&mark.overlap), bound);
    }
    err_clear(&e);
    postgres_mark_free(&mark);
}

START_TEST(overlaps_go_with_their_type)
{
    check_overlap(1184, "5m", 300000, "300000 milliseconds");
    check_overlap(1184, NULL, 300000, "300000 milliseconds");
    check_overlap(1184, "3650d", INT64_C(3650) * 24 * 3600000, "315360000000 milliseconds");
    check_overlap(1184, "315360001", INT64_C(315360001) * 1000, NULL);
    /* Written out, the default's text is a duration like any. */
    check_overlap(20, "5m", 300000, NULL);
    check_overlap(20, NULL, 300000, "0");
    check_overlap(20, "100", 100000, "100");
    check_overlap(20, "10m", 600000, NULL);
    check_overlap(1700, "0.5", 500, "0.5");
    check_overlap(25, "5m", 300000, NULL);
    check_overlap(25, NULL, 300000, "");
    check_overlap(25, "0", 0, "");
    check_overlap(25, "10", 10000, NULL);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("sqltext");
    TCase *t = tcase_create("sqltext");

    tcase_add_loop_test(t, watermarks_are_found_where_they_are_parameters, 0,
                        sizeof watermark_cases / sizeof watermark_cases[0]);
    tcase_add_test(t, a_query_longer_than_its_buffer_is_an_error);
    tcase_add_test(t, carets_stand_under_their_place);
    tcase_add_test(t, long_lines_are_cut_before_their_caret);
    tcase_add_test(t, an_order_is_that_of_the_whole_query);
    tcase_add_test(t, numbers_differ_from_durations);
    tcase_add_test(t, times_are_ordered_as_the_server_would);
    tcase_add_test(t, comparisons_are_recognized);
    tcase_add_test(t, the_greatest_value_is_kept);
    tcase_add_test(t, overlaps_go_with_their_type);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void)
{
    return unit_run(make_suite());
}
