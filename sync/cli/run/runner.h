/* From options to a run: what sync, diff, check and resume have in common. Loads the mapping, finds key and state,
 * fills struct run_config, and afterwards writes report, metrics and ping. Decides nothing about rows. */
#ifndef SYNC_CLI_RUN_RUNNER_H
#define SYNC_CLI_RUN_RUNNER_H

#include "sync/cli/actor.h"
#include "sync/cli/command.h"
#include "sync/cli/key.h"
#include "sync/cli/progress.h"
#include "sync/pipeline/run.h"

#include <stdbool.h>

struct runner {
    const struct invocation *inv;
    struct mapping *mapping; /* owned; NULL: resume without SYNC */
    struct actor actor;
    struct api_key key;
    char *state_path; /* owned; NULL: the mapping's default */
    char *rate_share; /* owned */
    struct api_config api;
    struct run_config config;
    struct progress progress;
    struct buf ping_body; /* of the last ping; empty: the run has no report */
};

/* `key_needed`: without one it is XS_KEY. `read_only`: nothing that could write may leave the process.
 * runner_close() is due after a failure too. */
int runner_open(struct runner *r, const struct invocation *inv, bool key_needed, bool read_only, struct err *e);
void runner_close(struct runner *r);

/* A whole run from open to close with its outputs: summary or report on stdout or -o, --report, --metrics-file, --ping.
 * Sets inv->status. Outputs that cannot be made stop it before it sends. `step` adds what only its command's options
 * say to the configuration, and runs it (run_sync() or run_resume()). */
typedef int runner_step(const struct invocation *inv, struct run_config *config, struct run_report *report, struct err *e);
int runner_run(struct invocation *inv, runner_step *step, struct err *e);

#endif
