#include "config.h"

#include "mappings/convert/transform.h"

#include "mappings/convert/transform_steps.h"
#include "sync/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct transform_row transform_table[TRANSFORM_N] = {
#define TRANSFORM(id, name, args_n, args, help) {name, args_n, args, help},
#include "mappings/convert/transform.def"
#undef TRANSFORM
};

/* The functions that run and compile each step. The public table, which is for people, is in transform.def. */
static const struct {
    transform_fn *run;
    transform_compile_fn *compile; /* NULL: nothing to compile */
} steps_of[TRANSFORM_N] = {
    [TRANSFORM_TRIM] = {transform_trim, NULL},
    [TRANSFORM_SQUEEZE] = {transform_squeeze, NULL},
    [TRANSFORM_CLEAN] = {transform_clean, NULL},
    [TRANSFORM_LOWER] = {transform_lower, NULL},
    [TRANSFORM_UPPER] = {transform_upper, NULL},
    [TRANSFORM_TITLE] = {transform_title, NULL},
    [TRANSFORM_NFC] = {transform_nfc, NULL},
    [TRANSFORM_DIGITS] = {transform_digits, NULL},
    [TRANSFORM_EMAIL] = {transform_email, NULL},
    [TRANSFORM_DOMAIN] = {transform_domain, NULL},
    [TRANSFORM_URL] = {transform_url, NULL},
    [TRANSFORM_STRIP_HTML] = {transform_strip_html, NULL},
    [TRANSFORM_REPLACE] = {transform_replace, transform_replace_compile},
    [TRANSFORM_TRUNCATE] = {transform_truncate, transform_truncate_compile},
    [TRANSFORM_DATE] = {transform_date, transform_date_compile},
};

int transform_flaw(struct flaw *flaw, size_t arg, size_t offset, const char *text)
{
    *flaw = (struct flaw){text, arg, offset};
    return -1;
}

/* A flaw with a formatted text; "out of memory" if the text does not fit. */
__attribute__((format(printf, 3, 4))) static int flaw_made(struct flaw *flaw, struct arena *arena, const char *fmt, ...)
{
    enum { TEXT_N = 400 };
    char *text = arena_alloc(arena, TEXT_N);
    va_list ap;

    if (text == NULL)
        return transform_flaw(flaw, FLAW_WHOLE, 0, "out of memory");
    va_start(ap, fmt);
    vsnprintf(text, TEXT_N, fmt, ap);
    va_end(ap);
    return transform_flaw(flaw, FLAW_WHOLE, 0, text);
}

enum { STEP_LIST_MAX = 1024 };

static int unknown_step(struct str name, struct arena *arena, struct flaw *flaw)
{
    const char *names[TRANSFORM_N];
    for (size_t i = 0; i < TRANSFORM_N; i++)
        names[i] = transform_table[i].name;
    const char *near = str_nearest(name, names, TRANSFORM_N);
    struct str shown = {name.p, name.n < 64 ? name.n : 64};

    if (near != NULL)
        return flaw_made(flaw, arena, "apply has no step '%.*s'; did you mean '%s'?", STR_ARG(shown), near);
    struct buf list = BUF_INIT(STEP_LIST_MAX);
    int bad = 0;
    for (size_t i = 0; i < TRANSFORM_N; i++)
        bad |= buf_addf(&list, "%s%s", i == 0 ? "" : i + 1 < TRANSFORM_N ? ", " : " and ", names[i]);
    int rc = flaw_made(flaw, arena, "apply has no step '%.*s'; there are %.*s", STR_ARG(shown), STR_ARG(buf_str(&list)));
    buf_free(&list);
    return bad == 0 ? rc : flaw_made(flaw, arena, "out of memory");
}

int transform_compile(struct str name, const struct str *args, size_t args_n, struct arena *arena,
                      struct transform_step *out, struct flaw *flaw)
{
    size_t op = 0;

    *out = (struct transform_step){0};
    while (op < TRANSFORM_N && !str_is(name, transform_table[op].name))
        op++;
    if (op == TRANSFORM_N)
        return unknown_step(name, arena, flaw);
    if (args_n != transform_table[op].args_n) {
        if (transform_table[op].args_n == 0)
            return flaw_made(flaw, arena, "%s takes nothing after it; write it as a plain word", transform_table[op].name);
        return flaw_made(flaw, arena, "%s takes %s; write it as in %s", transform_table[op].name, transform_table[op].args,
                         op == TRANSFORM_TRUNCATE ? "truncate: 80"
                         : op == TRANSFORM_DATE   ? "date: ['%d.%m.%Y', '%Y-%m-%d']"
                                                  : "replace: ['[.]+$', '']");
    }
    out->op = (enum transform_op)op;
    return steps_of[op].compile != NULL ? steps_of[op].compile(args, arena, out, flaw) : 0;
}

void transform_free(struct transform_step *steps, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (steps[i].op == TRANSFORM_REPLACE)
            transform_replace_free(&steps[i]);
}

int transform_run(const struct transform_step *steps, size_t n, struct str in, struct arena *scratch, struct str *out,
                  const char **why)
{
    *out = in;
    *why = NULL;
    for (size_t i = 0; i < n && out->n > 0; i++) {
        struct str from = *out;
        if (steps_of[steps[i].op].run(&steps[i], from, scratch, out, why) != 0)
            return -1;
        if (*why != NULL)
            return 0;
    }
    return 0;
}

int transform_keep(uint8_t *result, size_t n, struct str in, struct arena *scratch, struct str *out)
{
    int rc = result != NULL ? 0 : -1;

    *out = in;
    if (rc == 0 && (n != in.n || memcmp(result, in.p, n) != 0))
        rc = arena_str(scratch, (struct str){(const char *)result, n}, out);
    free(result);
    return rc;
}
