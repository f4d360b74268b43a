/* The user, host and command line of this process, for the records of runs. */
#ifndef SYNC_CLI_ACTOR_H
#define SYNC_CLI_ACTOR_H

#include "sync/base/err.h"
#include "sync/cli/command.h"
#include "sync/pipeline/run.h"

struct actor {
    struct run_actor shown; /* borrows from the two below, and from the invocation */
    char *user, *host;      /* owned */
};

/* A user without a name is named by its number; a host without a name is "". 0/-1 (memory) */
int actor_find(const struct invocation *inv, struct actor *out, struct err *e);
void actor_free(struct actor *a);

#endif
