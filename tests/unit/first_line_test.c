/* What the first line of a file is, told by itself and the rows below. */
#include "config.h"

#include "mappings/names/first_line.h"
#include "tests/unit/harness.h"

#include <stdio.h>
#include <string.h>

enum { CELLS_MAX = 700, TEXT_MAX = 20000 };

/* Files of one string: lines end with \n, cells with a semicolon. */
static const struct {
    const char *text;
    struct first_line_verdict want;
} cases[] = {
    {"E-Mail;Vorname\na@example.com;Ann", {FIRST_LINE_HEADER, false, 0, 0}},
    {"E-Mail", {FIRST_LINE_HEADER, false, 0, 0}},
    /* Names nobody knows are names as long as nothing speaks against them. */
    {"Foo;Bar\nx;a@example.com", {FIRST_LINE_HEADER, false, 0, 0}},
    /* An address. */
    {"Ann;a@example.com\nBob;b@example.com", {FIRST_LINE_DATA, false, 1, 0}},
    {";;a@example.com", {FIRST_LINE_DATA, false, 2, 0}},
    {"Ann;Ann;Ann <a@example.com>", {FIRST_LINE_DATA, false, 2, 0}},
    /* Gaps, or a cell twice. Over the addresses stands nothing: data. Something: a header with gaps. */
    {"Ann;;Lee\nBob;b@example.com;Ray", {FIRST_LINE_DATA, true, 1, 0}},
    {"Ann;Ann;\nBob;;b@example.com\nCleo;x@example.com;c@example.com", {FIRST_LINE_DATA, true, 2, 0}},
    {"Kontakt;;Ort\nb@example.com;x;Ray", {FIRST_LINE_HEADER, false, 0, 0}},
    {"Phone;;Ort\n1;b@example.com;Ray", {FIRST_LINE_HEADER, false, 0, 0}},
    {"Foo;;Bar\n1;;2", {FIRST_LINE_HEADER, false, 0, 0}},
    {"Foo;;Bar", {FIRST_LINE_HEADER, false, 0, 0}},
    /* A title above the header. */
    {"Report Q4;;\n;;\nVorname;Nachname;E-Mail\nAnn;Lee;a@example.com", {FIRST_LINE_TITLE, false, 0, 3}},
    {"Report, by a@example.com;;\nVorname;Nachname;E-Mail", {FIRST_LINE_TITLE, false, 0, 2}},
    {"Report;Q4\nFirst Name;Last Name;Work\nAnn;Lee;a@example.com", {FIRST_LINE_TITLE, false, 0, 2}},
    /* Data in which names come later, as where two files were put together. */
    {"Ann;a@example.com\nVorname;E-Mail\nBob;b@example.com", {FIRST_LINE_DATA, false, 1, 0}},
    {"Ann;\nBob;b@example.com\nVorname;E-Mail", {FIRST_LINE_DATA, true, 1, 0}},
    /* One known name is a word like any other. */
    {"Foo;Bar\nFirma;x\ny;a@example.com", {FIRST_LINE_HEADER, false, 0, 0}},
    {"", {FIRST_LINE_HEADER, false, 0, 0}},
};

/* The line at *p, with its end taken off; in place. */
static size_t take_line(char **p, struct str *cells)
{
    char *line = strsep(p, "\n");
    size_t n = 0;
    for (char *cell; (cell = strsep(&line, ";")) != NULL; n++) {
        ck_assert_uint_lt(n, CELLS_MAX);
        cells[n] = str_from(cell);
    }
    return n;
}

static struct first_line_verdict judge(const char *file)
{
    static char text[TEXT_MAX];
    static struct str cells[CELLS_MAX];
    static struct cell row_cells[CELLS_MAX];
    char *p = text;
    snprintf(text, sizeof text, "%s", file);
    struct first_line *look = first_line_new(cells, take_line(&p, cells));
    ck_assert_ptr_nonnull(look);
    for (uint64_t line = 2; p != NULL; line++) {
        size_t n = take_line(&p, cells);
        for (size_t i = 0; i < n; i++)
            row_cells[i] = (struct cell){cells[i].p, cells[i].n, false};
        const struct row row = {.number = line - 1, .line = line, .cells = row_cells, .n = n};
        ck_assert_int_eq(first_line_see(look, &row), 0);
    }
    struct first_line_verdict got = first_line_judge(look);
    first_line_free(look);
    return got;
}

START_TEST(first_lines)
{
    struct first_line_verdict got = judge(cases[_i].text), want = cases[_i].want;
    ck_assert_msg(got.kind == want.kind && got.unsure == want.unsure && got.email == want.email &&
                      got.header_line == want.header_line,
                  "%s\nis %d, unsure %d, addresses in %zu, header on %d", cases[_i].text, (int)got.kind, got.unsure,
                  got.email, (int)got.header_line);
}
END_TEST

/* Bytes that are no text, and more cells than are looked at. */
START_TEST(odd_lines)
{
    char wide[TEXT_MAX] = "a";
    ck_assert_int_eq(judge("\xff\xfe;\xc3\n\xff@example.com;\xc3").kind, FIRST_LINE_HEADER);
    for (int i = 0; i < 600; i++)
        snprintf(wide + strlen(wide), sizeof wide - strlen(wide), ";c%d", i);
    ck_assert_int_eq(judge(wide).kind, FIRST_LINE_HEADER);
    strncat(wide, ";w@example.com", sizeof wide - strlen(wide) - 1);
    ck_assert_uint_eq(judge(wide).email, 601);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("first_line");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, first_lines, 0, sizeof cases / sizeof cases[0]);
    tcase_add_test(t, odd_lines);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return unit_run(suite());
}
