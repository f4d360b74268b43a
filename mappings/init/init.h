/* A mapping file proposed for a source that nobody has mapped yet: the text that `leadsync init` writes.
 *
 * Looks at column names and at rows, keeps counts of what it saw and never a value, so that no lead's data can get into
 * the file. What it is unsure of stands in the file as a comment. Does no I/O. */
#ifndef MAPPINGS_INIT_INIT_H
#define MAPPINGS_INIT_INIT_H

#include "sync/base/buf.h"
#include "sync/base/err.h"
#include "sync/model/row.h"
#include "sync/model/source_spec.h"
#include "sync/model/target.h"

#include <stdbool.h>
#include <stddef.h>

struct mapping_init;

/* Starts a look; the names are copied. NULL in *out and -1 with XS_SOURCE without any usable column, or out of memory. */
int mapping_init_new(const struct str *columns, size_t n, struct mapping_init **out, struct err *e);
/* Looks at one row; rows with a defect are counted and not looked at. A few hundred are enough. 0/-1 (memory). */
int mapping_init_see(struct mapping_init *init, const struct row *row, struct err *e);

/* What the rest of the file says. */
struct mapping_init_file {
    const char *schema;               /* for the modeline that editors read; NULL: none */
    const char *label;                /* the source, for a comment: "people.csv", "service=crm" */
    const char *name;                 /* of the sync; made into one that is allowed. NULL: from label */
    const struct source_spec *source; /* paths as they are to stand in the file; csv.delimiter and encoding as found */
    const struct target_spec *target; /* NULL: a list to be named by the reader */
    bool names_made_up;               /* the file has no header, and source->as.csv.names are nobody's */
    bool header_unsure;               /* it may have one: its first line was taken for data */
    bool whole;                       /* every row of the source was looked at */
    const char *encoding_assumed;     /* what was not UTF-8 is read as; NULL: nothing was assumed */
};

/* Appends the file. It loads and binds to the columns that were looked at (this is checked: XS_INTERNAL otherwise). */
int mapping_init_write(const struct mapping_init *init, const struct mapping_init_file *file, struct buf *out,
                       struct err *e);
void mapping_init_free(struct mapping_init *init); /* NULL is fine */

#endif
