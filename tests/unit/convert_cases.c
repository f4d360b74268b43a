#include "tests/unit/convert_cases.h"

#include "tests/unit/harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

static char said[2000];

const char *case_said(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(said, sizeof said, fmt, ap);
    va_end(ap);
    return said;
}

/* One escape behind its backslash; returns what follows. */
static const char *unescape_one(const char *at, char **to)
{
    static const char from[] = "stnr\\", into[] = " \t\n\r\\";
    char *end;

    if (*at == 'e')
        return at + 1;
    if (*at == 'x') {
        char hex[3] = {at[1], at[1] != 0 ? at[2] : '\0', 0};
        *(*to)++ = (char)strtoul(hex, NULL, 16);
        return at + 3;
    }
    if (*at == 'u') {
        unsigned long c = strtoul(at + 2, &end, 16);
        *to += u8_uctomb((uint8_t *)*to, (ucs4_t)c, 6);
        return end + 1;
    }
    const char *known = strchr(from, *at);
    ck_assert_msg(*at != 0 && known != NULL, "unknown escape \\%c", *at);
    *(*to)++ = into[known - from];
    return at + 1;
}

/* In place: no escape is longer than what it stands for. */
static struct str unescape(char *field)
{
    char *to = field;
    for (const char *at = field; *at != 0;)
        if (*at == '\\')
            at = unescape_one(at + 1, &to);
        else
            *to++ = *at++;
    return (struct str){field, (size_t)(to - field)};
}

static void split(char *line, struct test_case *c)
{
    c->n = 0;
    for (char *next = line; next != NULL; c->n++) {
        char *field = next;
        next = strstr(field, " => ");
        if (next != NULL) {
            *next = 0;
            next += 4;
        }
        ck_assert_uint_lt(c->n, CASE_FIELDS_MAX);
        c->fields[c->n] = unescape(field);
    }
}

void cases_run(const char *name, size_t least, case_check *check)
{
    struct test_case c = {0};
    size_t seen = 0, failed = 0, cap = 0;
    char path[4096], *line = NULL;

    snprintf(path, sizeof path, "%s/tests/cases/%s", unit_srcdir(), name);
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s cannot be opened", path);
    for (ssize_t n; (n = getline(&line, &cap, f)) > 0;) {
        c.line++;
        if (line[n - 1] == '\n')
            line[n - 1] = 0;
        if (line[0] == 0 || line[0] == '#')
            continue;
        split(line, &c);
        ck_assert_msg(c.n >= 2, "%s:%zu: no \" => \"", name, c.line);
        seen++;
        const char *why = check(&c);
        if (why != NULL) {
            fprintf(stderr, "# %s:%zu: %s\n", name, c.line, why);
            failed++;
        }
    }
    free(line);
    fclose(f);
    ck_assert_msg(failed == 0, "%s: %zu of %zu cases failed (see above)", name, failed, seen);
    ck_assert_msg(seen >= least, "%s: only %zu cases were read", name, seen);
}
