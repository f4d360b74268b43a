/* A user's SQL as text: where :watermark stands in it, and a caret under the place an error is at. Pure. */
#ifndef CONNECTORS_SQLTEXT_H
#define CONNECTORS_SQLTEXT_H

#include "sync/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* The longest overlap of a time: 3650 days. */
#define SQLTEXT_OVERLAP_MS_MAX (INT64_C(3650) * 24 * 3600 * 1000)

/* Appends the query with each :watermark as "$1", padded with blanks to the same length so that positions in the
 * server's messages are positions in the user's text. What stands inside quotes, dollar quotes, comments and casts
 * (PostgreSQL's rules) is left alone. 0/-1 (buffer). */
int sqltext_number_watermark(const char *query, struct buf *out, size_t *uses);

/* Does the query compare some :watermark with `>`, which leaves out rows that have the very value? */
bool sqltext_excludes_equal(const char *query);

/* Does the query have an outer join, which makes NULL of columns that are not? */
bool sqltext_has_outer_join(const char *query);

/* Does the query as a whole say in which order its rows come: ORDER BY outside of brackets? */
bool sqltext_is_ordered(const char *query);

/* Byte offset of the character with that number (from 0); the length when there are fewer. */
size_t sqltext_char_offset(struct str query, size_t chars);

/* Appends the line of `query` that holds byte `offset`, with its number, and a caret below:
 *     "\n    3 | select emial\n      |        ^". 0/-1 (buffer). */
int sqltext_caret(struct str query, size_t offset, struct buf *out);

/* A plain decimal number, as an overlap of a numeric watermark is written? */
bool sqltext_is_number(const char *text);

#endif
