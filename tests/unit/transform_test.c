#include "config.h"

#include "mappings/convert/clean.h"
#include "mappings/convert/transform.h"
#include "tests/unit/convert_cases.h"
#include "tests/unit/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Compiles one step, runs it over `in` and compares with `wanted`: a result, or "! part of the reason". */
static const char *check_step(const char *name, const struct str *args, size_t args_n, struct str in, struct str wanted)
{
    struct arena arena;
    struct transform_step step;
    struct flaw flaw = {NULL, 0, 0};
    struct str out;
    const char *why = NULL, *said = NULL;
    bool refused = wanted.n > 1 && wanted.p[0] == '!' && wanted.p[1] == ' ';

    arena_init(&arena, 4 << 20);
    if (transform_compile(str_from(name), args, args_n, &arena, &step, &flaw) != 0) {
        said = case_said("%s does not compile: %s at %zu", name, flaw.text, flaw.offset);
        arena_free(&arena);
        return said;
    }
    ck_assert_int_eq(transform_run(&step, 1, in, &arena, &out, &why), 0);
    if (refused) {
        char part[200];
        snprintf(part, sizeof part, "%.*s", (int)wanted.n - 2, wanted.p + 2);
        if (why == NULL)
            said = case_said("\"%.*s\" becomes \"%.*s\"", STR_ARG(in), STR_ARG(out));
        else if (strstr(why, part) == NULL)
            said = case_said("\"%s\" does not say \"%s\"", why, part);
    } else if (why != NULL) {
        said = case_said("\"%.*s\" is refused: it %s", STR_ARG(in), why);
    } else if (!str_eq(out, wanted)) {
        said = case_said("\"%.*s\" becomes \"%.*s\"", STR_ARG(in), STR_ARG(out));
    } else if (str_eq(out, in) && out.p != in.p && in.n > 0) {
        said = case_said("\"%.*s\" is copied for nothing", STR_ARG(in));
    }
    transform_free(&step, 1);
    arena_free(&arena);
    return said;
}

static const char *check_plain(const struct test_case *c)
{
    char name[32];
    snprintf(name, sizeof name, "%.*s", STR_ARG(c->fields[0]));
    return check_step(name, NULL, 0, c->fields[1], c->fields[2]);
}

static const char *check_title(const struct test_case *c)
{
    const char *said = check_step("title", NULL, 0, c->fields[0], c->fields[1]);
    /* What title made is what somebody could have typed: a second run changes nothing. Single words in capitals that it
     * kept ("TJ", "A") are the same for it again. */
    return said != NULL ? said : check_step("title", NULL, 0, c->fields[1], c->fields[1]);
}

static const char *check_date(const struct test_case *c)
{
    return check_step("date", c->fields, 2, c->fields[2], c->fields[3]);
}

static const char *check_replace(const struct test_case *c)
{
    return check_step("replace", c->fields, 2, c->fields[2], c->fields[3]);
}

static const char *check_truncate(const struct test_case *c)
{
    return check_step("truncate", c->fields, 1, c->fields[1], c->fields[2]);
}

/* step => arguments… => "ARG@OFFSET text" */
static const char *check_flaw(const struct test_case *c)
{
    struct arena arena;
    struct transform_step step;
    struct flaw flaw = {NULL, 0, 0};
    char wanted[300], arg[32];
    const char *said = NULL;

    arena_init(&arena, 1 << 20);
    snprintf(wanted, sizeof wanted, "%.*s", STR_ARG(c->fields[c->n - 1]));
    char *text = strchr(wanted, ' ');
    *text++ = 0;
    int rc = transform_compile(c->fields[0], c->fields + 1, c->n - 2, &arena, &step, &flaw);
    if (rc == 0) {
        transform_free(&step, 1);
        said = "compiles";
    } else {
        snprintf(arg, sizeof arg, flaw.arg == FLAW_WHOLE ? "-@%zu" : "%zu@%zu",
                 flaw.arg == FLAW_WHOLE ? flaw.offset : flaw.arg, flaw.offset);
        if (strcmp(arg, wanted) != 0 || strstr(flaw.text, text) == NULL)
            said = case_said("%s %s", arg, flaw.text);
    }
    arena_free(&arena);
    return said;
}

