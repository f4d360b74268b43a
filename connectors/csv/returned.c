#include "config.h"

#include "connectors/csv/returned.h"

#include <stdint.h>

static size_t find(const struct columns *columns, const char *name)
{
    long at = columns_find(columns, str_from(name));

    return at >= 0 ? (size_t)at : SIZE_MAX;
}

void returned_init(struct returned *r, const struct columns *columns)
{
    r->extra = find(columns, LEADSYNC_EXTRA);
    r->reason = find(columns, LEADSYNC_REASON);
}

static struct str text(const struct cell *cell)
{
    return str_trim((struct str){cell->p, cell->n});
}

size_t returned_width(const struct returned *r, const struct columns *columns, const struct cell *cells, size_t n)
{
    size_t width = 0, last = 0;

    if (r->extra < n && text(&cells[r->extra]).n > 0)
        return columns->n + 1;
    if (r->reason >= n || !str_is(text(&cells[r->reason]), reason_text(REASON_RAGGED_ROW)))
        return n;
    for (size_t i = 0; i < columns->n; i++) {
        if (!columns_is_ours(columns->list[i].name)) {
            last = i + 1;
            width = i < n && text(&cells[i]).n > 0 ? last : width;
        }
    }
    return width == last ? columns->n : width;
}
