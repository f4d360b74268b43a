/* Mapping files as a user meets them: broken ones with everything that is said about them, good ones with rows and the
 * leads they become. The cases are text files in tests/cases/mapping. */
#include "config.h"

#include "mappings/mapping.h"
#include "sync/base/jsonw.h"
#include "sync/model/reason.h"
#include "tests/unit/harness.h"
#include "tests/unit/mapping_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS_MAX = 64, OPTIONS_MAX = 16 };

static struct cases broken, rows, examples;

static void enter_tmpdir(void)
{
    char *dir = unit_tmpdir();
    ck_assert_int_eq(chdir(dir), 0);
    free(dir);
}

START_TEST(broken_file)
{
    struct case_file c;
    struct str text;
    struct mapping *m = NULL;
    struct err e = ERR_INIT;
    case_open(&broken, (size_t)_i, &c);
    enter_tmpdir();
    ck_assert_msg(case_section(&c, "mapping", &text), "%s has no mapping", c.path);
    case_write("case.yaml", text);
    ck_assert_msg(mapping_load("case.yaml", &m, &e) == -1, "%s: is taken", c.path);
    ck_assert_int_eq(e.status, XS_CONFIG);
    ck_assert_msg(case_expect(&c, "says", str_from(err_text(&e))), "%s: says something else", c.path);
    err_clear(&e);
    case_close(&c);
}
END_TEST

/* ---- rows ---- */

/* One line of cells: commas between; \, \\ \n \t \xHH; \N is NULL. Writes the bytes over the line. */
static size_t split_cells(char *line, struct cell *cells)
{
    size_t n = 0;
    char *to = line;
    for (const char *p = line;; p++) {
        struct cell *cell = &cells[n++];
        ck_assert_uint_le(n, COLUMNS_MAX);
        *cell = (struct cell){.p = to};
        for (; *p != '\0' && *p != ','; p++) {
            if (*p != '\\') {
                *to++ = *p;
                continue;
            }
            switch (*++p) {
            case 'N': cell->null = true; break;
            case 'n': *to++ = '\n'; break;
            case 't': *to++ = '\t'; break;
            case 'x':
                *to++ = (char)strtol((char[]){p[1], p[2], '\0'}, NULL, 16);
                p += 2;
                break;
            default: *to++ = *p; break;
            }
        }
        cell->n = (size_t)(to - cell->p);
        if (*p == '\0')
            return n;
        to++;
    }
}

static char *next_line(char **text)
{
    char *line = *text;
    if (line == NULL || *line == '\0')
        return NULL;
    char *newline = strchr(line, '\n');
    *text = newline != NULL ? newline + 1 : NULL;
    if (newline != NULL)
        *newline = '\0';
    return line;
}

static void put_value(struct jsonw *w, const char *name, const struct value *value)
{
    if (value->kind == VALUE_ABSENT)
        return;
    jsonw_key(w, name);
    struct str s = {value->p, value->n};
    if (value->kind == VALUE_NULL)
        jsonw_null(w);
    else if (value->kind == VALUE_STRING)
        jsonw_str(w, s);
    else
        jsonw_raw(w, s);
}

static void put_lead(struct jsonw *w, const struct lead *lead)
{
    jsonw_object(w);
    for (size_t i = 0; i < LEAD_FIELD_N; i++)
        put_value(w, lead_field_table[i].api, &lead->core[i]);
    for (size_t i = 0; i < lead->shape->custom_n; i++) {
        char name[128];
        snprintf(name, sizeof name, "custom.%.*s", STR_ARG(lead->shape->custom_names[i]));
        put_value(w, name, &lead->custom[i]);
    }
    jsonw_object_end(w);
}

static void put_text(struct jsonw *w, const struct reject *reject)
{
    struct buf text = BUF_INIT(4096);
    ck_assert_int_eq(mapping_reject_text(reject, &text), 0);
    jsonw_str(w, buf_str(&text));
    buf_free(&text);
}

