/* A second CSV reader, the reference of the first one's tests. */
#ifndef TESTS_UNIT_CSVREFERENCE_H
#define TESTS_UNIT_CSVREFERENCE_H

#include "connectors/source.h"

/* Appends every row of `text`, as csvreference_row() does. false when it met a stray or unclosed quote: then `out`
 * has the rows before it. */
bool csvreference_rows(struct str text, char delimiter, struct buf *out);
/* Appends a row: its cells, each with its length, and their number. */
void csvreference_row(const struct cell *cells, size_t n, struct buf *out);

#endif
