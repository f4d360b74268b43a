/* `check`: verifies everything that can be verified without writing. Each finding is one line. */
#ifndef SYNC_PREFLIGHT_CHECK_H
#define SYNC_PREFLIGHT_CHECK_H

#include "sync/pipeline/run.h"

enum finding_level { FINDING_OK, FINDING_NOTICE, FINDING_WARNING, FINDING_ERROR };
struct finding {
    enum finding_level level;
    const char *what; /* "mapping", "source", "key", "plan", "target", "variables", "block list", "state",
                         * "results_to" */
    const char *text; /* borrowed during the call */
};
/* Passes each finding to the callback as it is made, and goes on after errors if possible. 0; -1 with the worst status if
 * something would stop a sync. */
int check_run(const struct run_config *config, void (*found)(void *ctx, const struct finding *finding), void *ctx,
              struct err *e);

#endif