static void put_mapped(struct buf *out, const struct mapping *m, const struct mapped *mapped)
{
    static const char *const verdicts[] = {"lead", "skip", "reject"}, *const policies[] = {"keep", "delete", "move"};
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_key(&w, verdicts[mapped->verdict]);
    if (mapped->verdict == MAPPED_LEAD)
        put_lead(&w, &mapped->lead);
    else
        jsonw_text(&w, reason_text(mapped->reason));
    jsonw_member_str(&w, "key", mapped->key_text);
    if (!str_eq(mapped->key_text, mapped->email_key))
        jsonw_member_str(&w, "email_key", mapped->email_key);
    if (m->routes_n > 0)
        jsonw_member_uint(&w, "target", mapped->target_index);
    if (mapped->skip_value > 0) {
        const struct skip_value v = mapping_skip_value(m, mapped->skip_value);
        char rule[256];
        snprintf(rule, sizeof rule, "%zu %s=%.*s %s", v.rule, v.column, STR_ARG(v.value),
                 policies[mapping_skip_then(m, v.rule - 1)->policy]);
        ck_assert_uint_le(mapped->skip_value, mapping_skip_values_n(m));
        jsonw_member_text(&w, "rule", rule);
    }
    if (mapped->rejects_n > 0) {
        jsonw_member_array(&w, "rejects");
        for (size_t i = 0; i < mapped->rejects_n; i++) {
            jsonw_array(&w);
            jsonw_text(&w, mapped->rejects[i].column);
            jsonw_text(&w, reason_text(mapped->rejects[i].reason));
            jsonw_str(&w, mapped->rejects[i].value);
            put_text(&w, &mapped->rejects[i]);
            jsonw_array_end(&w);
        }
        jsonw_array_end(&w);
    }
    if (mapped->emptied_n > 0) {
        jsonw_member_array(&w, "emptied");
        for (size_t i = 0; i < mapped->emptied_n; i++)
            put_text(&w, &mapped->emptied[i]);
        jsonw_array_end(&w);
    }
    if (mapped->verdict == MAPPED_SKIP && mapped->skip_value == 0) {
        jsonw_key(&w, "why");
        put_text(&w, &mapped->skip);
    }
    jsonw_object_end(&w);
    ck_assert_int_eq(jsonw_end(&w), 0);
    ck_assert_int_eq(buf_addc(out, '\n'), 0);
}

static void put_names(struct buf *out, const char *what, const struct str *names, size_t n)
{
    ck_assert_int_eq(buf_addf(out, "%s:", what), 0);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(buf_addf(out, "%s %.*s", i > 0 ? "," : "", STR_ARG(names[i])), 0);
    ck_assert_int_eq(buf_addc(out, '\n'), 0);
}

/* Loads what a case is about: its mapping, or a straight CSV with one NAME=VALUE a line. */
static int load_case(const struct case_file *c, struct mapping **m, struct err *e)
{
    struct mapping_option options[OPTIONS_MAX];
    size_t n = 0;
    struct str text;
    bool all = false, mapped = case_section(c, "mapping", &text);
    if (mapped)
        case_write("case.yaml", text);
    case_section(c, "options", &text);
    char *copy = str_dup(text), *at = copy;
    for (char *line; (line = next_line(&at)) != NULL;) {
        char *equals = strchr(line, '=');
        if (equals == NULL) {
            all = all || strcmp(line, "all-columns") == 0;
            continue;
        }
        *equals = '\0';
        ck_assert_uint_lt(n, OPTIONS_MAX);
        options[n++] = (struct mapping_option){line, equals + 1};
    }
    char target[] = "Demo";
    struct target_spec to = {TARGET_CAMPAIGN, target};
    int rc = mapped ? mapping_load("case.yaml", m, e) : mapping_for_csv("data/people.csv", &to, all, options, n, m, e);
    for (size_t i = 0; mapped && rc == 0 && i < n; i++)
        rc = mapping_override(*m, &options[i], e);
    free(copy);
    return rc;
}

static void tell(void *ctx, struct str key_text)
{
    *(struct str *)ctx = key_text;
}

