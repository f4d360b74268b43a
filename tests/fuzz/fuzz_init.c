/* A source of any bytes: whatever its columns are called, the proposed mapping loads and binds. */
#include "config.h"

#include "mappings/init/init.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS_MAX = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Cells of a line, divided by 0x01; a name that was there already is left out, as connectors refuse it. */
static size_t split(const char **p, const char *end, struct cell *cells, bool unique)
{
    size_t n = 0;
    const char *stop = memchr(*p, '\n', (size_t)(end - *p));
    stop = stop != NULL ? stop : end;
    while (*p < stop && n < CELLS_MAX) {
        const char *next = memchr(*p, 1, (size_t)(stop - *p));
        next = next != NULL ? next : stop;
        cells[n] = (struct cell){*p, (size_t)(next - *p), false};
        bool twice = false;
        for (size_t i = 0; i < n; i++)
            twice = twice || (cells[i].n == cells[n].n && memcmp(cells[i].p, cells[n].p, cells[n].n) == 0);
        n += !(twice && unique);
        *p = next + (next < stop);
    }
    *p = stop + (stop < end);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *p = (const char *)data, *end = p + n;
    struct cell cells[CELLS_MAX];
    struct str columns[CELLS_MAX];
    struct err e = ERR_INIT;
    struct mapping_init *init = NULL;
    struct buf out = BUF_INIT(1 << 20);
    size_t columns_n = n > 0 ? split(&p, end, cells, true) : 0;
    for (size_t i = 0; i < columns_n; i++)
        columns[i] = (struct str){cells[i].p, cells[i].n};
    if (mapping_init_new(columns, columns_n, &init, &e) == 0) {
        struct row row = {.cells = cells};
        while (p < end) {
            row.n = split(&p, end, cells, false);
            if (mapping_init_see(init, &row, &e) != 0)
                abort();
        }
        char path[64];
        size_t path_n = columns[0].n < sizeof path - 1 ? columns[0].n : sizeof path - 1;
        memcpy(path, columns[0].p, path_n);
        path[path_n] = '\0';
        struct source_spec source = {.kind = SOURCE_CSV, .as.csv = {.path = "p.csv", .header = true}};
        struct mapping_init_file file = {.label = path, .source = &source};
        if (mapping_init_write(init, &file, &out, &e) != 0)
            abort();
    }
    mapping_init_free(init);
    buf_free(&out);
    err_clear(&e);
    return 0;
}
