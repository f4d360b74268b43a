#include "config.h"

#include "sync/base/text.h"
#include "tests/unit/harness.h"

#include <errno.h>
#include <string.h>

enum { MAX = 1 << 20 };

/* Runs one of the adders and compares. */
typedef int adder(struct str s, struct buf *out);
static void check_adder(adder *add, struct str in, struct str expected, size_t i)
{
    struct buf out = BUF_INIT(MAX);
    ck_assert_int_eq(buf_adds(&out, "["), 0);
    ck_assert_int_eq(add(in, &out), 0);
    struct str got = {out.p + 1, out.n - 1};
    ck_assert_msg(str_eq(got, expected), "case %zu: got \"%.*s\"", i, STR_ARG(got));
    buf_free(&out);
}

START_TEST(utf8_prefix_of_every_kind_of_mistake)
{
    static const struct {
        struct str s;
        size_t prefix;
    } cases[] = {
        {{"", 0}, 0},
        {{"abc", 3}, 3},
        {{"a\0b", 3}, 3},
        {{"abcdefghijklmnop\x80", 17}, 16},
        {{"abcdefg\xc3\xa9hijklmnop", 18}, 18},
        {{"\xc3", 1}, 0},
        {{"\xc0\x80", 2}, 0}, /* overlong */
        {{"\xc1\xbf", 2}, 0},
        {{"\xe0\x9f\xbf", 3}, 0},
        {{"\xe0\xa0\x80", 3}, 3},
        {{"\xed\x9f\xbf", 3}, 3},
        {{"\xed\xa0\x80", 3}, 0}, /* a surrogate */
        {{"\xef\xbf\xbf", 3}, 3},
        {{"\xf0\x8f\xbf\xbf", 4}, 0},
        {{"\xf0\x90\x80\x80", 4}, 4},
        {{"\xf4\x8f\xbf\xbf", 4}, 4},
        {{"\xf4\x90\x80\x80", 4}, 0}, /* past U+10FFFF */
        {{"\xf5\x80\x80\x80", 4}, 0},
        {{"ok\xe2\x82", 4}, 2}, /* cut */
        {{"ok\xe2\x82z", 5}, 2},
        {{"\xf0\x9f\x98", 3}, 0},
        {{"\xff", 1}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t prefix = text_utf8_prefix(cases[i].s);
        ck_assert_msg(prefix == cases[i].prefix, "case %zu: %zu", i, prefix);
        ck_assert(text_is_utf8(cases[i].s) == (cases[i].prefix == cases[i].s.n));
    }
    ck_assert_uint_eq(text_utf8_prefix(STR_NONE), 0);
    ck_assert(text_is_ascii(STR("0123456789\x7f")));
    ck_assert(!text_is_ascii(STR("0123456789\x80")));
    ck_assert(text_is_ascii(STR_NONE));
    ck_assert_uint_eq(text_utf8_char("", 0), 0);
}
END_TEST

/* The word loop must find a bad byte wherever it stands. */
START_TEST(utf8_prefix_at_every_offset)
{
    char bytes[64];
    for (size_t n = 1; n < sizeof bytes; n++) {
        for (size_t at = 0; at < n; at++) {
            memset(bytes, 'x', sizeof bytes);
            bytes[at] = (char)0xfe;
            ck_assert_uint_eq(text_utf8_prefix((struct str){bytes, n}), at);
            ck_assert(!text_is_ascii((struct str){bytes, n}));
        }
    }
}
END_TEST

START_TEST(folding)
{
    static const struct {
        struct str in, out;
        /* clang-format off */
    } cases[] = {
        {{"", 0}, {"", 0}},
        {{"Ada@EXAMPLE.com[`{Z", 19}, {"ada@example.com[`{z", 19}},
        {{"A\0B", 3}, {"a\0b", 3}},
        {{"\xc3\x89" "COLE", 6}, {"\xc3\xa9" "cole", 6}},
        {{"Stra\xc3\x9f" "e", 7}, {"strasse", 7}},
        {{"\xce\x90", 2}, {"\xce\xb9\xcc\x88\xcc\x81", 6}},      /* the one that grows most */
        {{"\xce\xa3\xcf\x82", 4}, {"\xcf\x83\xcf\x83", 4}},      /* both sigmas */
        {{"E\xcc\x81", 3}, {"e\xcc\x81", 3}},                    /* not composed */
        {{"\xff" "A\xc3\x89", 4}, {"\xff" "a\xc3\x89", 4}},      /* no UTF-8: ASCII letters only */
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_adder(text_fold, cases[i].in, cases[i].out, i);
}
END_TEST

/* Every byte at every place of the eight-byte words; those past ASCII make it no UTF-8. */
START_TEST(folding_bytewise)
{
    char in[19], expected[19];
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < sizeof in; at++) {
            memset(in, 'X', sizeof in);
            memset(expected, 'x', sizeof expected);
            in[at] = (char)byte;
            expected[at] = (char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
            check_adder(text_fold, (struct str){in, sizeof in}, (struct str){expected, sizeof expected}, byte);
        }
    }
}
END_TEST

START_TEST(folding_near_the_maximum)
{
    struct buf out = BUF_INIT(7);
    /* Three times its bytes do not fit, the result does. */
    ck_assert_int_eq(text_fold(STR("\xc3\x89\xc3\x89\xc3\x89"), &out), 0);
    ck_assert_uint_eq(out.n, 6);
    errno = 0;
    ck_assert_int_eq(text_fold(STR("\xc3\x89"), &out), -1);
    ck_assert_int_eq(errno, EOVERFLOW);
    ck_assert_int_eq(text_fold(STR("AB"), &out), -1);
    ck_assert_int_eq(text_fold(STR("A"), &out), 0);
    ck_assert(str_is(buf_str(&out), "\xc3\xa9\xc3\xa9\xc3\xa9"
                                    "a"));
    buf_free(&out);
}
END_TEST

START_TEST(header_keys)
{
    static const struct {
        const char *in, *out;
        /* clang-format off */
    } cases[] = {
        {"First Name", "firstname"}, {"first_name", "firstname"},   {"FIRST-NAME", "firstname"},
        {" first.name\t", "firstname"}, {"\xef\xbb\xbf" "e-mail", "email"}, {"Stra\xc3\x9f" "e", "strasse"},
        {"Ville\xc2\xa0" "nat", "villenat"}, {"e\xcc\x81", "\xc3\xa9"}, {"#1", "#1"}, {"_-. ", ""}, {"", ""},
        {"\xe3\x80\x80" "a\xe2\x80\x89" "b", "ab"}, {"a\xff" "B", "a\xff" "b"},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_adder(text_header_key, str_from(cases[i].in), str_from(cases[i].out), i);
}
END_TEST

START_TEST(showing)
{
    static const struct {
        struct str in;
        size_t max;
        const char *out;
        size_t width;
        /* clang-format off */
    } cases[] = {
        {{"plain", 5}, 0, "plain", 5},
        {{"a\x1b[31mb", 7}, 0, "a\\u{1b}[31mb", 12},
        {{"\0\t\n\x7f", 4}, 0, "\\u{0}\\u{9}\\u{a}\\u{7f}", 21},
        {{"\xc2\x9b" "31m", 5}, 0, "\\u{9b}31m", 9},                           /* C1: an escape in one character */
        {{"a\xe2\x80\xae" "b", 5}, 0, "a\\u{202e}b", 10},
        {{"\xe2\x81\xa6\xe2\x80\x8f\xd8\x9c", 8}, 0, "\\u{2066}\\u{200f}\\u{61c}", 23},
        {{"\xef\xbb\xbf\xe2\x80\xa8", 6}, 0, "\\u{feff}\\u{2028}", 16},
        {{"\xf3\xa0\x81\x81", 4}, 0, "\\u{e0041}", 9},
        {{"p\xe2\x80\x8b@x\xc2\xad.org", 12}, 0, "p\\u{200b}@x\\u{ad}.org", 21}, /* looks like an address */
        {{"\xe2\x80\x8d\xe2\x81\xa0\xcd\x8f\xe1\xa0\x8e", 11}, 0, "\\u{200d}\\u{2060}\\u{34f}\\u{180e}", 31},
        {{"\xe3\x85\xa4\xef\xbe\xa0", 6}, 0, "\\u{3164}\\u{ffa0}", 16},          /* letters that are blank */
        {{"\xff\xc3", 2}, 0, "\\x{ff}\\x{c3}", 12},
        {{"caf\xc3\xa9", 5}, 0, "caf\xc3\xa9", 4},
        {{"\xe6\x97\xa5\xe6\x9c\xac", 6}, 0, "\xe6\x97\xa5\xe6\x9c\xac", 4},   /* two columns each */
        {{"e\xcc\x81", 3}, 0, "e\xcc\x81", 1},
        {{"abcdef", 6}, 6, "abcdef", 6},
        {{"abcdefg", 7}, 6, "abcde\xe2\x80\xa6", 7},
        {{"abcd\x1b", 5}, 6, "abcd\xe2\x80\xa6", 10},
        {{"\xe6\x97\xa5\xe6\x9c\xac", 6}, 3, "\xe6\x97\xa5\xe2\x80\xa6", 4},
        {{"\xe6\x97\xa5\xe6\x9c\xac", 6}, 2, "\xe2\x80\xa6", 4},
        {{"ab", 2}, 1, "\xe2\x80\xa6", 2},
        {{"", 0}, 1, "", 0},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = BUF_INIT(MAX);
        ck_assert_int_eq(text_show(cases[i].in, cases[i].max, &out), 0);
        ck_assert_msg(str_is(buf_str(&out), cases[i].out), "case %zu: %.*s", i, STR_ARG(buf_str(&out)));
        ck_assert_uint_eq(text_width(cases[i].in), cases[i].width);
        buf_free(&out);
    }
    struct buf small = BUF_INIT(8);
    ck_assert_int_eq(buf_adds(&small, "x"), 0);
    ck_assert_int_eq(text_show(STR("abc\x1b"), 0, &small), -1);
    ck_assert_int_eq(text_show(STR("abcdefgh"), 7, &small), -1);
    ck_assert(str_is(buf_str(&small), "x"));
    buf_free(&small);
}
END_TEST

START_TEST(plurals)
{
    ck_assert_str_eq(text_plural(0), "s");
    ck_assert_str_eq(text_plural(1), "");
    ck_assert_str_eq(text_plural(2), "s");
}
END_TEST

START_TEST(csv_cells)
{
    static const struct {
        const char *in, *plain, *guarded;
    } cases[] = {
        {"", "", ""},
        {"abc d", "abc d", "abc d"},
        {"a,b", "\"a,b\"", "\"a,b\""},
        {"a;b", "\"a;b\"", "\"a;b\""},
        {"a\tb", "\"a\tb\"", "\"a\tb\""},
        {"a|b", "\"a|b\"", "\"a|b\""},
        {"say \"hi\"", "\"say \"\"hi\"\"\"", "\"say \"\"hi\"\"\""},
        {"\"", "\"\"\"\"", "\"\"\"\""},
        {"a\r\nb", "\"a\r\nb\"", "\"a\r\nb\""},
        {"=1+1", "=1+1", "'=1+1"},
        {"+49", "+49", "'+49"},
        {"-1", "-1", "'-1"},
        {"@x", "@x", "'@x"},
        {"\tx", "\"\tx\"", "\"'\tx\""},
        {"=A,B", "\"=A,B\"", "\"'=A,B\""},
        {"a=1", "a=1", "a=1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = BUF_INIT(MAX);
        ck_assert_int_eq(text_csv_cell(str_from(cases[i].in), false, &out), 0);
        ck_assert_msg(str_is(buf_str(&out), cases[i].plain), "case %zu: %.*s", i, STR_ARG(buf_str(&out)));
        buf_reset(&out);
        ck_assert_int_eq(text_csv_cell(str_from(cases[i].in), true, &out), 0);
        ck_assert_msg(str_is(buf_str(&out), cases[i].guarded), "case %zu: %.*s", i, STR_ARG(buf_str(&out)));
        buf_free(&out);
    }
    /* Whichever byte does not fit, nothing is added. */
    for (size_t max = 0; max < 8; max++) {
        struct buf out = BUF_INIT(max);
        ck_assert_int_eq(text_csv_cell(STR("=a\",b"), true, &out), -1);
        ck_assert_uint_eq(out.n, 0);
        buf_free(&out);
    }
}
END_TEST

START_TEST(wrapping)
{
    static const struct {
        const char *in;
        size_t columns, indent;
        const char *out;
    } cases[] = {
        {"", 30, 4, ""},
        {"a b", 30, 4, "a b"},
        {"one two three four five six seven", 0, 4, "one two three four five six seven"},
        {"one two three four five six seven", 33, 4, "one two three four five six seven"},
        {"one two three four five six seven", 32, 4, "one two three four five six\n    seven"},
        /* Blanks at the start are an indent, and those where a line ends are dropped. */
        {"    one two three four     five six seven", 24, 4, "    one two three four\n    five six seven"},
        /* A word that is wider than the line is parted, and starts a line of its own. */
        {"to 12345678901234567890123456789012345678901234567890", 30, 4,
         "to\n    12345678901234567890123456\n    789012345678901234567890"},
        /* Columns are counted, not bytes; colours take none. */
        {"\303\274\303\274\303\274\303\274\303\274 \303\274\303\274\303\274\303\274 ABCDEFGHIJKLMNOP qrst", 26, 2,
         "\303\274\303\274\303\274\303\274\303\274 \303\274\303\274\303\274\303\274\n  ABCDEFGHIJKLMNOP qrst"},
        {"\033[31mone two three\033[0m four five \033[1;2msix\033[0m", 26, 4,
         "\033[31mone two three\033[0m four five\n    \033[1;2msix\033[0m"},
        {"\033[31mone two three\033[0m four five \033[1;2msix\033[0m", 27, 4,
         "\033[31mone two three\033[0m four five \033[1;2msix\033[0m"},
        /* No room for an indent. */
        {"one two three", 8, 4, "one two\nthree"},
        {"\346\235\216\346\235\216", 1, 4, "\346\235\216\n\346\235\216"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = BUF_INIT(MAX);
        ck_assert_int_eq(text_wrap(str_from(cases[i].in), cases[i].columns, cases[i].indent, &out), 0);
        ck_assert_msg(str_is(buf_str(&out), cases[i].out), "case %zu: %.*s", i, STR_ARG(buf_str(&out)));
        buf_free(&out);
    }
    for (size_t max = 0; max < 16; max++) {
        struct buf out = BUF_INIT(max);
        ck_assert_int_eq(text_wrap(STR("one two three four five"), 20, 0, &out), -1);
        ck_assert_uint_eq(out.n, 0);
        buf_free(&out);
    }
}
END_TEST

START_TEST(slugs)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"People-1a2b3c4d", "people-1a2b3c4d"},
        {"My Leads (2)", "my-leads-2"},
        {"_.Q4_Founders.v2", "q4_founders.v2"},
        {"M\303\244rz \303\211t\303\251", "marz-ete"},
        {"M\344rz", "m-rz"},
        {"Gro\303\237", "gro"},
        {"\345\220\215\345\215\225-1a2b", "1a2b"},
        {"  --  ", ""},
    };
    char out[TEXT_SLUG_MAX + 1], lengthy[200];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_uint_eq(text_slug(str_from(cases[i][0]), out), strlen(cases[i][1]));
        ck_assert_str_eq(out, cases[i][1]);
    }
    memset(lengthy, 'A', sizeof lengthy);
    ck_assert_uint_eq(text_slug((struct str){lengthy, sizeof lengthy}, out), TEXT_SLUG_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tc = tcase_create("text");
    tcase_add_test(tc, utf8_prefix_of_every_kind_of_mistake);
    tcase_add_test(tc, utf8_prefix_at_every_offset);
    tcase_add_test(tc, folding);
    tcase_add_test(tc, folding_bytewise);
    tcase_add_test(tc, folding_near_the_maximum);
    tcase_add_test(tc, header_keys);
    tcase_add_test(tc, showing);
    tcase_add_test(tc, wrapping);
    tcase_add_test(tc, csv_cells);
    tcase_add_test(tc, plurals);
    tcase_add_test(tc, slugs);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
