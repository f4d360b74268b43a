/* The page's parts: escaping, what differs within a value, the template, and lists that are too long. */
#include "config.h"

#include "sync/base/hash.h"
#include "sync/base/text.h"
#include "sync/report/page/page.h"
#include "sync/report/page/page_files.h"
#include "sync/report/page/page_table.h"
#include "sync/report/page/page_value.h"
#include "tests/unit/harness.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

static struct buf out = BUF_INIT(256 << 20);

static void setup(void)
{
    buf_reset(&out);
}

static const char *text_of(int (*add)(struct buf *, struct str), const char *text)
{
    buf_reset(&out);
    ck_assert_int_eq(add(&out, str_from(text)), 0);
    return buf_cstr(&out);
}

static int as_json(struct buf *o, struct str text)
{
    return page_json(o, text, PAGE_WHOLE);
}

START_TEST(text_is_escaped_for_html)
{
    ck_assert_str_eq(text_of(page_text, "<script>alert('1')</script> & \"x\""),
                     "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;");
    ck_assert_str_eq(text_of(page_text, "a\x1b[2J\xe2\x80\xae"
                                        "b"),
                     "a\\u{1b}[2J\\u{202e}b");
    ck_assert_str_eq(text_of(page_text, "two\nlines\r"), "two\nlines\\u{d}");
    ck_assert_str_eq(text_of(page_text, "\xff\xfe"), "\\x{ff}\\x{fe}");
    ck_assert_str_eq(text_of(page_text, ""), "");
}
END_TEST

START_TEST(json_has_no_tag_of_its_own)
{
    ck_assert_str_eq(text_of(as_json, "</script><!-- \"q\" \\ \n"), "\"\\u003c/script>\\u003c!-- \\\"q\\\" \\\\ \\n\"");
    ck_assert_str_eq(text_of(as_json, "\xe2\x80\xa8"), "\"\\\\u{2028}\"");
}
END_TEST

/* Every byte, alone and between others: no markup, valid UTF-8, and JSON that a parser reads. */
START_TEST(every_byte_is_harmless)
{
    char bytes[3] = {'<', (char)_i, '>'};
    struct str text = {bytes, 3};
    buf_reset(&out);
    ck_assert_int_eq(page_text(&out, text), 0);
    ck_assert_ptr_null(memchr(out.p, '<', out.n));
    ck_assert_ptr_null(memchr(out.p, '>', out.n));
    ck_assert(text_is_utf8(buf_str(&out)));
    for (size_t i = 0; i < out.n; i++)
        ck_assert((unsigned char)out.p[i] >= ' ' || out.p[i] == '\n');
    buf_reset(&out);
    ck_assert_int_eq(page_json(&out, text, PAGE_WHOLE), 0);
    ck_assert_ptr_null(memchr(out.p, '<', out.n));
    struct json_object *json = json_tokener_parse(buf_cstr(&out));
    ck_assert_int_eq(json_object_get_type(json), json_type_string);
    json_object_put(json);
}
END_TEST

START_TEST(long_text_is_cut_and_counted)
{
    ck_assert_int_eq(page_cut(&out, STR("0123456789<abc"), 10), 0);
    ck_assert_str_eq(buf_cstr(&out), "0123456789\xe2\x80\xa6 (4 more characters)");
    buf_reset(&out);
    ck_assert_int_eq(page_cut(&out, STR("\xc3\xa9\xc3\xa9\xc3\xa9"), 2), 0);
    ck_assert_str_eq(buf_cstr(&out), "\xc3\xa9\xc3\xa9\xe2\x80\xa6 (1 more character)");
}
END_TEST

START_TEST(counts_have_groups)
{
    static const struct {
        uint64_t n;
        const char *text;
    } cases[] = {{0, "0"},
                 {7, "7"},
                 {999, "999"},
                 {1000, "1,000"},
                 {1234567, "1,234,567"},
                 {UINT64_MAX, "18,446,744,073,709,551,615"}};
    ck_assert_int_eq(page_count(&out, cases[_i].n), 0);
    ck_assert_str_eq(buf_cstr(&out), cases[_i].text);
}
END_TEST

/* ---- values ---- */

