/* Unicode by libunistring, with ASCII fast paths; showing foreign text safely. No word of the domain. */
#ifndef SYNC_BASE_TEXT_H
#define SYNC_BASE_TEXT_H

#include "sync/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Number of leading bytes that are valid UTF-8; equal to s.n when all are. NUL counts as valid. */
size_t text_utf8_prefix(struct str s);
/* Length of the valid UTF-8 character at p, 1 to 4; 0 when there is none (n 0, cut, malformed). */
size_t text_utf8_char(const char *p, size_t n);
bool text_is_utf8(struct str s);
bool text_is_ascii(struct str s);

/* Case-folded (Unicode, full, not normalised) copy appended to `out`; of bytes that are not UTF-8 only the ASCII
 * letters are folded. 0, or -1 with errno (memory, or the buffer's maximum). */
int text_fold(struct str s, struct buf *out);
/* Columns that `s` takes on a terminal; controls count as their \u{..} form. */
size_t text_width(struct str s);
/* Bytes of the longest start of `s` that takes at most `columns`; at least one character, unless `s` is empty. */
size_t text_fitting(struct str s, size_t columns);
/* Bytes of the character at p when it is not ASCII and one that text_show() escapes; else 0. */
size_t text_hidden_char(const char *p, size_t n, uint32_t *code);
/* Appends `s` with control, escape, bidi and invisible characters as \u{1b} and bytes that are not UTF-8 as \x{ff}; cut
 * with "…" at max_columns (0: never). 0/-1. */
int text_show(struct str s, size_t max_columns, struct buf *out);
/* Appends one line without its newline, parted between words into lines of at most `columns` (0: it is not parted);
 * all but the first are indented. The text is shown already; colour sequences in it take no column. 0/-1. */
int text_wrap(struct str line, size_t columns, size_t indent, struct buf *out);
/* Comparison key for header names: case-folded, NFC, without blanks and _ - . (anything else stays). 0/-1. */
int text_header_key(struct str s, struct buf *out);
enum { TEXT_SLUG_MAX = 64 };
/* A name for files, metrics and shells made of any text: "My Leads (2)" as "my-leads-2", "März" as "marz". Lower-case letters, digits, and
 * . _ - after the first character; may be empty. Returns its length; `out` has room for TEXT_SLUG_MAX + 1 and ends in a NUL. */
size_t text_slug(struct str s, char *out);
/* What a noun takes after this number: "" or "s". */
const char *text_plural(unsigned long long n);
/* One CSV cell per RFC 4180: quoted when it must be (for any delimiter of , ; | tab). With `guard`, a leading
 * = + - @ TAB CR gets a ' before it. 0/-1. */
int text_csv_cell(struct str s, bool guard, struct buf *out);

#endif
