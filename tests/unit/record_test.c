/* Lists of records: the same cells as a table, JSON, NDJSON, CSV and a page. */
#include "config.h"

#include "sync/model/change.h"
#include "sync/report/record.h"
#include "tests/unit/harness.h"

#include <string.h>

enum { C_NAME, C_SEATS, C_MORE, C_TEXT_ONLY, COLUMN_N };
static const struct record_column columns[COLUMN_N] = {
    [C_NAME] = {RECORD_NAME("name")},
    [C_SEATS] = {RECORD_NAME("seats"), .kind = RECORD_NUMBER, .align = TABLE_RIGHT},
    [C_MORE] = {RECORD_NAME("more"), .kind = RECORD_VALUE},
    [C_TEXT_ONLY] = {RECORD_NAME("note"), .left_out = RECORD_NOT_JSON | RECORD_NOT_CSV},
};
static const struct record_layout plain = {.columns = columns, .columns_n = COLUMN_N};
/* clang-format off */
static const struct record_layout special = {
    .columns = columns, .columns_n = COLUMN_N, .title = "Names:\n", .none = "none\n", .table_rows = 1,
    .json_open = "{\"list\":[", .json_between = ",", .json_close = "]}\n", .delimiter = ';', .guard = true};
/* clang-format on */

static struct buf out = BUF_INIT(1 << 20);

static struct record_writer writer(enum record_format format, const struct record_layout *layout)
{
    struct record_writer w = {.format = format, .out = &out};
    buf_reset(&out);
    ck_assert_int_eq(record_open(&w, layout), 0);
    return w;
}

static void add_person(struct record_writer *w, const char *name, uint64_t seats)
{
    record_copy(w, C_NAME, str_from(name));
    record_ordinal(w, C_SEATS, seats);
    if (seats > 0)
        record_str(w, C_MORE, STR("{\"a\":1}"));
    record_text(w, C_TEXT_ONLY, "!");
    ck_assert_int_eq(record_end(w), 0);
}

static void check(enum record_format format, const struct record_layout *layout, size_t people, const char *expected)
{
    struct record_writer w = writer(format, layout);
    if (people > 0)
        add_person(&w, "=Ann;", 3);
    if (people > 1)
        add_person(&w, "Bob", 0);
    ck_assert_int_eq(record_finish(&w), 0);
    ck_assert_str_eq(buf_cstr(&out), expected);
    ck_assert_uint_eq(w.n, people);
    record_free(&w);
}

START_TEST(formats)
{
    check(RECORD_TEXT, &plain, 2,
          "name   seats  more     note\n"
          "=Ann;      3  {\"a\":1}  !\n"
          "Bob                    !\n");
    check(RECORD_JSON, &plain, 2,
          "[{\"name\":\"=Ann;\",\"seats\":3,\"more\":{\"a\":1}},\n"
          "{\"name\":\"Bob\",\"seats\":null,\"more\":null}]\n");
    check(RECORD_NDJSON, &plain, 2,
          "{\"name\":\"=Ann;\",\"seats\":3,\"more\":{\"a\":1}}\n"
          "{\"name\":\"Bob\",\"seats\":null,\"more\":null}\n");
    check(RECORD_CSV, &plain, 2, "name,seats,more\n\"=Ann;\",3,\"{\"\"a\"\":1}\"\nBob,,\n");
}
END_TEST

START_TEST(empty_lists)
{
    check(RECORD_TEXT, &plain, 0, "name  seats  more  note\n");
    check(RECORD_TEXT, &special, 0, "none\n");
    check(RECORD_JSON, &plain, 0, "[]\n");
    check(RECORD_JSON, &special, 0, "{\"list\":[]}\n");
    check(RECORD_NDJSON, &plain, 0, "");
    check(RECORD_CSV, &plain, 0, "name,seats,more\n");
}
END_TEST

START_TEST(what_a_layout_says)
{
    check(RECORD_TEXT, &special, 2,
          "Names:\nname   seats  more     note\n=Ann;      3  {\"a\":1}  !\n"
          "Names:\nname  seats  more  note\nBob                !\n");
    check(RECORD_JSON, &special, 2,
          "{\"list\":[{\"name\":\"=Ann;\",\"seats\":3,\"more\":{\"a\":1}},"
          "{\"name\":\"Bob\",\"seats\":null,\"more\":null}]}\n");
    check(RECORD_CSV, &special, 2, "name;seats;more\n\"'=Ann;\";3;\"{\"\"a\"\":1}\"\nBob;;\n");
}
END_TEST

