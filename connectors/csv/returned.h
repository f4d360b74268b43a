/* Rows that `rejects` wrote and that are read again. It makes every row as wide as the header, as a spreadsheet would, so the
 * cells alone no longer tell that a row was too short or too long. The columns that `rejects` adds do. Pure. */
#ifndef CONNECTORS_CSV_RETURNED_H
#define CONNECTORS_CSV_RETURNED_H

#include "connectors/columns.h"

struct returned {
    size_t extra, reason; /* where these columns are; SIZE_MAX: there is none */
};
void returned_init(struct returned *r, const struct columns *columns);

/* The number of cells by which a row of `n` cells, columns->n at most, is to be judged. More than columns->n: what has no column is
 * still in leadsync_extra. Another one than `n`: the row was rejected for its number of cells, and up to here they are filled;
 * columns->n where the last one is. Else `n`. */
size_t returned_width(const struct returned *r, const struct columns *columns, const struct cell *cells, size_t n);

#endif