static void apply_rows(struct mapping *m, char *at, struct buf *out)
{
    struct err e = ERR_INIT;
    struct arena scratch;
    arena_init(&scratch, 1 << 20);
    uint64_t number = 1;
    for (char *line; (line = next_line(&at)) != NULL; number++) {
        struct cell cells[COLUMNS_MAX];
        struct row row = {.number = number, .line = number + 1, .cells = cells};
        struct mapped mapped;
        struct str told = STR_NONE;
        char *space = line[0] == '!' ? strchr(line, ' ') : NULL;
        uint8_t flaws[COLUMNS_MAX] = {0};
        if (space !=
            NULL) { /* "!ragged_row a,b", of one with 1 cell that rejects has filled up "!ragged_row=1 a,", and of the cell in
                              * column 1 "!not_utf8@1 a,b": the source said so */
            const char *column = memchr(line, '@', (size_t)(space - line));
            row.found = line[strcspn(line, "= ")] == '=' ? strtoul(line + strcspn(line, "=") + 1, NULL, 10) : 0;
            int reason = reason_find((struct str){line + 1, strcspn(line, "=@ ") - 1});
            ck_assert_int_ge(reason, 0);
            if (column != NULL) {
                flaws[strtoul(column + 1, NULL, 10)] = (uint8_t)reason;
                row.flaws = flaws;
            } else {
                row.defect = (enum reason)reason;
            }
            line = space + 1;
        }
        row.n = split_cells(line, cells);
        arena_reset(&scratch);
        m->key_known = tell;
        m->key_known_ctx = &told;
        ck_assert_msg(mapping_apply(m, &row, &scratch, &mapped, &e) == 0, "%s", err_text(&e));
        ck_assert(str_eq(told, mapped.key_text));
        if (mapped.warning != NULL)
            ck_assert_int_eq(buf_addf(out, "warning: %s\n", mapped.warning), 0);
        put_mapped(out, m, &mapped);
    }
    arena_free(&scratch);
}

START_TEST(mapped_rows)
{
    struct case_file c;
    struct str text;
    struct mapping *m = NULL;
    struct err e = ERR_INIT;
    struct buf out = BUF_INIT(1 << 20);
    case_open(&rows, (size_t)_i, &c);
    enter_tmpdir();
    ck_assert(case_section(&c, "rows", &text));
    char *copy = str_dup(text), *at = copy;
    struct cell header[COLUMNS_MAX];
    struct str columns[COLUMNS_MAX];
    size_t n = split_cells(next_line(&at), header);
    for (size_t i = 0; i < n; i++)
        columns[i] = (struct str){header[i].p, header[i].n};
    if (load_case(&c, &m, &e) != 0 || mapping_bind(m, columns, n, &e) != 0) {
        ck_assert_int_eq(buf_addf(&out, "exit %d\n%s\n", (int)e.status, err_text(&e)), 0);
    } else {
        const struct str *names;
        size_t names_n = mapping_unused(m, &names);
        put_names(&out, "unused", names, names_n);
        names_n = mapping_filled(m, &names);
        put_names(&out, "filled", names, names_n);
        const struct mapping_note *notes;
        size_t notes_n = mapping_notes(m, &notes);
        for (size_t i = 0; i < notes_n; i++)
            ck_assert_int_eq(buf_addf(&out, "%s: %s\n", notes[i].warning ? "warning" : "notice", notes[i].text), 0);
        apply_rows(m, at, &out);
    }
    ck_assert_msg(case_expect(&c, "becomes", buf_str(&out)), "%s: becomes something else", c.path);
    mapping_free(m);
    err_clear(&e);
    buf_free(&out);
    free(copy);
    case_close(&c);
}
END_TEST

START_TEST(example_loads)
{
    struct mapping *m = NULL;
    struct err e = ERR_INIT;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", examples.folder, examples.names[_i]);
    ck_assert_msg(mapping_load(path, &m, &e) == 0, "%s", err_text(&e));
    mapping_free(m);
}
END_TEST

int main(void)
{
    cases_list(&broken, "tests/cases/mapping/broken", ".case");
    cases_list(&rows, "tests/cases/mapping/rows", ".case");
    cases_list(&examples, "mappings/examples", ".yaml");
    Suite *suite = suite_create("mapping");
    TCase *tc = tcase_create("cases");
    tcase_add_loop_test(tc, broken_file, 0, (int)broken.n);
    tcase_add_loop_test(tc, mapped_rows, 0, (int)rows.n);
    tcase_add_loop_test(tc, example_loads, 0, (int)examples.n);
    suite_add_tcase(suite, tc);
    int rc = unit_run(suite);
    cases_free(&broken);
    cases_free(&rows);
    cases_free(&examples);
    return rc;
}
