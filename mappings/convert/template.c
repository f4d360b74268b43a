#include "config.h"

#include "mappings/convert/template.h"

#include <errno.h>
#include <string.h>

static int template_flaw(struct flaw *flaw, size_t offset, const char *text)
{
    *flaw = (struct flaw){text, 0, offset};
    return -1;
}

/* Appends literal bytes; bytes that follow a literal part extend it. "a{{b" is one part from two pieces of the input, so
 * literals are collected in a separate buffer, which is never longer than the input. */
static void add_literal(struct template *t, char *literals, size_t *used, char c, size_t offset)
{
    struct template_part *last = t->n > 0 ? &t->parts[t->n - 1] : NULL;

    literals[*used] = c;
    if (last != NULL && !last->is_column)
        last->text.n++;
    else
        t->parts[t->n++] = (struct template_part){false, {literals + *used, 1}, offset, 0};
    (*used)++;
}

/* A column at text[at], the byte behind its brace. The offset of the closing brace, or 0 with the flaw. */
static size_t add_column(struct template *t, struct str text, size_t at, struct flaw *flaw)
{
    size_t end = at;
    while (end < text.n && text.p[end] != '}' && text.p[end] != '{')
        end++;
    struct str name = str_trim((struct str){text.p + at, end - at});
    const char *why = NULL;

    if (end == text.n || text.p[end] == '{')
        why = "this brace is not closed; write {Column} for a column or {{ for a brace";
    else if (name.n == 0)
        why = "there is no column name between the braces";
    if (why != NULL) {
        template_flaw(flaw, at - 1, why);
        return 0;
    }
    t->parts[t->n++] = (struct template_part){true, name, at - 1, 0};
    return end;
}

int template_compile(struct str text, struct arena *arena, struct template *out, struct flaw *flaw)
{
    bool any_column = false;
    size_t used = 0, parts_max = 1;
    struct str copy;

    /* Parts alternate at worst: each brace can end one and begin another. */
    for (size_t i = 0; i < text.n; i++)
        parts_max += text.p[i] == '{' || text.p[i] == '}';
    char *literals = arena_alloc(arena, text.n + 1);
    *out = (struct template){arena_calloc(arena, parts_max, sizeof *out->parts), 0};
    if (literals == NULL || out->parts == NULL || arena_str(arena, text, &copy) != 0)
        return template_flaw(flaw, 0, "out of memory");
    for (size_t i = 0; i < copy.n; i++) {
        char c = copy.p[i];
        bool doubled = i + 1 < copy.n && copy.p[i + 1] == c;
        if ((c != '{' && c != '}') || doubled) {
            add_literal(out, literals, &used, c, i);
            i += c == '{' || c == '}';
        } else if (c == '}') {
            return template_flaw(flaw, i, "this brace closes nothing; write }} for a brace");
        } else if ((i = add_column(out, copy, i + 1, flaw)) == 0) {
            return -1;
        } else {
            any_column = true;
        }
    }
    if (!any_column)
        return template_flaw(flaw, 0, "a template needs at least one {Column}; use value: for a fixed text");
    return 0;
}

static struct str part_value(const struct template_part *part, const struct cell *cells, size_t cells_n)
{
    if (!part->is_column)
        return part->text;
    if (part->column >= cells_n || cells[part->column].null)
        return STR_NONE;
    return (struct str){cells[part->column].p, cells[part->column].n};
}

int template_run(const struct template *t, const struct cell *cells, size_t cells_n, struct arena *scratch, struct str *out)
{
    size_t total = 0;
    bool any = false;

    *out = STR_NONE;
    for (size_t i = 0; i < t->n; i++) {
        struct str value = part_value(&t->parts[i], cells, cells_n);
        if (value.n > TEMPLATE_OUTPUT_MAX - total) {
            errno = EOVERFLOW;
            return -1;
        }
        total += value.n;
        any |= t->parts[i].is_column && str_trim(value).n > 0;
    }
    if (!any)
        return 0;
    if (t->n == 1) {
        *out = part_value(&t->parts[0], cells, cells_n);
        return 0;
    }
    char *to = arena_alloc(scratch, total);
    if (to == NULL) {
        errno = ENOMEM;
        return -1;
    }
    *out = (struct str){to, total};
    for (size_t i = 0; i < t->n; i++) {
        struct str value = part_value(&t->parts[i], cells, cells_n);
        if (value.n > 0)
            memcpy(to, value.p, value.n);
        to += value.n;
    }
    return 0;
}
