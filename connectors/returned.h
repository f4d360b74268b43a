/* Rows that `rejects` wrote and that are read again. It makes every row as wide as the header, as a spreadsheet would, so the
 * cells alone no longer tell that a row was too short or too long. The columns that `rejects` adds do. Pure. */
#ifndef CONNECTORS_RETURNED_H
#define CONNECTORS_RETURNED_H

#include "connectors/columns.h"

struct returned {
    size_t extra, reason; /* where these columns are; SIZE_MAX: there is none */
};
void returned_init(struct returned *r, const struct columns *columns);

/* The number of cells by which a row of columns->n cells is to be judged. More than columns->n: what has no column is still in
 * leadsync_extra. Less: the row was rejected for its number of cells, and those that it lacked, at its end, are still
 * blank. Else columns->n. */
size_t returned_width(const struct returned *r, const struct columns *columns, const struct cell *cells);

#endif
