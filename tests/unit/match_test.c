#include "config.h"

#include "sync/model/match.h"
#include "sync/model/row.h"
#include "tests/unit/harness.h"

#include <string.h>

static struct match m;

static void teardown(void)
{
    match_free(&m);
}

START_TEST(without_a_text_every_row_is_wanted)
{
    ck_assert_int_eq(match_init(&m, NULL), 0);
    ck_assert(!match_wants(&m));
}
END_TEST

START_TEST(a_text_in_upper_or_lower_case)
{
    ck_assert_int_eq(match_init(&m, "ÉLODIE"), 0);
    ck_assert(match_wants(&m));
    ck_assert_int_eq(match_text(&m, STR("Martin, Élodie")), 1);
    ck_assert_int_eq(match_text(&m, STR("Elodie")), 0);
    ck_assert_int_eq(match_text(&m, STR_NONE), 0);
}
END_TEST

START_TEST(a_value_of_a_lead_or_a_cell_of_a_row)
{
    struct str names[] = {STR("seats"), STR("vip")};
    const struct lead_shape shape = {1, 2, names};
    struct value custom[2] = {{VALUE_NUMBER, "4711", 4}, {VALUE_NULL, NULL, 0}};
    struct lead lead = {.shape = &shape, .custom = custom};
    const struct cell cells[] = {{"a", 1, false}, {NULL, 0, true}, {"x4711", 5, false}};
    struct buf packed = BUF_INIT(1024);
    lead.core[LEAD_FIRST_NAME] = (struct value){VALUE_STRING, "Ann", 3};
    ck_assert_int_eq(match_init(&m, "4711"), 0);
    ck_assert_int_eq(match_lead(&m, &lead), 1);
    custom[0].kind = VALUE_ABSENT;
    ck_assert_int_eq(match_lead(&m, &lead), 0);
    ck_assert_int_eq(match_cells(&m, STR_NONE), 0);
    ck_assert_int_eq(cells_pack(cells, 2, &packed), 0);
    ck_assert_int_eq(match_cells(&m, buf_str(&packed)), 0);
    buf_reset(&packed);
    ck_assert_int_eq(cells_pack(cells, 3, &packed), 0);
    ck_assert_int_eq(match_cells(&m, buf_str(&packed)), 1);
    buf_free(&packed);
}
END_TEST

START_TEST(all_words_in_any_values_of_a_row)
{
    ck_assert_int_eq(match_init(&m, " Tom  BERGER "), 0);
    match_row(&m);
    ck_assert_int_eq(match_text(&m, STR("Berger")), 0);
    ck_assert_int_eq(match_text(&m, STR("Acme")), 0);
    ck_assert_int_eq(match_text(&m, STR("tom")), 1);
    match_row(&m);
    ck_assert_int_eq(match_text(&m, STR("Tom")), 0);
    match_row(&m);
    ck_assert_int_eq(match_text(&m, STR("Berger")), 0);
    match_row(&m);
    ck_assert_int_eq(match_text(&m, STR("berger, tom")), 1);
}
END_TEST

/* Of a text with more words than are told apart only the whole counts. */
START_TEST(too_many_words)
{
    char text[2 * (MATCH_WORDS + 1)] = "";
    for (int i = 0; i < MATCH_WORDS; i++)
        memcpy(text + 2 * i, "a ", 3);
    ck_assert_int_eq(match_init(&m, text), 0);
    ck_assert_int_eq(match_text(&m, STR("a")), 1);
    match_free(&m);
    text[sizeof text - 2] = 'a';
    ck_assert_int_eq(match_init(&m, text), 0);
    ck_assert_int_eq(match_text(&m, STR("a")), 0);
    ck_assert_int_eq(match_text(&m, str_from(text)), 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("match");
    TCase *c = tcase_create("match");
    tcase_add_checked_fixture(c, NULL, teardown);
    tcase_add_test(c, without_a_text_every_row_is_wanted);
    tcase_add_test(c, a_text_in_upper_or_lower_case);
    tcase_add_test(c, a_value_of_a_lead_or_a_cell_of_a_row);
    tcase_add_test(c, all_words_in_any_values_of_a_row);
    tcase_add_test(c, too_many_words);
    suite_add_tcase(s, c);
    return unit_run(s);
}
