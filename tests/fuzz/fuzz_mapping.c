/* A mapping file of any bytes, and when it loads, rows of any bytes: no crash, no leak, no undefined behaviour, and a
 * mapping that is refused says why. */
#include "config.h"

#include "mappings/file/compiled.h"
#include "sync/base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t add(struct str *columns, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(columns[i], name))
            return n;
    }
    if (n < CELLS_MAX)
        columns[n++] = name;
    return n;
}

/* The columns that the mapping asks for, so that it binds. */
static size_t wanted(const struct mapping_impl *impl, struct str *columns)
{
    size_t n = add(columns, 0, STR("extra"));
    for (size_t i = 0; i < impl->columns_n; i++) {
        const struct column *column = &impl->columns[i];
        if (column->origin == ORIGIN_COLUMN)
            n = add(columns, n, column->from.name);
        for (size_t k = 0; k < column->others_n; k++)
            n = add(columns, n, column->others[k].name);
        for (size_t k = 0; k < column->template.n; k++) {
            if (column->template.parts[k].is_column)
                n = add(columns, n, column->template.parts[k].text);
        }
    }
    for (size_t i = 0; i < impl->skips_n; i++)
        n = add(columns, n, impl->skips[i].column.name);
    for (size_t i = 0; i < impl->keys_n; i++)
        n = add(columns, n, impl->keys[i].name);
    return impl->route.name.n > 0 ? add(columns, n, impl->route.name) : n;
}

/* What is said of a value is one harmless line. */
static void show(const struct reject *rejects, size_t n)
{
    struct buf text = BUF_INIT(64 << 10);
    for (size_t i = 0; i < n; i++) {
        buf_reset(&text);
        if (mapping_reject_text(&rejects[i], &text) != 0 || !text_is_utf8(buf_str(&text)))
            abort();
        for (size_t k = 0; k < text.n; k++)
            if ((unsigned char)text.p[k] < 0x20)
                abort();
    }
    buf_free(&text);
}

static void map_rows(struct mapping *m, const uint8_t *data, size_t data_n)
{
    struct str columns[CELLS_MAX];
    struct cell cells[CELLS_MAX];
    size_t n = wanted(m->impl, columns);
    struct err e = ERR_INIT;
    struct arena scratch;
    arena_init(&scratch, 4 << 20);
    if (mapping_bind(m, columns, n, &e) == 0) {
        for (size_t start = 0; start < data_n && start < 200; start += 37) {
            for (size_t i = 0; i < n; i++) {
                size_t at = (start + 11 * i) % data_n, length = (start + 7 * i) % 40;
                cells[i] = (struct cell){(const char *)data + at, length < data_n - at ? length : data_n - at, i % 9 == 8};
            }
            struct row row = {.number = 1, .cells = cells, .n = n};
            struct mapped mapped;
            arena_reset(&scratch);
            if (mapping_apply(m, &row, &scratch, &mapped, &e) != 0)
                break;
            if (mapped.verdict == MAPPED_REJECT && mapped.rejects_n == 0)
                abort();
            if (mapped.verdict == MAPPED_LEAD && mapped.key_text.n == 0)
                abort();
            show(mapped.rejects, mapped.rejects_n);
            show(mapped.emptied, mapped.emptied_n);
            if (mapped.verdict == MAPPED_SKIP && mapped.skip_value == 0)
                show(&mapped.skip, 1);
        }
    }
    arena_free(&scratch);
    err_clear(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct mapping *m = NULL;
    struct err e = ERR_INIT;
    char *copy = malloc(n + 1); /* exact, so that a read past the end is seen */
    if (copy == NULL)
        return 0;
    if (n > 0)
        memcpy(copy, data, n);
    if (mapping_parse("fuzz.yaml", (struct str){copy, n}, &m, &e) == 0)
        map_rows(m, data, n);
    else if (err_text(&e)[0] == '\0')
        abort();
    mapping_free(m);
    err_clear(&e);
    free(copy);
    return 0;
}
