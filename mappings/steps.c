/* The steps of one field, one after the other, for people who ask how a value came about. column_run() decides; this only shows,
 * so it runs the same functions in the same order. */
#include "config.h"

#include "mappings/cells.h"
#include "mappings/file/compiled.h"

enum { STEP_NAME_BYTES = 64 };

static const struct column *find_column(const struct mapping *m, size_t slot)
{
    for (size_t i = 0; i < m->impl->columns_n; i++)
        if (m->impl->columns[i].slot == slot)
            return &m->impl->columns[i];
    return NULL;
}

/* 1: the value goes on to the next step; 0: it was refused; -1. */
static int show_steps(const struct column *column, struct str *text, struct arena *scratch, mapping_step_fn *visit,
                      void *ctx)
{
    for (size_t i = 0; i < column->steps_n; i++) {
        struct buf name = BUF_INIT(STEP_NAME_BYTES);
        struct str before = *text;
        const char *why;
        if (transform_run(&column->steps[i], 1, before, scratch, text, &why) != 0)
            return -1;
        if (why != NULL)
            return 0;
        int rc = 0;
        if (!str_eq(before, *text))
            rc = buf_addf(&name, "apply: %s", transform_table[column->steps[i].op].name) != 0 || buf_cstr(&name) == NULL
                     ? -1
                     : visit(ctx, name.p, *text);
        buf_free(&name);
        if (rc != 0)
            return -1;
    }
    return 1;
}

/* Of a value without an entry, what `otherwise:` says. 1/0/-1 as above */
static int show_map(const struct column *column, struct str *text, mapping_step_fn *visit, void *ctx)
{
    struct reject flaw;
    struct str before = *text;
    if (column->map_n == 0 || is_blank(*text))
        return 1;
    if (column_map(column, text, &flaw) != COLUMN_VALUE)
        return 0;
    return str_eq(before, *text) || visit(ctx, "map", *text) == 0 ? 1 : -1;
}

int mapping_steps(const struct mapping *m, size_t slot, const struct row *row, struct arena *scratch, mapping_step_fn *visit,
                  void *ctx)
{
    const struct column *column = find_column(m, slot);
    struct str text;
    if (column == NULL)
        return 0;
    int rc = column->origin == ORIGIN_VALUE ? 0 : mapping_origin(m, slot, row, scratch, &text);
    if (column->origin == ORIGIN_VALUE)
        text = column->value;
    else if (rc <= 0)
        return rc;
    if (!is_utf8(text))
        return 0;
    rc = show_steps(column, &text, scratch, visit, ctx);
    if (rc == 1)
        rc = show_map(column, &text, visit, ctx);
    if (rc == 1 && is_blank(text) && column->fallback.kind != VALUE_ABSENT)
        rc = visit(ctx, "default", (struct str){column->fallback.p, column->fallback.n});
    return rc < 0 ? -1 : 0;
}