START_TEST(marks_of_a_value)
{
    static const struct {
        const char *from, *to, *before, *removed, *added, *after;
    } cases[] = {
        {"Co-Founder", "Founder", "", "Co-", "", "Founder"},
        {"Acme Inc.", "Acme Incorporated", "Acme Inc", ".", "orporated", ""},
        {"Berlin, Germany", "Bern, Germany", "Ber", "li", "", "n, Germany"},
        {"aaa", "aaaa", "aaa", "", "a", ""},
        {"aaaa", "aaa", "aaa", "a", "", ""},
        {"same", "same", "same", "", "", ""},
        {"Ann", "Bob", "", "Ann", "Bob", ""},
        {"Growth Lead", "Founder", "", "Growth Lead", "Founder", ""}, /* too little in common */
        {"", "new", "", "", "new", ""},
        {"Jos\xc3\xa9 x", "Jos\xc3\xa8 x", "Jos", "\xc3\xa9", "\xc3\xa8", " x"},        /* é, è: a byte in common */
        {"Jose\xcc\x81 xy", "Jose\xcc\x80 xy", "Jos", "e\xcc\x81", "e\xcc\x80", " xy"}, /* the accents are characters */
        {"\xe2\x82\xac 100", "\xe2\x82\xad 100", "", "\xe2\x82\xac", "\xe2\x82\xad", " 100"},
    };
    struct page_value_marks m;
    page_value_compare(str_from(cases[_i].from), str_from(cases[_i].to), &m);
    ck_assert_msg(str_is(m.before, cases[_i].before), "before: %.*s", STR_ARG(m.before));
    ck_assert_msg(str_is(m.removed, cases[_i].removed), "removed: %.*s", STR_ARG(m.removed));
    ck_assert_msg(str_is(m.added, cases[_i].added), "added: %.*s", STR_ARG(m.added));
    ck_assert_msg(str_is(m.after, cases[_i].after), "after: %.*s", STR_ARG(m.after));
}
END_TEST

