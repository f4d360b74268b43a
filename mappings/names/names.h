/* Header names: which lead field is a column called "Vorname", "Prénom" or "E-Mail" likely to be?
 *
 * One table of spellings in the languages of exports that people really have (names.def). Compared like headers are
 * everywhere: case, blanks, `_`, `-` and `.` ignored. Knows no source and no mapping file. */
#ifndef MAPPINGS_NAMES_NAMES_H
#define MAPPINGS_NAMES_NAMES_H

#include "sync/base/buf.h"
#include "sync/base/str.h"
#include "sync/model/lead.h"

#include <stdbool.h>

enum names_certainty {
    NAMES_NONE,     /* no lead field known under that name */
    NAMES_MAYBE,    /* means that field in some exports and something else in others: for `init` to propose, with a word */
    NAMES_LIKELY,   /* a known name with something around it ("Lead Email", "Phone 1 - Value"), or one that means the field
                       where no other column does */
    NAMES_SPELLING, /* a known spelling that means nothing else */
    NAMES_EXACT,    /* the API's own name of the field */
};

struct names_match {
    enum names_certainty certainty;
    enum lead_field field; /* meaningless with NAMES_NONE */
    int rank;              /* of two columns, the one with the higher rank gets the field */
    bool first;            /* of two columns that both may fill the field, this one is to be asked first */
};

/* Looks one header up. 1 found, 0 not, -1 out of memory. */
int names_find(struct str header, struct names_match *out);

enum { NAMES_UNUSED = -1 };

/* How one column is used among the others. */
struct names_use {
    int field; /* the lead field that it fills, or NAMES_UNUSED */
    int rival; /* the field that it could fill but another column fills, or the address if several columns could
                                 hold it; else NAMES_UNUSED */
    struct names_match match; /* by its name and its neighbours' */
};

/* For a CSV without a mapping: which column fills which field. NAMES_MAYBE fills none. `uses` has room for n. 0, or -1 out of
 * memory. */
int names_assign(const struct str *columns, size_t n, struct names_use *uses);
/* The columns that could fill a field, used or rivals, in the order in which they should be asked for a value. Returns how
 * many; `out` has room for n. */
size_t names_claims(const struct names_use *uses, size_t n, enum lead_field field, size_t *out);

/* The values that mean an opt-out or a bounce in a column of this name, for skip_when, ending in NULL: words for yes
 * ("Unsubscribed", "DNC"); words for no, if the column holds consent ("Subscribed"); words of a status ("Marketing status"); or
 * "*" alone if the column holds a time or a cause ("UNSUB_TIME"). NULL: not such a column, or short of memory. */
const char *const *names_opt_out(struct str header);

/* The table as text, one field a paragraph, for `--help`. 0, or -1 (buffer). */
int names_help(struct buf *out);

#endif
