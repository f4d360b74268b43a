#include "config.h"

#include "mappings/convert/typed.h"
#include "tests/unit/convert_cases.h"
#include "tests/unit/harness.h"

#include <stdio.h>
#include <string.h>

static const char *check_typed(const struct test_case *c)
{
    struct str in = c->fields[1], wanted = c->fields[2], out = STR_NONE;
    const char *why = str_is(c->fields[0], "number")    ? typed_number(in, &out)
                      : str_is(c->fields[0], "boolean") ? typed_boolean(in, &out)
                                                        : typed_interest(in, &out);
    if (wanted.n > 1 && wanted.p[0] == '!') {
        char part[200];
        snprintf(part, sizeof part, "%.*s", (int)wanted.n - 2, wanted.p + 2);
        if (why == NULL)
            return case_said("\"%.*s\" is taken", STR_ARG(in));
        return strstr(why, part) != NULL ? NULL : case_said("\"%s\" does not say \"%s\"", why, part);
    }
    if (why != NULL)
        return case_said("\"%.*s\" %s", STR_ARG(in), why);
    return str_eq(out, wanted) ? NULL : case_said("\"%.*s\" becomes \"%.*s\"", STR_ARG(in), STR_ARG(out));
}

START_TEST(typed)
{
    cases_run("convert/typed.txt", 90, check_typed);
}
END_TEST

/* Digits without end, on both sides of the point. */
START_TEST(long_numbers)
{
    char text[700];
    struct str out;

    memset(text, '9', sizeof text);
    ck_assert_ptr_null(typed_number((struct str){text, 308}, &out));
    ck_assert_ptr_nonnull(typed_number((struct str){text, 310}, &out));
    text[1] = '.';
    ck_assert_ptr_null(typed_number((struct str){text, 700}, &out));
    ck_assert_uint_eq(out.n, 700);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("typed");
    TCase *all = tcase_create("all");
    tcase_add_test(all, typed);
    tcase_add_test(all, long_numbers);
    suite_add_tcase(suite, all);
    return unit_run(suite);
}
