/* What `init` proposes for a source: the file it writes, that it loads, that the lines in comments do too, and that no
 * cell of the source gets into it. The cases are text files in tests/cases/mapping/init. */
#include "config.h"

#include "mappings/init/init.h"
#include "mappings/mapping.h"
#include "tests/unit/harness.h"
#include "tests/unit/mapping_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CELLS_MAX = 64 };

static struct cases proposals;

/* "a,b\xff,\N" as in the cases of rows; bytes are written over the line. */
static size_t split(char *line, struct cell *cells)
{
    size_t n = 0;
    char *to = line;
    for (const char *p = line;; p++) {
        struct cell *cell = &cells[n++];
        ck_assert_uint_le(n, CELLS_MAX);
        *cell = (struct cell){.p = to};
        for (; *p != '\0' && *p != ','; p++) {
            if (p[0] == '\\' && p[1] == 'x') {
                *to++ = (char)strtol((char[]){p[2], p[3], '\0'}, NULL, 16);
                p += 3;
            } else if (p[0] == '\\') {
                p++;
                cell->null = *p == 'N';
                if (*p != 'N')
                    *to++ = *p == 'n' ? '\n' : *p == 't' ? '\t' : *p;
            } else {
                *to++ = *p;
            }
        }
        cell->n = (size_t)(to - cell->p);
        if (*p == '\0')
            return n;
        to++;
    }
}

static void load(const char *path, struct mapping **m)
{
    struct err e = ERR_INIT;
    ck_assert_msg(mapping_load(path, m, &e) == 0, "%s", err_text(&e));
}

/* Takes the '# ' from the custom variables, as a reader is told to do. */
static void uncomment(struct str text, struct buf *out)
{
    bool inside = false;
    for (size_t at = 0; at < text.n;) {
        const char *line = text.p + at, *newline = memchr(line, '\n', text.n - at);
        size_t n = newline != NULL ? (size_t)(newline - line) + 1 : text.n - at;
        inside = inside || (n > 20 && memcmp(line, "# custom_variables:", 19) == 0);
        bool take = inside && n > 2 && memcmp(line, "# ", 2) == 0;
        inside = inside && take;
        ck_assert_int_eq(buf_add(out, line + (take ? 2 : 0), n - (take ? 2 : 0)), 0);
        at += n;
    }
}

START_TEST(proposal)
{
    struct case_file c;
    struct str text;
    struct err e = ERR_INIT;
    struct cell cells[CELLS_MAX];
    struct str columns[CELLS_MAX];
    struct mapping_init *init = NULL;
    struct mapping *m = NULL;
    struct buf out = BUF_INIT(1 << 20), more = BUF_INIT(1 << 20);
    char *dir = unit_tmpdir(), *save = NULL;
    case_open(&proposals, (size_t)_i, &c);
    ck_assert_int_eq(chdir(dir), 0);
    ck_assert(case_section(&c, "rows", &text));
    char *copy = str_dup(text), *line = strtok_r(copy, "\n", &save);
    size_t n = split(line, cells);
    for (size_t i = 0; i < n; i++)
        columns[i] = (struct str){cells[i].p, cells[i].n};
    ck_assert_msg(mapping_init_new(columns, n, &init, &e) == 0, "%s", err_text(&e));
    struct row row = {.cells = cells};
    while ((line = strtok_r(NULL, "\n", &save)) != NULL) {
        row.n = split(line, cells);
        row.number++;
        ck_assert_int_eq(mapping_init_see(init, &row, &e), 0);
    }
    char semicolon = case_section(&c, "semicolon", &text) ? ';' : ',';
    struct source_spec source = {.kind = SOURCE_CSV,
                                 .as.csv = {.path = "data/My People.csv", .delimiter = semicolon, .header = true}};
    struct mapping_init_file file = {.schema = "mapping.schema.json", .label = "data/My People.csv", .source = &source};
    ck_assert_msg(mapping_init_write(init, &file, &out, &e) == 0, "%s", err_text(&e));
    ck_assert_msg(case_expect(&c, "becomes", buf_str(&out)), "%s: another proposal", c.path);
    case_write("m.yaml", buf_str(&out));
    load("m.yaml", &m);
    mapping_free(m);
    uncomment(buf_str(&out), &more);
    case_write("m.yaml", buf_str(&more));
    load("m.yaml", &m);
    /* Every name of the header is a column again, and cells are none: the cases' cells hold the word "secret". */
    ck_assert_int_eq(mapping_bind(m, columns, n, &e), 0);
    ck_assert_ptr_null(strstr(buf_cstr(&out), "secret"));
    mapping_free(m);
    mapping_init_free(init);
    buf_free(&out);
    buf_free(&more);
    free(copy);
    free(dir);
    case_close(&c);
}
END_TEST

