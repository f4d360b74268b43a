/* Mistakes in a mapping file, collected and shown all at once as a compiler would: place, text, the line, a caret, help.
 *
 * Knows positions and text; nothing of YAML or of what a mapping means. Everything lives in the arena it was given.
 * Does no I/O. */
#ifndef MAPPINGS_FILE_DIAG_H
#define MAPPINGS_FILE_DIAG_H

#include "sync/base/arena.h"
#include "sync/base/buf.h"
#include "sync/base/err.h"
#include "sync/base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum { DIAG_MAX = 100 }; /* mistakes that are printed; the others are only counted */

struct diag;
struct diags {
    const char *file;    /* as the user named it; NULL: not a file (an option), printed without a place */
    struct str text;     /* the file's bytes; borrowed until printed */
    struct arena *arena; /* borrowed */
    struct diag *first;  /* by position */
    struct diag *latest; /* what diag_help() belongs to */
    size_t n;            /* all mistakes, those past DIAG_MAX included */
    bool oom;            /* one could not be kept; the print fails */
};

void diags_init(struct diags *d, const char *file, struct str text, struct arena *arena);

/* One mistake at a span of bytes of the text; a span past the line's end is cut there, n 0 is one column. Always -1. */
int diag_add(struct diags *d, size_t at, size_t n, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* A "= help:" line under the latest mistake; may be called several times. */
void diag_help(struct diags *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Makes the next help belong to the mistake that is printed last. */
void diags_select_last(struct diags *d);
/* "did you mean 'x'?" when a candidate is near, else "known are a, b, c". */
void diag_nearest(struct diags *d, struct str word, const char *const *candidates, size_t n);

/* A foreign value made safe for a message: controls escaped, cut after 60 columns. Never NULL. */
const char *diag_show(struct diags *d, struct str value);

/* 0 when there are none; else XS `status` with all mistakes in the order of the file. */
int diags_result(const struct diags *d, enum exit_status status, struct err *e);

/* Line and column (code points) of a byte, both from 1. CR, LF and CRLF end a line. */
void diag_place(struct str text, size_t at, size_t *line, size_t *column);

#endif