/* before + removed + after is the old value, before + added + after the new one, for any bytes. */
START_TEST(marks_add_up)
{
    static const char alphabet[] = "ab\xc3\xa9\xcc\x81\xff";
    char old_text[12], new_text[12];
    uint32_t seed = (uint32_t)_i * 2654435761u + 1;
    for (size_t i = 0; i < sizeof old_text; i++) {
        seed = seed * 1664525u + 1013904223u;
        old_text[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        new_text[i] = (seed >> 8) % 4 > 0 ? old_text[i] : alphabet[(seed >> 20) % (sizeof alphabet - 1)];
    }
    struct str a = {old_text, (seed >> 4) % 13}, b = {new_text, (seed >> 12) % 13};
    struct page_value_marks m;
    page_value_compare(a, b, &m);
    buf_add(&out, m.before.p, m.before.n);
    buf_add(&out, m.removed.p, m.removed.n);
    buf_add(&out, m.after.p, m.after.n);
    ck_assert(str_eq(buf_str(&out), a));
    buf_reset(&out);
    buf_add(&out, m.before.p, m.before.n);
    buf_add(&out, m.added.p, m.added.n);
    buf_add(&out, m.after.p, m.after.n);
    ck_assert(str_eq(buf_str(&out), b));
}
END_TEST

/* ---- the template ---- */

/* The policy allows the style and the script of the page, byte for byte, and nothing else. */
START_TEST(policy_is_that_of_the_page)
{
    static const char *const tags[] = {"style", "script"};
    struct page page;
    struct str slot;
    char open[16], close[16], hash[SHA256_BASE64_N], source[80];
    ck_assert_int_eq(page_open(&page), 0);
    while (page_next(&page, &out, &slot) == 1)
        continue;
    page_free(&page);
    const char *html = buf_cstr(&out);
    ck_assert_ptr_null(strstr(html, "{{"));
    ck_assert_ptr_nonnull(strstr(html, "content=\"default-src 'none'; style-src 'sha256-"));
    for (size_t i = 0; i < 2; i++) {
        snprintf(open, sizeof open, "<%s>", tags[i]);
        snprintf(close, sizeof close, "</%s>", tags[i]);
        const char *from = strstr(html, open), *to = strstr(html, close);
        ck_assert(from != NULL && to != NULL && from < to);
        from += strlen(open);
        ck_assert_int_eq(sha256_base64(from, (size_t)(to - from), hash), 0);
        snprintf(source, sizeof source, "%s-src 'sha256-%s'", tags[i], hash);
        ck_assert_msg(strstr(html, source) != NULL, "the policy lacks %s", source);
    }
}
END_TEST

/* No address of another host, and nothing that a parser of HTML would end a style or script by. */
START_TEST(page_needs_no_network)
{
    static const char *const bad[] = {"http://",  "https://", "@import", "url(",      "<link", " src=",
                                      "</script", "</style",  "<!--",    "innerHTML", "eval(", "fetch("};
    const char *const *const files[] = {page_file_css, page_file_js};
    for (size_t f = 0; f < 2; f++)
        for (const char *const *line = files[f]; *line != NULL; line++)
            for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
                ck_assert_msg(strstr(*line, bad[i]) == NULL, "%s in: %s", bad[i], *line);
}
END_TEST

/* ---- lists ---- */

static const struct page_column columns[] = {{"Lead", PAGE_KIND_NAME}, {"Row", PAGE_KIND_NUMBER}};

static struct page_table table_of(void)
{
    return (struct page_table){.id = "list",
                               .heading = "Rows",
                               .noun = "row",
                               .instead = "--format csv",
                               .columns = columns,
                               .columns_n = 2};
}

static uint64_t add_rows(struct page_table *t, uint64_t n, struct str text)
{
    uint64_t wanted = 0;
    for (uint64_t i = 1; i <= n; i++) {
        int more = page_table_row(t, &out);
        ck_assert_int_ge(more, 0);
        if (more == 0)
            continue;
        wanted++;
        ck_assert_int_eq(page_table_text(t, &out, text) | page_table_number(t, &out, i) | page_table_row_end(t, &out), 0);
    }
    return wanted;
}

START_TEST(long_list_is_capped_with_a_note)
{
    struct page_table t = table_of();
    ck_assert_int_eq(page_table_begin(&t, &out), 0);
    ck_assert_uint_eq(add_rows(&t, PAGE_ROWS_MAX + 5, STR("a")), PAGE_ROWS_MAX);
    ck_assert_int_eq(page_table_end(&t, &out), 0);
    ck_assert_ptr_nonnull(
        strstr(buf_cstr(&out), "This page holds the first 100,000 rows of 100,005; <code>--format csv</code>"));
    ck_assert_ptr_nonnull(strstr(out.p, "Without JavaScript, this list shows the first 200 rows of 100,005."));
    page_table_free(&t);
}
END_TEST

/* Cells of a megabyte are cut, the plain table ends early, and so does the JSON before it is too large for a browser. */
START_TEST(large_list_is_capped)
{
    static char large[1 << 20];
    struct page_table t = table_of();
    memset(large, 'x', sizeof large);
    uint64_t wanted = 0;
    for (int i = 0; i < 1000; i++, buf_reset(&out))
        wanted += add_rows(&t, 1, (struct str){large, sizeof large});
    ck_assert_uint_eq(wanted, 1000); /* each cell is cut */
    ck_assert_uint_lt(t.bytes, 2 << 20);
    ck_assert_uint_lt(t.plain.n, PAGE_PLAIN_BYTES + (1 << 16));
    t.bytes = PAGE_ROWS_BYTES + 1;
    ck_assert_uint_eq(add_rows(&t, 3, STR("a")), 0);
    ck_assert_uint_eq(t.n, 1003);
    page_table_free(&t);
}
END_TEST

/* The JSON of a list is read by a parser, with what its values mean. */
START_TEST(json_of_fields)
{
    static const struct page_column fields[] = {{"What changes", PAGE_KIND_FIELDS}};
    static const struct value ann = {VALUE_STRING, "Acme <Inc>", 10}, anna = {VALUE_STRING, "Acme <Ltd>", 10},
                              none = {.kind = VALUE_ABSENT}, null = {.kind = VALUE_NULL}, empty = {VALUE_STRING, "", 0},
                              twelve = {VALUE_NUMBER, "12", 2}, thirteen = {VALUE_NUMBER, "13", 2};
    struct page_table t = {.id = "list", .heading = "Rows", .noun = "row", .instead = "", .columns = fields, .columns_n = 1};
    int bad = page_table_begin(&t, &out);
    size_t from = out.n;
    ck_assert_int_eq(page_table_row(&t, &out), 1);
    bad |= page_table_fields(&t, &out) | page_table_field(&t, &out, STR("company_name"), &ann, &anna) |
           page_table_field(&t, &out, STR("seats"), &twelve, &thirteen) |
           page_table_field(&t, &out, STR("seats"), &none, &null) | page_table_field(&t, &out, STR("x\""), NULL, &empty) |
           page_table_fields_end(&t, &out) | page_table_row_end(&t, &out);
    ck_assert_int_eq(bad, 0);
    ck_assert_str_eq(buf_cstr(&out) + from,
                     "[[[0,\"Acme \\u003c\",\"Inc\",\"Ltd\",\">\",0],[1,\"\",\"12\",\"13\",\"\",0],[1,0,null],"
                     "[2,\"\"]]]");
    ck_assert_uint_eq(t.fields_n, 3);
    ck_assert_uint_eq(t.fields[1].n, 2); /* without the field that has no old value */
    ck_assert_uint_eq(t.fields[2].n, 0);
    ck_assert_int_eq(page_table_end(&t, &out), 0);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "<bdi>Acme &lt;<del>Inc</del>&gt;</bdi>"));
    ck_assert_ptr_nonnull(strstr(out.p, "<i>not known</i> <span class=\"to\">\xe2\x86\x92</span> <i>cleared</i>"));
    ck_assert_ptr_nonnull(strstr(out.p, "\"fields\":[\"company_name\",\"seats\",\"x\\\"\"]}</script>"));
    page_table_free(&t);
}
END_TEST

