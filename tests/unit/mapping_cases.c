#include "config.h"

#include "tests/unit/mapping_cases.h"

#include "tests/unit/harness.h"
#include "sync/base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void cases_list(struct cases *cases, const char *folder, const char *ending)
{
    memset(cases, 0, sizeof *cases);
    cases->folder = path_join(unit_srcdir(), folder);
    DIR *dir = cases->folder != NULL ? opendir(cases->folder) : NULL;
    if (dir == NULL) {
        fprintf(stderr, "%s/%s cannot be read\n", unit_srcdir(), folder);
        exit(99);
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        size_t n = strlen(entry->d_name), end = strlen(ending);
        if (n > end && strcmp(entry->d_name + n - end, ending) == 0 && cases->n < CASES_MAX)
            cases->names[cases->n++] = strdup(entry->d_name);
    }
    closedir(dir);
    qsort(cases->names, cases->n, sizeof cases->names[0], compare_names);
}

void cases_free(struct cases *cases)
{
    for (size_t i = 0; i < cases->n; i++)
        free(cases->names[i]);
    free(cases->folder);
}

void case_open(const struct cases *cases, size_t i, struct case_file *out)
{
    struct err e = ERR_INIT;
    out->path = path_join(cases->folder, cases->names[i]);
    buf_init(&out->bytes, CASE_BYTES_MAX);
    if (file_read(out->path, &out->bytes, XS_IO, XS_IO, &e) != 0)
        ck_abort_msg("%s", err_text(&e));
}

void case_close(struct case_file *c)
{
    free(c->path);
    buf_free(&c->bytes);
}

bool case_section(const struct case_file *c, const char *name, struct str *out)
{
    const char *p = c->bytes.p, *end = c->bytes.p + c->bytes.n;
    size_t name_n = strlen(name);
    bool inside = false;
    *out = STR_NONE;
    while (p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p)), *next = newline != NULL ? newline + 1 : end;
        if (end - p > 3 && memcmp(p, "== ", 3) == 0) {
            if (inside)
                return true;
            size_t n = (size_t)((newline != NULL ? newline : end) - p) - 3;
            inside = n == name_n && memcmp(p + 3, name, n) == 0;
            if (inside)
                *out = (struct str){next, 0};
        } else if (inside) {
            out->n = (size_t)(next - out->p);
        }
        p = next;
    }
    return inside;
}

static struct str without_end(struct str s)
{
    while (s.n > 0 && s.p[s.n - 1] == '\n')
        s.n--;
    return s;
}

bool case_expect(struct case_file *c, const char *section, struct str actual)
{
    struct str expected;
    bool there = case_section(c, section, &expected);
    if (there && str_eq(without_end(expected), without_end(actual)))
        return true;
    if (getenv("CASES_UPDATE") != NULL) {
        FILE *f = fopen(c->path, "w");
        ck_assert_ptr_nonnull(f);
        size_t before = there ? (size_t)(expected.p - c->bytes.p) : c->bytes.n;
        fwrite(c->bytes.p, 1, before, f);
        if (!there)
            fprintf(f, "%s== %s\n", c->bytes.p[c->bytes.n - 1] == '\n' ? "" : "\n", section);
        fprintf(f, "%.*s\n", STR_ARG(without_end(actual)));
        if (there)
            fwrite(expected.p + expected.n, 1, c->bytes.n - before - expected.n, f);
        fclose(f);
        return true;
    }
    fprintf(stderr, "--- %s: expected\n%.*s\n--- got\n%.*s\n---\n", c->path, STR_ARG(expected), STR_ARG(actual));
    return false;
}

void case_write(const char *name, struct str text)
{
    FILE *f = fopen(name, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text.p, 1, text.n, f), text.n);
    ck_assert_int_eq(fclose(f), 0);
}
