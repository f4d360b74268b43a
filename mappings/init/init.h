/* A proposed mapping file for a source that has none yet: the text that `leadsync init` writes.
 *
 * Reads column names and rows and keeps only counts, never a value, so that no lead's data gets into the file. Unsure
 * lines are comments in the file. Does no I/O. */
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
/* Adds one row to the counts; a row with a defect is only counted. A few hundred rows are enough. 0/-1 (memory). */
int mapping_init_see(struct mapping_init *init, const struct row *row, struct err *e);

/* What the rest of the file says. */
struct mapping_init_file {
    const char *schema;               /* for the modeline that editors read; NULL: none */
    const char *label;                /* the source, for a comment: "people.csv", "service=crm" */
    const char *name;                 /* of the sync; made into one that is allowed. NULL: from label */
    bool goes_on;                     /* a sync without a mapping has this name; the mapping writes its leads as that did */
    const struct source_spec *source; /* paths as they are to stand in the file; csv.delimiter and encoding as found */
    const struct target_spec *target; /* NULL: a list to be named by the reader */
    bool names_made_up;               /* the file has no header, and init invented source->as.csv.names */
    bool header_unsure;               /* init treats the first line as data, but it may be a header */
    bool whole;                       /* every row of the source was looked at */
    const char *encoding_assumed;     /* what was not UTF-8 is read as; NULL: nothing was assumed */
};

/* Appends the file. It loads and binds to the columns of the source; otherwise this fails with XS_INTERNAL. */
int mapping_init_write(const struct mapping_init *init, const struct mapping_init_file *file, struct buf *out,
                       struct err *e);
void mapping_init_free(struct mapping_init *init); /* NULL is fine */

#endif
