/* A row of a source, as read. Cells borrow from the connector until its next call. */
#ifndef SYNC_MODEL_ROW_H
#define SYNC_MODEL_ROW_H

#include "sync/base/buf.h"
#include "sync/base/str.h"
#include "sync/model/reason.h"

#include <stdbool.h>
#include <stdint.h>

#define LEADSYNC_PREFIX "leadsync_" /* begins the names of columns that leadsync itself adds to rejects: never data */
#define LEADSYNC_EXTRA LEADSYNC_PREFIX "extra"   /* of a row with too many cells, those that have no column */
#define LEADSYNC_REASON LEADSYNC_PREFIX "reason" /* why the row was rejected */

struct cell {
    const char *p; /* not NUL-terminated */
    size_t n;
    bool null; /* SQL NULL; "" is not null */
};

struct row {
    uint64_t number; /* data rows from 1 */
    uint64_t line;   /* where the row starts in the file; 0: the source has no lines */
    const struct cell *cells;
    size_t n;
    enum reason defect;   /* REASON_NONE, or why the row as a whole cannot be used: ragged_row, field_too_long (a line) */
    const uint8_t *flaws; /* NULL: every cell is usable; else a reason per cell, REASON_NONE for a usable one */
    bool utf8;            /* its cells were looked at: all of them are UTF-8 */
    size_t
        found; /* of a ragged row that `rejects` wrote and that is still to be corrected: its cells up to the last that is not
                         * blank, or more than there are columns where leadsync_extra holds something; else 0 */
};

/* May the cells be filled up that a ragged row lacks at its end, out of `columns_n`? One cell alone is no row but a line of text. */
static inline bool row_may_be_filled_up(const struct row *row, size_t columns_n)
{
    size_t n = row->found > 0 ? row->found : row->n;
    return n > 1 && n < columns_n;
}

/* Why a cell of the row cannot be used: not_utf8, field_too_long, type_invalid; REASON_NONE: it can. */
static inline enum reason row_flaw(const struct row *row, size_t i)
{
    return row->flaws != NULL && i < row->n ? (enum reason)row->flaws[i] : REASON_NONE;
}

/* "3 cells in place of 7": what is wrong with a ragged row; of one that `rejects` wrote, what is left to do. 0/-1 */
int row_shape(const struct row *row, size_t columns_n, struct buf *out);

/* Packed cells, for the spool and for the rejects table. 0/-1. */
int cells_pack(const struct cell *cells, size_t n, struct buf *out);
/* Iterates packed cells: 1 with the cell, 0 at the end, -1 malformed. */
int cells_next(const char **p, const char *end, struct cell *out);
/* "Tom; Short": the filled ones of packed cells, cut after `chars` characters with …; ? replaces a byte that is not UTF-8. 0/-1 */
int cells_show(struct str packed, size_t chars, struct buf *out);
/* Appends `before` and "(Tom; Short)", by which a row without a key is known. 1; 0 and nothing if no cell is filled; -1 */
int cells_show_name(const char *before, struct str packed, size_t chars, struct buf *out);

/* Stores cells as references into another text with most of their bytes, such as the packed lead made of them: a few
 * bytes per cell. Appends to `out`. 0, or -1 (buffer). */
int cells_shrink(const struct cell *cells, size_t n, struct str base, struct buf *out);
/* As packed cells, appended to `out`, with the same base. 0, or -1: buffer, or with errno EINVAL malformed. */
int cells_expand(struct str shrunk, struct str base, struct buf *out);

#endif
