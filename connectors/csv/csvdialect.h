/* Signs that a text is CSV by other rules than those it is read by, or that a quote has swallowed rows of it. Pure: looks at
 * cells that were read, or at a sample of the text. */
#ifndef CONNECTORS_CSV_CSVDIALECT_H
#define CONNECTORS_CSV_CSVDIALECT_H

#include "connectors/csv/delimiter.h"

/* Does a cell of this row hold whole rows: two lines or more that divide into `columns_n` cells? Where the row has an
 * address of its own, only lines count that have one in the same place; in two columns, only lines with an address. */
bool csvdialect_embeds_rows(const struct cell *cells, size_t n, size_t columns_n, char delimiter);

/* How many cells are in single quotes, if all are that are not blank; else 0. What the delimiter has torn apart is one. */
size_t csvdialect_single_quotes(const struct cell *cells, size_t n);

/* Is each line of the sample one cell in quotes, with no fewer delimiters of one kind inside than the name `header` of the
 * only column has, and some of them with an address? `whole`: the last line is complete. */
bool csvdialect_rows_quoted(struct str sample, bool whole, struct str header);

/* The delimiters of another kind that end the last of these cells, all of them the same: what is left at the end of each row
 * of a file that was saved with that delimiter. Borrowed from the cell; empty: there are none. */
struct str csvdialect_tail(const struct cell *cells, size_t n, char delimiter);

#endif
