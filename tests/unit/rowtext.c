#include "config.h"

#include "tests/unit/rowtext.h"

#include "tests/unit/harness.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The row's defect, or what is wrong with the first of its cells that is unusable. */
static enum reason problem_of(const struct row *row)
{
    enum reason problem = row->defect;

    for (size_t i = 0; problem == REASON_NONE && i < row->n; i++)
        problem = row_flaw(row, i);
    return problem;
}

static void show_row(const struct row *row, struct buf *out)
{
    buf_addf(out, "%" PRIu64, row->number);
    if (row->line != 0)
        buf_addf(out, ":%" PRIu64, row->line);
    buf_addf(out, " %s%s", reason_text(problem_of(row)), problem_of(row) != REASON_NONE ? " " : "");
    for (size_t i = 0; i < row->n; i++) {
        if (row->cells[i].null)
            buf_adds(out, "(null)");
        else
            buf_addf(out, "[%.*s]", (int)row->cells[i].n, row->cells[i].p);
    }
    ck_assert_int_eq(buf_addc(out, '\n'), 0);
}

void rowtext_read(const struct source_spec *spec, const struct source_read *read, struct clock *clock, struct buf *out)
{
    struct source *s = NULL;
    struct err e = ERR_INIT;
    struct row row;
    int got = source_open(spec, read, clock, &s, &e);

    if (got == 0) {
        for (size_t i = 0; i < s->columns_n; i++)
            buf_addf(out, "%s%.*s%s%s", i > 0 ? "," : "", STR_ARG(s->columns[i].name), s->columns[i].type != NULL ? " " : "",
                     s->columns[i].type != NULL ? s->columns[i].type : "");
        buf_adds(out, "\n");
        while ((got = source_next(s, &row, &e)) > 0)
            show_row(&row, out);
    }
    if (got == 0) {
        ck_assert_int_eq(source_next(s, &row, &e), 0);
        if (s->mark.null_rows > 0)
            buf_addf(out, "null watermarks %" PRIu64 "\n", s->mark.null_rows);
        if (s->ops->watermark != NULL && s->ops->watermark(s) != NULL)
            buf_addf(out, "watermark %s\n", s->ops->watermark(s));
    } else {
        buf_addf(out, "error %d %s\n", (int)e.status, err_text(&e));
    }
    source_close(s);
    err_clear(&e);
}

static bool is_same(const char *text, const char *want)
{
    const char *error = strstr(want, "error ");
    size_t head = error != NULL ? strcspn(error + 6, " ") + 7 : 0; /* "error 65 " */
    return error == NULL ? strcmp(text, want) == 0
                         /* an error: the status, and its text as a part of the message */
                         : strncmp(text, want, (size_t)(error - want) + head) == 0 && strstr(text, error + head) != NULL;
}

static void reads_otherwise(const char *text, const char *want)
{
    fprintf(stderr, "expected\n%s\ngot\n%s\n", want, text);
    ck_abort_msg("the source reads otherwise");
}

void rowtext_check(const struct source_spec *spec, const struct source_read *read, struct clock *clock, const char *want)
{
    struct buf got = BUF_INIT(1 << 24);

    rowtext_read(spec, read, clock, &got);
    if (!is_same(buf_cstr(&got), want))
        reads_otherwise(buf_cstr(&got), want);
    buf_free(&got);
}

void rowtext_check_late(const struct source_spec *spec, struct clock *clock, const char *want)
{
    enum { FIRST_US = 300000, LAST_US = 64 * FIRST_US, LATE_MAX_US = 30000000 };
    bool same = false;

    for (int64_t budget_us = FIRST_US; !same; budget_us *= 4) {
        struct buf got = BUF_INIT(1 << 24);
        struct source_read read = {.deadline_us = clock->mono_us(clock) + budget_us};
        rowtext_read(spec, &read, clock, &got);
        ck_assert_int_lt(clock->mono_us(clock) - read.deadline_us, LATE_MAX_US);
        same = is_same(buf_cstr(&got), want);
        if (!same && budget_us == LAST_US)
            reads_otherwise(buf_cstr(&got), want);
        buf_free(&got);
    }
}

void rowtext_mark_type(const struct source_spec *spec, struct clock *clock, char *out, size_t out_n)
{
    struct source *s = NULL;
    struct err e = ERR_INIT;

    out[0] = '\0';
    if (source_open(spec, NULL, clock, &s, &e) == 0 && s->mark.type != NULL)
        snprintf(out, out_n, "%s", s->mark.type);
    err_clear(&e);
    source_close(s);
}