static int write_for(const struct source_spec *source, const char *label, const struct target_spec *target, struct buf *out,
                     struct err *e)
{
    const struct str columns[] = {STR("email")};
    struct mapping_init *init = NULL;
    ck_assert_int_eq(mapping_init_new(columns, 1, &init, e), 0);
    struct mapping_init_file file = {.label = label, .source = source, .target = target};
    int rc = mapping_init_write(init, &file, out, e);
    mapping_init_free(init);
    return rc;
}

/* What is written for a source is read as the same source. */
START_TEST(sources)
{
    static const char *const queries[] = {
        "select 1",
        "select email\n\n  from x\n  where a = 'b: #c'\n",
        " leading blank",
        "tab\there",
        "",
        "umlaut ü",
        "a\r\nb",
        "trailing \n",
        "\"quoted\" \\ back",
    };
    struct err e = ERR_INIT;
    struct buf out = BUF_INIT(1 << 16), tiny = BUF_INIT(100);
    struct mapping *m = NULL;
    char *dir = unit_tmpdir();
    ck_assert_int_eq(chdir(dir), 0);
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct source_spec source = {.kind = SOURCE_POSTGRES, .as.sql = {.url = "service=crm", .query = queries[i]}};
        buf_reset(&out);
        if (queries[i][0] == '\0') { /* no query is no mapping */
            ck_assert_int_eq(write_for(&source, "crm", NULL, &out, &e), -1);
            err_clear(&e);
            continue;
        }
        ck_assert_msg(write_for(&source, "crm", NULL, &out, &e) == 0, "%s", err_text(&e));
        case_write("m.yaml", buf_str(&out));
        load("m.yaml", &m);
        struct str query = str_from(m->source.as.sql.query), wanted = str_from(queries[i]);
        ck_assert(str_eq(str_trim(query), str_trim(wanted)));
        ck_assert_str_eq(m->name, "crm");
        mapping_free(m);
    }
    const char *const argv[] = {"./export.sh", "--all", "two words", "\xC3\xA4\n", NULL};
    char name[] = "Q4: founders";
    struct target_spec target = {TARGET_CAMPAIGN, name};
    struct source_spec command = {.kind = SOURCE_COMMAND, .as.command = {.argv = argv, .ndjson = true}};
    buf_reset(&out);
    ck_assert_msg(write_for(&command, "./3 Exports!.sh", &target, &out, &e) == 0, "%s", err_text(&e));
    case_write("m.yaml", buf_str(&out));
    load("m.yaml", &m);
    ck_assert_str_eq(m->name, "3-exports");
    ck_assert_str_eq(m->source.as.command.argv[3], "\xC3\xA4\n");
    ck_assert(m->source.as.command.ndjson);
    ck_assert_int_eq(m->target.kind, TARGET_CAMPAIGN);
    ck_assert_str_eq(m->target.text, name);
    mapping_free(m);

    struct source_spec latin = {.kind = SOURCE_CSV, .as.csv = {.path = "\xE9.csv"}};
    ck_assert_int_eq(write_for(&latin, "x", NULL, &out, &e), -1);
    ck_assert_int_eq(e.status, XS_USAGE);
    err_clear(&e);
    struct source_spec csv = {.kind = SOURCE_CSV, .as.csv = {.path = "p.csv", .header = true}};
    ck_assert_int_eq(write_for(&csv, "\xE9\n.csv", NULL, &tiny, &e), -1);
    ck_assert_int_eq(e.status, XS_INTERNAL);
    err_clear(&e);
    buf_free(&out);
    buf_free(&tiny);
    free(dir);
}
END_TEST

START_TEST(nothing_to_map)
{
    struct err e = ERR_INIT;
    struct mapping_init *init = NULL;
    const struct str own[] = {STR("leadsync_line"), STR("\xFF"), STR("  ")};
    ck_assert_int_eq(mapping_init_new(own, 3, &init, &e), -1);
    ck_assert_int_eq(e.status, XS_SOURCE);
    err_clear(&e);
    ck_assert_int_eq(mapping_init_new(NULL, 0, &init, &e), -1);
    err_clear(&e);
    ck_assert_ptr_null(init);
    mapping_init_free(NULL);
}
END_TEST

int main(void)
{
    cases_list(&proposals, "tests/cases/mapping/init", ".case");
    Suite *suite = suite_create("mapping_init");
    TCase *tc = tcase_create("init");
    tcase_add_loop_test(tc, proposal, 0, (int)proposals.n);
    tcase_add_test(tc, sources);
    tcase_add_test(tc, nothing_to_map);
    suite_add_tcase(suite, tc);
    int rc = unit_run(suite);
    cases_free(&proposals);
    return rc;
}
