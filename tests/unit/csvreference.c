/* The whole text in one call, and no line of ours in between. */
#include "config.h"

#include "tests/unit/csvreference.h"

#include <csv.h>
#include <stdlib.h>

struct reference {
    struct buf row, *out; /* cells of the row being read, and the rows before it */
    size_t cells;
};

/* Neither test goes on without memory. */
static void must(int rc)
{
    if (rc != 0)
        abort();
}

static int no_space(unsigned char c)
{
    (void)c;
    return 0;
}

static void on_cell(void *cell, size_t n, void *arg)
{
    struct reference *ref = arg;

    must(buf_add_str(&ref->row, (struct str){cell, n}));
    ref->cells++;
}

static void on_row(int end, void *arg)
{
    struct reference *ref = arg;

    (void)end;
    must(buf_addf(&ref->row, " %zu\n", ref->cells));
    must(buf_add(ref->out, ref->row.p, ref->row.n));
    buf_reset(&ref->row);
    ref->cells = 0;
}

bool csvreference_rows(struct str text, char delimiter, struct buf *out)
{
    struct reference ref = {BUF_INIT(out->max), out, 0};
    struct csv_parser parser;

    must(csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI));
    csv_set_delim(&parser, (unsigned char)delimiter);
    csv_set_space_func(&parser, no_space);
    bool sound = csv_parse(&parser, text.p, text.n, on_cell, on_row, &ref) == text.n &&
                 csv_fini(&parser, on_cell, on_row, &ref) == 0;
    csv_free(&parser);
    buf_free(&ref.row);
    return sound;
}

void csvreference_row(const struct cell *cells, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++)
        must(buf_add_str(out, (struct str){cells[i].p, cells[i].n}));
    must(buf_addf(out, " %zu\n", n));
}
