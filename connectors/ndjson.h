/* Rows of NDJSON: one object per line, scalars only. The first object's keys are the columns; a key that a later object
 * lacks is null, one that it has besides makes the row ragged. Numbers keep their spelling. Does not know where the bytes
 * come from; blocks as its input does; memory is one line, bounded. */
#ifndef CONNECTORS_NDJSON_H
#define CONNECTORS_NDJSON_H

#include "connectors/columns.h"
#include "connectors/input.h"

struct ndjson;

/* Reads the first object. Borrows `in` until free. Errors: XS_SOURCE (no object, malformed, no keys), XS_CONFIG (keys
 * empty), and those of input_read(). */
int ndjson_new(struct input *in, size_t field_max, struct ndjson **out, struct err *e);
void ndjson_free(struct ndjson *r); /* NULL is fine */

const struct columns *ndjson_columns(const struct ndjson *r);

/* 1 with the row, whose cells are valid until the next call; 0 at the end; -1. Defects: REASON_RAGGED_ROW, and
 * REASON_FIELD_TOO_LONG of a line, whose row comes without cells. Flaws of cells: REASON_TYPE_INVALID (an array or object,
 * or an integer beyond 64 bits, as it is written), REASON_NOT_UTF8 (also half a surrogate pair and \u0000),
 * REASON_FIELD_TOO_LONG.
 * Errors: XS_SOURCE with the line: not JSON, not an object, NUL; and those of input_read(). */
int ndjson_next(struct ndjson *r, struct row *out, struct err *e);

#endif
