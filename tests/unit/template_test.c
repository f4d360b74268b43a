#include "config.h"

#include "mappings/convert/template.h"
#include "tests/unit/convert_cases.h"
#include "tests/unit/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"A", "B", "Empty", "Blank", "Null", "\xc3\x9cn\xc3\xaf", "a.b"};
static const struct cell cells[] = {{"1", 1, false},  {"two words", 9, false}, {"", 0, false},
                                    {"  ", 2, false}, {NULL, 0, true},         {"\xe6\x97\xa5\xe6\x9c\xac", 6, false},
                                    {"dot", 3, false}};
enum { COLUMNS_N = sizeof cells / sizeof cells[0] };

static int find(void *ctx, struct str name, size_t *index)
{
    (void)ctx;
    for (size_t i = 0; i < COLUMNS_N; i++)
        if (str_is(name, names[i])) {
            *index = i;
            return 0;
        }
    return -1;
}

/* Gives each column its cell. NULL, or the first column that `find` does not know. */
static const struct template_part *bind(struct template *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->parts[i].is_column && find(NULL, t->parts[i].text, &t->parts[i].column) != 0)
            return &t->parts[i];
    return NULL;
}

static const char *check_template(const struct test_case *c)
{
    struct arena arena;
    struct template t;
    struct flaw flaw = {NULL, 0, 0};
    const struct template_part *missing = NULL;
    struct str out = STR_NONE, wanted = c->fields[1];
    char got[400];
    const char *said = NULL;

    arena_init(&arena, 1 << 16);
    if (template_compile(c->fields[0], &arena, &t, &flaw) == 0 && (missing = bind(&t)) != NULL)
        flaw = (struct flaw){"unknown", 0, missing->offset};
    if (flaw.text != NULL) {
        snprintf(got, sizeof got, "! %zu %s", flaw.offset, flaw.text);
        char *space = strchr(got + 2, ' ');
        bool same = wanted.n > 4 && strncmp(got, wanted.p, (size_t)(space + 1 - got)) == 0;
        char part[200];
        snprintf(part, sizeof part, "%.*s", STR_ARG(wanted));
        if (!same || strstr(space, part + (space + 1 - got)) == NULL)
            said = case_said("%s", got);
    } else {
        ck_assert_int_eq(template_run(&t, cells, COLUMNS_N, &arena, &out), 0);
        if (!str_eq(out, wanted))
            said = case_said("becomes \"%.*s\"", STR_ARG(out));
    }
    arena_free(&arena);
    return said;
}

START_TEST(templates)
{
    cases_run("convert/templates.txt", 30, check_template);
}
END_TEST

START_TEST(one_column_is_not_copied)
{
    struct arena arena, none;
    struct template t;
    struct flaw flaw;
    struct str out;

    arena_init(&arena, 4096);
    arena_init(&none, 0);
    ck_assert_int_eq(template_compile(STR("{B}"), &arena, &t, &flaw), 0);
    ck_assert_ptr_null(bind(&t));
    ck_assert_int_eq(template_run(&t, cells, COLUMNS_N, &none, &out), 0);
    ck_assert_ptr_eq(out.p, cells[1].p);
    /* A row that is shorter than the columns were has nothing there. */
    ck_assert_int_eq(template_run(&t, cells, 1, &none, &out), 0);
    ck_assert_uint_eq(out.n, 0);
    arena_free(&arena);
}
END_TEST

START_TEST(output_is_bounded)
{
    struct arena arena, scratch;
    struct template t;
    struct flaw flaw;
    struct str out;
    char *big = malloc(TEMPLATE_OUTPUT_MAX);

    memset(big, 'x', TEMPLATE_OUTPUT_MAX);
    struct cell row[2] = {{big, TEMPLATE_OUTPUT_MAX - 1, false}, {"yz", 1, false}};
    arena_init(&arena, 4096);
    arena_init(&scratch, 4 << 20);
    ck_assert_int_eq(template_compile(STR("{A}{B}"), &arena, &t, &flaw), 0);
    ck_assert_ptr_null(bind(&t));
    ck_assert_int_eq(template_run(&t, row, 2, &scratch, &out), 0);
    ck_assert_uint_eq(out.n, TEMPLATE_OUTPUT_MAX);
    row[1].n = 2;
    errno = 0;
    ck_assert_int_eq(template_run(&t, row, 2, &scratch, &out), -1);
    ck_assert_int_eq(errno, EOVERFLOW);
    arena_free(&scratch);
    arena_init(&scratch, 16);
    row[1].n = 1;
    ck_assert_int_eq(template_run(&t, row, 2, &scratch, &out), -1);
    ck_assert_int_eq(errno, ENOMEM);
    arena_free(&scratch);
    arena_free(&arena);
    free(big);
}
END_TEST

START_TEST(short_of_memory)
{
    for (size_t max = 0; max < 256; max += 16) {
        struct arena arena;
        struct template t;
        struct flaw flaw = {NULL, 0, 0};
        arena_init(&arena, max);
        if (template_compile(STR("a{A}b{B}c"), &arena, &t, &flaw) != 0)
            ck_assert_str_eq(flaw.text, "out of memory");
        arena_free(&arena);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("template");
    TCase *all = tcase_create("all");
    tcase_add_test(all, templates);
    tcase_add_test(all, one_column_is_not_copied);
    tcase_add_test(all, output_is_bounded);
    tcase_add_test(all, short_of_memory);
    suite_add_tcase(suite, all);
    return unit_run(suite);
}
