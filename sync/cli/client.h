/* A client of the API for commands that are no run: key, shared request budget and half of the workspace's pace, from
 * the options that all commands share. Knows neither mapping nor state. */
#ifndef SYNC_CLI_CLIENT_H
#define SYNC_CLI_CLIENT_H

#include "sync/api/api.h"
#include "sync/cli/common.h"
#include "sync/cli/key.h"

#include <stdbool.h>

struct client {
    const struct common *common; /* borrowed */
    struct api_key key;
    char *rate_share;            /* owned */
    struct api *api;
};

/* Half of the workspace's budget, which other tools share. */
enum { CLIENT_PER_SECOND = 50, CLIENT_PER_MINUTE = 3000 };
#define CLIENT_USER_AGENT "leadsync/" PACKAGE_VERSION

/* Loads the key and opens the client; the log keeps the key out from here on. `read_only`: nothing that changes anything
 * can leave. 0 · 1 when there is no key and it is not `needed` · -1 (without a key: XS_KEY). With --max-seconds, calls
 * that are waited for end by then. client_close() is due after a failure too. */
int client_open(struct client *client, const struct common *c, bool needed, bool read_only, struct err *e);
void client_close(struct client *client);

/* The file of the request budget that all processes of this user with this key share; caller frees. NULL: it cannot be
 * had, and each paces itself alone. */
char *client_rate_share(const struct common *c, const struct api_key *key);

#endif