START_TEST(plain_steps)
{
    cases_run("convert/steps.txt", 100, check_plain);
}
END_TEST
START_TEST(titles)
{
    cases_run("convert/title.txt", 180, check_title);
}
END_TEST
START_TEST(dates)
{
    cases_run("convert/dates.txt", 70, check_date);
}
END_TEST
START_TEST(replacements)
{
    cases_run("convert/replace.txt", 20, check_replace);
}
END_TEST
START_TEST(truncations)
{
    cases_run("convert/truncate.txt", 10, check_truncate);
}
END_TEST
START_TEST(flaws)
{
    cases_run("convert/flaws.txt", 30, check_flaw);
}
END_TEST

/* Every step lets an empty value pass, and the chain stops working once nothing is left. */
START_TEST(chains)
{
    struct arena arena;
    struct flaw flaw;
    struct transform_step steps[3];
    struct str out, args[2] = {STR("x"), STR("")};
    const char *why;

    arena_init(&arena, 1 << 16);
    ck_assert_int_eq(transform_compile(STR("trim"), NULL, 0, &arena, &steps[0], &flaw), 0);
    ck_assert_int_eq(transform_compile(STR("replace"), args, 2, &arena, &steps[1], &flaw), 0);
    ck_assert_int_eq(transform_compile(STR("url"), NULL, 0, &arena, &steps[2], &flaw), 0);
    ck_assert_int_eq(transform_run(steps, 3, STR(" exxample.comx "), &arena, &out, &why), 0);
    ck_assert_ptr_null(why);
    ck_assert(str_is(out, "https://eample.com"));
    ck_assert_int_eq(transform_run(steps, 3, STR(" xxx "), &arena, &out, &why), 0);
    ck_assert_ptr_null(why);
    ck_assert_uint_eq(out.n, 0);
    ck_assert_int_eq(transform_run(steps, 3, STR("no host x"), &arena, &out, &why), 0);
    ck_assert_ptr_nonnull(why);
    ck_assert_int_eq(transform_run(steps, 0, STR("as it is"), &arena, &out, &why), 0);
    ck_assert(str_is(out, "as it is"));
    transform_free(steps, 3);
    transform_free(steps, 3); /* twice is once */
    arena_free(&arena);
}
END_TEST

/* In a column of first or last names a word written like a name is one. */
START_TEST(clean_knows_names)
{
    static const char *const names[] = {"Null", "Nan", "None"}, *const placeholders[] = {"NULL", "null", "nan",
                                                                                         "NaN",  "none", "N/A"};
    struct arena arena;
    struct flaw flaw;
    struct transform_step step;
    struct str out;
    const char *why;

    arena_init(&arena, 1 << 16);
    ck_assert_int_eq(transform_compile(STR("clean"), NULL, 0, &arena, &step, &flaw), 0);
    step.as.clean.of_person = true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_assert_int_eq(transform_run(&step, 1, str_from(names[i]), &arena, &out, &why), 0);
        ck_assert(str_is(out, names[i]));
    }
    for (size_t i = 0; i < sizeof placeholders / sizeof placeholders[0]; i++) {
        ck_assert_int_eq(transform_run(&step, 1, str_from(placeholders[i]), &arena, &out, &why), 0);
        ck_assert_uint_eq(out.n, 0);
    }
    arena_free(&arena);
}
END_TEST

START_TEST(cut_numbers)
{
    static const char *const cut[] = {"4.91E+11", "4,91E+11", "5E+08", "-1.2E+10", "4.9E+101"};
    static const char *const whole[] = {"",       "4.91", "4.91e11", "4.91E11",   "49.1E+11",
                                        "4.E+11", "E+11", "4.91E+1", "4.91E+11x", "4.91E+"};

    for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++)
        ck_assert_msg(clean_is_cut_number(str_from(cut[i])), "%s", cut[i]);
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        ck_assert_msg(!clean_is_cut_number(str_from(whole[i])), "%s", whole[i]);
}
END_TEST

