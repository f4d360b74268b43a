/* Tables: alignment by terminal columns, fitting, cutting, hostile text. */
#include "config.h"

#include "sync/report/table.h"
#include "tests/unit/harness.h"

#include <stdlib.h>
#include <string.h>

static struct buf out = BUF_INIT(1 << 20);

static const char *print(struct table *t, size_t columns, bool colour)
{
    buf_reset(&out);
    ck_assert_int_eq(table_print(t, columns, colour, &out), 0);
    const char *text = buf_cstr(&out);
    ck_assert_ptr_nonnull(text);
    return text;
}

static void add(struct table *t, const char *const *cells, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(table_add(t, str_from(cells[i]), TABLE_PLAIN), 0);
}
#define ADD(t, ...) \
    add(t, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

START_TEST(test_aligned)
{
    static const enum table_align align[] = {TABLE_RIGHT, TABLE_LEFT, TABLE_LEFT};
    struct table t;
    table_init(&t, 3, align);
    ADD(&t, "row", "name", "x", "1", "Zo\303\253", "", "100", "\346\235\216\345\260\217\351\276\215", "y");
    ck_assert_str_eq(print(&t, 0, false), "row  name    x\n"
                                          "  1  Zo\303\253\n"
                                          "100  \346\235\216\345\260\217\351\276\215  y\n");
    table_free(&t);
}
END_TEST

START_TEST(test_fitted)
{
    struct table t;
    table_init(&t, 3, NULL);
    ADD(&t, "a", "b", "c", "12", "123456789012345", "1234567890");
    /* 2 + 2 + 15 + 2 + 10 = 31 columns; in 20 both long cells give way down to the same width. */
    ck_assert_str_eq(print(&t, 31, false), "a   b                c\n12  123456789012345  1234567890\n");
    ck_assert_str_eq(print(&t, 20, false), "a   b        c\n12  123456\342\200\246  123456\342\200\246\n");
    ck_assert_str_eq(print(&t, 21, false), "a   b         c\n12  1234567\342\200\246  123456\342\200\246\n");
    table_free(&t);
}
END_TEST

/* A sentence is not cut: where there is no room for its column, it stands below its row. */
START_TEST(test_sentences_below)
{
    static const enum table_yield yield[] = {TABLE_STAYS, TABLE_STAYS, TABLE_BELOW};
    struct table t;
    table_init(&t, 3, NULL);
    t.yield = yield;
    ADD(&t, "row", "key", "why", "1", "ann@example.com", "it is there already", "2", "bob@example.com", "", "3", "",
        "no address in any of its cells");
    ck_assert_str_eq(print(&t, 60, false), "row  key              why\n"
                                           "1    ann@example.com  it is there already\n"
                                           "2    bob@example.com\n"
                                           "3                     no address in any of its cells\n");
    ck_assert_str_eq(print(&t, 24, false), "row  key\n"
                                           "1    ann@example.com\n"
                                           "     it is there already\n"
                                           "2    bob@example.com\n"
                                           "3    no address in any\n"
                                           "     of its cells\n");
    table_free(&t);
}
END_TEST

/* A number that is cut is another number. */
START_TEST(test_numbers_stay_whole)
{
    static const enum table_align align[] = {TABLE_RIGHT, TABLE_LEFT};
    struct table t;
    table_init(&t, 2, align);
    ADD(&t, "n", "text", "123456789012", "abcdefghijkl");
    ck_assert_str_eq(print(&t, 18, false), "           n  text\n123456789012  abc\342\200\246\n");
    ck_assert_str_eq(print(&t, 5, false), "           n  te\342\200\246\n123456789012  ab\342\200\246\n");
    table_free(&t);
}
END_TEST

START_TEST(test_wide_cut)
{
    struct table t;
    table_init(&t, 2, NULL);
    /* Four wide characters take 8 columns; of 6, one stays empty because half a character cannot be shown. */
    ADD(&t, "h", "i", "\346\235\216\346\235\216\346\235\216\346\235\216", "z");
    ck_assert_str_eq(print(&t, 9, false), "h       i\n\346\235\216\346\235\216\342\200\246   z\n");
    table_free(&t);
}
END_TEST

START_TEST(test_hostile)
{
    struct table t;
    table_init(&t, 1, NULL);
    ck_assert_int_eq(table_add(&t, STR("a\033[31m\nb\0c"), TABLE_PLAIN), 0);
    const char *text = print(&t, 0, true);
    ck_assert_ptr_null(strchr(text, '\033'));
    ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
    ck_assert_ptr_nonnull(strstr(text, "\\u{1b}[31m"));
    table_free(&t);
}
END_TEST

START_TEST(test_colour)
{
    struct table t;
    table_init(&t, 2, NULL);
    ck_assert_int_eq(table_add(&t, STR("ok"), TABLE_GREEN), 0);
    ck_assert_int_eq(table_add(&t, STR_NONE, TABLE_RED), 0);
    ck_assert_str_eq(print(&t, 0, true), "\033[32mok\033[0m\n");
    ck_assert_str_eq(print(&t, 0, false), "ok\n");
    table_free(&t);
}
END_TEST

START_TEST(test_hide_empty)
{
    struct table t;
    table_init(&t, 3, NULL);
    t.hide_empty = true;
    ADD(&t, "a", "empty", "b");
    ck_assert_str_eq(print(&t, 0, false), "");
    ADD(&t, "1", "", "2", "3", "", "4");
    ck_assert_str_eq(print(&t, 0, false), "a  b\n1  2\n3  4\n");
    table_free(&t);
}
END_TEST

START_TEST(test_records)
{
    struct table t;
    table_init(&t, 3, NULL);
    t.hide_empty = true;
    t.records_below = 6;
    ADD(&t, "row", "empty", "name", "1", "", "123456789012345", "2", "", "", "3", "", "x");
    ck_assert_str_eq(print(&t, 0, false), "row  name\n1    123456789012345\n2\n3    x\n");
    ck_assert_str_eq(print(&t, 11, false), "row  name\n1    12345\342\200\246\n2\n3    x\n");
    /* Five columns for the name would be too few: each row becomes a block, whose values may be as wide as before. */
    static const char blocks[] = "row   1\nname  1234\n      5678\n      9012\n      345\n\nrow   2\n\nrow   3\nname  x\n";
    ck_assert_str_eq(print(&t, 10, false), blocks);
    ck_assert_str_eq(print(&t, 10, true), blocks);
    t.hide_empty = false;
    ck_assert_str_eq(print(&t, 10, false), "row    1\nempty\nname   123\n       456\n       789\n       012\n       345\n\n"
                                           "row    2\nempty\nname\n\nrow    3\nempty\nname   x\n");
    /* Names give way to half of the terminal, and a value is never less than three columns. */
    ck_assert_str_eq(print(&t, 5, false),
                     "r\342\200\246  1\ne\342\200\246\nn\342\200\246  123\n    456\n    789\n    012\n    345\n\n"
                     "r\342\200\246  2\ne\342\200\246\nn\342\200\246\n\n"
                     "r\342\200\246  3\ne\342\200\246\nn\342\200\246  x\n");
    table_free(&t);
}
END_TEST

/* Ids and what is the same everywhere give way before anything is cut. */
START_TEST(test_yield)
{
    static const enum table_yield yield[] = {TABLE_STAYS, TABLE_YIELDS, TABLE_REPEATS, TABLE_STAYS};
    struct table t;
    table_init(&t, 4, NULL);
    t.yield = yield;
    t.records_below = 6;
    ADD(&t, "key", "id", "in", "why", "ann@x", "0001", "Q4", "a reason", "bob@x", "0002", "Q4", "another");
    ck_assert_str_eq(print(&t, 25, false), "key    id    in  why\nann@x  0001  Q4  a reason\nbob@x  0002  Q4  another\n");
    ck_assert_str_eq(print(&t, 24, false), "in  Q4\nkey    id    why\nann@x  0001  a reason\nbob@x  0002  another\n");
    ck_assert_str_eq(print(&t, 20, false), "in  Q4\nkey    why\nann@x  a reason\nbob@x  another\n");
    ck_assert_str_eq(print(&t, 14, false), "in  Q4\nkey    why\nann@x  a reas\342\200\246\nbob@x  another\n");
    ck_assert_str_eq(print(&t, 12, false), "in  Q4\n\nkey  ann@x\nid   0001\nwhy  a reaso\n     n\n\n"
                                           "key  bob@x\nid   0002\nwhy  another\n");
    /* One row is no repetition. */
    table_free(&t);
    table_init(&t, 4, NULL);
    t.yield = yield;
    ADD(&t, "key", "id", "in", "why", "ann@x", "0001", "Q4", "a reason");
    ck_assert_str_eq(print(&t, 20, false), "key    in  why\nann@x  Q4  a reason\n");
    table_free(&t);
}
END_TEST

/* In a block every value is whole: its lines end before a word, if that does not leave them half empty. */
START_TEST(test_wrapped)
{
    struct table t;
    table_init(&t, 2, NULL);
    t.records_below = TABLE_WHOLE;
    ADD(&t, "a", "why", "1", "no value  in this column of the file", "\346\235\216\346\235\216\346\235\216\346\235\216",
        "ann@example.example");
    ck_assert_str_eq(print(&t, 48, false), "a         why\n1         no value  in this column of the file\n"
                                           "\346\235\216\346\235\216\346\235\216\346\235\216  ann@example.example\n");
    ck_assert_str_eq(print(&t, 20, false),
                     "a    1\nwhy  no value  in\n     this column of\n     the file\n\n"
                     "a    \346\235\216\346\235\216\346\235\216\346\235\216\nwhy  ann@example.exa\n     mple\n");
    table_free(&t);
}
END_TEST

/* Before an address is cut, what all rows have in common is said once, and after ids have been left out. */
START_TEST(test_same_in_all_rows)
{
    static const enum table_yield yield[] = {TABLE_STAYS, TABLE_STAYS, TABLE_YIELDS};
    struct table t;
    table_init(&t, 3, NULL);
    t.yield = yield;
    ADD(&t, "email", "status", "id", "ann@x.example", "active", "01", "bob@x.example", "active", "02");
    ck_assert_str_eq(print(&t, 21, false), "email          status\nann@x.example  active\nbob@x.example  active\n");
    ck_assert_str_eq(print(&t, 20, false), "status  active\nemail\nann@x.example\nbob@x.example\n");
    table_free(&t);
}
END_TEST

START_TEST(test_incomplete_and_none)
{
    struct table t;
    table_init(&t, 2, NULL);
    ck_assert_str_eq(print(&t, 80, false), "");
    ADD(&t, "a", "b", "1");
    ck_assert_str_eq(print(&t, 80, false), "a  b\n");
    table_free(&t);
    table_free(&t);
}
END_TEST

START_TEST(test_limit)
{
    struct table t;
    struct buf small = BUF_INIT(3);
    table_init(&t, 1, NULL);
    ADD(&t, "abcdef");
    ck_assert_int_eq(table_print(&t, 0, false, &small), -1);
    t.text.max = t.text.n + 2;
    ck_assert_int_eq(table_add(&t, STR("too long"), TABLE_PLAIN), -1);
    buf_free(&small);
    table_free(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("table");
    TCase *tc = tcase_create("print");
    tcase_add_test(tc, test_aligned);
    tcase_add_test(tc, test_fitted);
    tcase_add_test(tc, test_sentences_below);
    tcase_add_test(tc, test_numbers_stay_whole);
    tcase_add_test(tc, test_wide_cut);
    tcase_add_test(tc, test_hostile);
    tcase_add_test(tc, test_colour);
    tcase_add_test(tc, test_hide_empty);
    tcase_add_test(tc, test_records);
    tcase_add_test(tc, test_yield);
    tcase_add_test(tc, test_wrapped);
    tcase_add_test(tc, test_same_in_all_rows);
    tcase_add_test(tc, test_incomplete_and_none);
    tcase_add_test(tc, test_limit);
    suite_add_tcase(suite, tc);
    int status = unit_run(suite);
    buf_free(&out);
    return status;
}
