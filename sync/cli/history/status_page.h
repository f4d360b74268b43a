/* A finished run as one HTML page: `status --run N --format html`. It has no lead data, like the report that it shows. */
#ifndef SYNC_CLI_HISTORY_STATUS_PAGE_H
#define SYNC_CLI_HISTORY_STATUS_PAGE_H

#include "sync/cli/history/status_run.h"

/* Appends the page. XS_USAGE if the run has no report, because it has not ended. 0/-1 */
int status_page(struct state *state, const struct run_record *run, struct buf *out, struct err *e);

#endif