/* A replacement that would multiply its input past all bounds is refused, not allocated. */
START_TEST(replace_is_bounded)
{
    struct arena arena;
    struct flaw flaw;
    struct transform_step step;
    struct str out, args[2] = {STR("(?=(.*))"), STR("$1")};
    const char *why;
    char *long_text = malloc(4000);

    memset(long_text, 'a', 4000);
    arena_init(&arena, 16 << 20);
    ck_assert_int_eq(transform_compile(STR("replace"), args, 2, &arena, &step, &flaw), 0);
    ck_assert_int_eq(transform_run(&step, 1, (struct str){long_text, 4000}, &arena, &out, &why), 0);
    ck_assert_ptr_nonnull(why);
    ck_assert_ptr_nonnull(strstr(why, "larger than 1 MiB"));
    ck_assert_int_eq(transform_run(&step, 1, (struct str){long_text, 400}, &arena, &out, &why), 0);
    ck_assert_ptr_null(why);
    ck_assert_uint_eq(out.n, 400 + 400 * 401 / 2);
    transform_free(&step, 1);
    arena_free(&arena);
    free(long_text);
}
END_TEST

/* Without memory every step that must write fails, and none says that the value is at fault. */
START_TEST(short_of_memory)
{
    static const char *const names[] = {"squeeze", "lower",  "upper", "title",      "nfc",  "digits",
                                        "email",   "domain", "url",   "strip_html", "date", "replace"};
    static const char *const inputs[] = {"a  b",          "\xc3\x84 B",  "\xc3\xa4 b",  "anna",     "e\xcc\x81", "+1 2",
                                         "a@EXAMPLE.com", "EXAMPLE.com", "example.com", "<b>x</b>", "1.2.2026",  "aaa"};
    const struct str args[12][2] = {[10] = {STR("%d.%m.%Y"), STR("%Y")}, [11] = {STR("a"), STR("bb")}};

    for (size_t i = 0; i < 12; i++) {
        struct arena arena, none;
        struct transform_step step;
        struct flaw flaw;
        struct str out;
        const char *why;
        arena_init(&arena, 1 << 16);
        arena_init(&none, 0);
        ck_assert_int_eq(transform_compile(str_from(names[i]), args[i], i < 10 ? 0 : 2, &arena, &step, &flaw), 0);
        ck_assert_msg(transform_run(&step, 1, str_from(inputs[i]), &none, &out, &why) == -1, "%s", names[i]);
        ck_assert_ptr_null(why);
        transform_free(&step, 1);
        arena_free(&arena);
    }
}
END_TEST

START_TEST(short_of_memory_compiling)
{
    static const struct {
        const char *name;
        struct str args[2];
        size_t n;
    } cases[] = {{"replace", {{"(a", 2}, {"b", 1}}, 2},
                 {"replace", {{"a", 1}, {"bb", 2}}, 2},
                 {"date", {{"%Y %m", 5}, {"%m", 2}}, 2},
                 {"nope", {{0, 0}, {0, 0}}, 0},
                 {"trim", {{"x", 1}, {0, 0}}, 1}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t max = 0; max < 256; max += 16) {
            struct arena arena;
            struct transform_step step;
            struct flaw flaw = {NULL, 0, 0};
            arena_init(&arena, max);
            if (transform_compile(str_from(cases[i].name), cases[i].args, cases[i].n, &arena, &step, &flaw) != 0)
                ck_assert_ptr_nonnull(flaw.text);
            transform_free(&step, 1);
            arena_free(&arena);
        }
}
END_TEST

/* The table that loader and help read says what compile does. */
START_TEST(table)
{
    for (size_t i = 0; i < TRANSFORM_N; i++) {
        ck_assert(transform_table[i].name[0] != 0 && transform_table[i].help[0] != 0);
        ck_assert((transform_table[i].args[0] != 0) == (transform_table[i].args_n > 0));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("transform");
    TCase *all = tcase_create("all");
    tcase_add_test(all, plain_steps);
    tcase_add_test(all, titles);
    tcase_add_test(all, dates);
    tcase_add_test(all, replacements);
    tcase_add_test(all, truncations);
    tcase_add_test(all, flaws);
    tcase_add_test(all, chains);
    tcase_add_test(all, clean_knows_names);
    tcase_add_test(all, cut_numbers);
    tcase_add_test(all, replace_is_bounded);
    tcase_add_test(all, short_of_memory);
    tcase_add_test(all, short_of_memory_compiling);
    tcase_add_test(all, table);
    suite_add_tcase(suite, all);
    return unit_run(suite);
}
