/* Which code page is a text written in that is not UTF-8?
 *
 * libuchardet proposes one. Its proposals for a handful of names are often wrong, and it gives no confidence, so each is
 * checked: a reading counts only if it makes words of the words (letters of one script, no sign or capital amid them).
 * The answer is certain when every reading that counts gives the same text, or when there is enough text to believe the
 * library. Knows nothing of cells and lines. Does not block. */
#ifndef CONNECTORS_CSV_CHARSET_H
#define CONNECTORS_CSV_CHARSET_H

#include "sync/base/buf.h"
#include "sync/base/err.h"

#include <stdbool.h>

struct charset_guess {
    const char *name; /* an iconv name; static */
    bool certain;
    struct buf shown; /* for a message: "Łukasz", or when uncertain "Jiří" (windows-1250) or "Jiøí" (windows-1252) */
};

/* Judges `bytes`, a sample in which ASCII is ASCII. `g` is the
 * caller's to free with charset_guess_free(), after an error, too. 0, or -1 without memory. */
int charset_guess(struct str bytes, struct charset_guess *g, struct err *e);
void charset_guess_free(struct charset_guess *g); /* fine on a zeroed one */

/* Does this encoding name a code page of single bytes, in which ASCII is ASCII and any byte is a character? */
bool charset_is_code_page(const char *name);
/* Are more of the characters beyond ASCII valid UTF-8 than are not? A text in a code page has such sequences only by
 * chance. */
bool charset_looks_like_utf8(struct str bytes);

#endif
