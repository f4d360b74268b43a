#include "config.h"

#include "mappings/names/names.h"
#include "tests/unit/convert_cases.h"
#include "tests/unit/harness.h"

#include "sync/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *check_name(const struct test_case *c)
{
    static const char *const certainties[] = {"none", "maybe", "likely", "spelling", "exact"};
    struct names_match match;
    char got[100];

    int rc = names_find(c->fields[0], &match);
    ck_assert_int_eq(rc, match.certainty != NAMES_NONE);
    snprintf(got, sizeof got, "%s %s", rc == 1 ? lead_field_table[match.field].api : "-", certainties[match.certainty]);
    return str_is(c->fields[1], got) ? NULL : case_said("\"%.*s\" is %s", STR_ARG(c->fields[0]), got);
}

static size_t split_columns(struct str rest, struct str columns[16])
{
    size_t n = 0;
    for (; rest.p != NULL && n < 16; n++) {
        const char *bar = memchr(rest.p, '|', rest.n);
        size_t len = bar != NULL ? (size_t)(bar - rest.p) : rest.n;
        columns[n] = (struct str){rest.p, len};
        rest = bar != NULL ? (struct str){bar + 1, rest.n - len - 1} : STR_NONE;
    }
    return n;
}

static const char *check_columns(const struct test_case *c)
{
    struct str columns[16] = {STR_NONE};
    struct names_use uses[16];
    size_t n = split_columns(c->fields[0], columns);
    struct buf got = BUF_INIT(1000);
    const char *said = NULL;

    ck_assert_int_eq(names_assign(columns, n, uses), 0);
    for (size_t i = 0; i < n; i++)
        buf_addf(&got, "%s%s%s", i > 0 ? "|" : "", uses[i].rival >= 0 ? "?" : "",
                 uses[i].rival >= 0   ? lead_field_table[uses[i].rival].api
                 : uses[i].field >= 0 ? lead_field_table[uses[i].field].api
                                      : "-");
    if (!str_eq(buf_str(&got), c->fields[1]))
        said = case_said("%.*s", STR_ARG(buf_str(&got)));
    buf_free(&got);
    return said;
}

/* Opt-out columns: "flag", "consent", "status", "any" of any value, or "-". */
static const char *check_opt_out(const struct test_case *c)
{
    const char *const *values = names_opt_out(c->fields[0]);
    const char *got = values == NULL                           ? "-"
                      : strcmp(values[0], "*") == 0            ? "any"
                      : strcmp(values[0], "unsubscribed") == 0 ? "status"
                      : strcmp(values[0], "0") == 0            ? "consent"
                                                               : "flag";
    return str_is(c->fields[1], got) ? NULL : case_said("\"%.*s\" is %s", STR_ARG(c->fields[0]), got);
}

/* Columns divided by |, and the field whose claims are listed in the order of asking. */
static const char *check_claims(const struct test_case *c)
{
    struct str columns[16] = {STR_NONE};
    struct names_use uses[16];
    size_t order[16], n = split_columns(c->fields[0], columns), claims;
    struct buf got = BUF_INIT(1000);
    const char *said = NULL;
    int field = lead_field_find(c->fields[1]);

    ck_assert_int_ge(field, 0);
    ck_assert_int_eq(names_assign(columns, n, uses), 0);
    claims = names_claims(uses, n, (enum lead_field)field, order);
    for (size_t i = 0; i < claims; i++)
        buf_addf(&got, "%s%.*s", i > 0 ? "|" : "", STR_ARG(columns[order[i]]));
    if (!str_eq(buf_str(&got), c->fields[2]))
        said = case_said("%.*s", STR_ARG(buf_str(&got)));
    buf_free(&got);
    return said;
}

START_TEST(single_names)
{
    cases_run("convert/names.txt", 60, check_name);
}
END_TEST
START_TEST(whole_headers)
{
    cases_run("convert/columns.txt", 20, check_columns);
}
END_TEST

START_TEST(opt_outs)
{
    cases_run("convert/opt_outs.txt", 40, check_opt_out);
}
END_TEST
START_TEST(claims)
{
    cases_run("convert/claims.txt", 6, check_claims);
}
END_TEST

enum { BEST = NAMES_SPELLING, FIRST = BEST, SURE = BEST, WEAK = NAMES_LIKELY, PAIR = NAMES_MAYBE, MAYBE = PAIR };
static const struct {
    enum lead_field field;
    int certainty;
    const char *list;
} table[] = {
#define NAMES(field, sureness, language, list) {LEAD_##field, sureness, list},
#include "mappings/names/names.def"
#undef NAMES
};

/* Every spelling of the table is found, as what the table says; so none is written in a way that no key can have, and
 * none is sure in two fields. */
START_TEST(every_spelling_is_found)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        for (const char *at = table[i].list; *at != 0;) {
            size_t n = strcspn(at, "|");
            struct names_match match;
            ck_assert_msg(names_find((struct str){at, n}, &match) == 1, "%.*s is not found", (int)n, at);
            ck_assert_msg((int)match.certainty >= table[i].certainty, "%.*s is less than sure", (int)n, at);
            if (table[i].certainty >= WEAK)
                ck_assert_msg(match.field == table[i].field, "%.*s means two fields", (int)n, at);
            at += n + (at[n] == '|');
        }
}
END_TEST

START_TEST(help)
{
    struct buf out = BUF_INIT(1 << 16), small = BUF_INIT(1000);

    ck_assert_int_eq(names_help(&out), 0);
    const char *text = buf_cstr(&out);
    ck_assert_ptr_nonnull(strstr(text, "first_name"));
    ck_assert_ptr_nonnull(strstr(text, "vorname"));
    ck_assert_ptr_nonnull(strstr(text, "beside its other half in the same language:\n"));
    ck_assert_ptr_null(strstr(text, " link,"));
    for (struct str rest = buf_str(&out); rest.n > 0;) {
        const char *end = memchr(rest.p, '\n', rest.n);
        size_t n = (size_t)(end - rest.p);
        ck_assert_uint_le(text_width((struct str){rest.p, n}), 104);
        ck_assert(n == 0 || rest.p[n - 1] != ' ');
        rest = (struct str){end + 1, rest.n - n - 1};
    }
    ck_assert_int_eq(names_help(&small), -1);
    buf_free(&out);
    buf_free(&small);
}
END_TEST

/* A "header" of a megabyte is text, not a name. */
START_TEST(long_headers)
{
    size_t n = 1 << 20;
    char *text = malloc(n);
    struct names_match match;
    struct names_use uses[2];

    memset(text, 'e', n);
    struct str columns[2] = {{text, n}, STR("Email")};
    ck_assert_int_eq(names_find(columns[0], &match), 0);
    ck_assert_int_eq(names_assign(columns, 2, uses), 0);
    ck_assert_int_eq(uses[0].field, NAMES_UNUSED);
    ck_assert_int_eq(uses[1].field, LEAD_EMAIL);
    ck_assert_int_eq(names_assign(NULL, 0, NULL), 0);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("names");
    TCase *all = tcase_create("all");
    tcase_add_test(all, single_names);
    tcase_add_test(all, whole_headers);
    tcase_add_test(all, opt_outs);
    tcase_add_test(all, claims);
    tcase_add_test(all, every_spelling_is_found);
    tcase_add_test(all, help);
    tcase_add_test(all, long_headers);
    suite_add_tcase(suite, all);
    return unit_run(suite);
}