/* Of a long text that did not change only a part is shown, cut between characters. */
START_TEST(context_of_a_mark_is_short)
{
    static const struct page_column fields[] = {{"What changes", PAGE_KIND_FIELDS}};
    struct page_table t = {.id = "l", .heading = "R", .noun = "row", .instead = "", .columns = fields, .columns_n = 1};
    struct buf before = BUF_INIT(4096), after = BUF_INIT(4096);
    for (int i = 0; i < 300; i++)
        ck_assert_int_eq(buf_adds(&before, "\xc3\xa9") | buf_adds(&after, "\xc3\xa9"), 0);
    ck_assert_int_eq(buf_adds(&before, "old") | buf_adds(&after, "new"), 0);
    for (int i = 0; i < 300; i++)
        ck_assert_int_eq(buf_adds(&before, "\xe2\x82\xac") | buf_adds(&after, "\xe2\x82\xac"), 0);
    const struct value a = {VALUE_STRING, before.p, before.n}, b = {VALUE_STRING, after.p, after.n};
    ck_assert_int_eq(page_table_row(&t, &out), 1);
    ck_assert_int_eq(page_table_fields(&t, &out) | page_table_field(&t, &out, STR("f"), &a, &b) |
                         page_table_fields_end(&t, &out) | page_table_row_end(&t, &out),
                     0);
    ck_assert_uint_lt(out.n, 300);
    ck_assert(text_is_utf8(buf_str(&out)));
    ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "\"old\",\"new\""));
    ck_assert_ptr_nonnull(strstr(out.p, ",3]"));
    page_table_free(&t);
    buf_free(&before);
    buf_free(&after);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("page");
    TCase *tc = tcase_create("page");
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, text_is_escaped_for_html);
    tcase_add_test(tc, json_has_no_tag_of_its_own);
    tcase_add_loop_test(tc, every_byte_is_harmless, 0, 256);
    tcase_add_test(tc, long_text_is_cut_and_counted);
    tcase_add_loop_test(tc, counts_have_groups, 0, 6);
    tcase_add_loop_test(tc, marks_of_a_value, 0, 12);
    tcase_add_loop_test(tc, marks_add_up, 0, 500);
    tcase_add_test(tc, policy_is_that_of_the_page);
    tcase_add_test(tc, page_needs_no_network);
    tcase_add_test(tc, long_list_is_capped_with_a_note);
    tcase_add_test(tc, large_list_is_capped);
    tcase_add_test(tc, json_of_fields);
    tcase_add_test(tc, context_of_a_mark_is_short);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
