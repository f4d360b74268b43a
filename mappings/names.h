/* Header names: which lead field is a column called "Vorname", "Prénom" or "E-Mail" likely to be?
 *
 * One table of spellings in the languages of exports that people really have (names.def). Compared like headers are
 * everywhere: case, blanks, `_`, `-` and `.` ignored. Knows no source and no mapping file. */
#ifndef MAPPINGS_NAMES_H
#define MAPPINGS_NAMES_H

#include "sync/base/buf.h"
#include "sync/base/str.h"
#include "sync/model/lead.h"

enum names_certainty {
    NAMES_NONE,     /* no lead field known under that name */
    NAMES_MAYBE,    /* means that field in some exports and something else in others: for `init` to propose, with a word */
    NAMES_SPELLING, /* a known spelling that means nothing else */
    NAMES_EXACT,    /* the API's own name of the field */
};

struct names_match {
    enum names_certainty certainty;
    enum lead_field field; /* meaningless with NAMES_NONE */
};

/* Looks one header up. 1 found, 0 not, -1 out of memory. */
int names_find(struct str header, struct names_match *out);

/* What names_assign() says of a column that has no field. */
enum { NAMES_UNUSED = -1, NAMES_AMBIGUOUS = -2 };

/* For a straight CSV: the lead field of each column, NAMES_UNUSED, or NAMES_AMBIGUOUS where several columns claim the
 * same field with equal right (all of them then, none is used). An exact name beats a spelling: the loser is unused.
 * NAMES_MAYBE counts as unused. `fields` has room for n. 0, or -1 out of memory. */
int names_assign(const struct str *columns, size_t n, int *fields);

/* Does a column of this name say who does not want to be mailed ("Unsubscribed", "Abgemeldet")? Short of memory: no. */
bool names_opt_out(struct str header);

/* The table as text, one field a paragraph, for `--help`. 0, or -1 (buffer). */
int names_help(struct buf *out);

#endif