static int page_part(void *ctx, struct str slot, struct buf *o)
{
    return buf_addf(o, "<%s %.*s>", (const char *)ctx, STR_ARG(slot));
}

/* A page has the parts of its printer in the order of the template, and the records as JSON and as plain rows. */
START_TEST(pages)
{
    static char ctx[] = "part";
    static const struct record_page page = {page_part, ctx, "People", "person"};
    struct record_layout layout = plain;
    layout.page = &page;
    struct record_writer w = writer(RECORD_HTML, &layout);
    add_person(&w, "<b>Ann", 1234);
    record_copy(&w, C_NAME, STR("Bob"));
    record_colour(&w, C_NAME, TABLE_RED);
    ck_assert_int_eq(record_end(&w), 0);
    ck_assert_int_eq(record_finish(&w), 0);
    const char *html = buf_cstr(&out), *heading = strstr(html, "<part heading>"), *lists = strstr(html, "<part lists>");
    ck_assert(heading != NULL && lists != NULL && heading < lists);
    ck_assert_ptr_nonnull(strstr(lists, "[\"\\u003cb>Ann\",1234,\"{\\\"a\\\":1}\"],\n[[\"Bob\",\"bad\"],null,null]],\n"));
    ck_assert_ptr_nonnull(strstr(lists, "<bdi>&lt;b&gt;Ann</bdi>"));
    ck_assert_ptr_nonnull(strstr(lists, "<span class=\"tag bad\">Bob</span>"));
    ck_assert_ptr_nonnull(strstr(lists, ">1,234</td>"));
    ck_assert_ptr_nonnull(strstr(lists, "People <span>2</span></h2>"));
    ck_assert_ptr_nonnull(strstr(lists, "<part footer>"));
    ck_assert_ptr_nonnull(strstr(lists, "</html>\n"));
    record_free(&w);
}
END_TEST

/* A list of changes, by field. */
START_TEST(pages_of_changes)
{
    static const struct record_column few[] = {{RECORD_NAME("changes"), .kind = RECORD_CHANGES}};
    static const struct record_layout layout = {.columns = few, .columns_n = 1};
    struct buf list = BUF_INIT(1000);
    const struct change title = {STR("job_title"), {VALUE_STRING, "CTO", 3}, {VALUE_STRING, "CEO", 3}};
    ck_assert_int_eq(change_add(&title, &list), 0);
    struct record_writer w = writer(RECORD_HTML, &layout);
    record_copy(&w, 0, buf_str(&list));
    ck_assert_int_eq(record_end(&w), 0);
    ck_assert_int_eq(record_end(&w), 0); /* without changes */
    ck_assert_int_eq(record_finish(&w), 0);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "[[[0,\"C\",\"T\",\"E\",\"O\",0]]],\n[[]]],\n\"fields\":[\"job_title\"]}"));
    record_free(&w);
    buf_free(&list);
}
END_TEST

/* A record with members of its own, one that is JSON already, and one in another document. */
START_TEST(json_records)
{
    struct record_writer w = writer(RECORD_JSON, &plain);
    struct jsonw json;
    jsonw_member_int(record_object(&w), "own", 1);
    ck_assert_int_eq(record_end(&w), 0);
    ck_assert_int_eq(record_json(&w, STR("{}")), 0);
    add_person(&w, "Ann", 1);
    ck_assert_int_eq(record_finish(&w), 0);
    ck_assert_str_eq(buf_cstr(&out), "[{\"own\":1},\n{},\n{\"name\":\"Ann\",\"seats\":1,\"more\":{\"a\":1}}]\n");
    record_free(&w);

    w = writer(RECORD_JSON, &plain);
    jsonw_init(&json, &out);
    jsonw_array(&json);
    record_text(&w, C_NAME, "Ann");
    ck_assert_int_eq(record_into(&w, &json), 0);
    jsonw_array_end(&json);
    ck_assert_int_eq(jsonw_end(&json), 0);
    ck_assert_str_eq(buf_cstr(&out), "[{\"name\":\"Ann\",\"seats\":null,\"more\":null}]");
    record_free(&w);
}
END_TEST

