/* Rows as they were read from the source, for `preview --raw`. */
#ifndef SYNC_CLI_RUN_PREVIEW_RAW_H
#define SYNC_CLI_RUN_PREVIEW_RAW_H

#include "connectors/source.h"
#include "sync/report/record.h"

struct preview_raw {
    const struct source *source;
    const struct source_spec *spec;
    bool *nameless; /* owned; columns without a name of their own */
};

/* Borrows source and spec. 0/-1 (memory) */
int preview_raw_start(struct preview_raw *p, const struct source *source, const struct source_spec *spec, struct err *e);
void preview_raw_free(struct preview_raw *p); /* fine on a zeroed one */

/* Makes the row the record under way of `w`, whose columns are those of the source. A row without a usable shape is named
 * on stderr and left out; a cell that is not text is named and shown as NULL. 1 shown, 0 left out */
int preview_raw_row(struct preview_raw *p, const struct row *row, struct record_writer *w);

#endif
