/* Unicode by libunistring, with ASCII fast paths; showing foreign text safely. No word of the domain. */
#ifndef SYNC_BASE_TEXT_H
#define SYNC_BASE_TEXT_H

#include "sync/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Number of leading bytes that are valid UTF-8; equal to s.n when all are. NUL counts as valid. */
size_t text_utf8_prefix(struct str s);
bool text_is_utf8(struct str s);
bool text_is_ascii(struct str s);

/* Case-folded (Unicode, full) copy appended to `out`. 0/-1. */
int text_fold(struct str s, struct buf *out);
/* Columns that `s` takes on a terminal; controls count as their \u{..} form. */
size_t text_width(struct str s);
/* Appends `s` with control, escape, bidi and invalid bytes as \u{1b} or \x{ff}; cut with "…" at max_columns (0: never). */
int text_show(struct str s, size_t max_columns, struct buf *out);
/* Case-folded comparison key for header names: letters and digits only, blanks _ - . dropped. 0/-1. */
int text_header_key(struct str s, struct buf *out);
/* HTML text and attribute escaping. 0/-1. */
int text_html(struct str s, struct buf *out);
/* One CSV cell per RFC 4180: quoted when it must be. With `guard`, a leading = + - @ TAB CR gets a ' before it. 0/-1. */
int text_csv_cell(struct str s, bool guard, struct buf *out);

#endif
