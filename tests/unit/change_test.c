#include "config.h"

#include "sync/model/change.h"
#include "tests/unit/harness.h"

#include <errno.h>
#include <string.h>

enum { MAX = 1 << 20 };

static struct buf list = BUF_INIT(MAX), out = BUF_INIT(MAX);

static void teardown(void)
{
    buf_free(&list);
    buf_free(&out);
}

static struct value of_kind(enum value_kind kind, const char *text)
{
    return (struct value){kind, text, strlen(text)};
}

static void add(const char *name, struct value before, struct value after)
{
    const struct change change = {str_from(name), before, after};
    ck_assert_int_eq(change_add(&change, &list), 0);
}

static const char *shown(struct str of)
{
    buf_reset(&out);
    ck_assert_int_eq(change_show(of, &out), 0);
    return buf_cstr(&out);
}

static const char *json(struct str of)
{
    struct jsonw w;
    buf_reset(&out);
    jsonw_init_output(&w, &out);
    ck_assert_int_eq(change_json(of, &w), 0);
    ck_assert_int_eq(jsonw_end(&w), 0);
    return buf_cstr(&out);
}

START_TEST(every_kind_comes_back)
{
    ck_assert_str_eq(shown(STR_NONE), "");
    ck_assert_str_eq(json(STR_NONE), "null");
    add("first_name", of_kind(VALUE_STRING, "P; 3 -> \"4\""), of_kind(VALUE_STRING, "3"));
    add("custom_variables.seats", of_kind(VALUE_NUMBER, "1"), of_kind(VALUE_NUMBER, "2.50"));
    add("a", of_kind(VALUE_ABSENT, ""), of_kind(VALUE_BOOL, "true"));
    add("b", of_kind(VALUE_STRING, ""), of_kind(VALUE_NULL, ""));
    ck_assert(!change_is_text(buf_str(&list)));
    ck_assert_str_eq(shown(buf_str(&list)),
                     "first_name: P; 3 -> \"4\" -> 3; custom_variables.seats: 1 -> 2.50; a: (nothing) -> true; "
                     "b: (empty) -> (cleared)");
    ck_assert_str_eq(json(buf_str(&list)),
                     "{\"first_name\":[\"P; 3 -> \\\"4\\\"\",\"3\"],\"custom_variables.seats\":[1,2.50],"
                     "\"a\":[null,true],\"b\":[\"\",null]}");
}
END_TEST

/* What an older leadsync kept is no list, and its values have no kinds. */
START_TEST(the_text_of_an_older_leadsync_stays_a_text)
{
    const struct str old = STR("first_name: Ann -> \"Anna\"");
    ck_assert(change_is_text(old));
    ck_assert_str_eq(shown(old), "first_name: Ann -> \"Anna\"");
    ck_assert_str_eq(json(old), "{\"\":\"first_name: Ann -> \\\"Anna\\\"\"}");
}
END_TEST

static char *repeated(char *text, size_t n)
{
    memset(text, 'x', n);
    text[n] = '\0';
    return text;
}

START_TEST(long_values_are_cut_and_long_lists_end)
{
    static char text[CHANGE_KEPT_BYTES + 2], whole[CHANGE_KEPT_BYTES + 1];
    const char *p;
    struct change change;
    size_t n = 0;
    add("a", of_kind(VALUE_STRING, repeated(text, CHANGE_KEPT_BYTES + 1)),
        of_kind(VALUE_STRING, repeated(whole, CHANGE_KEPT_BYTES)));
    p = list.p;
    ck_assert_int_eq(change_next(&p, list.p + list.n, &change), 1);
    ck_assert_uint_eq(change.before.n, CHANGE_KEPT_BYTES + strlen("…"));
    ck_assert_uint_eq(change.after.n, CHANGE_KEPT_BYTES);
    ck_assert_uint_eq(strlen(shown(buf_str(&list))), strlen("a:  -> ") + 2 * (CHANGE_SHOWN_BYTES + strlen("…")));
    for (int i = 0; i < 100; i++)
        add("b", of_kind(VALUE_STRING, text), of_kind(VALUE_STRING, "y"));
    ck_assert_uint_le(list.n, CHANGE_LIST_BYTES + 2 * CHANGE_KEPT_BYTES + 64);
    for (p = list.p; change_next(&p, list.p + list.n, &change) == 1; n++)
        continue;
    ck_assert_uint_lt(n, 100);
    ck_assert_uint_le(strlen(shown(buf_str(&list))), CHANGE_TEXT_BYTES + 2 * CHANGE_SHOWN_BYTES + 64);
}
END_TEST

START_TEST(no_byte_is_read_past_a_damaged_list)
{
    add("first_name", of_kind(VALUE_STRING, "Ann"), of_kind(VALUE_STRING, "Anna"));
    for (size_t n = 1; n < list.n; n++) {
        struct jsonw w;
        const struct str cut = {list.p, n};
        buf_reset(&out);
        jsonw_init(&w, &out);
        ck_assert_int_eq(change_json(cut, &w), -1);
        ck_assert_uint_eq(out.n, 0);
        ck_assert_int_eq(change_show(cut, &out), -1);
        ck_assert_int_eq(errno, EINVAL);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("change");
    TCase *c = tcase_create("change");
    tcase_add_checked_fixture(c, NULL, teardown);
    tcase_add_test(c, every_kind_comes_back);
    tcase_add_test(c, the_text_of_an_older_leadsync_stays_a_text);
    tcase_add_test(c, long_values_are_cut_and_long_lists_end);
    tcase_add_test(c, no_byte_is_read_past_a_damaged_list);
    suite_add_tcase(s, c);
    return unit_run(s);
}
