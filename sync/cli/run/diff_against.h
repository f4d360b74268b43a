/* A saved plan beside what happened or would happen now: a run, another plan, or the dry run of a SYNC. */
#ifndef SYNC_CLI_RUN_DIFF_AGAINST_H
#define SYNC_CLI_RUN_DIFF_AGAINST_H

#include "sync/cli/command.h"
#include "sync/planfile/plan_file.h"

/* Lists the operations that differ. `other` is "run:N", a *.plan or a SYNC. Sets inv->status: XS_DONE or XS_CHANGES. 0/-1 */
int diff_against(struct invocation *inv, struct plan_file *plan, const char *other, struct err *e);

#endif
