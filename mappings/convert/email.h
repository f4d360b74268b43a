/* One e-mail address: whether it can be mailed, how it is sent, and which person it identifies.
 *
 * Pure: no I/O, no network, never blocks. Judges the syntax of RFC 5321 (a dot-atom or a quoted local part, a domain of
 * at least two labels) and IDNA 2008 for the domain; it does not find out whether the mailbox exists.
 * email_parse() removes only the blanks around an address, because a repaired address may belong to a stranger.
 * email_unwrap() and email_repair() remove what cannot be part of an address. */
#ifndef MAPPINGS_CONVERT_EMAIL_H
#define MAPPINGS_CONVERT_EMAIL_H

#include "sync/base/arena.h"
#include "sync/base/str.h"

#include <stdbool.h>

/* Limits in bytes of what is sent: RFC 5321 4.5.3.1, and 254 because a path of 256 includes its angle brackets. */
enum { EMAIL_LOCAL_MAX = 64, EMAIL_LABEL_MAX = 63, EMAIL_MAX = 254 };

struct email {
    const char *why; /* NULL: valid; else text, static or of the scratch arena, that completes "the address …"; the
                      * strings are then empty */
    struct str send; /* trimmed; the local part as spelled, a non-ASCII domain as its A-label, any other as spelled */
    struct str key;  /* the identity: case-folded (and NFC) local part, "@", lower-case ASCII domain */
};

/* Judges `raw`. The strings of `out` borrow from raw where nothing had to change, else from `scratch`.
 * 0 (look at out->why), or -1 when the arena is exhausted. */
int email_parse(struct str raw, struct arena *scratch, struct email *out);

/* A hint, never a verdict: true if the top-level domain of a valid address, given as its key, is unknown (".con", but
 * also a TLD younger than the installed public suffix list). Looks up the list, so it is not for the hot path. */
bool email_tld_unknown(struct str key);

/* The address inside what people have instead of it: "mailto:a@example.com?subject=x", "Name <a@example.com>", "Name
 * (a@example.com)", quotes, a ';' ',' or '.' at the end, invisible characters at both ends. The trimmed input in all
 * other cases. Borrows from raw; does not judge the address. */
struct str email_unwrap(struct str raw);

/* The same, and without invisible characters before the @. Borrows from raw, or from `scratch`. 0/-1 (memory) */
int email_repair(struct str raw, struct arena *scratch, struct str *out);

#endif
