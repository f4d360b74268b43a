/* Templates: up to a NUL the template, behind it the cells, a NUL between them. A flaw points into the template; what a
 * run makes is as long as its parts. */
#include "config.h"

#include "mappings/convert/template.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CELLS_N = 4 };

static void expect(int truth)
{
    if (!truth)
        abort();
}

/* One column for every first byte, some of them past the end of the row, one unknown. */
static int find(void *ctx, struct str name, size_t *index)
{
    size_t *calls = ctx;
    expect(name.n > 0);
    *calls += 1;
    *index = (unsigned char)name.p[0] % (CELLS_N + 2);
    return name.p[0] == '?' ? -1 : 0;
}

/* Gives each column its cell. NULL, or the first column that `find` does not know. */
static const struct template_part *bind(struct template *t, size_t *calls)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->parts[i].is_column && find(calls, t->parts[i].text, &t->parts[i].column) != 0)
            return &t->parts[i];
    return NULL;
}

static void run(struct template *t, struct str rest)
{
    struct arena scratch;
    struct cell cells[CELLS_N];
    struct str out;

    for (size_t i = 0; i < CELLS_N; i++) {
        const char *nul = rest.n > 0 ? memchr(rest.p, 0, rest.n) : NULL;
        size_t n = nul != NULL ? (size_t)(nul - rest.p) : rest.n;
        cells[i] = (struct cell){rest.p, n, n == 3};
        rest = nul != NULL ? (struct str){nul + 1, rest.n - n - 1} : STR_NONE;
    }
    arena_init(&scratch, 4 << 20);
    if (template_run(t, cells, CELLS_N, &scratch, &out) == 0)
        expect(out.n <= TEMPLATE_OUTPUT_MAX);
    arena_free(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct template t;
    struct flaw flaw = {NULL, 0, 0};
    const struct template_part *missing = NULL;
    const char *nul = size > 0 ? memchr(data, 0, size) : NULL;
    struct str text = {(const char *)data, nul != NULL ? (size_t)(nul - (const char *)data) : size};
    struct str rest = nul != NULL ? (struct str){nul + 1, size - text.n - 1} : STR_NONE;
    size_t calls = 0;

    arena_init(&arena, 1 << 20);
    if (template_compile(text, &arena, &t, &flaw) != 0)
        expect(flaw.text != NULL && flaw.offset <= text.n);
    else if ((missing = bind(&t, &calls)) != NULL)
        expect(missing->is_column && missing->text.p[0] == '?' && text.p[missing->offset] == '{');
    else {
        expect(calls > 0);
        run(&t, rest);
    }
    arena_free(&arena);
    return 0;
}
