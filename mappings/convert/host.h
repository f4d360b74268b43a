/* Host names, as the right side of an address and inside a URL: checks them and converts them to ASCII.
 *
 * Internal to the mappings. A host is at least two labels of letters, digits and hyphens; an IP address is not a host here.
 * A name beyond ASCII is accepted only when IDNA 2008 encodes it as it stands, letter case and composition (NFC) aside:
 * libidn2 would map full-width letters and drop soft hyphens, and a mapped name may belong to another owner. */
#ifndef MAPPINGS_CONVERT_HOST_H
#define MAPPINGS_CONVERT_HOST_H

#include "sync/base/arena.h"
#include "sync/base/str.h"

#include <stdbool.h>

enum { HOST_LABEL_MAX = 63, HOST_MAX = 253 };

/* NULL for a good ASCII host, else why not: static text that completes "the address …" and "the value …". `*has_upper`
 * reports whether the host has a capital, so that callers need not scan again. */
const char *host_check(struct str host, bool *has_upper);

/* Any host to ASCII: one that is ASCII is checked and handed back as spelled, any other becomes its A-label in `scratch`.
 * 0 with `*why` NULL or the verdict; -1 when memory is short. */
int host_to_ascii(struct str host, struct arena *scratch, struct str *out, const char **why);

/* The reverse: the name that an ASCII host stands for, or the host itself. 0, or -1 when memory is short. */
int host_to_unicode(struct str ascii, struct arena *scratch, struct str *out);

/* ASCII letters to small ones: the input itself when there are no capitals. 0/-1 (arena). */
int host_lower(struct str in, struct arena *scratch, struct str *out);

#endif