/* What only one of the JSON formats has, and a string that can be empty. */
START_TEST(json_columns)
{
    static const struct record_column few[] = {{RECORD_NAME("type"), .left_out = RECORD_NOT_DOCUMENT},
                                               {RECORD_NAME("value"), .kind = RECORD_CELL}};
    static const struct record_layout layout = {.columns = few, .columns_n = 2};
    static const char *const expected[] = {
        [RECORD_JSON] = "[{\"value\":\"\"},\n{\"value\":null}]\n",
        [RECORD_NDJSON] = "{\"type\":\"a\",\"value\":\"\"}\n{\"type\":\"a\",\"value\":null}\n",
    };
    for (enum record_format format = RECORD_JSON; format <= RECORD_NDJSON; format++) {
        struct record_writer w = writer(format, &layout);
        record_text(&w, 0, "a");
        record_text(&w, 1, "");
        ck_assert_int_eq(record_end(&w), 0);
        record_text(&w, 0, "a");
        ck_assert_int_eq(record_end(&w), 0);
        ck_assert_int_eq(record_finish(&w), 0);
        ck_assert_str_eq(buf_cstr(&out), expected[format]);
        record_free(&w);
    }
}
END_TEST

/* Lines of the printer's own stand between tables. */
START_TEST(text_lines)
{
    struct record_writer w = writer(RECORD_TEXT, &plain);
    add_person(&w, "Ann", 1);
    ck_assert_int_eq(buf_adds(record_lines(&w), "own line\n"), 0);
    ck_assert_int_eq(record_end(&w), 0);
    add_person(&w, "Bob", 0);
    ck_assert_int_eq(record_finish(&w), 0);
    ck_assert_str_eq(buf_cstr(&out), "name  seats  more     note\nAnn       1  {\"a\":1}  !\nown line\n"
                                     "name  seats  more  note\nBob                !\n");
    ck_assert_uint_eq(w.n, 3);
    record_free(&w);
}
END_TEST

/* Each kind of cell with a value, and with what leaves it empty. */
START_TEST(cells)
{
    static const struct uuid id = {.b = {1}};
    static const struct target target = {.kind = TARGET_LIST, .id = {.b = {1}}};
    static const struct record_column few[] = {{RECORD_NAME("a")},
                                               {RECORD_NAME("b")},
                                               {RECORD_NAME("c")},
                                               {RECORD_NAME("d")},
                                               {RECORD_NAME("e")}};
    static const struct record_layout layout = {.columns = few, .columns_n = 5};
    struct record_writer w = writer(RECORD_CSV, &layout);
    record_count(&w, 0, 0);
    record_count(&w, 1, 12);
    record_time(&w, 2, 1000);
    record_uuid(&w, 3, &id);
    record_target(&w, 4, &target);
    ck_assert_int_eq(record_end(&w), 0);
    record_count(&w, 0, -1);
    record_ordinal(&w, 1, 0);
    record_time(&w, 2, 0);
    record_uuid(&w, 3, NULL);
    record_target(&w, 4, NULL);
    ck_assert_int_eq(record_end(&w), 0);
    ck_assert_str_eq(buf_cstr(&out), "a,b,c,d,e\n"
                                     "0,12,1970-01-01T00:00:01.000Z,01000000-0000-0000-0000-000000000000,"
                                     "list:01000000-0000-0000-0000-000000000000\n,,,,\n");
    record_free(&w);
}
END_TEST

/* A buffer that is full makes every later call fail. */
START_TEST(failures_stick)
{
    struct buf small = BUF_INIT(8);
    struct record_writer w = {.format = RECORD_CSV, .out = &small};
    ck_assert_int_eq(record_open(&w, &plain), 0);
    record_text(&w, C_NAME, "Ann");
    ck_assert_int_eq(record_end(&w), -1);
    buf_reset(&small);
    ck_assert_int_eq(record_finish(&w), -1);
    record_free(&w);
    buf_free(&small);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("record");
    TCase *tc = tcase_create("record");
    tcase_add_test(tc, formats);
    tcase_add_test(tc, empty_lists);
    tcase_add_test(tc, what_a_layout_says);
    tcase_add_test(tc, pages);
    tcase_add_test(tc, pages_of_changes);
    tcase_add_test(tc, json_records);
    tcase_add_test(tc, json_columns);
    tcase_add_test(tc, text_lines);
    tcase_add_test(tc, cells);
    tcase_add_test(tc, failures_stick);
    suite_add_tcase(suite, tc);
    int status = unit_run(suite);
    buf_free(&out);
    return status;
}
